"""Fourier's law of each link, exchange and diffusion against their parameters, by temperatures seen (P3, P17 to P19).

Every step is linear in the temperatures at its start, so what they lead to follows from the parameters alone. It is
computed here anew, by the modes of the conductances, and held against what was seen: to rounding, or, where
temperatures fluctuate (P27), by the noise that is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.certificates import significance
from thermoc.certificates.fluctuations import fluctuations
from thermoc.certificates.law import Finding, Skipped
from thermoc.certificates.modes import (
    FEW_LINKS,
    MOST_ROWS,
    HeatModes,
    ThermalSteps,
    held_share,
    laplacian,
    links_of,
    some,
)
from thermoc.certificates.observed import Observed

MOST_NODES = 1024
"""Nodes of a network whose modes are computed for a certificate."""
EVEN = 1e-12
"""Temperatures that differ by less than this share of themselves drive no heat to see."""


def fourier(observed: Observed) -> Iterator[Finding | Skipped]:
    """Each link of a thermal network conducts G (T_i - T_j), as the temperatures that follow show (P17, P18)."""
    op: Any = observed.op
    n = observed["T"].shape[-1]
    if n > MOST_NODES:
        yield Skipped(law="P18", op=observed.label, reason=f"{n} nodes are too many (at most {MOST_NODES})")
        return
    C, g = (np.broadcast_to(observed.constants[name].astype(float), n) for name in ("capacity", "ambient"))
    G = observed.constants["conductance"].astype(float)
    modes = HeatModes(C, laplacian(G, g), observed.dt)
    power = observed.like("power", "T") + g * observed.like("T_ambient", "T")
    rows = ThermalSteps(observed["T"], power, fluctuating=op.k_B > 0)
    ripple = _ripple(observed, modes, rows)
    off = rows.after - modes.step(rows.T, rows.power) - ripple
    if op.k_B > 0:
        yield from fluctuations(observed, modes, rows, off, G, g)
        return
    scale = float(np.abs(observed["T"]).max())
    gap = float(np.abs(off).max(initial=0.0)) / scale
    links = some(links_of(G, g), n)
    sampled = rows.few(len(links) * n * n)
    spread = np.array([_seen(observed, modes, sampled, *link) for link in links]) / scale
    # A step is an average of temperatures and its reservoir's, so it is off by no more than they are.
    held = observed.dt / float(C.min())
    room = observed.room(scale, T=2.0, power=held, T_ambient=held * float(g.max()), ripple=held)
    statement = "each link conducts G (T_i - T_j)"
    yield from _conducted(observed, "P18", statement, gap, room, spread, rows, "conductance", links)


def _conducted(
    observed: Observed,
    law: str,
    statement: str,
    gap: float,
    room: float,
    spread: NDArray,
    rows: ThermalSteps,
    of: str,
    links: list[tuple[int, int, float]],
) -> Iterator[Finding | Skipped]:
    """Yield that steps follow from the parameters within ``room``. spread: what each moves one by, for a share of 1."""
    visible = spread > EVEN
    for (i, j, _), enough in zip(links[:FEW_LINKS], visible):
        if not enough:
            ends = f"{i} and {j}" if j >= 0 else f"{i} and the reservoir"
            yield Skipped(law=law, op=observed.label, reason=f"between {ends} no heat flows that would show it")
    if visible.any() or gap > room:
        detectable = room / float(spread[visible].min()) if visible.any() else np.inf
        bias = detectable if detectable <= 1 else np.inf
        told = {"bias_of": of, "unseen": float((~visible).sum())}
        yield significance.exact(observed, law, statement, gap, rows.after.size, bias=bias, tolerance=room, **told)


def _seen(observed: Observed, modes: HeatModes, rows: ThermalSteps, i: int, j: int, conductance: float) -> float:
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


def _ripple(observed: Observed, modes: HeatModes, rows: ThermalSteps) -> NDArray | float:
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
    decay = np.exp(-np.multiply.outer(dt - s, modes.rates)) * weights[:, np.newaxis] * dt / 2
    swing = np.sin(w * (t[:, np.newaxis] + s))
    return (ripple * (swing @ decay)) @ modes.V.T / modes.root


def exchanged(observed: Observed) -> Iterator[Finding | Skipped]:
    """Exchange follows J and gamma (P3): each step is the one they lead to."""
    op: Any = observed.op
    T, n = observed["T"], observed["T"].shape[-1]
    if n > MOST_NODES:
        yield Skipped(law="P3", op=observed.label, reason=f"{n} units are too many (at most {MOST_NODES})")
        return
    J = observed.constants["J"].astype(float)
    modes = HeatModes(np.ones(n), laplacian(J), observed.dt)
    gamma = observed["gamma"].reshape(*observed["gamma"].shape[:2], 1)
    shared = np.broadcast_to(gamma, T.shape)
    profile = observed.like("T_layer", "T") if op.T_layer is not None else None
    rows = ThermalSteps(T, shared)
    layer = rows.T.mean(axis=1, keepdims=True) if profile is None else rows.picked(profile)
    decay = np.exp(-rows.power * observed.dt)
    spread = modes.step(rows.T, np.zeros_like(rows.T)) - layer
    scale = max(float(np.abs(T).max()), 1e-300)
    gap = float(np.abs(rows.after - layer - decay * spread).max(initial=0.0)) / scale
    sampled = rows.few(len(J) ** 2)
    links = some(links_of(J, np.zeros(n)), n)
    measured = np.array([_seen(observed, modes, sampled, *link) for link in links])
    relaxing = observed.dt * float(np.abs(spread).max(initial=0.0))
    room = observed.room(scale, T=2.0, T_layer=1.0, gamma=relaxing)
    statement = "each pair exchanges J (T_j - T_i)"
    yield from _conducted(observed, "P3", statement, gap, room, measured / scale, rows, "J", links)
    moved = float(np.abs(rows.power * observed.dt * decay * spread).max(initial=0.0)) / scale
    if moved > EVEN:
        statement = "each unit relaxes to its layer at gamma"
        bias = room / moved if room <= moved else np.inf
        yield significance.exact(
            observed, "P3", statement, gap, rows.after.size, bias=bias, bias_of="gamma", tolerance=room
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
    rows = ThermalSteps((T - wall).reshape(flat), observed.like("source", "T").reshape(flat), most=_most(T))
    moved = rows.picked((wall[1:] - wall[:-1]).reshape((len(wall) - 1, *flat[1:])))
    scale = max(float(np.abs(T).max()), 1e-300)
    before, source = (array.reshape(-1, *shape) for array in (rows.T, rows.power))
    went = _spread(before, source, op, observed.dt, op.D)
    gap = float(np.abs((rows.after + moved).reshape(went.shape) - went).max(initial=0.0)) / scale
    step = 1e-3
    difference = float(np.abs(_spread(before, source, op, observed.dt, op.D * (1 + step)) - went).max(initial=0.0))
    difference /= step * scale
    room = observed.room(scale, T=2.0, T_boundary=2.0, source=observed.dt)
    if difference <= EVEN and gap <= room:
        reason = "temperatures are even: no heat flows that would show it"
        yield Skipped(law="P19", op=observed.label, reason=reason)
        return
    bias = room / difference if difference > room else np.inf
    statement = "each step is D lap T + source"
    yield significance.exact(
        observed, "P19", statement, gap, rows.after.size, bias=bias, bias_of="diffusivity", tolerance=room
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
