"""What a pass is: a graph rewrite with options, which says what it needs and what it gives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.parameters import ParameterCone
from thermoc.ir.types import DType
from thermoc.passes.change_log import Log
from thermoc.passes.option_text import stated
from thermoc.support.errors import Finding


@dataclass(frozen=True)
class Property:
    """Something that is true of a graph, or not; ``broken`` returns what breaks it."""

    name: str
    broken: Callable[[Graph], list[Finding]]


def no_trait(trait: str, *, but: Callable[[Op, Graph], bool] = lambda op, graph: False) -> Property:
    """No op has the trait, but for those that ``but`` names."""

    def broken(graph: Graph) -> list[Finding]:
        return [
            Finding(code="T201", what=f"{op.opname} is {trait}", where=op.location)
            for op in graph.ops
            if trait in op.traits and not but(op, graph)
        ]

    return Property(f"no {trait} op", broken)


def floats_are(dtype: DType) -> Property:
    """Every float of the graph has this dtype, but for what is computed of parameters before the first tick."""

    def broken(graph: Graph) -> list[Finding]:
        # Operands are results of other ops, so results alone cover every value.
        before = ParameterCone(graph).inner
        values = ((op, value) for op in graph.ops for value in op.results if value.name not in before)
        return [
            Finding(code="T201", what=f"{op.opname}: {value} is {value.type}", where=op.location)
            for op, value in values
            if value.type is not None and value.type.dtype.is_float and value.type.dtype is not dtype
        ]

    return Property(f"floats are {dtype}", broken)


@dataclass(frozen=True, kw_only=True)
class Pass(ABC):
    """A graph rewrite. Its fields are its options; it prints as ``name{option=value}``, which parses back.

    ``needs`` must hold before, ``gives`` holds after; the manager checks both, and verifies the graph after.
    """

    name: ClassVar[str]
    needs: ClassVar[tuple[Property, ...]] = ()
    untyped: ClassVar[bool] = False
    """True for a pass that takes graphs whose types are not all known."""
    folds: ClassVar[bool] = False
    """True for a pass after which more numbers are known: what is wrong with these was wrong with the network."""

    @property
    def gives(self) -> tuple[Property, ...]:
        """What holds after the pass."""
        return ()

    @abstractmethod
    def run(self, graph: Graph, log: Log) -> Graph:
        """Return the new graph; the old one is left as it was."""

    def __str__(self) -> str:
        options = stated(self)
        return self.name + (f"{{{options}}}" if options else "")
