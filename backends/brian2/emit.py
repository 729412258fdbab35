"""A lowered graph as a model: its ops become tasks, the tasks find their order, the statements their text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from thermoc.backends.brian2.expressions import atom
from thermoc.backends.brian2.model import (
    ClearStep,
    Connection,
    Group,
    OutputRecord,
    SimulationModel,
    StatementBlock,
    Step,
    UnitStep,
)
from thermoc.backends.brian2.parameters import apart
from thermoc.backends.brian2.schedule import Task, ordered
from thermoc.backends.brian2.tasks import TASKS, Statement, TickPlan
from thermoc.ir.dialects.core import Output, Probe
from thermoc.ir.feed import is_temperature
from thermoc.ir.graph import Graph
from thermoc.ir.values import Value

WIDE = 60
"""An expression longer than this gets a name of its own."""


def emit(graph: Graph, noise: str) -> SimulationModel:
    """Return the model of a graph that holds the target's ops alone. Errors: T301."""
    graph, parameters = apart(graph)
    plan, only = TickPlan(graph, noise), probed_only(graph)
    for op in graph.order:
        if type(op) in TASKS and op.results[0].name not in plan.dissolved:
            plan.only = only.get(op.results[0].name, frozenset())
            TASKS[type(op)](op, plan)
    for op in graph.of(Output):
        root = plan.views.view(op.x).root
        if root not in plan.spikes:
            plan.place(root)
    blocks = ordered(plan.tasks)
    _keep(plan, blocks)
    steps: list[Step] = [step for tasks in blocks for step in _steps(plan, tasks)]
    # Before any state moves on: an output is that of this tick.
    steps += [_record(plan, op) for op in graph.of(Output)]
    _say_spikes(plan)
    steps = _delayed(steps)
    # copies before shifts: a delay that reads another delay must see its number of this tick
    steps += [*_gathered(plan.copies), *_gathered(plan.shifts), *plan.late]
    steps += _cleared(plan)
    groups = {id(group): group for group in plan.groups.values()}
    return SimulationModel(
        name=graph.name,
        dt=graph.dt,
        groups=tuple(groups.values()),
        steps=tuple(steps),
        states=tuple(plan.states),
        probes=tuple(op.name for op in graph.of(Probe)),
        inputs={name: op.shape for name, op in graph.inputs.items()},
        temperatures=tuple(name for name, op in graph.inputs.items() if is_temperature(graph, op)),
        parameters=parameters,
    )


def _keep(plan: TickPlan, blocks: list[list[Task]]) -> None:
    """Make a variable of every value that is read in another block than its own."""
    home = {name: number for number, tasks in enumerate(blocks) for task in tasks for name in task.writes}
    for number, tasks in enumerate(blocks):
        for task in tasks:
            if isinstance(task.what, Statement):
                for operand in task.what.operands:
                    # What a block computes without declaring it is local to the block.
                    if operand.beside and home.get(operand.beside) != number:
                        plan.place(operand.beside)


def _steps(plan: TickPlan, tasks: list[Task]) -> list[Step]:
    if not isinstance(tasks[0].what, Statement):
        return [] if tasks[0].what is None else [replace(tasks[0].what, only=_only(tasks[0]))]
    uses = Counter(item.beside for task in tasks for item in task.what.operands)
    spelt: dict[str, str] = {}
    lines: list[str] = []
    for task in tasks:
        statement: Statement = task.what
        texts = [item.text or spelt.get(item.beside, plan.name(item.beside)) for item in statement.operands]
        text = statement.write(statement.op, *texts)
        if statement.root in plan.kept:
            lines.append(f"{plan.place(statement.root)} = {text}")
        # Spelt where it is read; read twice it would be computed twice.
        elif uses[statement.root] == 1 and len(text) <= WIDE:
            spelt[statement.root] = atom(text)
        elif uses[statement.root]:
            lines.append(f"{plan.name(statement.root)} = {text}")
    group, only = plan.group(tasks[0].writes[0]), tasks[0].only
    return [StatementBlock(group=group, lines=tuple(lines), only=only)] if lines else []


def _only(task: Task) -> frozenset[str]:
    # What is on its way in the queue of a delay is a state, wanted or not.
    return frozenset() if isinstance(task.what, Connection) and task.what.queue else task.only


def _delayed(steps: list[Step]) -> list[Step]:
    """Shorten by one tick the delay of synapses that look for spikes before the tick's own have come."""
    fired = {id(step.group): number for number, step in enumerate(steps) if isinstance(step, UnitStep)}
    return [
        replace(step, delay=step.delay - 1)
        if isinstance(step, Connection) and step.delay and number < fired[id(step.source)]
        else step
        for number, step in enumerate(steps)
    ]


def _record(plan: TickPlan, op: Output) -> OutputRecord:
    view, kind = plan.views.view(op.x), plan.types[op.x.name]
    variable = plan.name(view.root) if view.root in plan.kept else ""
    group = plan.group(view.root)
    return OutputRecord(
        name=op.name,
        group=group,
        variable=variable,
        places=view.places,
        shape=kind.shape,
        dtype=kind.dtype.numpy,
        only=frozenset({op.name} if isinstance(op, Probe) else ()),
    )


def _say_spikes(plan: TickPlan) -> None:
    """Where spikes are read as numbers, the reset sets them, and the end of the tick clears them."""
    for root in sorted(plan.spikes & plan.kept):
        group = plan.group(root)
        if group.dynamics is not None:
            name, reset = plan.place(root), group.dynamics.reset
            group.dynamics = replace(group.dynamics, reset=f"{reset}; {name} = 1" if reset else f"{name} = 1")
            plan.clears.append((group, name, frozenset()))


def _cleared(plan: TickPlan) -> list[ClearStep]:
    """Return one step a group, and one for each set of probes that alone need it."""
    by_group: dict[tuple[int, frozenset[str]], tuple[Group, list[str]]] = {}
    for group, name, only in plan.clears:
        by_group.setdefault((id(group), only), (group, []))[1].append(name)
    return [
        ClearStep(group=group, variables=tuple(dict.fromkeys(names)), only=only)
        for (_, only), (group, names) in by_group.items()
    ]


def _gathered(lines: Iterable[tuple[Group, str]]) -> list[StatementBlock]:
    """Return one block a group."""
    by_group: dict[int, tuple[Group, list[str]]] = {}
    for group, line in lines:
        by_group.setdefault(id(group), (group, []))[1].append(line)
    return [StatementBlock(group=group, lines=tuple(dict.fromkeys(texts))) for group, texts in by_group.values()]


def probed_only(graph: Graph) -> dict[str, frozenset[str]]:
    """Return the values that no state and no output needs, with the probes that do."""

    def above(values: Iterable[Value]) -> set[str]:
        """Return the names of values and of all that they are computed from."""
        visited: set[str] = set()
        waiting = list(values)
        while waiting:
            value = waiting.pop()
            if value.name not in visited:
                visited.add(value.name)
                waiting += graph.producers[value.name].inputs
        return visited

    stateful = [op for op in graph.ops if op.states()]
    outputs = [op for op in graph.of(Output) if not isinstance(op, Probe)]
    always = above(value for op in (*stateful, *outputs) for value in op.inputs)
    always |= {value.name for op in stateful for value in op.results}
    needed = {probe.name: above([probe.x]) - always for probe in graph.of(Probe)}
    names = set[str]().union(*needed.values())
    return {name: frozenset(probe for probe, values in needed.items() if name in values) for name in names}
