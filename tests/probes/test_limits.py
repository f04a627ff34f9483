"""Output of any size and shape: what is a result stays one, and what is not costs little and says why."""

from __future__ import annotations

import contextlib
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from netbench.errors import ParseError
from netbench.model import Completed, FailureClass
from netbench.probes.base import OUTPUT_LIMIT, Probe, ProvesServer, output_limit
from netbench.probes.iperf3_json import DEEPEST, Size
from netbench.probes.latency import Latency
from netbench.probes.pps import Pps
from netbench.probes.throughput import Throughput

from .casefile import CASES, FOLDER, read_case

GOOD = read_case(FOLDER / "throughput" / "debian-3.12-ok.json")
MEMORY = 30 * 2**20  # bytes that reading a result may take, besides the result's own


def failure(probe: Probe, stdout: bytes, stderr: bytes = b"") -> ParseError:
    with pytest.raises(ParseError) as caught:
        probe.parse(Completed(0, stdout, stderr))
    assert len(str(caught.value)) < 1000
    return caught.value


def good() -> Any:
    return json.loads(GOOD.completed.text)


def with_reports(probe: Throughput, streams: int, seconds: int) -> bytes:
    """A client's output as long as a test's of that many streams and seconds is, indented with tabs as iperf3 does."""
    document = good()
    one = document["intervals"][0]
    one["streams"] = [one["streams"][0]] * streams
    document["intervals"] = ["reports"]
    document["start"]["test_start"]["num_streams"] = streams
    document["end"]["streams"] = [document["end"]["streams"][0]] * streams
    for sums in ("sum_sent", "sum_received"):
        factor = seconds / document["end"][sums]["seconds"]
        for key in ("seconds", "end", "bytes"):
            document["end"][sums][key] *= factor
    report = json.dumps(one, indent="\t").replace("\n", "\n\t\t")
    head, tail = json.dumps(document, indent="\t").split('"reports"')
    return (head + ", ".join([report] * seconds) + tail).encode()


def resident() -> int:
    """Bytes of memory that this process has had at most since it was asked last."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    Path("/proc/self/clear_refs").write_text("5")
    return int(line.split()[1]) * 1024


@pytest.mark.parametrize(
    ("probe", "least", "most"),
    [
        (Throughput(), 180_000, 400_000),
        (Throughput(duration=300, parallel=128), 17_000_000, 64_000_000),
        (Throughput(parallel="auto"), 3_000_000, 8_000_000),
        (Pps(), 90_000, 400_000),
        (Pps(duration=60, interval=0.1), 600_000, 2_000_000),
        (Latency(), 4_000, 400_000),
        (Latency(count=100_000, interval=0.001), 9_000_000, 64_000_000),
    ],
)
def test_a_limit_follows_from_the_options(probe: Probe, least: int, most: int) -> None:
    assert least < output_limit(probe) < most


def test_a_probe_that_says_nothing_has_a_limit_too() -> None:
    assert output_limit(object()) == OUTPUT_LIMIT == 2**20  # type: ignore[arg-type]
    assert not isinstance(Latency(), ProvesServer)


def test_every_real_output_is_far_below_its_limit() -> None:
    for case in CASES:
        assert len(case.completed.stdout) < 0.5 * output_limit(case.probe), case.name


def test_a_long_test_of_many_streams_is_read_and_takes_little_memory() -> None:
    probe = Throughput(duration=300, parallel=128)
    output = with_reports(probe, 128, 300)
    assert 12_000_000 < len(output) < 0.6 * probe.output_limit
    resident()
    before = resident()
    measurement = probe.parse(Completed(0, output, b""))
    assert resident() - before < MEMORY  # what it had at most: a trace of 17 MB takes minutes
    assert measurement.facts["streams"] == "128"


@pytest.mark.parametrize("probe", [Throughput(), Pps(), Latency()])
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_output_over_the_limit_is_not_read(probe: Probe, stream: str) -> None:
    flood = GOOD.completed.stdout + bytes(output_limit(probe))
    error = failure(probe, flood) if stream == "stdout" else failure(probe, GOOD.completed.stdout, flood)
    assert error.failure is FailureClass.OUTPUT_LIMIT
    assert f"at most {output_limit(probe)}" in str(error)
    assert error.remedy


def test_a_result_that_is_long_besides_its_interim_reports_is_no_result() -> None:
    probe = Throughput(duration=3, parallel=4)
    document = good()
    document["extra"] = "x" * Size(4, 5).ends
    output = json.dumps(document).encode()
    assert len(output) < probe.output_limit
    assert failure(probe, output).failure is FailureClass.OUTPUT_LIMIT


FILLED = [("[],", 4), ('{"":0},', 4), ('"ab",', 4), ("\n{}", 4), ('{"":0},', 128)]  # the last is the worst


@pytest.mark.parametrize(("piece", "streams"), FILLED)
@pytest.mark.parametrize(
    ("beginning", "ending"), [('{"start":{},"end":{"streams":[', "0]}}"), ('{"intervals":[', "0]}")]
)
def test_no_output_takes_much_memory(streams: int, beginning: str, ending: str, piece: str) -> None:
    probe = Throughput(duration=3, parallel=streams)
    size = Size(streams, 0).ends - len(beginning) - len(ending)
    assert peak(probe, (beginning + piece * (size // len(piece)) + ending).encode()) < MEMORY


def peak(probe: Probe, output: bytes) -> int:
    """Bytes of memory at most, besides the output."""
    completed = Completed(0, output, b"")
    tracemalloc.start()
    try:
        with contextlib.suppress(ParseError):
            probe.parse(completed)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"a":[', "{\n"])
def test_nesting_without_end_is_no_json(opening: str) -> None:
    deep = opening * (60_000 // len(opening))
    for text in (deep, '{"start":' + deep, '{"error":' + deep, '{"intervals":' + deep):
        assert failure(Throughput(), text.encode()).failure is FailureClass.PARSE


def test_nesting_is_counted() -> None:
    for depth, refused in ((DEEPEST - 1, False), (DEEPEST, True)):
        document = {**good(), "extra": json.loads("[" * depth + "]" * depth)}
        output = json.dumps(document).encode()
        if refused:
            assert failure(GOOD.probe, output).failure is FailureClass.PARSE
        else:
            assert GOOD.probe.parse(Completed(0, output, b"")).samples


@pytest.mark.parametrize(
    "number", ["9" * 41, "9" * 60_000, "1" + "0" * 400, "1e999", "-1e999", "NaN", "Infinity", "-1"]
)
@pytest.mark.parametrize("key", ["bytes", "seconds", "bits_per_second", "retransmits"])
def test_a_number_that_is_none_is_an_invalid_result(key: str, number: str) -> None:
    document = good()
    document["end"]["sum_sent"][key] = "?"
    output = json.dumps(document).replace('"?"', number).encode()
    assert failure(GOOD.probe, output).failure is FailureClass.INVALID_RESULT


def test_what_is_wrong_in_the_interim_reports_is_not_read() -> None:
    """3.1 writes nan there where a second had no packet."""
    document = good()
    document["intervals"] = ["?"]
    for junk in ("nan", '"]}"', r'"\"]"', r'"\\"', "{}", "[[], {}]", '"intervals": [1]'):
        output = json.dumps(document).replace('"?"', junk).encode()
        assert GOOD.probe.parse(Completed(0, output, b"")) == GOOD.probe.parse(GOOD.completed)


def test_a_document_is_found_behind_what_only_begins_like_one() -> None:
    for junk in (b"{\n", b"{ warning\n", b"{}\n" * 20, b'{"a": "\n', b"{]\n"):
        found = GOOD.probe.parse(Completed(0, junk + GOOD.completed.stdout, b""))
        assert found == GOOD.probe.parse(GOOD.completed)


def test_a_long_word_is_no_version() -> None:
    document = good()
    document["start"]["version"] = "iperf 3.12" + "x" * 1000
    assert "start.version" in str(failure(GOOD.probe, json.dumps(document).encode()))


def test_the_reason_is_found_at_the_end_of_many_words() -> None:
    error = failure(
        Throughput(), b"", b"warning: x\n" * 5000 + b"iperf3: error - unable to connect: Connection refused\n"
    )
    assert error.failure is FailureClass.REFUSED
