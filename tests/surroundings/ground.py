"""The accounts on the lab's nodes, and what is looked at from outside: canaries, processes, files."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from netbench.lab.pods import first_processes
from netbench.lab.state import LabState
from tests.faults.site import Process, Site
from tests.surroundings.catalogue import Surrounding, variables

NODES = ("a1", "a2")  # sh is dash on the first, and bash on the second
PORT = 2222
THIRD = 2001  # whose canaries lie there, too
Tree = dict[str, tuple[object, ...]]


@dataclass(frozen=True)
class Look:
    """What is on a node: its processes by number, and what netbench may have made."""

    processes: frozenset[int]
    files: tuple[str, ...]


class Ground:
    """A lab whose nodes have these accounts."""

    def __init__(self, state: LabState, surroundings: Iterable[Surrounding]) -> None:
        self.site = Site(state)
        self.state = state
        self.surroundings = tuple(one for one in surroundings if not one.missing)
        for node in NODES:
            self._settle(node)
        self.before = {node: self.look(node) for node in NODES}
        self.canaries = {node: self.trees(node) for node in NODES}

    def root(self, node: str) -> Path:
        """The node's file system, as this machine gets to it."""
        return Path(f"/proc/{self.site.init}/root/proc/{first_processes(self.state)[node]}/root")

    def home(self, one: Surrounding) -> str:
        return f"/run/homes/{one.name}" if one.uid else f"/root/homes/{one.name}"

    def address(self, node: str, number: int) -> str:
        """One for each account: no two nodes of an inventory may have the same."""
        return f"198.18.{50 + number}.{NODES.index(node) + 1}"

    def fill(self, one: Surrounding, text: str) -> str:
        places = {"@HOME@": self.home(one), "@MINE@": f"/root/canary/{one.name}", "@THEIRS@": f"/run/canary/{one.name}"}
        for mark, place in places.items():
            text = text.replace(mark, place)
        return text

    def _settle(self, node: str) -> None:
        root = self.root(node)
        for name in ("passwd", "shadow"):
            lines = [(Path("/etc") / name).read_text()]
            for one in self.surroundings:
                if name == "passwd":
                    lines.append(f"{one.name}:x:{one.uid}:{one.uid}::{self.home(one)}:{self._shell(node, one)}\n")
                else:
                    lines.append(f"{one.name}:*:19000:0:99999:7:::\n")
            path = root / "run" / name
            path.write_text("".join(lines))
            path.chmod(0o600 if name == "shadow" else 0o644)
            self.site.run(node, "mount", "-n", "--bind", f"/run/{name}", f"/etc/{name}")
        for place, owner in (("root/canary", 0), ("run/canary", THIRD), ("run/homes", 0), ("root/homes", 0)):
            (root / place).mkdir(mode=0o755)
            os.chown(root / place, owner, owner)
        for one in self.surroundings:
            self._account(root, one)
        if node == NODES[1] and (shell := shutil.which("bash")):
            self.site.run(node, "mount", "-n", "--bind", shell, "/bin/sh")
        for number in range(len(self.surroundings)):
            self.site.run(node, "ip", "address", "add", f"{self.address(node, number)}/16", "dev", "eth0")
        blocks = [f"Match User {one.name}\n{self.fill(one, one.match)}\n" for one in self.surroundings if one.match]
        settings = (root / "run/lab/sshd_config").read_text() + "PermitTTY yes\n" + "".join(blocks)
        (root / "run/surroundings.sshd").write_text(f"Port {PORT}\n{settings}")
        self.site.run(node, "/usr/sbin/sshd", "-f", "/run/surroundings.sshd", "-E", "/run/surroundings.log")

    def _shell(self, node: str, one: Surrounding) -> str:
        if one.shell != "busybox ash":
            return shutil.which(one.shell) or one.shell
        program = self.root(node) / "run/ash"  # its name says what it is
        if not program.exists():
            shutil.copy(shutil.which("busybox") or "", program)
        return "/run/ash"

    def _account(self, root: Path, one: Surrounding) -> None:
        home = root / self.home(one).lstrip("/")
        texts = {path: self.fill(one, text) for path, text in one.rc.items()}
        for path, text in texts.items():
            (home / path).parent.mkdir(parents=True, exist_ok=True)
            (home / path).write_text(text)
        home.mkdir(exist_ok=True)
        tools = ["sh", "cat", "sed", "mkdir", "rmdir", "rm", "ls", "mv", "wc", "sleep", "ip", "ping", "iperf3", "grep"]
        if one.name.startswith("path-without-"):
            (home / "bin").mkdir()
            for tool in set(tools) - {one.name.rpartition("-")[2]}:
                if found := shutil.which(tool):
                    (home / "bin" / tool).symlink_to(found)
        for path in (home, *home.rglob("*")):
            os.chown(path, one.uid, one.uid, follow_symlinks=False)
        for place, owner in (("root/canary", 0), ("run/canary", THIRD)):
            tree = root / place / one.name
            tree.mkdir()
            for name in variables():
                if name in ("dir", "place", "home", "top"):
                    (tree / name).mkdir(mode=0o750)
                    (tree / name / "notes").write_text(f"{one.name}: of {name}\n")
                else:
                    (tree / name).write_text(f"{one.name}: {name}\n")
                    (tree / name).chmod(0o600 if owner == 0 else 0o666)
            for path in (tree, *tree.rglob("*")):
                os.chown(path, owner, owner)
                os.utime(path, ns=(10**18, 10**18))

    def trees(self, node: str) -> Tree:
        """Every canary: kind, mode, owner, time of change, contents."""
        found: Tree = {}
        for top in ("root/canary", "run/canary"):
            for path in (self.root(node) / top).rglob("*"):
                data = path.lstat()
                text = path.read_bytes() if stat.S_ISREG(data.st_mode) else b""
                name = str(path.relative_to(self.root(node)))
                found[name] = (data.st_mode, data.st_uid, data.st_gid, data.st_mtime_ns, data.st_ino, text)
        return found

    def look(self, node: str) -> Look:
        root = self.root(node)
        found = [
            str(path.relative_to(root))
            for place in ("run", "tmp", "var/tmp", "dev/shm")
            for path in sorted((root / place).glob("*"))
            if path.name not in ("homes", "canary", "tmux-0")
        ]
        homes = [
            str(path.relative_to(root))
            for place in ("root/homes", "run/homes")
            for path in sorted((root / place).glob("*/netbench*"))
        ]
        return Look(frozenset(one.pid for one in self.site.at(node)), (*found, *homes))

    def left(self, node: str) -> list[Process]:
        """Processes that were not there before."""
        return [one for one in self.site.at(node) if one.pid not in self.before[node].processes]

    def sent(self, node: str, one: Surrounding) -> bytes | None:
        """What a recorder got on stdin; None where it never ran."""
        path = self.root(node) / self.home(one).lstrip("/") / "stdin"
        return path.read_bytes() if path.exists() else None

    def inventory(self, path: Path, surroundings: Iterable[Surrounding]) -> Path:
        """Of these alone, each in a zone of its own: so it is measured from the one node to the other."""
        known = path.with_name("known_hosts")
        keys = [line.split(" ", 1) for line in self.state.known_hosts.read_text().splitlines()]
        known.write_text("".join(f"[{address}]:{PORT} {key}\n" for address, key in keys))
        addresses = dict(zip(NODES, (address for address, _ in keys), strict=True))
        hosts = {
            f"{one.name}-{node}": {
                "ansible_host": addresses[node],
                "ansible_user": one.name,
                "netbench_address": self.address(node, self.surroundings.index(one)),
                "netbench_zone": f"zone-{one.name}",
            }
            for one in surroundings
            for node in NODES
        }
        group = {
            "ansible_port": PORT,
            "ansible_ssh_private_key_file": str(self.state.key),
            "netbench_known_hosts": str(known),
            "netbench_kind": "host",
        }
        rules = YAML(typ="safe").load(self.state.inventory.read_text())["all"]["vars"]["netbench_attestation"]
        everywhere = {"netbench_attestation": rules, "netbench_max_parallel": 1}
        path.write_text(
            json.dumps({"all": {"vars": everywhere, "children": {"hosts": {"vars": group, "hosts": hosts}}}})
        )
        return path


def shown(processes: Iterable[Process]) -> list[str]:
    return [f"{one.pid} {shlex.join(one.argv)[:150]}" for one in processes]
