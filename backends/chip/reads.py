"""What an op reads: the units, its own or others', whose values and states each unit of it depends on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects.heat import Diffusion
from thermoc.ir.ops import Op

OWN = frozenset({"*s", "~s", "*s n", "~t", "~n", "n", "", "?"})
"""Shapes of operands by which no unit is coupled to another."""


def units_read(op: Op, low: int, high: int) -> NDArray[np.int64]:
    """Return the units whose states units low to high of an op depend on: neighbours on a grid, else all or none."""
    units = np.arange(op.results[0].size)
    if isinstance(op, Diffusion):
        grid, near = units.reshape(op.results[0].shape), []
        for axis, length in enumerate(grid.shape):
            for step in (-1, 1):
                # roll wraps around the edges; what wrapped counts only on a periodic grid.
                neighbour, position = np.roll(grid, step, axis), np.indices(grid.shape)[axis]
                inside = (position - step >= 0) & (position - step < length) | (op.boundary == "periodic")
                near.append(neighbour.ravel()[low:high][inside.ravel()[low:high]])
        return np.unique(np.concatenate(near))
    coupled = any(spec.shape not in OWN for spec in op.operand_specs.values())
    return units if coupled else units[:0]
