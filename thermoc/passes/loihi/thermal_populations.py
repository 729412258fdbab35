"""Thermal activations, functions of one number and memories with noise as populations of Loihi."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from thermoc.ir.dialects import thermo
from thermoc.ir.ops import Op
from thermoc.passes.loihi.drives import Drives, LinearDrive
from thermoc.passes.loihi.parameters import no_loihi_form, parameter, per_unit
from thermoc.passes.loihi.population_types import Curve, CurvePopulation, GradedPopulation, MemoryPopulation


def thermal_relu(op: thermo.ThermalRelu, drives: Drives, dt: float) -> Iterator[GradedPopulation]:
    """Yield the population of max(x - T, 0)."""
    T = drives.spread(op.T, op.y.shape).scaled(-1.0)
    drive = drives.of(op.x).plus(T)
    yield GradedPopulation(name=op.y.name, op=op, shape=op.y.shape, drive=drive, rule="relu")


def maximum(op: Any, drives: Drives, dt: float) -> Iterator[GradedPopulation]:
    """Yield the population of max(x, c) where c is 0."""
    a, b = op.inputs
    x, floor = (a, b) if b.name in drives.constants else (b, a)
    if floor.name not in drives.constants or drives.constants[floor.name].any():
        hint = "the pass extrema writes it as a rectified difference"
        raise no_loihi_form(op, op.y, "Loihi's graded units are silent below 0", hint=hint)
    drive = drives.spread(x, op.y.shape)
    yield GradedPopulation(name=op.y.name, op=op, shape=op.y.shape, drive=drive, rule="relu")


def minimum(op: Any, drives: Drives, dt: float) -> Iterator[GradedPopulation]:
    """Refuse a minimum: a graded unit has none of its own. Errors: T205."""
    raise no_loihi_form(op, op.y, hint="the pass extrema writes it as a rectified difference")


def fermi_dirac(op: thermo.FermiDirac, drives: Drives, dt: float) -> Iterator[CurvePopulation]:
    """Yield the population of 1 / (1 + exp((x - mu) / T))."""
    T = per_unit(parameter(op, "T", drives), op.p.shape)
    drive = drives.spread(op.mu, op.p.shape).plus(drives.of(op.x).scaled(-1.0)).scaled(1 / T)
    # The slope of the Fermi function is 1/4 at the most; from 12 on it is within 7e-6 of its end.
    yield _curve(op, drive, _logistic, 0.25, 12.0)


def maxwell_boltzmann(op: thermo.MaxwellBoltzmann, drives: Drives, dt: float) -> Iterator[CurvePopulation]:
    """Yield the population of sqrt(2 / pi) v^2 e^(-v^2 / 2) / sqrt(T), v = x / sqrt(T) (P8)."""
    T = parameter(op, "T", drives)
    if np.ptp(T):
        span = f"T runs from {T.min():.6g} to {T.max():.6g}"
        raise no_loihi_form(op, op.y, span, "a table's height is one for its population")
    height = float(np.sqrt(2 / np.pi) / np.sqrt(T.flat[0]))
    drive = drives.of(op.x).scaled(1 / np.sqrt(T.flat[0]))
    # The slope of sqrt(2 / pi) v^2 e^(-v^2 / 2) is steepest at v = 0.66, where it is below 0.67.
    curve = partial(_speeds, height=height)
    yield _curve(op, drive, curve, 0.67 * height / np.sqrt(2 / np.pi), 8.0)


def function(curve: Curve, steepness: float, edge: float) -> Callable[[Any, Drives, float], Iterator[CurvePopulation]]:
    """Return the maker of populations that look a function of one number up in a table."""

    def make(op: Any, drives: Drives, dt: float) -> Iterator[CurvePopulation]:
        yield _curve(op, drives.of(op.inputs[0]), curve, steepness, edge)

    return make


def _logistic(u: Any) -> Any:
    return 1 / (1 + np.exp(-u))


def _speeds(v: Any, *, height: float) -> Any:
    return height * v * v * np.exp(-v * v / 2)


def _curve(op: Op, drive: LinearDrive, curve: Curve, steepness: float, edge: float) -> CurvePopulation:
    y = op.results[0]
    return CurvePopulation(name=y.name, op=op, shape=y.shape, drive=drive, curve=curve, steepness=steepness, edge=edge)


def memory(op: thermo.Memory, drives: Drives, dt: float) -> Iterator[MemoryPopulation]:
    """Yield m' = a m + (1 - a) x / gamma + sqrt(T (1 - a^2)) z, a = exp(-gamma dt) (P25)."""
    shape, gamma = op.m.shape, parameter(op, "gamma", drives)
    if np.ptp(gamma):
        span = f"gamma runs from {gamma.min():.6g} to {gamma.max():.6g}"
        raise no_loihi_form(op, op.m, span, "a population of Loihi has one decay")
    rate = float(gamma.flat[0])
    # expm1 keeps the digits of 1 - a where gamma dt is small, which a subtraction would lose.
    yield MemoryPopulation(
        name=op.m.name,
        op=op,
        shape=shape,
        drive=drives.spread(op.x, shape).scaled(-np.expm1(-rate * dt) / rate),
        keep=float(np.exp(-rate * dt)),
        sigma=np.sqrt(per_unit(parameter(op, "T", drives), shape) * -np.expm1(-2 * rate * dt)),
        initial=per_unit(parameter(op, "initial", drives), shape),
        stream=op.stream,
    )
