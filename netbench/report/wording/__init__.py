"""The words of a report, one file a language; all languages have the same keys and placeholders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netbench.errors import UsageError
from netbench.model import Cell
from netbench.report.wording import en, zh

LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": en.TEXTS, "zh": zh.TEXTS}
SHOWN = 6  # items of a list in a sentence


@dataclass(frozen=True)
class Wording:
    """One language. Values are put in as they are: what they say is never taken for a placeholder."""

    lang: str
    texts: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """The text of that key; KeyError where the language lacks it."""
        return self.texts[key].format(**values)

    def named(self, *path: str) -> str:
        """The word for a thing such as ("metric", probe, metric); its own name where there is none."""
        return self.texts.get(".".join(path), path[-1])

    def probe(self, name: str) -> str:
        return self.named("probe", name)

    def cell(self, cell: Cell) -> str:
        return self("cell", source=cell.source, destination=cell.destination)

    def joined(self, items: Sequence[str]) -> str:
        """All items, as a list in a sentence."""
        return self("list").join(items)

    def some(self, items: Sequence[str]) -> str:
        """The first items, and how many more there are."""
        if len(items) <= SHOWN:
            return self.joined(items)
        return self("more", shown=self.joined(items[:SHOWN]), count=len(items) - SHOWN)

    def sentences(self, parts: Sequence[str]) -> str:
        """Sentences, one after the other; empty ones are left out."""
        return self("sentence").join(part for part in parts if part)

    def duration(self, seconds: float) -> str:
        whole = round(seconds)
        if whole >= 3600:
            return self("hours", hours=whole // 3600, minutes=whole % 3600 // 60)
        if whole >= 60:
            return self("minutes", minutes=whole // 60, seconds=whole % 60)
        return self("seconds", seconds=whole)


def wording(lang: str) -> Wording:
    """The wording of a language. Raises UsageError where there is none."""
    if lang not in LANGUAGES:
        raise UsageError(f"there is no wording for language {lang}", f"choose from {', '.join(LANGUAGES)}")
    return Wording(lang, LANGUAGES[lang])
