"""What can go wrong in the middle of a run, done for real in the lab. Each fault is over when its function returns.

A function gets the site and a random generator, which chooses victims and durations, and returns in words what it did;
None where there was nothing to do it to any more (the run may be over).
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

from netbench.lab import control, network
from netbench.lab.spec import LabSpec
from netbench.lab.state import read_json
from tests.faults.site import Process, Site, end, soon

HOSTS = ("a1", "a2")
PODS = ("a1-terway", "a2-terway")
THEIRS = ("iperf3", "-s", "-p", "16000")  # netbench's own servers have more arguments
PATIENCE = 6.0  # seconds until a victim shows up

Fault = Callable[[Site, random.Random, Process], str | None]  # the process is netbench's


def sshd_killed(site: Site, rng: random.Random, bench: Process) -> str | None:
    """The listener and all its sessions; it is started again some seconds later."""
    host, seconds = rng.choice(HOSTS), rng.uniform(0.5, 6)
    victims = [one for one in site.at(host) if one.argv[0].startswith(("sshd", "/usr/sbin/sshd"))]
    killed = [end(one, signal.SIGKILL) for one in victims]
    time.sleep(seconds)
    server = site.start(host, "setsid", "--fork", "/usr/sbin/sshd", "-D", "-f", "/run/lab/sshd_config")
    server.wait(10)
    return f"{sum(killed)} processes of sshd on {host}, away for {seconds:.1f} s" if any(killed) else None


def ssh_connection_cut(site: Site, rng: random.Random, bench: Process) -> str | None:
    """The session's process is killed, so the connection ends without a word."""
    host = rng.choice(HOSTS)
    sessions = soon(lambda: site.ssh_sessions(host), PATIENCE)
    cut = [end(one, signal.SIGKILL) for one in sessions]
    return f"{sum(cut)} connections to {host}" if any(cut) else None


def link_down(site: Site, rng: random.Random, bench: Process) -> str | None:
    host, seconds = rng.choice(HOSTS), rng.uniform(0.3, 4)
    site.run(host, "ip", "link", "set", "eth0", "down")
    time.sleep(seconds)
    site.run(host, "ip", "link", "set", "eth0", "up")
    spec = LabSpec.from_json(read_json(site.state.spec))
    (node,) = [endpoint for endpoint in spec.endpoints if endpoint.name == host]
    for way in network.ways(spec, node):  # they went with the link
        site.run(host, "ip", *way.split())
    return f"{host} for {seconds:.1f} s"


def packets_dropped(site: Site, rng: random.Random, bench: Process) -> str | None:
    """Nearly all that leaves a host is lost in its shaper."""
    host, seconds = rng.choice(HOSTS), rng.uniform(0.3, 4)
    before = site.run(host, "tc", "qdisc", "show", "dev", "eth0").split()
    rate, burst = before[before.index("rate") + 1], before[before.index("burst") + 1]
    choke = ("tbf", "rate", "8kbit", "burst", "1600", "latency", "1ms")
    site.run(host, "tc", "qdisc", "replace", "dev", "eth0", "root", *choke)
    time.sleep(seconds)
    again = ("tbf", "rate", rate.lower(), "burst", burst.lower(), "latency", "10ms")
    site.run(host, "tc", "qdisc", "replace", "dev", "eth0", "root", *again)
    return f"from {host} for {seconds:.1f} s"


def _tool(site: Site, rng: random.Random, option: str, number: signal.Signals) -> str | None:
    endpoint = rng.choice((*HOSTS, *PODS))
    found = soon(lambda: [one for one in site.at(endpoint) if one.argv[:2] == ("iperf3", option)], PATIENCE)
    hit = [one for one in found if end(one, number)]
    return f"{hit[0].line} on {endpoint}: {number.name}" if hit else None


def server_killed(site: Site, rng: random.Random, bench: Process) -> str | None:
    return _tool(site, rng, "-s", signal.SIGKILL)


def client_frozen(site: Site, rng: random.Random, bench: Process) -> str | None:
    """It stays so until its deadline."""
    return _tool(site, rng, "-c", signal.SIGSTOP)


def port_taken(site: Site, rng: random.Random, bench: Process) -> str | None:
    """Somebody else's iperf3 gets the port between two steps; netbench leaves it alone."""
    host, seconds = rng.choice(HOSTS), rng.uniform(1, 5)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        theirs = site.start(host, *THEIRS)
        time.sleep(0.3)  # it ends at once where the port is not free
        if theirs.poll() is None:
            break
    else:
        return None
    time.sleep(seconds)
    assert theirs.poll() is None, "somebody else's iperf3 was ended"
    (server,) = [one for one in site.at(host) if one.argv == THEIRS]
    assert end(server, signal.SIGTERM)
    theirs.wait(10)
    return f"on {host} for {seconds:.1f} s"


def pod_recreated(site: Site, rng: random.Random, bench: Process) -> str | None:
    pod = rng.choice(PODS)
    control.recreate_pod(pod, site.state)
    return pod


def exec_cut(site: Site, rng: random.Random, bench: Process) -> str | None:
    """kubectl is killed under netbench, so the stream from the pod ends."""
    found = soon(lambda: site.execs(bench), PATIENCE)
    cut = [one for one in found if end(one, signal.SIGKILL)]
    return f"{len(cut)} kubectl exec" if cut else None


def _api(site: Site) -> Process:
    (api,) = [one for one in site.processes() if one.argv[-1:] == (str(site.state.directory),)
              and "netbench.lab.api" in one.argv and "nsenter" not in one.argv]  # fmt: skip
    return api


def api_down(site: Site, rng: random.Random, bench: Process) -> str | None:
    old = _api(site)
    assert end(old, signal.SIGKILL)
    time.sleep(20)
    new = site.start(None, "setsid", "--fork", *old.argv)
    new.wait(10)
    return "for 20 s"


def api_fails(site: Site, rng: random.Random, bench: Process) -> str | None:
    seconds = rng.uniform(1, 8)
    control.fail_api(500, site.state)
    time.sleep(seconds)
    control.fail_api(None, site.state)
    return f"500 for {seconds:.1f} s"


def disk_full(site: Site, rng: random.Random, bench: Process) -> str | None:
    """Under the run's reports, until netbench has ended: a run stops for that, and goes on when there is room."""
    disk = next(Path(word).parent for word in bench.argv if word.endswith("/reports"))
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    soon(lambda: not Path(f"/proc/{bench.pid}").exists(), 60)
    ballast.unlink()
    return "until it ended"


def clock_jump(site: Site, rng: random.Random, bench: Process) -> str | None:
    """The bastion's; see ``tests.faults.clock``."""
    number, way = rng.choice(((signal.SIGUSR1, "ahead"), (signal.SIGUSR2, "back")))
    return f"a day {way}" if end(bench, number) else None


def _signalled(number: signal.Signals) -> Fault:
    def fault(site: Site, rng: random.Random, bench: Process) -> str | None:
        return number.name if end(bench, number) else None

    return fault


FAULTS: dict[str, Fault] = {
    "sshd killed": sshd_killed,
    "SSH connection cut": ssh_connection_cut,
    "link down and up": link_down,
    "packets dropped": packets_dropped,
    "iperf3 server killed": server_killed,
    "iperf3 client frozen": client_frozen,
    "port taken by somebody else": port_taken,
    "pod deleted and recreated": pod_recreated,
    "kubectl exec cut": exec_cut,
    "API server down for 20 s": api_down,
    "API answers 500": api_fails,
    "disk full": disk_full,
    "clock jump": clock_jump,
    "SIGINT": _signalled(signal.SIGINT),
    "SIGTERM": _signalled(signal.SIGTERM),
    "SIGKILL": _signalled(signal.SIGKILL),
}
