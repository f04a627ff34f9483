"""The ownership rule on a real file system: who may have written what netbench believes."""

from __future__ import annotations

import grp
import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from netbench import trust
from netbench.errors import UntrustedError

NOBODY = 65534
MIB = 1 << 20

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to other users")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "a" / "b").mkdir(parents=True)
    path = tmp_path / "a" / "b" / "hosts.yaml"
    path.write_text("all:")
    return path


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o644, 0o755])
def test_an_own_file_that_others_may_read_is_trusted(file: Path, mode: int) -> None:
    file.chmod(mode)
    assert trust.read(file, MIB) == b"all:"


def test_a_relative_path_and_dots_are_followed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    assert trust.resolve("./../b//hosts.yaml") == file.resolve()
    assert trust.read(Path("hosts.yaml"), MIB) == b"all:"


@pytest.mark.parametrize(("mode", "who"), [(0o666, "other users"), (0o646, "other users"), (0o777, "other users")])
def test_a_file_that_others_can_write_to(file: Path, mode: int, who: str) -> None:
    file.chmod(mode)
    with pytest.raises(
        UntrustedError, match=rf"^{file}: not trusted: {who} can write to it .*mode {mode:04o}"
    ) as caught:
        trust.read(file, MIB)
    assert f"-w {file}" in caught.value.remedy


def test_a_directory_on_the_way_that_others_can_write_to(file: Path) -> None:
    file.parent.parent.chmod(0o777)
    with pytest.raises(UntrustedError, match=rf"^{file}: {file.parent.parent}: not trusted: other users .*0777"):
        trust.read(file, MIB)
    file.parent.parent.chmod(0o1777)  # as /tmp: nobody can exchange what is ours there
    assert trust.read(file, MIB) == b"all:"


@needs_root
@pytest.mark.parametrize("which", ["file", "parent", "above"])
def test_another_users_file_or_directory(file: Path, which: str) -> None:
    theirs = {"file": file, "parent": file.parent, "above": file.parent.parent}[which]
    os.chown(theirs, NOBODY, NOBODY)
    with pytest.raises(
        UntrustedError, match=r"not trusted: nobody owns it \(mode 0\d{3}\); only files of root"
    ) as caught:
        trust.read(file, MIB)
    assert caught.value.remedy.endswith(f"chown root {theirs}")


@needs_root
def test_a_private_group_may_write_and_no_other(file: Path) -> None:
    file.chmod(0o664)
    assert trust.read(file, MIB) == b"all:"  # root's own group
    os.chown(file, 0, NOBODY)
    group = grp.getgrgid(NOBODY).gr_name
    with pytest.raises(UntrustedError, match=f"members of the group {group} can write") as caught:
        trust.read(file, MIB)
    assert "chmod g-w" in caught.value.remedy
    os.chown(file, 0, 54321)
    with pytest.raises(UntrustedError, match="members of the group gid 54321"):
        trust.read(file, MIB)


@needs_root
def test_a_private_group_with_other_members_is_not_private(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.chmod(0o664)
    root = grp.getgrgid(0)
    more = grp.struct_group((root.gr_name, root.gr_passwd, root.gr_gid, ["root", "eve"]))
    monkeypatch.setattr(grp, "getgrgid", lambda gid: more)
    with pytest.raises(UntrustedError, match="members of the group root"):
        trust.read(file, MIB)


@needs_root
def test_an_access_list_makes_the_private_group_wider(file: Path) -> None:
    file.chmod(0o664)
    entries = ((1, 6, 0xFFFFFFFF), (2, 6, NOBODY), (4, 4, 0xFFFFFFFF), (16, 6, 0xFFFFFFFF), (32, 4, 0xFFFFFFFF))
    packed = (2).to_bytes(4, "little") + b"".join(
        tag.to_bytes(2, "little") + bits.to_bytes(2, "little") + who.to_bytes(4, "little") for tag, bits, who in entries
    )
    try:
        os.setxattr(file, "system.posix_acl_access", packed)
    except OSError:
        pytest.skip("this file system has no access lists")
    with pytest.raises(UntrustedError, match="can write to it"):
        trust.read(file, MIB)


@needs_root
def test_root_s_files_are_trusted_by_everybody(tmp_path: Path) -> None:
    with Path("/etc/passwd").open("rb") as passwd:
        expected = passwd.read()
    code = "import os, sys; from pathlib import Path; from netbench import trust; os.setgid(65534); os.setuid(65534)\n"
    code += "sys.stdout.buffer.write(trust.read(Path('/etc/passwd'), 1 << 20))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == expected


@needs_root
@pytest.mark.parametrize("absolute", [True, False])
def test_both_the_link_and_its_target_are_judged(file: Path, tmp_path: Path, absolute: bool) -> None:
    link = tmp_path / "link"
    link.symlink_to(file if absolute else file.relative_to(tmp_path))
    assert trust.read(link, MIB) == b"all:"
    os.chown(link, NOBODY, NOBODY, follow_symlinks=False)
    with pytest.raises(UntrustedError, match="nobody owns it") as caught:
        trust.read(link, MIB)
    assert "chown -h root" in caught.value.remedy
    os.chown(link, 0, 0, follow_symlinks=False)
    file.parent.chmod(0o777)
    with pytest.raises(UntrustedError, match=f"{link}: {file.parent}: not trusted"):
        trust.read(link, MIB)


def test_links_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    with pytest.raises(OSError, match="Too many levels"):
        trust.read(tmp_path / "one", MIB)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", ["fifo", "device", "directory"])
def test_what_is_no_regular_file_never_hangs(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    with pytest.raises(UntrustedError, match=r"not a regular file|not trusted"):
        trust.read(path, MIB)


@pytest.mark.timeout(20)
def test_a_sparse_terabyte_is_refused_at_once(file: Path) -> None:
    os.truncate(file, 1 << 40)
    with pytest.raises(UntrustedError, match="larger than 1 MiB"):
        trust.read(file, MIB)
    os.truncate(file, MIB)
    assert len(trust.read(file, MIB)) == MIB


def test_a_read_only_file_system_cannot_be_written_to(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ConfigMap's directory in a pod has mode 0777, and is mounted read-only."""
    file.parent.chmod(0o777)
    real = os.statvfs(file)
    read_only = os.statvfs_result((*real[:8], real.f_flag | os.ST_RDONLY, *real[9:]))
    monkeypatch.setattr(os, "statvfs", lambda where: read_only)
    assert trust.read(file, MIB) == b"all:"


def test_what_is_not_there_is_no_matter_of_trust(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        trust.resolve(tmp_path / "missing" / "x")


def test_names_of_users() -> None:
    assert trust.user_name(0) == pwd.getpwuid(0).pw_name
    assert trust.user_name(54321) == "uid 54321"
