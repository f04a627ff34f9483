"""What a probe is. Each lives in one file of its own: client command, server command, parser, metrics."""

from __future__ import annotations

from typing import ClassVar, Protocol, runtime_checkable

from netbench.model import Completed, InstanceType, Measurement, Metric, Sample, ServerCommand


class Probe(Protocol):
    """A frozen dataclass whose fields are the probe's options; the defaults are the documented flags.

    Registered under its ``name`` in the entry-point group ``netbench.probes``.
    """

    name: ClassVar[str]
    metrics: ClassVar[tuple[Metric, ...]]  # the first is the one the matrix shows
    source_tools: ClassVar[tuple[str, ...]]  # programs that must be on the source
    destination_tools: ClassVar[tuple[str, ...]]

    @property
    def seconds(self) -> float:
        """How long the client takes when all goes well."""

    def client(self, address: str) -> tuple[str, ...]:
        """The exact argv that runs on the source against that data-plane address."""

    def server(self) -> ServerCommand | None:
        """What must listen on the destination first; None where the kernel answers."""

    def parse(self, client: Completed) -> Measurement:
        """Read the client's raw output. Raises ParseError; never returns zeros for a failure."""


@runtime_checkable
class FitsSource(Protocol):
    """A probe with an option that the source's machine decides, such as its number of NIC queues."""

    def for_source(self, node: str, kind: InstanceType | None) -> Probe:
        """The probe with that option made a number for that node of that type. Raises UsageError where it cannot be."""


def sample(metric: Metric, value: float) -> Sample:
    """A number of that metric, in the metric's unit."""
    return Sample(metric.name, value, metric.unit)
