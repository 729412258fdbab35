"""Series of known memory, which tests of statistics share."""

import numpy as np

from thermoc.support.array_types import FloatArray


def autoregressive(a: float, steps: int, chains: int, seed: int = 0) -> FloatArray:
    """x' = a x + sqrt(1 - a^2) z: variance 1, integrated time (1 + a) / (1 - a) / 2."""
    z = np.random.default_rng(seed).normal(size=(steps, chains))
    x = np.empty_like(z)
    x[0] = z[0]
    for k in range(1, steps):
        x[k] = a * x[k - 1] + np.sqrt(1 - a * a) * z[k]
    return x
