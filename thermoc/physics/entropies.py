"""Entropies, and the energy, entropy and free energy of a layer."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thermoc.physics.activations import boltzmann


def shannon_entropy(p: ArrayLike) -> NDArray:
    """Return -sum p ln p over the last axis, in nats, with 0 ln 0 = 0 (P16). p: (..., n)."""
    p = np.asarray(p)
    safe = np.where(p > 0, p, p.dtype.type(1))
    return -(p * np.log(safe)).sum(axis=-1)


def layer_observables(z: ArrayLike, T: ArrayLike) -> tuple[NDArray, NDArray, NDArray]:
    """Return (U, S, F) of pre-activations z (..., n) at temperature T (...) (P1, P2).

    U = mean(z^2), S is the Shannon entropy (P16) of Boltzmann(z, T), F = U - T S. Each has shape (...).
    """
    z, T = np.asarray(z), np.asarray(T)
    U = (z * z).mean(axis=-1)
    S = shannon_entropy(boltzmann(z, T[..., np.newaxis]))
    return U, S, U - T * S
