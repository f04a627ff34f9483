"""Attacks through the whole of netbench in the lab, as they were first shown."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from netbench.lab.spec import LabSpec
from tests.e2e.campaign import bench, netbench
from tests.lab.conftest import Lab, running_lab
from tests.surroundings.catalogue import ALL
from tests.surroundings.ground import NODES, Ground
from tests.surroundings.test_surroundings import LATE, harmless

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[2]
QUICK = ("--probes", "latency", "--rounds", "1", "--profile", "smoke", "--keep-going")
PLANT = r"""cd /tmp
for prefix in netbench-lease. lease. netbench-65534/lease. netbench-0/lease.; do
  mkdir -p -- "$(dirname -- "$prefix.")"
  : >"${prefix}1 \\0057run\\0057canary\\0057bash\\0057draft"
  : >"${prefix}2 \\0057root\\0057canary\\0057bash\\0057*"
  : >"${prefix}3 *"
  truncate -s 1T "${prefix}4"
  mkfifo "${prefix}5"
  ln -s /root/canary/bash/file "${prefix}6"
done
"""


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with running_lab(tmp_path_factory.mktemp("lab"), LabSpec(zones={"zone-a": NODES})) as state:
        wanted = ("bash", "tcsh-variables", "csh-variables", "rc-exits")
        yield Ground(state, [one for one in ALL if one.name in wanted])


def named(ground: Ground, path: Path, *names: str) -> Path:
    return ground.inventory(path, [one for one in ground.surroundings if one.name in names])


def test_csh_runs_none_of_our_lines(ground: Ground, tmp_path: Path) -> None:
    """surroundings/03: `set draft=FILE` and `set dir=DIR` in an rc file; check, bench, and a resume with its sweep."""
    names = [one.name for one in ground.surroundings if "variables" in one.name]
    if not names:
        pytest.skip("neither tcsh nor bsd-csh is installed here (CI installs them)")
    inventory = named(ground, tmp_path / "hosts.json", *names, "rc-exits")
    reports = tmp_path / "reports"
    campaign = bench("--inventory", str(inventory), "--pairs", "3", *QUICK, reports=reports, lab=ground.state)
    assert campaign.exit_code == 1, campaign.stdout + campaign.stderr  # there is no way to the one that exits
    failures = {record["outcome"]["failure"] for record in campaign.records}  # type: ignore[index]
    assert failures == {None, "login-shell"}
    harmless(ground)
    again = netbench("bench", "--resume", "latest", "--reports", str(reports), "--keep-going", lab=ground.state)
    assert again.returncode == 1, again.stdout + again.stderr
    harmless(ground)


def test_no_users_file_name_reaches_roots_rm(ground: Ground, tmp_path: Path) -> None:
    """security/03: names, sparse files, pipes and links of a local user's, against bench, clean and clean --force."""
    for node in NODES:
        ground.site.run(node, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "bash", "-c", PLANT)
    inventory = named(ground, tmp_path / "hosts.json", "bash")
    planted = {node: ground.look(node).files for node in NODES}
    campaign = bench("--inventory", str(inventory), *QUICK, reports=tmp_path / "reports", lab=ground.state)
    assert campaign.exit_code == 0, campaign.stdout + campaign.stderr
    for options in (("--dry-run",), (), ("--force",)):
        done = Lab(ground.state).run(
            *(sys.executable, "-m", "netbench", "clean", "--inventory", str(inventory), *options),
            cwd=ROOT,
            timeout=LATE * 2,
        )
        assert done.returncode in (0, 1), done
        assert b"Traceback" not in done.stdout + done.stderr
        assert b"removed" not in done.stdout.replace(b"would be removed", b""), done
    assert {node: ground.look(node).files for node in NODES} == planted
    for node in NODES:
        ground.site.run(node, "sh", "-c", "rm -rf /tmp/netbench-* /tmp/lease.*")
    harmless(ground)
