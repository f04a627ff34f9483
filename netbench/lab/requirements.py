"""What a machine must have for a lab, and the package of Debian's that has it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys

from netbench.errors import UsageError

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PROGRAMS = {
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setsid": "util-linux",
    "setpriv": "util-linux",
    "mount": "mount",
    "hostname": "hostname",
    "ip": "iproute2",
    "tc": "iproute2",
    "sshd": "openssh-server",
    "ssh": "openssh-client",
    "iperf3": "iperf3",
    "ping": "iputils-ping",
    "kubectl": "kubernetes-client",
}
MODULES = ("h11", "wsproto", "cryptography")


def missing() -> dict[str, str]:
    """What is not there, each with its remedy."""
    found: dict[str, str] = {}
    if not sys.platform.startswith("linux"):
        return {"Linux": "run the lab on a Linux machine"}
    if os.geteuid() != 0:
        found["root"] = "run as root: the lab makes network namespaces"
    for program, package in PROGRAMS.items():
        if shutil.which(program, path=f"{os.environ.get('PATH', '')}:{PATH}") is None:
            found[program] = f"apt-get install {package}"
    for module in MODULES:
        if importlib.util.find_spec(module) is None:
            found[f"Python's {module}"] = "pip install 'netbench[lab]'"
    return found


def require() -> None:
    """Raises UsageError that names all that is missing and what to do about it."""
    if found := missing():
        raise UsageError(f"the lab needs: {', '.join(found)}", "; ".join(dict.fromkeys(found.values())))
