"""The meaning of ``thermo``, by the functions of ``thermoc.physics``."""

# pyright: reportConstantRedefinition=false
# (T and U are physical symbols, and no constants)

from __future__ import annotations

from typing import Any

import numpy as np

from thermoc import physics
from thermoc.ir.dialects import thermo
from thermoc.ir.reference.meaning import MEANINGS, Context, Delayed, State, aligned, pure, whole
from thermoc.support.array_types import AnyArray
from thermoc.support.namespaces import like, namespace, root


@pure(thermo.Boltzmann)
def boltzmann(op: thermo.Boltzmann, ctx: Context, x: AnyArray, T: AnyArray) -> AnyArray:
    return physics.boltzmann(*aligned(x, T))


@pure(thermo.FermiDirac)
def fermi_dirac(op: thermo.FermiDirac, ctx: Context, x: AnyArray, T: AnyArray, mu: AnyArray) -> AnyArray:
    return physics.fermi_dirac(*aligned(x, T, mu))


@pure(thermo.ThermalRelu)
def thermal_relu(op: thermo.ThermalRelu, ctx: Context, x: AnyArray, T: AnyArray) -> AnyArray:
    return physics.thermal_relu(*aligned(x, T))


@pure(thermo.MaxwellBoltzmann)
def maxwell_boltzmann(op: thermo.MaxwellBoltzmann, ctx: Context, x: AnyArray, T: AnyArray) -> AnyArray:
    return physics.maxwell_boltzmann(*aligned(x, T))


@pure(thermo.Normal)
def normal(op: thermo.Normal, ctx: Context) -> AnyArray:
    return ctx.normal(op.z.inferred, op.stream, op.draw)


@pure(thermo.Uniform)
def uniform(op: thermo.Uniform, ctx: Context) -> AnyArray:
    return ctx.uniform(op.u.inferred, op.stream, op.draw)


@pure(thermo.SampleBinary)
def sample_binary(op: thermo.SampleBinary, ctx: Context, drive: AnyArray, T: AnyArray) -> AnyArray:
    u, drive, T = aligned(ctx.uniform(op.s.inferred, op.stream), drive, T)
    # T times logit(u) and not drive over T: nothing overflows as T goes to zero.
    xp = namespace(u)
    noise = xp.log(u) - xp.log(1 - u)
    fired = ctx.sampled(drive > T * noise, like(drive, u), T, noise)
    return fired if op.levels == "binary" else 2 * fired - 1


@pure(thermo.SampleCategorical)
def sample_categorical(op: thermo.SampleCategorical, ctx: Context, x: AnyArray, T: AnyArray) -> AnyArray:
    u, x, T = aligned(ctx.uniform(op.s.inferred, op.stream), x, T)
    # Gumbel's minimum: -log(-log(u)) is one
    xp = namespace(u)
    noise = xp.log(-xp.log(u))
    winner: Any = xp.argmin(x + T * noise, axis=-1)
    fires = winner[..., np.newaxis] == ctx.array(np.arange(op.x.shape[-1]))
    return ctx.chosen(fires, like(x, u), T, noise)


@pure(thermo.Noise)
def noise(op: thermo.Noise, ctx: Context, T: AnyArray, gamma: AnyArray) -> AnyArray:
    z, T, gamma = aligned(ctx.normal(op.y.inferred, op.stream), T, gamma)
    return root(2 * gamma * T * ctx.dt) * z


def _memory_start(
    op: thermo.Memory, ctx: Context, x: AnyArray | None, T: AnyArray | None, gamma: AnyArray | None, initial: AnyArray
) -> State:
    return {"m": whole(initial, op.m.inferred)}


def _memory_advance(
    op: thermo.Memory, ctx: Context, state: State, x: AnyArray, T: AnyArray, gamma: AnyArray, initial: AnyArray
) -> State:
    m, x, T, gamma, z = aligned(state["m"], x, T, gamma, ctx.normal(op.m.inferred, op.stream))
    return {"m": physics.ou_step(m, x, T, gamma, z, ctx.dt)}


MEANINGS[thermo.Memory] = Delayed(start=_memory_start, read=lambda op, state: state["m"], advance=_memory_advance)


@pure(thermo.Schedule)
def schedule(op: thermo.Schedule, ctx: Context) -> AnyArray:
    law = {"exponential": physics.exponential, "linear": physics.linear, "power": physics.power_law}[op.kind]
    t = np.array([ctx.tick * ctx.dt])
    return ctx.array(law(t, op.T0, op.parameter, op.T_min).astype(op.dtype.numpy))


def _adaptive_start(op: thermo.AdaptiveSchedule, ctx: Context, *_: Any) -> State:
    T = ctx.array(np.array([max(op.T0, op.T_min)], op.T.dtype.numpy))
    if op.energy is None:
        return {"T": T}
    return {"T": T, "mean": T * np.nan, "C": namespace(T).full_like(T, op.C_initial)}


def _adaptive_advance(
    op: thermo.AdaptiveSchedule, ctx: Context, state: State, capacity: Any, energy: AnyArray | None
) -> State:
    T = state["T"]
    running: State = {}
    if energy is not None:
        mean, C = physics.running_capacity(state["mean"], state["C"], energy, T, ctx.dt / op.window)
        capacity, running = namespace(C).maximum(C, op.C_min), {"mean": mean, "C": C}
    after = physics.adaptive_step(T, capacity, op.speed, op.relaxation, op.T_min, ctx.dt)
    return {"T": like(after, T), **running}


MEANINGS[thermo.AdaptiveSchedule] = Delayed(
    start=_adaptive_start, read=lambda op, state: state["T"], advance=_adaptive_advance
)


@pure(thermo.OrderParameter)
def order_parameter(op: thermo.OrderParameter, ctx: Context, theta: AnyArray) -> AnyArray:
    return like(physics.order_parameter(theta.reshape(theta.shape[0], -1)), theta)


@pure(thermo.Observables)
def observables(op: thermo.Observables, ctx: Context, z: AnyArray, T: AnyArray) -> tuple[AnyArray, AnyArray, AnyArray]:
    return physics.layer_observables(z.reshape(z.shape[0], -1), T)
