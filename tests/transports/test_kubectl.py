"""kubectl exec around a fake inner transport: the sentinel, and what kubectl's own failures mean."""

from __future__ import annotations

import pytest

from netbench.errors import ConnectionCutError, TransportError
from netbench.model import Cluster, Command, Completed, FailureClass, PodAccess
from netbench.transports.base import OnOutput
from netbench.transports.kubectl import KubectlTransport
from netbench.transports.local import LocalTransport

ACCESS = PodAccess(Cluster(kubeconfig="/k", context="c"), namespace="ns", pod="pod-1", container="main")
BEFORE = ("kubectl", "--kubeconfig=/k", "--context=c", "exec", "--namespace=ns", "--container=main", "pod-1", "--")


class PlayedKubectl(LocalTransport):
    """Runs what comes after ``--`` on this machine, as kubectl would in the pod, and can spoil the answer."""

    def __init__(self, cut: int | None = None) -> None:
        self.cut = cut

    def run(self, command: Command, on_output: OnOutput | None = None) -> Completed:
        assert command.argv[: len(BEFORE)] == BEFORE
        done = super().run(Command(command.argv[len(BEFORE) :], deadline=command.deadline), on_output)
        return Completed(0, done.stdout[: self.cut], done.stderr)


class FailingKubectl(LocalTransport):
    def __init__(self, stderr: str) -> None:
        self.stderr = stderr

    def run(self, command: Command, on_output: OnOutput | None = None) -> Completed:
        return Completed(1, b"", self.stderr.encode())


def test_exit_code_and_output_come_from_the_pod() -> None:
    transport = KubectlTransport(ACCESS, PlayedKubectl())
    done = transport.run(Command(("sh", "-c", 'printf "%s|" "$V" "$LC_ALL" "$@"; exit 7', "sh", "$(x)", "a b", ""),
                                 env={"V": "1 2; echo X"}))  # fmt: skip
    assert (done.exit_code, done.stdout) == (7, b"1 2; echo X|C|$(x)|a b||")


def test_output_that_looks_like_a_sentinel_is_output() -> None:
    transport = KubectlTransport(ACCESS, PlayedKubectl())
    done = transport.run(Command(("printf", "\nnetbench-exit-0000 0\n")))
    assert (done.exit_code, done.stdout) == (0, b"\nnetbench-exit-0000 0\n")


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
