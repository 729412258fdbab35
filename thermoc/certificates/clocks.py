"""What follows a rule to rounding: schedules, reservoirs, velocities, bonds (P11, P21, P23, P29)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from thermoc.certificates import significance
from thermoc.certificates.law import Finding, Skipped
from thermoc.certificates.observed import Observed


def schedule(observed: Observed) -> Iterator[Finding]:
    """A schedule is the temperature of its formula at each tick (P23)."""
    op: Any = observed.op
    T = observed["T"]
    t = (observed.first_tick + np.arange(len(T))) * observed.dt
    if op.kind == "exponential":
        scheduled = op.T0 * np.exp(-t / op.parameter)
    elif op.kind == "linear":
        scheduled = op.T0 * (1 - t / op.parameter)
    else:
        scheduled = op.T0 * np.where(t >= 1, np.maximum(t, 1) ** -op.parameter, 1.0)
    scheduled = np.maximum(scheduled, op.T_min)[:, np.newaxis]
    gap = float(np.abs(T / scheduled - 1).max())
    statement = "the temperature is that of its formula"
    # A target of integers declares by how much its temperature is off.
    room = max(observed.tolerance, observed.off.get("T", 0.0) / op.T_min)
    yield significance.exact(observed, "P23", statement, gap, T.size, bias=room, bias_of="temperature", tolerance=room)


def adaptive(observed: Observed) -> Iterator[Finding | Skipped]:
    """An adaptive schedule cools at constant thermodynamic speed: dT/dt = -v T / (eps sqrt(C)) (P23)."""
    op: Any = observed.op
    T = observed["T"]
    if len(T) < 2:
        return
    if op.capacity is not None:
        C = observed.like("capacity", "T")
    elif observed.begun > 0:
        reason = "the heat capacity it had measured before this run is not known"
        yield Skipped(law="P23", op=observed.label, reason=reason)
        return
    else:
        C = _measured(op, observed.like("energy", "T"), T, observed.dt)
    scheduled = np.maximum(T * np.exp(-op.speed * observed.dt / (op.relaxation * np.sqrt(C))), op.T_min)[:-1]
    gap = float(np.abs(T[1:] / scheduled - 1).max())
    statement = "it cools by v T dt / (eps sqrt(C)) a tick"
    moved = float(np.abs(T[1:] / T[:-1] - 1).max())
    # Two ticks are compared, each off by what a target of integers declares.
    room = max(observed.tolerance, 2 * observed.off.get("T", 0.0) / op.T_min)
    bias = room / moved if moved > room else None
    yield significance.exact(observed, "P23", statement, gap, T.size, bias=bias, bias_of="speed", tolerance=room)


def _measured(op: Any, E: Any, T: Any, dt: float) -> Any:
    """Return the heat capacity that is measured as it runs: <(E - <E>)^2 / T^2>, forgotten at rate 1 / window (P15)."""
    weight = 1 - np.exp(-dt / op.window)
    mean, C = E[0], np.full(E.shape[1:], op.C_initial)
    measured = []
    for tick, (energy, temperature) in enumerate(zip(E, T)):
        off = energy - mean if tick else np.zeros_like(energy)
        C = (1 - weight) * (C + weight * (off / temperature) ** 2)
        mean = mean + weight * off
        measured.append(np.maximum(C, op.C_min))
    return np.array(measured)


def reservoir(observed: Observed) -> Iterator[Finding]:
    """A reservoir stays at its temperature, and counts all the heat it takes (P21, P45)."""
    op: Any = observed.op
    T, total = observed["T"], observed["total"]
    gap = float(np.abs(T / op.temperature - 1).max())
    statement = "its temperature stays"
    room = observed.room(op.temperature, T=1.0)
    yield significance.exact(observed, "P21", statement, gap, T.size, bias=room, bias_of="temperature", tolerance=room)
    heat = observed["heat"]
    absorbed = np.cumsum(heat.reshape(*heat.shape[:2], -1).sum(axis=-1), axis=0)
    size = max(float(np.abs(heat).sum(axis=0).max()), float(np.abs(total).max()), 1e-300)
    if len(heat) == 1:
        absorbed = absorbed * np.arange(1, len(total) + 1)[:, np.newaxis]
    gap = float(np.abs(total[1:] - total[0] - absorbed[: len(total) - 1]).max(initial=0.0)) / size
    room = observed.room(size, total=2.0, heat=float(len(total) * heat[0, 0].size))
    yield significance.exact(observed, "P45", "it has taken what it was given", gap, total.size, tolerance=room)


def velocity(observed: Observed) -> Iterator[Finding]:
    """v is w and the half kick that closes the tick before (P29)."""
    v, w = observed["v"], observed["w"]
    kick = observed.dt / 2 * observed.like("force", "v") / observed.like("mass", "v")
    off = (v - w - kick)[1:]
    size = max(float(np.abs(v).max()), float(np.abs(kick).max()), 1e-300)
    gap = float(np.abs(off).max(initial=0.0)) / size
    room = observed.room(size, v=1.0, w=1.0, force=observed.dt / 2 / float(observed["mass"].min()))
    yield significance.exact(observed, "P29", "v = w + dt f / 2 m", gap, off.size, tolerance=room)


def bonds(observed: Observed) -> Iterator[Finding]:
    """Bonds close within r_form, open beyond r_break, stay between; their energy is counted (P11)."""
    op: Any = observed.op
    x, formed, E = observed["x"], observed["formed"], observed["E"]
    first, second = (observed.constants[name].astype(int) for name in ("first", "second"))
    separation = x[..., second, :] - x[..., first, :]
    if op.box:
        box = np.array(op.box)
        separation = separation - box * np.round(separation / box)
    r = np.sqrt((separation**2).sum(axis=-1))
    before = np.concatenate([formed[:1], formed[:-1]])
    prescribed = np.where(r < op.r_form, 1.0, np.where(r > op.r_break, 0.0, before))
    # At a distance within rounding of its rule a bond may do either.
    sure = np.minimum(np.abs(r / op.r_form - 1), np.abs(r / op.r_break - 1)) > observed.tolerance
    wrong = float(((prescribed != formed) & sure)[1:].sum())
    statement = "bonds that do not follow their rule"
    yield significance.exact(observed, "P11", statement, wrong, formed.size, tolerance=0.0)
    energy = observed.like("energy", "formed")
    size = max(float(np.abs(energy * formed).sum(axis=-1).max()), 1e-300)
    gap = float(np.abs((energy * formed).sum(axis=-1) - E).max()) / size
    yield significance.exact(observed, "P11", "E is that of the bonds that are formed", gap, E.size)
