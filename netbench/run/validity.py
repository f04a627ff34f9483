"""What a step's numbers may suffer from besides the network, as flags; from what both machines counted meanwhile.

Each threshold says from which share on a number of a few per cent, which is what campaigns are after, is in doubt. A
flag never drops a sample: it says what a reader must know. Pure: the snapshots are read by ``snapshots.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from netbench.model import Flag, Measurement, Moved
from netbench.run.snapshots import Activity, Cpu

#: Share of the machine's time that its hypervisor gave to others. Up to some per cent shared instances always lose;
#: beyond it the difference of two cells may be the neighbours'.
STEAL = 0.05
#: A core without 2 % of idle time is a core that work waits for. Counting ticks of 10 ms errs by less than that.
ONE_CORE = 0.98
#: All cores together: the scheduler never spreads work so evenly that all of them reach ONE_CORE.
ALL_CORES = 0.95
#: CPU seconds a second that a limit took away. A quota bites in slices of some 10 ms of each 100: half a per cent of
#: the time is one slice in two seconds, and each lets packets wait for as long.
THROTTLED = 0.005
#: Bytes or packets beyond the step's own, as a share of these. Headers are counted in full, so that what is beyond is
#: others'; below it is resends, ARP, the connection that the step is steered by.
OTHERS = 0.05
#: For steps that move next to nothing, such as pings: 0.5 % of a NIC of 1 Gbit/s, at which hardly a packet waits.
OTHERS_LEAST = 5e6 / 8  # bytes/s
OTHERS_LEAST_PACKETS = 1000.0  # packets/s, the same at 600 bytes each
#: Less than this share of the payload on the NIC that was watched: it went another way.
ELSEWHERE = 0.9
#: Packets that the NIC's queues dropped, as a share of all: where TCP begins to suffer, and what a loss may be due to.
DROPPED = 1e-3


@dataclass(frozen=True)
class _End:
    """One of the two ends of a step."""

    name: str  # "source", "destination"
    forth: str  # which way the step's traffic passes its NIC: "tx" at the source
    back: str
    activity: Activity


def judge(measurement: Measurement, ends: Mapping[str, Activity | None]) -> Measurement:
    """The measurement with flags for what its ends tell: "source", and "destination" where something was served there.

    The destination's time is that of its server: it is longer than the client's by the way there and back, so that its
    shares come out a little lower than they were.
    """
    flags = list(measurement.flags)
    for name, activity in ends.items():
        if activity is None:
            flags.append(Flag("host-unseen", f"the {name} does not tell what else it did meanwhile"))
        else:
            end = _End(name, *_WAYS[name], activity)
            flags += [*_cpus(end), *_throttled(end), *_dropped(end)]
            if measurement.moved is not None:
                flags += _traffic(end, measurement.moved)
    return replace(measurement, flags=tuple(flags), watched=None not in ends.values())


def _cpus(end: _End) -> Iterator[Flag]:
    machine, cores = end.activity.machine, end.activity.cores
    if machine.steal > STEAL:
        yield Flag("cpu-steal", f"{machine.steal:.1%} of the {end.name}'s CPU time went to other guests of its machine")
    if machine.busy >= ALL_CORES:
        yield Flag("cpu-full", f"all {len(cores)} cores of the {end.name} were {machine.busy:.1%} busy")
    elif cores:
        name, core = max(cores.items(), key=lambda entry: entry[1].busy)
        if core.busy >= ONE_CORE:
            yield Flag("cpu-one-core", _one_core(end, name, core))


def _one_core(end: _End, name: str, core: Cpu) -> str:
    rest = [other.busy for other_name, other in end.activity.cores.items() if other_name != name]
    others = f", the others {sum(rest) / len(rest):.1%}" if rest else ""
    return f"{name} of the {end.name} was {core.busy:.1%} busy ({core.softirq:.1%} with packets in the kernel){others}"


def _throttled(end: _End) -> Iterator[Flag]:
    throttled, seconds = end.activity.throttled, end.activity.seconds
    if throttled is not None and throttled > THROTTLED * seconds:
        detail = f"a CPU limit kept the {end.name} waiting for {throttled:.3g} CPU seconds in {seconds:.3g} s"
        yield Flag("throttled", detail)


def _dropped(end: _End) -> Iterator[Flag]:
    nic = end.activity.nic
    for way, word in (("rx", "received"), ("tx", "sent")):
        packets, dropped = nic.get(f"{way}_packets"), nic.get(f"{way}_dropped")
        if packets is not None and dropped is not None and dropped > DROPPED * (packets + dropped):
            share = dropped / (packets + dropped)
            detail = f"the {end.name}'s network interface dropped {dropped} packets ({share:.2%} of those {word})"
            yield Flag("nic-drops", detail)


def _traffic(end: _End, moved: Moved) -> Iterator[Flag]:
    """Others' traffic that shared the NIC; only what is certain, as ``moved`` is a most."""
    seconds, nic = end.activity.seconds, end.activity.nic
    least = max(OTHERS * moved.forth, OTHERS_LEAST * seconds)
    for way, expected in ((end.forth, moved.forth), (end.back, moved.back)):
        others = nic.get(f"{way}_bytes", 0) - expected
        if others > least:
            rate = others * 8 / seconds / 1e6
            yield Flag(
                "other-traffic", f"{_DIRECTIONS[way]} the {end.name} went {rate:.3g} Mbit/s besides the step's own"
            )
    if moved.packets is not None:
        others = nic.get(f"{end.forth}_packets", 0) - moved.packets
        if others > max(OTHERS * moved.packets, OTHERS_LEAST_PACKETS * seconds):
            detail = (
                f"{_DIRECTIONS[end.forth]} the {end.name} went {others / seconds:.0f} packets/s besides the step's own"
            )
            yield Flag("other-traffic", detail)
    seen = nic.get(f"{end.forth}_bytes")
    if seen is not None and seen < ELSEWHERE * moved.arrived:
        detail = f"the {end.name}'s network interface moved {seen:.3g} bytes, and the step {moved.arrived:.3g}"
        yield Flag("not-on-nic", f"{detail}: what shared its way cannot be seen there")


_DIRECTIONS = {"rx": "into", "tx": "out of"}
_WAYS = {"source": ("tx", "rx"), "destination": ("rx", "tx")}
