"""Continuous time into ticks of length dt: every ODE, SDE and schedule becomes one step, mostly in core ops."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from thermoc import physics
from thermoc.ir.dialects import core, diffusive, heat, langevin, thermo
from thermoc.ir.graph import Graph
from thermoc.ir.ops import CONTINUOUS, Op
from thermoc.ir.values import Value
from thermoc.passes.base import Pass, Property, no_trait
from thermoc.passes.change_log import Log
from thermoc.passes.expand import heat as heat_steps
from thermoc.passes.expand import particles, spiking
from thermoc.passes.option_checks import check_positive
from thermoc.passes.rewriting import Rewriter, rewrite

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
        return rewrite(replace(graph, dt=self.dt), STEPS, keep=lambda op: self.keep(op, graph))


def noise(op: thermo.Noise, w: Rewriter) -> Value:
    """sqrt(2 gamma T dt) z (P26)."""
    z = w(thermo.Normal, shape=op.shape, stream=op.stream, dtype=w.dtype)
    return w.mul(w.sqrt(w.mul(w.mul(w.mul(2.0, op.gamma), op.T), w.dt)), z)


def memory(op: thermo.Memory, w: Rewriter) -> Value:
    """m' = a m + (1 - a) x / gamma + sqrt(T (1 - a^2)) z, a = exp(-gamma dt) (P25)."""
    m = w.delay(op.m, op.initial)
    z = w(thermo.Normal, shape=op.m.shape, stream=op.stream, dtype=w.dtype)
    decay = w.mul(w.neg(op.gamma), w.dt)
    gain = w.div(w.neg(w.expm1(decay)), op.gamma)
    spread = w.sqrt(w.mul(op.T, w.neg(w.expm1(w.mul(decay, 2.0)))))
    w.feed(m, w.add(w.add(w.mul(w.exp(decay), m), w.mul(gain, op.x)), w.mul(spread, z)))
    return m


def ou_network(op: diffusive.OuNetwork, w: Rewriter) -> Value:
    """x = V y, y' = a y + gain V^T b + sqrt(T) spread z in the eigenbasis of K (P29).

    Only y is state. The product with V feeds none, so a target may take it out of the recursion.
    """
    K = w.known(op.K)
    assert K is not None  # the verifier has seen to it
    rates, V = physics.modes(K)
    into_modes = w.constant(V.T)
    a, gain, spread = physics.ou_network_step(rates, op.mobility, w.dt)
    y = w.delay(op.x, _in_modes(op, op.initial, into_modes, w))
    z = w(thermo.Normal, shape=op.x.shape, stream=op.stream, dtype=w.dtype)
    pull = w.mul(_in_modes(op, op.b, into_modes, w), gain)
    w.feed(y, w.add(w.add(w.mul(y, a), pull), w.mul(w.mul(w.sqrt(op.T), spread), z)))
    return w(core.Affine, x=y, weight=V)


def _in_modes(op: diffusive.OuNetwork, vector: Value, into_modes: Value, w: Rewriter) -> Value:
    """V^T of a vector that broadcasts to the units."""
    return w(core.Affine, x=w(core.Broadcast, x=vector, shape=op.x.shape), weight=into_modes)


def schedule(op: thermo.Schedule, w: Rewriter) -> Value:
    """T(t) at t = tick dt, floored at T_min (P23)."""
    t = w.mul(w(core.Cast, x=w(core.Tick), dtype=w.dtype), w.dt)
    if op.kind == "exponential":
        T = w.mul(w.exp(w.div(w.neg(t), op.parameter)), op.T0)
    elif op.kind == "linear":
        T = w.mul(w.sub(1.0, w.div(t, op.parameter)), op.T0)
    else:
        T = w.mul(w(core.Pow, a=w(core.Maximum, a=t, b=1.0), b=-op.parameter), op.T0)
    return w(core.Maximum, a=T, b=op.T_min)


def adaptive_schedule(op: thermo.AdaptiveSchedule, w: Rewriter) -> Value:
    """T' = max(T exp(-speed dt / (relaxation sqrt(C))), T_min) (P23)."""
    T = w.delay(op.T, w.constant(max(op.T0, op.T_min)))
    capacity = op.capacity if op.energy is None else _measured(op, w, T)
    rate = w.div(-op.speed * w.dt / op.relaxation, w.sqrt(capacity))
    w.feed(T, w(core.Maximum, a=w.mul(T, w.exp(rate)), b=op.T_min))
    return T


def _measured(op: thermo.AdaptiveSchedule, w: Rewriter, T: Value) -> Value:
    """C = <(E - <E>)^2 / T^2>, forgotten at rate 1 / window; the first energy is the first mean (P15)."""
    assert op.energy is not None
    mean, C = w.delay(op.energy, w.constant(0.0)), w.delay(op.energy, w.constant(op.C_initial))
    known = w.delay(op.energy, w.constant(0.0))
    w.feed(known, w.constant(1.0))
    share = -math.expm1(-w.dt / op.window)
    off = w.mul(w.sub(op.energy, mean), known)
    w.feed(
        mean, w(core.Select, condition=w(core.Greater, a=known, b=0.0), a=w.add(mean, w.mul(off, share)), b=op.energy)
    )
    off = w.div(off, T)
    after = w.mul(w.add(C, w.mul(w.mul(off, off), share)), 1 - share)
    w.feed(C, after)
    return w(core.Maximum, a=after, b=op.C_min)


STEPS: dict[type[Op], Callable[[Any, Rewriter], Any]] = {
    thermo.Noise: noise,
    thermo.Memory: memory,
    diffusive.OuNetwork: ou_network,
    thermo.Schedule: schedule,
    thermo.AdaptiveSchedule: adaptive_schedule,
    heat.HeatExchange: heat_steps.heat_exchange,
    heat.HeatNetwork: heat_steps.heat_network,
    heat.Diffusion: heat_steps.diffusion,
    langevin.Brownian: particles.brownian,
    langevin.Langevin: particles.inertial,
    langevin.Velocity: particles.velocity,
    **spiking.STEPS,
}
