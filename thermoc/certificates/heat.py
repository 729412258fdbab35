"""Heat: what is stored, what flows, what fluctuates (P3, P17 to P19, P22, P27, P45 to P47)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from thermoc import physics
from thermoc.certificates.criteria import converged, equipartition, exact, unsettled
from thermoc.certificates.law import Law, Skipped
from thermoc.certificates.observed import Seen


def exchange(seen: Seen) -> Iterator[Law | Skipped]:
    """Exchange keeps the sum of temperatures, and brings them together (P3, P45, P46)."""
    T = seen["T"]
    op: Any = seen.op
    if op.T_layer is None:
        total = T.sum(axis=-1)
        drift = np.abs(total - total[:1]).max() / np.abs(total).max()
        yield exact(seen, "P45", "the sum of temperatures stays", drift, T.size)
        spread = physics.interaction_energy(seen.constants["J"], T)
        rise = float((np.diff(spread, axis=0) / max(spread.max(), 1e-300)).max(initial=0.0))
        yield exact(seen, "P46", "differences never grow", rise, spread.size)
    else:
        reason = "the layer's temperature is given: what it gives and takes is not counted"
        yield Skipped(law="P45, P46", op=seen.label, reason=reason)


def network(seen: Seen) -> Iterator[Law | Skipped]:
    """Energy and entropy of a thermal network (P45, P46), and its fluctuations (P27, P47)."""
    op: Any = seen.op
    T, given, taken = seen["T"], seen["work"], seen["heat"]
    C = np.broadcast_to(seen.constants["capacity"], T.shape[-1])
    stored = (C * T).sum(axis=-1)
    flows = np.cumsum((given - taken).sum(axis=-1)[1:], axis=0)
    scale = np.abs(stored).max() + np.cumsum(np.abs(given).sum(-1) + np.abs(taken).sum(-1), axis=0).max()
    gap = np.abs(stored[1:] - stored[0] - flows).max(initial=0.0) / scale
    yield exact(seen, "P45", "energy stored = work in - heat out, both from flows", gap, T.size)
    yield _second_law(seen) if op.k_B == 0 and (T > 0).all() else _no_second_law(seen)
    settled = seen.settled
    if op.k_B == 0:
        return
    if settled is None:
        yield unsettled(seen, "P47, P49")
        return
    rest = np.unique(settled["T_ambient"])
    if len(rest) > 1 or np.abs(settled["work"]).max() > 0 or not (seen["ambient"] > 0).any():
        reason = "it is not in equilibrium with one reservoir"
        yield Skipped(law="P47, P49", op=seen.label, reason=reason)
        return
    share = (settled["T"] - rest[0]) ** 2 * C / (op.k_B * rest[0] ** 2)
    small = float(op.k_B / C.min())  # the noise follows T, which adds terms of order k_B / C
    yield from equipartition(settled, share, "Var(T) over k_B T^2 / C a node", 4 * small)
    yield from converged(settled, settled["T"])


def _no_second_law(seen: Seen) -> Skipped:
    op: Any = seen.op
    reason = "single fluctuations may lower the entropy" if op.k_B > 0 else "a temperature is not positive"
    return Skipped(law="P46", op=seen.label, reason=reason)


def _second_law(seen: Seen) -> Law | Skipped:
    """Return that no tick destroys entropy: within, and in the reservoir that took the heat (P46).

    The reservoir's temperature is that of the tick, whatever schedule it follows; work that comes in brings no entropy.
    """
    op: Any = seen.op
    T, bath, given, taken = seen["T"], seen.like("T_ambient", "T"), seen["work"], seen["heat"]
    if given.min() < 0 or op.frequency:
        return Skipped(law="P46", op=seen.label, reason="it gives work away, for which its heat must flow in order")
    C = np.broadcast_to(seen.constants["capacity"], T.shape[-1])
    made = (C * np.log(T[1:] / T[:-1]) + taken[1:] / bath[:-1]).sum(axis=-1)
    return Law(
        law="P46",
        op=seen.label,
        statement="entropy is never destroyed",
        measured=float(made.min(initial=0.0)) / float(C.sum()),
        expected=0.0,
        bound=seen.tolerance,
        side="above",
        samples=made.size,
    )


def diffusion(seen: Seen) -> Iterator[Law]:
    """What a grid holds changes by what sources bring and walls take (P19, P45)."""
    T, out = seen["T"], seen["outflow"]
    axes = tuple(range(2, T.ndim))
    source = seen.like("source", "T").sum(axis=axes)
    total = T.sum(axis=axes)
    change = np.cumsum(source[:-1] * seen.dt - out[1:], axis=0)
    scale = np.abs(total).max() + np.abs(out).sum(axis=0).max() + np.abs(source).sum(axis=0).max() * seen.dt
    gap = np.abs(total[1:] - total[0] - change).max(initial=0.0) / scale
    yield exact(seen, "P45", "what is stored = what sources bring - what walls take", gap, T.size)


def clamp(seen: Seen) -> Iterator[Law]:
    """A clamp accounts for all it cuts off (P22, P45)."""
    op: Any = seen.op
    x, T, taken, C = seen.like("x", "T"), seen["T"], seen["heat"], seen.like("capacity", "T")
    gap = np.abs(C * (x - T) - taken).max() / max(np.abs(C * x).max(), 1e-300)
    yield exact(seen, "P45", "heat taken = C (x - T)", gap, T.size)
    out = max(op.T_min - T.min(), T.max() - op.T_max, 0.0) / op.T_max
    yield exact(seen, "P45", "temperatures stay within the clamp", out, T.size)
