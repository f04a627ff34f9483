"""Between ``lab run`` and its command: in the lab's namespaces but for the process ids, which only a child can have.

Started by ``nsenter --no-fork`` as ``python guest.py DIRECTORY PROGRAM ARGUMENT...``. It needs nothing but the standard
library, for the interpreter has to start once more. It waits for the command and ends as the command ended.
"""

import os
import signal
import sys

SIGNALS = frozenset(
    getattr(signal, name) for name in ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGCHLD")
)
LOOK = 0.2  # seconds; where a SIGCHLD goes to another thread, the child's end is seen this much later


def wait_for(child: int) -> int:
    """Wait for a child and hand on the signals sent to this process. Returns its exit code, 128 + N for a signal N.

    The caller has blocked SIGNALS. What a terminal sends (Ctrl-C) goes to the child too, and is not sent twice.
    """
    while True:
        came = signal.sigtimedwait(SIGNALS, LOOK)
        if came is not None and came.si_signo != signal.SIGCHLD and came.si_code <= 0:  # by kill, not by the kernel
            os.kill(child, came.si_signo)
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def main(directory: str, argv: list[str]) -> int:
    """Run it. Returns its exit code; 127 where there is no such program, 126 where it cannot be run."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    os.chdir(directory)
    try:
        child = os.posix_spawnp(argv[0], argv, os.environ, setsigmask=())
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
        return 127 if isinstance(error, FileNotFoundError) else 126
    return wait_for(child)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
