"""Expansions: ops in terms of simpler ones, for targets that lack them. Each follows the reference's stable form."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from thermoc.ir.dialects import core, devices, heat, langevin, sampling, thermo
from thermoc.ir.ops import Op
from thermoc.ir.types import Role
from thermoc.passes.expand import crossbar, gibbs, particles, spiking
from thermoc.passes.expand import devices as device_steps
from thermoc.passes.expand import heat as heat_steps
from thermoc.passes.rewriting import Expression, Rewriter
from thermoc.support.announced import of_table

_FAR = 100.0
"""Of x / sqrt(T): e^(-x^2 / 2T) is 0 in float64 from 39 on, and the square of a larger one may overflow."""


def thermal_relu(op: thermo.ThermalRelu, w: Rewriter) -> Expression:
    """max(x - T, 0) (P7)."""
    return w.maximum(w[op.x] - op.T, 0.0)


def fermi_dirac(op: thermo.FermiDirac, w: Rewriter) -> Expression:
    """1 / (1 + e^u) as (1 or e^-|u|) / (1 + e^-|u|), u = (x - mu) / T (P6)."""
    u = (w[op.x] - op.mu) / op.T
    decay = w.exp(-w.abs(u))  # of -|u|, so that no exponential overflows
    return w.select(u > 0.0, decay, 1.0) / (decay + 1.0)


def maxwell_boltzmann(op: thermo.MaxwellBoltzmann, w: Rewriter) -> Expression:
    """sqrt(2 / pi) v^2 e^(-v^2 / 2) / sqrt(T), v = min(|x| / sqrt(T), 100) (P8)."""
    root = w.sqrt(op.T)
    v = w.minimum(w.abs(op.x) / root, _FAR)
    square = v * v
    return square * math.sqrt(2 / math.pi) * w.exp(square * -0.5) / root


def boltzmann(op: thermo.Boltzmann, w: Rewriter) -> Expression:
    """e^-(u - min u) / sum, u = x / T (P5)."""
    u = w[op.x] / op.T
    last = len(u.shape) - 1
    of_group = (*u.shape[:last], 1)
    # The least energy gets weight 1, so that the sum neither overflows nor vanishes.
    low = w.reshape(w(core.Reduce, x=u, kind="min", axes=(last,)), of_group)
    weight = w.exp(low - u)
    return weight / w.reshape(w.sum(weight, last), of_group)


def sample_binary(op: thermo.SampleBinary, w: Rewriter) -> Expression:
    """[drive > T (ln u - ln(1 - u))] (P6); 2 [..] - 1 for spins."""
    u = w(thermo.Uniform, shape=op.s.shape, stream=op.stream, dtype=w.dtype)
    # The law of u < 1 / (1 + exp(-drive / T)), without a division by T.
    logit = w.log(u) - w.log(1.0 - u)
    fired = w.number(w[op.drive] > w[op.T] * logit, Role.spike)
    return fired if op.levels == "binary" else fired * 2.0 - 1.0


def sample_categorical(op: thermo.SampleCategorical, w: Rewriter) -> Expression:
    """The least of x + T ln(-ln u), as a one among zeros (P5)."""
    shape = op.s.shape
    u = w(thermo.Uniform, shape=shape, stream=op.stream, dtype=w.dtype)
    # Gumbel's trick: the least of x - T g, g = -ln(-ln u), follows exp(-x / T) without its sum being formed.
    score = w[op.x] + w[op.T] * w.log(-w.log(u))
    winner = w(core.Reduce, x=score, kind="argmin", axes=(len(shape) - 1,))
    winner = w.reshape(winner, (*shape[:-1], 1))
    return w.number(w(core.Equal, a=winner, b=np.arange(shape[-1])), Role.spike)


def order_parameter(op: thermo.OrderParameter, w: Rewriter) -> Expression:
    """sqrt(<cos>^2 + <sin>^2) (P31)."""
    theta = w(core.Flatten, x=op.theta)
    cosine = w(core.Reduce, x=w(core.Cos, x=theta), kind="mean", axes=(0,))
    sine = w(core.Reduce, x=w(core.Sin, x=theta), kind="mean", axes=(0,))
    return w.sqrt(cosine * cosine + sine * sine)


def observables(op: thermo.Observables, w: Rewriter) -> tuple[Expression, Expression, Expression]:
    """U = mean z^2, S = -sum p ln p with 0 ln 0 = 0, F = U - T S (P1, P2)."""
    z = w(core.Flatten, x=op.z)
    U = w(core.Reduce, x=z * z, kind="mean", axes=(0,))
    p = w(thermo.Boltzmann, x=z, T=op.T)
    positive = w.select(p > 0.0, p, 1.0)  # ln 1 = 0 stands in for the 0 ln 0 of impossible states
    S = -w.sum(p * w.log(positive), 0)
    return U, S, U - w[op.T] * S


def expm1(op: Op, w: Rewriter) -> Expression:
    """e^x - 1; where |x| < 1 as 2 t / (1 - t), t = tanh(x / 2), which loses no digits there."""
    x = w[op.inputs[0]]
    t = w(core.Tanh, x=x * 0.5)
    near = t * 2.0 / (1.0 - t)
    near_zero = w.abs(x) < 1.0
    return w.select(near_zero, near, w.exp(x) - 1.0)


def flatten(op: core.Flatten, w: Rewriter) -> Expression:
    """A reshape."""
    return w.reshape(op.x, (math.prod(op.x.shape),))


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
    devices.DeviceStep: device_steps.device_step,
    core.Expm1: expm1,
    core.Flatten: flatten,
}
EXPANSIONS.update({cls: expand for cls, expand in of_table("expansions").items() if cls not in EXPANSIONS})
