"""Spiking ops as LIF populations of Loihi: integrate-and-fire neurons, thresholds, comparisons cast to numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from thermoc.ir.dialects import core, spiking
from thermoc.ir.ops import Op
from thermoc.passes.loihi.drives import Drives, LinearDrive
from thermoc.passes.loihi.parameters import no_loihi_form, parameter, per_unit, relaxation
from thermoc.passes.loihi.population_types import HostReading, LifPopulation
from thermoc.support.array_types import FloatArray


class _Current(NamedTuple):
    """A synaptic current: its decay a tick, how much of it enters the membrane, where it starts."""

    fall: FloatArray
    to_membrane: FloatArray
    initial: FloatArray


def lif(op: Any, drives: Drives, dt: float) -> Iterator[LifPopulation]:
    """Yield the population of a leaky integrate-and-fire op."""
    n = {name: parameter(op, name, drives) for name in ("tau", "r", "v_leak")}
    keep, rise = relaxation(op.method, dt / n["tau"])
    yield _fires(op, drives, keep, rise * n["r"], rise * n["v_leak"])


def integrate_and_fire(op: spiking.If, drives: Drives, dt: float) -> Iterator[LifPopulation]:
    """Yield the population of an integrate-and-fire op without leak."""
    yield _fires(op, drives, np.ones(1), dt * parameter(op, "r", drives), np.zeros(1))


def lif_step(op: spiking.LifStep, drives: Drives, dt: float) -> Iterator[LifPopulation]:
    """Yield the population of a LIF op whose time step is written out already."""
    keep, gain, offset = (parameter(op, name, drives) for name in ("keep", "gain", "offset"))
    yield _fires(op, drives, keep, gain, offset)


def cuba_lif(op: spiking.CubaLif, drives: Drives, dt: float) -> Iterator[LifPopulation]:
    """Yield the population of a LIF op with a synaptic current."""
    n = {name: parameter(op, name, drives) for name in ("tau_syn", "tau_mem", "w_in", "r", "v_leak")}
    fall, rise = relaxation(op.method, dt / n["tau_syn"])
    keep, to_target = relaxation(op.method, dt / n["tau_mem"])
    to_membrane = to_target * n["r"]
    current = _Current(fall, to_membrane, parameter(op, "i_initial", drives))
    yield _fires(op, drives, keep, rise * n["w_in"] * to_membrane, to_target * n["v_leak"], current)


def _fires(
    op: Any, drives: Drives, keep: FloatArray, gain: FloatArray, offset: FloatArray, current: _Current | None = None
) -> LifPopulation:
    """Return v~ = (v - v_reset) / (v_threshold - v_reset), which fires at 1 and is reset to 0, unit by unit.

    Where every unit has the same span the weights keep their own scale and the threshold is the span: numbers that
    are whole already then stay whole.
    """
    shape = op.s.shape
    low, span = _reset_and_span(op, drives)
    threshold = float(span.flat[0]) if np.ptp(span) == 0 else 1.0
    norm, keep, low = per_unit(threshold / span, shape), per_unit(keep, shape), per_unit(low, shape)
    # v counts from its reset here, so a leak toward 0 pulls it by (keep - 1) low more.
    bias = norm * (per_unit(offset, shape) + (keep - 1) * low)
    fall, to_membrane, i_initial = current or (np.zeros(1), np.ones(1), np.zeros(1))
    to_membrane, fall = per_unit(to_membrane, shape) * norm, per_unit(fall, shape)
    # The host reads v in the network's units: the rows were scaled by ``norm``.
    readings = [HostReading(name=op.v.name, state="v", factor=1 / norm, offset=low)]
    drive = drives.of(op.x).scaled(per_unit(gain, shape) * norm)
    steady = _steady(op, drive.bias, fall)
    if current is not None:
        # A current that never enters the membrane is not kept on Loihi: the host reads 0 for it.
        factor = np.divide(1.0, to_membrane, out=np.zeros_like(to_membrane), where=to_membrane != 0)
        readings.append(HostReading(name=op.i.name, state="u", factor=factor, offset=factor * steady))
    return LifPopulation(
        name=op.s.name,
        op=op,
        shape=shape,
        drive=replace(drive, bias=(drive.bias if current is None else steady) + bias),
        fall=fall,
        keep=keep,
        threshold=threshold,
        compare=op.compare,
        # Zero is v_reset here, for v was shifted by it.
        reset="zero" if op.reset == "value" else op.reset,
        v_initial=norm * (per_unit(parameter(op, "initial", drives), shape) - low),
        u_initial=to_membrane * per_unit(i_initial, shape) - (0 if current is None else steady),
        readings=tuple(readings),
    )


def _reset_and_span(op: Any, drives: Drives) -> tuple[FloatArray, FloatArray]:
    """Return the reset level and how far the threshold is above it. Errors: T205."""
    if getattr(op, "refractory", 0.0) or getattr(op, "held", 0):
        why = "its units rest after a spike", "Loihi's LIF integrates in every tick"
        raise no_loihi_form(op, op.s, *why, hint="leave out its rest (refractory), or take target brian2, onnx or sim")
    low = parameter(op, "v_reset", drives) if op.reset == "value" else np.zeros(1)
    span = parameter(op, "v_threshold", drives) - low
    if (span <= 0).any():
        smallest = f"v_threshold - v_reset is {span.min():.6g} at the least"
        raise no_loihi_form(op, op.s, smallest, "Loihi's thresholds are above its reset")
    return low, span


def _steady(op: Any, bias: FloatArray, fall: FloatArray) -> FloatArray:
    """Return the current that a constant input settles to.

    Loihi's bias enters the membrane, not the current: u there is the current less this, and the bias is this.
    """
    if ((fall >= 1) & (bias != 0)).any():
        raise no_loihi_form(op, op.s, "its current keeps all of itself, and its input has a constant part")
    return bias / np.where(fall < 1, 1 - fall, 1.0)


def threshold(op: spiking.Threshold, drives: Drives, dt: float) -> Iterator[LifPopulation]:
    """Yield the population of a comparison with a threshold."""
    drive = drives.of(op.x).scaled(1.0, -per_unit(parameter(op, "threshold", drives), op.s.shape))
    yield _compares(op, drive, op.compare)


def cast(op: core.Cast, drives: Drives, dt: float) -> Iterator[LifPopulation]:
    """Yield a comparison as a number: a population without memory that fires where a - b is above 0."""
    test = drives.graph.producers[op.x.name]
    if not isinstance(test, core.Greater | core.GreaterEqual | core.Less | core.LessEqual):
        raise no_loihi_form(op, op.y, f"of {test.opname}")
    a, b = (drives.spread(value, op.y.shape) for value in test.inputs)
    if isinstance(test, core.Less | core.LessEqual):
        # Loihi fires above a threshold only: a < b is asked as b > a.
        a, b = b, a
    strict = isinstance(test, core.Greater | core.Less)
    yield _compares(op, a.plus(b.scaled(-1.0)), "greater" if strict else "greater_equal")


def _compares(op: Op, drive: LinearDrive, compare: str) -> LifPopulation:
    zeros = np.zeros(len(drive.bias))
    return LifPopulation(
        name=op.results[0].name,
        op=op,
        shape=op.results[0].shape,
        drive=drive,
        fall=zeros,
        keep=zeros,
        threshold=0.0,
        compare=compare,
        reset="zero",
        v_initial=zeros,
        u_initial=zeros,
    )
