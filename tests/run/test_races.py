"""Whatever others do in /tmp, or in a worse place, while netbench works there: nothing of anybody's is touched."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netbench.errors import NetbenchError
from netbench.run import jobs, leases
from netbench.run.jobs import find_jobs
from netbench.run.leases import list_leases
from tests.run.hostile_places import ATTACKER, LATE, Ground, Shell, attacked, become, ground, soon_nothing_left
from tests.run.races import ATTACKS, STATE, WORK, any_attack, sweep, take_and_drop

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(int(os.environ.get("NETBENCH_RACES", "0")) * 30 + 300),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users"),
]
RACES = int(os.environ.get("NETBENCH_RACES", "60"))
MANY = int(os.environ.get("NETBENCH_NAMES", "4000"))
SHELLS = tuple(name for name in ("dash", "bash", "busybox") if shutil.which(name))
#: like /tmp; where everybody may exchange everything; and a place of the attacker's own
PLACES = {"sticky": (0o1777, 0), "open": (0o777, 0), "owned": (0o755, ATTACKER)}
DEADLINE = 8.0  # seconds, for what is 30 in earnest


@pytest.fixture
def short_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "LINGER", 2)
    monkeypatch.setattr(jobs, "GRACE", DEADLINE / 2)
    monkeypatch.setattr(leases, "DEADLINE", DEADLINE)
    monkeypatch.setattr(leases, "PARTING", DEADLINE)


@pytest.fixture(params=PLACES)
def hostile(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    with ground(tmp_path, *PLACES[request.param]) as found:
        yield found


@pytest.fixture(params=SHELLS)
def transport(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return Shell(request.param, tmp_path_factory.getbasetemp())


def places(hostile: Ground) -> tuple[str, ...]:
    """The one that is attacked, and one that is not."""
    quiet = hostile.place.with_name("quiet")
    quiet.mkdir(exist_ok=True)
    return (str(hostile.place), str(quiet))


def test_races(hostile: Ground, transport: Shell, short_deadlines: None) -> None:
    """Seeded, each with another attacker: first alone with one of his ways, then with all of them in turn."""
    number = RACES // (len(PLACES) * len(SHELLS)) + 1
    for seed in range(number):
        generator = random.Random(f"{hostile.place.stat().st_mode} {transport} {seed}")  # noqa: S311
        attack = any_attack if seed % 2 else ATTACKS[seed // 2 % len(ATTACKS)]
        work = WORK[seed % len(WORK)]
        began = time.monotonic()
        with attacked(hostile, attack, seed):
            with suppress(NetbenchError):  # it may fail: he can keep netbench out of his own place
                work(transport, places(hostile), generator)
            took = time.monotonic() - began
        said = f"{work.__name__} against {attack.__name__}, seed {seed}: {took:.1f} s"
        assert took < 6 * DEADLINE + LATE, said  # several commands one after the other
        hostile.unharmed()
        soon_nothing_left(hostile, DEADLINE + LATE)
        fresh(hostile)


def fresh(hostile: Ground) -> None:
    """The place is empty again for the next."""
    for path in (*hostile.place.iterdir(), *hostile.place.with_name("quiet").iterdir()):
        if path.is_symlink() or not path.is_dir():
            path.unlink()
        else:
            shutil.rmtree(path)


def as_attacker(act: object) -> None:
    """Do it as him, in a process that ends with it."""
    pid = os.fork()
    if pid == 0:
        try:
            become(ATTACKER)
            act()  # type: ignore[operator]
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def test_very_many_names(hostile: Ground, transport: Shell) -> None:
    """Directories of all users there could be, and leases in his own: netbench is not kept busy by them."""

    def plant() -> None:
        os.chdir(hostile.place)
        Path("netbench-65534").mkdir()
        for number in range(MANY // 2):
            Path(f"netbench-{number + 1}").mkdir()
            Path(f"netbench-65534/lease.{number:08x}").touch()

    as_attacker(plant)
    for work in (take_and_drop, sweep):
        began = time.monotonic()
        try:
            work(transport, places(hostile), random.Random(1))  # noqa: S311
        finally:
            took = time.monotonic() - began
        assert took < 2 * 30 + LATE
    survey = list_leases(transport, places(hostile))
    assert len(survey.others) <= 21
    hostile.unharmed()
    soon_nothing_left(hostile, LATE)


HOSTILE = st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=40)
PREFIX = st.sampled_from(
    ("", "netbench-", "netbench-0/", "netbench-65534/", "netbench-0/job.", "lease.", "netbench-65534/lease.")
)
CONTENT = st.one_of(
    st.binary(max_size=200),
    st.sampled_from(("fifo", "sparse", "link", "directory", "loop")),
)


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(planted=st.lists(st.tuples(PREFIX, HOSTILE, CONTENT), max_size=12), mine=st.booleans())
def test_hostile_names(
    planted: list[tuple[str, str, bytes | str]], mine: bool, hostile: Ground, transport: Shell, short_deadlines: None
) -> None:
    """Names and contents by hypothesis, planted by him before netbench comes."""

    def plant() -> None:
        os.chdir(hostile.place)
        if mine:
            Path(STATE).mkdir()
        for prefix, name, content in planted:
            path = Path(prefix + name)
            try:
                path.parent.mkdir(exist_ok=True)
                if isinstance(content, bytes):
                    with path.open("xb") as file:  # not into a pipe that he has put there himself
                        file.write(content)
                elif content == "fifo":
                    os.mkfifo(path)
                elif content == "sparse":
                    with path.open("xb") as file:
                        file.truncate(1 << 40)
                elif content == "link":
                    path.symlink_to(hostile.canaries[0])
                elif content == "loop":
                    path.symlink_to(path.name)
                else:
                    path.mkdir()
            except (OSError, ValueError):
                continue

    as_attacker(plant)
    generator = random.Random(1)  # noqa: S311
    for work in WORK:
        began = time.monotonic()
        try:
            work(transport, places(hostile), generator)
        except NetbenchError:
            assert mine
        assert time.monotonic() - began < 6 * DEADLINE + LATE
    assert find_jobs(transport, places(hostile)) == []
    hostile.unharmed()
    soon_nothing_left(hostile, DEADLINE + LATE)
    fresh(hostile)
