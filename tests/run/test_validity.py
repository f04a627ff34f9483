"""Which flags follow from what machines tell, on both sides of every threshold."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from netbench.model import Flag, Measurement, Moved, Sample
from netbench.run.snapshots import Activity, Cpu
from netbench.run.validity import judge

CALM = Cpu(busy=0.2, softirq=0.1, steal=0.0)
SAMPLE = Sample("throughput", 1e9, "bit/s")
FULL = Cpu(busy=0.99, softirq=0.9, steal=0.0)
GBIT = Moved(forth=1.31e9, arrived=1.25e9, back=8e7)  # 1 Gbit/s for 10 s


def machine(
    whole: Cpu = CALM,
    cores: Mapping[str, Cpu] | None = None,
    throttled: float | None = None,
    **nic: int,
) -> Activity:
    return Activity(10.0, whole, cores or {"cpu0": CALM, "cpu1": CALM}, throttled, nic)


def flags(
    source: Activity | None = None, destination: Activity | None = None, moved: Moved | None = None
) -> list[Flag]:
    ends = {"source": source or machine(), "destination": destination or machine()}
    judged = judge(Measurement((SAMPLE,), moved=moved), ends)
    assert judged.samples == (SAMPLE,)
    assert judged.watched
    return list(judged.flags)


def codes(*arguments: Activity | None, moved: Moved | None = None) -> list[str]:
    return [flag.code for flag in flags(*arguments, moved=moved)]


def test_quiet_machines_raise_nothing() -> None:
    nic = {"tx_bytes": 1_300_000_000, "rx_bytes": 20_000_000, "tx_packets": 900_000, "tx_dropped": 0}
    assert codes(machine(throttled=0.0, **nic), moved=GBIT) == []


@pytest.mark.parametrize(
    ("activity", "expected"),
    [
        (machine(Cpu(0.5, 0.1, 0.051)), ["cpu-steal"]),
        (machine(Cpu(0.5, 0.1, 0.049)), []),
        (machine(Cpu(0.96, 0.1, 0.0), {"cpu0": FULL, "cpu1": FULL}), ["cpu-full"]),
        (machine(Cpu(0.6, 0.5, 0.0), {"cpu0": CALM, "cpu1": FULL}), ["cpu-one-core"]),
        (machine(Cpu(0.6, 0.5, 0.0), {"cpu0": CALM, "cpu1": Cpu(0.97, 0.5, 0.0)}), []),
        (machine(throttled=0.06), ["throttled"]),
        (machine(throttled=0.04), []),
        (machine(rx_packets=100_000, rx_dropped=200), ["nic-drops"]),
        (machine(rx_packets=100_000, rx_dropped=90), []),
        (machine(tx_packets=0, tx_dropped=1), ["nic-drops"]),
    ],
)
def test_what_an_end_tells(activity: Activity, expected: list[str]) -> None:
    assert codes(activity) == expected
    assert codes(None, activity) == expected
    assert all("source" in flag.detail for flag in flags(activity))
    assert all("destination" in flag.detail for flag in flags(None, activity))


def test_a_full_core_is_named_with_what_it_did() -> None:
    (flag,) = flags(machine(Cpu(0.6, 0.5, 0.0), {"cpu0": CALM, "cpu1": FULL, "cpu2": CALM}))
    assert flag.detail == "cpu1 of the source was 99.0% busy (90.0% with packets in the kernel), the others 20.0%"


def test_others_traffic_in_the_direction_of_the_step() -> None:
    """Out of the source, into the destination; 5 % beyond what the step can have moved at most."""
    assert codes(machine(tx_bytes=1_400_000_000), moved=GBIT) == ["other-traffic"]
    assert codes(machine(tx_bytes=1_370_000_000), moved=GBIT) == []
    (flag,) = flags(None, machine(rx_bytes=1_435_000_000), GBIT)
    assert flag == Flag("other-traffic", "into the destination went 100 Mbit/s besides the step's own")


def test_others_traffic_against_the_direction_of_the_step() -> None:
    """The step's own acknowledgements are none of it."""
    assert codes(machine(tx_bytes=1_300_000_000, rx_bytes=140_000_000), moved=GBIT) == []
    assert codes(machine(tx_bytes=1_300_000_000, rx_bytes=150_000_000), moved=GBIT) == ["other-traffic"]


def test_what_hardly_loads_a_nic_does_not_count_beside_pings() -> None:
    pings = Moved(forth=3540, arrived=2520, back=3540)
    assert codes(machine(tx_bytes=6_000_000, rx_bytes=6_000_000), moved=pings) == []
    assert codes(machine(tx_bytes=6_500_000, rx_bytes=10_000), moved=pings) == ["other-traffic"]


def test_others_packets_beside_datagrams() -> None:
    """Small packets in plenty are few bytes."""
    moved = Moved(forth=78e6, arrived=16e6, packets=1e6)
    assert codes(machine(tx_bytes=78_000_000, tx_packets=1_070_000), moved=moved) == ["other-traffic"]
    assert codes(machine(tx_bytes=78_000_000, tx_packets=1_040_000), moved=moved) == []


def test_traffic_that_took_another_way() -> None:
    assert codes(machine(tx_bytes=10_000, rx_bytes=0), moved=GBIT) == ["not-on-nic"]
    assert codes(machine(tx_bytes=1_250_000_000, rx_bytes=0), moved=GBIT) == []


def test_an_unknown_nic_raises_nothing() -> None:
    assert codes(machine(), machine(), moved=GBIT) == []


def test_an_end_that_tells_nothing_is_said_and_the_step_not_watched() -> None:
    judged = judge(Measurement((SAMPLE,), flags=(Flag("surplus", "x"),)), {"source": machine(), "destination": None})
    assert [flag.code for flag in judged.flags] == ["surplus", "host-unseen"]
    assert not judged.watched


def test_a_step_without_a_server_is_watched_at_its_source() -> None:
    judged = judge(Measurement((SAMPLE,)), {"source": machine()})
    assert judged.flags == ()
    assert judged.watched
