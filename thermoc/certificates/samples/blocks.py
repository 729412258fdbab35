"""Stretches of chains that are long beside their memory: their means are independent, and carry the error bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thermoc import physics

LENGTHS = 20
"""Length of a block in integrated autocorrelation times: a twentieth of the variance is then missing, and put back."""
LEAST_BLOCKS = 32


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """Samples (rows, units) in blocks of equal length, one after the other. tau: the slowest memory, in samples.

    inflation: what the variance of a block's mean is to be multiplied by, for neighbours remember each other.
    """

    values: NDArray
    length: int
    count: int
    tau: float
    inflation: float
    chains: int

    def means(self, features: NDArray) -> NDArray:
        """Return the means over blocks (count, features) of features of each row."""
        return features.reshape(self.count, self.length, -1).mean(axis=1)

    @property
    def number(self) -> NDArray:
        """The block of each row."""
        return np.repeat(np.arange(self.count), self.length)


class BlockMeans(NamedTuple):
    """Means over all rows, their standard errors, and how often larger the variance is than of independent rows."""

    mean: NDArray
    error: NDArray
    memory: NDArray


def blocks_of(values: NDArray, summaries: NDArray, independent: bool) -> Blocks | None:
    """Cut samples (steps, chains, units) into blocks, or None where there are too few.

    summaries: (steps, chains, k), of which the slowest says how long blocks are to be.
    """
    steps, chains, units = values.shape
    if independent:
        rows = values.reshape(-1, units)
        return _blocks(rows, 1, len(rows), 0.5, 1.0, len(rows)) if len(rows) >= LEAST_BLOCKS else None
    if steps < 2 * physics.LEAST_LENGTH:
        return _whole(values, 0.5) if chains >= LEAST_BLOCKS else None
    tau = max(slowest(summaries), 0.5)
    length = 1 if tau <= 0.5 else int(np.ceil(LENGTHS * min(tau, steps)))
    blocks_per_chain = steps // length
    if blocks_per_chain * chains >= LEAST_BLOCKS:
        # the end of each chain: what is left over at its start is the least settled
        kept = values[steps - blocks_per_chain * length :].swapaxes(0, 1).reshape(-1, units)
        return _blocks(
            kept, length, blocks_per_chain * chains, tau, 1 / (1 - tau / length) if length > 1 else 1.0, chains
        )
    return _whole(values, tau) if chains >= LEAST_BLOCKS else None


def slowest(summaries: NDArray) -> float:
    """Return the longest integrated autocorrelation time, of all chains together; what never moved has none."""
    times = [_own_time(summaries[..., k]) for k in range(summaries.shape[2])]
    return max(times, default=0.5)


def _own_time(series: NDArray) -> float:
    if np.ptp(series) == 0:
        return 0.5
    # between chains too: chains that stay apart have not forgotten where they began
    return physics.integrated_time(series)


def _whole(values: NDArray, tau: float) -> Blocks:
    rows = values.swapaxes(0, 1).reshape(-1, values.shape[2])
    return _blocks(rows, values.shape[0], values.shape[1], tau, 1.0, values.shape[1])


def _blocks(rows: NDArray, length: int, count: int, tau: float, inflation: float, chains: int) -> Blocks:
    return Blocks(values=rows, length=length, count=count, tau=tau, inflation=inflation, chains=chains)


def means(blocks: Blocks, features: NDArray, least_variance: NDArray | float = 0.0) -> BlockMeans:
    """Return means of features (rows, k) and their errors from those of blocks.

    least_variance: of one row where the law holds; the error is never below that of as many independent rows.
    """
    of_blocks = blocks.means(features)
    n = len(features)
    variance = of_blocks.var(axis=0, ddof=1) / blocks.count * blocks.inflation
    floor = np.broadcast_to(np.asarray(least_variance, float), variance.shape) / n
    alone = np.maximum(features.var(axis=0) / n, 1e-300)
    total = np.maximum(variance, floor)
    return BlockMeans(of_blocks.mean(axis=0), np.sqrt(total), np.maximum(total / np.maximum(alone, floor), 1.0))
