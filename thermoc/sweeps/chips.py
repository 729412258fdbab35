"""Numbers of a chip's file that a sweep varies."""

from __future__ import annotations

from thermoc.simulator.chips.variants import place_of
from thermoc.support.suggestions import near
from thermoc.support.toml_text import parse_toml
from thermoc.sweeps.axes import wrong


def check_keys(text: str, keys: list[str]) -> None:
    """Refuse numbers that the chip's file does not have. Errors: T520."""
    tables = parse_toml(text, "the chip")
    known = [f"{table}.{key}" for table, rows in tables.items() if isinstance(rows, dict) for key in rows]
    for key in keys:
        if key not in known:
            raise wrong("chip", key, "the chip's file has no such number", hint=near(key, known))
        if place_of(text, key) is None:
            raise wrong("chip", key, "it is no number that stands in one line as { value = ..., }")
