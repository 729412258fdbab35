"""What each op does in a tick: one table, op to tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.brian2 import equations, events, expressions, linear, units
from thermoc.backends.brian2.model import (
    Connection,
    Group,
    InputStep,
    StatementBlock,
    StateRecord,
    Step,
    UnitStep,
)
from thermoc.backends.brian2.parameters import ArrayElements
from thermoc.backends.brian2.registry import Operand, Registry, refusal
from thermoc.backends.brian2.schedule import Task
from thermoc.ir.dialects import core, langevin, spiking, thermo
from thermoc.ir.element_indices import reduced
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.types import DType
from thermoc.ir.values import Value

LONGEST_DELAY = 64
"""Ticks that a delay of numbers may last: each is a variable that is copied every tick."""
Write = Callable[..., str]


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A value computed unit by unit; ``write`` makes the expression of the op and its operands' texts."""

    root: str
    op: Any
    operands: tuple[Operand, ...]
    write: Write


class TickPlan(Registry):
    """The tasks of one graph, and what remains for the end of the tick: copies, shifts, late units, clearing.

    spikes: the values that are spikes of their group. queue: the delays that the queues of synapses keep. jumps: the
    terms of what each trace jumps by. riders: by group, the equations of traces that it carries. dissolved: values that
    need no task, since spikes and terms go into a trace. only: the probes that alone need the op whose tasks are added.
    """

    def __init__(self, graph: Graph, noise: str):
        super().__init__(graph)
        self.noise = noise
        self.tasks: list[Task] = []
        self.copies: list[tuple[Group, str]] = []
        self.shifts: list[tuple[Group, str]] = []
        self.clears: list[tuple[Group, str, frozenset[str]]] = []
        self.late: list[UnitStep] = []
        self.riders: dict[str, list[str]] = {}
        self.states: list[StateRecord] = []
        self.only: frozenset[str] = frozenset()
        self.spikes = frozenset(op.results[0].name for op in graph.ops if units.fires(op))
        self.queue = events.queued(graph, self.views, self.spikes)
        self.jumps: dict[str, list[Value]] = {}
        self.dissolved: set[str] = set()
        for op in graph.of(spiking.Trace):
            self.jumps[op.g.name], sums = events.terms(graph, op)
            adding = [v.name for v in self.jumps[op.g.name] if self.adds(graph.producers[v.name])]
            self.dissolved |= {*sums, *adding}

    def adds(self, op: Op) -> bool:
        """True for synapses whose spikes can add to the trace that reads them."""
        return events.adds(op, self.views, self.spikes, self.queue)

    def old(self, root: str) -> bool:
        """True for what is there before the tick: old states and constants."""
        op = self.graph.producers.get(root)
        return isinstance(op, (core.Delay, core.Constant, core.Parameter)) or type(op) in units.LATE

    def statement(self, root: str, op: Any, operands: list[Operand], write: Write) -> None:
        """Add a value that is computed unit by unit."""
        self.tasks.append(
            Task(
                what=Statement(root=root, op=op, operands=tuple(operands), write=write),
                writes=(root,),
                beside=frozenset(item.beside for item in operands if item.beside and not self.old(item.beside)),
                apart=frozenset(item.apart for item in operands if item.apart and not self.old(item.apart)),
                group=self.group(root).name,
                only=self.only,
            )
        )

    def alone(self, what: Step | None, writes: tuple[str, ...], *reads: str) -> None:
        """Add a step that stands alone. Synapses without any connection are none."""
        if isinstance(what, Connection) and not len(what.pre):
            what = None
        separate = frozenset(r for r in reads if not self.old(r))
        self.tasks.append(Task(what=what, writes=writes, apart=separate, only=self.only))

    def holds(self, name: str, root: str, variables: Sequence[str], **more: Any) -> None:
        """Note a state that the run returns."""
        kind = self.types[root]
        layout = {"shape": kind.shape, "dtype": kind.dtype.numpy}
        self.states.append(StateRecord(name=name, group=self.group(root), variables=tuple(variables), **layout | more))


def input_(op: core.Input, plan: TickPlan) -> None:
    """A variable that the run's inputs set."""
    input_step = InputStep(group=plan.group(op.y.name), variable=plan.place(op.y.name), key=op.name)
    plan.alone(input_step, (op.y.name,))


def elementwise(op: Op, plan: TickPlan) -> None:
    """A statement; a comparison that makes spikes is its group's threshold."""
    (y,) = op.results
    group = plan.group(y.name)
    if units.fires(op):
        return comparison(op, plan)
    # Ticks and draws by the counter depend on where the run stands; Brian2's own rand() does not.
    if isinstance(op, core.Tick) or (type(op) in expressions.DRAWS and plan.noise == "counter"):
        plan.noisy(group)
    operands = [plan.operand(value, plan.types[y.name].shape, group) for value in op.inputs]
    return plan.statement(y.name, op, operands, lambda op, *texts: expressions.expression(op, texts, plan.noise))


def comparison(op: Op, plan: TickPlan) -> None:
    """The threshold of a group."""
    ((x,), (s,)) = op.inputs, op.results
    group = plan.group(s.name)
    operand = plan.operand(x, plan.types[s.name].shape, group)
    text = plan.place(operand.beside) if operand.beside else operand.text
    # Without a reset: there is no membrane, and each tick compares anew.
    group.dynamics = units.Dynamics(threshold=text)
    plan.alone(UnitStep(group=group), (s.name,), *filter(None, (operand.beside, operand.apart)))


def concat(op: core.Concat, plan: TickPlan) -> None:
    """For each unit the operand it belongs to."""
    y, group = plan.types[op.y.name], plan.group(op.y.name)
    axis, start = core.axis_of(op.axis, len(y.shape)), 0
    operands, part = list[Operand](), np.zeros(y.shape)
    for number, x in enumerate(op.xs):
        shape = plan.types[x.name].shape
        # A unit reads a place of every operand and then chooses, so places are clipped: each must be there.
        along = np.clip(np.arange(y.shape[axis]) - start, 0, shape[axis] - 1)
        index = np.take(np.arange(plan.types[x.name].size).reshape(shape), along, axis=axis).reshape(-1)
        part[(slice(None),) * axis + (slice(start, start + shape[axis]),)] = number
        start += shape[axis]
        operands.append(plan.gathered(x, index, group))
    # A number, not a truth for each operand: Brian2 tries out all combinations of the truths in a statement.
    operands.append(Operand(text=plan.fixed(f"{op.y.name}_part", part, group)))

    def write(op: core.Concat, *texts: str) -> str:
        *others, text, part = texts
        for number, other in reversed([*enumerate(others)]):
            inside, outside = f"{part} < {number + 0.5}", f"{part} > {number + 0.5}"
            truth = f"({inside} and {other}) or ({outside} and {expressions.atom(text)})"
            text = truth if y.dtype is DType.bool else f"choose({inside}, {other}, {text})"
        return text

    plan.statement(op.y.name, op, operands, write)


def unit(op: Any, plan: TickPlan) -> None:
    """Differential equations; parameters that are one number become constants of the group."""
    first = op.results[0]
    group, wide = plan.group(first.name), plan.types[first.name].shape
    reads: list[str] = [push(op, plan)] if type(op) in PUSHES else []

    def at(name: str) -> str:
        if name == "push":
            return plan.place(f"{first.name}.push")
        value = getattr(op, name)
        if name in op.result_specs:
            return plan.name(value.name)
        operand = plan.operand(value, wide, group)
        if name == "x" and operand.beside and group.name in plan.riders:
            return expressions.atom(spelt(operand.beside, plan, reads))
        if operand.beside or operand.apart:
            reads.append(operand.beside or operand.apart)
            return plan.place(operand.beside) if operand.beside else operand.text
        if operand.text in group.variables:
            return operand.text
        constant = "x_constant" if name == "x" else name  # values are often called x
        if group.constants.get(constant, operand.text) != operand.text:
            constant = plan.names.variable(f"{name}_{first.name}")
        group.constants[constant] = operand.text
        return constant

    dynamics = units.UNITS[type(op)](op, at)
    if first.name in plan.views.carried:
        carried(op, dynamics, plan)
        return
    if group.name in plan.riders:  # each variable exactly, the others at their old values: x is held
        dynamics = replace(dynamics, method="exponential_euler")
    group.dynamics = replace(dynamics, equations=(*dynamics.equations, *plan.riders.get(group.name, ())))
    for state in op.states():
        if state == "held":
            ticks = spiking.held_ticks(op, plan.graph.dt)
            plan.holds(f"{first.name}.held", op.v.name, (), refractory=ticks)
        else:
            integrated(op, state, plan)
    if type(op) in units.LATE:
        plan.late.append(UnitStep(group=group))
    elif isinstance(op, spiking.Trace):
        plan.alone(UnitStep(group=group), (f"{first.name}.decayed",), *reads)
        jump(op, plan)
    else:
        plan.alone(UnitStep(group=group), tuple(value.name for value in op.results), *reads)


def spelt(root: str, plan: TickPlan, reads: list[str]) -> str:
    """Return a sum of carried traces as an expression, so that no variable need hold it; else the variable."""
    task = next((task for task in plan.tasks if task.writes == (root,) and isinstance(task.what, Statement)), None)
    if task is None or len(plan.graph.consumers[root]) > 1:
        reads.append(root)
        return plan.place(root)
    plan.tasks.remove(task)
    texts = []
    for item in task.what.operands:
        reads += [item.apart] if item.apart else []
        texts.append(expressions.atom(spelt(item.beside, plan, reads)) if item.beside else item.text)
    return task.what.write(task.what.op, *texts)


def carried(op: spiking.Trace, dynamics: units.Dynamics, plan: TickPlan) -> None:
    """A trace that the group of a unit integrates: it decays when the unit has moved, for the next tick."""
    group, name = plan.group(op.g.name), plan.name(op.g.name)
    plan.riders.setdefault(group.name, []).extend(dynamics.equations)
    plan.kept.add(op.g.name)
    tau = plan.views.numbers(op.tau)
    assert tau is not None  # ``units.carried`` has seen to it
    wide = plan.types[op.g.name].shape
    # The group integrates after the drive was read, so its variable is a decay ahead; ``scale`` takes it back.
    decay = np.broadcast_to(np.exp(-plan.graph.dt / tau), wide).reshape(-1)
    start = np.broadcast_to(plan.start(op, op.initial, wide), decay.shape) * decay
    group.initial[name] = start if start.any() else 0.0
    plan.holds(f"{op.g.name}.g", op.g.name, (name,), scale=1 / decay)
    plan.alone(None, (f"{op.g.name}.decayed",))
    jump(op, plan)


def integrated(op: Any, state: str, plan: TickPlan) -> None:
    """A variable of the equations."""
    value, start = getattr(op, state), op.i_initial if state == "i" else op.initial
    name = plan.name(value.name)
    plan.kept.add(value.name)
    plan.group(value.name).initial[name] = plan.start(op, start, plan.types[value.name].shape)
    plan.holds(f"{op.results[0].name}.{state}", value.name, (name,))


def jump(op: spiking.Trace, plan: TickPlan) -> None:
    """What a trace jumps by: spikes add to it at once, all else by a statement."""
    g, group = op.g.name, plan.group(op.g.name)
    name, reads = plan.name(g), [f"{g}.decayed"]
    lines: list[str] = []
    for value in plan.jumps[g]:
        source = plan.graph.producers[value.name]
        if plan.adds(source):
            connect(source.x, linear.terms_of(source, plan.views), value.name, plan, into=g)  # type: ignore[attr-defined]
            reads.append(value.name)
            continue
        operand = plan.operand(value, plan.types[g].shape, group)
        lines.append(f"{name} += {plan.place(operand.beside) if operand.beside else operand.text}")
        reads += filter(None, (operand.beside, operand.apart))
    plan.alone(StatementBlock(group=group, lines=tuple(lines)) if lines else None, (g,), *reads)


def push(op: Any, plan: TickPlan) -> str:
    """What drives a unit for a tick, noise included: held so long, it leaves the mean and spread of the exact step."""
    (result,) = op.results
    root, group, wide = f"{result.name}.push", plan.group(result.name), plan.types[result.name].shape
    plan.beside(root, result.name)
    if plan.noise == "counter":
        plan.noisy(group)
    # By the counter it is the block of the op's own stream: the numbers that every other target draws.
    z = expressions.expression(thermo.Normal(shape=wide, stream=op.stream, z=result), (), plan.noise)
    operands, text = PUSHES[type(op)](op, expressions.number(plan.graph.dt))

    def write(op: Any, *texts: str) -> str:
        return text.format(z=z, **dict(zip(operands, texts)))

    plan.statement(root, op, [plan.operand(getattr(op, name), wide, group) for name in operands], write)
    plan.place(root)
    return root


def memory_push(op: thermo.Memory, dt: str) -> tuple[tuple[str, ...], str]:
    """x + gamma sqrt(T / tanh(gamma dt / 2)) z (P25)."""
    return ("x", "T", "gamma"), f"{{x}} + {{gamma}} * sqrt({{T}} / tanh({{gamma}} * {dt} / 2.0)) * {{z}}"


def brownian_push(op: langevin.Brownian, dt: str) -> tuple[tuple[str, ...], str]:
    """mu f + sqrt(2 mu T / dt) z, or with stiffness k, mu f + sqrt(mu k mu T / tanh(mu k dt / 2)) z (P29)."""
    if op.stiffness is None:
        return (
            "force",
            "mobility",
            "T",
        ), f"{{mobility}} * {{force}} + sqrt(2.0 * {{mobility}} * {{T}} / {dt}) * {{z}}"
    spread = f"{{mobility}} * sqrt({{stiffness}} * {{T}} / tanh({{mobility}} * {{stiffness}} * {dt} / 2.0))"
    return ("force", "mobility", "T", "stiffness"), f"{{mobility}} * {{force}} + {spread} * {{z}}"


PUSHES = {thermo.Memory: memory_push, langevin.Brownian: brownian_push}


def delay(op: core.Delay, plan: TickPlan) -> None:
    """The old value, moved on when the tick is over; spikes on their way to synapses are in their queues."""
    if op.y.name in plan.queue:
        flight(op, plan)
        return
    if op.ticks > LONGEST_DELAY:
        raise refusal(
            op, f"{op.ticks} ticks, at most {LONGEST_DELAY} for numbers", "delay spikes before they are weighted"
        )
    y, group, wide = op.y.name, plan.group(op.y.name), plan.types[op.y.name].shape
    name = plan.place(y)
    ring = [name, *(plan.names.variable(f"{y}_{age}") for age in range(2, op.ticks + 1))]
    for item in ring:
        group.variables[item], group.initial[item] = group.variables[name], plan.start(op, op.initial, wide)
    plan.holds(f"{y}.buffer", y, ring, ring=True)
    # oldest first: each takes its successor's number before that one is overwritten
    plan.shifts += [(group, f"{old} = {new}") for old, new in pairwise(ring)]
    operand = plan.operand(op.x, wide, group)
    text = plan.place(operand.beside) if operand.beside else operand.text
    if units.heated(op):
        heat(plan, group, name, text)
        return
    # What it reads is itself a state that shifts at the end of the tick: it is copied before any has moved.
    if (root := operand.beside or operand.apart) and plan.old(root):
        next_value = plan.names.variable(f"{y}_next")
        group.variables[next_value] = group.variables[name]
        plan.copies.append((group, f"{next_value} = {text}"))
        text = next_value
    plan.shifts.append((group, f"{ring[-1]} = {text}"))


def flight(op: core.Delay, plan: TickPlan) -> None:
    """Spikes on their way, which are states of the units that fired."""
    source, layout = plan.views.view(op.x), plan.types[op.y.name]
    name = f"{op.y.name}.buffer"
    shown = {"shape": layout.shape, "dtype": layout.dtype.numpy, "places": source.places}
    plan.holds(name, source.root, (), ring=True, queue=op.y.name, ticks=op.ticks, **shown)


def heat(plan: TickPlan, group: Group, name: str, after: str) -> None:
    """dT/dt is the mean rate of heating over the tick, which takes a temperature to what its exact step gives."""
    rate = plan.names.variable(f"{name}_heating")
    group.variables[rate] = "1"
    plan.copies.append((group, f"{rate} = ({after} - {name}) / {expressions.number(plan.graph.dt)}"))
    group.dynamics = units.Dynamics(equations=(f"d{name}/dt = {rate} / unit_time : 1",), method="euler")
    plan.late.append(UnitStep(group=group))


def weighted(op: Any, plan: TickPlan) -> None:
    """Synapses that sum over what is before them, or pass on spikes; then the bias."""
    root, group, bias = op.y.name, plan.group(op.y.name), getattr(op, "bias", None)
    if bias is not None:
        shape, wide = plan.types[bias.name].shape, plan.types[root].shape
        if isinstance(op, core.Conv):
            shape = (*shape, *(1,) * (len(wide) - 1))
        root = f"{root}.sum"
        plan.beside(root, op.y.name)
        operands = [Operand(beside=root), plan.operand(bias, wide, group, shape)]
        plan.statement(op.y.name, op, operands, lambda op, x, b: f"{x} + {b}")
    terms = linear.terms_of(op, plan.views) if type(op) in linear.TERMS else None
    if terms is not None:
        connect(op.x, terms, root, plan)
    elif isinstance(op, (core.SparseAffine, core.Conv)):
        raise refusal(op, "its weights are computed at run time", "give the weights as constants")
    else:
        product(op, root, plan)


def connect(x: Value, terms: linear.Terms, root: str, plan: TickPlan, into: str = "") -> None:
    """Add the synapses of a linear map: to a value of their own, or ``into`` a trace as jumps."""
    operand = events.spikes_of(x, plan.views, plan.spikes, plan.queue)
    source = plan.views.view(x) if operand is None else operand.view
    target = plan.name(into) if into else plan.place(root)
    group = plan.group(into or root)
    pre = terms.pre if source.places is None else source.places[terms.pre]
    ends: dict[str, Any] = {"source": plan.group(source.root), "target": group, "pre": pre, "post": terms.post}
    name = plan.names.object(f"{into or root}_from_{source.root}")
    weight, factor = _weight(terms)
    if operand is None:
        read = f"{plan.place(source.root)}_pre"
        how: dict[str, Any] = {"sums": (target, read if factor == "1" else f"{factor} * {read}")}
    else:
        how = {"event": f"{target}_post += {factor}", "delay": operand.ticks, "queue": operand.queue}
        if not into:
            # Events add to what is there, so the sum of a tick has to go at its end.
            plan.clears.append((group, target, plan.only))
    # Spikes in a queue were sent in earlier ticks: their synapses need not wait for this tick's.
    now = operand is None or not operand.ticks
    reads = [*((source.root,) if now else ()), *((f"{into}.decayed",) if into else ())]
    plan.alone(Connection(name=name, weight=weight, **ends, **how), (root,), *reads)


def _weight(terms: linear.Terms) -> tuple[NDArray | ArrayElements | None, str]:
    """Return the weights, None where all are one number, and what stands for them in the synapses' code."""
    weight = terms.weight
    if weight is None:
        return None, "1"
    if isinstance(weight, ArrayElements):
        return weight, "w"
    if len(weight) and (weight == weight[0]).all():
        return None, "1" if weight[0] == 1 else expressions.number(weight[0].item())
    return weight, "w"


def product(op: Any, root: str, plan: TickPlan) -> None:
    """A group with a unit for each term of the product, then sums."""
    (a, index_of_a), (b, index_of_b), to = linear.product(op)
    group, product_root = plan.aside(f"{op.y.name}_terms", len(to), plan.group(root).batched)
    operands = [plan.gathered(a, index_of_a, group), plan.gathered(b, index_of_b, group)]
    plan.statement(product_root, op, operands, lambda op, a, b: f"{a} * {b}")
    sums(plan, f"{root}_sum", product_root, root, f"{plan.place(product_root)}_pre", to, product_root)


def sums(plan: TickPlan, name: str, source: str, root: str, expression: str, post: Any, *reads: str) -> None:
    """Sum an expression of each unit of a group into the units ``post`` of another."""
    connection = Connection(
        name=plan.names.object(name),
        source=plan.group(source),
        target=plan.group(root),
        pre=np.arange(len(post)),
        post=post,
        sums=(plan.place(root), expression),
    )
    plan.alone(connection, (root,), *reads)


def reduction(op: core.Reduce | core.Pool, plan: TickPlan) -> None:
    """Sums and means are weighted; the largest or smallest is the member of a window that no other beats."""
    if op.kind in ("sum", "mean"):
        return weighted(op, plan)
    members, of = linear.members(reduced(op))
    group, element = plan.aside(f"{op.y.name}_among", len(members), plan.group(op.y.name).batched)
    plan.statement(element, op, [plan.gathered(op.x, members, group)], lambda op, x: x)
    size = np.bincount(of)
    first = np.cumsum(size) - size
    # Of equals the first of the window wins, as NumPy's argmax has it.
    rank = plan.fixed(f"{op.y.name}_place", (np.arange(len(of)) - first[of]).astype(float), group)
    beaten, value = f"{element}.beaten", plan.place(element)
    plan.beside(beaten, element)
    post = np.repeat(np.arange(len(of)), size[of])
    # All pairs of a window, for synapses see two units at a time.
    pre = np.concatenate([np.arange(first[window], first[window] + size[window]) for window in of])
    sign, some = ">" if op.kind.endswith("max") else "<", pre != post
    beats = f"{value}_pre {sign} {value}_post or ({value}_pre == {value}_post and {rank}_pre < {rank}_post)"
    contest = Connection(
        name=plan.names.object(f"{op.y.name}_contest"),
        source=group,
        target=group,
        pre=pre[some],
        post=post[some],
        sums=(plan.place(beaten), f"1.0 * int({beats})"),
    )
    plan.alone(contest, (beaten,), element)
    prize = rank if op.kind.startswith("arg") else value
    winner = f"choose({plan.name(beaten)}_pre < 0.5, {prize}_pre, 0.0)"
    return sums(plan, f"{op.y.name}_winner", element, op.y.name, winner, of, element, beaten)


TASKS: dict[type[Op], Callable[[Any, TickPlan], None]] = {
    **dict.fromkeys(expressions.ELEMENTWISE, elementwise),
    **dict.fromkeys(units.UNITS, unit),
    **dict.fromkeys(equations.EQUATIONS, equations.task),
    core.Input: input_,
    core.Concat: concat,
    core.Delay: delay,
    core.Affine: weighted,
    core.SparseAffine: weighted,
    core.Conv: weighted,
    core.Matmul: weighted,
    core.Pool: reduction,
    core.Reduce: reduction,
}
