"""How far rounding can move a graph: the same ticks with every number some roundings off (Vignes 1993, CESTAC).

What a jittered run changes is what no target can be blamed for. It finds by itself where numbers cancel, where a state
gathers errors, where a trajectory is chaotic, and which units stand within rounding of their threshold.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects import core, thermo
from thermoc.ir.ops import STOCHASTIC, Op
from thermoc.ir.types import Role
from thermoc.ir.values import Value

ROUNDINGS = 16
"""Each number is moved by 8 to 16 roundings of its format; an elementary function is off by a few."""

MOVES: frozenset[str] = frozenset(
    f"core.{name}"
    for name in (
        *("input", "constant", "tick", "delay", "reshape", "flatten", "transpose", "broadcast", "concat", "slice"),
        *("neg", "abs", "sign", "floor", "minimum", "maximum", "select", "cast", "and", "or", "not"),
        *("less", "less_equal", "greater", "greater_equal", "equal"),
    )
) | {thermo.Uniform.opname}
"""Ops that only move, pick or compare: nothing is rounded in them."""

SINGLE = frozenset(f"core.{name}" for name in ("exp", "expm1", "log", "sqrt", "sin", "cos", "tanh")) | {
    f"core.{name}" for name in ("add", "sub", "mul", "div", "pow")
}
"""Ops rounded once, at the end. All others sum or compound, and are also given their operands some roundings off."""


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
        """Return the operands of an op as it reads them."""
        if op.opname in MOVES or op.opname in SINGLE or _picks(op) or _exact(operands):
            return operands
        held = [op.operand_specs[name].constant for name in _names(op)]
        return [array if fixed or not _is_float(array) else self._moved(array) for fixed, array in zip(held, operands)]

    def gave(self, op: Op, operands: list[Any], results: Any) -> Any:
        """Return the results of an op as others read them."""
        arrays = results if isinstance(results, tuple) else (results,)
        if op.opname in MOVES or _picks(op):
            if not (self.given and isinstance(op, core.Input | core.Constant)):
                return results
            moved = tuple(_where_whole(array, self._moved(array)) if _is_float(array) else array for array in arrays)
        elif operands and _exact([*operands, *arrays]):
            return results
        else:
            pairs = zip(op.results, arrays, strict=True)
            moved = tuple(self._result(op, value, array) for value, array in pairs)
        return moved if isinstance(results, tuple) else moved[0]

    def kept(self, op: Op, state: dict[str, NDArray]) -> dict[str, NDArray]:
        """Return the state an op keeps for the next tick."""
        if isinstance(op, core.Delay):
            return state
        return {
            name: _where_whole(array, self._moved(array)) if _is_float(array) else array
            for name, array in state.items()
        }

    def _result(self, op: Op, value: Value, array: NDArray) -> NDArray:
        if not _is_float(array) or (value.type is not None and value.type.role is Role.spike):
            return array
        least = 1.0 if STOCHASTIC in op.traits else 0.0  # a cosine near nought is off by a rounding of one
        return self._moved(array, least)

    def _moved(self, array: NDArray, least: float = 0.0) -> NDArray:
        share = self._rng.random(array.shape) - 0.5
        share += np.copysign(0.5, share)
        share *= ROUNDINGS * _EPS[array.dtype]
        base = np.maximum(np.abs(array), array.dtype.type(least)) if least else array
        with np.errstate(all="ignore"):
            moved = array + share.astype(array.dtype) * base
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


def _whole(array: NDArray) -> NDArray:
    return (array == np.rint(array)) & (np.abs(array) < 1 / _EPS[array.dtype])


def _where_whole(array: NDArray, other: NDArray) -> NDArray:
    """Return ``array`` where it is whole, ``other`` elsewhere."""
    return np.where(_whole(array), array, other)
