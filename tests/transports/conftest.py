"""A real sshd on loopback, with keys of its own."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from netbench.model import SshAccess

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")


@dataclass
class Sshd:
    """A running server; ``access`` logs in to it."""

    directory: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def access(self) -> SshAccess:
        return SshAccess(
            "127.0.0.1",
            port=self.port,
            user=getpass.getuser(),
            key_file=str(self.directory / "id"),
            known_hosts=str(self.directory / "known_hosts"),
        )

    @property
    def public_host_key(self) -> str:
        return " ".join((self.directory / "host.pub").read_text().split()[:2])

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


def start_sshd(directory: Path, *, port: int | None = None, settings: str = "", inside: tuple[str, ...] = ()) -> Sshd:
    """Start one in that directory, with new keys unless there are some.

    ``settings``: lines of sshd_config that win; ``inside``: a command that starts it, in namespaces perhaps.
    """
    if SSHD is None:
        pytest.skip("sshd is not installed (Debian: openssh-server)")
    directory.mkdir(exist_ok=True)
    for name in ("host", "id"):
        if not (directory / name).exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / name], check=True)
    if port is None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
    (directory / "authorized_keys").write_text((directory / "id.pub").read_text())
    (directory / "sshd_config").write_text(
        f"{settings}Port {port}\nListenAddress 127.0.0.1\nHostKey {directory}/host\n"
        f"AuthorizedKeysFile {directory}/authorized_keys\n"
        f"StrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nPidFile none\n"
        f"MaxSessions 100\nMaxStartups 100\n"
    )
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    process = subprocess.Popen([*inside, SSHD, "-D", "-e", "-f", directory / "sshd_config"], stderr=subprocess.DEVNULL)
    server = Sshd(directory, port, process)
    (directory / "known_hosts").write_text(f"[127.0.0.1]:{port} {server.public_host_key}\n")
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return server
        time.sleep(0.02)
    raise AssertionError("sshd does not listen")


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    server = start_sshd(tmp_path / "sshd")
    yield server
    server.stop()
