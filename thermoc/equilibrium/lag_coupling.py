"""An upper bound of the distance to equilibrium at each tick, from pairs of chains of which one is ahead (P49).

Chain X runs from tick 0 on, chain Y starts ``lag`` ticks later in the same state, and draws the noise that X draws:
words are a function of the tick, so sharing them costs nothing. Once X and Y are equal they stay equal. If Y meets X at
its own tick M, then the law of X after t ticks is within

    TV(t) <= E[max(0, ceil((M - t) / lag))]

of what it tends to (Biswas, Jacob and Vanetti 2019, "Estimating convergence of Markov chains with L-lag couplings").
Where states are real numbers chains come near each other and never meet: then the sum of the distances
|X(t + j lag) - Y(t + (j - 1) lag)| over j = 1, 2, ... bounds the Wasserstein distance W1 in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from thermoc.compiled import Compiled
from thermoc.ir.ops import CLOCKED
from thermoc.session import Session
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import caller, error

TOTAL_VARIATION, WASSERSTEIN = "total variation", "Wasserstein"
LEAST_PAIRS = 30
"""Pairs that have not met, from which on the mean of what is left to their meeting is taken from them alone."""
NEGLIGIBLE = 1e-9
"""The part of the largest distance below which pairs of real states count as one."""
PATIENCE = 100
"""Chains are run on for up to so many times ``ticks + lag`` until all pairs have met."""


@dataclass(frozen=True, kw_only=True)
class EquilibriumDistance:
    """How far the law of a network's states is from equilibrium after each tick.

    kind: "total variation", or "Wasserstein" where a state is a real number (W1, in the units of the states, distances
    Euclidean over all of them). estimate, upper: (ticks,) the bound's estimate, and its upper limit at ``confidence``
    for any one tick; a total variation is at most 1. lag, pairs: as asked. met: the part of the pairs that met.
    meeting: (pairs,) the tick at which each did, -1 where it did not.
    """

    kind: str
    estimate: FloatArray
    upper: FloatArray
    confidence: float
    lag: int
    pairs: int
    met: float
    meeting: FloatArray

    def below(self, epsilon: float) -> int | None:
        """Return the first tick from which on ``upper`` stays at most epsilon, None where it does not."""
        above = np.flatnonzero(~(self.upper <= epsilon))
        first = int(above[-1]) + 1 if above.size else 0
        return first if first < len(self.upper) else None

    def __str__(self) -> str:
        settled = self.below(0.01) if self.kind == TOTAL_VARIATION else None
        reached = f"below 0.01 from tick {settled} on" if settled is not None else f"{self.upper[-1]:.3g} at the end"
        return (
            f"{self.kind} to equilibrium at most {self.upper[0]:.3g} at the start, {reached} "
            f"({self.confidence:.4g} confidence, {self.pairs} pairs, lag {self.lag}, {self.met:.4g} of them met)"
        )


def distance_to_equilibrium(
    executable: Compiled,
    *,
    ticks: int,
    lag: int | None = None,
    pairs: int = 1000,
    seed: int = 0,
    inputs: Mapping[str, ArrayLike] | None = None,
    confidence: float = 0.99,
) -> EquilibriumDistance:
    """Return an upper bound of the distance to equilibrium after each of ``ticks`` ticks, from the initial state.

    lag: ticks by which one chain is ahead, default as many as ``ticks``; a longer one gives a tighter bound. inputs:
    arrays (pairs, *shape), the same in every tick. Chains run until all pairs have met, at most 100 times ticks + lag;
    if some have not, nothing is known and the bound is 1 (infinite for Wasserstein). Errors: T404 (options; a network
    whose law follows the time, or that has no state), those of ``Session.run``.
    """
    lag = ticks if lag is None else lag
    _check(executable, ticks=ticks, lag=lag, pairs=pairs, confidence=confidence)
    with (
        Session(executable, batch=pairs, seed=seed, first_sample=0, first_tick=0) as leading,
        Session(executable, batch=pairs, seed=seed, first_sample=0, first_tick=lag) as lagging,
    ):
        leading.run(lag, inputs, record={})
        gaps = _gaps(leading, lagging, inputs, PATIENCE * (ticks + lag))
        if all(np.all(np.rint(array) == array) for array in leading.state.values()):
            return _of_meetings(_meetings(gaps, pairs), ticks=ticks, lag=lag, confidence=confidence)
        return _of_distances(gaps, ticks=ticks, lag=lag, confidence=confidence, pairs=pairs)


def _check(executable: Compiled, *, ticks: int, lag: int, pairs: int, confidence: float) -> None:
    if not isinstance(executable, Compiled):  # pyright: ignore[reportUnnecessaryIsInstance]  (users pass anything)
        notes, hint = [f"it was given {type(executable).__name__}"], "tc.compile(net) gives one"
        raise error("T111", "a compiled network is expected", where=caller(), notes=notes, hint=hint)
    for name, value, minimum in (("ticks", ticks, 1), ("lag", lag, 1), ("pairs", pairs, 2)):
        if not isinstance(value, int | np.integer) or value < minimum:
            raise error("T404", f"{name} is a whole number, {minimum} at least", notes=[f"{name} = {value!r}"])
    if not 0.5 <= confidence < 1:
        raise error("T404", "the confidence is in [0.5, 1)", notes=[f"confidence = {confidence!r}"])
    graph = executable.graph
    for op in graph.ops:
        if CLOCKED in op.traits:
            notes = [f"{op.opname} {op.results[0]}"]
            hint = "hold the schedule at one value: its chain has an equilibrium"
            raise error("T404", "a network whose law follows the time has no equilibrium", notes=notes, hint=hint)
    if not graph.states:
        raise error("T404", f"{graph.name!r} has no state, so each tick is a sample of its law")


def _gaps(ahead: Session, behind: Session, inputs: Mapping[str, ArrayLike] | None, most: int) -> Iterator[FloatArray]:
    """Yield the distances of all pairs (pairs,) before each tick of the chain behind, until all of them are one."""
    largest = 0.0
    for _ in range(most):
        gap = np.sqrt(sum(_squares(ahead.state[name], behind.state[name]) for name in ahead.state))
        largest = max(largest, float(gap.max()))
        yield gap
        if np.all(gap <= NEGLIGIBLE * largest):
            return
        ahead.run(1, inputs, record={})
        behind.run(1, inputs, record={})


def _squares(a: FloatArray, b: FloatArray) -> FloatArray:
    return ((a.astype(float) - b) ** 2).reshape(len(a), -1).sum(1)


def _meetings(gaps: Iterator[FloatArray], pairs: int) -> FloatArray:
    """Return the tick at which each pair meets, infinite where it does not."""
    meeting = np.full(pairs, np.inf)
    for tick, gap in enumerate(gaps):
        meeting[(gap == 0) & np.isinf(meeting)] = tick
    return meeting


def _of_meetings(meeting: FloatArray, *, ticks: int, lag: int, confidence: float) -> EquilibriumDistance:
    """Return the bound of meeting times: E[ceil(left / lag)] is at most P(left > 0) (1 + E[left | left > 0] / lag)."""
    remaining = np.maximum(meeting[np.newaxis] - np.arange(ticks)[:, np.newaxis], 0.0)
    unmet = (remaining > 0).sum(1)
    with np.errstate(invalid="ignore"):
        estimate = np.ceil(remaining / lag).mean(1)
        upper = _upper_part(unmet, meeting.size, confidence) * (1 + _upper_left(remaining, unmet, confidence) / lag)
    unknown = np.isinf(meeting).any()
    return EquilibriumDistance(
        kind=TOTAL_VARIATION,
        estimate=np.ones(ticks) if unknown else np.minimum(estimate, 1.0),
        upper=np.ones(ticks) if unknown else np.minimum(upper, 1.0),
        confidence=confidence,
        lag=lag,
        pairs=meeting.size,
        met=float(np.isfinite(meeting).mean()),
        meeting=np.where(np.isfinite(meeting), meeting, -1.0),
    )


def _upper_part(apart: FloatArray, pairs: int, confidence: float) -> FloatArray:
    """Return the upper limit of the part that is still apart (Clopper and Pearson), at half of what may fail."""
    from scipy.stats import beta

    level = 1 - (1 - confidence) / 2
    # where all are apart it is 1, of which the distribution knows nothing
    return np.where(apart < pairs, beta.ppf(level, apart + 1, np.maximum(pairs - apart, 1)), 1.0)


def _upper_left(left: FloatArray, apart: FloatArray, confidence: float) -> FloatArray:
    """Return the upper limit of the mean time to meet of pairs that are still apart (ticks,), at the other half.

    Where fewer than 30 are left it is that of the last tick with as many: late meetings are a memoryless tail.
    """
    from scipy.stats import t as student

    enough = apart >= min(LEAST_PAIRS, apart[0])
    count = np.maximum(apart, 2)
    mean = left.sum(1) / np.maximum(apart, 1)
    spread = np.sqrt(np.maximum((left**2).sum(1) / count - mean**2, 0.0) * count / (count - 1))
    upper = mean + student.ppf(1 - (1 - confidence) / 2, count - 1) * spread / np.sqrt(count)
    last = np.flatnonzero(enough)[-1]
    return np.where(enough, upper, upper[last])


def _of_distances(
    gaps: Iterator[FloatArray], *, ticks: int, lag: int, confidence: float, pairs: int
) -> EquilibriumDistance:
    """Return the bound of W1: the sum of the mean distances of every ``lag``-th tick from each on."""
    from scipy.stats import t as student

    rows = list(gaps)
    coalesced = rows[-1] <= NEGLIGIBLE * max(float(row.max()) for row in rows)
    table = np.zeros((max(ticks, len(rows)) + lag, pairs))
    table[: len(rows)] = rows
    for tick in range(len(table) - lag - 1, -1, -1):
        table[tick] += table[tick + lag]
    table = table[:ticks]
    estimate = table.mean(1)
    upper = estimate + student.ppf(confidence, pairs - 1) * table.std(1, ddof=1) / np.sqrt(pairs)
    complete = bool(coalesced.all())
    return EquilibriumDistance(
        kind=WASSERSTEIN,
        estimate=estimate if complete else np.full(ticks, np.inf),
        upper=upper if complete else np.full(ticks, np.inf),
        confidence=confidence,
        lag=lag,
        pairs=pairs,
        met=float(coalesced.mean()),
        meeting=np.full(pairs, -1.0),
    )
