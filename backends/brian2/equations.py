"""Units by equations as Brian2 gets them: their own lines, its integrator, its threshold and reset.

Where Brian2's method of a name is another, or may not solve them, the step is written in core ops as on every target.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from thermoc.backends.brian2 import expressions
from thermoc.backends.brian2.model import UnitStep
from thermoc.backends.brian2.populations import row_of
from thermoc.backends.brian2.units import Dynamics
from thermoc.ir.dialects import core, dynamics, thermo
from thermoc.ir.dialects.spiking import held_ticks
from thermoc.ir.element_indices import MOVES, moved
from thermoc.ir.equations.expressions import Expression
from thermoc.ir.equations.reading import numbers_of, system_of
from thermoc.ir.equations.symbolic import analysis
from thermoc.ir.equations.system import System
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.values import Value

EQUATIONS = (dynamics.Ode, dynamics.Sde)
METHODS = {"exact": "exact", "euler": "euler", "exponential_euler": "exponential_euler", "rk2": "rk2", "rk4": "rk4"}
"""Methods that are Brian2's of the same name. Its heun and milstein of noise are other steps than ours."""
UNKNOWN = re.compile(r"\b(min|max|where)\(")
"""Functions that Brian2 has not."""


def as_they_are(op: Op, graph: Graph) -> bool:
    """Tell whether Brian2 integrates these equations by the op's own method."""
    if not isinstance(op, EQUATIONS) or op.method not in METHODS or not _rows_alone(op, graph):
        return False
    if not isinstance(graph.producers[op.initial.name], core.Constant):
        return False
    if UNKNOWN.search(f"{op.equations} {op.threshold} {op.reset}") or not (
        op.threshold or not graph.consumers[op.s.name]
    ):
        return False
    held_ticks(op, graph.dt)
    return _alike(op, system_of(op))


def _rows_alone(op: dynamics.Ode, graph: Graph) -> bool:
    """Tell whether each reader takes elements of one variable: a variable is one of a group."""
    size = op.s.size
    for reader in graph.consumers[op.x.name]:
        if type(reader) not in MOVES:
            return False
        rows = moved(reader).reshape(-1) // max(size, 1)
        if not size or not len(rows) or (rows != rows[0]).any():
            return False
    return True


def _alike(op: dynamics.Ode, system: System) -> bool:
    """Tell whether Brian2's step of these equations is ours."""
    if system.timed or (op.noisy and op.method != "euler"):
        return False
    # What a refractory unit keeps is held within Brian2's stages, and after ours.
    if op.refractory and op.method in ("rk2", "rk4"):
        return False
    if op.method not in ("exact", "exponential_euler"):
        return True
    diagonal = all((i, i) in analysis(system).jacobian for i in range(len(system.variables)))
    # Brian2's solution divides by the rates, and of variables that drive each other by their differences.
    return diagonal and (op.method != "exact" or analysis(system).diagonal)


def task(op: Any, plan: Any) -> None:
    """The group's equations, in the names that the script has for theirs."""
    system, group = system_of(op), plan.group(op.s.name)
    reads: list[str] = []
    roots = [row_of(op.x, k) for k in range(len(system.variables))]
    names: dict[str, str] = {}
    for root, name in zip(roots, system.variables):
        plan.named(root, name)
        names[name] = plan.name(root)
        plan.kept.add(root)
    names |= {line.name: plan.names.variable(line.name) for line in system.derived}
    names |= dict(_given(op, plan, reads))
    names |= dict(_noises(op, system, plan, reads))
    clause = " (unless refractory)" if op.refractory else ""
    lines = [f"{names[line.name]} = {_text(line.expression, names)} : 1" for line in system.derived]
    lines += [
        f"d{names[name]}/dt = ({_text(line.expression, names)}) / unit_time : 1{clause if line.held else ''}"
        for name, line in system.slopes.items()
    ]
    group.dynamics = Dynamics(
        equations=tuple(lines),
        method=METHODS[op.method],
        threshold="" if system.threshold is None else _text(system.threshold, names),
        reset="; ".join(f"{names[a.name]} {a.operator}= {_text(a.expression, names)}" for a in system.reset),
        # Brian2 counts the tick of the spike.
        refractory=f"{op.refractory!r} * TIME + DT" if op.refractory else "",
    )
    _states(op, plan, roots, names)
    plan.alone(UnitStep(group=group), (op.s.name, *roots), *reads)


def _given(op: Any, plan: Any, reads: list[str]) -> Iterator[tuple[str, str]]:
    """Yield what each given name is in the script: a constant of the group, or a variable."""
    group = plan.group(op.s.name)
    for name, number in numbers_of(op).items():
        constant = plan.names.variable(name)
        group.constants[constant] = expressions.number(number)
        yield name, constant
    for name, value in zip(op.names, op.given):
        operand = plan.operand(value, op.s.shape, group)
        if operand.beside or operand.apart:
            reads.append(operand.beside or operand.apart)
            yield name, plan.place(operand.beside) if operand.beside else operand.text
        elif operand.text in group.variables:
            yield name, operand.text
        else:
            constant = plan.names.variable(name)
            group.constants[constant] = operand.text
            yield name, constant


def _noises(op: Any, system: System, plan: Any, reads: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the variables that hold each noise for a tick: z / sqrt(dt), of which Euler's step makes sqrt(dt) z."""
    group = plan.group(op.s.name)
    for draw, name in enumerate(system.noises):
        root = f"{op.s.name}.{name}"
        plan.beside(root, op.s.name)
        if plan.noise == "counter":
            plan.noisy(group)
        normal = thermo.Normal(shape=op.s.shape, stream=op.stream, draw=draw, z=Value(root, op.s.inferred))
        z = expressions.expression(normal, (), plan.noise)
        root_dt = expressions.number(plan.graph.dt**0.5)
        plan.statement(root, op, [], lambda op, z=z, root_dt=root_dt: f"{z} / {root_dt}")
        plan.place(root)
        reads.append(root)
        yield name, plan.name(root)


def _text(expression: Expression | None, names: Mapping[str, str]) -> str:
    """Return an expression as it was written, with the names that the script has."""
    if expression is None:
        return ""
    text = expression.text
    for node in reversed(expression.names):
        text = text[: node.col_offset] + names.get(node.id, node.id) + text[node.end_col_offset :]
    return text


def _states(op: Any, plan: Any, roots: list[str], names: Mapping[str, str]) -> None:
    group, variables = plan.group(op.s.name), [names[name] for name in system_of(op).variables]
    start = np.broadcast_to(plan.views.numbers(op.initial), op.x.shape).reshape(len(roots), -1)
    for variable, row in zip(variables, start):
        group.initial[variable] = row[0].item() if (row == row[0]).all() else row
    # The variables one after another are the state's first axis, as the ages of a delay are.
    name = op.s.name
    plan.holds(f"{name}.x", roots[0], variables, ring=True)
    if op.refractory:
        plan.holds(f"{name}.held", roots[0], (), refractory=held_ticks(op, plan.graph.dt))
