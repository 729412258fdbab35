"""Discretisation: every ODE, SDE and schedule becomes one step of length dt, mostly in core ops."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from thermoc import physics
from thermoc.ir.dialects import core, devices, diffusive, dynamics, heat, langevin, thermo
from thermoc.ir.equations.methods import described
from thermoc.ir.graph import Graph
from thermoc.ir.op_table import OpTable
from thermoc.ir.ops import CONTINUOUS, Op
from thermoc.ir.values import Value
from thermoc.passes.base import Pass, Property, no_trait
from thermoc.passes.change_log import Log
from thermoc.passes.expand import devices as device_steps
from thermoc.passes.expand import dynamics as equations
from thermoc.passes.expand import heat as heat_steps
from thermoc.passes.expand import particles, spiking
from thermoc.passes.option_checks import check_positive
from thermoc.passes.rewriting import Expression, Rewriter, rewrite

Keep = Callable[[Op, Graph], bool]


def keep_none(op: Op, graph: Graph) -> bool:
    """Every op of continuous time becomes a step."""
    return False


@dataclass(frozen=True, kw_only=True)
class Discretize(Pass):
    """Replace each continuous-time op by one step of length ``dt``.

    memory, ou_network, noise, schedules, if, i, trace, spiking units "exact": exact for inputs constant over the tick.
    Their other methods are of order 1. Errors: T204 for a refractory time that dt does not divide.
    Where ``dt`` differs from the network's own, the report says so.
    """

    name: ClassVar[str] = "discretize"

    dt: float
    keep: Keep = field(default=keep_none, repr=False)
    """Which ops stay as they are, because the target integrates them by the same method."""

    def __post_init__(self) -> None:
        check_positive(self.name, "dt", self.dt)

    @property
    def gives(self) -> tuple[Property, ...]:
        return (no_trait(CONTINUOUS, but=self.keep),)

    def run(self, graph: Graph, log: Log) -> Graph:
        if graph.dt != self.dt:
            log.changed(
                "dt", old=graph.dt, new=self.dt, bound="inputs are held for the new tick; order 1 in dt for euler units"
            )
        for op in graph.ops:
            if isinstance(op, dynamics.Ode):
                _tell(op, log, kept=self.keep(op, graph))
        return rewrite(replace(graph, dt=self.dt), STEPS, keep=lambda op: self.keep(op, graph))


def _tell(op: dynamics.Ode, log: Log, *, kept: bool) -> None:
    """Record what is made of equations: which step, of what order."""
    what = f"{op.x}: equations of {', '.join(op.variables)}"
    new = f"as they are, by the target's {op.method}" if kept else f"a step of {op.method}"
    log.changed(what, old="continuous time", new=new, bound=described(op.method, noisy=op.noisy))


def noise(op: thermo.Noise, w: Rewriter) -> Expression:
    """sqrt(2 gamma T dt) z (P26)."""
    z = w(thermo.Normal, shape=op.shape, stream=op.stream, dtype=w.dtype)
    # The variance of white noise grows with dt, its deviation with the root of dt.
    return w.sqrt(2.0 * w[op.gamma] * op.T * w.dt) * z


def memory(op: thermo.Memory, w: Rewriter) -> Expression:
    """m' = a m + (1 - a) x / gamma + sqrt(T (1 - a^2)) z, a = exp(-gamma dt) (P25)."""
    m = w.delay(op.m, op.initial)
    z = w(thermo.Normal, shape=op.m.shape, stream=op.stream, dtype=w.dtype)
    decay = -w[op.gamma] * w.dt
    gain = -w.expm1(decay) / op.gamma  # expm1 keeps the digits of 1 - a where gamma dt is small
    # With 1 - a^2 the stationary variance is T for every dt, not only for short ones.
    spread = w.sqrt(w[op.T] * -w.expm1(decay * 2.0))
    w.feed(m, w.exp(decay) * m + gain * op.x + spread * z)
    return m


def ou_network(op: diffusive.OuNetwork, w: Rewriter) -> Expression:
    """x = V y, y' = a y + gain V^T b + sqrt(T) spread z in the eigenbasis of K (P29).

    Only y is state. The product with V feeds none, so a target may take it out of the recursion.
    """
    rates, V = physics.modes(w.numbers(op.K))
    into_modes = w.constant(V.T)
    a, gain, spread = physics.ou_network_step(rates, op.mobility, w.dt)
    # Modes do not mix, so that each step is a product by element and the noise of each mode is its own.
    y = w.delay(op.x, _in_modes(op, op.initial, into_modes, w))
    z = w(thermo.Normal, shape=op.x.shape, stream=op.stream, dtype=w.dtype)
    pull = _in_modes(op, op.b, into_modes, w) * gain
    w.feed(y, y * a + pull + w.sqrt(op.T) * spread * z)
    return w.affine(y, V)


def _in_modes(op: diffusive.OuNetwork, vector: Value, into_modes: Value, w: Rewriter) -> Expression:
    """V^T of a vector that broadcasts to the units."""
    return w.affine(w.broadcast(vector, op.x.shape), into_modes)


def schedule(op: thermo.Schedule, w: Rewriter) -> Expression:
    """T(t) at t = tick dt, floored at T_min (P23)."""
    t = w.time() * w.dt
    if op.kind == "exponential":
        factor = w.exp(-t / op.parameter)
    elif op.kind == "linear":
        factor = 1.0 - t / op.parameter
    else:
        # The power law diverges at t = 0, so it starts from t = 1.
        factor = w(core.Pow, a=w.maximum(t, 1.0), b=-op.parameter)
    return w.maximum(factor * op.T0, op.T_min)


def adaptive_schedule(op: thermo.AdaptiveSchedule, w: Rewriter) -> Expression:
    """T' = max(T exp(-speed dt / (relaxation sqrt(C))), T_min) (P23)."""
    T = w.delay(op.T, w.constant(max(op.T0, op.T_min)))
    capacity = op.capacity if op.energy is None else _measured(w[op.energy], op, w, T)
    assert capacity is not None  # the op has either of the two
    rate = -op.speed * w.dt / op.relaxation / w.sqrt(capacity)
    w.feed(T, w.maximum(T * w.exp(rate), op.T_min))
    return T


def _measured(energy: Expression, op: thermo.AdaptiveSchedule, w: Rewriter, T: Expression) -> Expression:
    """C = <(E - <E>)^2 / T^2>, forgotten at rate 1 / window; the first energy is the first mean (P15)."""
    mean, C = w.delay(energy, w.constant(0.0)), w.delay(energy, w.constant(op.C_initial))
    started = w.delay(energy, w.constant(0.0))
    w.feed(started, w.constant(1.0))
    # expm1: for a window of many ticks 1 - exp(-dt / window) would lose its digits.
    weight = -math.expm1(-w.dt / op.window)
    deviation = (energy - mean) * started  # 0 at the first tick, which has no mean before it
    w.feed(mean, w.select(started > 0.0, mean + deviation * weight, energy))
    deviation = deviation / T
    # The running variance with exponential weights; exact only with the deviation from the mean before this tick.
    after = (C + deviation * deviation * weight) * (1 - weight)
    w.feed(C, after)
    return w.maximum(after, op.C_min)


STEPS: OpTable[Callable[[Any, Rewriter], Any]] = OpTable(
    what="a step of length dt",
    name="steps",
    where="thermoc/passes/discretize.py (STEPS)",
    entries={
        thermo.Noise: noise,
        thermo.Memory: memory,
        diffusive.OuNetwork: ou_network,
        thermo.Schedule: schedule,
        thermo.AdaptiveSchedule: adaptive_schedule,
        devices.DeviceDynamics: device_steps.device,
        heat.HeatExchange: heat_steps.heat_exchange,
        heat.HeatNetwork: heat_steps.heat_network,
        heat.Diffusion: heat_steps.diffusion,
        langevin.Brownian: particles.brownian,
        langevin.Langevin: particles.inertial,
        langevin.Velocity: particles.velocity,
        **equations.STEPS,
        **spiking.STEPS,
    },
    scope=lambda cls: CONTINUOUS in cls.traits,
)
