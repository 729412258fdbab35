"""Ops in terms of simpler ones, for targets that lack them. Each follows the reference's stable form."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from thermoc.ir.dialects import core, heat, langevin, sampling, thermo
from thermoc.ir.ops import Op
from thermoc.ir.values import Value
from thermoc.passes.expand import crossbar, gibbs, particles, spiking
from thermoc.passes.expand import heat as heat_steps
from thermoc.passes.rewriting import Rewriter

_FAR = 100.0


def thermal_relu(op: thermo.ThermalRelu, w: Rewriter) -> Value:
    """max(x - T, 0) (P7)."""
    return w(core.Maximum, a=w.sub(op.x, op.T), b=0.0)


def fermi_dirac(op: thermo.FermiDirac, w: Rewriter) -> Value:
    """1 / (1 + e^u) as (1 or e^-|u|) / (1 + e^-|u|), u = (x - mu) / T (P6)."""
    u = w.div(w.sub(op.x, op.mu), op.T)
    small = w.exp(w.neg(w(core.Abs, x=u)))
    top = w(core.Select, condition=w(core.Greater, a=u, b=0.0), a=small, b=1.0)
    return w.div(top, w.add(small, 1.0))


def maxwell_boltzmann(op: thermo.MaxwellBoltzmann, w: Rewriter) -> Value:
    """sqrt(2 / pi) v^2 e^(-v^2 / 2) / sqrt(T), v = min(|x| / sqrt(T), 100) (P8)."""
    root = w.sqrt(op.T)
    v = w(core.Minimum, a=w.div(w(core.Abs, x=op.x), root), b=_FAR)
    square = w.mul(v, v)
    return w.div(w.mul(w.mul(square, math.sqrt(2 / math.pi)), w.exp(w.mul(square, -0.5))), root)


def boltzmann(op: thermo.Boltzmann, w: Rewriter) -> Value:
    """e^-(u - min u) / sum, u = x / T (P5)."""
    u = w.div(op.x, op.T)
    last = len(u.shape) - 1
    kept = (*u.shape[:last], 1)
    low = w(core.Reshape, x=w(core.Reduce, x=u, kind="min", axes=(last,)), shape=kept)
    weight = w.exp(w.sub(low, u))
    total = w(core.Reshape, x=w(core.Reduce, x=weight, kind="sum", axes=(last,)), shape=kept)
    return w.div(weight, total)


def sample_binary(op: thermo.SampleBinary, w: Rewriter) -> Value:
    """[drive > T (ln u - ln(1 - u))] (P6); 2 [..] - 1 for spins."""
    u = w(thermo.Uniform, shape=op.s.shape, stream=op.stream, dtype=w.dtype)
    logit = w.sub(w(core.Log, x=u), w(core.Log, x=w.sub(1.0, u)))
    fired = w(core.Cast, x=w(core.Greater, a=op.drive, b=w.mul(op.T, logit)), dtype=w.dtype, role="spike")
    return fired if op.levels == "binary" else w.sub(w.mul(fired, 2.0), 1.0)


def sample_categorical(op: thermo.SampleCategorical, w: Rewriter) -> Value:
    """The least of x + T ln(-ln u), as a one among noughts (P5)."""
    shape = op.s.shape
    u = w(thermo.Uniform, shape=shape, stream=op.stream, dtype=w.dtype)
    score = w.add(op.x, w.mul(op.T, w(core.Log, x=w.neg(w(core.Log, x=u)))))
    winner = w(core.Reduce, x=score, kind="argmin", axes=(len(shape) - 1,))
    held = w(core.Reshape, x=winner, shape=(*shape[:-1], 1))
    return w(core.Cast, x=w(core.Equal, a=held, b=np.arange(shape[-1])), dtype=w.dtype, role="spike")


def order_parameter(op: thermo.OrderParameter, w: Rewriter) -> Value:
    """sqrt(<cos>^2 + <sin>^2) (P31)."""
    theta = w(core.Flatten, x=op.theta)
    parts = [w(core.Reduce, x=w(part, x=theta), kind="mean", axes=(0,)) for part in (core.Cos, core.Sin)]
    return w.sqrt(w.add(*(w.mul(part, part) for part in parts)))


def observables(op: thermo.Observables, w: Rewriter) -> tuple[Value, Value, Value]:
    """U = mean z^2, S = -sum p ln p with 0 ln 0 = 0, F = U - T S (P1, P2)."""
    z = w(core.Flatten, x=op.z)
    U = w(core.Reduce, x=w.mul(z, z), kind="mean", axes=(0,))
    p = w(thermo.Boltzmann, x=z, T=op.T)
    some = w(core.Select, condition=w(core.Greater, a=p, b=0.0), a=p, b=1.0)
    S = w.neg(w(core.Reduce, x=w.mul(p, w(core.Log, x=some)), kind="sum", axes=(0,)))
    return U, S, w.sub(U, w.mul(op.T, S))


def expm1(op: Op, w: Rewriter) -> Value:
    """e^x - 1; where |x| < 1 as 2 t / (1 - t), t = tanh(x / 2), which loses no digits there."""
    x = op.inputs[0]
    t = w(core.Tanh, x=w.mul(x, 0.5))
    near = w.div(w.mul(t, 2.0), w.sub(1.0, t))
    small = w(core.Less, a=w(core.Abs, x=x), b=1.0)
    return w(core.Select, condition=small, a=near, b=w.sub(w.exp(x), 1.0))


def flatten(op: core.Flatten, w: Rewriter) -> Value:
    """A reshape."""
    return w(core.Reshape, x=op.x, shape=(math.prod(op.x.shape),))


EXPANSIONS: dict[type[Op], Callable[[Any, Rewriter], Any]] = {
    thermo.ThermalRelu: thermal_relu,
    thermo.FermiDirac: fermi_dirac,
    thermo.MaxwellBoltzmann: maxwell_boltzmann,
    thermo.Boltzmann: boltzmann,
    thermo.Observables: observables,
    thermo.SampleBinary: sample_binary,
    thermo.SampleCategorical: sample_categorical,
    sampling.Gibbs: gibbs.gibbs,
    sampling.GibbsSweeps: gibbs.gibbs_sweeps,
    sampling.IsingEnergy: gibbs.ising_energy,
    heat.EntropyProduction: heat_steps.entropy_production,
    thermo.OrderParameter: order_parameter,
    heat.Clamp: heat_steps.clamp,
    heat.Reservoir: heat_steps.reservoir,
    langevin.KineticEnergy: particles.kinetic_energy,
    langevin.PairForce: particles.pair_force,
    langevin.BondForce: particles.bond_force,
    langevin.Bonds: particles.bonds,
    **spiking.EXPANSIONS,
    **crossbar.EXPANSIONS,
    core.Expm1: expm1,
    core.Flatten: flatten,
}
