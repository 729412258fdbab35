"""Units by stochastic differential equations: the noise that must have made each step of theirs (P26, P29, P47)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.certificates.draws import of_array, standard_normals
from thermoc.certificates.law import Finding, Skipped
from thermoc.certificates.observed import Observed
from thermoc.ir.equations.arrays import arrays_as
from thermoc.ir.equations.methods import METHODS
from thermoc.ir.equations.motion import Motion
from thermoc.ir.equations.reading import numbers_of, system_of

MOST_NUMBERS = 2**22
"""Numbers of a run's states that are stepped again."""


def stochastic(observed: Observed) -> Iterator[Finding | Skipped]:
    """Each step of the equations, solved for its noise: it must come out standard normal.

    The step of the op's own method is taken again without noise and with each noise alone. That is all of it where
    noise enters linearly; other methods are left out by name. Ticks of a reset are left out too.
    """
    op: Any = observed.op
    x = observed["x"][: max(2, MOST_NUMBERS // max(observed["x"][0].size, 1))]
    draws: set[int] = set()
    before, after = x[:-1], x[1:]
    if op.refractory or len(x) < 2:
        reason = "units that rest after a spike keep what the noise would change"
        yield Skipped(law="P47", op=observed.label, reason=reason)
        return

    def stepped(noise: dict[int, float]) -> NDArray:
        return _step(observed, before, len(x), lambda draw: draws.add(draw) or noise.get(draw, 0.0))

    still = stepped({})
    order = sorted(draws)
    columns = [stepped({draw: 1.0}) - still for draw in order]
    doubled = [stepped({draw: 2.0}) - still for draw in order]
    size = max((float(np.abs(column).max()) for column in columns), default=0.0)
    if size == 0 or any(np.abs(two - 2 * one).max() > 1e-9 * size for one, two in zip(columns, doubled)):
        yield Skipped(law="P47", op=observed.label, reason=f"noise does not enter a step of {op.method} linearly")
        return
    if len(order) > x.shape[2]:
        reason = f"{len(order)} noises drive {x.shape[2]} variables: which did what cannot be told"
        yield Skipped(law="P47", op=observed.label, reason=reason)
        return
    # Axes (ticks, samples, variable, *units) to (ticks, samples, units, variable, noise).
    B = np.moveaxis(np.stack(columns, axis=-1), 2, -2)
    moved = np.moveaxis(after - still, 2, -1)[..., np.newaxis]
    gram = np.swapaxes(B, -1, -2) @ B
    z = np.linalg.solve(gram, np.swapaxes(B, -1, -2) @ moved)[..., 0]
    if op.threshold:
        fired = observed["s"][1 : len(x)] > 0
        z = z[~fired.any(axis=tuple(range(1, fired.ndim)))]
    if len(z) < 2:
        yield Skipped(law="P47", op=observed.label, reason="a unit fires at every tick: each step ends in a reset")
        return
    yield from standard_normals(observed, "the noise of a step", of_array(z), len(z))


def _step(observed: Observed, before: NDArray, ticks: int, normal: Callable[[int], float]) -> NDArray:
    """Return the states (ticks, samples, variable, *units) after a step with the same noise for all.

    A tick's states are those after it, so its step starts from the tick before, with the inputs of its own.
    """
    op: Any = observed.op
    rank = before.ndim - 1
    named = {name: _aligned(observed.arrays[f"given[{k}]"], before) for k, name in enumerate(op.names)}
    time = (observed.first_tick + 1 + np.arange(ticks - 1)).reshape(-1, *(1,) * (rank - 1)) * observed.dt
    x = [before[:, :, k] for k in range(len(op.variables))]
    motion = Motion(
        system=system_of(op),
        algebra=arrays_as(x[0]),
        names={**numbers_of(op), **named},
        numbers={**numbers_of(op), **named},
        dt=observed.dt,
        time=lambda: time,
        normal=lambda draw: np.full(x[0].shape, normal(draw)),
        sqrt=lambda value: value**0.5,
        margin=False,
    )
    moved = METHODS[op.method].step(motion, x)
    return np.stack([np.broadcast_to(value, x[0].shape) for value in moved], axis=2)


def _aligned(array: NDArray, before: NDArray) -> NDArray:
    """Return an operand (ticks, samples, ...) for the ticks that were stepped, its own axes last."""
    array = array if len(array) == 1 else array[1 : len(before) + 1]
    lead, shape = array.shape[:2], array.shape[2:]
    return array.reshape(*lead, *(1,) * (before.ndim - 3 - len(shape)), *shape)
