"""The Invoke collection: arguments in, exit codes out. `invoke --list` must be quick, so tasks import what they use."""

from __future__ import annotations

import sys
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any

from invoke.collection import Collection
from invoke.context import Context
from invoke.program import Program
from invoke.tasks import task

from netbench import __version__

POSITIONAL = Parameter.empty  # in the place of a default: the argument must be given, by its position

# name -> (default, help); 0 and "" stand for the default that the help names
CAMPAIGN: dict[str, tuple[Any, str]] = {
    "zone": ("same", "same: both ends in one zone; cross: in two zones"),
    "inventory": ("", "file or directory (default: $NETBENCH_INVENTORY, inventories/default, or else the lab)"),
    "limit": ("", "Ansible pattern that narrows the nodes, such as 'zone_b:!ecs-07'"),
    "kinds": ("", "kinds to compare, comma-separated (default: all)"),
    "probes": ("", "probes, comma-separated (default: throughput,pps,latency)"),
    "rounds": (0, "how often every cell is measured (default: the profile's, 3)"),
    "precision": ("", "add rounds until every compared ratio is known this well, such as 2%"),
    "max_rounds": (30, "with --precision: rounds at the most"),
    "max_time": ("", "with --precision: how long the run may take, such as 90m or 8h"),
    "pairs": (1, "node pairs a cell is measured on"),
    "profile": ("documented", "documented (the full flags), quick, or smoke"),
    "duration": ("", "seconds an iperf3 client runs"),
    "port": (0, "TCP and UDP port of the servers"),
    "option": ([], "any option of a probe, as probe.option=value; may be repeated"),
    "seed": (0, "seed of the order within rounds"),
    "accept_new_host_keys": (False, "store the keys of hosts that are not in known_hosts; changed keys are refused"),
}
CHECKS: dict[str, tuple[Any, str]] = {
    "allow_mixed_versions": (False, "measure between different iperf3 versions; the report says so"),
    "allow_mislabelled": (False, "measure endpoints that are not what their labels say; the report marks them"),
}
BENCH: dict[str, tuple[Any, str]] = {
    "lang": ("en", "language of the report: en or zh"),
    "dry_run": (False, "show the plan and stop"),
    "quiet": (False, "no progress"),
    "resume": ("", "go on with this run (a name, a path, or latest) instead of beginning one; its plan stays"),
    "allow_changed_environment": (False, "resume though kernels, versions or addresses changed; the report says so"),
    "keep_going": (False, "measure the rest when a check fails"),
    "reports": ("reports", "where run directories go"),
}
FLEET = ("inventory", "limit", "accept_new_host_keys")
CLEAN: dict[str, tuple[Any, str]] = {
    "dry_run": (False, "only show what would be removed"),
    "force": (False, "also end the live run of yours that goes on there"),
}


def _task(options: dict[str, tuple[Any, str]], **settings: Any) -> Callable[[Callable[..., None]], Any]:
    """A task with these options. Invoke reads them from the signature, so that is made from the one table."""

    def decorate(body: Callable[..., None]) -> Any:
        context = Parameter("c", Parameter.POSITIONAL_OR_KEYWORD)
        named = [Parameter(key, Parameter.KEYWORD_ONLY, default=value) for key, (value, _) in options.items()]
        body.__signature__ = Signature([context, *named])  # type: ignore[attr-defined]
        help_texts = {key.replace("_", "-"): text for key, (_, text) in options.items()}
        iterable = [key for key, (value, _) in options.items() if value == []]
        return task(body, help=help_texts, iterable=iterable, **settings)

    return decorate


@_task(CAMPAIGN)
def plan(c: Context, **arguments: Any) -> None:
    """Show matrix, order, exact commands and duration; nothing is touched but for pod discovery."""
    from netbench import commands

    commands.plan(arguments)


@_task({**CAMPAIGN, **CHECKS})
def check(c: Context, **arguments: Any) -> None:
    """Check every endpoint of the plan: reachability, tools, versions, ports, kubectl rights."""
    from netbench import commands

    commands.check(arguments)


@_task({**CAMPAIGN, **CHECKS, **BENCH})
def bench(c: Context, **arguments: Any) -> None:
    """Measure every cell in interleaved rounds and write the report."""
    from netbench import commands

    commands.bench(arguments)


@_task({"run": (POSITIONAL, "a run's name or path, or latest"), "lang": BENCH["lang"], "reports": BENCH["reports"]})
def report(c: Context, **arguments: Any) -> None:
    """Write a run's report again from its directory; no host is touched."""
    from netbench import commands

    commands.report(arguments)


@_task({**{key: CAMPAIGN[key] for key in FLEET}, **CLEAN})
def clean(c: Context, **arguments: Any) -> None:
    """Find and remove what dead runs left on endpoints; never what belongs to others or to a live run."""
    from netbench import commands

    commands.clean(arguments)


@_task({key: CAMPAIGN[key] for key in FLEET}, name="show")
def inventory_show(c: Context, **arguments: Any) -> None:
    """List the endpoints of an inventory, pods included."""
    from netbench import commands

    commands.show_inventory(arguments)


@task(name="up")
def lab_up(c: Context) -> None:
    """Start the lab: nodes, pods, sshd and a Kubernetes API in namespaces of this machine (root)."""
    from netbench import commands

    commands.lab_up()


@task(name="down")
def lab_down(c: Context) -> None:
    """Stop the lab; nothing of it is left."""
    from netbench import commands

    commands.lab_down()


@task(name="status")
def lab_status(c: Context) -> None:
    """Say whether the lab is up."""
    from netbench import commands

    commands.lab_status()


@task(name="run")
def lab_run(c: Context) -> None:
    """Run a command inside the lab: lab.run -- CMD ARGS; starts a lab for it if none is up."""
    from netbench import commands

    commands.lab_run(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else [])


namespace = Collection(
    plan,
    check,
    bench,
    report,
    clean,
    inventory=Collection(inventory_show),
    lab=Collection(lab_up, lab_down, lab_status, lab_run),
)


def main() -> None:
    """The console program ``netbench``."""
    Program(version=__version__, namespace=namespace, name="netbench", binary="netbench").run()
