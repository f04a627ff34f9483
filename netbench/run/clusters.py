"""What a cluster says of itself before anything is measured in it."""

from __future__ import annotations

import json
from collections.abc import Callable

from netbench.errors import NetbenchError
from netbench.model import Cluster, Command, Completed, FailureClass
from netbench.probes.failures import brief
from netbench.run.check import Check


def cluster_versions(cluster: Cluster, run: Callable[[Command], Completed]) -> tuple[Check, str, str]:
    """A check named after the cluster, kubectl's version and Kubernetes' version ("" where not known).

    ``run`` runs a command on the machine kubectl runs on.
    """
    name = f"cluster {cluster.context or cluster.kubeconfig or 'of the current context'}"
    try:
        done = run(Command(cluster.argv("version", "--output=json")))
    except NetbenchError as error:
        return Check(name, "kubectl", str(error), error.failure, error.remedy), "", ""
    try:
        said = json.loads(done.stdout)
        client = str(said["clientVersion"]["gitVersion"])
        server = str(said["serverVersion"]["gitVersion"])
    except (ValueError, KeyError, TypeError):
        reason = brief(done.error_text.splitlines()[-1]) if done.error_text else "no version in kubectl's answer"
        remedy = "check kubeconfig and context in netbench_pods, and the way to the API server"
        return Check(name, "kubectl", reason, FailureClass.UNREACHABLE, remedy), "", ""
    return Check(name, "kubectl", f"kubectl {client}, Kubernetes {server}"), client, server
