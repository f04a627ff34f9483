"""Coverage-guided fuzzing with atheris: ``python -m tests.fuzz SECONDS [TARGET...]``, all targets by default.

Each target runs for that many seconds in a process of its own, from its seeds and its corpus. Inputs that take new ways
through the code are added to the corpus, and so is one that is a fault: the next test run replays it.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path

SLOWEST = 20  # seconds one input may take
LARGEST = 65536  # bytes of an input that is made up
MOST = 80  # inputs that the corpus of a target keeps, the smallest; all of it is replayed in CI


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--one"]:
        return _one(arguments[1], arguments[2:])
    from tests.fuzz.targets import TARGETS

    seconds, *names = arguments
    failed = [name for name in names or TARGETS if not _fuzz(name, int(seconds))]
    print(f"findings: {', '.join(failed) or 'none'}", flush=True)  # noqa: T201
    return 1 if failed else 0


def _fuzz(name: str, seconds: int) -> bool:
    from tests.fuzz.targets import kept, seeds

    with tempfile.TemporaryDirectory(prefix="netbench-fuzz-") as directory:
        work, least, faults = (Path(directory) / each for each in ("work", "least", "faults"))
        for each in (work, least, faults):
            each.mkdir()
        for number, seed in enumerate((*seeds(name), *kept(name))):
            (work / f"seed-{number}").write_bytes(seed)
        limits = (f"-max_len={LARGEST}", f"-timeout={SLOWEST}", "-rss_limit_mb=2048", f"-artifact_prefix={faults}/")
        done = _atheris(name, f"-max_total_time={seconds}", *limits, work)
        runs = re.findall(r"^#(\d+)\s", done.stderr, re.MULTILINE)
        cover = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", done.stderr) or [("0", "0", "0")]
        reached = "coverage {}, features {}, corpus {}".format(*cover[-1])
        print(f"{name}: {runs[-1] if runs else 0} executions, {reached}", flush=True)  # noqa: T201
        if done.returncode != 0:
            print(done.stdout[-3000:], done.stderr[-1000:], flush=True)  # noqa: T201
        else:
            _atheris(name, "-merge=1", *limits, least, work)
        _keep(name, (path.read_bytes() for folder in (least, faults) for path in folder.iterdir()))
    return done.returncode == 0


def _atheris(name: str, *options: object) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "tests.fuzz", "--one", name, *map(str, options)]
    return subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False)


def _keep(name: str, units: Iterable[bytes]) -> None:
    from tests.fuzz.targets import CORPUS, kept

    chosen = sorted({*kept(name), *units}, key=lambda unit: (len(unit), unit))[:MOST]
    CORPUS.mkdir(exist_ok=True)
    text = json.dumps([base64.b64encode(unit).decode() for unit in chosen], indent=0)
    (CORPUS / f"{name}.json").write_text(f"{text}\n")


def _one(name: str, options: list[str]) -> int:
    import atheris

    with atheris.instrument_imports(include=["netbench", "ruamel"]):  # works on what is imported for the first time
        from tests.fuzz.targets import attempt
    atheris.Setup([sys.argv[0], *options], partial(attempt, name))
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
