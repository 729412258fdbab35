"""Diffusion without end: which values are walks that no equilibrium holds, and so are not asked to mix (P29, P49)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from thermoc.ir.dialects import core, dynamics, langevin
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op

_SUMS = (core.Add, core.Sub, core.Delay)
"""Ops that hand on where a walk is, and draw it nowhere."""
_DISTANCES = (langevin.PairForce, langevin.BondForce, langevin.Bonds)
"""Ops to which only matters where particles are from each other."""


def diffusing(graph: Graph) -> frozenset[str]:
    """Return the names of the values that spread for ever, and of all that follows from them.

    Particles spread where neither a stiffness nor a force that depends on their place holds them; their velocities do
    not. Pairs and bonds hold them together, and their centre nowhere; their forces and energies have an equilibrium. A
    sum that is fed back, x' = x + noise, spreads where nothing else acts from x on x. A variable of an equation spreads
    where it acts on no rate of change, directly or through others, that leads back to it.
    """
    walks = [name for op in graph.ops for name in _walks(graph, op)]
    return frozenset(_after(graph, walks))


def _walks(graph: Graph, op: Op) -> Iterator[str]:
    if isinstance(op, langevin.Brownian | langevin.Langevin):
        x, stiff = op.results[0].name, getattr(op, "stiffness", None) is not None
        if not stiff and op.force.name not in _held_by(graph, op, x):
            yield x
    elif isinstance(op, core.Delay) and _adds_up(graph, op):
        yield op.results[0].name
    elif isinstance(op, dynamics.Sde) and any(_is_walk(op.equations, name, op.variables) for name in op.variables):
        yield op.x.name


def _held_by(graph: Graph, op: Op, x: str) -> set[str]:
    """Return the values that depend on a place within the tick or later, not counting what passes through the op."""
    return _after(graph, [x], op)


def _after(graph: Graph, names: list[str], without: Op | None = None) -> set[str]:
    """Return values and all that depend on them by more than distances, not counting what passes through an op."""
    stack, reached = list(names), set(names)
    while stack:
        for reader in graph.consumers.get(stack.pop(), ()):
            if reader is without or isinstance(reader, _DISTANCES):
                continue
            fresh = [value.name for value in reader.results if value.name not in reached]
            reached.update(fresh)
            stack += fresh
    return reached


def _adds_up(graph: Graph, op: Op) -> bool:
    """Tell whether a delay is fed back by sums alone, with at least one thing added."""
    start = op.results[0].name
    dependents = _held_by(graph, op, start)
    value, added = op.inputs[0].name, False
    while value != start:
        source = graph.producers[value]
        if not isinstance(source, _SUMS):
            return False
        if isinstance(source, core.Delay):
            value = source.inputs[0].name
            continue
        inside = [operand.name for operand in source.inputs if operand.name in dependents]
        # what stands behind a minus turns back, and two of it are more than one
        if len(inside) != 1 or (isinstance(source, core.Sub) and source.inputs[0].name not in dependents):
            return False
        value, added = inside[0], True
    return added


def _is_walk(equations: str, variable: str, variables: tuple[str, ...]) -> bool:
    """Tell whether a variable has noise behind it and acts on nothing that acts on it."""
    rates = dict(_rates(equations))
    acts = {name: {other for other in variables if _names(rates.get(name, ""), other)} for name in variables}
    stack, reached = list(acts[variable]), set(acts[variable])
    while stack:
        for other in acts[stack.pop()] - reached:
            reached.add(other)
            stack.append(other)
    # what the variable follows, itself among it or not, and whether noise is in any of it
    noisy = any("xi" in rates.get(name, "") for name in {variable, *reached})
    return noisy and variable not in reached


def _rates(equations: str) -> Iterator[tuple[str, str]]:
    for line in equations.splitlines():
        match = re.match(r"\s*d(\w+)\s*/\s*dt\s*=\s*(.*?)(:.*)?$", line)
        if match is not None:
            yield match[1], match[2]


def _names(text: str, name: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\b", text) is not None
