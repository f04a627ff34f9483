"""The words of netbench as frozen data: what is measured, where, in which order, and how it ended.

Units are SI base units everywhere: bit/s, packets/s, seconds, fractions (0..1). Formatting happens in ``report/`` only.
Nothing in here imports anything else of netbench, opens anything or knows the name of a kind, a probe or a transport.
"""

from netbench.model.attestation import Attestation, AttestationRule, Sign, Verdict
from netbench.model.commands import Command, Completed
from netbench.model.fleet import (
    Access,
    Cluster,
    Endpoint,
    InstanceType,
    Inventory,
    LocalAccess,
    Node,
    PodAccess,
    PodSource,
    SshAccess,
)
from netbench.model.results import (
    Better,
    EndpointFacts,
    FailureClass,
    Flag,
    Manifest,
    Measurement,
    Metric,
    Moved,
    Outcome,
    Sample,
    Session,
    StepRecord,
)
from netbench.model.work import Cell, Exclusion, Pair, Plan, PlannedEndpoint, Precision, ServerCommand, Step, ZoneMode

__all__ = [
    "Access",
    "Attestation",
    "AttestationRule",
    "Better",
    "Cell",
    "Cluster",
    "Command",
    "Completed",
    "Endpoint",
    "EndpointFacts",
    "Exclusion",
    "FailureClass",
    "Flag",
    "InstanceType",
    "Inventory",
    "LocalAccess",
    "Manifest",
    "Measurement",
    "Metric",
    "Moved",
    "Node",
    "Outcome",
    "Pair",
    "Plan",
    "PlannedEndpoint",
    "PodAccess",
    "PodSource",
    "Precision",
    "Sample",
    "ServerCommand",
    "Session",
    "Sign",
    "SshAccess",
    "Step",
    "StepRecord",
    "Verdict",
    "ZoneMode",
]
