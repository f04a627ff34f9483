"""How long `invoke --list` takes, as a multiple of importing Invoke alone (goal: within 2x)."""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

IMPORT = (sys.executable, "-c", "import invoke")
LIST = (sys.executable, "-m", "invoke", "--list")
TIMES = 15


def test_invoke_list_against_importing_invoke() -> None:
    taken: dict[tuple[str, ...], list[float]] = {IMPORT: [], LIST: []}
    for _ in range(TIMES):  # one after the other, so that a slow moment hits both
        for argv, seconds in taken.items():
            begun = time.perf_counter()
            subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
            seconds.append(time.perf_counter() - begun)
    base, listed = median(taken[IMPORT]), median(taken[LIST])
    print(f"\nimport invoke {base * 1e3:.0f} ms, invoke --list {listed * 1e3:.0f} ms, ratio {listed / base:.2f}")
    assert listed / base < 2
