"""netbench on a machine whose clock is set while it runs: SIGUSR1 sets it a day ahead, SIGUSR2 a day back.

The clock of the machine itself is everybody's, so it is this process's that is set: every function of Python's that
tells the time of day, and none that tells how time passes.
"""

from __future__ import annotations

import signal
import time
from types import FrameType

import time_machine

from netbench.__main__ import main

DAY = 86400.0


def jump(number: int, frame: FrameType | None) -> None:
    """Set the clock."""
    time_machine.travel(time.time() + (DAY if number == signal.SIGUSR1 else -DAY), tick=True).start()


if __name__ == "__main__":
    for each in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(each, jump)
    main()
