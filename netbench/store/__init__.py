"""The run directory: everything a run leaves behind, and all that a report is made from."""

from netbench.store.rundir import RunDir, names, run_name

__all__ = ["RunDir", "names", "run_name"]
