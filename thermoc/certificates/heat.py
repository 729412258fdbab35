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
        size = float(np.abs(total).max())
        drift = np.abs(total - total[:1]).max() / size
        room = observed.room(size, T=2 * T.shape[-1])
        yield exact(observed, "P45", "the sum of temperatures stays", drift, T.size, tolerance=room)
        J = observed.constants["J"]
        spread = physics.interaction_energy(J, T)
        # The floor keeps temperatures that are all equal from dividing by zero.
        size = max(float(spread.max()), 1e-300)
        rise = float((np.diff(spread, axis=0) / size).max(initial=0.0))
        # J (T_i - T_j)^2 / 2 of a pair moves by 2 J (|T_i - T_j| + off) off, at both ends of a step.
        slope = 4 * J.sum() * (np.ptp(T) + observed.off.get("T", 0.0))
        room = observed.room(size, T=float(slope))
        yield exact(observed, "P46", "differences never grow", rise, spread.size, tolerance=room)
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
    flow = float(T[1:].shape[0] * T.shape[-1])
    room = observed.room(float(scale), T=2 * float(C.sum()), work=flow, heat=flow)
    statement = "energy stored = work in - heat out, both from flows"
    yield exact(observed, "P45", statement, gap, T.size, tolerance=room)
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
    capacity = float(C.sum())
    lowest, coldest = float(produced.min(initial=0.0)) / capacity, max(float(bath.min()), 1e-100)
    moved = {"T": 2 * capacity / float(T.min()), "heat": len(C) / coldest}
    moved["T_ambient"] = float(np.abs(heat_flow).sum(axis=-1).max()) / coldest**2
    room = observed.room(capacity, **moved)
    statement = "entropy is never destroyed"
    return exact(observed, "P46", statement, lowest, produced.size, side="above", tolerance=room)


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
    ticks, cells = float(len(T) - 1), float(T[0, 0].size)
    room = observed.room(float(scale), T=2 * cells, outflow=ticks, source=ticks * cells * observed.dt)
    statement = "what is stored = what sources bring - what walls take"
    yield exact(observed, "P45", statement, gap, T.size, tolerance=room)
    yield from diffused(observed)


def clamp(observed: Observed) -> Iterator[Finding]:
    """A clamp accounts for all it cuts off (P22, P45)."""
    op: Any = observed.op
    x, T, heat_flow, C = observed.like("x", "T"), observed["T"], observed["heat"], observed.like("capacity", "T")
    size = max(float(np.abs(C * x).max()), 1e-300)
    gap = np.abs(C * (x - T) - heat_flow).max() / size
    room = observed.room(size, x=float(C.max()), T=float(C.max()), heat=1.0)
    yield exact(observed, "P45", "heat taken = C (x - T)", gap, T.size, tolerance=room)
    out = max(op.T_min - T.min(), T.max() - op.T_max, 0.0) / op.T_max
    room = observed.room(op.T_max, T=1.0)
    yield exact(observed, "P45", "temperatures stay within the clamp", out, T.size, tolerance=room)


def entropy_production(observed: Observed) -> Iterator[Finding]:
    """Conduction makes entropy, as much as each flow over its two temperatures (P30, P46)."""
    T, produced = observed["T"], observed["S_dot"]
    i, j = np.nonzero(np.triu(observed.constants["conductance"], 1))
    hot, cold, G = T[..., i], T[..., j], observed.constants["conductance"][i, j]
    # Against all that is summed: in the sum over nodes large terms cancel.
    size = max(float((G * (hot / cold + cold / hot)).sum(axis=-1).max()), 1e-300)
    # A link's is G (hot / cold + cold / hot - 2), which moves by the former over either temperature at most.
    room = observed.room(size, S_dot=1.0, T=2 * size / max(float(np.abs(T).min()), 1e-100))
    gap = float(np.abs((G * (hot - cold) ** 2 / (hot * cold)).sum(axis=-1) - produced).max()) / size
    statement = "it is sum G (T_i - T_j)^2 / (T_i T_j)"
    yield exact(observed, "P30", statement, gap, produced.size, tolerance=room)
    if (T > 0).all():
        statement, least = "entropy is never destroyed", float(produced.min()) / size
        room = observed.room(size, S_dot=1.0)
        yield exact(observed, "P46", statement, least, produced.size, side="above", tolerance=room)
