"""`invoke --list` from a checkout shows the package's own collection."""

from netbench.__main__ import end_on_interrupt
from netbench.tasks import namespace

__all__ = ["namespace"]
end_on_interrupt()
