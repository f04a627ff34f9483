"""What an attacker does in a place while netbench works there, and what netbench does."""

# He works with names, relative ones, and with many that no tidy program would make:
# ruff: noqa: PTH101, PTH102, PTH104, PTH106, PTH108, PTH208, PTH211

from __future__ import annotations

import contextlib
import os
import random
import stat
import time
from collections.abc import Callable
from pathlib import Path

from netbench.errors import NetbenchError
from netbench.model import Endpoint, LocalAccess
from netbench.run.clean import clean
from netbench.run.jobs import Job, end_job, find_jobs
from netbench.run.leases import Leases, drop_lease, list_leases
from netbench.run.scripts import script
from netbench.transports.base import Transport
from tests.run.hostile_places import Events, Ground, exchange

STATE = "netbench-0"
BOOT = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
ENDPOINT = Endpoint("a1", "host", "a1", "198.18.0.11", LocalAccess())
NAMES = (
    *(
        "lease.1 \\0057root\\0057notes",
        "lease.2 *",
        "lease.a\nlease live 1 9 0 ab /tmp x",
        "lease.-rf",
        "draft.*.1",
        "lease.",
    ),
    *(
        "lease." + "a" * 64,
        "lease.abc",
        "job",
        "job." + "a" * 24,
        "job." + "f" * 23 + "\n",
        "-rf",
        "--",
        "$(kill 1)",
        "`",
        ";",
    ),
    *(
        "netbench-0 ",
        "netbench-0\n",
        "netbench-00",
        "netbench--1",
        "netbench-*",
        "netbench-65534",
        "netbench-4294967296",
    ),
)
Attack = Callable[[Ground, random.Random], None]
Work = Callable[[Transport, tuple[str, ...], random.Random], None]


# --- the attacker, who is in the place and has no rights but his own


def remove(path: str) -> None:
    """Whatever it is, where he may."""
    with contextlib.suppress(OSError):
        if stat.S_ISDIR(os.lstat(path).st_mode):
            for name in os.listdir(path):
                remove(f"{path}/{name}")
            os.rmdir(path)
        else:
            os.unlink(path)


def forge(directory: str, place: Ground, generator: random.Random) -> None:
    """Records that name a victim, in a job's directory, and leases, in a directory of his own."""
    victim = generator.choice(place.victims)
    started = Path(f"/proc/{victim}/stat").read_text().rpartition(")")[2].split()[19]
    identity = "".join(generator.choice("0123456789abcdef") for _ in range(24))
    for name in (identity, *(name[4:] for name in seen(STATE) if name.startswith("job."))):
        job = f"{directory}/job.{name}"
        with contextlib.suppress(OSError):
            os.mkdir(job)
            os.mkdir(f"{job}/sub")
            os.symlink(str(generator.choice(place.canaries)), f"{job}/link")
            for record in ("job", "child"):
                Path(f"{job}/{record}").write_text(f"{victim} {started} {BOOT}\n")
    for name in (*NAMES, *seen(STATE)):
        with contextlib.suppress(OSError):
            if generator.random() < 0.5:
                os.symlink(str(generator.choice(place.canaries) / "notes"), f"{directory}/{name}")
            else:
                Path(f"{directory}/{name}").write_text(f"{BOOT} 1 99999\nsomebody\n")


def seen(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []


def first(place: Ground, generator: random.Random) -> None:
    """He was there before: what netbench would make is there already, as something else."""
    kind = generator.randrange(7)
    remove(STATE)
    if kind == 0:
        os.symlink(str(generator.choice(place.canaries)), STATE)
    elif kind == 1:
        os.mkfifo(STATE)
    elif kind == 2:
        os.symlink(f"../{generator.choice(place.canaries).name}/sub", STATE)
    elif kind == 3:
        Path(STATE).write_text("a file")
    elif kind == 4:
        os.symlink("netbench-65534", STATE)
    else:
        os.mkdir(STATE)
        os.chmod(STATE, generator.choice((0o755, 0o777, 0o1777, 0o700)))
        forge(STATE, place, generator)
    if generator.random() < 0.5:
        time.sleep(generator.random())  # he has patience, too: what is exchanged all the time is never believed


def steal(place: Ground, generator: random.Random) -> None:
    """The real one goes elsewhere while it is in use, a link to a canary takes its place; and back."""
    away = f"away.{generator.randrange(1000)}"
    os.rename(STATE, away)
    os.symlink(str(generator.choice(place.canaries)), STATE)
    events(".").wait(generator.random() * 0.02)
    if generator.random() < 0.7:
        os.unlink(STATE)
        os.rename(away, STATE)


def swap(place: Ground, generator: random.Random) -> None:
    """A directory of his own with the same names in it, in turn with the real one, at each thing that happens."""
    decoy = f"decoy.{generator.randrange(10)}"
    if decoy not in seen("."):
        os.mkdir(decoy)
        forge(decoy, place, generator)
    if "link" not in seen("."):
        os.symlink(str(generator.choice(place.canaries)), "link")
    for _ in range(generator.randrange(1, 12)):
        exchange(STATE, decoy)
        for name in seen(STATE):
            if name.startswith("job.") and generator.random() < 0.5:
                for inner in ("sub", "job"):
                    with contextlib.suppress(OSError):
                        exchange(f"{STATE}/{name}/{inner}", "link")
                with contextlib.suppress(OSError):
                    exchange(f"{STATE}/{name}", "link")
        events(".").wait(generator.random() * 0.01)


def others(place: Ground, generator: random.Random) -> None:
    """Names that look like other users' directories and leases; links, pipes, sparse files among them."""
    for name in generator.sample(NAMES, 6):
        with contextlib.suppress(OSError):
            match generator.randrange(5):
                case 0:
                    os.symlink(str(generator.choice(place.canaries)), name)
                case 1:
                    os.mkfifo(name)
                case 2:
                    os.truncate(os.open(name, os.O_CREAT | os.O_WRONLY, 0o644), 1 << 40)
                case 3:
                    Path(name).write_text(f"{BOOT} 99999999999 9\n")
                case _:
                    os.mkdir(name)
                    forge(name, place, generator)


_events: dict[str, Events] = {}


def events(path: str) -> Events:
    if path not in _events:
        _events[path] = Events(path)
    return _events[path]


ATTACKS: tuple[Attack, ...] = (first, steal, swap, others)


def any_attack(place: Ground, generator: random.Random) -> None:
    generator.choice(ATTACKS)(place, generator)


# --- netbench, which is root


def take_and_drop(transport: Transport, places: tuple[str, ...], generator: random.Random) -> None:
    ours = Leases({"a1": transport}, places=places)
    ours.take()
    ours.name("20260101T000000Z-same")
    ours.hold(1)
    drop_lease(transport, ours.token, places)


def look(transport: Transport, places: tuple[str, ...], generator: random.Random) -> None:
    list_leases(transport, places)
    find_jobs(transport, places)


def run_a_job(transport: Transport, places: tuple[str, ...], generator: random.Random) -> None:
    command = generator.choice((("true",), ("sleep", "0.2"), ("sh", "-c", "echo a; sleep 0.1; echo b >&2")))
    job = Job(transport, generator.choice(places), command, deadline=1)
    with contextlib.suppress(NetbenchError):
        job.result()
    job.stop()


def end_all(transport: Transport, places: tuple[str, ...], generator: random.Random) -> None:
    """What a resume does with the jobs that it finds; and with one that was never there."""
    found = [(left.place, left.id) for left in find_jobs(transport, places)[:5]]
    for place, identity in (*found, (places[0], "a" * 24)):
        transport.run(script("job", "fetch", place, identity, deadline=5))
        end_job(transport, place, identity)


def sweep(transport: Transport, places: tuple[str, ...], generator: random.Random) -> None:
    clean([ENDPOINT], lambda _: transport, force=True, places=places)


WORK: tuple[Work, ...] = (take_and_drop, look, run_a_job, end_all, sweep)
