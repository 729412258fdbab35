"""Entropies, heat capacities, and the energy, entropy and free energy of a layer (P1, P2, P13 to P16)."""

# pyright: reportConstantRedefinition=false, reportMissingTypeStubs=false
# (T, C, G are a temperature, a capacity and conductances, not constants; SciPy has no types)

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from thermoc.physics.activations import boltzmann
from thermoc.physics.checks import distribution, finite, non_negative, positive
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error
from thermoc.support.namespaces import Numbers, as_arrays, namespace


def shannon_entropy(p: Numbers) -> FloatArray:
    """Return -sum p ln p over the last axis, in nats, with 0 ln 0 = 0 (P16). p: (..., n).

    Errors: T405 unless they sum to one.
    """
    (p,), xp = as_arrays(p), namespace(p)
    if xp is np:  # a tensor on a GPU is not waited for
        distribution("p", p)
    return -xp.sum(p * xp.log(xp.where(p > 0, p, 1.0)), axis=-1)


def mixing_entropy(x: ArrayLike) -> FloatArray:
    """Return -sum x ln x of mole fractions over the last axis (P14), in k_B. Errors: T405 unless they sum to one."""
    return shannon_entropy(distribution("x", x))


def configurational_entropy(counts: ArrayLike) -> FloatArray:
    """Return ln Omega, Omega = N! / prod n_i!, of occupation numbers over the last axis (P13), in k_B. Errors: T405."""
    from scipy.special import gammaln

    n = non_negative("counts", counts)
    # log-gamma: N! overflows a float64 from 171 on
    return gammaln(n.sum(axis=-1) + 1) - gammaln(n + 1).sum(axis=-1)


def einstein_heat_capacity(frequencies: ArrayLike, T: ArrayLike) -> FloatArray:
    """Return sum u^2 e^u / (e^u - 1)^2, u = frequency / T, over the last axis (P15), in k_B.

    frequencies: (..., n) in the unit of T (hbar w / k_B). Written as (u/2)^2 / sinh(u/2)^2, which neither overflows nor
    loses digits. Errors: T405.
    """
    half = non_negative("frequencies", frequencies) / (2 * positive("T", T)[..., np.newaxis])
    # e^-700 is next to the smallest float: beyond it the share is zero to all digits
    decay = np.exp(-np.minimum(half, 700.0))
    sinh_scaled = -np.expm1(-2 * np.minimum(half, 700.0))  # 2 e^-u sinh u
    ratio = np.where(half > 0, 2 * half * decay / np.where(sinh_scaled > 0, sinh_scaled, 1.0), 1.0)
    return (ratio * ratio).sum(axis=-1)


def heat_capacity_from_fluctuations(energies: ArrayLike, T: float) -> float:
    """Return Var(E) / T^2 (P15), in k_B. energies: samples at temperature T, any shape. Errors: T405."""
    return float(finite("energies", energies).var() / positive("T", T) ** 2)


def heat_capacity_from_derivative(T: ArrayLike, U: ArrayLike) -> FloatArray:
    """Return dU/dT at each inner temperature by the three-point rule for uneven steps, order 2 (P15).

    T: (n,) increasing; U: (..., n). Returns (..., n - 2). Errors: T405.
    """
    T, U = positive("T", T), finite("U", U)
    below, above = np.diff(T)[:-1], np.diff(T)[1:]
    if len(T) < 3 or (np.diff(T) <= 0).any() or U.shape[-1] != len(T):
        notes = [f"T has shape {list(T.shape)}, U {list(U.shape)}"]
        raise error("T405", "a derivative needs three or more increasing temperatures, and U at each", notes=notes)
    rise, fall = np.diff(U)[..., 1:] / above, np.diff(U)[..., :-1] / below
    # each slope by the other step's length: only so the first-order errors of uneven steps cancel
    return (below * rise + above * fall) / (below + above)


def layer_observables(z: Numbers, T: Numbers) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (U, S, F) of pre-activations z (..., n) at temperature T (...) (P1, P2).

    U = mean(z^2), S is the Shannon entropy (P16) of Boltzmann(z, T), F = U - T S. Each has shape (...).
    """
    z, T = as_arrays(z, T)
    U = namespace(z).mean(z * z, axis=-1)
    S = shannon_entropy(boltzmann(z, T[..., np.newaxis]))
    return U, S, U - T * S
