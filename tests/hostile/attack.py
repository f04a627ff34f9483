"""Runs inside the lab: ``python -m tests.hostile.attack DIRECTORY INVENTORY``. Every hostile value in every place.

Each attempt is the task ``plan`` in this process, with real kubectl where pods are looked for. Those whose values are
for SSH are then checked on a real sshd, all in one inventory. Writes DIRECTORY/results.json.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from netbench import commands
from netbench.tasks import BENCH, CAMPAIGN, CHECKS
from tests.hostile.corpus import Lab, attempts

DEFAULTS = {name: value for name, (value, _) in {**CAMPAIGN, **CHECKS, **BENCH}.items()}
FOR_SSH = ("ansible_ssh_private_key_file", "netbench_known_hosts", "ansible_user")
SHOWN = 20_000  # characters of an output that are kept


def attempt(task: Callable[[Mapping[str, Any]], None], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Exit code, both outputs, and the traceback if there is one."""
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    fault = ""
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            task({**DEFAULTS, **arguments})
        except SystemExit as error:
            code = error.code
        except Exception:
            fault = traceback.format_exc()[-3000:]
    texts = {"out": out.getvalue(), "err": err.getvalue()}
    lengths = {f"{name}_length": len(text) for name, text in texts.items()}
    return {"code": code, "fault": fault, **lengths, **{name: text[:SHOWN] for name, text in texts.items()}}


def main(directory: Path, inventory: Path) -> None:
    warnings.simplefilter("error")
    lab = Lab(YAML(typ="safe").load(inventory.read_text(encoding="utf-8")))
    results = []
    accepted: dict[str, list[str]] = {name: [] for name in FOR_SSH}
    path = directory / "hosts.json"
    for place, position, name, value in attempts("NETBENCH_HOSTILE" in os.environ):
        made = position(lab, value)
        text = made.inventory if isinstance(made.inventory, str) else json.dumps(made.inventory)
        path.write_text(text, encoding="utf-8", errors="replace")
        found = attempt(commands.plan, {"inventory": str(path), "probes": "latency", **made.arguments})
        results.append({"place": place, "value": name, **found})
        if place in FOR_SSH and found["code"] == 0:
            accepted[place].append(value)
    for place, values in accepted.items():
        path.write_text(json.dumps(many(lab, place, values)), encoding="utf-8")
        found = attempt(commands.check, {"inventory": str(path), "probes": "latency"})
        results.append({"place": f"check:{place}", "value": f"{len(values)} values", **found})
    (directory / "results.json").write_text(json.dumps(results), encoding="utf-8")


def many(lab: Lab, variable: str, values: list[str]) -> dict[str, Any]:
    """A host a value, all of them one node of the lab, each a kind of its own so that all are used."""
    hosts = {
        f"h{number}": {
            "ansible_host": lab.hosts["a1"]["ansible_host"],
            "netbench_address": f"198.18.{50 + number // 250}.{number % 250 + 1}",
            "netbench_zone": "z",
            "netbench_kind": f"k{number}",
            variable: value,
        }
        for number, value in enumerate(values)
    }
    return {"all": {"children": {"hosts": {"vars": lab.group_vars, "hosts": hosts}}}}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
