"""The model as JSON and back: the same on both sides, in a form that people can read."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from netbench import __version__
from netbench.errors import RunDirError
from netbench.model import Manifest, Plan, StepRecord

Document = TypeVar("Document", Manifest, Plan, StepRecord)

SCHEMA = 1  # of manifest.json, plan.json and the lines of samples.jsonl; higher where older readers would go wrong

_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {kind: TypeAdapter(kind) for kind in (Manifest, Plan, StepRecord)}


def encode(value: Manifest | Plan | StepRecord, where: str, *, indent: int | None = None) -> bytes:
    """A document as JSON in UTF-8; ``where`` names the file in errors.

    Text that is not Unicode (a lone surrogate, as from an argument that is not UTF-8) becomes question marks. Raises
    RunDirError for a number that is not finite: JSON has none, and no result is infinite.
    """
    document = {"schema": SCHEMA, **_ADAPTERS[type(value)].dump_python(value, mode="json")}
    try:
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=indent)
    except ValueError as error:
        raise RunDirError(
            f"{where}: cannot keep a number that is not finite: {value!r:.300}",
            "report this as a fault of the probe that gave it",
        ) from error
    return text.encode("utf-8", "replace")


def decode(kind: type[Document], data: bytes, where: str) -> Document:
    """The document from its JSON. Raises RunDirError that starts with ``where`` for anything else."""
    try:
        document = json.loads(data.decode("utf-8"), parse_float=_finite, parse_constant=_not_finite)
    except (ValueError, RecursionError) as error:
        raise RunDirError(f"{where}: not JSON: {error}", "restore it from a copy") from error
    if not isinstance(document, dict):
        raise RunDirError(f"{where}: not a JSON object", "is that a file of netbench's?")
    schema = document.pop("schema", None)
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise RunDirError(f"{where}: it has no schema number", "is that a file of netbench's?")
    if schema > SCHEMA:
        raise RunDirError(
            f"{where}: written by a newer netbench (schema {schema}; {__version__} reads up to {SCHEMA})",
            "use that newer netbench to read it",
        )
    try:
        return cast(Document, _ADAPTERS[kind].validate_python(document))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise RunDirError(f"{where}: {key}: {first['msg']}", "restore it from a copy, or run again") from error


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a finite number")
    return number


def _not_finite(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a finite number")
