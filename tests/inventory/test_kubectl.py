"""What kubectl may say instead of a list."""

from __future__ import annotations

import pytest

from netbench.errors import AuthError, InventoryError
from netbench.inventory import discover
from netbench.model import Command, Completed
from tests.inventory.cluster import Kubectl, answer, inventory, nodes_argv, pod, pods_argv


@pytest.mark.parametrize(
    "stdout", [b"", b"No resources found", b"[]", b"{}", b'{"items": 3}', b'{"items": [3]}', b"\xff", b"[" * 9000]
)
def test_answers_that_are_no_list_of_pods(stdout: bytes) -> None:
    kubectl = Kubectl({pods_argv(): Completed(0, stdout, b"")})
    with pytest.raises(InventoryError, match=r"^fleet\.yaml: netbench_pods: kubectl's answer cannot be used") as caught:
        discover(inventory(), kubectl.run_for)
    assert "kubectl get pods --namespace=bench" in caught.value.remedy
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("stderr", "remedy"),
    [
        ("error: stat /root/.kube/confg: no such file or directory", "set kubeconfig"),
        ("The connection to the server localhost:8080 was refused - did you specify the right host?", "set kubeconfig"),
        ('error: context "prod" does not exist', "set context"),
        ("Error in configuration: context was not found for specified context: prod", "set context"),
        ("error: You must be logged in to the server (Unauthorized)", "renew the token"),
        ('Error from server (Forbidden): pods is forbidden: User "x" cannot list resource "pods"', "the verb list"),
        (
            "The connection to the server 198.18.0.9:6443 was refused - did you specify the right host?",
            "API server runs",
        ),
        ("Please enter Username: error: EOF", "renew the token"),
        ("Unable to connect to the server: dial tcp: lookup k8s on 198.18.0.9:53: no such host", "DNS"),
        ("Unable to connect to the server: x509: certificate signed by unknown authority", "certificate-authority"),
        ("Unable to connect to the server: tls: failed to verify certificate: x509: expired", "renew"),
        ("Unable to connect to the server: dial tcp 198.18.0.9:6443: i/o timeout", "network"),
        ('error: unable to parse requirement: found "==", expected: identifier', "selector"),
        ("W0101 a warning\nerror: something new", "try it: kubectl get pods"),
        ("", "try it: kubectl get pods"),
    ],
)
def test_kubectls_failures_have_remedies(stderr: str, remedy: str) -> None:
    failed = Completed(1, b"", stderr.encode())
    with pytest.raises(InventoryError, match="kubectl failed with exit code 1: ") as caught:
        discover(inventory(), lambda source: lambda command: failed)
    assert str(caught.value).endswith(stderr.split("\n")[-1] or "without a word")
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    "stderr",
    [
        b"The connection to the server 198.18.0.9:6443 was refused - did you specify the right host or port?",
        b"Error from server (InternalError): an error on the server has prevented the request from succeeding",
        b"Unable to connect to the server: EOF",
        b"Error from server: etcdserver: request timed out",
    ],
)
def test_a_hiccup_of_the_api_server_is_asked_again(stderr: bytes) -> None:
    asked = []

    def run(command: Command) -> Completed:
        asked.append(command.argv)
        return Completed(1, b"", stderr) if len(asked) == 1 else answer([pod("p")])

    found = discover(inventory(), lambda control: run)
    assert [endpoint.name for endpoint in found.endpoints if "p" in endpoint.name.rpartition("/")[2]]
    assert asked == [pods_argv(), pods_argv()]


@pytest.mark.parametrize(
    "stderr", [b"The connection to the server localhost:8080 was refused - did you specify", b"Forbidden", b"EOF"]
)
def test_what_does_not_pass_by_itself_is_asked_once(stderr: bytes) -> None:
    kubectl = Kubectl({pods_argv(): Completed(1, b"", stderr)})
    with pytest.raises(InventoryError):
        discover(inventory(), kubectl.run_for)
    assert len(kubectl.asked) == 1


def test_kubectl_that_is_not_there() -> None:
    kubectl = Kubectl({pods_argv(): Completed(127, b"", b"env: 'kubectl': No such file or directory\n")})
    with pytest.raises(InventoryError) as caught:
        discover(inventory(), kubectl.run_for)
    assert caught.value.remedy.startswith("install kubectl")


def test_what_kubectl_says_cannot_harm_a_terminal() -> None:
    kubectl = Kubectl({pods_argv(): Completed(1, b"", b"\x1b]0;x\x07" + b"e" * 999)})
    with pytest.raises(InventoryError) as caught:
        discover(inventory(), kubectl.run_for)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_a_failure_to_list_nodes() -> None:
    kubectl = Kubectl(
        {pods_argv(): answer([pod("p", "k")]), nodes_argv(): Completed(1, b"", b"Error from server (Forbidden): nodes")}
    )
    with pytest.raises(InventoryError) as caught:
        discover(inventory(), kubectl.run_for)
    assert "nodes in the cluster" in caught.value.remedy


def test_errors_of_the_transport_pass_through() -> None:
    def run(command: Command) -> Completed:
        raise AuthError("the control host refused")

    with pytest.raises(AuthError, match="the control host refused"):
        discover(inventory(), lambda source: run)
