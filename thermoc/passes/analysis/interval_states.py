"""Interval arithmetic of ops with states or several results, and which ops have no bound whatever goes in."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from thermoc.ir.dialects import core, devices, diffusive, dynamics, heat, langevin, sampling, spiking, thermo
from thermoc.ir.ops import Op
from thermoc.passes.analysis.interval_rules import Range, between, corners, hull, levels, like, square


def _delay(op: Any, x: Range, initial: Range) -> tuple[Range]:
    return (hull(x, like(op, initial)),)


def _gibbs(op: Any, initial: Range, **named: Range) -> tuple[Range]:
    return (hull(levels(op), like(op, initial)),)


def _settling(start: Range, drive: Range, keep: Range) -> Range:
    """State of v' = keep v + drive: within the start and drive / (1 - keep) for 0 <= keep < 1; keep = 1 adds up."""
    # For 0 <= keep < 1 the state relaxes towards drive / (1 - keep) and never passes it; at keep = 1 it adds up.
    settled = corners([end / (1 - k) for end in drive for k in keep])
    steady, adding = (keep.low >= 0) & (keep.high < 1), (keep.low >= 0) & (keep.high <= 1)
    low = np.where(adding & (drive.low >= 0), np.minimum(start.low, 0.0), -np.inf)
    high = np.where(adding & (drive.high <= 0), np.maximum(start.high, 0.0), np.inf)
    return Range(
        np.where(steady, np.minimum(start.low, settled.low), low),
        np.where(steady, np.maximum(start.high, settled.high), high),
    )


def _trace_step(op: Any, x: Range, keep: Range, initial: Range) -> tuple[Range]:
    return (like(op, _settling(initial, x, keep)),)


def _trace(op: Any, x: Range, tau: Range, initial: Range) -> tuple[Range]:
    """With x of one sign a trace keeps it; how high it sums up follows from the step, which is not known here."""
    none = np.zeros(())
    low = np.where(x.low >= 0, np.minimum(initial.low, none), -np.inf)
    high = np.where(x.high <= 0, np.maximum(initial.high, none), np.inf)
    return (like(op, Range(low, high)),)


def _lif_step(op: Any, x: Range, keep: Range, gain: Range, offset: Range, initial: Range, **r: Range):
    """Spikes, and the membrane after its reset: at most the threshold, or what a spike leaves of it."""
    drive = corners([a * b for a in gain for b in x])
    drive, threshold = Range(drive.low + offset.low, drive.high + offset.high), r["v_threshold"]
    zero = Range(np.zeros(()), np.zeros(()))
    start = hull(initial, r["v_reset"] if op.reset == "value" else zero)
    free = _settling(start, drive, keep)
    high = np.minimum(free.high, np.maximum(threshold.high, start.high))
    if op.reset == "subtract":  # v - threshold may be more than the threshold
        over = _settling(start, Range(drive.low - threshold.high, drive.high - threshold.low), keep)
        high = np.maximum(high, over.high)
    return between(0.0, 1.0)(op), like(op, Range(free.low, high))


def _spikes(op: Any, **named: Range) -> tuple[Range | None, ...]:
    """Spikes are 0 or 1; the membrane of a unit in continuous time depends on the step."""
    return (between(0.0, 1.0)(op), *(None for _ in op.results[1:]))


def _mean(op: Any, x: Range) -> tuple[Range]:
    return (x,)


def _cooling(op: Any, **named: Range) -> tuple[Range]:
    return (between(min(op.T_min, op.T0), max(op.T_min, op.T0))(op),)


def _clamp(op: Any, x: Range, capacity: Range) -> tuple[Range, Range]:
    T = Range(np.clip(x.low, op.T_min, op.T_max), np.clip(x.high, op.T_min, op.T_max))
    over = Range(np.minimum(x.low - op.T_min, 0.0), np.maximum(x.high - op.T_max, 0.0))
    return T, corners([a * b for a in capacity for b in over])


def _reservoir(op: Any, heat: Range) -> tuple[Range, None]:
    return between(op.temperature, op.temperature)(op), None


def _observables(op: Any, z: Range, T: Range) -> tuple[Range, Range, Range]:
    """U = mean z^2, 0 <= S <= ln n, F = U - T S."""
    squares, top = square(z), math.log(max(1, z.low.size))
    U = Range(np.asarray(squares.low.mean()), np.asarray(squares.high.mean()))
    S = Range(np.zeros(()), np.asarray(top))
    return U, S, Range(U.low - np.maximum(T.high, 0.0) * top, U.high)


def _bonds(op: Any, energy: Range, **named: Range) -> tuple[Range, Range]:
    m = op.results[0].shape
    energies = Range(np.broadcast_to(np.minimum(energy.low, 0.0), m), np.broadcast_to(np.maximum(energy.high, 0.0), m))
    formed = hull(between(0.0, 1.0)(op), like(op, named["initial"]))
    # A bond counts as formed by a number in [0, 1] or by its start, which may be any number.
    scale = np.maximum(np.abs(formed.high), np.abs(formed.low))
    return formed, Range(np.asarray((energies.low * scale).sum()), np.asarray((energies.high * scale).sum()))


STATE_RULES: dict[type[Op], Callable[..., tuple[Range | None, ...]]] = {
    core.Delay: _delay,
    sampling.Gibbs: _gibbs,
    spiking.LifStep: _lif_step,
    spiking.TraceStep: _trace_step,
    spiking.Trace: _trace,
    spiking.Decode: _mean,
    **dict.fromkeys((spiking.Lif, spiking.If, spiking.CubaLif), _spikes),
    thermo.AdaptiveSchedule: _cooling,
    thermo.Observables: _observables,
    heat.Clamp: _clamp,
    heat.Reservoir: _reservoir,
    langevin.Bonds: _bonds,
}
"""Rules of ops with a state or several results, which take the ranges of the operands by name."""
_GAUSSIAN = "its noise is Gaussian, and its state has no bound"
UNBOUNDED: dict[type[Op] | str, str] = {
    **dict.fromkeys((core.Output, core.Probe), "it is an output, which nothing reads"),
    core.Parameter: "its numbers may be replaced; freeze-parameters makes a constant of it",
    **dict.fromkeys((spiking.Li, spiking.CubaLi), "its membrane depends on the step, which comes later"),
    spiking.I: "it integrates without a bound",
    **dict.fromkeys((thermo.Noise, thermo.Memory, langevin.Brownian, langevin.Langevin), _GAUSSIAN),
    diffusive.OuNetwork: _GAUSSIAN,
    langevin.Velocity: _GAUSSIAN,
    **dict.fromkeys((dynamics.Ode, dynamics.Sde), "its variables follow equations, which state no bound"),
    **dict.fromkeys((devices.DeviceDynamics, devices.DeviceStep), "a device's equations state no bound"),
    langevin.PairForce: "a force between particles has no bound where they meet",
    langevin.BondForce: "a bond's force has no bound where its ends part",
    **dict.fromkeys((heat.HeatExchange, heat.HeatNetwork, heat.Diffusion), "heat may gather in it without a bound"),
    heat.EntropyProduction: "it has no bound where temperatures differ without one",
    "crossbar": "how far a product on crossbars reaches is asked before it is put there",
    "loihi": "integers of Loihi have bounds of their own, where they are emitted",
}
"""Ops without a rule, which have no bound whatever goes in, and why: ``calibrate`` serves where these enter."""
UNBOUNDED_RESULTS: dict[type[Op], str] = {
    core.Delay: "it closes a cycle, in which nothing bounds what it returns",
    spiking.Lif: "its membrane depends on the step; its spikes have a range",
    spiking.If: "its membrane integrates without a bound; its spikes have a range",
    spiking.CubaLif: "its membrane depends on the step; its spikes have a range",
    heat.Reservoir: "the heat it has taken up has no bound",
    core.Tick: "time goes on",
}
"""Ops with a rule by which some results have no bound, and why."""
