"""How the meaning of an op is written down.

A pure op has ``step(op, ctx, *operands) -> result or tuple``. A stateful op has ``start(op, ctx, *operands) -> state``
and either ``step(op, ctx, state, *operands) -> (results, state')`` or, where its output depends on its state alone,
``read(op, state) -> results`` and ``advance(op, ctx, state, *operands) -> state'``. Every array carries the batch axis
in front; it has length 1 where the value is the same for every sample. Where ``thermoc.learning`` can differentiate an
op, its meaning is written on the array API standard, and what the standard has no word for is asked of the context.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from thermoc.ir.ops import Op
from thermoc.ir.types import Shape, Type
from thermoc.support import philox
from thermoc.support.array_types import AnyArray, BoolArray
from thermoc.support.errors import error
from thermoc.support.namespaces import as_type, namespace

State = dict[str, AnyArray]
Read = Callable[[Any, State], Any]
"""(op, state) -> results."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a tick knows: its number, the length of a tick, the seed, the batch and the number of its first sample.

    fine: noise is drawn in float64 and then rounded to the format it is wanted in.
    """

    tick: int
    dt: float
    seed: int
    batch: int
    first_sample: int = 0
    fine: bool = False

    def meaning(self, op: Op) -> Pure | Stateful | Delayed:
        """Return what an op does."""
        if type(op) not in MEANINGS:
            hint = "the package that brings it announces a module of meanings (docs/plugins.md)"
            raise error("T220", f"{op.opname} has no meaning", where=op.location, hint=hint)
        return MEANINGS[type(op)]

    def array(self, numbers: AnyArray) -> AnyArray:
        """Return numbers that no operand decides, as an array of the kind that the run is in."""
        return numbers

    def stored(self, op: Any) -> AnyArray:
        """Return the numbers of a constant or a parameter, (1, *shape)."""
        return op.value.numpy[np.newaxis]

    def decided(self, up: BoolArray, drive: AnyArray, level: AnyArray | float) -> AnyArray:
        """Return 1 where a unit fires, else 0, in the format of its drive; it fires as drive comes to exceed level."""
        return as_type(up, drive.dtype)

    def sampled(self, up: BoolArray, drive: AnyArray, T: AnyArray, noise: AnyArray) -> AnyArray:
        """Return 1 where a unit goes up, else 0: where drive > T noise, with the chance 1 / (1 + exp(-drive / T))."""
        return as_type(up, drive.dtype)

    def chosen(self, fires: BoolArray, x: AnyArray, T: AnyArray, noise: AnyArray) -> AnyArray:
        """Return 1 for the unit of the last axis that is chosen, of least x + T noise, else 0: by the chances of P5."""
        return as_type(fires, x.dtype)

    def words(self, shape: Shape, stream: int, draw: int) -> philox.Words:
        """Return one Philox block for each element of (batch, *shape); the element is sample * units + unit."""
        units = int(np.prod(shape))
        first = self.first_sample * units
        # Counted over the samples of the whole run, so that a batch that is split draws the same numbers.
        element = np.arange(first, first + self.batch * units, dtype=np.uint64).reshape(self.batch, *shape)
        return philox.words(element, tick=self.tick, draw=draw, stream=stream, seed=self.seed)

    def normal(self, kind: Type, stream: int, draw: int = 0) -> AnyArray:
        """Return standard normals of (batch, *shape)."""
        z = philox.normal(self.words(kind.shape, stream, draw), self._drawn(kind)).astype(kind.dtype.numpy)
        return self.array(z)

    def uniform(self, kind: Type, stream: int, draw: int = 0) -> AnyArray:
        """Return uniforms in (0, 1) of (batch, *shape)."""
        block = self.words(kind.shape, stream, draw)
        u = philox.uniform(block[0], block[1], self._drawn(kind)).astype(kind.dtype.numpy)
        # A float64 just below 1 may round to 1 in float32, whose logit is infinite.
        below = np.minimum(u, np.nextafter(u.dtype.type(1), u.dtype.type(0))) if self.fine else u
        return self.array(below)

    def _drawn(self, kind: Type) -> np.dtype[Any]:
        return np.dtype(np.float64) if self.fine else kind.dtype.numpy


@dataclass(frozen=True, kw_only=True)
class Pure:
    """The meaning of an op without state."""

    step: Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Stateful:
    """The meaning of an op whose results within the tick depend on its operands and its state."""

    start: Callable[..., State]
    step: Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Delayed:
    """The meaning of an op whose results depend on its state alone, which moves at the end of the tick."""

    start: Callable[..., State]
    read: Read
    advance: Callable[..., State]


MEANINGS: dict[type[Op], Pure | Stateful | Delayed] = {}


def pure(cls: type[Op]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Record the decorated function as the meaning of a pure op."""

    def record(function: Callable[..., Any]) -> Callable[..., Any]:
        MEANINGS[cls] = Pure(step=function)
        return function

    return record


def aligned(*arrays: AnyArray) -> tuple[AnyArray, ...]:
    """Return arrays (batch, *shape) with axes inserted after the batch, so that the shapes of samples broadcast."""
    # NumPy would add axes in front of the batch, and samples would broadcast against units.
    rank = max(array.ndim for array in arrays)
    return tuple(array.reshape(array.shape[0], *(1,) * (rank - array.ndim), *array.shape[1:]) for array in arrays)


def whole(array: AnyArray, kind: Type) -> AnyArray:
    """Return the array broadcast to (its batch, *shape of the type)."""
    shape = (array.shape[0], *kind.shape)
    raised = array.reshape(array.shape[0], *(1,) * (len(shape) - array.ndim), *array.shape[1:])
    return namespace(array).broadcast_to(raised, shape)
