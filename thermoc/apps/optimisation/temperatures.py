"""Between which temperatures a model is cooled."""

from __future__ import annotations

import numpy as np

from thermoc.physics.ising_model import IsingModel
from thermoc.support.array_types import FloatArray


def span(model: IsingModel) -> tuple[float, float]:
    """Return a hot temperature, at which most spins are free, and a cold one, at which next to none is.

    Hot: the root mean square of the field on a spin, about where a glass of many neighbours freezes (P12: T_c = J
    sqrt(degree) of Sherrington and Kirkpatrick). Cold: an eighth of it, or less where the smallest fields ask for it.
    """
    squares = np.bincount(model.J.indices, model.J.data**2, minlength=model.size) + model.h**2
    squares = squares[squares > 0]
    if not len(squares):
        return 1.0, 0.1
    hot = float(np.sqrt(np.mean(squares)))
    sizes = np.abs(np.concatenate([model.J.data, model.h]))
    smallest = float(sizes[sizes > 0].min())
    return hot, float(np.clip(0.3 * smallest, 0.02 * hot, 0.15 * hot))


def cooling(model: IsingModel, levels: int) -> FloatArray:
    """Return temperatures (levels,) that fall geometrically (P23), the last one 0: a descent."""
    hot, cold = span(model)
    return np.append(np.geomspace(hot, cold, max(levels - 1, 1)), 0.0)


def shares(total: int, levels: int) -> np.ndarray:
    """Return whole numbers (levels,) that add up to a total, as equal as can be."""
    ends = np.linspace(0, total, levels + 1).round().astype(np.int64)
    return np.diff(ends)
