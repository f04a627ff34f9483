"""All that a report is made from, put together once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from netbench.analyse import Analysis, Code, Finding
from netbench.model import Manifest, Plan
from netbench.report.sentences import sentence
from netbench.report.wording import Wording


@dataclass(frozen=True)
class Material:
    """A run, what it comes to, what it says, and the language to say it in."""

    manifest: Manifest
    plan: Plan
    analysis: Analysis
    findings: tuple[Finding, ...]
    words: Wording

    def sentences(self, codes: Iterable[Code]) -> tuple[str, ...]:
        """The findings of these codes in words, in the order they were found."""
        wanted = set(codes)
        return tuple(sentence(finding, self.words) for finding in self.findings if finding.code in wanted)
