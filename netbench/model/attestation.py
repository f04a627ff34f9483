"""Whether an endpoint is what its label says: rules, and what they found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Sign(str, Enum):
    """What a rule does with its evidence."""

    MUST = "must"  # evidence that does not match refutes the kind
    MUST_NOT = "must-not"  # evidence that matches refutes the kind
    SHOWS = "shows"  # evidence that matches names the datapath; the first such rule counts
    MARKS = "marks"  # evidence that matches is told to the reader, whatever the verdict


@dataclass(frozen=True)
class AttestationRule:
    """One sign to look for."""

    evidence: str  # the name of a piece of evidence, such as "interface" or "annotation k8s.aliyun.com/pod-eni"
    sign: Sign
    pattern: str  # regular expression, searched for
    means: str  # what the sign says of the endpoint, for people
    source: str = ""  # who says that it does
    optional: bool = False  # where the evidence is missing, the rule is passed over rather than left unproven


class Verdict(str, Enum):
    """What the rules of its kind say of an endpoint."""

    PROVEN = "proven"
    NOT_PROVEN = "not-proven"  # some evidence could not be gathered, and none speaks against the kind
    NOT_ATTESTED = "not-attested"  # there are no rules for its kind
    MISLABELLED = "mislabelled"


@dataclass(frozen=True)
class Attestation:
    """The verdict on one endpoint, with its evidence. Texts from the endpoint are printable and cut."""

    endpoint: str
    verdict: Verdict
    reasons: tuple[str, ...] = ()  # refuting signs, or the evidence that is missing; the rule's words and the evidence
    datapath: str = ""  # as the rules name it; "" where none does
    marks: tuple[str, ...] = ()
    evidence: Mapping[str, str] = field(default_factory=dict)
