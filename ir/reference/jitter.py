"""How far rounding can move a graph: the same ticks with every number some roundings off (Vignes 1993, CESTAC).

What a jittered run changes is what no target can be blamed for. It finds by itself where numbers cancel, where a state
gathers errors, where a trajectory is chaotic, and which units stand within rounding of their threshold.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from thermoc.ir.dialects import core
from thermoc.ir.ops import EXACT, ROUNDED_ONCE, STOCHASTIC, Op
from thermoc.ir.types import Role
from thermoc.ir.values import Value
from thermoc.support.array_types import AnyArray

ROUNDINGS = 16
"""Each number is moved by 8 to 16 roundings of its format; an elementary function is off by a few."""

_EPS = {np.dtype(kind): float(np.finfo(kind).eps) for kind in (np.float64, np.float32)}


class Jitter:
    """Moves numbers at random by a few roundings; whole numbers made of whole numbers are exact and stay.

    given: inputs and constants are moved too, as a change of format does. fine: noise is drawn in float64 whatever the
    format, as before such a change.
    """

    def __init__(self, seed: int, *, given: bool = False, fine: bool = False):
        self._rng = np.random.default_rng(seed)
        self.given, self.fine = given, fine

    def read(self, op: Op, operands: list[Any]) -> list[Any]:
        """Return the operands of an op as it reads them: some roundings off where it sums or compounds."""
        if op.traits & {EXACT, ROUNDED_ONCE} or _picks(op) or _exact(operands):
            return operands
        fixed = [op.operand_specs[name].constant for name in _names(op)]
        return [array if stays or not _is_float(array) else self._moved(array) for stays, array in zip(fixed, operands)]

    def gave(self, op: Op, operands: list[Any], results: AnyArray | tuple[AnyArray, ...]) -> Any:
        """Return the results of an op as others read them."""
        arrays = results if isinstance(results, tuple) else (results,)
        if EXACT in op.traits or _picks(op):
            if not (self.given and isinstance(op, core.Input | core.Stored)):
                return results
            moved = tuple(_where_whole(array, self._moved(array)) if _is_float(array) else array for array in arrays)
        elif operands and _exact([*operands, *arrays]):
            return results
        else:
            pairs = zip(op.results, arrays, strict=True)
            moved = tuple(self._result(op, value, array) for value, array in pairs)
        return moved if isinstance(results, tuple) else moved[0]

    def kept(self, op: Op, state: dict[str, AnyArray]) -> dict[str, AnyArray]:
        """Return the state an op keeps for the next tick."""
        # A delay computes nothing, so its state has no rounding of its own.
        if isinstance(op, core.Delay):
            return state
        return {
            name: _where_whole(array, self._moved(array)) if _is_float(array) else array
            for name, array in state.items()
        }

    def _result(self, op: Op, value: Value, array: AnyArray) -> AnyArray:
        if not _is_float(array) or value.role is Role.spike:
            return array
        floor = 1.0 if STOCHASTIC in op.traits else 0.0  # a cosine near zero is off by a rounding of one
        return self._moved(array, floor)

    def _moved(self, array: AnyArray, floor: float = 0.0) -> AnyArray:
        offset = self._rng.random(array.shape) - 0.5
        offset += np.copysign(0.5, offset)  # half the span at least, so that no number stays where it is
        offset *= ROUNDINGS * _EPS[array.dtype]
        base = np.maximum(np.abs(array), array.dtype.type(floor)) if floor else array
        with np.errstate(all="ignore"):
            moved = array + offset.astype(array.dtype) * base
        return np.where(np.isfinite(array), moved, array)


def _names(op: Op) -> list[str]:
    """Return the operand each entry of the list belongs to, in the interpreter's order."""
    specs = op.operand_specs.items()
    return [name for name, spec in specs for _ in (getattr(op, name) if spec.variadic else (None,))]


def _picks(op: Op) -> bool:
    """Tell whether a reduction or a pool returns one of its operand's elements, or its place."""
    return isinstance(op, core.Reduce | core.Pool) and op.kind not in ("sum", "mean")


def _is_float(array: Any) -> bool:
    return array is not None and array.dtype.kind == "f"


def _exact(arrays: list[Any]) -> bool:
    """Tell whether all of these are whole numbers that their format holds."""
    return all(bool(_whole(array).all()) for array in arrays if _is_float(array))


def _whole(array: AnyArray) -> AnyArray:
    return (array == np.rint(array)) & (np.abs(array) < 1 / _EPS[array.dtype])


def _where_whole(array: AnyArray, other: AnyArray) -> AnyArray:
    """Return ``array`` where it is whole, ``other`` elsewhere."""
    return np.where(_whole(array), array, other)
