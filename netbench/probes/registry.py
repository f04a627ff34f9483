"""Find probes by name, make them with their options, and know the named sets of options."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from typing import Any, cast, get_type_hints

from netbench.errors import UsageError
from netbench.probes.base import Probe
from netbench.probes.options import convert

GROUP = "netbench.probes"
FIRST = ("throughput", "pps", "latency")  # packaging tools do not keep the order in which these are registered
_MEMBERS = ("name", "metrics", "source_tools", "destination_tools", "seconds", "client", "server", "parse")


@dataclass(frozen=True)
class Profile:
    """A named set of options."""

    rounds: int
    probes: Mapping[str, Mapping[str, object]]  # probe -> option -> value


def load_probes(
    names: Sequence[str] | None = None, options: Mapping[str, Mapping[str, object]] | None = None
) -> dict[str, Probe]:
    """Make the probes of these names, in this order; None: all that are registered, the built-in ones first.

    ``options`` maps a probe's name to option -> value; text, as from a command line, becomes the option's type. Those
    of a probe that is not asked for are not used. Raises UsageError: a name or an option that there is not, a value
    that cannot be, a plugin that is broken.
    """
    known = _registered()
    options = options or {}
    for name in (*(names or ()), *options):
        if name not in known:
            raise UsageError(f"there is no probe {name}", f"choose from {', '.join(known)}")
    chosen = known if names is None else dict.fromkeys(names)
    return {name: _make(known[name], options.get(name, {})) for name in chosen}


def profile(name: str) -> Profile:
    """A named set of options: ``documented``, ``quick``, ``smoke``. Raises UsageError where there is none."""
    from ruamel.yaml import YAML  # takes a while, and few commands need it

    known = YAML(typ="safe").load(files("netbench.probes").joinpath("profiles.yaml").read_text(encoding="utf-8"))
    if name not in known:
        raise UsageError(f"there is no profile {name}", f"choose from {', '.join(known)}")
    return Profile(**known[name])


def _registered() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=GROUP):
        other = found.setdefault(entry.name, entry)
        if other.value != entry.value:  # the same package may be listed twice: installed, and in a checkout
            raise UsageError(
                f"the probe {entry.name} is registered twice, as {other.value} and {entry.value}",
                "uninstall one of the packages that register it",
            )
    order = (*FIRST, *sorted(found))
    return {name: found[name] for name in dict.fromkeys(order) if name in found}


def _make(entry: EntryPoint, values: Mapping[str, object]) -> Probe:
    made, hints = _load(entry)
    for option in values:
        if option not in hints:
            raise UsageError(
                f"the probe {entry.name} has no option {option}", f"its options are {', '.join(hints) or 'none'}"
            )
    converted = {option: convert(entry.name, option, hints[option], value) for option, value in values.items()}
    try:
        return cast(Probe, made(**converted))
    except UsageError:
        raise
    except Exception as error:
        raise _broken(entry, error) from error


def _load(entry: EntryPoint) -> tuple[type[Any], dict[str, object]]:
    """The plugin's class, and option -> type. Importing a plugin may fail in any way at all."""
    try:
        made: type[Any] = entry.load()
        missing = [member for member in _MEMBERS if not hasattr(made, member)]
        if missing:
            raise TypeError(f"it lacks {', '.join(missing)}")
        if made.name != entry.name:
            raise TypeError(f"it is named {made.name}")
        if not dataclasses.is_dataclass(made):
            raise TypeError("it is not a dataclass")
        types = get_type_hints(made)
        return made, {field.name: types[field.name] for field in dataclasses.fields(made) if field.init}
    except Exception as error:
        raise _broken(entry, error) from error


def _broken(entry: EntryPoint, error: Exception) -> UsageError:
    return UsageError(
        f"the probe {entry.name} ({entry.value}) cannot be used: {type(error).__name__}: {error}",
        "repair or uninstall the package that registers it, or leave it out with --probes",
    )
