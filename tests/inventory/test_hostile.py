"""Inventories are other people's text: nothing in them becomes an option, a command or a crash."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netbench.errors import InventoryError, UsageError
from netbench.inventory import describe, load
from tests.inventory.written import attempt, load_text, write

WORDS = [
    "-oProxyCommand=id",
    "a b",
    "a;id",
    "$(id)",
    "`id`",
    "a|id",
    "a\nb",
    "a\x00b",
    "a\x1b[2J",
    "a'b",
    'a"b',
    "a\\b",
    "",
    "é",
]
ADDRESSED = ["ansible_host", "ansible_user", "netbench_address", "netbench_node_addresses"]


def one_host(**variables: object) -> str:
    """JSON, which is YAML: every character can be written."""
    return json.dumps({"all": {"hosts": {"n": {"netbench_zone": "z", **variables}}}})


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("variable", ADDRESSED)
def test_hostile_addresses_and_users(variable: str, word: str, tmp_path: Path) -> None:
    with pytest.raises(InventoryError) as caught:
        load_text(tmp_path, one_host(**{variable: word}))
    assert variable in str(caught.value)
    assert str(caught.value).isprintable()
    assert caught.value.remedy.isprintable()


@pytest.mark.parametrize("word", [word for word in WORDS if "\\" not in word])  # which only quotes
def test_hostile_jump_hosts(word: str, tmp_path: Path) -> None:
    for arguments in (f"-J{word}", f"-J 'x@{word}'", f"-o ProxyJump={word}", f"-J a,{word}"):
        with pytest.raises(InventoryError) as caught:
            load_text(tmp_path, one_host(ansible_ssh_common_args=arguments))
        assert "ansible_ssh_common_args" in str(caught.value)
        assert str(caught.value).isprintable()


@pytest.mark.parametrize("word", WORDS)
def test_hostile_host_names(word: str, tmp_path: Path) -> None:
    with pytest.raises(InventoryError) as caught:
        load_text(tmp_path, json.dumps({"all": {"hosts": {word: {"netbench_zone": "z"}}}}))
    assert re.search("cannot be the name of a host|a bracket has no partner", str(caught.value))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("word", ["-x", "a\nb", "a\x1b[2J", "a\u202eb", "a\ud800b", "", " a", "a ", "k" * 64])
@pytest.mark.parametrize("variable", ["netbench_zone", "netbench_kind", "netbench_instance_type"])
def test_hostile_labels(variable: str, word: str, tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match=f"{variable} of host n") as caught:
        load_text(tmp_path, one_host(**{variable: word}))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("word", ["-x", "a\nb", "a\x00b", "a\x1b]0;b", ""])
@pytest.mark.parametrize("key", ["selector", "kubeconfig", "context", "kubectl", "control", "container", "kind_label"])
def test_hostile_pod_sources(key: str, word: str, tmp_path: Path) -> None:
    pods = {"selector": "app=x", key: word}
    with pytest.raises(InventoryError, match=rf"netbench_pods\[0\]\.{key} of group all") as caught:
        load_text(tmp_path, json.dumps({"all": {"vars": {"netbench_pods": pods}}}))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("variable", ["ansible_ssh_private_key_file", "netbench_known_hosts"])
@pytest.mark.parametrize("word", ["-x", "a\nb", "a\x00b", ""])
def test_hostile_paths(variable: str, word: str, tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match=f"{variable} of host n"):
        load_text(tmp_path, one_host(**{variable: word}))


def test_labels_of_any_script(tmp_path: Path) -> None:
    row = describe(load_text(tmp_path, one_host(netbench_zone="华东1 可用区 B", netbench_kind="hôte")))[0]
    assert row[1:4] == ("hôte", "n", "华东1 可用区 B")


FRAGMENTS = [
    *("all:", "a:", "hosts:", "children:", "vars:", "n[1:3]", "n", "[a]", "[a:vars]", "[a:children]", "=", "22", "yes"),
    *("netbench_zone", "netbench_pods", "selector", "ansible_host", "ansible_port", "ansible_ssh_common_args", "-J x"),
    *("  ", "    ", "\n", "\t", "- ", ": ", "{", "}", "[", "]", "&x ", "*x", "<<", "!vault ", "!!str ", "'", '"', "\\"),
    *("|", ">", "?", "%YAML 1.1", "---", "...", "#", ",", "1e999", "{{ x }}", "\x00", "\x85", "\u2028", "\ufeff", "é"),
]
TEXTS = st.one_of(st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join), st.text(max_size=60))


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.sampled_from(["f.yaml", "f.ini", "f", "group_vars/all.yml", "host_vars/n"]))
def test_any_text_is_an_inventory_or_an_inventory_error(text: str, name: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        files = {"f.ini": "n netbench_zone=z\n"} if "/" in name else {}
        path = write(Path(directory), files | {name: ""})
        (Path(directory) / name).write_text(text, encoding="utf-8", newline="")
        found = attempt(load, path)
        if isinstance(found, InventoryError):
            assert str(path.parent) in str(found)
            assert found.remedy
        else:
            assert found.nodes or found.pod_sources or "netbench_endpoint" in text


@pytest.mark.parametrize(
    "line",
    [
        "n netbench_zone=z ansible_password='hunter2",
        "n ansible_ssh_pass= hunter2",
        "n ansible_become_password = hunter2",
        "[all:vars]\nansible_password: hunter2",
        "[all:vars]\nvault_token hunter2",
    ],
)
def test_errors_do_not_repeat_a_secret(line: str, tmp_path: Path) -> None:
    with pytest.raises(InventoryError) as caught:
        load_text(tmp_path, line, "hosts.ini")
    assert "hunter2" not in str(caught.value) + caught.value.remedy


def test_digits_and_underscores(tmp_path: Path) -> None:
    """`2_` is no number to Python."""
    assert load_text(tmp_path, "all: {hosts: {n: {netbench_zone: 2_, x: 1_0}}}").nodes[0].zone == "2_"


@pytest.mark.parametrize("limit", ["~" + "(" * 300, "~a{99999999999}", "~[[x]", "~[x--z]q"])
def test_regular_expressions_that_python_refuses_or_doubts(limit: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--limit"):
        load_text(tmp_path, one_host(), limit=limit)


def test_directories_of_variables_that_lead_round_in_circles(tmp_path: Path) -> None:
    path = write(tmp_path, {"hosts.ini": "n netbench_zone=z\n", "group_vars/all/a.yml": "x: 1\n"})
    for name in ("b", "c"):
        (tmp_path / "group_vars" / "all" / name).symlink_to(".")
    with pytest.raises(InventoryError, match="deeper than 8 levels"):
        load(path)
