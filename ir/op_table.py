"""Registries of ops: what one part of the compiler knows of each op, or the reason why it knows nothing.

A pass that must know something of an op asks an ``OpTable``. Nothing is taken for granted: an op that stands in a table
neither with an entry nor with a reason is refused when it is met, and by a test before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from thermoc.ir.ops import FORMS, Op
from thermoc.support.announced import of_table
from thermoc.support.errors import error

T = TypeVar("T")
OpKind = type[Op]
TABLES: list[OpTable[Any]] = []
"""Every table of the modules imported so far."""


def every_op(cls: OpKind) -> bool:
    """The scope of a table of all ops."""
    return True


@dataclass(frozen=True, kw_only=True, eq=False)
class OpTable(Mapping[OpKind, T], Generic[T]):
    """Entries by op class, and reasons for the ops that have none.

    what: what an entry is ("an interval rule"). where: the file and the name to which one adds an op.
    refused: reasons by op class; under a trait or the name of a dialect, for all ops that have it or are of it, so
    that the reason follows from what an op states of itself. follows: entries by trait, likewise, of ops that stand in
    neither. name: by which other packages add entries for their own ops (docs/plugins.md). scope: which ops the table
    is about. Iteration goes over the entries by class alone.
    """

    what: str
    where: str
    name: str = ""
    entries: dict[OpKind, T]
    refused: Mapping[OpKind | str, str] = field(default_factory=dict[OpKind | str, str])
    follows: Mapping[str, T] = field(default_factory=dict[str, T])
    scope: Callable[[OpKind], bool] = every_op

    def __post_init__(self) -> None:
        conflicting = sorted(cls.opname for cls in self.entries if cls in self.refused)
        # At import, before one part of the compiler uses what another refuses.
        if conflicting:
            raise TypeError(f"{self.where}: {', '.join(conflicting)} have {self.what} and are refused")
        TABLES.append(self)

    @cached_property
    def _announced(self) -> Mapping[OpKind, T]:
        """Entries of packages' ops, which are looked for at the first question and not at import."""
        return of_table(self.name) if self.name else {}

    def __getitem__(self, cls: OpKind) -> T:
        entry = self._entry(cls)
        if entry is None:
            raise KeyError(cls)
        return entry

    def __iter__(self) -> Iterator[OpKind]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def find(self, op: Op) -> T | None:
        """Return an op's entry, None where it is refused by name. Errors: T220 for an op the table does not know."""
        entry = self._entry(type(op))
        if entry is None:
            self.reason(op)
        return entry

    def reason(self, op: Op) -> str:
        """Return why an op has no entry, "" where it has one. Errors: T220 for an op the table does not know."""
        cls = type(op)
        if cls in self or not self.scope(cls):
            return ""
        reason = self._refusal(cls)
        if reason is None:
            raise error("T220", f"{op.opname} states no {self.what}", where=op.location, hint=self._cure(cls))
        return reason

    def missing(self, classes: Iterable[OpKind]) -> list[str]:
        """Return, for each class of which the table knows nothing, what to add where."""
        unknown = (cls for cls in classes if self.scope(cls) and cls not in self)
        return [f"{cls.opname}: {self._cure(cls)}" for cls in unknown if self._refusal(cls) is None]

    def _entry(self, cls: OpKind) -> T | None:
        """Return the entry of the class itself, or what follows from its traits where nothing refuses it."""
        if cls in self.entries:
            return self.entries[cls]
        if cls in self._announced or self._refusal(cls) is not None:
            return self._announced.get(cls)
        return next((self.follows[trait] for trait in sorted(cls.traits) if trait in self.follows), None)

    def _refusal(self, cls: OpKind) -> str | None:
        """Return the reason stated for the class itself, for one of its traits or for its dialect."""
        dialect = cls.opname.partition(".")[0]
        # The nearest reason counts: the op's own, a trait's, its dialect's. A set of traits has no order of its own.
        return next((self.refused[key] for key in (cls, *sorted(cls.traits), dialect) if key in self.refused), None)

    def _cure(self, cls: OpKind) -> str:
        forms = sorted(form.upper() for form in FORMS & {*self.follows, *self.refused})
        traits = f"; or state in the class the trait {' or '.join(forms)}" if forms else ""
        return f"add {cls.__name__} to {self.where}, with {self.what}, or with a reason to its refused{traits}"
