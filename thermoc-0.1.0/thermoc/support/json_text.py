"""JSON that somebody else wrote: bounded in size, values, depth and digits, and strict (no NaN, no half letters)."""

from __future__ import annotations

import json
import os
from typing import Any, NoReturn

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
    values = data.count(b",") + data.count(b"[") + data.count(b"{")
    if values > JSON_VALUES:
        raise error("T504", f"{shown(source)} holds {values} values", notes=[f"the limit is {JSON_VALUES}"])
    try:
        document = json.loads(data.decode(), parse_int=_integer, parse_constant=_refused)
        json.dumps(document, ensure_ascii=False).encode()  # halves of surrogate pairs are no text
    except (ValueError, RecursionError) as reason:
        raise damaged(source, format, f"it is not JSON: {reason}") from None
    check_depth(document, source)
    return document


def check_depth(document: Any, source: object) -> None:
    """Refuse a document of more than ``DEPTH`` levels, so that what reads it may recurse. Errors: T504."""
    level, depth = [document], 0
    while level:
        items = (item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list))
        level = [inner for inside in items for inner in inside if isinstance(inner, dict | list)]
        depth += 1
        if depth > DEPTH:
            raise error("T504", f"{shown(source)} nests too deeply", notes=[f"the limit is {DEPTH} levels"])


def _integer(digits: str) -> int:
    if len(digits) > DIGITS:
        raise ValueError(f"an integer of {len(digits)} digits, the limit is {DIGITS}")
    return int(digits)


def _refused(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
