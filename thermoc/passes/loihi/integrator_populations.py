"""Leaky integrators and traces as memory populations of Loihi without noise: their state is what they send."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from thermoc import physics
from thermoc.ir.dialects import spiking
from thermoc.ir.values import Value
from thermoc.passes.loihi import linear_maps as maps
from thermoc.passes.loihi.drives import Drives, LinearDrive, Term
from thermoc.passes.loihi.parameters import no_loihi_form, parameter, per_unit, relaxation
from thermoc.passes.loihi.population_types import MemoryPopulation
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error


def trace_step(op: Any, drives: Drives, dt: float) -> Iterator[MemoryPopulation]:
    """Yield the population of a trace whose time step is written out already."""
    yield _keeps(op, op.g, drives.of(op.x), parameter(op, "keep", drives), parameter(op, "initial", drives))


def trace(op: spiking.Trace, drives: Drives, dt: float) -> Iterator[MemoryPopulation]:
    """Yield the population of an exponential trace."""
    keep = np.exp(-dt / parameter(op, "tau", drives))
    yield _keeps(op, op.g, drives.of(op.x), keep, parameter(op, "initial", drives))


def integrator(op: spiking.I, drives: Drives, dt: float) -> Iterator[MemoryPopulation]:
    """Yield the population of an integrator without leak."""
    drive = drives.of(op.x).scaled(per_unit(dt * parameter(op, "r", drives), op.v.shape))
    yield _keeps(op, op.v, drive, np.ones(1), parameter(op, "initial", drives))


def leaky_integrator(op: spiking.Li, drives: Drives, dt: float) -> Iterator[MemoryPopulation]:
    """Yield the population of a leaky integrator."""
    n = {name: parameter(op, name, drives) for name in ("tau", "r", "v_leak", "initial")}
    keep, rise = relaxation(op.method, dt / n["tau"])
    shape = op.v.shape
    drive = drives.of(op.x).scaled(per_unit(rise * n["r"], shape), per_unit(rise * n["v_leak"], shape))
    yield _keeps(op, op.v, drive, keep, n["initial"])


def cuba_leaky_integrator(op: spiking.CubaLi, drives: Drives, dt: float) -> Iterator[MemoryPopulation]:
    """Yield two populations, the current and the membrane: a state of Loihi's memory has one decay."""
    names = ("tau_syn", "tau_mem", "w_in", "r", "v_leak", "initial", "i_initial")
    n = {name: parameter(op, name, drives) for name in names}
    shape = op.v.shape
    fall, rise = relaxation(op.method, dt / n["tau_syn"])
    keep, to_target = relaxation(op.method, dt / n["tau_mem"])
    x = drives.of(op.x).scaled(per_unit(n["w_in"], shape))
    yield _keeps(op, op.i, x.scaled(per_unit(rise, shape)), fall, n["i_initial"])
    i0 = per_unit(n["i_initial"], shape)
    # Before its first tick a population says one number, so all currents must start alike.
    if np.ptp(i0):
        raise error("T205", f"{op.opname}: i_initial differs from unit to unit", where=op.location)
    now = LinearDrive(terms=(Term(source=op.i.name, map=maps.identity(len(i0))),), bias=np.zeros(len(i0)))
    # Euler's step of the membrane uses the current before the step: a tick of delay, from its initial value.
    before = replace(now, terms=(replace(now.terms[0], delay=1, start=float(i0[0])),))
    if op.method == "semi_implicit":
        drive = now.scaled(per_unit(to_target * n["r"], shape))
    elif op.method != "exact":
        drive = before.scaled(per_unit(to_target * n["r"], shape))
    else:
        chained = physics.chained_gain(n["tau_syn"], n["tau_mem"], dt)
        direct = x.scaled(per_unit((to_target - chained) * n["r"], shape))
        drive = before.scaled(per_unit(chained * n["r"], shape)).plus(direct)
    yield _keeps(op, op.v, drive.scaled(1.0, per_unit(to_target * n["v_leak"], shape)), keep, n["initial"])


def _keeps(op: Any, value: Value, drive: LinearDrive, keep: FloatArray, initial: FloatArray) -> MemoryPopulation:
    if np.ptp(keep):
        decays = f"its decays run from {keep.min():.6g} to {keep.max():.6g}"
        raise no_loihi_form(op, value, decays, "a population of integrators has one")
    return MemoryPopulation(
        name=value.name,
        op=op,
        shape=value.shape,
        drive=drive,
        keep=float(np.ravel(keep)[0]),
        sigma=np.zeros(1),
        initial=per_unit(initial, value.shape),
        # A memory sends the state it had when the tick began: the sum of this tick is heard one tick later.
        offset=1,
    )
