"""SSH by Fabric against a real sshd: host keys, authentication, jumps, quoting, cuts."""

from __future__ import annotations

import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from netbench.errors import AuthError, ConnectionCutError, DeadlineError, HostKeyError, UnreachableError
from netbench.model import Command, SshAccess
from netbench.transports.base import ConnectOptions
from netbench.transports.pool import Pool
from netbench.transports.ssh import SshTransport, connect
from tests.transports.conftest import Sshd, start_sshd
from tests.transports.relay import Relay

HOSTILE = ("$(touch pwned)", "a b", "'\"`", "; echo X", "*", "", "-n", "\n\\", "ä€", "!!")


def test_output_exit_code_and_streams(sshd: Sshd) -> None:
    with Pool() as pool:
        done = pool.get(sshd.access).run(Command(("sh", "-c", "printf 'a\\0\\377'; echo bad >&2; exit 3")))
    assert (done.exit_code, done.stdout, done.stderr) == (3, b"a\0\xff", b"bad\n")


def test_arguments_and_variables_are_quoted(sshd: Sshd) -> None:
    command = Command(("sh", "-c", 'printf "%s|" "$V" "$LC_ALL" "$@"', "sh", *HOSTILE), env={"V": "a b; echo X"})
    with Pool() as pool:
        assert pool.get(sshd.access).run(command).text == "|".join(("a b; echo X", "C", *HOSTILE)) + "|"


def test_output_comes_while_the_command_runs(sshd: Sshd) -> None:
    pieces: list[tuple[float, bytes]] = []
    with Pool() as pool:
        done = pool.get(sshd.access).run(
            Command(("sh", "-c", "echo one; sleep 1; echo two")), lambda piece: pieces.append((time.monotonic(), piece))
        )
    assert done.stdout == b"".join(piece for _, piece in pieces) == b"one\ntwo\n"
    assert pieces[-1][0] - pieces[0][0] > 0.5


def test_one_connection_serves_many_threads(sshd: Sshd) -> None:
    with Pool() as pool, ThreadPoolExecutor(8) as threads:
        transport = pool.get(sshd.access)
        answers = list(threads.map(lambda n: transport.run(Command(("echo", str(n)))).text, range(24)))
        peers = {transport.run(Command(("sh", "-c", "echo $SSH_CONNECTION"))).text for _ in range(3)}
    assert answers == [f"{n}\n" for n in range(24)]
    assert len(peers) == 1


def test_an_unknown_host_key_is_refused_with_its_remedy(sshd: Sshd) -> None:
    (sshd.directory / "known_hosts").write_text("")
    with Pool() as pool, pytest.raises(HostKeyError, match="not in known_hosts") as caught:
        pool.get(sshd.access).run(Command(("true",)))
    assert "--accept-new-host-keys" in caught.value.remedy


def test_accept_new_stores_the_key_for_the_next_time(sshd: Sshd) -> None:
    known = sshd.directory / "new" / "known_hosts"
    access = replace(sshd.access, known_hosts=str(known))
    with Pool(ConnectOptions(accept_new_host_keys=True)) as pool:
        assert pool.get(access).run(Command(("true",))).exit_code == 0
    assert known.read_text() == f"[127.0.0.1]:{sshd.port} {sshd.public_host_key}\n"
    assert stat.S_IMODE(known.stat().st_mode) == 0o600
    with Pool() as pool:
        assert pool.get(access).run(Command(("true",))).exit_code == 0


@pytest.mark.parametrize("accept_new", [False, True])
def test_a_changed_host_key_is_refused_loudly(sshd: Sshd, tmp_path: Path, accept_new: bool) -> None:
    other = start_sshd(tmp_path / "other")
    other.stop()
    (sshd.directory / "known_hosts").write_text(f"[127.0.0.1]:{sshd.port} {other.public_host_key}\n")
    with (
        Pool(ConnectOptions(accept_new_host_keys=accept_new)) as pool,
        pytest.raises(HostKeyError, match="HAS CHANGED"),
    ):
        pool.get(sshd.access).run(Command(("true",)))


def test_a_refused_key(sshd: Sshd) -> None:
    (sshd.directory / "authorized_keys").write_text("")
    with Pool() as pool, pytest.raises(AuthError, match="none of the keys"):
        pool.get(sshd.access).run(Command(("true",)))


def test_a_key_file_that_is_not_there(sshd: Sshd) -> None:
    with Pool() as pool, pytest.raises((AuthError, UnreachableError)):
        pool.get(replace(sshd.access, key_file="/nowhere/id")).run(Command(("true",)))


def test_nobody_listens(sshd: Sshd) -> None:
    sshd.stop()
    with Pool() as pool, pytest.raises(UnreachableError, match="cannot connect"):
        pool.get(sshd.access).run(Command(("true",)))


def test_a_name_that_does_not_resolve() -> None:
    access = SshAccess("no-such-host.invalid")
    with Pool() as pool, pytest.raises(UnreachableError, match=r"no-such-host\.invalid"):
        pool.get(access).run(Command(("true",)))


def test_the_deadline_of_a_command(sshd: Sshd) -> None:
    with Pool() as pool:
        transport = pool.get(sshd.access)
        with pytest.raises(DeadlineError, match=r"within 0\.5 s"):
            transport.run(Command(("sleep", "5"), deadline=0.5))
        assert transport.run(Command(("echo", "alive"))).text == "alive\n"


def test_a_cut_is_told_and_the_next_command_connects_again(sshd: Sshd) -> None:
    with Pool() as pool:
        transport = pool.get(sshd.access)
        with pytest.raises(ConnectionCutError):
            # $PPID of the remote shell is the sshd process that serves this connection
            transport.run(Command(("sh", "-c", "kill -KILL $PPID; sleep 5")))
        assert transport.run(Command(("echo", "again"))).text == "again\n"


def test_jump_hosts_of_the_inventory_in_order(sshd: Sshd, tmp_path: Path) -> None:
    first, second = start_sshd(tmp_path / "first"), start_sshd(tmp_path / "second")
    try:
        known = tmp_path / "known_hosts"
        known.write_text(
            "".join(f"[127.0.0.1]:{server.port} {server.public_host_key}\n" for server in (sshd, first, second))
        )
        for server in (first, second):
            (server.directory / "authorized_keys").write_text((sshd.directory / "id.pub").read_text())
        jump = ",".join(f"{sshd.access.user}@127.0.0.1:{server.port}" for server in (first, second))
        access = replace(sshd.access, proxy_jump=jump, known_hosts=str(known))
        with Pool() as pool:
            assert pool.get(access).run(Command(("echo", "through"))).text == "through\n"
            (second.directory / "authorized_keys").write_text("")
        with Pool() as pool, pytest.raises(AuthError, match=str(second.port)):
            pool.get(access).run(Command(("true",)))
    finally:
        first.stop()
        second.stop()


def test_ssh_config_is_honoured(sshd: Sshd) -> None:
    """Alias, port, user, key and a jump host come from ~/.ssh/config; the jump's host key is checked as strictly."""
    directory = Path(os.environ["HOME"]) / ".ssh"
    directory.mkdir(mode=0o700)
    config = (
        f"Host target jump\n  HostName 127.0.0.1\n  Port {sshd.port}\n  User {sshd.access.user}\n"
        f"  IdentityFile {sshd.directory}/id\n  UserKnownHostsFile {sshd.directory}/known_hosts\n"
    )
    (directory / "config").write_text(config + "Host target\n  ProxyJump jump\n")
    with Pool() as pool:
        transport = pool.get(SshAccess("target"))
        assert isinstance(transport, SshTransport)
        assert transport.run(Command(("echo", "alias"))).text == "alias\n"
        assert transport.open().gateway is not None
    (sshd.directory / "known_hosts").write_text("")
    with Pool() as pool, pytest.raises(HostKeyError):
        pool.get(SshAccess("target")).run(Command(("true",)))


def test_the_factory_is_the_registered_one() -> None:
    with Pool() as pool:
        assert isinstance(connect(SshAccess("host"), pool), SshTransport)


def test_an_sshd_that_falls_silent_before_it_starts_the_command_is_not_waited_for(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It opens the channel, and nothing comes any more: no reset, no end, as behind a firewall that lost its state."""
    monkeypatch.setattr("netbench.transports.ssh.PATIENCE", 0.2)
    with Relay(sshd.port) as relay, Pool() as pool:
        (sshd.directory / "known_hosts").write_text(f"[127.0.0.1]:{relay.port} {sshd.public_host_key}\n")
        transport = pool.get(replace(sshd.access, port=relay.port))
        assert transport.run(Command(("echo", "works"))).text == "works\n"
        relay.silence_after(1)
        with pytest.raises(DeadlineError, match=r"no answer within 0\.5 s"):
            transport.run(Command(("true",), deadline=0.5))
        relay.silence_after(None)
        assert transport.run(Command(("echo", "again"))).text == "again\n"
