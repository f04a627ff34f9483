"""How a server is started on an endpoint: its documented command, listening and allowed as little as works there.

What works there, preflight found out and the manifest keeps (facts ``server_address`` and ``server_user``), so that a
report shows each command as it was run.
"""

from __future__ import annotations

from collections.abc import Mapping

from netbench.model import ServerCommand

PRIVILEGED = 1024  # ports below it are root's


def served(server: ServerCommand, facts: Mapping[str, str]) -> tuple[str, ...]:
    """The argv that is run on an endpoint with these facts.

    It listens on the data-plane address alone where the endpoint holds that, and has the rights of nobody where root
    can hand them down. Its buffers are then in /tmp: nobody comes into root's directories.
    """
    bound = server.argv
    if server.bind and facts.get("server_address", "") in server.bind:
        bound += server.bind
    user = facts.get("server_user", "")
    if not user.isdecimal() or server.port < PRIVILEGED:
        return bound
    rights = ("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs")
    return ("env", "TMPDIR=/tmp", *rights, *bound)
