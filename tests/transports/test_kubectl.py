"""kubectl exec around a fake inner transport: the sentinel, and what kubectl's own failures mean."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from netbench.errors import ConnectionCutError, OutputLimitError, TransportError
from netbench.model import Cluster, Command, Completed, FailureClass, PodAccess
from netbench.transports import wire
from netbench.transports.base import OnOutput
from netbench.transports.kubectl import KubectlTransport
from netbench.transports.local import LocalTransport

ACCESS = PodAccess(Cluster(kubeconfig="/k", context="c"), namespace="ns", pod="pod-1", container="main")
BEFORE = (
    *("kubectl", "--kubeconfig=/k", "--context=c", "exec"),
    *("--stdin", "--namespace=ns", "--container=main", "pod-1", "--"),
)


class PlayedKubectl(LocalTransport):
    """Runs what comes after ``--`` on this machine, as kubectl would in the pod, and can spoil the answer."""

    def __init__(self, cut: int | None = None, noise: bytes = b"") -> None:
        super().__init__()
        self.cut, self.noise = cut, noise
        self.sent: list[Command] = []

    def run(self, command: Command, on_output: OnOutput | None = None) -> Completed:
        assert command.argv[: len(BEFORE)] == BEFORE
        assert on_output is not None
        self.sent.append(command)
        done = super().run(replace(command, argv=command.argv[len(BEFORE) :]))
        on_output(self.noise + done.stdout[: self.cut])
        return Completed(0, done.stdout[: self.cut], done.stderr)


class FailingKubectl(LocalTransport):
    def __init__(self, stderr: str) -> None:
        super().__init__()
        self.stderr = stderr

    def run(self, command: Command, on_output: OnOutput | None = None) -> Completed:
        return Completed(1, b"", self.stderr.encode())


def test_exit_code_and_output_come_from_the_pod() -> None:
    transport = KubectlTransport(ACCESS, PlayedKubectl())
    done = transport.run(Command(("sh", "-c", 'printf "%s|" "$V" "$LC_ALL" "$@"; exit 7', "sh", "$(x)", "a b", ""),
                                 env={"V": "1 2; echo X"}))  # fmt: skip
    assert (done.exit_code, done.stdout) == (7, b"1 2; echo X|C|$(x)|a b||")


def test_output_that_looks_like_an_end_is_output() -> None:
    transport = KubectlTransport(ACCESS, PlayedKubectl())
    forged = f"\n{'0' * 32} e 0 -\n".encode()
    done = transport.run(Command(("printf", "%s", forged.decode())))
    assert (done.exit_code, done.stdout) == (0, forged)


def test_arguments_and_variables_stand_in_no_argv_and_the_call_differs_by_a_number_only() -> None:
    inner = PlayedKubectl()
    transport = KubectlTransport(ACCESS, inner)
    for number, deadline in enumerate((20.0, 30.0)):
        command = Command(("printf", "%s", f"argument-{number}"), env={"V": f"value-{number}"}, deadline=deadline)
        assert transport.run(command).text == f"argument-{number}"
    first, second = (" ".join(command.argv) for command in inner.sent)
    assert not re.search("argument|value|[0-9a-f]{32}", first)
    assert re.sub("sleep 22 ", "sleep 32 ", first) == second


def test_what_the_pod_prints_besides_is_no_answer() -> None:
    noise = b"Defaulted container\nmissing=none\n" + f"\n{'0' * 32} e 0 0\n".encode()
    done = KubectlTransport(ACCESS, PlayedKubectl(noise=noise)).run(Command(("echo", "whole")))
    assert done.stdout == b"whole\n"


def test_a_pod_that_never_stops_talking_is_given_up() -> None:
    transport = KubectlTransport(ACCESS, PlayedKubectl(noise=b"x" * (wire.NOISE + 1000)))
    with pytest.raises(OutputLimitError):
        transport.run(Command(("true",)))
    with pytest.raises(OutputLimitError):
        KubectlTransport(ACCESS, PlayedKubectl()).run(Command(("printf", "%2000s"), limit=1000))


def test_it_runs_as_deadlines_say_in_the_pod_too() -> None:
    """Not by this machine's patience: by the shell's own in the pod."""
    inner = PlayedKubectl()
    KubectlTransport(ACCESS, inner).run(Command(("true",), deadline=7.2))
    assert inner.sent[0].argv[len(BEFORE) :] == wire.argv(7.2)
    assert " sleep 10 " in inner.sent[0].argv[-1]


@pytest.mark.parametrize("cut", [-1, -5, 3, 0])
def test_a_truncated_answer_with_exit_code_0_is_a_cut(cut: int) -> None:
    with pytest.raises(ConnectionCutError, match="ns/pod-1"):
        KubectlTransport(ACCESS, PlayedKubectl(cut)).run(Command(("echo", "whole")))


@pytest.mark.parametrize(
    ("stderr", "failure"),
    [
        ('Error from server (NotFound): pods "pod-1" not found', FailureClass.NOT_READY),
        ("error: unable to upgrade connection: container not found (\"main\")", FailureClass.NOT_READY),
        ("Error from server (BadRequest): container main is not valid for pod pod-1", FailureClass.NOT_READY),
        ('Error from server (Forbidden): pods "pod-1" is forbidden: User "u" cannot create', FailureClass.AUTH),
        ("error: You must be logged in to the server (Unauthorized)", FailureClass.AUTH),
        ("The connection to the server 198.18.0.1:6443 was refused - did you specify the right host or port?\n"
         "Unable to connect to the server: dial tcp: connection refused", FailureClass.UNREACHABLE),
        ("Unable to connect to the server: dial tcp: lookup api: no such host", FailureClass.UNREACHABLE),
        ('OCI runtime exec failed: exec failed: unable to start container process: exec: "sh": executable file not '
         "found in $PATH: unknown", FailureClass.TOOL_MISSING),
        ("sh: 1: kubectl: not found", FailureClass.TOOL_MISSING),
        ("error reading from error stream: websocket: close 1006", FailureClass.CONNECTION_CUT),
        ("", FailureClass.CONNECTION_CUT),
    ],
)  # fmt: skip
def test_what_kubectl_says_becomes_a_class(stderr: str, failure: FailureClass) -> None:
    with pytest.raises(TransportError) as caught:
        KubectlTransport(ACCESS, FailingKubectl(stderr)).run(Command(("true",)))
    assert caught.value.failure is failure
    assert caught.value.remedy
