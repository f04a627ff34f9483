"""All languages say the same, and all of it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from string import Formatter

import pytest

from netbench.analyse import Code
from netbench.errors import UsageError
from netbench.model import Cell, FailureClass
from netbench.probes.registry import load_probes
from netbench.report import build_document, wording
from netbench.report.environment import FACTS
from netbench.report.wording import LANGUAGES
from tests.report.campaigns import CAMPAIGNS

OTHERS = [lang for lang in LANGUAGES if lang != "en"]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("lang", OTHERS)
def test_languages_have_the_same_keys_and_placeholders(lang: str) -> None:
    ours, english = LANGUAGES[lang], LANGUAGES["en"]
    assert set(ours) == set(english)
    assert {key: placeholders(text) for key, text in ours.items()} == {
        key: placeholders(text) for key, text in english.items()
    }


def test_chinese_is_chinese() -> None:
    """But for what has no translation, every text holds a Chinese character."""
    words = {key: re.sub(r"\{\w+\}", "", text) for key, text in LANGUAGES["zh"].items()}
    same = {
        key for key, text in words.items() if re.search("[A-Za-z]{2}", text) and not re.search("[\u4e00-\u9fff]", text)
    }
    assert same == {"fact.iperf3", "fact.ping", "fact.mtu", "environment.versions"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_everything_that_is_known_has_a_word(lang: str) -> None:
    texts = LANGUAGES[lang]
    wanted = [f"{prefix}.{failure.value}" for failure in FailureClass for prefix in ("failure", "remedy")]
    wanted += [f"fact.{fact}" for fact in FACTS]
    for name, probe in load_probes().items():
        wanted += [f"probe.{name}", f"better.{name}", *(f"metric.{name}.{metric.name}" for metric in probe.metrics)]
    assert [key for key in wanted if key not in texts] == []


@dataclasses.dataclass
class Watched(Mapping[str, str]):
    """Texts that note which of them are asked for."""

    texts: Mapping[str, str]
    used: set[str] = dataclasses.field(default_factory=set)

    def __getitem__(self, key: str) -> str:
        self.used.add(key)
        return self.texts[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    def __len__(self) -> int:
        return len(self.texts)


def test_the_golden_reports_use_every_text_and_every_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that there is no dead text, and no sentence that nobody has ever read."""
    watched = Watched(LANGUAGES["en"])
    monkeypatch.setitem(LANGUAGES, "en", watched)  # type: ignore[arg-type]
    for make in CAMPAIGNS.values():
        campaign = make()
        build_document(campaign.manifest, campaign.plan, campaign.records, other=campaign.other)
    words = ("failure.", "remedy.", "flag.", "fact.", "evidence.")
    durations = {"seconds"}  # see test_durations
    assert {key for key in set(watched) - watched.used if not key.startswith(words)} == durations
    codes = {code.value for code in Code} - {"flagged", "overall"}
    assert {code for code in codes if not any(used.startswith(code) for used in watched.used)} == set()


def test_values_are_never_taken_for_placeholders() -> None:
    words = wording.wording("en")
    assert words.cell(Cell("{kind}", "{0.__class__}")) == "{kind} → {0.__class__}"


def test_long_lists_are_cut_and_say_so() -> None:
    words = wording.wording("en")
    assert words.some(list("abcdef")) == "a, b, c, d, e, f"
    assert words.some(list("abcdefgh")) == "a, b, c, d, e, f and 2 more"


@pytest.mark.parametrize(("seconds", "text"), [(7.4, "7 s"), (125, "2 min 5 s"), (7800, "2 h 10 min")])
def test_durations(seconds: float, text: str) -> None:
    assert wording.wording("en").duration(seconds) == text


def test_a_language_that_there_is_not() -> None:
    with pytest.raises(UsageError, match="language fr") as caught:
        wording.wording("fr")
    assert caught.value.remedy == "choose from en, zh"
