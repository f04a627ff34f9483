"""What runs on an endpoint's own sh: ``state.sh``, which says where things are kept, before one of the others."""

from __future__ import annotations

from netbench.model import Command
from netbench.model.commands import LIMIT
from netbench.transports.wire import script_text

#: Where state directories may be, in the order they are tried. Only root can make one in the first; ``~`` is the home.
PLACES = ("/run", "/tmp", "/var/tmp", "/dev/shm", "~")  # noqa: S108 - what is made there is judged from inside


def script(name: str, *arguments: str, deadline: float, limit: int = LIMIT) -> Command:
    """The command that runs ``NAME.sh`` with these arguments."""
    text = f"{script_text('netbench.run', 'state.sh')}\n{script_text('netbench.run', f'{name}.sh')}"
    return Command((f"netbench-{name}", *arguments), deadline=deadline, limit=limit, script=text)
