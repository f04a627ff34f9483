"""A clean environment for every test: the user's own SSH and Kubernetes settings must not leak in."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from netbench.transports.credentials import VARIABLES

# as in the background of a script, or under nohup: children would ignore them, too
for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in (
        "KUBECONFIG",
        "SSH_AUTH_SOCK",
        "NETBENCH_INVENTORY",
        "NETBENCH_LAB",
        "NETBENCH_LOCK_GROUP",
        *VARIABLES,
    ):
        monkeypatch.delenv(name, raising=False)
