"""JSON that somebody else wrote: bounded in size, values, depth and digits, and strict (no NaN, no half letters)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any, NoReturn, cast

from thermoc.support.errors import error
from thermoc.support.limits import DEPTH, DIGITS, JSON_BYTES, JSON_VALUES
from thermoc.support.loading import damaged, read_bytes, shown, too_large


def read_json(path: str | os.PathLike[str], format: str, *, most: int = JSON_BYTES) -> Any:
    """Return the document in a JSON file. format: what the file is to be, for messages. Errors: T501, T502, T504."""
    return parse_json(read_bytes(path, most=most), path, format, most=most)


def parse_json(data: bytes, source: object, format: str, *, most: int = JSON_BYTES) -> Any:
    """Return the document in JSON text. Errors: T502 (not JSON), T504 (beyond a limit)."""
    if len(data) > most:
        raise too_large(source, len(data), most)
    # An upper bound without parsing: each value but the first follows a comma, a bracket or a brace.
    values = data.count(b",") + data.count(b"[") + data.count(b"{")
    if values > JSON_VALUES:
        raise error("T504", f"{shown(source)} holds {values} values", notes=[f"the limit is {JSON_VALUES}"])
    try:
        document = json.loads(data.decode(), parse_int=_integer, parse_constant=_refused)
        json.dumps(document, ensure_ascii=False).encode()  # halves of surrogate pairs are no text
    # The parser itself recurses, and so may fail before the depth is checked.
    except (ValueError, RecursionError) as reason:
        raise damaged(source, format, f"it is not JSON: {reason}") from None
    check_depth(document, source)
    return document


def check_depth(document: Any, source: object) -> None:
    """Refuse a document of more than ``DEPTH`` levels, so that what reads it may recurse. Errors: T504."""
    # Level by level: what checks whether recursion is safe cannot itself recurse.
    level: list[Any] = [document]
    depth = 0
    while level:
        level = [inner for item in level for inner in _members(item) if isinstance(inner, dict | list)]
        depth += 1
        if depth > DEPTH:
            raise error("T504", f"{shown(source)} nests too deeply", notes=[f"the limit is {DEPTH} levels"])


def as_object(value: object) -> dict[str, Any] | None:
    """Return a value that is a JSON object as one, else None."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _members(value: object) -> Iterable[Any]:
    """Return what an object or a list holds; nothing of anything else."""
    if isinstance(value, dict):
        return cast("dict[str, Any]", value).values()
    return cast("list[Any]", value) if isinstance(value, list) else ()


def _integer(digits: str) -> int:
    # int() takes quadratic time in the number of digits (CVE-2020-10735).
    if len(digits) > DIGITS:
        raise ValueError(f"an integer of {len(digits)} digits, the limit is {DIGITS}")
    return int(digits)


def _refused(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
