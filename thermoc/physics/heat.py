"""Thermal networks: Fourier's law, exact relaxation, equilibrium, entropy production (P3, P4, P17 to P21, P27, P46)."""

# pyright: reportConstantRedefinition=false, reportMissingTypeStubs=false
# (T, C, G are a temperature, a capacity and conductances, not constants; SciPy has no types)

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc.physics.checks import finite, non_negative, positive, symmetric
from thermoc.support.array_types import AnyArray, FloatArray, IntArray
from thermoc.support.errors import error
from thermoc.support.namespaces import Numbers, namespace


def heat_flows(G: Numbers, T: Numbers) -> FloatArray:
    """Return Q_ij = G_ij (T_i - T_j), the heat leaving i towards j (P18). G: (n, n); T: (..., n)."""
    T, G = (np.asarray(T, float), np.asarray(G)) if namespace(T) is np else (T, G)
    return G * (T[..., :, np.newaxis] - T[..., np.newaxis, :])


def entropy_production(G: Numbers, T: Numbers) -> FloatArray:
    """Return sum over edges of Q_ij (1/T_j - 1/T_i) >= 0 (P30, P46). G symmetric (n, n); T: (..., n) > 0."""
    cold = 1 / positive("T", T)
    flows = heat_flows(conductances(G), T)
    return (flows * (cold[..., np.newaxis, :] - cold[..., :, np.newaxis])).sum(axis=(-2, -1)) / 2


def interaction_energy(J: ArrayLike, T: ArrayLike) -> FloatArray:
    """Return 1/2 sum_ij J_ij (T_i - T_j)^2 over ordered pairs (P4). J: (n, n); T: (..., n)."""
    T = np.asarray(T, float)
    return (np.asarray(J) * (T[..., :, np.newaxis] - T[..., np.newaxis, :]) ** 2).sum(axis=(-2, -1)) / 2


def conductances(G: Numbers) -> FloatArray:
    """Return G checked: symmetric, non-negative; its diagonal plays no part. Errors: T405."""
    return non_negative("G", symmetric("G", G))


def equilibrium(G: ArrayLike, power: ArrayLike, ambient: ArrayLike = 0.0, T_ambient: ArrayLike = 0.0) -> FloatArray:
    """Return the temperatures at which every node is at rest (P20).

    G: (n, n) conductances; power: (n,); ambient: (n,) conductances to a reservoir at T_ambient (P21).
    Errors: T405 where nodes reach no reservoir, naming one.
    """
    G = conductances(G)
    n = len(G)
    ground = np.broadcast_to(non_negative("ambient", ambient), n)
    lonely = disconnected(G, ground)
    if lonely is not None:
        hint = "give it, or a node it is joined to, a conductance to the reservoir"
        raise error("T405", "a node reaches no reservoir", notes=[f"node {lonely}"], hint=hint)
    # the diagonal of G, a body's conductance to itself, carries no heat
    laplacian = np.diag(G.sum(axis=1) - np.diag(G) + ground) - (G - np.diag(np.diag(G)))
    return np.asarray(np.linalg.solve(laplacian, np.broadcast_to(power, n) + ground * np.asarray(T_ambient)), float)


def disconnected(G: ArrayLike, ambient: ArrayLike) -> int | None:
    """Return a node from which no conductance leads to a reservoir, or None."""
    import scipy.sparse.csgraph  # not loaded where no network is checked

    graphs: Any = scipy.sparse.csgraph
    components: tuple[int, IntArray] = graphs.connected_components(np.asarray(G) != 0, directed=False)
    count, component = components
    grounded = np.zeros(count, bool)
    grounded[component[np.broadcast_to(ambient, len(component)) > 0]] = True
    lonely = np.flatnonzero(~grounded[component])
    return int(lonely[0]) if len(lonely) else None


def relaxation_times(C: ArrayLike, G: ArrayLike, ambient: ArrayLike = 0.0) -> FloatArray:
    """Return C_i / (sum_j G_ij + ambient_i) (P20). C: (n,) > 0. Errors: T405."""
    G = conductances(G)
    return positive("C", C) / (G.sum(axis=1) - np.diag(G) + np.asarray(ambient))


@dataclass(frozen=True, kw_only=True)
class HeatStep:
    """Matrices of the exact step of C dT/dt = -L T + p over dt (P17).

    T' = decay T + gain p + kick f; the tick's integral of T is decay_sum T + gain_sum p + kick_sum f. p: power held
    over the tick, reservoirs included. f: noise heat that entered each node (P27). A power r sin(w t) adds
    sine (r sin w t) + cosine (r cos w t) with t the tick's start, and to the integral sine_sum and cosine_sum.
    """

    decay: FloatArray
    gain: FloatArray
    kick: FloatArray
    decay_sum: FloatArray
    gain_sum: FloatArray
    kick_sum: FloatArray
    sine: FloatArray
    cosine: FloatArray
    sine_sum: FloatArray
    cosine_sum: FloatArray


def heat_step(C: ArrayLike, G: ArrayLike, ambient: ArrayLike, dt: float, frequency: float = 0.0) -> HeatStep:
    """Return the exact step of a thermal network (P17, P18, P21), by the modes of C^-1/2 L C^-1/2.

    ``kick`` makes the covariance of T exact at uniform temperature, k_B T^2 (C^-1) once settled (P27), for any dt, and
    conserves energy draw by draw. C: (n,); G: (n, n); ambient: (n,); dt and 1 / frequency in one unit. Errors: T405.
    """
    C, G = positive("C", C), conductances(G)
    ground = np.broadcast_to(non_negative("ambient", ambient), len(G))
    C = np.broadcast_to(C, len(G))
    root = np.sqrt(C)
    with np.errstate(over="ignore", invalid="ignore"):
        laplacian = np.diag(G.sum(axis=1) - np.diag(G) + ground) - (G - np.diag(np.diag(G)))
        scaled = laplacian / root[:, np.newaxis] / root
    rates, modes = np.linalg.eigh(finite("conductances over heat capacities", scaled))
    # a closed network has a rate of zero, which rounding may make negative: heat would grow by itself
    rates = np.maximum(rates, 0.0)
    a = rates * dt
    first, second = _phi(a, 1) * dt, _phi(a, 2) * dt**2
    kicked = _kick_sum(a, dt)
    third = 1 - rates * kicked  # so that energy is conserved to rounding
    w = 2 * np.pi * frequency
    shares = _forced(rates, w, dt)

    def temperature(diagonal: FloatArray) -> FloatArray:
        return (modes * diagonal) @ modes.T * root / root[:, np.newaxis]

    def heat(diagonal: FloatArray) -> FloatArray:
        return (modes * diagonal) @ modes.T / root / root[:, np.newaxis]

    return HeatStep(
        decay=temperature(np.exp(-a)),
        gain=heat(first),
        kick=heat(third),
        decay_sum=temperature(first),
        gain_sum=heat(second),
        kick_sum=heat(kicked),
        sine=heat(shares[0]),
        cosine=heat(shares[1]),
        sine_sum=heat(shares[2]),
        cosine_sum=heat(shares[3]),
    )


def _phi(a: FloatArray, order: int) -> FloatArray:
    """Return (1 - e^-a) / a, or (a - 1 + e^-a) / a^2, by series where a is small."""
    # a - 1 + e^-a cancels to a^2 / 2, so that its series must begin earlier
    near_zero = a < 1e-2 if order == 2 else a == 0
    safe = np.where(near_zero, 1.0, a)
    if order == 1:
        return np.where(near_zero, 1.0, -np.expm1(-safe) / safe)
    series = 1 / 2 - a / 6 * (1 - a / 4 * (1 - a / 5 * (1 - a / 6 * (1 - a / 7))))
    return np.where(near_zero, series, (safe + np.expm1(-safe)) / safe**2)


def _kick_sum(a: FloatArray, dt: float) -> FloatArray:
    """Return (1 - sqrt((1 - e^-2a) / 2a)) / rate: what a kick worth a tick of noise adds to the integral."""
    near_zero = a < 1e-3
    safe = np.where(near_zero, 1.0, a)
    series = 1 / 2 - a * (5 / 24 - a * (1 / 16 - a * 79 / 5760))
    return dt * np.where(near_zero, series, (1 - np.sqrt(_phi(2 * safe, 1))) / safe)


def _forced(rates: FloatArray, w: float, dt: float) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return the responses to sin and cos at the tick's start, and of their integrals, of y' = -rate y + sin(w t).

    With c = 1 / (rate + i w) the settled motion is Im(c e^(i w t)): the step adds Im(c (e^(i w dt) - e^-a) e^(i w t)).
    """
    if w == 0:
        none = np.zeros_like(rates)
        return none, none, none, none
    # a complex response holds amplitude and phase in one; its parts are those of sine and cosine
    factor = 1 / (rates + 1j * w)
    step = factor * (np.exp(1j * w * dt) - np.exp(-rates * dt))
    forced = factor * ((np.exp(1j * w * dt) - 1) / (1j * w) - _phi(rates * dt, 1) * dt)
    return step.real, step.imag, forced.real, forced.imag


def heat_noise(G: ArrayLike, ambient: ArrayLike) -> tuple[AnyArray, FloatArray]:
    """Return the ends (i, j) of every conductance that carries noise, one row each (edges, 2), and its size (edges,).

    Edges between nodes come first, by row; then those to the reservoir, with j = -1 (P27).
    """
    # the upper half: an edge carries one noise flux, which both its ends see
    G = np.triu(np.asarray(G, float), 1)
    ground = np.broadcast_to(np.asarray(ambient, float), len(G))
    inner, outer = np.argwhere(G > 0), np.flatnonzero(ground > 0)
    ends = np.concatenate([inner, np.stack([outer, np.full(len(outer), -1)], axis=1)])
    return ends, np.concatenate([G[inner[:, 0], inner[:, 1]], ground[outer]])


@dataclass(frozen=True, kw_only=True)
class DiffusionStep:
    """Modes of a grid's axes and what a step does to each mode's amplitude (P19); see ``diffusion_step``."""

    modes: tuple[FloatArray, ...]
    decay: FloatArray
    gain: FloatArray
    gain_sum: FloatArray
    loss: FloatArray


def diffusion_step(shape: tuple[int, ...], D: float, spacing: float, boundary: str, dt: float) -> DiffusionStep:
    """Return the exact step of dT/dt = D lap T + source on a grid of cells, order 2 in the spacing (P19).

    In the modes (an orthogonal matrix an axis) amplitudes go to decay T + gain source, their integral over the tick is
    gain T + gain_sum source. loss (*shape) is the rate at which each cell loses heat to fixed walls.
    """
    rates, modes = zip(*(np.linalg.eigh(_laplacian(n, boundary)) for n in shape))
    total = np.zeros(shape)
    for axis, rate in enumerate(rates):
        total = total + rate.reshape([-1 if a == axis else 1 for a in range(len(shape))])
    a = np.maximum(total, 0.0) * D / spacing**2 * dt
    loss = np.zeros(shape)
    for axis in range(len(shape)) if boundary == "fixed" else ():
        for end in (0, -1):
            # a wall lies half a cell from the last node: twice the conductance between cells
            np.moveaxis(loss, axis, 0)[end] += 2 * D / spacing**2
    return DiffusionStep(modes=modes, decay=np.exp(-a), gain=_phi(a, 1) * dt, gain_sum=_phi(a, 2) * dt**2, loss=loss)


def _laplacian(n: int, boundary: str) -> FloatArray:
    """Return minus the second difference of n cells of unit width."""
    matrix = 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    if boundary == "periodic":
        matrix = 2 * np.eye(n) - np.roll(np.eye(n), 1, 0) - np.roll(np.eye(n), -1, 0)
        return matrix
    # a wall's ghost cell has minus the value, an insulated border the same: hence plus or minus one
    matrix[0, 0] += 1 if boundary == "fixed" else -1
    matrix[-1, -1] += 1 if boundary == "fixed" else -1
    return matrix


def exchange_decay(J: ArrayLike, dt: float) -> FloatArray:
    """Return e^(-L dt), L = diag(sum_j J_ij) - J: exchange alone over dt (P3). Rows and columns sum to one."""
    J = conductances(J)
    off = J - np.diag(np.diag(J))
    rates, modes = np.linalg.eigh(np.diag(off.sum(axis=1)) - off)
    return (modes * np.exp(-np.maximum(rates, 0.0) * dt)) @ modes.T


def ripple_work(frequency: float, dt: float) -> tuple[float, float]:
    """Return (a, b) with the integral of sin(w s) over [t, t + dt] = a sin(w t) + b cos(w t), w = 2 pi frequency."""
    w = 2 * np.pi * frequency
    if w == 0:
        return 0.0, 0.0
    # 1 - cos as 2 sin^2 of half: no digits are lost for slow ripples
    return float(np.sin(w * dt) / w), float(2 * np.sin(w * dt / 2) ** 2 / w)
