"""What a probe is. Each lives in one file of its own: client command, server command, parser, metrics."""

from __future__ import annotations

from typing import ClassVar, Protocol, runtime_checkable

from netbench.model import Completed, InstanceType, Measurement, Metric, Sample, ServerCommand

OUTPUT_LIMIT = 2**20  # bytes of output of a probe that does not say
MOST_OUTPUT = 2**25  # bytes, whatever a probe says: the bastion holds that much of each step at work


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

    def server(self, address: str) -> ServerCommand | None:
        """What must listen first on the destination, at that data-plane address; None where the kernel answers."""

    def parse(self, client: Completed) -> Measurement:
        """Read the client's raw output. Raises ParseError; never returns zeros for a failure."""


@runtime_checkable
class FitsSource(Protocol):
    """A probe with an option that the source's machine decides, such as its number of NIC queues."""

    def for_source(self, node: str, kind: InstanceType | None) -> Probe:
        """The probe with that option made a number for that node of that type. Raises UsageError where it cannot be."""


@runtime_checkable
class LimitsOutput(Protocol):
    """A probe that knows how long its client's and its server's output can be."""

    @property
    def output_limit(self) -> int:
        """Bytes, with a generous margin. What is longer is no result, and need not be kept or read."""


@runtime_checkable
class ProvesServer(Protocol):
    """A probe whose server's output proves that the result is of that server, and that it served nobody else."""

    def prove(self, client: Completed, server: Completed) -> None:
        """Raise ParseError of class INVALID_RESULT where it does not. Called with what ``parse`` took for a result."""


def output_limit(probe: Probe) -> int:
    """Bytes that the output of that probe's client or server may have."""
    return min(probe.output_limit if isinstance(probe, LimitsOutput) else OUTPUT_LIMIT, MOST_OUTPUT)


def sample(metric: Metric, value: float) -> Sample:
    """A number of that metric, in the metric's unit."""
    return Sample(metric.name, value, metric.unit)
