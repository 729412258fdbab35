"""What is being read of a Brian2 network, and how it is refused: the object's name and the line of its code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from thermoc.ir.builder import Builder
from thermoc.support.errors import Finding, Location, ThermocError, error
from thermoc.support.loading import cut

MOST_OPS = 100_000
"""Ops that a network may become."""
MOST_ELEMENTS = 2**26
"""Numbers that one table of times, or one array of pairs, may hold."""


@dataclass(kw_only=True)
class ObjectSite:
    """The network's source, the builder, and the object and code being read."""

    source: str
    builder: Builder
    dt: float
    """The network's tick in seconds: that of the fastest clock."""
    object: str = ""
    kind: str = ""
    code: str = ""
    repairs: list[Finding] = field(default_factory=list)

    def enter(self, item: Any) -> None:
        """Let what is built and refused from here on stand at an object of the network."""
        self.object, self.kind, self.code = item.name, type(item).__name__, ""
        self.builder.place = self.place
        if len(self.builder.ops) > MOST_OPS:
            raise error("T504", f"{self.source} asks for too much", notes=[f"it becomes more than {MOST_OPS} ops"])

    @property
    def place(self) -> Location:
        """The object in its network."""
        return Location.of_node(self.source, f"object {cut(self.object, 80)!r}")

    def refuse(self, why: str, *notes: str, code: str = "T508", hint: str = "") -> ThermocError:
        """Return the error of an object that cannot be read, and why; its code is shown."""
        shown = (f"in: {cut(self.code)}",) if self.code else ()
        return error(code, f"{self.kind}: {why}", where=self.place, notes=(*shown, *notes), hint=hint)

    def assume(self, what: str, *notes: str) -> None:
        """Note, once, what was assumed."""
        if all(finding.what != what for finding in self.repairs):
            self.repairs.append(Finding(code="W501", what=what, where=self.place, notes=notes))
