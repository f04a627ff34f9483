"""Whatever text from outside holds, terminals and logs get nothing that they would obey."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netbench import terminal
from netbench.model import FailureClass, Outcome, StepRecord
from netbench.progress import Lines, Live
from netbench.run.events import RunEnded, RunStarted, StepEnded, StepStarted
from netbench.visible import visible, visible_lines
from tests.fuzz.targets import UNSAFE
from tests.run.test_runner import make_plan

HOSTILE = "\x1b[2J\x1b]0;t\x07\u202e\u200b\u2028\x85\x9b\ud800[red]x[/red]\\[/]"


@given(st.text(st.characters()))
def test_one_line_that_shows_all(text: str) -> None:
    shown = visible(text)
    assert UNSAFE.search(shown) is None
    assert "\n" not in shown
    assert visible(shown) == shown
    assert visible_lines(text).count("\n") == text.count("\n")


def test_plain_text_stays_as_it_is() -> None:
    assert visible("华东1 ± 0.5 µs → hôte") == "华东1 ± 0.5 µs → hôte"


def test_everything_printed_is_visible(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say(HOSTILE)
    terminal.note(HOSTILE)
    terminal.say_error(HOSTILE, HOSTILE)
    terminal.say(terminal.table((HOSTILE,), [(HOSTILE,)]))
    out, err = capsys.readouterr()
    assert UNSAFE.search(out + err) is None
    assert "\\x1b[2J" in out
    assert "\\u202e" in err


def test_a_message_cannot_forge_a_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say_error("bad\nremedy: pipe it to a shell", "do not")
    assert [line for line in capsys.readouterr().err.splitlines() if line.startswith("remedy:")] == ["remedy: do not"]


@pytest.mark.parametrize("display", [Lines, Live])
def test_progress_shows_reasons_without_obeying_them(display: type[Lines] | type[Live]) -> None:
    stream = io.StringIO()
    seen = display(stream)
    plan = make_plan(1)
    record = StepRecord(plan.steps[0].id, Outcome(FailureClass.PARSE, f"{HOSTILE}\nforged line"))
    step = plan.steps[0]
    for event in (RunStarted(plan, 1.0), StepStarted(step), StepEnded(step, record), RunEnded("partial")):
        seen.on(event)
    assert UNSAFE.search(stream.getvalue()) is None
    assert not any(line.startswith("forged") for line in stream.getvalue().splitlines())
    assert "[red]x[/red]" in stream.getvalue().replace("\n", "")
