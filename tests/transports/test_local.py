"""Commands on the machine netbench runs on."""

from __future__ import annotations

from pathlib import Path

import pytest

from netbench.errors import DeadlineError, OutputLimitError
from netbench.model import Command
from netbench.transports.local import LocalTransport


@pytest.mark.parametrize("traps", ["", "trap '' TERM; "], ids=["", "stubborn"])
def test_a_script_that_spins_ends_with_its_deadline(traps: str) -> None:
    """It runs in a session of its own, which a signal to the shell before it does not reach."""
    said = bytearray()
    command = Command(("spin",), script=f"{traps}tell $$; while :; do :; done", deadline=1)
    with pytest.raises(DeadlineError):
        LocalTransport().run(command, said.extend)
    assert said.strip().isdigit()
    assert not Path(f"/proc/{said.strip().decode()}").exists()


def test_a_script_that_says_too_much_ends_at_once() -> None:
    said = bytearray()
    command = Command(("flood",), script="tell $$; while :; do tell x; done", deadline=60, limit=1000)
    with pytest.raises(OutputLimitError):
        LocalTransport().run(command, said.extend)
    assert not Path(f"/proc/{said.split()[0].decode()}").exists()
