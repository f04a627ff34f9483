"""Inventories decide what runs as whom, so only files of this user's or root's count."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from netbench import app
from netbench.campaign import DEFAULT_INVENTORIES, Request, find_inventory
from netbench.errors import InventoryError
from netbench.inventory import load
from netbench.transports.pool import Pool

NOBODY = 65534
HOSTS = """
all:
  hosts:
    a1: {ansible_host: 192.0.2.1, netbench_zone: z}
  vars: {}
  children:
    db: {hosts: {a1: }}
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to other users")
pytestmark = pytest.mark.timeout(30)

FILES = ("hosts.yaml", "group_vars/all.yml", "group_vars/db/more.yml", "host_vars/a1.yml")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """An inventory with variables of every kind."""
    base = tmp_path / "site"
    for name in FILES:
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_text("netbench_kind: host\n")
    (base / "group_vars/all.yml").write_text("netbench_max_parallel: 2\n")
    (base / "hosts.yaml").write_text(HOSTS)
    return base


@needs_root
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("name", [*FILES, "group_vars", "group_vars/db", "host_vars"])
def test_every_file_of_another_user_is_refused(site: Path, name: str, whole: bool) -> None:
    os.chown(site / name, NOBODY, NOBODY)
    with pytest.raises(InventoryError, match=r"not trusted: nobody owns it \(mode 0\d{3}\)") as caught:
        load(site if whole else site / "hosts.yaml")
    assert str(site / name) in str(caught.value)
    assert caught.value.remedy.endswith(f"chown root {site / name}")


@pytest.mark.parametrize("name", [*FILES, "group_vars", "group_vars/db", "host_vars", "."])
def test_what_others_can_write_to_is_refused(site: Path, name: str) -> None:
    (site / name).chmod(0o777)
    with pytest.raises(InventoryError, match=r"not trusted: other users can write to it \(owner \w+, mode 0777\)"):
        load(site / "hosts.yaml")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o444])
def test_what_others_can_only_read_is_fine(site: Path, mode: int) -> None:
    for name in FILES:
        (site / name).chmod(mode)
    assert load(site / "hosts.yaml").settings["max_parallel"] == 2


@needs_root
def test_the_private_group_of_the_owner_may_write(site: Path) -> None:
    for path in (site, *site.rglob("*")):
        path.chmod(0o775 if path.is_dir() else 0o664)
    assert load(site).settings["max_parallel"] == 2


def test_a_link_into_an_own_directory_is_fine(site: Path, tmp_path: Path) -> None:
    (tmp_path / "link.yaml").symlink_to(site / "hosts.yaml")
    assert [node.name for node in load(tmp_path / "link.yaml").nodes] == ["a1"]


@pytest.mark.parametrize("name", FILES[1:])
def test_a_fifo_or_an_endless_file_is_refused_at_once(site: Path, name: str) -> None:
    for make in (os.mkfifo, lambda path: path.symlink_to("/dev/zero")):
        (site / name).unlink()
        make(site / name)
        with pytest.raises(InventoryError, match=r"not a regular file|not trusted"):
            load(site / "hosts.yaml")


@needs_root
@pytest.mark.parametrize("default", DEFAULT_INVENTORIES)
@pytest.mark.parametrize("whose", ["file", "directory", "working directory"])
def test_a_default_inventory_of_somebody_else_is_refused(
    site: Path, tmp_path: Path, default: str, whose: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "work"
    (work / "inventories").mkdir(parents=True)
    if default.endswith(".ini"):
        (work / default).write_text("a1 netbench_zone=z\n")
    elif default == DEFAULT_INVENTORIES[0]:
        shutil.copytree(site, work / default)
    else:
        shutil.copy(site / "hosts.yaml", work / default)
    monkeypatch.chdir(work)
    with Pool() as pool:
        assert app.read_inventory(Request(), pool).nodes
        theirs = {"file": work / default, "directory": work / "inventories", "working directory": work}[whose]
        os.chown(theirs, NOBODY, NOBODY)
        with pytest.raises(InventoryError, match="nobody owns it"):
            app.read_inventory(Request(), pool)
    assert find_inventory(Request()) == default


PODS = "netbench_pods: {{selector: app=x, {key}: {path}}}\n"


@pytest.mark.parametrize("key", ["kubeconfig", "kubectl"])
def test_a_kubeconfig_or_kubectl_that_others_can_write_to(site: Path, tmp_path: Path, key: str) -> None:
    program = tmp_path / "bin" / "kubectl"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    (site / "group_vars/all.yml").write_text(PODS.format(key=key, path=program))
    assert load(site).pod_sources
    for loose in (program, program.parent):
        loose.chmod(0o777)
        with pytest.raises(InventoryError, match=r"all\.yml:1: .*kubectl: .*not trusted: other users") as caught:
            load(site)
        assert f"chmod go-w {loose}" in caught.value.remedy or f"chmod o-w {loose}" in caught.value.remedy
        loose.chmod(0o755)


def test_a_kubectl_by_its_name_or_on_a_control_host_is_not_looked_for_here(site: Path, tmp_path: Path) -> None:
    (tmp_path / "kubectl").touch()
    (tmp_path / "kubectl").chmod(0o777)
    there = f"netbench_pods: {{selector: app=x, control: a1, kubectl: {tmp_path}/kubectl}}\n"
    for text in (PODS.format(key="kubectl", path="kubectl"), there):
        (site / "group_vars/all.yml").write_text(text)
        assert load(site).pod_sources


@pytest.mark.parametrize("name", ["ansible_ssh_private_key_file", "netbench_known_hosts"])
def test_a_key_or_known_hosts_that_others_can_write_to(site: Path, tmp_path: Path, name: str) -> None:
    (site / "host_vars/a1.yml").write_text(f"{name}: ../own\n")
    assert load(site / "hosts.yaml")  # it is not there: whoever opens it says so
    (tmp_path / "own").touch(0o600)
    assert load(site / "hosts.yaml")
    (tmp_path / "own").chmod(0o666)
    with pytest.raises(InventoryError, match=r"a1\.yml:1: .*own: .*not trusted: other users"):
        load(site / "hosts.yaml")


def test_the_lock_group_is_a_setting(site: Path) -> None:
    (site / "group_vars/all.yml").write_text("netbench_lock_group: ops\n")
    assert load(site).settings["lock_group"] == "ops"
    (site / "group_vars/all.yml").write_text("netbench_lock_group: ../x\n")
    with pytest.raises(InventoryError, match="cannot be a group"):
        load(site)
