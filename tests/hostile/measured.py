"""``python -m tests.hostile.measured FILE ARGUMENTS``: netbench in this process; FILE gets what it cost."""

from __future__ import annotations

import atexit
import json
import re
import resource
import sys
from pathlib import Path


def cost() -> dict[str, float]:
    """This process alone, without its children: seconds of CPU, and the most memory it had, in bytes."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    peak = re.search(r"^VmHWM:\s*(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert peak is not None
    return {"cpu": used.ru_utime + used.ru_stime, "memory": int(peak[1]) * 1024}


if __name__ == "__main__":
    file = Path(sys.argv.pop(1))
    atexit.register(lambda: file.write_text(json.dumps(cost())))
    sys.argv[0] = "netbench"
    from netbench.__main__ import main

    main()
