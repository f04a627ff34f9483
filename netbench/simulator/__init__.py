"""Campaigns in a world whose truth is known, through the real plan, runner, parsers and analysis.

Only the endpoints are made up: a fake transport answers each client with the output of a tool that saw what the world
says. So what netbench claims can be held against what is true, thousands of times an hour.
"""

from netbench.simulator.campaign import Simulated, fleet, not_interleaved, simulate
from netbench.simulator.truth import true_ratio
from netbench.simulator.world import Drift, World

__all__ = ["Drift", "Simulated", "World", "fleet", "not_interleaved", "simulate", "true_ratio"]
