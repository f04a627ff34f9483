"""Who wins, as Ansible documents it ("Understanding variable precedence", "How variables are merged")."""

from __future__ import annotations

from pathlib import Path

import pytest

from netbench.errors import InventoryError
from netbench.inventory.files import read_tree
from netbench.inventory.lineage import Lineage
from tests.inventory.written import values, write

# from the weakest to the strongest; each of them sets v to its own number
PLACES = (
    ("hosts.ini", "[all:vars]\nv=0\n"),
    ("hosts.ini", "[parent:vars]\nv=1\n"),
    ("hosts.ini", "[child:vars]\nv=2\n"),
    ("group_vars/all.yml", "v: 3\n"),
    ("group_vars/parent.yml", "v: 4\n"),
    ("group_vars/child.yml", "v: 5\n"),
    ("hosts.ini", "[child]\nh v=6\n"),
    ("host_vars/h.yml", "v: 7\n"),
)


@pytest.mark.parametrize("strongest", range(len(PLACES)))
def test_each_place_wins_over_all_weaker_ones(strongest: int, tmp_path: Path) -> None:
    files = {"hosts.ini": "[parent:children]\nchild\n[child]\nh\n"}
    for name, text in PLACES[: strongest + 1]:
        files[name] = files.get(name, "") + text
    assert values(write(tmp_path, files), "h")["v"] == strongest


@pytest.mark.parametrize("number", range(len(PLACES)))
def test_each_place_counts_alone(number: int, tmp_path: Path) -> None:
    name, text = PLACES[number]
    files = {"hosts.ini": "[parent:children]\nchild\n[child]\nh\n"}
    files[name] = files.get(name, "") + text
    assert values(write(tmp_path, files), "h")["v"] == number


def test_groups_of_one_level_by_name(tmp_path: Path) -> None:
    path = write(tmp_path, {"hosts.ini": "[b]\nh\n[a]\nh\n[b:vars]\nv=b\n[a:vars]\nv=a\n"})
    assert values(path, "h")["v"] == "b"


def test_groups_of_one_level_by_priority(tmp_path: Path) -> None:
    """The example of Ansible's documentation: a_group wins with priority 10."""
    text = """
        a_group:
          vars: {testvar: a, ansible_group_priority: 10}
          hosts: {h: }
        b_group:
          vars: {testvar: b}
          hosts: {h: }
    """
    assert values(write(tmp_path, {"hosts.yaml": text}), "h")["testvar"] == "a"


def test_depth_is_the_longest_way_from_all(tmp_path: Path) -> None:
    """z is a child of all and of m: it is deeper than m though all names it too."""
    text = "[all:children]\nz\nm\n[m:children]\nz\n[z]\nh\n[m:vars]\nv=m\n[z:vars]\nv=z\n[a]\nh\n[a:vars]\nv=a\n"
    assert values(write(tmp_path, {"hosts.ini": text}), "h")["v"] == "z"


def test_a_deep_group_wins_over_a_flat_one_whatever_their_names(tmp_path: Path) -> None:
    text = "[top:children]\na\n[a]\nh\n[z]\nh\n[a:vars]\nv=a\n[z:vars]\nv=z\n"
    assert values(write(tmp_path, {"hosts.ini": text}), "h")["v"] == "a"


def test_variables_of_parents_reach_hosts_of_grandchildren(tmp_path: Path) -> None:
    text = "[a:children]\nb\n[b:children]\nc\n[c]\nh\n[a:vars]\nx=1\n[b:vars]\ny=2\n"
    assert values(write(tmp_path, {"hosts.ini": text}), "h") == {"x": 1, "y": 2}


def test_mappings_replace_each_other(tmp_path: Path) -> None:
    text = """
        all:
          vars: {v: {a: 1, b: 2}}
          hosts: {h: {v: {a: 3}}}
    """
    assert values(write(tmp_path, {"hosts.yaml": text}), "h")["v"] == {"a": 3}


def test_later_files_of_a_directory_win(tmp_path: Path) -> None:
    files = {
        "inv/10-hosts.yaml": "web: {hosts: {h: {v: 1, w: 1}}, vars: {g: 1}}\n",
        "inv/20-more.ini": "[web]\nh v=2\n[web:vars]\ng=2\n",
        "inv/README.md": "not an inventory",
        "inv/old.yaml~": "not: [an inventory",
        "inv/ansible.cfg": "[defaults]\ninventory = .\n",
        "inv/.hidden": "not an: inventory",
        "inv/group_vars/web/b.yml": "f: b\n",
        "inv/group_vars/web/a.yml": "f: a\ng: 3\n",
        "inv/group_vars/web/more/c.json": '{"c": true}\n',
        "inv/group_vars/web/notes.txt": "not: [variables",
        "inv/host_vars/h": "k: 1\n",
        "inv/group_vars/nobody.yml": "k: [0\n",
    }
    write(tmp_path, files)
    assert values(tmp_path / "inv", "h") == {"v": 2, "w": 1, "g": 3, "f": "b", "c": True, "k": 1}


@pytest.mark.parametrize("name", ["web", "web.yml", "web.yaml", "web.json", "web/x.yml", "web/x.yaml", "web/x.json"])
def test_names_of_variable_files(name: str, tmp_path: Path) -> None:
    path = write(tmp_path, {"hosts": "[web]\nh\n", f"group_vars/{name}": '{"v": 1}\n'})
    assert values(path, "h") == {"v": 1}


def test_two_files_for_one_group_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, {"hosts": "[web]\nh\n", "group_vars/web.yml": "v: 1\n", "group_vars/web.yaml": "v: 2\n"})
    with pytest.raises(InventoryError, match=r"group_vars/web\.yaml: web\.yml beside it is for web too"):
        read_tree(path)


def test_an_empty_variable_file_says_nothing(tmp_path: Path) -> None:
    assert values(write(tmp_path, {"hosts": "h\n", "group_vars/all.yml": "---\n# nothing yet\n"}), "h") == {}


def test_implicit_groups(tmp_path: Path) -> None:
    text = """
        all:
          hosts: {loose: , grouped: }
        ungrouped:
          hosts: {grouped: , outside: }
          vars: {u: 1}
        web:
          hosts: {grouped: }
    """
    path = write(tmp_path, {"hosts.yaml": text})
    lineage = Lineage(read_tree(path))
    assert lineage.members("all") == ["loose", "grouped", "outside"]
    assert lineage.members("ungrouped") == ["loose", "outside"]
    assert values(path, "loose") == values(path, "outside") == {"u": 1}
    assert values(path, "grouped") == {}


def test_members_come_in_order_own_hosts_first(tmp_path: Path) -> None:
    text = "[a:children]\nc\nb\n[b]\nb1\na1\n[c]\nc1\n[a]\na1\n"
    lineage = Lineage(read_tree(write(tmp_path, {"hosts": text})))
    assert lineage.members("a") == ["a1", "c1", "b1"]
