"""Each population in a normal form of real numbers: what it keeps, where it fires, what drives it.

Differences between the units of a population that the chip cannot hold (thresholds, gains, resets, leaks) go into the
rows of its weights and into its bias here, so that what is left is one number a population, as the chip has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc import physics
from thermoc.ir.dialects import core, sampling, spiking, thermo
from thermoc.ir.ops import Op
from thermoc.ir.types import Shape
from thermoc.ir.values import Value
from thermoc.passes.loihi import linear_maps as maps
from thermoc.passes.loihi.drives import Drive, Drives, Term
from thermoc.support.errors import error

Curve = Callable[[NDArray], NDArray]


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A population: one op of the chip to be. ``name`` is the value it sends, ``op`` where it comes from."""

    name: str
    op: Op
    shape: Shape
    drive: Drive
    least: int = 0
    offset: int = 0
    """It sends network tick t's value in the chip's tick t every + lag + offset."""

    @property
    def size(self) -> int:
        """Number of units."""
        return len(self.drive.bias)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A state the host reads: value = factor * state + offset, element by element."""

    name: str
    state: str
    factor: NDArray
    offset: NDArray


@dataclass(frozen=True, kw_only=True)
class LifUnit(Unit):
    """u' = fall u + drive, v' = keep v + u' + bias, a spike above (or at) ``threshold``; no current where fall is 0."""

    fall: NDArray
    keep: NDArray
    threshold: float
    compare: str
    reset: str
    v_initial: NDArray
    u_initial: NDArray
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, kw_only=True)
class GradedUnit(Unit):
    """max(drive, 0) or, as a relay, drive."""

    rule: str


@dataclass(frozen=True, kw_only=True)
class CurveUnit(Unit):
    """curve(drive); steepness bounds its slope, edge is where |drive| may be cut."""

    curve: Curve
    steepness: float
    edge: float


@dataclass(frozen=True, kw_only=True)
class NoisyUnit(Unit):
    """A p-bit or one of a categorical layer at temperature T, numbers or the name of a host value."""

    T: NDArray | Value
    stream: int
    levels: str = "binary"
    turn: NDArray | None = None
    turns: int = 1
    sweeps: int = 1
    initial: NDArray = field(default_factory=lambda: np.zeros(1))
    categorical: bool = False


@dataclass(frozen=True, kw_only=True)
class MemoryUnit(Unit):
    """m' = keep m + drive + sigma z, sent as it is at the start of a tick."""

    keep: float
    sigma: NDArray | Value
    initial: NDArray
    stream: int = -1


def units_of(op: Op, drives: Drives, dt: float) -> Iterator[Unit]:
    """Yield the populations of an op. Errors: T205 where its parameters have no form on the chip."""
    yield from MAKERS[type(op)](op, drives, dt)


def relay(value: Value, op: Op, drive: Drive) -> GradedUnit:
    """Return the population that hands on a sum."""
    return GradedUnit(name=value.name, op=op, shape=value.shape, drive=drive, rule="abs")


# ------------------------------------------------------------------------------------------------------- spiking


def _lif(op: Any, drives: Drives, dt: float) -> Iterator[Unit]:
    n = {name: _number(op, name, drives) for name in ("tau", "r", "v_leak")}
    keep, share = relaxation(op.method, dt / n["tau"])
    yield _fires(op, drives, keep, share * n["r"], share * n["v_leak"])


def _if(op: spiking.If, drives: Drives, dt: float) -> Iterator[Unit]:
    yield _fires(op, drives, np.ones(1), dt * _number(op, "r", drives), np.zeros(1))


def _lif_step(op: spiking.LifStep, drives: Drives, dt: float) -> Iterator[Unit]:
    keep, gain, offset = (_number(op, name, drives) for name in ("keep", "gain", "offset"))
    yield _fires(op, drives, keep, gain, offset)


def _cuba_lif(op: spiking.CubaLif, drives: Drives, dt: float) -> Iterator[Unit]:
    n = {name: _number(op, name, drives) for name in ("tau_syn", "tau_mem", "w_in", "r", "v_leak")}
    fall, rise = relaxation(op.method, dt / n["tau_syn"])
    keep, share = relaxation(op.method, dt / n["tau_mem"])
    through = share * n["r"]
    current = (fall, through, _number(op, "i_initial", drives))
    yield _fires(op, drives, keep, rise * n["w_in"] * through, share * n["v_leak"], current)


def _fires(op: Any, drives: Drives, keep: Any, gain: Any, offset: Any, current: Any = None) -> LifUnit:
    """v~ = (v - v_reset) / (v_threshold - v_reset) fires at 1 and is reset to 0, unit by unit."""
    if getattr(op, "refractory", 0.0) or getattr(op, "held", 0):
        notes = ["its units rest after a spike", "the chip's LIF integrates in every tick"]
        raise error("T205", f"{op.opname} ({op.s}) has no Loihi form", where=op.location, notes=notes)
    low = _number(op, "v_reset", drives) if op.reset == "value" else np.zeros(1)
    shape = op.s.shape
    span = _number(op, "v_threshold", drives) - low
    if (span <= 0).any():
        notes = [f"v_threshold - v_reset is {span.min():.6g} at the least", "the chip's thresholds are above its reset"]
        raise error("T205", f"{op.opname} ({op.s}) has no Loihi form", where=op.location, notes=notes)
    one = float(span.flat[0]) if np.ptp(span) == 0 else 1.0
    norm, keep = _flat(one / span, shape), _flat(keep, shape)
    low, whole = _flat(low, shape), _flat(offset, shape)
    bias = norm * (whole + (keep - 1) * low)
    fall, through, i_initial = current or (np.zeros(1), np.ones(1), np.zeros(1))
    through = _flat(through, shape) * norm
    readings = [Reading(name=op.v.name, state="v", factor=1 / norm, offset=low)]
    drive, fall = drives.of(op.x).scaled(_flat(gain, shape) * norm), _flat(fall, shape)
    steady = _steady(op, drive.bias, fall)
    if current is not None:
        factor = np.divide(1.0, through, out=np.zeros_like(through), where=through != 0)
        readings.append(Reading(name=op.i.name, state="u", factor=factor, offset=factor * steady))
    started = norm * (_flat(_number(op, "initial", drives), shape) - low)
    return LifUnit(
        name=op.s.name,
        op=op,
        shape=shape,
        drive=replace(drive, bias=(drive.bias if current is None else steady) + bias),
        fall=fall,
        keep=keep,
        threshold=one,
        compare=op.compare,
        reset="zero" if op.reset == "value" else op.reset,
        v_initial=started,
        u_initial=through * _flat(i_initial, shape) - (0 if current is None else steady),
        readings=tuple(readings),
    )


def _steady(op: Any, bias: NDArray, fall: NDArray) -> NDArray:
    """Return the current that a constant input settles to.

    The chip's bias enters the membrane, not the current: u there is the current less this, and the bias is this.
    """
    if ((fall >= 1) & (bias != 0)).any():
        notes = ["its current keeps all of itself, and its input has a constant part"]
        raise error("T205", f"{op.opname} ({op.s}) has no Loihi form", where=op.location, notes=notes)
    return bias / np.where(fall < 1, 1 - fall, 1.0)


def _threshold(op: spiking.Threshold, drives: Drives, dt: float) -> Iterator[Unit]:
    drive = drives.of(op.x).scaled(1.0, -_flat(_number(op, "threshold", drives), op.s.shape))
    yield _compares(op, drive, op.compare)


def _cast(op: core.Cast, drives: Drives, dt: float) -> Iterator[Unit]:
    """A comparison as a number: a unit without memory that fires where a - b is above 0."""
    test = drives.graph.producers[op.x.name]
    if not isinstance(test, core.Greater | core.GreaterEqual | core.Less | core.LessEqual):
        raise error("T205", f"{op.opname} ({op.y}) has no Loihi form", where=op.location, notes=[f"of {test.opname}"])
    a, b = (drives.spread(value, op.y.shape) for value in test.inputs)
    if isinstance(test, core.Less | core.LessEqual):
        a, b = b, a
    strict = isinstance(test, core.Greater | core.Less)
    yield _compares(op, a.plus(b.scaled(-1.0)), "greater" if strict else "greater_equal")


def _compares(op: Op, drive: Drive, compare: str) -> LifUnit:
    none = np.zeros(len(drive.bias))
    return LifUnit(
        name=op.results[0].name,
        op=op,
        shape=op.results[0].shape,
        drive=drive,
        fall=none,
        keep=none,
        threshold=0.0,
        compare=compare,
        reset="zero",
        v_initial=none,
        u_initial=none,
    )


# ---------------------------------------------------------------------------------------------------- integrators


def _trace_step(op: Any, drives: Drives, dt: float) -> Iterator[Unit]:
    yield _keeps(op, op.g, drives.of(op.x), _number(op, "keep", drives), _number(op, "initial", drives))


def _trace(op: spiking.Trace, drives: Drives, dt: float) -> Iterator[Unit]:
    keep = np.exp(-dt / _number(op, "tau", drives))
    yield _keeps(op, op.g, drives.of(op.x), keep, _number(op, "initial", drives))


def _i(op: spiking.I, drives: Drives, dt: float) -> Iterator[Unit]:
    drive = drives.of(op.x).scaled(_flat(dt * _number(op, "r", drives), op.v.shape))
    yield _keeps(op, op.v, drive, np.ones(1), _number(op, "initial", drives))


def _li(op: spiking.Li, drives: Drives, dt: float) -> Iterator[Unit]:
    n = {name: _number(op, name, drives) for name in ("tau", "r", "v_leak", "initial")}
    keep, share = relaxation(op.method, dt / n["tau"])
    shape = op.v.shape
    drive = drives.of(op.x).scaled(_flat(share * n["r"], shape), _flat(share * n["v_leak"], shape))
    yield _keeps(op, op.v, drive, keep, n["initial"])


def _cuba_li(op: spiking.CubaLi, drives: Drives, dt: float) -> Iterator[Unit]:
    """The current and the membrane are two populations."""
    names = ("tau_syn", "tau_mem", "w_in", "r", "v_leak", "initial", "i_initial")
    n = {name: _number(op, name, drives) for name in names}
    shape = op.v.shape
    fall, rise = relaxation(op.method, dt / n["tau_syn"])
    keep, share = relaxation(op.method, dt / n["tau_mem"])
    x = drives.of(op.x).scaled(_flat(n["w_in"], shape))
    yield _keeps(op, op.i, x.scaled(_flat(rise, shape)), fall, n["i_initial"])
    i0 = _flat(n["i_initial"], shape)
    if np.ptp(i0):
        raise error("T205", f"{op.opname}: i_initial differs from unit to unit", where=op.location)
    now = Drive(terms=(Term(source=op.i.name, map=maps.identity(len(i0))),), bias=np.zeros(len(i0)))
    before = replace(now, terms=(replace(now.terms[0], delay=1, start=float(i0[0])),))
    if op.method == "semi_implicit":
        drive = now.scaled(_flat(share * n["r"], shape))
    elif op.method != "exact":
        drive = before.scaled(_flat(share * n["r"], shape))
    else:
        chained = physics.chained_gain(n["tau_syn"], n["tau_mem"], dt)
        drive = before.scaled(_flat(chained * n["r"], shape)).plus(x.scaled(_flat((share - chained) * n["r"], shape)))
    yield _keeps(op, op.v, drive.scaled(1.0, _flat(share * n["v_leak"], shape)), keep, n["initial"])


def _keeps(op: Op, value: Value, drive: Drive, keep: NDArray, initial: NDArray) -> MemoryUnit:
    if np.ptp(keep):
        notes = [f"its decays run from {keep.min():.6g} to {keep.max():.6g}", "a population of integrators has one"]
        raise error("T205", f"{op.opname} ({value}) has no Loihi form", where=op.location, notes=notes)
    return MemoryUnit(
        name=value.name,
        op=op,
        shape=value.shape,
        drive=drive,
        keep=float(np.ravel(keep)[0]),
        sigma=np.zeros(1),
        initial=_flat(initial, value.shape),
        offset=1,
    )


# -------------------------------------------------------------------------------------------------------- thermal


def _thermal_relu(op: thermo.ThermalRelu, drives: Drives, dt: float) -> Iterator[Unit]:
    T = drives.spread(op.T, op.y.shape).scaled(-1.0)
    drive = drives.of(op.x).plus(T)
    yield GradedUnit(name=op.y.name, op=op, shape=op.y.shape, drive=drive, rule="relu")


def _maximum(op: Any, drives: Drives, dt: float) -> Iterator[Unit]:
    """max(x, c) = max(x - c, 0) where c is 0."""
    a, b = op.inputs
    x, floor = (a, b) if b.name in drives.constants else (b, a)
    if drives.constants[floor.name].any():
        notes = ["the chip's graded units are silent below 0", f"the floor is {drives.constants[floor.name].max():.6g}"]
        raise error("T205", f"{op.opname} ({op.y}) has no Loihi form", where=op.location, notes=notes)
    drive = drives.spread(x, op.y.shape)
    yield GradedUnit(name=op.y.name, op=op, shape=op.y.shape, drive=drive, rule="relu")


def _fermi_dirac(op: thermo.FermiDirac, drives: Drives, dt: float) -> Iterator[Unit]:
    T = _flat(_number(op, "T", drives), op.p.shape)
    drive = drives.spread(op.mu, op.p.shape).plus(drives.of(op.x).scaled(-1.0)).scaled(1 / T)
    yield _curve(op, drive, lambda u: 1 / (1 + np.exp(-u)), 0.25, 12.0)


def _maxwell_boltzmann(op: thermo.MaxwellBoltzmann, drives: Drives, dt: float) -> Iterator[Unit]:
    """sqrt(2 / pi) v^2 e^(-v^2 / 2) / sqrt(T), v = x / sqrt(T) (P8)."""
    T = _number(op, "T", drives)
    if np.ptp(T):
        notes = [f"T runs from {T.min():.6g} to {T.max():.6g}", "a table's height is one for its population"]
        raise error("T205", f"{op.opname} ({op.y}) has no Loihi form", where=op.location, notes=notes)
    height = float(np.sqrt(2 / np.pi) / np.sqrt(T.flat[0]))
    drive = drives.of(op.x).scaled(1 / np.sqrt(T.flat[0]))
    yield _curve(op, drive, lambda v: height * v * v * np.exp(-v * v / 2), 0.67 * height / np.sqrt(2 / np.pi), 8.0)


def _function(curve: Curve, steepness: float, edge: float) -> Callable[[Any, Drives, float], Iterator[Unit]]:
    def make(op: Any, drives: Drives, dt: float) -> Iterator[Unit]:
        yield _curve(op, drives.of(op.inputs[0]), curve, steepness, edge)

    return make


def _curve(op: Op, drive: Drive, curve: Curve, steepness: float, edge: float) -> CurveUnit:
    y = op.results[0]
    form = {"curve": curve, "steepness": steepness, "edge": edge}
    return CurveUnit(name=y.name, op=op, shape=y.shape, drive=drive, **form)


def _sample_binary(op: thermo.SampleBinary, drives: Drives, dt: float) -> Iterator[Unit]:
    shape = op.s.shape
    T = _temperature(op, drives, shape)
    start = np.zeros(op.s.size)
    form = {"stream": op.stream, "levels": op.levels, "initial": start}
    yield NoisyUnit(name=op.s.name, op=op, shape=shape, drive=drives.spread(op.drive, shape), T=T, **form)


def _sample_categorical(op: thermo.SampleCategorical, drives: Drives, dt: float) -> Iterator[Unit]:
    shape = op.s.shape
    T = _temperature(op, drives, shape)
    yield NoisyUnit(name=op.s.name, op=op, shape=shape, drive=drives.of(op.x), T=T, stream=op.stream, categorical=True)


def _gibbs(op: Any, drives: Drives, dt: float) -> Iterator[Unit]:
    """Colour by colour, a tick of the chip each: what a unit reads of the others is a synapse old, and they held."""
    n = op.s.size
    if op.draws != "unit":
        notes = [f"its units share random words: draws = {op.draws!r}"]
        raise error("T301", f"{op.opname} has no form here", where=op.location, notes=notes, hint='take draws="unit"')
    own = op.s if isinstance(op, sampling.Gibbs) else _own_state(op, drives)
    before: Any = op if isinstance(op, sampling.Gibbs) else drives.graph.producers[op.x.name]
    initial = before.initial
    factor = 2.0 if op.levels == "spin" else 1.0
    term = Term(source=op.s.name, map=couplings(op, drives.constants), delay=1)
    field = drives.spread(op.h, (n,)).plus(Drive(terms=(term,), bias=np.zeros(n)))
    colors = np.arange(n) if op.colors is None else drives.constants[op.colors.name]
    turn = np.zeros(n, np.int64) if op.order == "parallel" else np.unique(colors, return_inverse=True)[1]
    turns = int(turn.max(initial=0)) + 1
    T = _sweeps_temperature(op, drives, n)
    yield NoisyUnit(
        name=own.name,
        op=op,
        shape=(n,),
        drive=field.scaled(factor),
        T=T,
        stream=op.stream,
        levels=op.levels,
        turn=turn,
        turns=turns,
        sweeps=op.sweeps,
        initial=_flat(drives.constants[initial.name], (n,)),
        least=1,
        offset=-1 if isinstance(op, sampling.Gibbs) else turns * op.sweeps - 1,
    )


def couplings(op: Any, constants: Mapping[str, NDArray]) -> maps.Map:
    """Return the couplings of a sampled network."""
    if op.J is not None:
        return maps.of_affine(constants[op.J.name], (op.s.size,))
    values, columns, offsets = (constants[value.name] for value in (op.values, op.columns, op.offsets))
    return maps.of_rows(values, columns, offsets, op.s.size)


def _own_state(op: sampling.GibbsSweeps, drives: Drives) -> Value:
    before = drives.graph.producers[op.x.name]
    if not isinstance(before, core.Delay) or before.x.name != op.s.name or before.ticks != 1:
        notes = [f"its x is {op.x}, another value than its own s a tick before"]
        hint = "use thermo.gibbs, which keeps its state"
        raise error("T205", f"{op.opname} ({op.s}) has no Loihi form", where=op.location, notes=notes, hint=hint)
    return op.s


def _sweeps_temperature(op: Any, drives: Drives, n: int) -> NDArray | Value:
    shape = op.T.shape
    if len(shape) == 2 and shape[0] > 1:
        notes = [f"T has a row for each of {shape[0]} sweeps", "a population on the chip has one temperature a tick"]
        raise error("T205", f"{op.opname} ({op.s}) has no Loihi form", where=op.location, notes=notes)
    held = drives.constants.get(op.T.name)
    return _flat(held.reshape(-1), (n,)) if held is not None else op.T


def _temperature(op: Any, drives: Drives, shape: Shape) -> NDArray | Value:
    held = drives.constants.get(op.T.name)
    if held is not None:
        return _flat(held, shape)
    if op.T.name in drives.chip:
        notes = ["its temperature is computed on the chip", "it may be a constant, an input or a schedule"]
        raise error("T205", f"{op.opname} ({op.s}) has no Loihi form", where=op.location, notes=notes)
    return op.T


def _memory(op: thermo.Memory, drives: Drives, dt: float) -> Iterator[Unit]:
    """m' = a m + (1 - a) x / gamma + sqrt(T (1 - a^2)) z, a = exp(-gamma dt) (P25)."""
    shape, gamma = op.m.shape, _number(op, "gamma", drives)
    if np.ptp(gamma):
        notes = [f"gamma runs from {gamma.min():.6g} to {gamma.max():.6g}", "a population on the chip has one decay"]
        raise error("T205", f"{op.opname} ({op.m}) has no Loihi form", where=op.location, notes=notes)
    rate = float(gamma.flat[0])
    T = _number(op, "T", drives)
    drive = drives.spread(op.x, shape).scaled(-np.expm1(-rate * dt) / rate)
    sigma = np.sqrt(_flat(T, shape) * -np.expm1(-2 * rate * dt))
    start = _flat(_number(op, "initial", drives), shape)
    form = {"keep": float(np.exp(-rate * dt)), "sigma": sigma, "initial": start, "stream": op.stream}
    yield MemoryUnit(name=op.m.name, op=op, shape=shape, drive=drive, **form)


# ---------------------------------------------------------------------------------------------------------- numbers


def relaxation(method: str, rate: NDArray) -> tuple[NDArray, NDArray]:
    """Return what is kept of a variable over a tick, and the share of its target that is added."""
    return (1 - rate, rate) if method in ("euler", "semi_implicit") else (np.exp(-rate), -np.expm1(-rate))


def _number(op: Any, name: str, drives: Drives) -> NDArray:
    """Return an operand's numbers. Errors: T205 where they are not known when the network is compiled."""
    value = getattr(op, name)
    held = drives.constants.get(value.name)
    if held is None:
        what = f"{op.opname} ({op.results[0]}) has no Loihi form"
        raise error("T205", what, where=op.location, notes=[f"{name} ({value}) is no constant"])
    return held.astype(float)


def _flat(numbers: Any, shape: Shape) -> NDArray:
    return np.broadcast_to(np.asarray(numbers, float), shape).reshape(-1)


MAKERS: dict[type[Op], Callable[[Any, Drives, float], Iterator[Unit]]] = {
    spiking.Lif: _lif,
    spiking.If: _if,
    spiking.LifStep: _lif_step,
    spiking.CubaLif: _cuba_lif,
    spiking.CubaLi: _cuba_li,
    spiking.Li: _li,
    spiking.I: _i,
    spiking.Trace: _trace,
    spiking.TraceStep: _trace_step,
    spiking.Threshold: _threshold,
    thermo.ThermalRelu: _thermal_relu,
    thermo.FermiDirac: _fermi_dirac,
    thermo.MaxwellBoltzmann: _maxwell_boltzmann,
    thermo.SampleBinary: _sample_binary,
    thermo.SampleCategorical: _sample_categorical,
    thermo.Memory: _memory,
    sampling.Gibbs: _gibbs,
    sampling.GibbsSweeps: _gibbs,
    core.Maximum: _maximum,
    core.Cast: _cast,
    core.Tanh: _function(np.tanh, 1.0, 6.0),
    core.Exp: _function(np.exp, np.inf, np.inf),
    core.Expm1: _function(np.expm1, np.inf, np.inf),
    core.Abs: _function(np.abs, 1.0, np.inf),
    core.Sin: _function(np.sin, 1.0, np.inf),
    core.Cos: _function(np.cos, 1.0, np.inf),
}
