"""What other packages add to thermoc: they announce it by entry points, one group a kind of thing (docs/plugins.md).

A part that does not load is left out, told once on standard error and listed by ``thermoc doctor``: what has nothing to
do with it goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from thermoc.support import notices

OPS, MEANINGS = "thermoc.ops", "thermoc.meanings"
OP_TABLES, INSTRUCTIONS = "thermoc.op_tables", "thermoc.instructions"
CHIPS, DEVICES, READERS = "thermoc.chips", "thermoc.devices", "thermoc.readers"
PASSES, BACKENDS = "thermoc.passes", "thermoc.backends"
GROUPS: Mapping[str, str] = {
    OPS: "a dialect: a module whose classes are ops of it",
    MEANINGS: "a module that says in NumPy what ops do",
    OP_TABLES: "what one part of thermoc must know of ops: a mapping from classes, by the table's name",
    INSTRUCTIONS: "a module that declares instructions of the simulator",
    PASSES: "a class of a pass, by the pass's name",
    BACKENDS: "a class of a backend, by the target's name",
    CHIPS: "a package that holds NAME.toml, a chip",
    DEVICES: "a module NAME that declares MODEL, beside NAME.toml",
    READERS: "a function that reads files with the suffix .NAME, or a Format",
}
FAILED: dict[tuple[str, str], str] = {}
"""Why a part does not load, by group and name."""


@cache
def announced(group: str) -> tuple[EntryPoint, ...]:
    """Return what is announced in a group, in the order of names and values."""
    return tuple(sorted(entry_points(group=group), key=lambda point: (point.name, point.value)))


def loaded(group: str) -> Iterator[tuple[EntryPoint, Any]]:
    """Yield each entry point of a group and what it names, without those that do not load."""
    for point in announced(group):
        item = _loaded(point)
        if item is not None:
            yield point, item


def _loaded(point: EntryPoint) -> Any:
    try:
        return point.load()
    except Exception as reason:  # a package of others may fail in any way; the user needs to know which
        return refuse(point, f"{type(reason).__name__}: {reason}")


def refuse(point: EntryPoint, why: str) -> None:
    """Leave a part out, and tell why."""
    if FAILED.setdefault((point.group, point.name), why) == why:
        owner = point.dist.name if point.dist is not None else "a package"
        notices.notify(f"thermoc: {point.name!r} of {owner} is left out ({point.group}, {point.value}): {why}")


def of_table(name: str) -> dict[Any, Any]:
    """Return what packages say of their ops for one table: by op class, the first of two counts."""
    by_name: dict[Any, Any] = {}
    for point in announced(OP_TABLES):
        item = _loaded(point) if point.name == name else None
        if isinstance(item, Mapping):
            by_name = {**item, **by_name}
        elif item is not None:
            refuse(point, "it is no mapping from op classes")
    return by_name


def rows() -> list[dict[str, str]]:
    """Return a row for each part that packages announce: who brings what, and why it is left out."""
    return [
        {
            "part": point.name,
            "group": group,
            "package": point.dist.name if point.dist is not None else "",
            "value": point.value,
            "left out": FAILED.get((group, point.name), ""),
        }
        for group in GROUPS
        for point in announced(group)
    ]
