"""Networks with the energy x.K.x / 2 - b.x: thermodynamics in closed form, the step of their diffusion."""

# pyright: reportConstantRedefinition=false
# (T, C, G are a temperature, a capacity and conductances, not constants)

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error
from thermoc.support.namespaces import as_type, namespace

_ROUNDING = 1e-9
"""K may differ from its transpose by this share of its largest element."""


class GaussianNetwork(NamedTuple):
    """Equilibrium of a Gaussian network: mean (n), cov (n, n), free energy F, mean energy U, entropy S in k_B."""

    mean: FloatArray
    cov: FloatArray
    F: float
    U: float
    S: float


def gaussian_network(K: ArrayLike, b: ArrayLike, T: float) -> GaussianNetwork:
    """Return the equilibrium of E(x) = x.K.x / 2 - b.x at temperature T, k_B = 1.

    mean = K^-1 b, cov = T K^-1, F = -T ln Z = -b.mean / 2 - T / 2 ln((2 pi T)^n / det K),
    U = n T / 2 - b.mean / 2 (equipartition), S = (U - F) / T, the differential entropy (P16, P48).
    K: (n, n) symmetric, positive definite. b: (n) or a number. Errors: T405.
    """
    K, b = _checked(K, b, T)
    n = len(K)
    mean, cov = np.asarray(np.linalg.solve(K, b), float), T * np.linalg.inv(K)
    # the determinant itself may over- or underflow from a few hundred units on
    _, log_det = np.linalg.slogdet(K)
    F = -b @ mean / 2 - T / 2 * (n * np.log(2 * np.pi * T) - log_det)
    U = n * T / 2 - b @ mean / 2
    return GaussianNetwork(mean, (cov + cov.T) / 2, float(F), float(U), float((U - F) / T))


def modes(K: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return eigenvalues (n) and orthonormal eigenvectors (n, n, in columns) of a symmetric K, in float64.

    Each vector's largest element is positive, so that it does not depend on how it was found.
    """
    xp = namespace(K)
    rates, V = xp.linalg.eigh(as_type(K, np.dtype(np.float64)))
    turned = -xp.min(V, axis=0) > xp.max(V, axis=0)
    return rates, xp.where(turned, -V, V)


def ou_network_step(rates: FloatArray, mobility: float, dt: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (a, gain, spread) of y' = a y + gain V^T b + sqrt(T) spread z, exact in law for any dt (P29).

    a = exp(-mobility rate dt), gain = (1 - a) / rate, spread = sqrt((1 - a^2) / rate), each (n) like the eigenvalues.
    """
    xp, decay = namespace(rates), -mobility * rates * dt
    # expm1: for steps far below a relaxation time 1 - a loses its digits
    return xp.exp(decay), -xp.expm1(decay) / rates, xp.sqrt(-xp.expm1(2 * decay) / rates)


def asymmetry(K: FloatArray) -> tuple[int, int] | None:
    """Return the pair i < j in which K differs most from its transpose, or None where that is rounding."""
    differences = np.abs(K - K.T)
    if not differences.size or differences.max() <= _ROUNDING * np.abs(K).max():
        return None
    i, j = np.unravel_index(int(differences.argmax()), differences.shape)
    return int(min(i, j)), int(max(i, j))


def lowest_eigenvalue(K: FloatArray) -> float | None:
    """Return the lowest eigenvalue of a symmetric K that is not positive definite, or None where it is."""
    K = np.asarray(K, np.float64)
    try:
        # far cheaper than eigenvalues, which are needed only to say what is wrong
        np.linalg.cholesky(K)
    except np.linalg.LinAlgError:
        return float(np.linalg.eigvalsh(K)[0])
    return None


def _checked(K: ArrayLike, b: ArrayLike, T: float) -> tuple[FloatArray, FloatArray]:
    K, b = np.asarray(K, np.float64), np.asarray(b, np.float64)
    if K.ndim != 2 or K.shape[0] != K.shape[1] or b.shape not in ((), K.shape[:1]):
        notes = [f"K has shape {list(K.shape)}", f"b has shape {list(b.shape)}"]
        raise error("T405", "K must be (n, n) and b (n)", notes=notes)
    if not (np.isfinite(T) and T > 0):
        raise error("T405", "T must be finite and > 0", notes=[f"T = {T}"])
    for name, array in (("K", K), ("b", b)):
        if not np.isfinite(array).all():
            where = np.argwhere(~np.isfinite(array))[0].tolist()
            raise error("T405", f"{name} must be finite", notes=[f"{name}{where} = {array[tuple(where)]}"])
    if (pair := asymmetry(K)) is not None:
        i, j = pair
        notes = [f"K[{i}, {j}] = {K[i, j]}", f"K[{j}, {i}] = {K[j, i]}"]
        raise error("T405", "K must be symmetric", notes=notes, hint="pass (K + K.T) / 2")
    if (low := lowest_eigenvalue(K)) is not None:
        notes = [f"its lowest eigenvalue is {low:.6g}"]
        raise error("T405", "K must be positive definite", notes=notes, hint="add a multiple of the identity")
    return K, np.broadcast_to(b, K.shape[:1])
