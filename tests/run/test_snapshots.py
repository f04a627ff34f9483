"""Snapshots of machines with cgroups of both versions, and of what they leave out."""

from __future__ import annotations

import pytest

from netbench.run.snapshots import activity
from netbench.transports.fake import QUIET

BEFORE = """/proc/uptime:1000.00 1800.00
/proc/stat:cpu  1000 10 500 90000 100 0 50 40 30 20
/proc/stat:cpu0 600 10 300 45000 50 0 50 20 30 20
/proc/stat:cpu1 400 0 200 45000 50 0 0 20 0 0
/proc/stat:ctxt 42
"""
AFTER = """/proc/uptime:1010.00 1809.00
/proc/stat:cpu  1100 10 700 90900 100 0 650 240 90 20
/proc/stat:cpu0 700 10 400 45000 50 0 650 220 90 20
/proc/stat:cpu1 400 0 300 45900 50 0 0 20 0 0
/proc/stat:ctxt 99
"""
V2 = "".join(f"/sys/fs/cgroup/cpu.stat:{key} {{}}\n" for key in ("usage_usec", "nr_throttled", "throttled_usec"))
V1 = "/sys/fs/cgroup/cpu{}/cpu.stat:nr_throttled 7\n/sys/fs/cgroup/cpu{}/cpu.stat:throttled_time {}\n"
NIC = "/sys/class/net/eth0/statistics/rx_bytes:{}\n/sys/class/net/eth0/statistics/tx_dropped:{}\n"


def test_shares_of_time() -> None:
    found = activity((BEFORE + AFTER).encode())
    assert found is not None
    assert found.seconds == 10
    # user 100, system 200, softirq 600, steal 200 of 2000 ticks; guests' time is part of the user's
    assert found.machine.busy == pytest.approx(1100 / 2000)
    assert found.machine.steal == pytest.approx(200 / 2000)
    assert found.cores["cpu0"].busy == 1
    assert found.cores["cpu0"].softirq == pytest.approx(600 / 1000)
    assert found.cores["cpu1"].busy == pytest.approx(100 / 1000)
    assert set(found.cores) == {"cpu0", "cpu1"}
    assert found.throttled is None
    assert found.nic == {}


def test_throttling_of_cgroup_v2() -> None:
    host = BEFORE + V2.format(5_000_000, 10, 1_500_000) + AFTER + V2.format(7_000_000, 30, 2_250_000)
    found = activity(host.encode())
    assert found is not None
    assert found.throttled == 0.75


def test_throttling_of_cgroup_v1_is_the_most_of_all_that_are_above() -> None:
    pod, top = "/kubepods/pod1", ""
    before = V1.format(top, top, 0) + V1.format(pod, pod, 2_000_000_000)
    after = V1.format(top, top, 0) + V1.format(pod, pod, 2_400_000_000)
    found = activity((BEFORE + before + AFTER + after).encode())
    assert found is not None
    assert found.throttled == pytest.approx(0.4)


def test_the_top_of_cgroup_v2_has_no_such_counter() -> None:
    usage = "/sys/fs/cgroup/cpu.stat:usage_usec 5\n"
    found = activity((BEFORE + usage + AFTER + usage).encode())
    assert found is not None
    assert found.throttled is None


def test_counters_of_the_nic() -> None:
    found = activity((BEFORE + NIC.format(100, 1) + AFTER + NIC.format(1100, 3)).encode())
    assert found is not None
    assert found.nic == {"rx_bytes": 1000, "tx_dropped": 2}


def test_a_nic_whose_counters_began_anew_is_not_known() -> None:
    found = activity((BEFORE + NIC.format(100, 1) + AFTER + NIC.format(5, 1)).encode())
    assert found is not None
    assert found.nic == {}


def test_a_core_that_went_offline_or_came_is_left_out() -> None:
    gone = AFTER.replace("/proc/stat:cpu1 400 0 300 45900 50 0 0 20 0 0", "/proc/stat:cpu2 1 1 1 1 1 1 1 1 1 1")
    found = activity((BEFORE + gone).encode())
    assert found is not None
    assert set(found.cores) == {"cpu0"}


def test_idle_time_that_runs_backwards_is_none() -> None:
    found = activity((BEFORE + AFTER.replace("90900 100", "90900 98")).encode())
    assert found is not None
    assert 0 <= found.machine.busy <= 1


def test_what_the_fake_transport_tells_is_a_quiet_machine() -> None:
    found = activity(QUIET)
    assert found is not None
    assert (found.seconds, found.machine.steal) == (1, 0)
    assert max(core.busy for core in found.cores.values()) < 0.2


@pytest.mark.parametrize(
    "host",
    [
        "",
        BEFORE,
        BEFORE + BEFORE,  # no time has passed
        AFTER + BEFORE,
        BEFORE + AFTER + AFTER,
        "x" + BEFORE + AFTER,
        BEFORE + AFTER.replace("1010.00", "soon"),
        BEFORE + "/proc/uptime:1010.00 1\n",
        BEFORE + AFTER.replace("1100 10", "1100 ten"),
        BEFORE + "/proc/uptime:\n",
        BEFORE + V1.format("", "", 1) + AFTER + V1.format("", "", "x"),
        "\ufffd",
    ],
)
def test_what_makes_no_sense_is_not_known(host: str) -> None:
    assert activity(host.encode()) is None
