"""Order parameters, critical temperatures, finite-size scaling (P31 to P34)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from thermoc.physics.checks import positive
from thermoc.support.array_types import AnyArray, FloatArray
from thermoc.support.errors import error
from thermoc.support.namespaces import Numbers, as_arrays, namespace


def order_parameter(theta: Numbers) -> FloatArray:
    """Return |mean e^(i theta)| over the last axis (P31). theta: phases (..., n) in radians."""
    (theta,), xp = as_arrays(theta), namespace(theta)
    return xp.abs(xp.mean(xp.exp(1j * theta), axis=-1))


def magnetisation(s: ArrayLike) -> FloatArray:
    """Return the mean over the last axis (P31). s: (..., n)."""
    return np.asarray(s, float).mean(axis=-1)


def mean_field_tc(J: float) -> float:
    """Return J / k_B (P32), J the sum of a unit's couplings, k_B = 1."""
    return float(positive("J", J))


def finite_size_tc(N: ArrayLike, tc: float, A: float, nu: float) -> FloatArray:
    """Return T_c(inf) (1 - A N^(-1/nu)) (P33)."""
    return tc * (1 - A * positive("N", N) ** (-1 / float(positive("nu", nu))))


def susceptibility(m: ArrayLike, T: float, N: int) -> float:
    """Return N (<m^2> - <|m|>^2) / T (P34). m: magnetisation a unit, any shape."""
    m = np.asarray(m, float)
    # |m|: a finite system turns over now and then, and <m> would be zero below T_c too
    return float(N * ((m * m).mean() - np.abs(m).mean() ** 2) / positive("T", T))


def specific_heat(E: ArrayLike, T: float, N: int) -> float:
    """Return Var(E) / (N T^2) (P15, P34). E: energies of the whole, any shape."""
    return float(np.asarray(E, float).var() / (N * positive("T", T) ** 2))


def binder_cumulant(m: ArrayLike) -> float:
    """Return 1 - <m^4> / (3 <m^2>^2) (P34): 2/3 in the ordered phase, 0 in the disordered one. m: any shape."""
    square = np.asarray(m, float) ** 2
    return float(1 - (square * square).mean() / (3 * square.mean() ** 2))


def correlation_length(s: ArrayLike) -> float:
    """Return the second-moment correlation length of a periodic square lattice, in sites (P34).

    s: (..., L, L). xi = sqrt(S(0) / S(k) - 1) / (2 sin(k/2)), k = 2 pi / L, S the structure factor averaged over
    samples and both axes (Cooper, Freedman and Preston 1982).
    """
    s = np.asarray(s, float)
    L = s.shape[-1]
    power = np.abs(np.fft.fft2(s)) ** 2
    # averaged before the quotient is taken: the quotient of single samples is biased
    power = power.reshape(-1, L, L).mean(axis=0)
    ratio = power[0, 0] / ((power[0, 1] + power[1, 0]) / 2) - 1
    return float(np.sqrt(max(ratio, 0.0)) / (2 * np.sin(np.pi / L)))


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """What finite-size scaling found.

    tc, error: the crossing of the two largest sizes, and its standard error. crossings: (smaller L, larger L) to
    (T, error). binder: L to (cumulants, errors) at ``temperatures``. nu: from the slopes at T_c, slope ~ L^(1/nu).
    """

    tc: float
    error: float
    nu: float
    temperatures: FloatArray
    binder: Mapping[int, tuple[FloatArray, FloatArray]]
    crossings: Mapping[tuple[int, int], tuple[float, float]]


def finite_size_scaling(
    magnetisations: Mapping[int, ArrayLike], temperatures: ArrayLike, *, degree: int = 3, blocks: int = 32
) -> Scaling:
    """Return T_c from the crossings of the Binder cumulants of several sizes (P34).

    magnetisations: L to an array (temperatures, steps, chains) of the magnetisation a unit, after equilibration.
    temperatures: (n,), at least degree + 2, on both sides of T_c. Cumulants are fitted by polynomials of ``degree`` in
    T; error bars are jackknifed over chains (over blocks of steps where chains are fewer than ``blocks``).
    Errors: T405 for too little data, or where two sizes do not cross within the temperatures.
    """
    T = positive("temperatures", temperatures)
    data = {int(L): np.asarray(m, float) for L, m in sorted(magnetisations.items())}
    _enough(data, T, degree)
    left_out = {L: _blocked(m, blocks) for L, m in data.items()}
    cumulants = {L: _cumulants(m.mean(axis=-1)) for L, m in left_out.items()}
    parts = {L: _leave_one_out(m) for L, m in left_out.items()}
    crossings: dict[tuple[int, int], tuple[float, float]] = {}
    for small, large in pairwise(data):
        at = _crossing(T, cumulants[small], cumulants[large], degree)
        if at is None:
            notes = [f"sizes {small} and {large}", f"temperatures {T.min():g} to {T.max():g}"]
            hint = "spread the temperatures around the transition, or sample longer"
            raise error("T405", "the Binder cumulants do not cross", notes=notes, hint=hint)
        crossings[small, large] = at, _crossing_error(T, at, cumulants, parts, (small, large), degree)
    sizes = list(data)
    tc, spread = crossings[sizes[-2], sizes[-1]]
    # around T_c: powers of temperatures far from zero would make the fit ill-conditioned
    slopes = [float(np.polyval(np.polyder(np.polyfit(T - tc, cumulants[L], degree)), 0.0)) for L in sizes]
    growth = np.polyfit(np.log(sizes), np.log(np.abs(slopes)), 1)[0]
    return Scaling(
        tc=tc,
        error=spread,
        nu=float(1 / growth),
        temperatures=T,
        binder={L: (cumulants[L], _jackknife_error(parts[L])) for L in sizes},
        crossings=crossings,
    )


def _enough(data: Mapping[int, FloatArray], T: FloatArray, degree: int) -> None:
    if len(data) < 2:
        raise error("T405", "finite-size scaling needs two sizes or more", notes=[f"given are {list(data)}"])
    if len(T) < degree + 2:
        raise error("T405", "too few temperatures for the fit", notes=[f"{len(T)} for degree {degree}"])
    for L, m in data.items():
        if m.ndim != 3 or len(m) != len(T):
            notes = [f"L = {L}: shape {list(m.shape)}", f"{len(T)} temperatures"]
            raise error("T405", "magnetisations are (temperatures, steps, chains)", notes=notes)


def _blocked(m: FloatArray, blocks: int) -> FloatArray:
    """Return the means of m^2 and m^4 in each block: (temperatures, 2, blocks)."""
    axis = 2 if m.shape[2] >= blocks else 1
    moved = np.moveaxis(m, axis, 1).reshape(len(m), m.shape[axis], -1)
    parts = np.array_split(moved, min(blocks, m.shape[axis]), axis=1)
    return np.stack([np.stack([(p**2).mean(axis=(1, 2)), (p**4).mean(axis=(1, 2))], axis=1) for p in parts], axis=-1)


def _cumulants(moments: FloatArray) -> FloatArray:
    return 1 - moments[:, 1] / (3 * moments[:, 0] ** 2)


def _leave_one_out(moments: FloatArray) -> FloatArray:
    """Return cumulants (blocks, temperatures), each without one block."""
    count = moments.shape[-1]
    means = (moments.sum(axis=-1, keepdims=True) - moments) / (count - 1)
    return np.stack([_cumulants(means[..., k]) for k in range(count)])


def _jackknife_error(parts: FloatArray) -> FloatArray:
    return np.sqrt((len(parts) - 1) * parts.var(axis=0))


def _crossing(T: FloatArray, small: FloatArray, large: FloatArray, degree: int) -> float | None:
    """Return where the fitted larger size falls below the smaller one as T rises."""
    centre = T.mean()
    fit = cast(AnyArray, np.polyfit(T - centre, large - small, degree))
    slope: AnyArray = np.polyder(fit)
    roots = np.roots(fit)
    real = roots[np.abs(roots.imag) < 1e-9].real
    # noise may make the curves cross more often: only where the larger size falls below is the transition
    falling = [r + centre for r in real if T.min() <= r + centre <= T.max() and np.polyval(slope, r) < 0]
    return min(falling, key=lambda t: abs(t - centre)) if falling else None


def _crossing_error(
    T: FloatArray,
    at: float,
    whole: Mapping[int, FloatArray],
    parts: Mapping[int, FloatArray],
    pair: tuple[int, int],
    degree: int,
) -> float:
    """Return the jackknifed error: the two sizes are independent, so their variances add."""
    variance = 0.0
    for L, size in (pair, pair[::-1]):
        curves = [(part, whole[size]) if size > L else (whole[size], part) for part in parts[L]]
        crossings = [_crossing(T, *curve, degree) for curve in curves]
        # a sample without a crossing counts as no deviation: it has no temperature to deviate to
        values = np.array([at if t is None else t for t in crossings])
        variance += (len(values) - 1) * values.var()
    return float(np.sqrt(variance))
