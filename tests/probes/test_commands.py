"""The exact command lines, and what options can be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from netbench.errors import UsageError
from netbench.model import InstanceType, ServerCommand
from netbench.probes.base import Probe
from netbench.probes.latency import Latency
from netbench.probes.pps import Pps
from netbench.probes.registry import load_probes
from netbench.probes.throughput import Throughput

IP = "198.18.0.2"
SERVER = ServerCommand(("iperf3", "-s", "-i", "1", "-p", "16000", "-V"), 16000, ("-B", IP))


@pytest.mark.parametrize(
    ("probe", "argv"),
    [
        (Throughput(), "iperf3 -c 198.18.0.2 -t 45 -P 4 -p 16000 -J"),
        (Throughput(duration=3, parallel=1, port=5201), "iperf3 -c 198.18.0.2 -t 3 -P 1 -p 5201 -J"),
        (Pps(), "iperf3 -u -l 16 -b 100m -t 45 -c 198.18.0.2 -i 1 -p 16000 -A 0 -J"),
        (
            Pps(duration=3, length=1400, bitrate="1.5G", port=5201, interval=0.5, cpu=3),
            "iperf3 -u -l 1400 -b 1.5G -t 3 -c 198.18.0.2 -i 0.5 -p 5201 -A 3 -J",
        ),
        (Pps(cpu=None), "iperf3 -u -l 16 -b 100m -t 45 -c 198.18.0.2 -i 1 -p 16000 -J"),
        (Latency(), "ping -c 30 198.18.0.2"),
        (Latency(count=10, interval=0.2), "ping -c 10 -i 0.2 198.18.0.2"),
        (Latency(interval=1), "ping -c 30 -i 1 198.18.0.2"),
    ],
)
def test_client(probe: Probe, argv: str) -> None:
    assert probe.client("198.18.0.2") == tuple(argv.split())


def test_client_takes_ipv6_as_it_is() -> None:
    assert Latency().client("2001:2::1") == ("ping", "-c", "30", "2001:2::1")
    assert Throughput().client("2001:2::1")[1:3] == ("-c", "2001:2::1")


@pytest.mark.parametrize(
    ("probe", "server", "tools", "seconds"),
    [
        (Throughput(), SERVER, (("iperf3",), ("iperf3",)), 45.0),
        (Pps(), SERVER, (("iperf3",), ("iperf3",)), 45.0),
        (Throughput(port=5201), replace(SERVER, argv=(*SERVER.argv[:-2], "5201", "-V"), port=5201), None, 45.0),
        (Latency(), None, (("ping",), ()), 29.0),
        (Latency(count=11, interval=0.2), None, (("ping",), ()), 2.0),
    ],
)
def test_what_a_step_needs(probe: Probe, server: ServerCommand | None, tools: Any, seconds: float) -> None:
    assert probe.server(IP) == server
    assert tools in (None, (probe.source_tools, probe.destination_tools))
    assert probe.seconds == pytest.approx(seconds)


def test_as_many_streams_as_the_source_has_queues() -> None:
    auto = Throughput(parallel="auto")
    probe = auto.for_source("ecs-01", InstanceType("ecs.large", queues=8))
    assert " ".join(probe.client(IP)) == f"iperf3 -c {IP} -t 45 -P 8 -p 16000 -J"
    assert auto.for_source("ecs-01", InstanceType("ecs.huge", queues=200)).parallel == 128  # the most that iperf3 takes
    given = Throughput(parallel=3)
    assert given.for_source("ecs-01", None) == given


@pytest.mark.parametrize(
    ("kind", "named"), [(None, "its instance type"), (InstanceType("ecs.x", 1e9), "the instance type ecs.x")]
)
def test_an_unknown_number_of_queues_is_not_guessed(kind: InstanceType | None, named: str) -> None:
    with pytest.raises(UsageError, match=f"parallel=auto needs .* ecs-01's NIC queues, and for {named}") as caught:
        Throughput(parallel="auto").for_source("ecs-01", kind)
    assert "netbench_instance_types" in caught.value.remedy


def test_a_word_or_a_number_from_the_command_line() -> None:
    for text, value in (("auto", "auto"), ("8", 8)):
        made = load_probes(["throughput"], {"throughput": {"parallel": text}})
        assert made == {"throughput": Throughput(parallel=value)}
    for bad in ("many", "", "8.5", True):
        with pytest.raises(UsageError, match="throughput: parallel=") as caught:
            load_probes(["throughput"], {"throughput": {"parallel": bad}})
        assert "number" in caught.value.remedy


@pytest.mark.parametrize(("bitrate", "ceiling"), [("100m", 781_250), ("1G", 7_812_500), ("12800", 100), ("0", 0)])
def test_generator_ceiling(bitrate: str, ceiling: float) -> None:
    assert Pps(bitrate=bitrate).ceiling == pytest.approx(ceiling)


@pytest.mark.parametrize(
    ("probe", "option", "value"),
    [
        (Throughput, "duration", 0),
        (Throughput, "duration", 86401),
        (Throughput, "parallel", 0),
        (Throughput, "parallel", 129),
        (Throughput, "port", 0),
        (Throughput, "port", 65536),
        (Pps, "duration", -1),
        (Pps, "length", 15),
        (Pps, "length", 65508),
        (Pps, "port", 70000),
        (Pps, "interval", 0.05),
        (Pps, "interval", float("nan")),
        (Pps, "cpu", -1),
        (Pps, "bitrate", "fast"),
        (Pps, "bitrate", "100m/4"),
        (Pps, "bitrate", "-1m"),
        (Pps, "bitrate", ""),
        (Latency, "count", 0),
        (Latency, "interval", 0),
        (Latency, "interval", float("inf")),
    ],
)
def test_an_option_that_cannot_be(probe: Any, option: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"{probe.name}: {option}=") as caught:
        probe(**{option: value})
    assert caught.value.remedy


def test_every_metric_has_its_unit_and_loss_is_the_same_in_both() -> None:
    units = {metric.name: metric.unit for probe in (Throughput, Pps, Latency) for metric in probe.metrics}
    assert units == {
        "throughput": "bit/s",
        "retransmits": "1",
        "sender_cpu": "1",
        "receiver_cpu": "1",
        "pps_received": "packets/s",
        "pps_sent": "packets/s",
        "loss": "1",
        "jitter": "s",
        "latency_avg": "s",
        "latency_min": "s",
        "latency_max": "s",
        "latency_mdev": "s",
    }
    assert Pps.metrics[2] == Latency.metrics[4]
