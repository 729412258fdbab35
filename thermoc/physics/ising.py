"""Coupled binary units: energy, exact enumeration, conversions between forms (P12), Onsager's solution (P34)."""

# pyright: reportConstantRedefinition=false, reportMissingTypeStubs=false
# (T, C, G are a temperature, a capacity and conductances, not constants; SciPy has no types)

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc.physics.checks import finite, positive, symmetric
from thermoc.support.array_types import FloatArray, IntArray
from thermoc.support.errors import error

ISING_TC = float(2 / np.log1p(np.sqrt(2)))
"""Critical temperature of the square lattice, 2.269185314 J (Onsager 1944)."""
MOST_UNITS = 24


@dataclass(frozen=True, kw_only=True)
class Ensemble:
    """Exact averages over all states at one temperature: energies per system, C in k_B, mean (n,), corr (n, n)."""

    T: float
    U: float
    C: float
    F: float
    S: float
    mean: FloatArray
    corr: FloatArray
    probabilities: FloatArray


def ising_energy(s: ArrayLike, J: Any, h: ArrayLike = 0.0) -> FloatArray:
    """Return -s.J.s / 2 - h.s (P12). s: (..., n); J: (n, n) or a SciPy sparse matrix, zero diagonal; h: (n,) or one."""
    s = np.asarray(s, float)
    # two axes, since sparse matrices multiply no others
    field = (J @ s.reshape(-1, s.shape[-1]).T).T.reshape(s.shape)
    return (s * (-field / 2 - np.asarray(h))).sum(axis=-1)


def all_states(n: int, levels: str = "spin") -> FloatArray:
    """Return every state (2^n, n) in the order of binary counting, unit 0 the most significant. Errors: T405."""
    if n > MOST_UNITS:
        raise error("T405", "too many units to enumerate", notes=[f"{n} units", f"at most {MOST_UNITS}"])
    number, bit = np.arange(2**n, dtype=np.int64)[:, np.newaxis], np.arange(n - 1, -1, -1, dtype=np.int64)
    bits: IntArray = (number >> bit) & 1
    binary: FloatArray = bits.astype(np.float64)
    return 2 * binary - 1 if levels == "spin" else binary


def enumerate_ising(J: ArrayLike, T: float, h: ArrayLike = 0.0, levels: str = "spin") -> Ensemble:
    """Return the exact averages of exp(-E / T) over all 2^n states (P12, P16). Errors: T405."""
    J = symmetric("J", J)
    T = float(positive("T", T))
    states = all_states(len(J), levels)
    E = ising_energy(states, J, finite("h", h))
    # counted from the ground state: weights are at most one at any T
    weight = np.exp(-(E - E.min()) / T)
    Z = weight.sum()
    p = weight / Z
    U, F = float(p @ E), float(E.min() - T * np.log(Z))
    return Ensemble(
        T=T,
        U=U,
        C=float(p @ (E - U) ** 2) / T / T,
        F=F,
        S=(U - F) / T,
        mean=p @ states,
        corr=(states * p[:, np.newaxis]).T @ states,
        probabilities=p,
    )


def qubo_to_ising(Q: ArrayLike) -> tuple[FloatArray, FloatArray, float]:
    """Return (J, h, offset) with x.Q.x = E(s) + offset for x = (1 + s) / 2, exactly (P12). Q: any square matrix."""
    Q = finite("Q", Q)
    both = (Q + Q.T) / 2
    off = both - np.diag(np.diag(both))
    J = -off / 2
    h = -(np.diag(both) / 2 + off.sum(axis=1) / 2)
    return J, h, float(np.diag(both).sum() / 2 + off.sum() / 4)


def ising_to_qubo(J: ArrayLike, h: ArrayLike = 0.0) -> tuple[FloatArray, float]:
    """Return (Q, offset) with E(s) = x.Q.x + offset for s = 2 x - 1; Q is symmetric (P12). Errors: T405."""
    J = symmetric("J", J)
    h = np.broadcast_to(finite("h", h), len(J))
    Q = -2 * J
    Q[np.diag_indices(len(J))] = 2 * J.sum(axis=1) - 2 * h - 2 * np.diag(J)
    return Q, float(-J.sum() / 2 + h.sum() + np.diag(J).sum())


def square_lattice(L: int, J: float = 1.0):
    """Return the couplings of the periodic L x L square lattice as a SciPy CSR array (L^2, L^2); L >= 3."""
    from scipy.sparse import coo_array

    # at L = 2 both neighbours are one site, and its duplicates would add up to a coupling of 2 J
    sites = np.arange(L * L).reshape(L, L)
    ends = [np.roll(sites, -1, axis).reshape(-1) for axis in (0, 1)]
    rows = np.concatenate([sites.reshape(-1)] * 2 + ends)
    columns = np.concatenate([*ends, *[sites.reshape(-1)] * 2])
    return coo_array((np.full(len(rows), float(J)), (rows, columns)), shape=(L * L, L * L)).tocsr()


def onsager_energy(T: ArrayLike) -> FloatArray:
    """Return the energy a site of the infinite square lattice, J = 1 (Onsager 1944). T: any shape > 0."""
    from scipy.special import ellipk

    K = 1 / positive("T", T)
    k2 = (2 * np.sinh(2 * K) / np.cosh(2 * K) ** 2) ** 2
    # at T_c the integral diverges but its factor vanishes faster: just short of one, the product is right
    near = np.minimum(k2, 1 - 1e-15)
    return -(1 + 2 / np.pi * (2 * np.tanh(2 * K) ** 2 - 1) * ellipk(near)) / np.tanh(2 * K)


def torus_energy(T: float, L: int) -> float:
    """Return the mean energy a site of the L x L torus, J = 1, as it is for a finite L (Kaufman 1949, eqs. 66, 82).

    L: even, 2 at least. Errors: T405 for T <= 0.
    """
    K, step = 1 / float(positive("T", T)), 1e-5
    # the derivative of ln Z is of fourth order in the step
    weights = {-2: 1 / 12, -1: -8 / 12, 1: 8 / 12, 2: -1 / 12}
    return -sum(weight * _torus_log_z(K + k * step, L) for k, weight in weights.items()) / (step * L**2)


def _torus_log_z(K: float, L: int) -> float:
    """Return ln Z of the L x L torus at J / T = K."""
    q = np.arange(1, 2 * L)
    cosine = np.cosh(2 * K) / np.tanh(2 * K) - np.cos(np.pi * q / L)
    gamma = np.concatenate([[2 * K + np.log(np.tanh(K))], np.arccosh(np.maximum(cosine, 1.0))])
    odd, even = L / 2 * gamma[1::2], L / 2 * gamma[0::2]
    parts = [
        np.logaddexp(odd, -odd).sum(),
        np.log(np.abs(2 * np.sinh(odd))).sum(),
        np.logaddexp(even, -even).sum(),
        np.log(np.abs(2 * np.sinh(even))).sum(),
    ]
    signs = [1, 1, 1, np.sign(gamma[0])]
    largest = max(parts)
    total = sum(sign * np.exp(term - largest) for sign, term in zip(signs, parts))
    return float(L**2 / 2 * np.log(2 * np.sinh(2 * K)) + largest + np.log(total / 2))


def onsager_magnetisation(T: ArrayLike) -> FloatArray:
    """Return the spontaneous magnetisation (1 - sinh(2/T)^-4)^(1/8) below T_c, 0 above (Yang 1952)."""
    T = positive("T", T)
    inner = 1 - np.sinh(2 / np.minimum(T, ISING_TC)) ** -4.0
    return np.where(T < ISING_TC, np.maximum(inner, 0.0) ** 0.125, 0.0)
