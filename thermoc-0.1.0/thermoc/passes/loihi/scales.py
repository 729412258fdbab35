"""Integers for one population: how many make one of its drive, its weights, its bias, and the proof that they fit.

A scale is a power of two wherever the chip leaves the choice, so numbers that are whole already stay what they are.
Headroom: with every source at its largest, |a| stays below 2^23, or, where the unit keeps a current in 24 bits,
|a| << 6 summed over all the ticks it is kept does. If the weights are too large for that, they give up bits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.values import Value
from thermoc.passes.loihi.drives import Term
from thermoc.passes.loihi.units import CurveUnit, GradedUnit, LifUnit, MemoryUnit, NoisyUnit, Unit
from thermoc.passes.loihi.weights import GREATEST_EXPONENT, LEAST_EXPONENT, Weights, quantised
from thermoc.support.errors import error

FIELD = 2**23
FRACTION = 64
"""The chip's membranes have six bits below those of what arrives."""
FINEST = 2.0**20
FINE_TEMPERATURE = 2**12
MOST_T = 2**24 - 1
GREATEST = 254
GREATEST_VTH = 2**17 - 1
FINE_THRESHOLD = 1024
ENTRIES = 512
FEW = 256
LONG, DEVIATIONS = 1000, 8.0
LIGHTEST = 12
"""A memory's gain is at least 2^-LIGHTEST."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a population or the host sends: ``scale`` integers make one; real and bound are the largest |x|, flat."""

    scale: float
    real: NDArray
    bound: NDArray
    bits: int


@dataclass(frozen=True, kw_only=True)
class Design:
    """A population in integers. ``sent`` integers of what it sends make one; reach is the largest |a|, flat."""

    unit: Unit
    scale: float
    weights: tuple[Weights, ...]
    bias: NDArray
    reach: NDArray
    sent: float
    numbers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def outcome(self) -> NDArray:
        """The largest integer it can send, flat."""
        if isinstance(self.unit, GradedUnit):
            return np.minimum((self.reach + np.abs(self.bias)) / 2 ** self.numbers["shift"] + 1, FIELD - 1)
        if isinstance(self.unit, CurveUnit):
            return np.full(self.unit.size, float(np.abs(self.numbers["table"]).max()))
        return np.full(self.unit.size, FIELD - 1 if isinstance(self.unit, MemoryUnit) else 1.0)


def limit(unit: Unit) -> float:
    """Return what |a| must stay below."""
    return FIELD / FRACTION * (1 - float(unit.fall.max())) if isinstance(unit, LifUnit) else float(FIELD)


def designed(unit: Unit, sources: Mapping[str, Source], sent: float | None, T_first: float) -> Design:
    """Return the integers of a population.

    sent: the scale its readers asked for, None where it has none. T_first: its temperature in the first tick, where it
    is not a constant. Errors: T206 where no scale fits.
    """
    if isinstance(unit, LifUnit):
        return _lif(unit, sources)
    if isinstance(unit, GradedUnit):
        return _graded(unit, sources, sent)
    if isinstance(unit, CurveUnit):
        return _curve(unit, sources, sent)
    if isinstance(unit, NoisyUnit):
        return _noisy(unit, sources, T_first)
    assert isinstance(unit, MemoryUnit)
    return _memory(unit, sources, sent)


# ----------------------------------------------------------------------------------------------------- what arrives


def _relative(term: Term, source: Source) -> NDArray:
    return term.map.weights / source.scale


def _heaviest(unit: Unit, sources: Mapping[str, Source]) -> float:
    sizes = [float(np.abs(_relative(t, sources[t.source])).max(initial=0.0)) for t in unit.drive.terms]
    return max(sizes, default=0.0)


def _start(unit: Unit, sources: Mapping[str, Source]) -> float:
    """Return the scale at which the heaviest weight has all its bits; a power of two where that is exact."""
    heaviest = _heaviest(unit, sources)
    if not heaviest:
        return 1024.0
    whole = 2.0 ** math.floor(math.log2(GREATEST / heaviest))
    if not all(_may_be_whole(term, sources[term.source], whole) for term in unit.drive.terms):
        return GREATEST / heaviest
    found = arriving(unit, sources, whole)
    wanted = (_relative(term, sources[term.source]) * whole for term in unit.drive.terms)
    if found is not None and all((made.real == real).all() for made, real in zip(found[0], wanted)):
        return whole
    return GREATEST / heaviest


def arriving(unit: Unit, sources: Mapping[str, Source], scale: float) -> tuple[tuple[Weights, ...], NDArray] | None:
    """Return the weights of each term at a scale, and the largest |a|; None where a weight is too large."""
    made, reach = [], np.zeros(unit.size)
    for term in unit.drive.terms:
        source = sources[term.source]
        weights = quantised(_relative(term, source) * scale)
        if weights is None:
            return None
        made.append(weights)
        reach = reach + term.map.with_weights(np.abs(weights.real)).apply(source.bound) + weights.floors
    return tuple(made), reach


def _fitted(unit: Unit, sources: Mapping[str, Source], scale: float, with_bias: bool = True):
    """Return (scale, weights, reach, bias) at the largest scale from this one down that leaves headroom."""
    most, lowest = limit(unit), scale * 2.0**-24
    while scale > lowest:
        found = arriving(unit, sources, scale)
        bias = np.rint(unit.drive.bias * scale)
        if found is not None:
            whole = found[1] + np.abs(bias) * with_bias
            if whole.max(initial=0.0) < most:
                return scale, *found, bias.astype(np.int64)
        scale /= 2
    raise no_room(unit, sources)


def no_room(unit: Unit, sources: Mapping[str, Source]):
    """Return the error that a population's drive fits no scale."""
    notes = [f"its heaviest weight is {_heaviest(unit, sources):.6g}", f"|a| must stay below {limit(unit):.6g}"]
    what = f"the drive of {unit.op.opname} (%{unit.name}) leaves the chip's 24 bits at every scale"
    return error("T206", what, where=unit.op.location, notes=notes, hint="narrow the weights or the inputs' range")


# ------------------------------------------------------------------------------------------------------------ units


def _lif(unit: LifUnit, sources: Mapping[str, Source]) -> Design:
    """The finer of two scales: a power of two, or the one at which the heaviest weight is the largest mantissa."""
    heaviest, span = _heaviest(unit, sources), unit.threshold
    fits = [GREATEST_VTH / span if span else FINEST]
    if heaviest:
        fits.append(GREATEST * 2.0**GREATEST_EXPONENT / heaviest)
    bias = float(np.abs(unit.drive.bias).max(initial=0.0))
    if bias:
        fits.append((4095 << 7) / FRACTION / bias)
    starts = float(max(np.abs(unit.v_initial).max(initial=0.0), np.abs(unit.u_initial).max(initial=0.0)))
    if starts:
        fits.append((FIELD - 1) / FRACTION / starts)
    top = min(fits)
    whole = _wholly(unit, sources, top)
    if whole is not None:
        return _lif_at(unit, *whole)
    enough = max(GREATEST / heaviest if heaviest else 0.0, FINE_THRESHOLD / span if span else 0.0)
    scale = 2.0 ** math.floor(math.log2(min(top, 2 * enough or top)))
    scale, weights, reach, _ = _fitted(unit, sources, scale, with_bias=False)
    if unit.reset == "subtract":
        while scale * span + reach.max(initial=0.0) >= FIELD / FRACTION:
            scale, weights, reach, _ = _fitted(unit, sources, scale / 2, with_bias=False)
    best = (_roughness(unit, sources, scale, weights), scale, weights, reach)
    if best[0] and heaviest:
        exponent = math.floor(math.log2(scale * heaviest / GREATEST)) + 1
        other = GREATEST * 2.0**exponent / heaviest
        found = arriving(unit, sources, other) if other <= top else None
        if found is not None and found[1].max() + other * span < min(limit(unit), FIELD / FRACTION):
            best = min(best, (_roughness(unit, sources, other, found[0]), other, *found), key=lambda item: item[0])
    return _lif_at(unit, *best[1:])


def _wholly(unit: LifUnit, sources: Mapping[str, Source], top: float):
    """Return the least power of two at which nothing is rounded, its weights and reach; None where there is none."""
    for exponent in range(-6, 7):
        scale = 2.0**exponent
        if not all(_may_be_whole(term, sources[term.source], scale) for term in unit.drive.terms):
            continue
        found = arriving(unit, sources, scale) if scale <= top else None
        bias = unit.drive.bias * scale * FRACTION
        mantissa, shift = _bias(bias)
        starts = np.concatenate([unit.v_initial, unit.u_initial]) * scale * FRACTION
        exact = (mantissa * 2.0**shift == bias).all() and (np.rint(starts) == starts).all()
        if found is None or not exact or _roughness(unit, sources, scale, found[0]):
            continue
        span = scale * unit.threshold if unit.reset == "subtract" else 0.0
        if found[1].max(initial=0.0) < limit(unit) and span + found[1].max(initial=0.0) < FIELD / FRACTION:
            return scale, *found
    return None


def _may_be_whole(term: Term, source: Source, scale: float) -> bool:
    """Tell from a few weights whether all of them may be whole numbers: a quick no."""
    few = np.ravel(term.map.weights)[:FEW] / source.scale * scale * 2.0**-LEAST_EXPONENT
    return bool((np.rint(few) == few).all())


def _lif_at(unit: LifUnit, scale: float, weights: tuple[Weights, ...], reach: NDArray) -> Design:
    span = unit.threshold
    mantissa, exponent = _bias(unit.drive.bias * scale * FRACTION)
    numbers = {
        "vth": round(span * scale),
        "bias_exp": exponent,
        "v_initial": np.rint(unit.v_initial * scale * FRACTION).astype(np.int64),
        "u_initial": np.rint(unit.u_initial * scale * FRACTION).astype(np.int64),
        "du": np.clip(4095 - np.rint(4096 * unit.fall), 0, 4095).astype(np.int64),
        "dv": np.clip(4096 - np.rint(4096 * unit.keep), 0, 4096).astype(np.int64),
    }
    return Design(unit=unit, scale=scale, weights=weights, bias=mantissa, reach=reach, sent=1.0, numbers=numbers)


def _roughness(unit: LifUnit, sources: Mapping[str, Source], scale: float, weights: Sequence[Weights]) -> float:
    """Return the largest error of a tick's drive and of the threshold, in the network's units."""
    total = np.zeros(unit.size)
    for term, made in zip(unit.drive.terms, weights):
        source = sources[term.source]
        off = np.abs(made.real / scale * source.scale - term.map.weights)
        total = total + term.map.with_weights(off).apply(source.real) + made.floors / scale
    vth = unit.threshold * scale
    return float(total.max(initial=0.0)) + abs(round(vth) - vth) / scale


def _bias(exact: NDArray) -> tuple[NDArray, int]:
    """Return mantissas of 13 bits and their exponent."""
    mantissa = np.zeros(0, np.int64)
    for exponent in range(8):
        mantissa = np.rint(exact / 2.0**exponent).astype(np.int64)
        if np.abs(mantissa).max(initial=0) <= 4095:
            return mantissa, exponent
    return np.clip(mantissa, -4096, 4095), 7


def _graded(unit: GradedUnit, sources: Mapping[str, Source], sent: float | None) -> Design:
    scale, weights, reach, bias = _fitted(unit, sources, _start(unit, sources))
    shift = 0 if sent is None or scale <= sent else min(23, math.ceil(math.log2(scale / sent) - 1e-9))
    half = (1 << shift) >> 1
    sent = scale / 2.0**shift
    return Design(
        unit=unit, scale=scale, weights=weights, bias=bias + half, reach=reach, sent=sent, numbers={"shift": shift}
    )


def _curve(unit: CurveUnit, sources: Mapping[str, Source], sent: float | None) -> Design:
    """A table over what can arrive, or as far as the curve still changes."""
    scale, weights, reach, bias = _fitted(unit, sources, _start(unit, sources))
    far = min(unit.edge, float((reach + np.abs(bias)).max(initial=0.0)) / scale)
    shift = max(0, math.ceil(math.log2(max(far * scale, 1) / (ENTRIES // 2))))
    places = (np.arange(ENTRIES) - ENTRIES // 2) * 2.0**shift + (2.0**shift - 1) / 2
    with np.errstate(over="ignore"):
        values = unit.curve(places / scale)
    if not np.isfinite(values).all():
        raise no_room(unit, sources)
    most = float(np.abs(values).max(initial=0.0)) or 1.0
    sent = 2.0 ** math.floor(math.log2((FIELD - 1) / most)) if sent is None else sent
    sent = min(sent, 2.0 ** math.floor(math.log2((FIELD - 1) / most)))
    numbers = {"shift": shift, "table": np.rint(values * sent).astype(np.int64), "width": 2.0**shift / scale}
    return Design(unit=unit, scale=scale, weights=weights, bias=bias, reach=reach, sent=sent, numbers=numbers)


def _noisy(unit: NoisyUnit, sources: Mapping[str, Source], T_first: float) -> Design:
    """The temperature has 8 fractional bits of the drive's integers: a scale is raised until it is fine."""
    T = np.array([T_first]) if isinstance(unit.T, Value) else unit.T
    low, high = float(T.min()), float(T.max())
    scale = min(_start(unit, sources), 2.0 ** math.floor(math.log2(MOST_T / 256 / high)))
    scale, weights, reach, bias = _fitted(unit, sources, scale)
    while 256 * scale * low < FINE_TEMPERATURE and 512 * scale * high < MOST_T:
        found = arriving(unit, sources, 2 * scale)
        raised = np.rint(unit.drive.bias * 2 * scale).astype(np.int64)
        if found is None or (found[1] + np.abs(raised)).max(initial=0.0) >= FIELD:
            break
        scale, bias = 2 * scale, raised
        weights, reach = found
    whole = np.rint(256 * scale * T).astype(np.int64)
    if whole.min() < 1:
        notes = [f"its temperature is {low:.6g}", f"the least the chip holds is {1 / (256 * scale):.6g}"]
        what = f"the temperature of {unit.op.opname} (%{unit.name}) is too low for its weights"
        raise error("T206", what, where=unit.op.location, notes=notes, hint="narrow the weights, or warm it")
    return Design(unit=unit, scale=scale, weights=weights, bias=bias, reach=reach, sent=1.0, numbers={"T": whole})


def _memory(unit: MemoryUnit, sources: Mapping[str, Source], sent: float | None) -> Design:
    """The state is as fine as its readers, its 24 bits and its weights let it be; gain makes up for weights that are
    heavy, and for light ones, which would lose their bits."""
    top = 2.0 ** math.floor(math.log2((FIELD - 1) / farthest(unit, sources)))
    state = min(sent or top, top)
    most, heaviest = GREATEST * 2.0**GREATEST_EXPONENT, _heaviest(unit, sources)
    while True:
        light = math.ceil(math.log2(GREATEST / 2 / (heaviest * state))) if heaviest else 0
        for raised in range(-min(max(light, 0), LIGHTEST), 5):
            scale = state / 2.0**raised
            if scale * heaviest <= most:
                found = arriving(unit, sources, scale)
                bias = np.rint(unit.drive.bias * scale).astype(np.int64)
                if found is not None and (found[1] + np.abs(bias)).max(initial=0.0) < FIELD:
                    return _kept(unit, state, raised, found, bias)
        state /= 2
        if state < top * 2.0**-40:
            raise no_room(unit, sources)


def farthest(unit: MemoryUnit, sources: Mapping[str, Source]) -> float:
    """Return how far a state goes: where its drive holds it, and eight deviations of its noise; without a leak, in
    1,000 ticks."""
    pull = np.abs(unit.drive.bias)
    for term in unit.drive.terms:
        pull = pull + term.map.with_weights(np.abs(term.map.weights)).apply(sources[term.source].real)
    sigma = float(np.max(unit.sigma)) if not isinstance(unit.sigma, Value) else 0.0
    leak = 1 - unit.keep if unit.keep < 1 else 1 / LONG
    spread = DEVIATIONS * sigma / math.sqrt(min(2 * leak, 1.0))
    return max(float(pull.max(initial=0.0)) / leak + spread, float(np.abs(unit.initial).max(initial=0.0)), 1e-6)


def _kept(unit: MemoryUnit, state: float, raised: int, found: Any, bias: NDArray) -> Design:
    weights, reach = found
    numbers = {
        "gain": 4096 << raised if raised >= 0 else 4096 >> -raised,
        "dm": int(np.clip(4096 - round(4096 * unit.keep), 0, 4096)),
        "initial": np.rint(unit.initial * state).astype(np.int64),
        "sigma": None if isinstance(unit.sigma, Value) else np.rint(unit.sigma * state).astype(np.int64),
    }
    scale = state / 2.0**raised
    return Design(unit=unit, scale=scale, weights=weights, bias=bias, reach=reach, sent=state, numbers=numbers)
