"""Commands in a pod's container, by ``kubectl exec`` on this machine or on a control host.

kubectl can exit 0 too early, cut stdout short with exit code 0, and returns 1 for failures of its own as well as for
the command's. So the command travels as a program on stdin, and its answer is framed (see ``wire.py``).
Never ``-t`` (it would merge the streams and rewrite line ends), always ``--container``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from netbench.errors import AuthError, ConnectionCutError, TransportError, UnreachableError
from netbench.model import Access, Command, Completed, FailureClass, PodAccess
from netbench.transports import wire
from netbench.transports.base import Connector, OnOutput, Transport

LONGEST = 500  # characters of kubectl's, or the pod's, own words in a message


class KubectlTransport:
    """``kubectl exec`` wrapped around the transport of the machine kubectl runs on."""

    def __init__(self, access: PodAccess, inner: Transport) -> None:
        self._access = access
        self._inner = inner

    def run(self, command: Command, on_output: OnOutput | None = None) -> Completed:
        access = self._access
        token = wire.new_token()
        answer = wire.Answer(token, command.limit, on_output)
        argv = access.cluster.argv(
            "exec",
            "--stdin",
            f"--namespace={access.namespace}",
            f"--container={access.container}",
            access.pod,
            "--",
            *wire.argv(command.deadline),
        )
        done = self._inner.run(
            Command(
                argv,
                deadline=command.deadline,
                secrets=command.secrets,
                stdin=wire.program(command, token),
                limit=command.limit + wire.NOISE,
            ),
            answer.feed,
        )
        if answer.exit_code is None:
            raise self._failed(done)
        return answer.completed(done.stderr, done.seconds)

    def close(self) -> None:
        """The inner transport belongs to whoever made it."""

    def _failed(self, done: Completed) -> TransportError:
        lines = done.error_text.splitlines()
        said = lines[-1] if lines else f"kubectl exited {done.exit_code} without a word"
        said = re.sub(r"\?command=[^\s\"]*", "", said)[:LONGEST]  # the address of an exec has the whole command in it
        where = f"kubectl exec {self._access.namespace}/{self._access.pod}"
        for pattern, make in _FAILURES:
            if re.search(pattern, said, re.IGNORECASE):
                return make(f"{where}: {said}")
        return ConnectionCutError(
            f"{where}: the answer was cut short ({said})", "look at the connection to the API server and at the kubelet"
        )


def connect(access: Access, connector: Connector) -> KubectlTransport:
    """Entry point ``kubectl``."""
    assert isinstance(access, PodAccess)  # noqa: S101 - the pool goes by access.transport
    return KubectlTransport(access, connector.get(access.cluster.control))


def _missing_shell(message: str) -> TransportError:
    return TransportError(message, "use an image with sh, iperf3 and ping in it", failure=FailureClass.TOOL_MISSING)


def _missing_kubectl(message: str) -> TransportError:
    return TransportError(
        message, "install kubectl there, or set kubectl in netbench_pods", failure=FailureClass.TOOL_MISSING
    )


def _not_ready(message: str) -> TransportError:
    return TransportError(
        message, "look at the pod with kubectl describe; run again when it is Ready", failure=FailureClass.NOT_READY
    )


def _denied(message: str) -> AuthError:
    return AuthError(message, "the user needs get on pods and create on pods/exec in that namespace: see docs/rbac")


def _unreachable(message: str) -> UnreachableError:
    return UnreachableError(message, "check the API server's address in the kubeconfig and the way to it")


# What kubectl (1.20 to 1.33) and the API server say, most telling first
_FAILURES: tuple[tuple[str, Callable[[str], TransportError]], ...] = (
    (r"executable file not found|no such file or directory.*(exec|sh)\b|exec: \"sh\"", _missing_shell),
    (r"kubectl.*(command )?not found|kubectl: no such file", _missing_kubectl),
    (r"unauthorized|forbidden|must be logged in|certificate.*(expired|signed by unknown)", _denied),
    (r"pods? .*not found|container.*not (found|running)|not valid for pod|cannot exec|ContainerCreating", _not_ready),
    (r"connection refused|no route to host|i/o timeout|unable to connect to the server|no such host", _unreachable),
)
