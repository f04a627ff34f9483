"""The variables netbench uses, as pydantic models: field names are variable names."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from netbench.inventory import words


def _text(value: object) -> object:
    """Numbers as text, so that a zone may be 1; what YAML has already changed is refused."""
    if isinstance(value, bool | float):
        raise PydanticCustomError("text", "that is no text", {"remedy": "put it in quotes"})
    return str(value) if isinstance(value, int) else value


def _that(accepts: Callable[[str], bool], message: str, remedy: str) -> AfterValidator:
    """Text that passes a test."""

    def check(text: str) -> str:
        if not accepts(text):
            raise PydanticCustomError("word", "{message}", {"message": message, "remedy": remedy})
        return text

    return AfterValidator(check)


def _no_bool(value: object) -> object:
    if isinstance(value, bool):
        raise PydanticCustomError("number", "that is no number", {"remedy": "write a number"})
    return value


def _listed(value: object) -> object:
    """One entry may stand for a list of one."""
    return [value] if isinstance(value, str | dict) else value


def _is_path(text: str) -> bool:
    return bool(text) and words.is_plain(text)


_NAMES = "use letters, digits, dots, dashes and underscores, and begin with a letter or digit"
_LABELS = f"use 1 to {words.LONGEST_LABEL} printable characters, and do not begin with -"
_DNS = "use small letters, digits and dashes"
_TEXT = BeforeValidator(_text)

HostName = Annotated[str, _TEXT, _that(words.is_host_name, "that cannot be the name of a host", _NAMES)]
Address = Annotated[str, _TEXT, _that(words.is_host_name, "that is no address", "give an IP address or a name")]
User = Annotated[str, _TEXT, _that(words.is_user, "that cannot be a user", _NAMES)]
GroupName = Annotated[str, _TEXT, _that(words.is_user, "that cannot be a group", _NAMES)]
Label = Annotated[str, _TEXT, _that(words.is_label, "that cannot be a label", _LABELS)]
FilePath = Annotated[str, _TEXT, _that(_is_path, "that cannot be a path", "give a path that does not begin with -")]
Plain = Annotated[str, _TEXT, _that(_is_path, "that cannot be", "use printable characters, and do not begin with -")]
Sentence = Annotated[str, _TEXT, _that(str.isprintable, "it holds control characters", "use printable characters")]
LabelKey = Annotated[str, _that(words.is_label_key, "that is no key of a label", "write it as in netbench/kind")]
DnsName = Annotated[str, _that(words.is_dns_subdomain, "Kubernetes has no such names", _DNS)]
DnsLabel = Annotated[str, _TEXT, _that(words.is_dns_label, "Kubernetes has no such names", _DNS)]
Number = Annotated[float, BeforeValidator(_no_bool), Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, BeforeValidator(_no_bool), Field(ge=1, le=1_000_000)]


class _Variables(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HostVariables(_Variables):
    """What may be set on hosts and groups."""

    ansible_host: Address | None = None
    ansible_port: Annotated[int, BeforeValidator(_no_bool), Field(ge=1, le=65535)] | None = None
    ansible_user: User | None = None
    ansible_ssh_private_key_file: FilePath | None = None
    ansible_connection: Literal["ssh", "local"] = "ssh"
    ansible_ssh_common_args: str = ""
    ansible_ssh_extra_args: str = ""
    netbench_zone: Label | None = None
    netbench_instance_type: Label | None = None
    netbench_address: Address | None = None
    netbench_kind: Label = "host"
    netbench_endpoint: bool = True
    netbench_known_hosts: FilePath | None = None
    netbench_node_addresses: Annotated[tuple[Address, ...], BeforeValidator(_listed)] = ()


class PodVariables(_Variables):
    """One entry of netbench_pods."""

    selector: Plain
    namespace: DnsLabel = "default"
    container: DnsLabel | None = None
    kind_label: LabelKey = "netbench/kind"
    kubeconfig: FilePath | None = None
    context: Plain | None = None
    kubectl: FilePath = "kubectl"
    control: HostName | None = None
    host_network_kind: Label | None = None


class TypeVariables(_Variables):
    """One entry of netbench_instance_types."""

    bandwidth: Number | None = None  # bit/s
    pps: Number | None = None  # packets/s
    queues: Count | None = None
    source: Sentence | None = None


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return bool(text) and text.isprintable()


Pattern = Annotated[
    str, _TEXT, _that(_is_pattern, "that is no regular expression", "write it as for Python's re, in single quotes")
]


class RuleVariables(_Variables):
    """One rule in the list of a pattern of kinds in netbench_attestation."""

    evidence: Sentence
    must: Pattern | None = None
    must_not: Pattern | None = None
    shows: Pattern | None = None
    marks: Pattern | None = None
    means: Sentence
    source: Sentence = ""
    optional: bool = False

    @model_validator(mode="after")
    def _one_test(self) -> RuleVariables:
        given = [test for test in (self.must, self.must_not, self.shows, self.marks) if test is not None]
        if len(given) != 1:
            remedy = "give each rule exactly one of must, must_not, shows, marks"
            raise PydanticCustomError("tests", "it has {count} tests", {"count": len(given), "remedy": remedy})
        return self


class AllVariables(_Variables):
    """What may be set on the group all only."""

    netbench_pods: Annotated[tuple[PodVariables, ...], BeforeValidator(_listed)] = ()
    netbench_instance_types: dict[Label, TypeVariables] = {}
    netbench_attestation: dict[Label, Annotated[tuple[RuleVariables, ...], BeforeValidator(_listed)]] = {}
    netbench_lab: bool | None = None
    netbench_lab_notes: Annotated[tuple[Sentence, ...], BeforeValidator(_listed)] | None = None
    netbench_max_parallel: Count | None = None
    netbench_kind_order: Annotated[tuple[Label, ...], BeforeValidator(_listed)] | None = None
    netbench_baseline_kind: Label | None = None
    netbench_lock_group: GroupName | None = None
