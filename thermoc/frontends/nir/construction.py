"""A graph on its way from a model: what is built, and how a node's op and its parameters are put in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.nir.nodes import COMPARISONS, RESETS, NirModel, NirNode, at, repair, unreadable
from thermoc.frontends.nir.shapes import Shape, fitted
from thermoc.ir.builder import Builder
from thermoc.ir.graph import NameSource
from thermoc.ir.handle import Handle
from thermoc.support.errors import Finding, ThermocError, error


@dataclass(frozen=True, kw_only=True)
class Conventions:
    """What the caller says of units: method, reset, compare; None leaves it to the node's metadata, and else to NIR."""

    method: str | None = None
    reset: str | None = None
    compare: str | None = None

    def of(self, node: NirNode) -> Conventions:
        """Return what holds for a node: the caller's word, else the note in its metadata."""
        reset, compare = node.metadata.get("reset", ""), node.metadata.get("compare", "")
        return Conventions(
            method=self.method,
            reset=self.reset or (reset if reset in RESETS else None),
            compare=self.compare or (compare if compare in COMPARISONS else "greater"),
        )


@dataclass(kw_only=True)
class Construction:
    """The model, the options, the shapes that nodes read and give, and what is built so far, by node."""

    model: NirModel
    builder: Builder
    conventions: Conventions
    wants: dict[str, Shape]
    gives: dict[str, Shape]
    fresh: NameSource
    handles: dict[str, Handle] = field(default_factory=dict)
    repairs: list[Finding] = field(default_factory=list)

    def enter(self, name: str) -> None:
        """Let what is built from here on stand at a node of the file, by its name: ops are saved, folders are not."""
        self.builder.place = at(Path(self.model.source).name, name)

    def repaired(self, name: str, what: str, *notes: str) -> None:
        """Note a repair of a node."""
        self.repairs.append(repair(what, *notes, where=at(self.model.source, name)))


def add(site: Construction, name: str, cls: Any, operands: dict[str, Any], attrs: Any, label: str = "") -> Handle:
    """Append a node's op; what it finds wrong names the node."""
    try:
        return site.builder.add(cls, operands, attrs, label or name)[0]
    except ThermocError as problem:
        notes = [note for finding in problem.findings for note in (finding.what, *finding.notes)]
        first, where = problem.findings[0], at(site.model.source, name)
        raise error(first.code, f"node {name!r} does not fit", where=where, notes=notes, hint=first.hint) from None


def full(site: Construction, name: str, array: NDArray, shape: Shape) -> NDArray:
    """Return a parameter with an element for each unit. Errors: T508 where it does not fit them."""
    if array.shape == shape:
        return array
    # As many numbers as units are taken in order, whichever axes of 1 or flattening their writer gave them.
    if array.size == np.prod(shape):
        return array.reshape(shape)
    layout = fitted(array.shape, shape)
    if layout is None:
        fact = f"a parameter has shape {list(array.shape)}, the input {list(shape)}"
        raise unreadable(site.model.source, name, fact)
    return np.broadcast_to(array.reshape(layout), shape)
