"""Schedules and modes of Ornstein-Uhlenbeck networks as populations of Loihi that relax."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from thermoc import physics
from thermoc.ir.dialects import diffusive, thermo
from thermoc.passes.loihi.drives import Drives, constant
from thermoc.passes.loihi.parameters import no_loihi_form, parameter, per_unit
from thermoc.passes.loihi.population_types import RelaxationPopulation
from thermoc.passes.loihi.relaxations import in_modes


def schedule(op: thermo.Schedule, drives: Drives, dt: float) -> Iterator[RelaxationPopulation]:
    """Yield a temperature that falls by a ratio or by a difference a tick, down to T_min (P23)."""
    exponential = op.kind == "exponential"
    # expm1 keeps the digits of a ratio near 1, which a subtraction would lose.
    loss = -np.expm1(-dt / op.parameter) if exponential else 0.0
    fall = 0.0 if exponential else op.T0 * dt / op.parameter
    yield RelaxationPopulation(
        name=op.T.name,
        op=op,
        shape=(),
        drive=constant(-fall),
        loss=np.array([loss]),
        spread=np.zeros(1),
        T=np.zeros(1),
        initial=np.array([max(op.T0, op.T_min)]),
        floor=op.T_min,
    )


def ou_network(op: diffusive.OuNetwork, drives: Drives, dt: float) -> Iterator[RelaxationPopulation]:
    """Yield modes y' = a y + (1 - a) / lambda b + sqrt(T (1 - a^2) / lambda) z, a = exp(-mobility lambda dt) (P29)."""
    K = parameter(op, "K", drives)
    if not in_modes(K):
        raise no_loihi_form(op, op.x, "its units are coupled", hint="the pass relaxations writes it as its modes")
    rates, shape = np.diag(K), op.x.shape
    _, gain, spread = physics.ou_network_step(rates, op.mobility, dt)
    T = drives.constants.get(op.T.name)
    yield RelaxationPopulation(
        name=op.x.name,
        op=op,
        shape=shape,
        drive=drives.spread(op.b, shape).scaled(gain),
        loss=-np.expm1(-op.mobility * rates * dt),
        spread=spread,
        T=op.T if T is None else T.astype(float).reshape(-1),
        initial=per_unit(parameter(op, "initial", drives), shape),
        stream=op.stream,
    )
