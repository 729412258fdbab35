"""A graph run on another's values: each op computes from what the other graph holds, and so errs by itself alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.ops import Op
from thermoc.ir.reference.meaning import MEANINGS, Delayed, aligned

Shifts = Mapping[tuple[str, str], NDArray]
"""By an op's first result and the name of one of its operands: what is added to it, (ticks, batch, *shape)."""


class Steered:
    """Takes the place of jitter in a run of the reference: replaces values and states, shifts operands.

    values: by name, (ticks, batch, *shape), what takes the place of an op's result; ``computed`` keeps what the op
    gave. states: by the op's first result and the state's name, what it is after each tick (shorter: then as it is).
    added, drifts: like ``values`` and ``states``, what is added in place of replacing something.
    """

    given = fine = False

    def __init__(
        self,
        values: Mapping[str, NDArray] | None = None,
        states: Shifts | None = None,
        shifts: Shifts | None = None,
        added: Mapping[str, NDArray] | None = None,
        drifts: Shifts | None = None,
    ):
        self.values, self.states, self.shifts = values or {}, states or {}, shifts or {}
        self.added, self.drifts = added or {}, drifts or {}
        self.computed: dict[str, list[NDArray]] = {}
        self.after: dict[tuple[str, str], list[NDArray]] = {}
        self._ticks: dict[str, int] = {}

    def read(self, op: Op, operands: list[Any]) -> list[Any]:
        """Return the operands of an op as it reads them."""
        if not op.results or not any(key[0] == op.results[0].name for key in self.shifts):
            return operands
        key, delayed = op.results[0].name, isinstance(MEANINGS.get(type(op)), Delayed)
        # An op with a delayed state reads its operands after it has answered, when its count is one further.
        tick = max(self._ticks.get(key, 0) - delayed, 0)
        moved = list(operands)
        for index, name in enumerate(op.operand_specs):
            shift = self.shifts.get((key, name))
            if shift is not None and moved[index] is not None:
                moved[index] = np.add(*aligned(moved[index], shift[tick]))
        return moved

    def gave(self, op: Op, operands: list[Any], results: Any) -> Any:
        """Return the results of an op as others read them."""
        key = op.results[0].name
        tick = self._ticks.get(key, 0)
        self._ticks[key] = tick + 1
        arrays = results if isinstance(results, tuple) else (results,)
        moved = tuple(self._result(value.name, array, tick) for value, array in zip(op.results, arrays, strict=True))
        return moved if isinstance(results, tuple) else moved[0]

    def kept(self, op: Op, state: dict[str, NDArray]) -> dict[str, NDArray]:
        """Return the state an op keeps for the next tick."""
        key = op.results[0].name
        tick, moved = self._ticks[key] - 1, dict(state)
        for name, array in state.items():
            if (key, name) in self.drifts:
                moved[name] = array + self.drifts[key, name][tick]
            steered = self.states.get((key, name))
            if steered is not None:
                self.after.setdefault((key, name), []).append(array)
                if tick < len(steered):
                    moved[name] = steered[tick]
        return moved

    def _result(self, name: str, array: NDArray, tick: int) -> NDArray:
        if name in self.added:
            return np.add(array, self.added[name][tick])
        if name not in self.values:
            return array
        self.computed.setdefault(name, []).append(array)
        # In the op's own format, as if it had computed them.
        return self.values[name][tick].astype(array.dtype)
