"""`invoke --list` from a checkout shows the package's own collection."""

from netbench.tasks import namespace

__all__ = ["namespace"]
