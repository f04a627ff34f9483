"""What lab processes have in their environments: nothing of the caller's secrets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from netbench.lab import control, launch
from netbench.lab.pods import load_pods
from netbench.transports.credentials import VARIABLES
from tests.lab.conftest import Lab, running_lab
from tests.lab.test_control import namespaces, parent, processes

SECRET = "canary-7c1e0f"
OTHERS = ("SSH_AUTH_SOCK", "AWS_SECRET_ACCESS_KEY", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "KUBECONFIG")


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, *OTHERS):
        monkeypatch.setenv(name, SECRET)


@pytest.mark.usefixtures("secrets")
def test_no_secret_is_handed_on() -> None:
    given = launch.environment()
    assert SECRET not in given.values()
    assert {"PATH", "HOME", "PYTHONPATH"} <= given.keys()


@pytest.fixture
def lab(tmp_path: Path, secrets: None) -> Iterator[Lab]:
    with running_lab(tmp_path) as state:
        yield Lab(state)


@pytest.mark.lab
def test_no_lab_process_holds_a_secret(lab: Lab) -> None:
    init = lab.state.running()
    assert init is not None
    control.recreate_pod(load_pods(lab.state.pods)[0].name, lab.state)
    family, parents = {init}, {process: parent(process) for process in processes()}
    while more := {child for child, above in parents.items() if above in family} - family:
        family |= more
    assert len({space for member in family for space in namespaces(member)}) > 10  # nodes and pods are among them
    holders = [pid for pid in family if SECRET.encode() in Path(f"/proc/{pid}/environ").read_bytes()]
    assert holders == []
    assert SECRET not in lab.ssh("198.18.0.11", "env")
    assert SECRET not in lab.output("kubectl", "exec", load_pods(lab.state.pods)[0].name, "--", "env")


@pytest.mark.lab
def test_a_command_in_the_lab_still_has_its_own(lab: Lab) -> None:
    assert SECRET in lab.output("sh", "-c", 'echo "$NETBENCH_SSH_PASSWORD"')
