"""What a machine did while a job ran: two snapshots of the kernel's counters, as ``job.sh`` takes them, and what lies
between them.

A snapshot is lines ``PATH:LINE`` of files under /proc and /sys, the first of /proc/uptime. What a kernel does not have,
or a container does not show, is not there, and then not known.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

LARGEST = 512 * 1024  # bytes of both; 1,024 cores have 160 KB
_DIGITS = 20  # of a counter of 64 bits
_FIRST = b"/proc/uptime:"
_CORE = re.compile(r"cpu\d{1,5}")
_THROTTLED = {"throttled_usec": 1e-6, "throttled_time": 1e-9}  # cgroup v2; v1: cpu.stat's key -> its unit in seconds
_IDLE, _IOWAIT, _SOFTIRQ, _STEAL, _GUEST = 3, 4, 6, 7, 8  # fields of a CPU in /proc/stat, see proc(5)


@dataclass(frozen=True)
class Cpu:
    """What one core, or all together, did: shares of the time."""

    busy: float  # all that is not idle, time stolen included: nothing is left for anybody else
    softirq: float  # the kernel's work on packets
    steal: float  # wanted, and given to other guests by the hypervisor


@dataclass(frozen=True)
class Activity:
    """What a machine did between two snapshots. None: not known."""

    seconds: float  # between them
    machine: Cpu
    cores: Mapping[str, Cpu]  # "cpu0", ...
    throttled: float | None  # seconds that the job's cgroup, or one above it, was kept from running; over all cores
    nic: Mapping[str, int]  # "rx_bytes", "tx_packets", ... of the device towards the peer; empty where it is not known


def activity(host: bytes) -> Activity | None:
    """Read a job's two snapshots; None where they are not both there, or make no sense."""
    if len(host) > LARGEST:
        return None
    text = host.decode("utf-8", "replace")
    first = _FIRST.decode()
    if not text.startswith(first) or text.count(f"\n{first}") != 1:
        return None
    before, after = (_read(first + part) for part in text.removeprefix(first).split(f"\n{first}"))
    try:
        return _between(before, after)
    except (KeyError, ValueError, IndexError):  # a snapshot was cut short, or a counter began anew
        return None


Files = Mapping[str, tuple[str, ...]]  # path -> lines


def _read(text: str) -> Files:
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        path, _, rest = line.partition(":")
        found.setdefault(path, []).append(rest)
    return {path: tuple(lines) for path, lines in found.items()}


def _between(before: Files, after: Files) -> Activity:
    seconds = _uptime(after) - _uptime(before)
    if not 0 < seconds < math.inf:
        raise ValueError("no time has passed")
    old, new = _ticks(before), _ticks(after)
    cpus = {name: cpu for name, ticks in new.items() if name in old and (cpu := _cpu(old[name], ticks))}
    return Activity(
        seconds,
        cpus["cpu"],
        {name: cpu for name, cpu in cpus.items() if _CORE.fullmatch(name)},
        _throttled(before, after),
        _nic(before, after),
    )


def _uptime(files: Files) -> float:
    return float(files["/proc/uptime"][0].split()[0])


def _ticks(files: Files) -> dict[str, list[int]]:
    """Without the time of guests: that is part of the user's and the nice time."""
    lines = (line.split() for line in files["/proc/stat"] if line.startswith("cpu"))
    return {name: [_count(number) for number in numbers[:_GUEST]] for name, *numbers in lines}


def _cpu(old: list[int], new: list[int]) -> Cpu | None:
    """None for a core that was offline. Idle and I/O times may run backwards by a tick or two, says proc(5)."""
    spent = [max(0, after - before) for before, after in zip(old, new, strict=True)]
    total = sum(spent)
    if not total:
        return None
    idle = spent[_IDLE] + spent[_IOWAIT]
    return Cpu(busy=1 - idle / total, softirq=spent[_SOFTIRQ] / total, steal=spent[_STEAL] / total)


def _throttled(before: Files, after: Files) -> float | None:
    """The most of any cgroup. The machine's own top cgroup cannot be throttled and may have no such counter."""
    found = []
    for path in after:
        if path.endswith("/cpu.stat") and path in before:
            old, new = (dict(line.split(maxsplit=1) for line in files[path]) for files in (before, after))
            found += [(_count(new[key]) - _count(old[key])) * unit for key, unit in _THROTTLED.items() if key in new]
    return max(found) if found else None


def _nic(before: Files, after: Files) -> dict[str, int]:
    counters = {path: path.rpartition("/")[2] for path in after if path.startswith("/sys/class/net/")}
    found = {
        name: _count(after[path][0]) - _count(before[path][0]) for path, name in counters.items() if path in before
    }
    return {} if any(count < 0 for count in found.values()) else found


def _count(text: str) -> int:
    """A counter. Python takes quadratic time for a number of many digits, and 3.10 sets no limit."""
    if len(text) > _DIGITS:
        raise ValueError("no counter has so many digits")
    return int(text)
