"""What stands, after a pass that is not exact, for a unit of the graph before it, and how far one tick may move it.

A pass says it of each population (``Log.counterparts``), so that ``verify`` can ask of every unit by itself: given what
the others have said, is this what the network's unit would have said? Bounds come from the format of the numbers
(half a step of a weight, of a bias, of a decay), not from what the pass has written: a wrong number has no excuse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from thermoc import physics
from thermoc.ir.dialects.loihi import weight_range
from thermoc.passes.loihi import linear_maps as maps
from thermoc.passes.loihi.design_types import FRACTION, Design, MessageFormat
from thermoc.passes.loihi.drives import Term
from thermoc.passes.loihi.error_bounds import LOGIT, curve_error, of_heating, of_probabilities
from thermoc.passes.loihi.heat_errors import STEPS, of_tick
from thermoc.passes.loihi.parameters import relaxation
from thermoc.passes.loihi.population_types import (
    BoltzmannPopulation,
    CurvePopulation,
    GradedPopulation,
    HeatPopulation,
    LifPopulation,
    MemoryPopulation,
    NoisyPopulation,
    RelaxationPopulation,
)
from thermoc.passes.loihi.relaxation_errors import NORMAL, relaxed, relaxed_for_ever
from thermoc.support.array_types import FloatArray

Said = Callable[[Term], tuple[FloatArray, FloatArray]]
"""Of a term: what its source has said, and how far that is off already; each (inputs, samples)."""
FARTHEST_LOGIT = 22.9
"""No logit of a word of 32 bits is farther from 0: ln(2^33 - 1)."""
ROUNDING = 1e-12
"""Of the numbers added up: what float64 may be off where the chip is exact and its step is no power of two."""


@dataclass(frozen=True, kw_only=True)
class Counterpart:
    """A population as it was written to the chip.

    sender: the value it sends; the network's tick t is in the chip's tick lag + t every, where ``design.sent`` integers
    make one, less ``shift``. start: the chip's tick in which it begins. states: v and u of LIF units, each the values
    that hold it, one after the other; design.scale * 64 integers make one. sources: what it reads, by name.
    """

    design: Design
    sources: Mapping[str, MessageFormat]
    sender: str
    lag: int
    start: int
    every: int
    states: Mapping[str, tuple[str, ...]]
    shift: FloatArray


@dataclass(frozen=True, kw_only=True)
class Slack:
    """How far one tick may be off, (units, samples), of what it adds up, ``size``; both in the network's units."""

    drive: FloatArray
    size: FloatArray


@dataclass(frozen=True, kw_only=True)
class ProductSlack:
    """How far a product's results may be off, of the shape of its value, and what share of them that is."""

    off: FloatArray
    share: float


@dataclass(frozen=True, kw_only=True)
class Product:
    """A product on crossbars: the values of its result and its operand, and how far a tick of it may be off where its
    inputs are as large as they were, of the shape of the operand."""

    value: str
    entering: str
    slack: Callable[[FloatArray], ProductSlack]


@dataclass(frozen=True, kw_only=True)
class Coded:
    """An activation that spikes carry: sender fires and says ``most``, of the activation's shape, or 0; its mean is the
    activation."""

    value: str
    sender: str
    most: FloatArray
    coding: str


def of_drive(population: Counterpart, said: Said) -> Slack:
    """Return how far a tick's drive may be off, for what the sources have said in it."""
    design = population.design
    slack, size = _bias(design)[:, np.newaxis], np.abs(design.population.drive.bias)[:, np.newaxis]
    for term, weights in zip(design.population.drive.terms, design.weights):
        source = population.sources[term.source]
        ratio = source.scale / design.scale
        half = weight_range(weights.sign_mode, 8)[2] * 2.0**weights.exponent * ratio / 2
        # Half a step at most, whatever was written: a wrong weight must not excuse itself.
        off = np.minimum(np.abs(weights.real * ratio - term.map.weights), half * (1 + 1e-9))
        off = np.where(off < 1e-12 * np.abs(term.map.weights), 0.0, off)
        x, error = (np.abs(array) for array in said(term))
        sizes = np.abs(term.map.weights)
        slack = slack + _applied(term.map, off, x) + weights.floors / design.scale
        if error.any():
            slack = slack + _applied(term.map, sizes + off, error)
        size = size + _applied(term.map, sizes, x)
    # At a power of two the integers are the numbers, and no product of them rounds.
    exact = _dyadic(design.scale) and not slack.any()
    return Slack(drive=slack + (0.0 if exact else ROUNDING * size), size=size)


def of_heat(population: Counterpart, said: Said) -> Slack:
    """Return how far a tick's temperatures of a thermal network may be off; size: what is added up to them."""
    design = population.design
    assert isinstance(design.population, HeatPopulation)
    off, moved = of_tick(design, population.sources, said)
    drive = np.abs(said(design.population.drive.terms[0])[0])
    return Slack(drive=off + STEPS / design.sent, size=drive + moved)


def of_lif(population: Counterpart, drive: FloatArray, v: FloatArray, u: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return how far membrane (against its threshold) and current may be off after a tick. v, u: before it."""
    design = population.design
    unit, scale = design.population, design.scale
    n: Mapping[str, Any] = design.numbers
    assert isinstance(unit, LifPopulation)
    step = 1 / (scale * FRACTION)
    fall = _off(np.ravel((4095 - n["du"]) / 4096), unit.fall)  # pyright: ignore[reportUnknownArgumentType]
    keep = _off(np.ravel((4096 - n["dv"]) / 4096), unit.keep)  # pyright: ignore[reportUnknownArgumentType]
    # du = 4095 keeps nothing of a current: there is nothing to truncate.
    cut_u = np.where(np.ravel(n["du"]) == 4095, 0.0, step)[:, np.newaxis]
    cut_v = np.where(np.isin(np.ravel(n["dv"]), (0, 4096)), 0.0, step)[:, np.newaxis]
    current = drive + fall * np.abs(u) + cut_u
    threshold = abs(n["vth"] / scale - unit.threshold)
    threshold = 0.0 if threshold < 1e-12 * unit.threshold else min(threshold, 0.5 / scale * (1 + 1e-9))
    start = step / 2 if not _whole(unit.v_initial, step) or not _whole(unit.u_initial, step) else 0.0
    membrane = current + keep * np.abs(v) + cut_v + threshold + start
    exact = _dyadic(scale) and not membrane.any()
    return membrane + (0.0 if exact else ROUNDING * (np.abs(v) + np.abs(u) + unit.threshold)), current


def of_noise(population: Counterpart, T: Any) -> Any:
    """Return how far the noise of a p-bit or a categorical unit may be off: the logarithm, T's own step, a floor."""
    design = population.design
    assert isinstance(design.population, NoisyPopulation)
    heated = FARTHEST_LOGIT * of_heating(design.population, design, T)
    return T * LOGIT + FARTHEST_LOGIT * 0.5 / (256 * design.scale) + 1 / design.scale + heated


def of_value(population: Counterpart, drive: FloatArray, before: FloatArray) -> FloatArray:
    """Return how far a number may be off that a population sends. before: what it sent a tick earlier."""
    design = population.design
    unit, n = design.population, design.numbers
    if isinstance(unit, GradedPopulation):
        return drive + (0.5 / design.sent if n["shift"] else 0.0)
    if isinstance(unit, CurvePopulation):
        return curve_error(unit, design, drive)
    if isinstance(unit, BoltzmannPopulation):
        return np.stack([of_probabilities(unit, design, one) for one in drive.T], axis=1)
    if isinstance(unit, RelaxationPopulation):
        # A schedule of the network knows its tick, and nothing of a tick before.
        if unit.floor is not None:
            return np.broadcast_to(relaxed_for_ever(unit, design, np.zeros(1))[:, np.newaxis], before.shape)
        moved = [relaxed(unit, design, one, np.abs(state)) for one, state in zip(drive.T, before.T)]
        return np.stack(moved, axis=1) + STEPS / design.sent
    assert isinstance(unit, MemoryPopulation)
    keep = (4096 - n["dm"]) / 4096
    off = float(_off(np.array([keep]), np.array([unit.keep]))[0, 0])
    floors = (keep not in (0.0, 1.0)) + (n["gain"] % 4096 != 0)
    start = 0.0 if _whole(unit.initial, 1 / design.sent) else 0.5 / design.sent
    sigma = np.ravel(unit.sigma)[:, np.newaxis] if isinstance(unit.sigma, np.ndarray) else np.zeros((1, 1))
    noise = np.where(sigma > 0, NORMAL * sigma + 4 / design.sent, 0.0)
    return drive + off * np.abs(before) + (floors + 1 * (off > 0)) / design.sent + start + noise


def _bias(design: Design) -> FloatArray:
    """Half a step of the bias, or less."""
    unit, scale = design.population, design.scale
    step, half = 1 / scale, 0
    if isinstance(unit, LifPopulation):
        step = 2.0 ** design.numbers["bias_exp"] / (scale * FRACTION)
    elif isinstance(unit, GradedPopulation):
        half = (1 << design.numbers["shift"]) >> 1
    off = np.abs((design.bias - half) * step - unit.drive.bias)
    off = np.where(off < 1e-12 * np.abs(unit.drive.bias), 0.0, off)
    return np.minimum(off, step / 2 * (1 + 1e-9))


def _off(kept: FloatArray, wanted: FloatArray) -> FloatArray:
    """Return how far a decay is off, at most half of its 4,096 steps, (units, 1)."""
    off = np.abs(kept - np.ravel(wanted))
    return np.minimum(np.where(off < 1e-15, 0.0, off), 0.5 / 4096 * (1 + 1e-9))[:, np.newaxis]


def _whole(numbers: FloatArray, step: float) -> bool:
    return bool((np.rint(numbers / step) * step == numbers).all())


def _dyadic(scale: float) -> bool:
    return float(np.frexp(scale)[0]) == 0.5


def _applied(how: maps.Map, weights: FloatArray, x: FloatArray) -> FloatArray:
    """Return the map with other weights of each column of x."""
    if not np.any(weights):
        return np.zeros((how.outputs, 1))
    if isinstance(how, maps.Gather):
        return weights[:, np.newaxis] * x[how.index]
    return how.with_weights(weights).matrix().rows @ x


def integration_error(
    method: str,
    dt: float,
    currents: tuple[FloatArray, FloatArray],
    *,
    tau_syn: FloatArray,
    tau_mem: FloatArray,
    r: FloatArray,
) -> FloatArray:
    """Return how far a tick's membrane is from that of a method, for the chip's takes the new current.

    currents: of the synapse, before and after the tick. With target x, i' - x = fall (i - x).
    """
    before, after = currents
    fall, _ = relaxation(method, dt / tau_syn)
    _, gain = relaxation(method, dt / tau_mem)
    distance = (before - after) / (1 - fall)
    if method == "exact":
        return r * distance * (physics.chained_gain(tau_syn, tau_mem, dt) - gain * fall)
    return r * distance * gain * (1 - fall)
