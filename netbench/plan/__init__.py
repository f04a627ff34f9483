"""From an inventory to every step in order, as pure data: nothing is opened, nothing is run."""

from netbench.plan.build import build_plan
from netbench.plan.endpoints import choose_endpoints
from netbench.plan.extend import extend_plan
from netbench.plan.schedule import eta

__all__ = ["build_plan", "choose_endpoints", "eta", "extend_plan"]
