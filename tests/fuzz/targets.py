"""What is fuzzed: for any bytes at all, a target returns or raises a NetbenchError; anything else is a fault.

Run by atheris (``make fuzz``), which looks for new ways through the code, and in CI over the kept corpus and over what
hypothesis makes up.
"""

from __future__ import annotations

import base64
import contextlib
import json
import math
import re
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from netbench.errors import NetbenchError
from netbench.inventory import describe, discover, load
from netbench.inventory.files import read_tree
from netbench.inventory.lineage import Lineage
from netbench.inventory.patterns import select
from netbench.inventory.tree import Tree
from netbench.model import (
    Cluster,
    Command,
    Completed,
    Endpoint,
    Inventory,
    LocalAccess,
    Manifest,
    Measurement,
    Moved,
    Node,
    Plan,
    PlannedEndpoint,
    PodAccess,
    PodSource,
    StepRecord,
)
from netbench.probes.latency import Latency
from netbench.probes.pps import Pps
from netbench.probes.throughput import Throughput
from netbench.report import build_document, render
from netbench.run.evidence import peers, read, split
from netbench.run.jobs import FrameReader
from netbench.run.preflight import _facts
from netbench.run.presence import addresses
from netbench.run.snapshots import activity
from netbench.run.validity import judge
from netbench.store import RunDir
from netbench.store.documents import decode, encode
from netbench.transports.fake import QUIET
from netbench.transports.wire import GREETING, KEPT, Answer
from tests.fuzz.changes import Choices, changed
from tests.fuzz.growth import OWN

ROOT = Path(__file__).parents[2]
SAMPLE_RUN = ROOT / "reports" / "sample"
CORPUS = Path(__file__).parent / "corpus"
CASES = Path(__file__).parents[1] / "probes" / "cases"
SERVERS = Path(__file__).parents[1] / "probes" / "servers"
LARGEST = 64 * 1024  # bytes of an input that has a limit of time
SECONDS = 0.25  # of CPU that it may cost, the best of three: a busy machine is no fault
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

HOSTS = """\
all:
  vars:
    netbench_instance_types: {t: {bandwidth: 2e9, pps: 1e6, queues: 4, source: s}}
    netbench_pods: [{selector: app=n, namespace: n, container: c, kubeconfig: k, context: x, control: a-01}]
    netbench_max_parallel: 1
  children:
    g:
      vars: {netbench_zone: z, ansible_ssh_common_args: -o ProxyJump=u@j:22}
      hosts:
        a-[01:03]: {ansible_user: u, ansible_port: 22}
        b: {ansible_host: 198.18.0.1, netbench_kind: k, netbench_node_addresses: [198.18.0.2]}
"""
INI = """\
[g]
a[1:3] netbench_zone=z ansible_host=198.18.0.9 netbench_node_addresses='["198.18.0.1"]'
[h:children]
g
[all:vars]
netbench_max_parallel=1
"""
TOKEN = "0123456789abcdef" * 2
LIMITS = "a-[01:02]:&g:!b,~a.*,198.18.0.1,g[0],g[0:1],*"


def inventory_yaml(data: bytes) -> None:
    _load("hosts.yaml", data)


def inventory_ini(data: bytes) -> None:
    _load("hosts.ini", data)


def settings(data: bytes) -> None:
    """Variables of the group all, instance types among them."""
    _load("group_vars/all.yml", data, {"hosts.ini": b"n netbench_zone=z\n"})


def limit(data: bytes) -> None:
    pattern = data.decode("utf-8", "replace")
    # a regular expression is the user's own, and may take as long as it wants to
    if "~" not in pattern:
        with contextlib.suppress(NetbenchError):
            select(pattern, *_tree(HOSTS))


def limit_regex(data: bytes) -> None:
    """Only whether it compiles: no host is there that could match at length."""
    with contextlib.suppress(NetbenchError):
        select("~" + data.decode("utf-8", "replace")[:40], *_tree("all: {hosts: {n: }}"))


def iperf3(data: bytes) -> None:
    for probe in (Throughput(duration=3), Pps(duration=3)):
        _parse(probe, Completed(0, data, b""))
        _parse(probe, Completed(1, b"", data))


def iperf3_json(data: bytes) -> None:
    choices = Choices(data)
    known = _iperf3_cases()
    probe, document, exit_code = known[choices.below(len(known))]
    _parse(probe, Completed(exit_code, _json(changed(document, choices)), b""))


def ping(data: bytes) -> None:
    exit_code = len(data) % 3
    _parse(Latency(), Completed(exit_code, data, b""))
    _parse(Latency(), Completed(exit_code, b"", data))


def server(data: bytes) -> None:
    """What a server says, to a client's result that is one."""
    for probe, document in _served():
        with contextlib.suppress(NetbenchError):
            probe.prove(Completed(0, document, b""), Completed(-1, data, b""))
        with contextlib.suppress(NetbenchError):
            probe.prove(Completed(0, document, b""), Completed(-1, b"", data))


def snapshots(data: bytes) -> None:
    """Of one end, and with flags made of them."""
    for host in (data, QUIET + data, data + QUIET):
        found = activity(host)
        if found is not None:
            assert math.isfinite(found.seconds)
            judge(Measurement((), moved=Moved(1.0, 1.0)), {"source": found, "destination": None})


def presence(data: bytes) -> None:
    addresses(data)


def evidence(data: bytes) -> None:
    """What an endpoint says of itself, as facts and as evidence."""
    facts, seen = split(_facts(data.decode("utf-8", "replace")))
    planned = PlannedEndpoint("a", "host", "n", "z", "198.18.0.1")
    endpoint = Endpoint("a", "host", "n", "198.18.0.1", LocalAccess())
    pod = Endpoint("p", "pod", "n", "198.18.0.2", PodAccess(Cluster(), "default", "p", "c"))
    found = peers({"a": endpoint, "p": pod}, {"a": seen, "p": seen})
    for text in read(planned, endpoint, facts, seen, found.get("p", "")).values():
        assert text.isprintable(), text


def pods(data: bytes) -> None:
    _discover(data, _json(_nodes()))


def pods_json(data: bytes) -> None:
    _discover(_json(changed(_pods(), Choices(data))), _json(_nodes()))


def nodes_json(data: bytes) -> None:
    _discover(_json(_pods()), _json(changed(_nodes(), Choices(data))))


def frames(data: bytes) -> None:
    """What an endpoint says of a job, in pieces."""
    beats: list[object] = []
    reader = FrameReader(beats.append)
    for start in range(0, len(data), 7):
        reader.feed(data[start : start + 7])
    if reader.result is not None:
        assert isinstance(reader.result.completed, Completed)


def wire(data: bytes) -> None:
    """What a shell answers: the same in pieces of any size, and never more than was asked for."""
    kept: list[tuple[object, ...]] = []
    for size in (len(data) or 1, 1 + len(data) % 5):
        taken = bytearray()
        answer = Answer(TOKEN, 1000, taken.extend)
        failed = ""
        try:
            for start in range(0, len(data), size):
                answer.feed(data[start : start + size])
        except NetbenchError as error:
            failed = type(error).__name__
        assert len(answer.output) <= 1000
        assert taken == answer.output
        assert answer.said().isascii() or len(answer.said()) <= 4 * KEPT
        kept.append((failed, answer.exit_code, None if failed else bytes(answer.output)))
    assert len(data) > 60_000 or kept[0][:2] == kept[1][:2], kept


def document(data: bytes) -> None:
    for kind in (Manifest, Plan, StepRecord):
        with contextlib.suppress(NetbenchError):
            encode(decode(kind, data, "f"), "f")


def journal(data: bytes) -> None:
    """A journal in any state takes a record more, and has it then, unless it says what is wrong with it."""
    with _directory() as directory:
        run = RunDir(directory)
        (directory / "samples.jsonl").write_bytes(data)
        with contextlib.suppress(NetbenchError):
            before = run.records()
            record = StepRecord("fuzz", _a_record().outcome)
            run.append(record)
            assert run.records() == (*before, record)


def run(data: bytes) -> None:
    """A run directory that is valid but for a few places, as a report."""
    choices = Choices(data)
    documents = _run()
    which = choices.below(3)
    documents[which] = changed(documents[which], choices)
    manifest, plan, records = documents
    with contextlib.suppress(NetbenchError), _directory() as directory:
        (directory / "manifest.json").write_bytes(_json(manifest))
        (directory / "plan.json").write_bytes(_json(plan))
        lines = records if isinstance(records, list) else [records]
        (directory / "samples.jsonl").write_bytes(b"".join(_json(line) + b"\n" for line in lines))
        opened = RunDir.open(directory.parent, directory)
        lang = ("en", "zh")[len(data) % 2]
        found = UNSAFE.search(render(build_document(opened.manifest(), opened.plan(), opened.records(), lang=lang)))
        assert found is None, ascii(found)


TARGETS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each
    for each in (
        *(inventory_yaml, inventory_ini, settings, limit, limit_regex, iperf3, iperf3_json, ping, pods, pods_json),
        *(nodes_json, frames, wire, document, journal, run, server, snapshots, presence, evidence),
    )
}


#: Those that read what an endpoint says: nobody may make us spend time on it.
REMOTE = ("iperf3", "iperf3_json", "ping", "pods", "pods_json", "nodes_json", "frames", "wire", *OWN)


def attempt(name: str, data: bytes) -> float:
    """Run a target, and fail where an endpoint's input costs too much; returns the seconds of CPU, the least of all."""
    least = math.inf
    for _ in range(3):
        begun = time.process_time()
        TARGETS[name](data)
        least = min(least, time.process_time() - begun)
        if least <= SECONDS or name not in REMOTE or len(data) > LARGEST:
            return least
    raise AssertionError(f"{name}: {len(data)} bytes cost {least:.2f} s of CPU: {data[:80]!r}...")


def kept(name: str) -> list[bytes]:
    """The corpus: inputs that took new ways through the code once, and those that once were faults."""
    path = CORPUS / f"{name}.json"
    return [base64.b64decode(unit) for unit in json.loads(path.read_text())] if path.exists() else []


def seeds(name: str) -> list[bytes]:
    """Valid input to begin with, so that the fuzzer need not invent the formats."""
    raw = [path.read_bytes() for path in sorted((SAMPLE_RUN / "raw").glob("*.client.out"))]
    found: dict[str, list[bytes]] = {
        "inventory_yaml": [HOSTS.encode(), *(path.read_bytes() for path in (ROOT / "inventories").glob("*.yaml"))],
        "inventory_ini": [INI.encode(), *(path.read_bytes() for path in (ROOT / "inventories").glob("*.ini"))],
        "settings": [b"netbench_lab: true\nnetbench_kind_order: [a, b]\nnetbench_instance_types: {t: {pps: 1}}\n"],
        "limit": [LIMITS.encode(), *(part.encode() for part in LIMITS.split(","))],
        "limit_regex": [b"a|[b-c]{2}(?P<x>d)"],
        "iperf3": [_json(document) for _, document, _ in _iperf3_cases()[:3]],
        "server": [_server_text(path) for path in sorted(SERVERS.glob("v3.12-*.json"))],
        "snapshots": [QUIET],
        "presence": [
            b"Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 198.18.1.12\n        /32 host LOCAL\n" + b"0" * 32 + b" 01\n"
        ],
        "evidence": [
            b"nic=eth0\nseen.link=2: eth0@if3: mtu 1500 qdisc mq \\    link/ether 02:00:00:00:00:01 \\    veth \n"
        ],
        "ping": [text for text in raw if text.startswith(b"PING")][:2],
        "pods": [_json(_pods())],
        "frames": [
            b"hello\nready\nbeat 12.5 10 -\nframe 0 3 2 4\nabcdehostend\n",
            b"gone\n",
            b"frame overdue 0 0 0\nend\n",
        ],
        "wire": _answers(),
        "document": [_json(each) for each in _small_run()],
        "journal": [encode(_a_record(), "") + b"\n" + encode(_a_record(), "") + b"\n", encode(_a_record(), "")],
    }
    return found.get(name, [bytes(range(16)), b"\x00" * 8, b"\xff" * 8])


def _answers() -> list[bytes]:
    token = TOKEN.encode()
    lines = [b"\n%b l ready\n" % token, b"\n%b n beat 1.5 - -\n" % token, b"\n%b d 5\nabcde" % token]
    end = b"\n%b e 0 1\n" % token
    return [
        b"Welcome\n" + GREETING + b"".join(lines) + end,
        GREETING + b"\n%b o\nraw \n%b\n" % (token, token[:-1]) + b"\n%b e 7 -\n" % token,
        lines[0] + b"\n%b e 0 9\n" % token,
        b"\n%b d 999999999999\nabc" % token,
    ]


@cache
def _tree(text: str) -> tuple[Tree, Lineage]:
    with _directory() as directory:
        (directory / "hosts.yaml").write_text(text)
        tree = read_tree(directory / "hosts.yaml")
    return tree, Lineage(tree)


def _load(name: str, data: bytes, others: dict[str, bytes] | None = None) -> None:
    with contextlib.suppress(NetbenchError), _directory() as directory:
        for each, text in {**(others or {}), name: data}.items():
            path = directory / each
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text)
        describe(load(directory / next(iter(others or [name]))))


@contextlib.contextmanager
def _directory() -> Any:
    with tempfile.TemporaryDirectory(prefix="netbench-fuzz-") as name:
        yield Path(name)


def _parse(probe: Any, completed: Completed) -> None:
    with contextlib.suppress(NetbenchError):
        for sample in probe.parse(completed).samples:
            assert math.isfinite(sample.value), sample
            assert sample.value >= 0, sample


def _discover(pods: bytes, nodes: bytes) -> None:
    answers = {"pods": Completed(0, pods, b""), "nodes": Completed(0, nodes, b"")}

    def run_for(source: PodSource) -> Callable[[Command], Completed]:
        return lambda command: answers[command.argv[2]]

    given = Inventory("f", (Node("n1", "z"),), (), (PodSource("p", Cluster(), "n", "app=n"),))
    with contextlib.suppress(NetbenchError):
        for row in describe(discover(given, run_for)):
            assert all(cell.isprintable() for cell in row), row


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _pods() -> Any:
    def pod(name: str, node: str) -> Any:
        return {
            "metadata": {"name": name, "labels": {"netbench/kind": "k"}, "annotations": {"a": "b"}},
            "spec": {"nodeName": node, "hostNetwork": False, "containers": [{"name": "c"}]},
            "status": {
                "phase": "Running",
                "podIP": "198.18.1.1",
                "hostIP": "198.18.0.1",
                "conditions": [{"type": "Ready", "status": "True", "reason": "x"}],
                "containerStatuses": [{"state": {"waiting": {"reason": "x"}}}],
            },
        }

    return {"items": [pod("p1", "n1"), pod("p2", "n2")]}


def _nodes() -> Any:
    labels = {"topology.kubernetes.io/zone": "z", "node.kubernetes.io/instance-type": "t"}
    addresses = [{"type": "InternalIP", "address": "198.18.0.1"}]
    return {"items": [{"metadata": {"name": "n2", "labels": labels}, "status": {"addresses": addresses}}]}


@cache
def _iperf3_cases() -> list[tuple[Any, Any, int]]:
    """(probe, valid JSON, exit code) of real outputs; without the interim reports, which nothing reads."""
    found = []
    for probe, folder in ((Throughput, "throughput"), (Pps, "pps")):
        for path in sorted((CASES / folder).glob("*.json")):
            case = json.loads(path.read_text(encoding="utf-8"))
            if "samples" in case["expected"]:
                with contextlib.suppress(ValueError):
                    loaded = json.loads("\n".join(case["stdout"]))
                    loaded.pop("intervals", None)
                    found.append((probe(**case["options"]), loaded, case["exit_code"]))
    return found


@cache
def _served() -> list[tuple[Any, bytes]]:
    """Probes with a client's result."""
    cases = [json.loads((SERVERS / f"{name}.json").read_text()) for name in ("v3.12-tcp", "v3.21-udp")]
    made = {"throughput": Throughput, "pps": Pps}
    return [(made[case["probe"]](**case["options"]), _json(case["client"])) for case in cases]


def _server_text(path: Path) -> bytes:
    return "\n".join(json.loads(path.read_text())["stdout"]).encode()


@cache
def _a_record() -> StepRecord:
    line = (SAMPLE_RUN / "samples.jsonl").read_bytes().split(b"\n")[0]
    return decode(StepRecord, line, "sample")


def _small_run() -> list[Any]:
    """manifest, plan and a record, with one of everything."""
    manifest, plan, records = _run()
    one = {name: plan[name][:1] for name in ("steps", "endpoints")}
    types = dict(list(manifest["instance_types"].items())[:1])
    return [
        {**manifest, "environment": manifest["environment"][:1], "instance_types": types},
        {**plan, **one},
        records[0],
    ]


def _run() -> list[Any]:
    """manifest, plan and records of the sample run, of its first round only."""
    manifest, plan = (json.loads((SAMPLE_RUN / f"{name}.json").read_text()) for name in ("manifest", "plan"))
    lines = [json.loads(line) for line in (SAMPLE_RUN / "samples.jsonl").read_text().splitlines()]
    plan["steps"] = [step for step in plan["steps"] if step["round"] == 1]
    known = {step["id"] for step in plan["steps"]}
    return [manifest, plan, [line for line in lines if line["step"] in known]]
