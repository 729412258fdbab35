"""What runs on the chip, what stays with the host: read off the kinds of ops and the way data takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from numpy.typing import NDArray

from thermoc.ir.dialects import core, heat, sampling, spiking, thermo
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.places import MOVES
from thermoc.ir.types import Role
from thermoc.support.errors import Finding, ThermocError

HEAVY = (core.Affine, core.SparseAffine, core.Conv, core.Pool, core.Matmul)
UNITS = (
    spiking.Lif,
    spiking.If,
    spiking.CubaLif,
    spiking.CubaLi,
    spiking.Li,
    spiking.I,
    spiking.Trace,
    spiking.LifStep,
    spiking.TraceStep,
    spiking.Threshold,
    thermo.ThermalRelu,
    thermo.FermiDirac,
    thermo.MaxwellBoltzmann,
    thermo.SampleBinary,
    thermo.SampleCategorical,
    thermo.Memory,
    sampling.Gibbs,
    sampling.GibbsSweeps,
)
ACTIVATIONS = (
    thermo.ThermalRelu,
    thermo.FermiDirac,
    thermo.MaxwellBoltzmann,
    thermo.SampleBinary,
    thermo.SampleCategorical,
)
"""Without state: where they come last, behind an op of the host, the host does them too."""
CURVES = (core.Tanh, core.Exp, core.Abs, core.Sin, core.Cos, core.Expm1)
"""Functions of one number: units with a table, where they stand between others."""
LIGHT = (core.Add, core.Sub, core.Neg, core.Mul, core.Div, core.Concat, core.Delay, spiking.Scale, *MOVES)
BETWEEN = (*LIGHT, *CURVES, core.Maximum, core.Greater, core.GreaterEqual, core.Less, core.LessEqual, core.Cast)
"""Ops that go on the chip where both their source and their reader are there."""
HEATED = tuple(kind for kind in vars(heat).values() if isinstance(kind, type) and issubclass(kind, Op) and kind.opname)


@dataclass(frozen=True, kw_only=True)
class Regions:
    """Names of the values that are computed on the chip, and the graph's constants."""

    chip: frozenset[str]
    constants: Mapping[str, NDArray]


def regions(graph: Graph) -> Regions:
    """Return what goes on the chip. Errors: T205 for each op of the host between two of the chip."""
    constants = {op.y.name: op.value.numpy for op in graph.of(core.Constant)}
    fixed = [op for op in graph.ops if _fixed(op, constants)]
    while True:
        seeds = {value.name for op in fixed for value in op.results}
        chip = seeds | _between(graph, seeds, constants)
        late = _late(graph, chip, fixed)
        if not late:
            break
        fixed = [op for op in fixed if id(op) not in late]
    found = list(_misplaced(graph, chip))
    if found:
        raise ThermocError(found)
    return Regions(chip=frozenset(chip), constants=constants)


def _late(graph: Graph, chip: set[str], fixed: Iterable[Op]) -> set[int]:
    """Return the ids of activations that follow an op of the host behind the chip, and feed the host alone: its own."""
    host = [op for op in graph.ops if op.results and not any(value.name in chip for value in op.results)]
    behind = _spread(chip, host, forward=True)
    leading = _spread(set(), host, forward=False, start=_read_by(graph, chip)) | _read_by(graph, chip)
    return {
        id(op)
        for op in fixed
        if isinstance(op, ACTIVATIONS)
        and any(value.name in behind for value in op.inputs)
        and not any(value.name in leading for value in op.results)
    }


def _fixed(op: Op, constants: Mapping[str, NDArray]) -> bool:
    """Tell whether an op belongs on the chip wherever it stands."""
    if isinstance(op, UNITS):
        return True
    if isinstance(op, core.Pool):
        return op.kind != "max"
    if isinstance(op, core.Matmul):
        return (op.a.name in constants) != (op.b.name in constants)
    if isinstance(op, HEAVY):
        return all(value.name in constants for name, value in op.operand_values if name != "x")
    return False


def _between(graph: Graph, seeds: set[str], constants: Mapping[str, NDArray]) -> set[str]:
    """Return the values of ops that stand between others of the chip and can be there."""
    able = [op for op in graph.ops if isinstance(op, BETWEEN) and _able(op, constants)]
    fed = _spread(seeds, able, forward=True)
    leads = _spread(set(), able, forward=False, start=_read_by(graph, seeds))
    return fed & leads


def _able(op: Op, constants: Mapping[str, NDArray]) -> bool:
    if isinstance(op, core.Mul | core.Div):
        a, b = (value.name in constants for value in op.inputs)
        return b or (a and isinstance(op, core.Mul))
    if isinstance(op, core.Maximum):
        return any(value.name in constants for value in op.inputs)
    if isinstance(op, core.Delay):
        return op.initial.name in constants
    if isinstance(op, spiking.Scale):
        return op.s.name in constants
    return True


def _read_by(graph: Graph, names: set[str]) -> set[str]:
    return {v.name for op in graph.ops if any(r.name in names for r in op.results) for v in op.inputs}


def _spread(reached: set[str], ops: Iterable[Op], *, forward: bool, start: Iterable[str] = ()) -> set[str]:
    """Return the results of the ops reached from values, along or against the data's way, through these ops alone."""
    live, made, ops = set(reached) | set(start), set[str](), list(ops)
    while True:
        fresh = set[str]()
        for op in ops:
            results = {value.name for value in op.results}
            inputs = {value.name for value in op.inputs}
            if not results <= made and (inputs if forward else results) & live:
                made |= results
                fresh |= results if forward else inputs
        if not fresh:
            return made
        live |= fresh


def _misplaced(graph: Graph, chip: set[str]) -> Iterable[Finding]:
    """Yield ops of the host that the chip feeds and that feed the chip."""
    host = [op for op in graph.ops if op.results and not any(value.name in chip for value in op.results)]
    behind = _spread(chip, host, forward=True)
    leading = _spread(set(), host, forward=False, start=_read_by(graph, chip))
    for op in host:
        if any(value.name in behind & leading for value in op.results):
            yield Finding(
                code="T205",
                what=f"{op.opname} ({op.results[0]}) has no Loihi form",
                where=op.location,
                notes=(_reason(op), "the host's ops stand before all of the chip's, or after them"),
                hint="leave it to the end of the network, or choose another target",
            )


def _reason(op: Op) -> str:
    if isinstance(op, HEATED):
        return "temperatures that the network heats are the host's: a synapse carries no heat"
    if isinstance(op, spiking.Decode):
        return "a mean over all ticks needs a division by their number"
    if isinstance(op, thermo.Boltzmann):
        return "its sum over all units is the host's; thermo.sample_categorical draws from it on the chip"
    if op.results[0].type is not None and op.results[0].type.role is Role.temperature:
        return "a temperature on the chip is a constant or a schedule"
    return "it stands between two parts of the network that are on the chip"
