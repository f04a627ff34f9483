"""Passwords and passphrases: where they may come from, that they work, and that nothing shows them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from netbench.errors import AuthError, UsageError
from netbench.model import Command, LocalAccess
from netbench.transports.base import ConnectOptions
from netbench.transports.credentials import VARIABLES, Credentials, read_credentials
from netbench.transports.pool import Pool
from tests.transports.conftest import Sshd, start_sshd

SECRET = "correct horse; $(battery) 'staple'"
TRUE = Command(("true",))


def private(path: Path, text: str, mode: int = 0o600) -> str:
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_from_the_environment_and_from_files(tmp_path: Path) -> None:
    assert read_credentials({}) == Credentials()
    assert read_credentials({"NETBENCH_SSH_PASSWORD": SECRET, "NETBENCH_SSH_PASSPHRASE": ""}) == Credentials(SECRET)
    path = private(tmp_path / "secret", f"{SECRET}\n")
    assert read_credentials({"NETBENCH_SSH_PASSPHRASE_FILE": path}) == Credentials(None, SECRET)


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        (SECRET, 0o640, "not yours alone (mode 0640)"),
        (SECRET, 0o604, "not yours alone (mode 0604)"),
        ("", 0o600, "one line"),
        (f"{SECRET}\nmore\n", 0o600, "one line"),
        ("x" * 5000, 0o600, "one line"),
    ],
)
def test_files_that_are_refused(text: str, mode: int, words: str, tmp_path: Path) -> None:
    path = private(tmp_path / "secret", text, mode)
    with pytest.raises(UsageError) as caught:
        read_credentials({"NETBENCH_SSH_PASSWORD_FILE": path})
    assert f"NETBENCH_SSH_PASSWORD_FILE: {path}" in str(caught.value)
    assert words in str(caught.value)
    assert SECRET not in str(caught.value) + caught.value.remedy


def test_what_is_no_file_and_what_is_said_twice(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o600)
    for path in (tmp_path / "fifo", tmp_path, tmp_path / "nowhere", Path("/dev/null")):
        with pytest.raises(UsageError, match="NETBENCH_SSH_PASSWORD_FILE"):
            read_credentials({"NETBENCH_SSH_PASSWORD_FILE": str(path)})
    with pytest.raises(UsageError, match="both set"):
        read_credentials({"NETBENCH_SSH_PASSWORD": SECRET, "NETBENCH_SSH_PASSWORD_FILE": "x"})


def test_no_repr_shows_them() -> None:
    options = ConnectOptions(credentials=Credentials(SECRET, SECRET))
    assert "battery" not in f"{options!r} {options}"


def test_no_child_inherits_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, SECRET)
    with Pool() as pool:
        done = pool.get(LocalAccess()).run(Command(("env",)))
    assert "PATH=" in done.text
    assert "NETBENCH_SSH" not in done.text


def test_an_encrypted_key_file(sshd: Sshd) -> None:
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", SECRET, "-f", sshd.directory / "id"], check=True)
    with Pool() as pool, pytest.raises(AuthError, match="encrypted") as caught:
        pool.get(sshd.access).run(TRUE)
    assert "NETBENCH_SSH_PASSPHRASE_FILE" in caught.value.remedy
    with Pool(ConnectOptions(credentials=Credentials(passphrase=SECRET))) as pool:
        assert pool.get(sshd.access).run(TRUE).exit_code == 0
    with Pool(ConnectOptions(credentials=Credentials(passphrase="wrong"))) as pool, pytest.raises(AuthError) as caught:
        pool.get(sshd.access).run(TRUE)
    assert "wrong" not in str(caught.value) + caught.value.remedy


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Sshd]:
    """An sshd that takes the user's password: in a mount namespace of its own, where /etc/shadow is the test's."""
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("openssl"):
        pytest.skip("needs root, unshare and openssl: sshd reads /etc/shadow")
    hashed = subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"], input=SECRET, text=True, capture_output=True, check=True
    )
    shadow = private(tmp_path / "shadow", f"root:{hashed.stdout.strip()}:19000:0:99999:7:::\n")
    mount = 'mount --bind "$0" /etc/shadow && exec "$@"'
    server = start_sshd(
        tmp_path / "asking",
        settings="PasswordAuthentication yes\nPermitRootLogin yes\nPubkeyAuthentication no\n",
        inside=("unshare", "--mount", "sh", "-c", mount, shadow),
    )
    yield server
    server.stop()


def test_a_password(asking: Sshd) -> None:
    access = replace(asking.access, user="root", key_file=None)
    with Pool(ConnectOptions(credentials=Credentials(password=SECRET))) as pool:
        done = pool.get(access).run(Command(("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")))
    assert done.exit_code == 0
    assert "battery" not in done.text.replace("PasswordAuthentication", "")
    with Pool() as pool, pytest.raises(AuthError) as caught:
        pool.get(access).run(TRUE)
    assert "NETBENCH_SSH_PASSWORD_FILE" in caught.value.remedy
