"""An Ising model as arrays: what problems are mapped to and what samplers take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from thermoc.physics.ising import ising_energy
from thermoc.support.array_types import FloatArray


@dataclass(frozen=True, kw_only=True)
class IsingModel:
    """Couplings and fields of n spins: E(s) = -s.J.s / 2 - h.s + offset, to be minimised (P12).

    J: (n, n) symmetric SciPy ``csr_array`` of float64 with zero diagonal and no stored zeros; h: (n,) float64.
    """

    J: Any
    h: FloatArray
    offset: float = 0.0

    @property
    def size(self) -> int:
        """Return how many spins there are."""
        return len(self.h)

    def energy(self, spins: ArrayLike) -> FloatArray:
        """Return the energy (...,) of spins (..., n) of -1 and 1."""
        return ising_energy(spins, self.J, self.h) + self.offset
