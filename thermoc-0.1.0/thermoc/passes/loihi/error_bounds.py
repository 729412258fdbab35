"""How far integers may be from the network's numbers: population by population, then through the host."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects import core, spiking, thermo
from thermoc.ir.graph import Graph
from thermoc.ir.places import MOVES
from thermoc.passes.analysis.sampling_error import SamplingError, through
from thermoc.passes.loihi.scales import FRACTION, Design, Source, farthest
from thermoc.passes.loihi.units import CurveUnit, GradedUnit, LifUnit, MemoryUnit, NoisyUnit

Errors = dict[str, NDArray]
LOGIT = 0.0115
"""The most a logit of the chip is off (``loihi.fermi_dirac``)."""
ROUNDS = 12
LINEAR = (
    core.Affine,
    core.SparseAffine,
    core.Conv,
    core.Neg,
    core.Add,
    core.Sub,
    core.Mul,
    core.Div,
    core.Concat,
    spiking.Scale,
    *MOVES,
)


def of_populations(designs: Sequence[Design], sources: Mapping[str, Source], hosts: Mapping[str, float]) -> Errors:
    """Return a bound on the error of what each population sends, in the network's units.

    hosts: the rounding of each host value. A spike is off by at most 1, by nothing where every number behind it is
    exact. Loops are gone round until nothing changes; what still grows has no bound.
    """
    errors: Errors = {name: np.full(len(sources[name].real), off) for name, off in hosts.items()}
    errors |= {design.unit.name: np.zeros(design.unit.size) for design in designs}
    for number in range(ROUNDS + len(designs)):
        moved = False
        for design in designs:
            fresh = np.maximum(_sent(design, sources, errors), errors[design.unit.name])
            if (fresh > errors[design.unit.name]).any():
                moved = True
                errors[design.unit.name] = np.full_like(fresh, np.inf) if number >= ROUNDS + len(designs) - 2 else fresh
        if not moved:
            break
    return errors


def of_drive(design: Design, sources: Mapping[str, Source], errors: Errors) -> NDArray:
    """Return how far a tick's drive may be off, flat: weights, what they receive, shifts, the bias."""
    unit, scale = design.unit, design.scale
    if isinstance(unit, LifUnit):
        total = np.abs(design.bias * 2.0 ** design.numbers["bias_exp"] / (scale * FRACTION) - unit.drive.bias)
    else:
        half = ((1 << design.numbers["shift"]) >> 1) if isinstance(unit, GradedUnit) else 0
        total = np.abs((design.bias - half) / scale - unit.drive.bias)
    total = np.where(total < 1e-12 * np.abs(unit.drive.bias), 0.0, total)
    for term, weights in zip(unit.drive.terms, design.weights):
        source = sources[term.source]
        real = weights.real * source.scale / scale
        off = np.abs(real - term.map.weights)
        off = np.where(off < 1e-12 * np.abs(real), 0.0, off)
        total = total + term.map.with_weights(off).apply(source.real)
        total = total + weights.floors / scale
        error = errors[term.source]
        if not np.isfinite(error).all():
            return np.full(unit.size, np.inf)
        total = total + term.map.with_weights(np.abs(real)).apply(error)
    return total


def _sent(design: Design, sources: Mapping[str, Source], errors: Errors) -> NDArray:
    unit, drive = design.unit, of_drive(design, sources, errors)
    if isinstance(unit, GradedUnit):
        return drive + (0.5 / design.sent if design.numbers["shift"] else 0.0)
    if isinstance(unit, CurveUnit):
        return curve_error(unit, design, drive)
    if isinstance(unit, LifUnit):
        return np.where(drive + _lif(unit, design) > 0, 1.0, 0.0)
    if isinstance(unit, NoisyUnit):
        return np.full(unit.size, 2.0 if unit.levels == "spin" else 1.0)
    assert isinstance(unit, MemoryUnit)
    return _memory(unit, design, sources, drive)


def curve_error(unit: CurveUnit, design: Design, drive: NDArray) -> NDArray:
    """Return how far a curve's value may be off: half a step of the table, the drive's own error, the rounding of an
    entry, and the curve beyond the table."""
    table, width = design.numbers["table"], design.numbers["width"]
    steepness = unit.steepness
    far = width * len(table) / 2
    if math.isinf(steepness):
        steepness = float(np.abs(np.diff(unit.curve(np.linspace(-far, far, 4097)))).max()) * 4096 / (2 * far)
    beyond = 0.0
    if math.isfinite(unit.edge) and far >= unit.edge:
        ends = np.array([-1e3, 1e3])
        with np.errstate(over="ignore"):
            beyond = float(np.abs(unit.curve(ends) - unit.curve(np.sign(ends) * unit.edge)).max())
    whole = float(np.ptp(table)) / design.sent
    return np.minimum(steepness * (drive + width / 2), whole) + 0.5 / design.sent + beyond


def _lif(unit: LifUnit, design: Design) -> float:
    """Return by how much threshold and decays are off; truncation of a decay counts as one."""
    n, scale = design.numbers, design.scale
    off = abs(n["vth"] / scale - unit.threshold)
    off = off if off > 1e-12 * unit.threshold else 0.0
    exact = np.isin(n["dv"], (0, 4096)).all() and (n["du"] == 4095).all()
    kept = np.abs((4096 - n["dv"]) / 4096 - unit.keep).max() + np.abs((4095 - n["du"]) / 4096 - unit.fall).max()
    return off + float(kept) + (0.0 if exact else 1 / (scale * FRACTION))


def _memory(unit: MemoryUnit, design: Design, sources: Mapping[str, Source], drive: NDArray) -> NDArray:
    """A tick's error over what leaks in a tick; with noise, whose normal is the chip's own, there is no bound."""
    if np.any(design.numbers["sigma"]):
        return np.full(unit.size, np.inf)
    keep = (4096 - design.numbers["dm"]) / 4096
    off = abs(keep - unit.keep) * farthest(unit, sources)
    floors = (keep not in (0.0, 1.0)) + (design.numbers["gain"] % 4096 != 0)
    each = drive + off + floors / design.sent
    start = np.abs(design.numbers["initial"] / design.sent - unit.initial)
    if not each.any():
        return start
    return start + each / (1 - keep) if keep < 1 else np.full(unit.size, np.inf)


def through_host(graph: Graph, errors: Errors) -> dict[str, float]:
    """Return a bound on the error of each output. errors: of the values the chip hands to the host."""
    constants = {op.y.name: op.value.numpy for op in graph.of(core.Constant)}
    found: Errors = dict(errors)
    for op in graph.order:
        if op.results and op.results[0].name not in found:
            for value in op.results:
                found[value.name] = np.broadcast_to(_host(op, found, constants), value.shape)
    return {name: float(found[op.x.name].max(initial=0.0)) for name, op in graph.outputs.items()}


def _host(op: Any, found: Errors, constants: Mapping[str, NDArray]) -> Any:
    inputs = {value.name: found[value.name] for value in op.inputs if value.name in found and found[value.name].any()}
    if not inputs:
        return 0.0
    most = max(float(array.max(initial=0.0)) for array in inputs.values())
    if not math.isfinite(most):
        return np.inf
    fixed = all(value.name in constants for value in op.inputs if value.name not in inputs)
    if isinstance(op, LINEAR) and (fixed or isinstance(op, core.Add | core.Sub | core.Concat)):
        parts = {name: SamplingError(noise=np.zeros_like(array), drift=array) for name, array in inputs.items()}
        return through(op, parts, dict(constants)).drift
    if isinstance(op, spiking.Decode | core.Tanh | core.Abs | core.Maximum | core.Minimum | core.Cast | core.Pool):
        return most * (math.prod(op.window) if isinstance(op, core.Pool) and op.kind == "sum" else 1)
    if isinstance(op, thermo.Boltzmann) and op.T.name in constants:
        return min(1.0, most / (2 * float(constants[op.T.name].min())))
    if isinstance(op, thermo.ThermalRelu) and op.T.name not in inputs:
        return most
    if isinstance(op, core.Delay) and op.x.name in inputs:
        return most
    return np.inf


def noise_bound(T: float, spread: float) -> str:
    """Return in words how far a probability of a p-bit may be off."""
    return f"probability off by at most {0.25 * (spread / T + LOGIT):.3g}" if math.isfinite(spread) else "no bound"
