"""Findings in words: what each code says, in any language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from netbench.analyse import Code, Confidence, Finding
from netbench.analyse.limits import REACHED
from netbench.model import Cell
from netbench.report import format
from netbench.report.wording import Wording
from netbench.stats import Interval

Values = Mapping[str, Any]

APART = 1.05  # the largest by the smallest ratio of single cells, from which on their mean does not tell all

VERDICTS = {Confidence.CLEAR: "clear", Confidence.NOISE: "noise", Confidence.UNKNOWN: "unknown"}


def sentence(finding: Finding, words: Wording) -> str:
    """The finding as one or two sentences."""
    return _SAY.get(finding.code, _plain)(finding, words)


def compared_text(finding: Finding, words: Wording) -> str:
    """INTO or OUT_OF as the few words that fit a table, such as "×0.820 (0.790–0.851), clear"."""
    params: Values = finding.params
    if not params["n"]:
        return words("n/a")
    interval = "–".join(_bounds(params))
    ratio = format.ratio(params["ratio"], 3)
    text = words(f"views.{VERDICTS[finding.confidence]}", ratio=ratio, interval=interval)
    return text if params["n"] == params["planned"] else words("views.part", text=text, **_counts(params))


def _plain(finding: Finding, words: Wording) -> str:
    """A code whose params are shown as they are, but for what has a form of its own."""
    return words(finding.code.value, **_common(finding, words))


def _limits(finding: Finding, words: Wording) -> str:
    params: Values = finding.params
    share = words("limit.payload" if params["payload"] < 1 else "limit.whole")
    values = {**_common(finding, words), "share": share}
    doubt = words("limit.noise", reached=format.percent(REACHED)) if finding.confidence is Confidence.NOISE else ""
    return words.sentences((words(finding.code.value, **values), doubt))


def _compared(finding: Finding, words: Wording) -> str:
    params: Values = finding.params
    values = {
        "probe": words.probe(params["probe"]),
        "direction": words(finding.code.value, kind=params["kind"]),
        "baseline": params["baseline"],
    }
    if not params["n"]:
        return words("compared.missing", **values)
    values |= {
        "ratio": format.ratio(params["ratio"], 3),
        "difference": format.difference(params["ratio"]),
        "confidence": format.percent(params["confidence"]),
    }
    verdict = VERDICTS[finding.confidence]
    if finding.confidence is not Confidence.UNKNOWN:
        values["low"], values["high"] = (f"×{bound}" for bound in _bounds(params))
        values |= {"comparisons": params["comparisons"], "p": format.p_value(params["p"])}
    if finding.confidence is Confidence.NOISE:
        values["beyond"] = format.percent(max(params["high"] - 1, 1 - params["low"]))
        verdict = verdict if params["low"] <= 1 <= params["high"] else "alone"
    part = "" if params["n"] == params["planned"] else words("compared.part", **_counts(params))
    least, most = (format.ratio(params[name]) for name in ("least", "most"))
    apart = params["most"] > APART * params["least"]
    wide = words(f"{finding.code.value}.range", least=least, most=most) if apart else ""
    return words.sentences((words(f"compared.{verdict}", **values), wide, part))


def others_text(findings: Sequence[Finding], words: Wording) -> str:
    """Comparisons that show no difference, in one sentence; they are of one probe and one direction."""
    listed = [
        words(
            "compared.other",
            kind=finding.params["kind"],
            baseline=finding.params["baseline"],
            text=compared_text(finding, words),
        )
        for finding in findings
    ]
    probe = words.probe(str(findings[0].params["probe"]))
    return words("compared.others", probe=probe, listed=words("clause").join(listed))


def _counts(params: Values) -> dict[str, object]:
    return {"n": params["n"], "planned": params["planned"]}


def _bounds(params: Values) -> tuple[str, ...]:
    return format.bounds(Interval(params["low"], params["high"])) if params["low"] is not None else ()


def _resolution(finding: Finding, words: Wording) -> str:
    params: Values = finding.params
    enough = params["needed"] is None or params["half"] <= params["wanted"]
    return words("resolution.enough" if enough else "resolution", **_common(finding, words))


def _cell_odd(finding: Finding, words: Wording) -> str:
    params: Values = finding.params
    low, high = (f"×{bound}" for bound in _bounds(params))
    values = {"ratio": format.ratio(params["ratio"], 3), "difference": format.difference(params["ratio"])}
    return words("cell-odd", **{**_common(finding, words), **values, "low": low, "high": high})


def _outliers(finding: Finding, words: Wording) -> str:
    params: Values = finding.params
    values = {"difference": format.difference(params["ratio"]), "worst": words.cell(finding.cells[0])}
    return words("outliers", **{**_common(finding, words), **values})


def _drift(finding: Finding, words: Wording) -> str:
    params: Values = finding.params
    values = {name: format.difference(params[name]) for name in ("ratio", "trend")}
    return words("drift", **{**_common(finding, words), **values})


def _zones(finding: Finding, words: Wording) -> str:
    params: Values = finding.params
    interval = "–".join(_bounds(params))
    ratio = format.ratio(params["ratio"])
    whole = words("zones.whole", ratio=ratio, interval=interval) if interval else ratio
    parts = [words("zones", probe=words.probe(params["probe"]), run=params["run"], whole=whole)]
    for name in ("lower", "higher", "noise"):
        if params[name]:
            cells = [
                f"{words.cell(Cell(entry['source'], entry['destination']))} {format.ratio(entry['ratio'])}"
                for entry in params[name]
            ]
            key = "unknown" if finding.confidence is Confidence.UNKNOWN else name
            parts.append(words(f"zones.{key}", listed=words.joined(cells)))
    return words.sentences(parts)


def _precision(finding: Finding, words: Wording) -> str:
    params: Values = finding.params
    key = "precision.reached" if params["reached"] else f"precision.{params['spent']}"
    half = format.percent(params["half"]) if params["half"] is not None else words("unknown")
    return words(key, **{**_common(finding, words), "half": half})


def _flagged(finding: Finding, words: Wording) -> str:
    params: Values = finding.params
    return words("flagged", meaning=words.named("flag", params["flag"]), **_common(finding, words))


def _facts_differ(finding: Finding, words: Wording) -> str:
    params: Values = finding.params
    values = [
        words("facts-differ.value", value=value, endpoints=words.some(endpoints))
        for value, endpoints in params["values"].items()
    ]
    text = words("facts-differ", fact=words.named("fact", params["fact"]), values=words.some(values))
    return words.sentences((text, words.texts.get(f"facts-differ.{params['fact']}", "")))


def _overall(finding: Finding, words: Wording) -> str:
    params: Values = finding.params
    parts = []
    for verdict in ("clear", "others", "noise", "unknown", "missing"):
        if params[verdict]:
            listed = [_direction(entry, params["baseline"], words) for entry in params[verdict]]
            parts.append(words(f"overall.{verdict}", baseline=params["baseline"], listed=words.joined(listed)))
    return words("overall", probe=words.probe(params["probe"]), parts=words("clause").join(parts))


def _direction(entry: Values, baseline: str, words: Wording) -> str:
    text = words(entry["direction"], kind=entry["kind"])
    if entry["baseline"] != baseline:
        text = words("against", text=text, baseline=entry["baseline"])
    return text if entry["ratio"] is None else f"{text} {format.ratio(entry['ratio'])}"


def _common(finding: Finding, words: Wording) -> dict[str, object]:
    """Each param in the form it usually has."""
    params: Values = finding.params
    values: dict[str, object] = {name: _param(name, value, params, words) for name, value in params.items()}
    cells = words.some([words.cell(cell) for cell in finding.cells])
    return {"cells": cells, **values, "cell": cells, "listed": cells}


def _param(name: str, value: Any, params: Values, words: Wording) -> object:
    if name in ("limit", "mean"):
        return format.quantity(value, params["unit"])
    if name in ("lowest", "highest", "share", "above", "half", "wanted") and isinstance(value, float):
        return format.percent(value)
    if name == "probe":
        return words.probe(value)
    if name == "classes":
        return words.joined([words.named("failure", failure) for failure in value])
    if name == "types":
        return words.joined([kind or words("unknown") for kind in value])
    return value


_SAY: dict[Code, Callable[[Finding, Wording], str]] = {
    Code.LIMIT_ALL: _limits,
    Code.LIMIT_SOME: _limits,
    Code.LIMIT_NONE: _limits,
    Code.INTO: _compared,
    Code.OUT_OF: _compared,
    Code.RESOLUTION: _resolution,
    Code.CELL_ODD: _cell_odd,
    Code.OUTLIERS: _outliers,
    Code.DRIFT: _drift,
    Code.ZONES: _zones,
    Code.PRECISION: _precision,
    Code.FLAGGED: _flagged,
    Code.FACTS_DIFFER: _facts_differ,
    Code.OVERALL: _overall,
}
