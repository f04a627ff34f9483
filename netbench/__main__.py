"""The console program: ``netbench``, or ``python -m netbench``."""

from __future__ import annotations

import signal


def end_on_interrupt() -> None:
    """Until a task is at work and can stop cleanly, Ctrl-C just ends it, without a traceback of its imports."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def main() -> None:
    """Run it."""
    end_on_interrupt()
    from netbench import tasks

    tasks.main()


if __name__ == "__main__":
    main()
