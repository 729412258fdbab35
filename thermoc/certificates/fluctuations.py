"""The noise of a thermal network's links: what each conducts, it trembles by (P18, P27)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from thermoc.certificates import significance
from thermoc.certificates.draws import of_array, standard_normals
from thermoc.certificates.law import Finding, Skipped
from thermoc.certificates.modes import FEW_LINKS, HeatModes, ThermalSteps, links_of
from thermoc.certificates.observed import Observed


def fluctuations(
    observed: Observed, modes: HeatModes, rows: ThermalSteps, off: NDArray, G: NDArray, g: NDArray
) -> Iterator[Finding | Skipped]:
    """Yield that the noise of each node is what its conductances carry, 2 k_B G T_i T_j dt (P27)."""
    op: Any = observed.op
    heat, n = modes.kicks(off), len(g)
    T, bath = rows.T, rows.picked(observed.like("T_ambient", "T"))
    if not (T > 0).all():
        yield Skipped(law="P18, P47 (noise)", op=observed.label, reason="a temperature is not positive")
        return
    pairs = 2 * op.k_B * observed.dt * T[:, :, np.newaxis] * T[:, np.newaxis] * (G - np.diag(np.diag(G)))
    covariance = -pairs
    nodes = np.arange(n)
    covariance[:, nodes, nodes] = pairs.sum(axis=2) + 2 * op.k_B * observed.dt * T * bath * g
    # What a part without a reservoir exchanges adds up to nothing: one of its nodes follows from the others.
    _, labels = connected_components(G > 0, directed=False)
    follows = [np.flatnonzero(labels == label)[0] for label in np.unique(labels) if not (g[labels == label] > 0).any()]
    free = np.setdiff1d(nodes, follows)
    if not len(free):
        return
    white = np.linalg.inv(np.linalg.cholesky(covariance[:, free[:, np.newaxis], free]))
    z = (white @ heat[:, free, np.newaxis])[..., 0]
    shape = (len(rows.ticks), len(rows.samples), -1)
    steps = of_array(z.reshape(shape))
    yield from standard_normals(observed, "the noise heat of a step", steps, shape[0], bias_of="conductance")
    yield from _noisy_links(observed, modes, rows, G, _Whitened(z=z, by=white, covariance=covariance, free=free))


@dataclass(frozen=True, kw_only=True)
class _Whitened:
    """Noise heat of free nodes as standard normals (rows, free): z = by heat; covariance (rows, n, n) of all nodes."""

    z: NDArray
    by: NDArray
    covariance: NDArray
    free: NDArray


def _noisy_links(
    observed: Observed, modes: HeatModes, rows: ThermalSteps, G: NDArray, white: _Whitened
) -> Iterator[Finding]:
    """Yield that each link, and all together, conduct and tremble as they should: scores of the step's likelihood."""
    links = links_of(G, np.zeros(len(G)))[:FEW_LINKS]
    if not links:
        return
    directions = [_derivatives(observed, modes, rows, white, *link) for link in links]
    if len(links) > 1:
        drifts, spreads = (np.sum(parts, axis=0) for parts in zip(*directions))
        directions.append((drifts, spreads))
    estimates = []
    for drift, spread in directions:
        square = (white.z * (spread @ white.z[..., np.newaxis])[..., 0]).sum()
        square -= np.trace(spread, axis1=1, axis2=2).sum()
        score = float((white.z * drift).sum() + square / 2)
        estimates.append((score, float(np.vdot(drift, drift) + np.vdot(spread, spread) / 2)))
    score, information = max(estimates, key=lambda pair: abs(pair[0]) / np.sqrt(pair[1]))
    # The power is that of the direction which shows least.
    smallest = min(information for _, information in estimates[-1:])
    yield significance.normal(
        observed,
        "P18",
        "links conduct G (T_i - T_j), and tremble by it",
        1 + score / information,
        1 / np.sqrt(information),
        white.z.size,
        expected=1.0,
        tries=len(estimates),
        slope=np.sqrt(smallest / information),
        bias_of="conductance",
    )


def _derivatives(
    observed: Observed, modes: HeatModes, rows: ThermalSteps, white: _Whitened, i: int, j: int, conductance: float
) -> tuple[NDArray, NDArray]:
    """Return what a conductance larger by a share of 1 does to mean and covariance of a step, in whitened noise."""
    op: Any = observed.op
    n = len(modes.root)
    link = np.zeros(n)
    link[i], link[j] = np.sqrt(conductance), -np.sqrt(conductance)
    drift = modes.kicks(modes.slopes(rows.T, rows.power, link))[:, white.free]
    step = 1e-4
    L = (modes.V * modes.rates) @ modes.V.T * modes.root * modes.root[:, np.newaxis]
    shifted = HeatModes(modes.root**2, L + step * np.outer(link, link), observed.dt)
    # What makes of noise heat the temperatures, of the larger conductance; brought back to heat by this one.
    D = (modes.kicks(shifted.kicked(np.eye(n))).T - np.eye(n)) / step
    variance = 2 * op.k_B * observed.dt * rows.T[:, i] * rows.T[:, j]
    change = variance[:, np.newaxis, np.newaxis] * np.outer(link, link)
    turned = D @ white.covariance
    change = (change + turned + np.swapaxes(turned, 1, 2))[:, white.free[:, np.newaxis], white.free]
    spread = white.by @ change @ np.swapaxes(white.by, 1, 2)
    return (white.by @ drift[..., np.newaxis])[..., 0], spread
