"""Regions of a network: what runs on Loihi, what stays with the host, by the kinds of ops and the way data takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import networkx

from thermoc.ir.dialects import core, diffusive, heat, sampling, spiking, thermo
from thermoc.ir.element_indices import MOVES
from thermoc.ir.graph import Graph
from thermoc.ir.ops import STATEFUL, STOCHASTIC, Op
from thermoc.ir.values import Value
from thermoc.support.array_types import AnyArray
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
    heat.HeatNetwork,
    thermo.Schedule,
    diffusive.OuNetwork,
)
ACTIVATIONS = (
    thermo.ThermalRelu,
    thermo.FermiDirac,
    thermo.MaxwellBoltzmann,
    thermo.SampleBinary,
    thermo.SampleCategorical,
)
"""Without state: where they come last, behind an op of the host, the host does them too."""
CURVES = (core.Tanh, core.Exp, core.Abs, core.Sin, core.Cos, core.Expm1, thermo.Boltzmann)
"""Functions of one number, and probabilities: units with a table, where they stand between others."""
LIGHT = (core.Add, core.Sub, core.Neg, core.Mul, core.Div, core.Concat, core.Delay, spiking.Scale, *MOVES)
EXTREMA = (core.Maximum, core.Minimum)
BETWEEN = (*LIGHT, *CURVES, *EXTREMA, core.Greater, core.GreaterEqual, core.Less, core.LessEqual, core.Cast)
"""Ops that go on Loihi where both their source and their reader are there."""
TIMED = frozenset({STATEFUL, STOCHASTIC})
"""Traits of ops that must know the network's tick."""
HEATED = tuple(kind for kind in vars(heat).values() if isinstance(kind, type) and issubclass(kind, Op) and kind.opname)


@dataclass(frozen=True, kw_only=True)
class Regions:
    """Names of the values that are computed on Loihi, and the graph's constants."""

    on_loihi: frozenset[str]
    constants: Mapping[str, AnyArray]
    between: frozenset[str] = frozenset()
    """What the host computes between two parts of Loihi: from what one says, for another."""

    def holds(self, op: Op) -> bool:
        """Tell whether an op goes on Loihi."""
        return any(value.name in self.on_loihi for value in op.results)


def regions(graph: Graph) -> Regions:
    """Return what goes on Loihi. Errors: T205 for each op of the host between two of Loihi that keeps a state.

    Starts from what belongs there wherever it stands, and takes activations away until none is left that the host
    would have to hand back to.
    """
    constants = {op.y.name: op.value.numpy for op in graph.of(core.Constant)}
    stepped = _stepped(graph, constants)
    fixed = [op for op in graph.ops if _fixed(op, constants) and _own_state(op, graph) and not _in(op, stepped)]
    while True:
        seeds = {value.name for op in fixed for value in op.results}
        on_loihi = seeds | _between(graph, seeds, constants, stepped)
        trailing = _trailing(graph, on_loihi, fixed) | _relaxing(graph, on_loihi, fixed)
        if not trailing:
            break
        fixed = [op for op in fixed if id(op) not in trailing]
    between = list(_host_between(graph, on_loihi))
    findings = [_misplaced(op) for op in between if not op.traits.isdisjoint(TIMED)]
    if findings:
        raise ThermocError(findings)
    names = frozenset(value.name for op in between for value in op.results)
    return Regions(on_loihi=frozenset(on_loihi), constants=constants, between=names)


def _trailing(graph: Graph, on_loihi: set[str], fixed: Iterable[Op]) -> set[int]:
    """Return the ids of activations that follow an op of the host behind Loihi, and feed the host alone: its own."""
    host = [op for op in graph.ops if op.results and not any(value.name in on_loihi for value in op.results)]
    downstream = _spread(on_loihi, host, forward=True)
    read = _read_by(graph, on_loihi)
    upstream = _spread(set(), host, forward=False, start=read) | read
    return {
        id(op)
        for op in fixed
        if isinstance(op, ACTIVATIONS)
        and any(value.name in downstream for value in op.inputs)
        and not any(value.name in upstream for value in op.results)
    }


def _relaxing(graph: Graph, on_loihi: set[str], fixed: Iterable[Op]) -> set[int]:
    """Return the ids of schedules that the host reads, and of OU networks whose temperature is computed on Loihi.

    The host has a schedule's clock itself; and no unit of Loihi takes the root that the noise of a temperature needs.
    """
    ends, there = (core.Output, core.Probe), frozenset(on_loihi)
    of_host = set[int]()
    for op in fixed:
        if isinstance(op, thermo.Schedule):
            readers = graph.consumers.get(op.T.name, ())
            heard = [isinstance(r, ends) or (_in(r, there) and not _deafened(r, op.T)) for r in readers]
            of_host |= set() if all(heard) else {id(op)}
        elif isinstance(op, diffusive.OuNetwork) and op.T.name in on_loihi:
            of_host |= {id(op)} if not isinstance(graph.producers[op.T.name], thermo.Schedule) else set()
    return of_host


def _deafened(reader: Op, T: Value) -> bool:
    return isinstance(reader, diffusive.OuNetwork) and reader.T.name == T.name


def _fixed(op: Op, constants: Mapping[str, AnyArray]) -> bool:
    """Tell whether an op belongs on Loihi wherever it stands."""
    if isinstance(op, thermo.FermiDirac | thermo.MaxwellBoltzmann):
        # A table has one temperature: where that is computed, the host computes the curve too.
        return op.T.name in constants
    if isinstance(op, thermo.Schedule):
        return op.kind != "power"
    if isinstance(op, UNITS):
        return True
    if isinstance(op, core.Pool):
        # Dendrites of Loihi sum: a maximum over a window is no synapse.
        return op.kind != "max"
    if isinstance(op, core.Matmul):
        # A product of two computed values is no synapse, for weights are fixed.
        return (op.a.name in constants) != (op.b.name in constants)
    if isinstance(op, HEAVY):
        return all(value.name in constants for name, value in op.operand_values if name != "x")
    return False


def _own_state(op: Op, graph: Graph) -> bool:
    """Tell whether sweeps begin where those of the tick before ended: units of Loihi keep that, and nothing else."""
    if not isinstance(op, sampling.GibbsSweeps):
        return True
    before = graph.producers[op.x.name]
    return isinstance(before, core.Delay) and before.x.name == op.s.name and before.ticks == 1


def _stepped(graph: Graph, constants: Mapping[str, AnyArray]) -> frozenset[str]:
    """Return the values of loops without a unit, steps of an equation, and of linear maps of them: the host's."""
    if not any(isinstance(op, core.Delay) for op in graph.ops):
        return frozenset()
    stepped: set[str] = set()
    reads = {value.name: op for op in graph.ops for value in op.results}
    links = networkx.DiGraph((v.name, r.name) for op in graph.ops for v in op.inputs for r in op.results)
    for component in networkx.strongly_connected_components(links):
        ops = [reads[name] for name in component]
        of_host = any(not isinstance(op, (*UNITS, *HEAVY, *BETWEEN)) or not _able(op, constants) for op in ops)
        unit = any(isinstance(op, (*CURVES, *EXTREMA, core.Cast)) for op in ops) and not of_host
        if len(component) > 1 and not unit and not any(isinstance(op, UNITS) for op in ops):
            stepped |= component
    return frozenset(stepped | _tail(graph, stepped)) if stepped else frozenset()


def _tail(graph: Graph, loops: set[str]) -> set[str]:
    """Return the values of linear maps of loops that lead to no unit: the host, who has the state, does them too."""
    linear = [op for op in graph.ops if isinstance(op, (*LIGHT, *HEAVY))]
    reached = _spread(loops, linear, forward=True)
    units = [value.name for op in graph.ops if isinstance(op, (*UNITS, *CURVES)) for value in op.inputs]
    leading = _spread(set(), graph.ops, forward=False, start=units)
    maps = [op for op in linear if isinstance(op, HEAVY)]
    return {value.name for op in maps for value in op.results if value.name in reached - leading}


def _in(op: Op, names: frozenset[str]) -> bool:
    return any(value.name in names for value in op.results)


def _between(graph: Graph, seeds: set[str], constants: Mapping[str, AnyArray], stepped: frozenset[str]) -> set[str]:
    """Return the values of ops that stand between others of Loihi and can be there."""
    able = [op for op in graph.ops if isinstance(op, BETWEEN) and _able(op, constants) and not _in(op, stepped)]
    fed = _spread(seeds, able, forward=True)
    leads = _spread(set(), able, forward=False, start=_read_by(graph, seeds))
    return fed & leads


def _able(op: Op, constants: Mapping[str, AnyArray]) -> bool:
    if isinstance(op, core.Mul | core.Div):
        a, b = (value.name in constants for value in op.inputs)
        # A division by a computed number is not linear in it.
        return b or (a and isinstance(op, core.Mul))
    if isinstance(op, EXTREMA):
        # Of whole numbers the host says which is larger: a difference of theirs is no float.
        return op.results[0].dtype.is_float
    if isinstance(op, core.Delay):
        return op.initial.name in constants
    if isinstance(op, spiking.Scale):
        return op.s.name in constants
    return True


def _read_by(graph: Graph, names: set[str]) -> set[str]:
    return {v.name for op in graph.ops if any(r.name in names for r in op.results) for v in op.inputs}


def _spread(reached: set[str], ops: Iterable[Op], *, forward: bool, start: Iterable[str] = ()) -> set[str]:
    """Return the results of the ops reached from values, along or against the data's way, through these ops alone."""
    live, results_reached, ops = set(reached) | set(start), set[str](), list(ops)
    while True:
        fresh = set[str]()
        for op in ops:
            results = {value.name for value in op.results}
            inputs = {value.name for value in op.inputs}
            if not results <= results_reached and (inputs if forward else results) & live:
                results_reached |= results
                fresh |= results if forward else inputs
        if not fresh:
            return results_reached
        live |= fresh


def _host_between(graph: Graph, on_loihi: set[str]) -> Iterable[Op]:
    """Yield ops of the host that Loihi feeds and that feed Loihi."""
    host = [op for op in graph.ops if op.results and not any(value.name in on_loihi for value in op.results)]
    downstream = _spread(on_loihi, host, forward=True)
    upstream = _spread(set(), host, forward=False, start=_read_by(graph, on_loihi))
    for op in host:
        if any(value.name in downstream & upstream for value in op.results):
            yield op


def _misplaced(op: Op) -> Finding:
    return Finding(
        code="T205",
        what=f"{op.opname} ({op.results[0]}) has no Loihi form",
        where=op.location,
        notes=(_reason(op), "between two parts of Loihi the host computes what needs no state and no noise"),
        hint="leave it to the end of the network, or choose another target",
    )


def _reason(op: Op) -> str:
    if isinstance(op, HEATED):
        return "its temperatures have no nodes on Loihi: they have noise, a ripple, or rates that are computed"
    if isinstance(op, spiking.Decode):
        return "a mean over all ticks needs a division by their number"
    return "it keeps a state, or draws noise, in ticks of the network; a process between Loihi's units has Loihi's"
