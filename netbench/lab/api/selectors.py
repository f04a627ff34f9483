"""Label and field selectors: text -> a test."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from netbench.lab.api.statuses import ApiError

Labels = Mapping[str, str]
Test = Callable[[Labels], bool]

_KEY = r"[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?"
_VALUE = r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?"
_SET = re.compile(rf"({_KEY})\s+(in|notin)\s*\(([^()]*)\)")
_EQUAL = re.compile(rf"({_KEY})\s*(==|=|!=)\s*({_VALUE})")
_EXISTS = re.compile(rf"(!?)\s*({_KEY})")


def label_test(selector: str) -> Test:
    """What ``-l`` means: ``a=b``, ``a==b``, ``a!=b``, ``a in (b,c)``, ``a notin (b,c)``, ``a``, ``!a``, by commas.

    Raises ApiError (400) for what is none of these. As in Kubernetes, ``!=`` and ``notin`` hold where the label is not.
    """
    tests = [_requirement(part.strip()) for part in re.split(r",(?![^(]*\))", selector) if part.strip()]
    return lambda labels: all(test(labels) for test in tests)


def field_test(selector: str, fields: tuple[str, ...]) -> Test:
    """What ``--field-selector`` means for an object that can be selected by those fields. Raises ApiError (400)."""
    for part in selector.split(","):
        match = re.match(r"([\w.]+)(==|=|!=)", part)
        if part and (match is None or match[1] not in fields):
            raise ApiError(400, f'field label not supported: "{match[1] if match else part}"')
    return label_test(selector)


def _requirement(text: str) -> Test:
    if match := _SET.fullmatch(text):
        key, operator, values = match[1], match[2], {value.strip() for value in match[3].split(",")}
        if operator == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if match := _EQUAL.fullmatch(text):
        key, operator, value = match[1], match[2], match[3]
        if operator == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if match := _EXISTS.fullmatch(text):
        absent, key = bool(match[1]), match[2]
        return lambda labels: (key in labels) != absent
    raise ApiError(400, f'unable to parse requirement: "{text}"')
