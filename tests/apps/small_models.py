"""Small Ising models whose states can be enumerated."""

import numpy as np
from scipy.sparse import csr_array

from thermoc.physics.ising_model import IsingModel


def small_model(n: int, seed: int, *, whole: bool = True, fields: bool = True, density: float = 0.5) -> IsingModel:
    rng = np.random.default_rng(seed)
    J = rng.integers(-3, 4, (n, n)) if whole else rng.normal(size=(n, n))
    J = np.triu(J * (rng.random((n, n)) < density), 1).astype(float)
    h = (rng.integers(-2, 3, n) if whole else rng.normal(size=n)).astype(float)
    return IsingModel(J=csr_array(J + J.T), h=h if fields else np.zeros(n), offset=1.5)


def torus(rows: int, columns: int, seed: int) -> IsingModel:
    """Couplings -1 and 1 on a periodic lattice."""
    place, rng = np.arange(rows * columns).reshape(rows, columns), np.random.default_rng(seed)
    J = np.zeros((place.size, place.size))
    for axis in (0, 1):
        other = np.roll(place, -1, axis)
        J[place, other] = J[other, place] = rng.choice([-1.0, 1.0], place.shape)
    return IsingModel(J=csr_array(J), h=np.zeros(place.size))
