"""A measured host never gets the user's ssh-agent, whatever ssh_config says; `ssh` itself judges the setting."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from netbench.model import Command
from netbench.transports.pool import Pool
from tests.transports.conftest import Sshd

ASK = ("sh", "-c", "echo ${SSH_AUTH_SOCK:-none}")


@pytest.fixture
def agent(tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An agent with the key, and an ssh_config that forwards it to every host."""
    socket = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        monkeypatch.setenv("HOME", str(tmp_path))
        config = tmp_path / ".ssh/config"
        config.parent.mkdir(mode=0o700)
        config.write_text("Host *\n    ForwardAgent yes\n")
        config.chmod(0o600)
        done = None
        for _ in range(200):
            done = subprocess.run(
                ["ssh-add", "-q", sshd.directory / "id"], capture_output=True, check=False, timeout=10
            )
            if done.returncode == 0:
                break
        assert done is not None
        assert done.returncode == 0, done.stderr
        yield config
    finally:
        process.terminate()
        process.wait(10)


def test_ssh_forwards_where_its_configuration_says_so_and_netbench_does_not(agent: Path, sshd: Sshd) -> None:
    options = ("-F", str(agent), "-o", f"UserKnownHostsFile={sshd.directory}/known_hosts", "-p", str(sshd.port))
    ssh = subprocess.run(
        ["ssh", *options, f"{sshd.access.user}@127.0.0.1", "echo ${SSH_AUTH_SOCK:-none}"],
        capture_output=True, text=True, check=True, timeout=30, env={**os.environ, "HOME": str(agent.parents[1])},
    )  # fmt: skip
    assert ssh.stdout.strip() != "none"  # so there is something to refuse
    with Pool() as pool:
        assert pool.get(sshd.access).run(Command(ASK)).text == "none\n"
