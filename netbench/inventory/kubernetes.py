"""What is read of Kubernetes objects, and how kubectl is asked for them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from tenacity import retry, retry_if_result, stop_after_attempt, wait_fixed

from netbench.errors import InventoryError
from netbench.inventory.schema import DnsLabel, DnsName, LabelKey, Sentence
from netbench.inventory.words import said, shown
from netbench.model import Command, Completed, PodSource

DEADLINE = 60.0  # seconds; 700 node objects are some ten megabytes
LARGEST = 256 << 20  # bytes of a list: a pod takes some 10 KB, a node 20 KB
NOT_FOUND = 127  # what env and shells exit with for a program that is not there

Run = Callable[[Command], Completed]


class _Object(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class Metadata(_Object):
    name: DnsName
    labels: dict[LabelKey, Sentence] | None = None
    annotations: dict[str, str] | None = None
    deletion_timestamp: str | None = None


class Resources(_Object):
    limits: dict[str, str | int | float] | None = None


class Container(_Object):
    name: DnsLabel
    resources: Resources | None = None


class PodSpec(_Object):
    node_name: DnsName | None = None
    host_network: bool | None = None
    containers: tuple[Container, ...] = Field(min_length=1)


class Condition(_Object):
    type: str
    status: str
    reason: str | None = None


class Waiting(_Object):
    reason: str | None = None


class ContainerState(_Object):
    waiting: Waiting | None = None


class ContainerStatus(_Object):
    state: ContainerState | None = None


class PodStatus(_Object):
    phase: str = "Unknown"
    reason: str | None = None
    pod_ip: str | None = Field(None, alias="podIP")
    host_ip: str | None = Field(None, alias="hostIP")
    conditions: tuple[Condition, ...] | None = None
    container_statuses: tuple[ContainerStatus, ...] | None = None


class Pod(_Object):
    metadata: Metadata
    spec: PodSpec
    status: PodStatus


class NodeAddress(_Object):
    type: str
    address: str


class NodeStatus(_Object):
    addresses: tuple[NodeAddress, ...] | None = None


class KubernetesNode(_Object):
    metadata: Metadata
    status: NodeStatus = NodeStatus()


class _Pods(_Object):
    items: tuple[Pod, ...]


class _Nodes(_Object):
    items: tuple[KubernetesNode, ...]


List = TypeVar("List", bound=_Object)


def get_pods(source: PodSource, run: Run, where: str) -> tuple[Pod, ...]:
    """The pods of a source. ``where``: inventory and source, for messages. Raises InventoryError."""
    selection = (f"--namespace={source.namespace}", f"--selector={source.selector}")
    pods = _get(_Pods, source, run, where, "get", "pods", *selection, "-o", "json").items
    if not pods:
        raise InventoryError(
            f"{where}: no pod matches the selector {source.selector} in the namespace {source.namespace}",
            f"compare with: {shlex.join(source.cluster.argv('get', 'pods', '--all-namespaces', '--show-labels'))}",
        )
    return pods


def get_nodes(source: PodSource, run: Run, where: str) -> tuple[KubernetesNode, ...]:
    """The nodes of a source's cluster. Raises InventoryError."""
    return _get(_Nodes, source, run, where, "get", "nodes", "-o", "json").items


def _get(model: type[List], source: PodSource, run: Run, where: str, *arguments: str) -> List:
    argv = source.cluster.argv(*arguments)
    done = _patiently(run, Command(argv, deadline=DEADLINE, limit=LARGEST))
    if done.exit_code != 0:
        last = said(done.error_text.splitlines()[-1]) if done.error_text else "without a word"
        remedy = _remedy(done.exit_code, last) or f"try it: {shlex.join(argv)}"
        raise InventoryError(f"{where}: kubectl failed with exit code {done.exit_code}: {last}", remedy)
    try:
        return model.model_validate_json(done.stdout)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
        what = f"{key} is {shown(first['input'])}: " if key else ""
        raise InventoryError(
            f"{where}: kubectl's answer cannot be used: {what}{said(first['msg'])}",
            f"see what this prints: {shlex.join(argv)}",
        ) from None


def _hiccup(done: Completed) -> bool:
    return done.exit_code not in (0, NOT_FOUND) and re.search(_PASSES, done.error_text, re.IGNORECASE) is not None


@retry(
    retry=retry_if_result(_hiccup),
    stop=stop_after_attempt(2),
    wait=wait_fixed(1),
    retry_error_callback=lambda last: last.outcome.result() if last.outcome else None,
)
def _patiently(run: Run, command: Command) -> Completed:
    """An API server that restarts, or is too busy for a moment, is asked again; at last its answer is what it is."""
    return run(command)


def _remedy(exit_code: int, message: str) -> str:
    if exit_code == NOT_FOUND:
        return "install kubectl there, or set kubectl in netbench_pods"
    found = (remedy for pattern, remedy in _REMEDIES if re.search(pattern, message, re.IGNORECASE))
    return next(found, "")


# What kubectl (1.20 to 1.33) says of what may be over in a second. Without any kubeconfig it tries localhost:8080
_PASSES = (
    r"(?<!localhost:8080 was )refused|reset by peer|server: EOF|\": EOF|unexpected EOF|i/o timeout"
    r"|TLS handshake timeout|http2|InternalError|ServiceUnavailable|TooManyRequests|currently unable to handle"
    r"|etcdserver|leader changed"
)
# What it says, most telling first
_REMEDIES = (
    (
        r"context .*(does not exist|not found)|no context exists",
        "set context in netbench_pods to one the kubeconfig has",
    ),
    (
        r"localhost:8080|no configuration has been|(stat|open) .*(no such file|permission denied)|error loading config",
        "set kubeconfig in netbench_pods to a file that is there and readable where kubectl runs",
    ),
    (
        r"forbidden",
        "grant the kubeconfig's user the verb list on pods there, and on nodes in the cluster: see docs/rbac",
    ),
    (
        r"unauthorized|must be logged in|enter username|credentials|expired",
        "renew the token or certificate in the kubeconfig",
    ),
    (r"x509|certificate", "check certificate-authority and server in the kubeconfig, and the clock where kubectl runs"),
    (r"refused", "check that the API server runs, and server in the kubeconfig"),
    (r"no such host", "check the host name of server in the kubeconfig, and DNS where kubectl runs"),
    (r"timeout|timed out|deadline|no route|unreachable", "check the network between kubectl and the API server"),
    (r"selector|unable to parse", "check selector in netbench_pods: it is a Kubernetes label selector"),
)
