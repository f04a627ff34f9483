"""known_hosts: only trusted files count, and a new key is found again, it alone."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import os
import threading
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from netbench.errors import HostKeyError
from netbench.model import Command
from netbench.transports import knownhosts
from netbench.transports.base import ConnectOptions
from netbench.transports.hostkeys import HostKeyPolicy, known_hosts_files
from netbench.transports.knownhosts import keys_for
from netbench.transports.pool import Pool
from tests.transports.conftest import Sshd, start_sshd

NOBODY = 65534
HOST = "[192.0.2.1]:2222"
ONE, TWO, RSA = ("ssh-ed25519", "AAAAone"), ("ssh-ed25519", "AAAAtwo"), ("ssh-rsa", "AAAArsa")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to other users")
pytestmark = pytest.mark.timeout(60)


@dataclass
class Shown:
    """A key as paramiko has it."""

    key: tuple[str, str]
    fingerprint: str = "SHA256:x"

    def get_name(self) -> str:
        return self.key[0]

    def get_base64(self) -> str:
        return self.key[1]


def accept(*files: Path, key: tuple[str, str] = ONE, host: str = HOST) -> None:
    HostKeyPolicy(files, accept_new=True).missing_host_key(None, host, Shown(key))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "known_hosts"


def hashed(host: str) -> str:
    salt = b"0123456789abcdefghij"
    digest = hmac.new(salt, host.encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (f"{HOST} ssh-ed25519 AAAAone", True),
        (f"a,{HOST},b ssh-ed25519 AAAAone a comment", True),
        (f"{hashed(HOST)} ssh-ed25519 AAAAone", True),
        ("[192.0.2.*]:2222 ssh-ed25519 AAAAone", True),
        ("[192.0.2.?]:2222 ssh-ed25519 AAAAone", True),
        (f"[192.0.2.*]:2222,!{HOST} ssh-ed25519 AAAAone", False),
        ("192.0.2.1 ssh-ed25519 AAAAone", False),
        ("[192.0.2.1]:22 ssh-ed25519 AAAAone", False),
        (f"# {HOST} ssh-ed25519 AAAAone", False),
        (f"@cert-authority {HOST} ssh-ed25519 AAAAone", False),
        (f"{HOST} ssh-ed25519", False),
        ("|1|x|y ssh-ed25519 AAAAone", False),
        ("|1|x ssh-ed25519 AAAAone", False),
    ],
)
def test_lines(line: str, found: bool) -> None:
    assert keys_for(HOST, f"\n{line}\n") == ({ONE} if found else set())


@pytest.mark.parametrize("before", ["", "\n", "192.0.2.9 ssh-rsa AAAA", "192.0.2.9 ssh-rsa AAAA\n", "# end"])
def test_a_new_key_begins_a_line_of_its_own(file: Path, before: str) -> None:
    file.write_text(before)
    accept(file)
    assert (
        file.read_text()
        == (before if before.endswith("\n") or not before else before + "\n") + f"{HOST} {' '.join(ONE)}\n"
    )
    assert keys_for(HOST, file.read_text()) == {ONE}
    accept(file)  # found by another process meanwhile
    assert file.read_text().count(HOST) == 1


@pytest.mark.parametrize("name", [HOST, hashed(HOST), "[192.0.2.*]:2222"])
@pytest.mark.parametrize("where", [0, 1])
def test_another_key_for_the_host_in_any_file_is_a_changed_one(
    file: Path, tmp_path: Path, name: str, where: int
) -> None:
    files = (file, tmp_path / "system")
    files[where].write_text(f"{name} {' '.join(TWO)}\n")
    with pytest.raises(HostKeyError, match="HAS CHANGED"):
        accept(*files)
    files[where].write_text(f"{name} {' '.join(RSA)}\n")
    with pytest.raises(HostKeyError, match=r"of type ssh-ed25519; .* has only ssh-rsa for it"):
        accept(*files)
    assert sum(path.exists() for path in files) == 1


def test_a_line_that_an_older_version_glued_is_not_forgotten(file: Path) -> None:
    file.write_text(f"192.0.2.9 ssh-rsa AAAAold{HOST} {' '.join(TWO)}\n")
    with pytest.raises(HostKeyError, match="HAS CHANGED"):
        accept(file)
    accept(file, key=TWO)
    assert keys_for(HOST, file.read_text()) == {TWO}


def test_a_revoked_key_is_never_new(file: Path) -> None:
    file.write_text(f"@revoked * {' '.join(ONE)}\n")
    with pytest.raises(HostKeyError, match="is revoked"):
        accept(file)


def test_a_key_that_is_not_found_again_is_an_error(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knownhosts, "_write", lambda descriptor, data: os.write(descriptor, b"# " + data))
    with pytest.raises(HostKeyError, match="is not found after it was added"):
        accept(file)


def test_many_threads_add_whole_lines(file: Path) -> None:
    file.write_text("192.0.2.9 ssh-rsa AAAA")
    threads = [threading.Thread(target=accept, args=(file,), kwargs={"host": f"h{n}"}) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(keys_for(f"h{n}", file.read_text()) == {ONE} for n in range(20))


def test_a_lock_that_somebody_holds_for_ever_is_not_waited_for(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.touch()
    monkeypatch.setattr(knownhosts, "PATIENCE", 0.2)
    with file.open("rb") as theirs:
        fcntl.flock(theirs, fcntl.LOCK_SH)
        accept(file)
    assert keys_for(HOST, file.read_text()) == {ONE}


# --- trust -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["file", "directory"])
def test_a_file_that_others_can_write_to_is_neither_read_nor_written(tmp_path: Path, which: str) -> None:
    file = tmp_path / "ssh" / "known_hosts"
    file.parent.mkdir()
    file.touch()
    (file if which == "file" else file.parent).chmod(0o777)
    for use in (lambda: known_hosts_files(str(file), {}), lambda: accept(file)):
        with pytest.raises(
            HostKeyError, match=r"not trusted: other users .* stricter here than ssh, on purpose"
        ) as caught:
            use()
        assert "chmod" in caught.value.remedy
    assert file.read_text() == ""


@needs_root
def test_another_users_file_is_neither_read_nor_written(file: Path) -> None:
    file.touch()
    os.chown(file, NOBODY, NOBODY)
    for use in (lambda: known_hosts_files(None, {"userknownhostsfile": file}), lambda: accept(file)):
        with pytest.raises(HostKeyError, match="nobody owns it"):
            use()


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "big").touch()
    os.truncate(tmp_path / "big", 1 << 40)
    for name in ("fifo", "zero", "big"):
        with pytest.raises(HostKeyError, match=r"not a regular file|larger than"):
            accept(tmp_path / name)


def test_a_link_to_an_own_file_is_followed(file: Path, tmp_path: Path) -> None:
    (tmp_path / "dotfiles").touch()
    file.symlink_to("dotfiles")
    assert known_hosts_files(str(file), {"globalknownhostsfile": "none"})[0] == file
    accept(file)
    assert file.is_symlink()
    assert keys_for(HOST, (tmp_path / "dotfiles").read_text()) == {ONE}


# --- a real server -----------------------------------------------------------------------------------------------


@pytest.fixture
def sshd(tmp_path: Path) -> Sshd:
    server = start_sshd(tmp_path / "sshd")
    server.stop()
    return server


def test_a_file_without_a_last_newline_keeps_the_first_key(sshd: Sshd, tmp_path: Path) -> None:
    """Each night another key is shown; only the first one is accepted."""
    known = tmp_path / "known"
    known.write_text("192.0.2.1 ssh-rsa AAAA")
    access = replace(sshd.access, known_hosts=str(known))
    for night in ("first", "second"):
        server = start_sshd(sshd.directory, port=sshd.port)
        try:
            with Pool(ConnectOptions(accept_new_host_keys=True)) as pool:
                if night == "first":
                    assert pool.get(access).run(Command(("true",))).exit_code == 0
                else:
                    with pytest.raises(HostKeyError, match="HAS CHANGED"):
                        pool.get(access).run(Command(("true",)))
        finally:
            server.stop()
        for name in ("host", "host.pub"):
            (sshd.directory / name).unlink()
    assert len(known.read_text().splitlines()) == 2
