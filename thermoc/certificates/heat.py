"""Heat: what is stored, what flows, what fluctuates (P3, P17 to P19, P22, P27, P45 to P47)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from thermoc import physics
from thermoc.certificates.conduction import diffused, exchanged, fourier
from thermoc.certificates.criteria import converged, equipartition, unsettled
from thermoc.certificates.law import Finding, Skipped
from thermoc.certificates.observed import Observed
from thermoc.certificates.significance import exact


def exchange(observed: Observed) -> Iterator[Finding | Skipped]:
    """Exchange keeps the sum of temperatures, and brings them together (P3, P45, P46)."""
    T = observed["T"]
    op: Any = observed.op
    if op.T_layer is None:
        total = T.sum(axis=-1)
        drift = np.abs(total - total[:1]).max() / np.abs(total).max()
        yield exact(observed, "P45", "the sum of temperatures stays", drift, T.size)
        spread = physics.interaction_energy(observed.constants["J"], T)
        # The floor keeps temperatures that are all equal from dividing by zero.
        rise = float((np.diff(spread, axis=0) / max(spread.max(), 1e-300)).max(initial=0.0))
        yield exact(observed, "P46", "differences never grow", rise, spread.size)
    else:
        reason = "the layer's temperature is given: what it gives and takes is not counted"
        yield Skipped(law="P45, P46", op=observed.label, reason=reason)
    yield from exchanged(observed)


def network(observed: Observed) -> Iterator[Finding | Skipped]:
    """Energy and entropy of a thermal network (P45, P46), and its fluctuations (P27, P47)."""
    op: Any = observed.op
    T, work, heat_flow = observed["T"], observed["work"], observed["heat"]
    C = np.broadcast_to(observed.constants["capacity"], T.shape[-1])
    # Products with vectors: NumPy's sums over a short last axis take several times as long.
    stored, one = T @ C, np.ones(T.shape[-1])
    # The first tick's flows stand before the first temperature that was observed.
    flows = np.cumsum(((work - heat_flow) @ one)[1:], axis=0)
    scale = np.abs(stored).max() + ((np.abs(work) + np.abs(heat_flow)) @ one).sum(axis=0).max()
    gap = np.abs(stored[1:] - stored[0] - flows).max(initial=0.0) / scale
    yield exact(observed, "P45", "energy stored = work in - heat out, both from flows", gap, T.size)
    yield _second_law(observed) if op.k_B == 0 and (T > 0).all() else _no_second_law(observed)
    yield from fourier(observed)
    settled = observed.settled
    if op.k_B == 0:
        return
    if settled is None:
        yield unsettled(observed, "P47, P49")
        return
    ambients = np.unique(settled["T_ambient"])
    if len(ambients) > 1 or np.abs(settled["work"]).max() > 0 or not (observed["ambient"] > 0).any():
        reason = "it is not in equilibrium with one reservoir"
        yield Skipped(law="P47, P49", op=observed.label, reason=reason)
        return
    off = settled["T"][settled.warmup :] - ambients[0]
    ratio = off * off * C / (op.k_B * ambients[0] ** 2)
    resolution = float(op.k_B / C.min())  # the noise follows T, which adds terms of order k_B / C
    yield from equipartition(settled, ratio, "Var(T) over k_B T^2 / C a node", 4 * resolution)
    yield from converged(settled, settled["T"])


def _no_second_law(observed: Observed) -> Skipped:
    op: Any = observed.op
    reason = "single fluctuations may lower the entropy" if op.k_B > 0 else "a temperature is not positive"
    return Skipped(law="P46", op=observed.label, reason=reason)


def _second_law(observed: Observed) -> Finding | Skipped:
    """Return that no tick destroys entropy: within, and in the reservoir that took the heat (P46).

    The reservoir's temperature is that of the tick, whatever schedule it follows; work that comes in brings no entropy.
    """
    op: Any = observed.op
    T, bath, work, heat_flow = observed["T"], observed.like("T_ambient", "T"), observed["work"], observed["heat"]
    if work.min() < 0 or op.frequency:
        return Skipped(law="P46", op=observed.label, reason="it gives work away, for which its heat must flow in order")
    C = np.broadcast_to(observed.constants["capacity"], T.shape[-1])
    # Entropy of a node of constant capacity is C ln T; the reservoir gains heat over its temperature.
    produced = np.diff(np.log(T) @ C, axis=0) + (heat_flow[1:] / bath[:-1]) @ np.ones(len(C))
    lowest = float(produced.min(initial=0.0)) / float(C.sum())
    return exact(observed, "P46", "entropy is never destroyed", lowest, produced.size, side="above")


def diffusion(observed: Observed) -> Iterator[Finding | Skipped]:
    """What a grid holds changes by what sources bring and walls take (P19, P45)."""
    T, out = observed["T"], observed["outflow"]
    axes = tuple(range(2, T.ndim))
    source = observed.like("source", "T").sum(axis=axes)
    total = T.sum(axis=axes)
    change = np.cumsum(source[:-1] * observed.dt - out[1:], axis=0)
    # Relative to all that moved: a total that cancels to zero would make any rounding look large.
    scale = np.abs(total).max() + np.abs(out).sum(axis=0).max() + np.abs(source).sum(axis=0).max() * observed.dt
    gap = np.abs(total[1:] - total[0] - change).max(initial=0.0) / scale
    yield exact(observed, "P45", "what is stored = what sources bring - what walls take", gap, T.size)
    yield from diffused(observed)


def clamp(observed: Observed) -> Iterator[Finding]:
    """A clamp accounts for all it cuts off (P22, P45)."""
    op: Any = observed.op
    x, T, heat_flow, C = observed.like("x", "T"), observed["T"], observed["heat"], observed.like("capacity", "T")
    gap = np.abs(C * (x - T) - heat_flow).max() / max(np.abs(C * x).max(), 1e-300)
    yield exact(observed, "P45", "heat taken = C (x - T)", gap, T.size)
    out = max(op.T_min - T.min(), T.max() - op.T_max, 0.0) / op.T_max
    yield exact(observed, "P45", "temperatures stay within the clamp", out, T.size)


def entropy_production(observed: Observed) -> Iterator[Finding]:
    """Conduction makes entropy, as much as each flow over its two temperatures (P30, P46)."""
    T, production = observed["T"], observed["S_dot"]
    i, j = np.nonzero(np.triu(observed.constants["conductance"], 1))
    hot, cold = T[..., i], T[..., j]
    production = observed.constants["conductance"][i, j] * (hot - cold) ** 2 / (hot * cold)
    # Against all that is summed: in the sum over nodes large terms cancel.
    size = max(float((observed.constants["conductance"][i, j] * (hot / cold + cold / hot)).sum(axis=-1).max()), 1e-300)
    gap = float(np.abs(production.sum(axis=-1) - production).max()) / size
    yield exact(observed, "P30", "it is sum G (T_i - T_j)^2 / (T_i T_j)", gap, production.size)
    if (T > 0).all():
        yield exact(
            observed, "P46", "entropy is never destroyed", float(production.min()) / size, production.size, side="above"
        )
