"""Cases of parsers: one JSON file each, ``cases/<probe>/<name>.json``, which must hold exactly these keys.

``provenance``  "captured: TOOL VERSION ..." for a real output, "derived: ..." for one changed by hand, and how
``options``     of the probe
``exit_code``, ``stdout``, ``stderr``  what the tool left behind; text as a list of its lines
``expected``    either ``samples`` (metric -> value), ``facts`` and ``flags`` (codes), or ``failure`` (class) and a part
                of the ``message`` and of the ``remedy``
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netbench.model import Completed
from netbench.probes.base import Probe
from netbench.probes.latency import Latency
from netbench.probes.pps import Pps
from netbench.probes.throughput import Throughput

FOLDER = Path(__file__).parent / "cases"
PROBES: dict[str, Any] = {"throughput": Throughput, "pps": Pps, "latency": Latency}
KEYS = {"provenance", "options", "exit_code", "stdout", "stderr", "expected"}
OK_KEYS = {"samples", "facts", "flags"}
FAILED_KEYS = {"failure", "message", "remedy"}


@dataclass(frozen=True)
class Case:
    name: str
    probe: Probe
    completed: Completed
    expected: dict[str, Any]

    @property
    def ok(self) -> bool:
        return "samples" in self.expected


def read_case(path: Path) -> Case:
    data = json.loads(path.read_text(encoding="utf-8"))
    assert set(data) == KEYS, f"{path}: the keys are not {sorted(KEYS)}"
    assert data["provenance"].startswith(("captured: ", "derived: ")), path
    expected = data["expected"]
    assert set(expected) in (OK_KEYS, FAILED_KEYS), f"{path}: expected has the keys {sorted(expected)}"
    stdout, stderr = ("\n".join(data[key]).encode() for key in ("stdout", "stderr"))
    probe = PROBES[path.parent.name](**data["options"])
    return Case(f"{path.parent.name}/{path.stem}", probe, Completed(data["exit_code"], stdout, stderr), expected)


CASES = [read_case(path) for path in sorted(FOLDER.glob("*/*.json"))]
