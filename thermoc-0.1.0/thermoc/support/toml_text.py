"""TOML that somebody else wrote: bounded in size, depth and digits."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from typing import Any

from thermoc.support.errors import error
from thermoc.support.json_text import check_depth
from thermoc.support.limits import DEPTH, TEXT_BYTES
from thermoc.support.loading import cut, shown, too_large

_LONG_KEY = re.compile(rf"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{DEPTH + 1}}}""", re.ASCII)


def parse_toml(
    text: str, source: object, *, code: str = "T513", parse_float: Callable[[str], Any] = float
) -> dict[str, Any]:
    """Return the tables of a TOML text. code: of the error where it is none. Errors: ``code``, T504."""
    if len(text) > TEXT_BYTES:
        raise too_large(source, len(text), TEXT_BYTES)
    if _LONG_KEY.search(text):  # tomllib takes quadratic time for these
        raise error("T504", f"{shown(source)} nests too deeply", notes=[f"a key has more than {DEPTH} parts"])
    try:
        tables = tomllib.loads(text, parse_float=parse_float)
    except RecursionError:
        raise error("T504", f"{shown(source)} nests too deeply", notes=[f"the limit is {DEPTH} levels"]) from None
    except (ValueError, ArithmeticError) as reason:
        raise error(code, f"{shown(source)} is not TOML", notes=[cut(str(reason))]) from None
    check_depth(tables, source)
    return tables
