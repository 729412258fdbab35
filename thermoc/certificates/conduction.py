"""Fourier's law of each link, exchange and diffusion against their parameters, from the temperatures seen (P3, P17 to P19).

Every step is linear in the temperatures at its start, so what they lead to follows from the parameters alone. It is
computed here anew, by the modes of the conductances, and held against what was seen: to rounding, or, where
temperatures fluctuate (P27), by the noise that is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from thermoc.certificates import significance
from thermoc.certificates.draws import standard_normals
from thermoc.certificates.law import Finding, Skipped
from thermoc.certificates.observed import Observed

MOST_NODES = 1024
"""Nodes of a network whose modes are computed for a certificate."""
MOST_ROWS, MOST_WORK = 4096, 2 * 10**8
"""Steps (a tick of a sample) that are looked at, evenly spaced, and numbers that are computed for it."""
EVEN = 1e-12
"""Temperatures that differ by less than this share of themselves drive no heat to see."""
NODES = 16


class Modes:
    """C dT/dt = -L T + p by its modes: what a step of dt does to temperatures, held powers and kicks."""

    def __init__(self, C: NDArray, L: NDArray, dt: float):
        self.root = np.sqrt(C)
        self.rates, self.V = np.linalg.eigh(L / self.root[:, np.newaxis] / self.root)
        self.rates, self.dt = np.maximum(self.rates, 0.0), dt
        self.decay = np.exp(-self.rates * dt)
        self.gain = held_share(self.rates, dt)

    def step(self, T: NDArray, p: NDArray) -> NDArray:
        """Return the temperatures (rows, n) after a step from ``T`` at powers ``p``."""
        return self._through(self.decay, T * self.root) + self._through(self.gain, p / self.root)

    def _through(self, share: NDArray, y: NDArray) -> NDArray:
        return ((y @ self.V) * share) @ self.V.T / self.root

    def kicks(self, off: NDArray) -> NDArray:
        """Return the noise heat (rows, n) that took the temperatures ``off`` from where they would have gone."""
        share = np.sqrt(held_share(2 * self.rates, self.dt) / self.dt)
        return (((off * self.root) @ self.V) / share) @ self.V.T * self.root

    def slopes(self, T: NDArray, p: NDArray, link: NDArray) -> NDArray:
        """Return what the temperatures (rows, n) after a step change by for a conductance larger by a share of 1.

        link (n,): its ends, 1 and -1, times the root of its conductance (Daleckii and Krein 1965).
        """
        w = self.V.T @ (link / self.root)
        outer = np.outer(w, w)
        y, q = (T * self.root) @ self.V, (p / self.root) @ self.V
        gap = self.rates[:, np.newaxis] - self.rates
        same = np.abs(gap) < 1e-9 * max(float(self.rates.max()), 1e-300)
        safe = np.where(same, 1.0, gap)

        def divided(values: NDArray, slope: NDArray) -> NDArray:
            return np.where(same, slope[:, np.newaxis], (values[:, np.newaxis] - values) / safe)

        decays = divided(self.decay, -self.dt * self.decay)
        small = self.rates * self.dt < 1e-4
        rate = np.where(small, 1.0, self.rates)
        gains = divided(
            self.gain, np.where(small, -(self.dt**2) / 2, (self.dt * self.decay - self.gain) / rate)
        )
        return (y @ (decays * outer) + q @ (gains * outer)) @ self.V.T / self.root


def held_share(rates: NDArray, dt: float) -> NDArray:
    """Return the integral of e^(-rate s) over dt: what a power held over the tick adds."""
    safe = np.where(rates == 0, 1.0, rates)
    return np.where(rates == 0, dt, -np.expm1(-safe * dt) / safe)


def laplacian(G: NDArray, ground: NDArray | float = 0.0) -> NDArray:
    """Return L with L T the heat that leaves each node by Fourier's law (P18)."""
    off = G - np.diag(np.diag(G))
    return np.diag(off.sum(axis=1) + ground) - off


def fourier(observed: Observed) -> Iterator[Finding | Skipped]:
    """Each link of a thermal network conducts G (T_i - T_j), as the temperatures that follow show (P17, P18)."""
    op: Any = observed.op
    n = observed["T"].shape[-1]
    if n > MOST_NODES:
        yield Skipped(law="P18", op=observed.label, reason=f"{n} nodes are too many (at most {MOST_NODES})")
        return
    C, g = (np.broadcast_to(observed.constants[name].astype(float), n) for name in ("capacity", "ambient"))
    G = observed.constants["conductance"].astype(float)
    modes = Modes(C, laplacian(G, g), observed.dt)
    power = observed.like("power", "T") + g * observed.like("T_ambient", "T")
    rows = _Rows(observed["T"], power, fluctuating=op.k_B > 0)
    ripple = _ripple(observed, modes, rows)
    off = rows.after - modes.step(rows.T, rows.power) - ripple
    if op.k_B > 0:
        yield from _fluctuations(observed, modes, rows, off, G, g)
        return
    scale = float(np.abs(observed["T"]).max())
    gap = float(np.abs(off).max(initial=0.0)) / scale
    links = _links(G, g)
    few = rows.few(len(links) * n * n)
    spread = np.array([_seen(observed, modes, few, *link) for link in links]) / scale
    yield from _conducted(observed, "P18", "each link conducts G (T_i - T_j)", gap, spread, rows, "conductance", links)


def _conducted(
    observed: Observed,
    law: str,
    statement: str,
    gap: float,
    spread: NDArray,
    rows: _Rows,
    of: str,
    links: list[tuple[int, int, float]],
) -> Iterator[Finding | Skipped]:
    """Yield that steps follow from the parameters. spread: what each parameter moves a step by, for a share of 1."""
    visible = spread > EVEN
    for (i, j, _), seen in zip(links[:NODES], visible):
        if not seen:
            ends = f"{i} and {j}" if j >= 0 else f"{i} and the reservoir"
            yield Skipped(law=law, op=observed.label, reason=f"between {ends} no heat flows that would show it")
    if visible.any() or gap > observed.tolerance:
        least = observed.tolerance / float(spread[visible].min()) if visible.any() else np.inf
        bias = least if least <= 1 else np.inf
        unseen = float((~visible).sum())
        yield significance.exact(
            observed, law, statement, gap, rows.after.size, bias=bias, bias_of=of, unseen=unseen
        )


def _links(G: NDArray, g: NDArray) -> list[tuple[int, int, float]]:
    """Return (i, j, conductance) of each link, j = -1 for the reservoir."""
    ends = np.argwhere(np.triu(G, 1) > 0)
    inner = [(int(i), int(j), float(G[i, j])) for i, j in ends]
    return [*inner, *((int(i), -1, float(g[i])) for i in np.flatnonzero(g > 0))]


def _seen(observed: Observed, modes: Modes, rows: _Rows, i: int, j: int, conductance: float) -> float:
    """Return how far the temperatures after a step move for a conductance larger by a share of 1."""
    link = np.zeros(len(modes.root))
    link[i] = np.sqrt(conductance)
    moved = np.zeros_like(rows.T)
    if j >= 0:
        link[j] = -link[i]
    else:
        source = np.zeros_like(rows.T)
        source[:, i] = conductance * rows.picked(observed.like("T_ambient", "T"))[:, i]
        moved = modes.step(np.zeros_like(rows.T), source)
    return float(np.abs(modes.slopes(rows.T, rows.power, link) + moved).max())


class _Rows:
    """Steps of a run: temperatures before and after, and the powers held between, each (rows, n)."""

    def __init__(self, T: NDArray, power: NDArray, *, most: int = MOST_ROWS, fluctuating: bool = False):
        ticks, samples, n = len(T) - 1, T.shape[1], T.shape[2]
        if fluctuating:
            most = max(ticks * samples if n <= NODES else MOST_WORK // n**3, 64)
        # Whole ticks, evenly spaced, and as many samples as still fit.
        kept = min(samples, max(most, 1))
        count = max(1, min(ticks, most // kept))
        self.ticks = np.unique(np.linspace(0, ticks - 1, count).astype(int))
        self.samples = np.unique(np.linspace(0, samples - 1, kept).astype(int))
        self.T, self.after = self.picked(T), self.picked(T, 1)
        self.power = self.picked(power)

    def picked(self, array: NDArray, shift: int = 0) -> NDArray:
        """Return the rows of an array (ticks, samples, n)."""
        return array[np.ix_(self.ticks + shift, self.samples)].reshape(-1, array.shape[-1])

    def few(self, work: int) -> _Rows:
        """Return fewer rows, evenly spaced, for ``work`` numbers a row."""
        count = int(np.clip(MOST_WORK // max(work, 1), 8, 64))
        chosen = np.unique(np.linspace(0, len(self.ticks) - 1, count).astype(int))
        less = object.__new__(_Rows)
        less.ticks, less.samples = self.ticks[chosen], self.samples[:1]
        pick = (chosen * len(self.samples)).astype(int)
        less.T, less.after, less.power = self.T[pick], self.after[pick], self.power[pick]
        return less


def _ripple(observed: Observed, modes: Modes, rows: _Rows) -> NDArray | float:
    """Return what a power r sin(w t) adds in a step, by Gauss-Legendre quadrature."""
    op: Any = observed.op
    if not op.frequency:
        return 0.0
    dt, w = observed.dt, 2 * np.pi * op.frequency
    points, weights = np.polynomial.legendre.leggauss(int(20 + 4 * w * dt))
    s = dt * (points + 1) / 2
    t = np.repeat(observed.first_tick + rows.ticks, len(rows.samples)) * dt
    ripple = rows.picked(observed.like("ripple", "T")) / modes.root @ modes.V
    # Of a kick at s the mode keeps e^(-rate (dt - s)).
    kept = np.exp(-np.multiply.outer(dt - s, modes.rates)) * weights[:, np.newaxis] * dt / 2
    swing = np.sin(w * (t[:, np.newaxis] + s))
    return (ripple * (swing @ kept)) @ modes.V.T / modes.root


def _fluctuations(
    observed: Observed, modes: Modes, rows: _Rows, off: NDArray, G: NDArray, g: NDArray
) -> Iterator[Finding]:
    """Yield that the noise of each node is what its conductances carry, 2 k_B G T_i T_j dt (P27)."""
    op: Any = observed.op
    heat, n = modes.kicks(off), len(g)
    T, bath = np.maximum(rows.T, 0.0), np.maximum(rows.picked(observed.like("T_ambient", "T")), 0.0)
    pairs = 2 * op.k_B * observed.dt * T[:, :, np.newaxis] * T[:, np.newaxis] * (G - np.diag(np.diag(G)))
    covariance = -pairs
    place = np.arange(n)
    covariance[:, place, place] = pairs.sum(axis=2) + 2 * op.k_B * observed.dt * T * bath * g
    # What a part without a reservoir exchanges adds up to nothing: one of its nodes follows from the others.
    _, part = connected_components(G > 0, directed=False)
    follows = [np.flatnonzero(part == one)[0] for one in np.unique(part) if not (g[part == one] > 0).any()]
    free = np.setdiff1d(place, follows)
    if not len(free):
        return
    factor = np.linalg.cholesky(covariance[:, free[:, np.newaxis], free])
    z = np.linalg.solve(factor, heat[:, free, np.newaxis])[..., 0]
    shape = (len(rows.ticks), len(rows.samples), -1)
    state = rows.T[:, free] - rows.T[:, free].mean(axis=0)
    state = (state / np.maximum(state.std(axis=0), 1e-300)).reshape(shape)
    yield from standard_normals(
        observed, "the noise heat of a step", z.reshape(shape), bias_of="conductance", temperature=state
    )


def exchanged(observed: Observed) -> Iterator[Finding | Skipped]:
    """Exchange follows J and gamma (P3): each step is the one they lead to."""
    op: Any = observed.op
    T, n = observed["T"], observed["T"].shape[-1]
    if n > MOST_NODES:
        yield Skipped(law="P3", op=observed.label, reason=f"{n} units are too many (at most {MOST_NODES})")
        return
    J = observed.constants["J"].astype(float)
    modes = Modes(np.ones(n), laplacian(J), observed.dt)
    gamma = observed["gamma"].reshape(*observed["gamma"].shape[:2], 1)
    shared = np.broadcast_to(gamma, T.shape)
    given = observed.like("T_layer", "T") if op.T_layer is not None else None
    rows = _Rows(T, shared)
    layer = rows.T.mean(axis=1, keepdims=True) if given is None else rows.picked(given)
    kept = np.exp(-rows.power * observed.dt)
    spread = modes.step(rows.T, np.zeros_like(rows.T)) - layer
    scale = max(float(np.abs(T).max()), 1e-300)
    gap = float(np.abs(rows.after - layer - kept * spread).max(initial=0.0)) / scale
    few = rows.few(len(J) ** 2)
    links = _links(J, np.zeros(n))
    seen = np.array([_seen(observed, modes, few, *link) for link in links])
    yield from _conducted(observed, "P3", "each pair exchanges J (T_j - T_i)", gap, seen / scale, rows, "J", links)
    moved = float(np.abs(rows.power * observed.dt * kept * spread).max(initial=0.0)) / scale
    if moved > EVEN:
        statement = "each unit relaxes to its layer at gamma"
        bias = observed.tolerance / moved
        yield significance.exact(
            observed, "P3", statement, gap, rows.after.size, bias=bias if bias <= 1 else np.inf, bias_of="gamma"
        )


def diffused(observed: Observed) -> Iterator[Finding | Skipped]:
    """A grid diffuses at D (P19): each step is that of central differences."""
    op: Any = observed.op
    T, shape = observed["T"], observed["T"].shape[2:]
    if max(shape) > MOST_NODES:
        reason = f"a side of {max(shape)} cells is too long (at most {MOST_NODES})"
        yield Skipped(law="P19", op=observed.label, reason=reason)
        return
    wall = observed.like("T_boundary", "T") if op.boundary == "fixed" else np.zeros_like(T)
    flat = (*T.shape[:2], -1)
    rows = _Rows((T - wall).reshape(flat), observed.like("source", "T").reshape(flat), most=_most(T))
    moved = rows.picked((wall[1:] - wall[:-1]).reshape((len(wall) - 1, *flat[1:])))
    scale = max(float(np.abs(T).max()), 1e-300)
    before, source = (array.reshape(-1, *shape) for array in (rows.T, rows.power))
    went = _spread(before, source, op, observed.dt, op.D)
    gap = float(np.abs((rows.after + moved).reshape(went.shape) - went).max(initial=0.0)) / scale
    share = 1e-3
    seen = float(np.abs(_spread(before, source, op, observed.dt, op.D * (1 + share)) - went).max(initial=0.0))
    seen /= share * scale
    if seen <= EVEN and gap <= observed.tolerance:
        reason = "temperatures are even: no heat flows that would show it"
        yield Skipped(law="P19", op=observed.label, reason=reason)
        return
    bias = observed.tolerance / seen if seen > observed.tolerance else np.inf
    yield significance.exact(
        observed, "P19", "each step is D lap T + source", gap, rows.after.size, bias=bias, bias_of="diffusivity"
    )


def _most(T: NDArray) -> int:
    """Return how many steps of a grid are looked at."""
    return int(np.clip(2**22 // (T[0, 0].size * sum(T.shape[2:])), 2, MOST_ROWS))


def _spread(T: NDArray, source: NDArray, op: Any, dt: float, D: float) -> NDArray:
    """Return a grid (rows, ...) after a step, mode by mode of each axis."""
    rates: Any = 0.0
    for axis, n in enumerate(T.shape[1:], start=1):
        rate, V = np.linalg.eigh(_second_difference(n, op.boundary))
        T, source = (np.moveaxis(np.tensordot(array, V, (axis, 0)), -1, axis) for array in (T, source))
        rates = rates + rate.reshape([-1 if a == axis else 1 for a in range(T.ndim)])
    rates = np.maximum(rates, 0.0) * D / op.spacing**2
    T = T * np.exp(-rates * dt) + source * held_share(rates, dt)
    for axis, n in enumerate(T.shape[1:], start=1):
        V = np.linalg.eigh(_second_difference(n, op.boundary))[1]
        T = np.moveaxis(np.tensordot(T, V, (axis, 1)), -1, axis)
    return T


def _second_difference(n: int, boundary: str) -> NDArray:
    """Return minus the second difference of a row of cells; a fixed wall lies half a cell from the last."""
    chain = np.ones(n - 1)
    matrix = laplacian(np.diag(chain, 1) + np.diag(chain, -1))
    if boundary == "periodic" and n > 1:
        matrix[0, 0] += 1
        matrix[-1, -1] += 1
        matrix[0, -1] -= 1
        matrix[-1, 0] -= 1
    if boundary == "fixed":
        matrix[0, 0] += 2
        matrix[-1, -1] += 2
    return matrix
