"""What servers of iperf3 print, alone and with strangers: which output proves a client's result, and which does not.

A case is one JSON file, ``servers/<name>.json``: ``provenance``, ``probe``, ``options``, the ``client``'s JSON, the
server's ``stdout`` and ``stderr`` as lists of lines, and ``refused``: a part of the reason, empty where it is proven.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from netbench.errors import ParseError
from netbench.model import Completed, FailureClass
from netbench.probes.pps import Pps
from netbench.probes.throughput import Throughput

PROBES: dict[str, Any] = {"throughput": Throughput, "pps": Pps}


@dataclass(frozen=True)
class Case:
    name: str
    data: dict[str, Any]

    def refused(self, *, client: Any = None, stdout: str | None = None, stderr: str | None = None) -> str:
        """The reason why it is not proven, with some of it exchanged; the empty string where it is proven."""
        made = PROBES[self.data["probe"]](**self.data["options"])
        answer = Completed(0, json.dumps(client or self.data["client"]).encode(), b"")
        assert made.parse(answer).samples
        out, err = self.stdout if stdout is None else stdout, self.stderr if stderr is None else stderr
        try:
            made.prove(answer, Completed(-1, out.encode(), err.encode()))
        except ParseError as error:
            assert error.failure is FailureClass.INVALID_RESULT  # noqa: PT017
            assert "cannot prove" in str(error)  # noqa: PT017
            return str(error)
        return ""

    @property
    def stdout(self) -> str:
        return "\n".join(self.data["stdout"])

    @property
    def stderr(self) -> str:
        return "\n".join(self.data["stderr"])


CASES = [
    Case(path.stem, json.loads(path.read_text(encoding="utf-8")))
    for path in sorted((Path(__file__).parent / "servers").glob("*.json"))
]
PROVEN = [case for case in CASES if not case.data["refused"]]
ONE = next(case for case in CASES if case.name == "v3.12-tcp")


def named(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", CASES, ids=named)
def test_what_is_proven(case: Case) -> None:
    assert case.data["provenance"].startswith("captured: iperf3 3.")
    reason = case.refused()
    assert bool(reason) is bool(case.data["refused"])
    assert case.data["refused"] in reason


@pytest.mark.parametrize("case", PROVEN, ids=named)
def test_output_that_is_cut_proves_only_what_was_over(case: Case) -> None:
    lines = case.stdout.splitlines(keepends=True)
    over = next(number for number, line in enumerate(lines) if line.startswith("Test Complete")) + 1
    for kept in range(len(lines) + 1):
        proven = not case.refused(stdout="".join(lines[:kept]), stderr="")
        assert proven is (kept >= over), lines[:kept]


@pytest.mark.parametrize("case", PROVEN, ids=named)
def test_another_cookie_proves_nothing(case: Case) -> None:
    other = copy.deepcopy(case.data["client"])
    other["start"]["cookie"] = other["start"]["cookie"][::-1]
    assert "the server's test is another one" in case.refused(client=other)
    del other["start"]["cookie"]
    assert "the client gives no cookie" in case.refused(client=other)


@pytest.mark.parametrize("case", PROVEN, ids=named)
def test_a_stream_from_elsewhere_makes_it_invalid(case: Case) -> None:
    head, connected, tail = case.stdout.rpartition(" connected to 127.0.0.1 ")
    reason = case.refused(stdout=f"{head}{connected.replace('127.0.0.1', '127.0.0.66')}{tail}")
    assert "came from 127.0.0.66, the test from 127.0.0.1" in reason


@pytest.mark.parametrize(
    ("stdout", "reason"),
    [
        ("", "server output lost; it said: oops"),
        ("Server listening on 16000 (test #1)\n", "accepted no test: another one answered"),
        (ONE.stdout.replace("Cookie", "cookie"), "no cookie in it"),
        (ONE.stdout.replace("[  8] local", "[  8] lost"), "1 of 2 streams in it"),
        (ONE.stdout.replace("Test Complete", "Test"), "ends in the middle of the test"),
    ],
)
def test_what_is_missing_is_said(stdout: str, reason: str) -> None:
    assert reason in ONE.refused(stdout=stdout, stderr="oops")


def test_a_server_that_was_ended_had_said_all() -> None:
    assert not ONE.refused(stdout=ONE.stdout.replace("Test Complete", "Test"))


def test_an_address_of_a_socket_for_both_families_is_the_same() -> None:
    assert not ONE.refused(stdout=ONE.stdout.replace("from 127.0.0.1", "from ::ffff:127.0.0.1"))


def test_carriage_returns_change_nothing() -> None:
    assert not ONE.refused(stdout=ONE.stdout.replace("\n", "\r\n"))


def test_more_than_a_server_can_say_is_not_read() -> None:
    made, answer = Throughput(duration=1, parallel=2), Completed(0, json.dumps(ONE.data["client"]).encode(), b"")
    with pytest.raises(ParseError) as caught:
        made.prove(answer, Completed(-1, ONE.stdout.encode() + bytes(made.output_limit), b""))
    assert caught.value.failure is FailureClass.OUTPUT_LIMIT
