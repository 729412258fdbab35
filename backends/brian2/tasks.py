"""What each op does in a tick: one table, op to tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from thermoc.backends.brian2 import expressions, linear, units
from thermoc.backends.brian2.model import Connection, Feed, Group, Held, Unit
from thermoc.backends.brian2.registry import Operand, Registry, refusal
from thermoc.backends.brian2.schedule import Task
from thermoc.ir.dialects import core, thermo
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.places import reduced
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


class Plan(Registry):
    """The tasks of one graph, and what is left for the end of the tick: copies, shifts, late units, clearing."""

    def __init__(self, graph: Graph, noise: str):
        super().__init__(graph)
        self.noise = noise
        self.tasks: list[Task] = []
        self.copies: list[tuple[Group, str]] = []
        self.shifts: list[tuple[Group, str]] = []
        self.clears: list[tuple[Group, str]] = []
        self.late: list[Unit] = []
        self.states: list[Held] = []
        self.spikes: dict[str, Group] = {}

    def old(self, root: str) -> bool:
        """True for what is there before the tick: old states and constants."""
        op = self.graph.producers.get(root)
        return isinstance(op, (core.Delay, core.Constant)) or type(op) in units.LATE

    def statement(self, root: str, op: Any, operands: list[Operand], write: Write) -> None:
        """Add a value that is computed unit by unit."""
        self.tasks.append(
            Task(
                what=Statement(root=root, op=op, operands=tuple(operands), write=write),
                writes=(root,),
                beside=frozenset(item.beside for item in operands if item.beside and not self.old(item.beside)),
                apart=frozenset(item.apart for item in operands if item.apart and not self.old(item.apart)),
                group=self.group(root).name,
            )
        )

    def alone(self, what: Feed | Unit | Connection, writes: tuple[str, ...], *reads: str) -> None:
        """Add a step that stands alone."""
        self.tasks.append(Task(what=what, writes=writes, apart=frozenset(r for r in reads if not self.old(r))))

    def holds(self, name: str, root: str, variables: list[str], *, ring: bool) -> None:
        """Note a state that the run hands out."""
        kind = self.types[root]
        self.states.append(
            Held(
                name=name,
                group=self.group(root),
                variables=tuple(variables),
                ring=ring,
                shape=kind.shape,
                dtype=kind.dtype.numpy,
            )
        )


def input_(op: core.Input, plan: Plan) -> None:
    """A variable that is given."""
    feed = Feed(group=plan.group(op.y.name), variable=plan.place(op.y.name), key=op.name)
    plan.alone(feed, (op.y.name,))


def elementwise(op: Op, plan: Plan) -> None:
    """A statement."""
    (y,) = op.results
    group = plan.group(y.name)
    if isinstance(op, core.Tick) or (type(op) in expressions.DRAWS and plan.noise == "counter"):
        plan.noisy(group)
    operands = [plan.operand(value, plan.types[y.name].shape, group) for value in op.inputs]
    plan.statement(y.name, op, operands, lambda op, *texts: expressions.expression(op, texts, plan.noise))


def concat(op: core.Concat, plan: Plan) -> None:
    """For each unit the part it belongs to."""
    y, group = plan.types[op.y.name], plan.group(op.y.name)
    axis, start = core.axis_of(op.axis, len(y.shape)), 0
    operands: list[Operand] = []
    for number, x in enumerate(op.xs):
        shape = plan.types[x.name].shape
        along = np.clip(np.arange(y.shape[axis]) - start, 0, shape[axis] - 1)
        index = np.take(np.arange(plan.types[x.name].size).reshape(shape), along, axis=axis).reshape(-1)
        own = np.zeros(y.shape, bool)
        own[(slice(None),) * axis + (slice(start, start + shape[axis]),)] = True
        start += shape[axis]
        operands.append(plan.gathered(x, index, group))
        operands.append(Operand(text=plan.fixed(f"{op.y.name}_part_{number}", own, group)))

    def write(op: core.Concat, *texts: str) -> str:
        *pairs, text, _ = texts
        for part, own in reversed(list(zip(pairs[::2], pairs[1::2]))):
            truth = f"({own} and {part}) or (not {own} and {expressions.atom(text)})"
            text = truth if y.dtype is DType.bool else f"choose({own}, {part}, {text})"
        return text

    plan.statement(op.y.name, op, operands, write)


def unit(op: Op, plan: Plan) -> None:
    """Differential equations; parameters that are one number become constants of the group."""
    first, state = op.results[0], op.results[-1]
    group, wide = plan.group(first.name), plan.types[first.name].shape
    reads: list[str] = [push(op, plan)] if isinstance(op, thermo.Memory) else []

    def at(name: str) -> str:
        value = getattr(op, name)
        if name in op.result_specs:
            return plan.name(value.name)
        found = plan.operand(value, wide, group)
        if found.beside or found.apart:
            reads.append(found.beside or found.apart)
            return plan.place(found.beside) if found.beside else found.text
        if found.text in group.variables:
            return found.text
        constant = "x_constant" if name == "x" else name  # values are often called x
        group.constants[constant] = found.text
        return constant

    group.dynamics = units.UNITS[type(op)](op, at)
    plan.kept.add(state.name)
    group.initial[plan.name(state.name)] = plan.start(op, op.initial, wide)  # type: ignore[attr-defined]
    plan.holds(f"{first}.{next(iter(op.states()))}"[1:], state.name, [plan.name(state.name)], ring=False)
    if type(op) in units.LATE:
        plan.late.append(Unit(group=group))
    else:
        plan.alone(Unit(group=group), tuple(value.name for value in op.results), *reads)
    if group.dynamics.threshold:
        plan.spikes[first.name] = group


def push(op: thermo.Memory, plan: Plan) -> str:
    """x + gamma sqrt(kT / tanh(gamma dt / 2)) z: held over a tick, it leaves a memory with P25's mean and spread."""
    root, group, wide = f"{op.m.name}.push", plan.group(op.m.name), plan.types[op.m.name].shape
    plan.beside(root, op.m.name)
    if plan.noise == "counter":
        plan.noisy(group)
    z = expressions.expression(thermo.Normal(shape=wide, stream=op.stream, z=op.m), (), plan.noise)
    half = expressions.number(plan.graph.dt / 2)

    def write(op: thermo.Memory, x: str, kT: str, gamma: str) -> str:
        return f"{x} + {gamma} * sqrt({kT} / tanh({gamma} * {half})) * {z}"

    plan.statement(root, op, [plan.operand(value, wide, group) for value in (op.x, op.kT, op.gamma)], write)
    plan.place(root)
    return root


def delay(op: core.Delay, plan: Plan) -> None:
    """The old value, moved on when the tick is over."""
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
    plan.shifts += [(group, f"{old} = {new}") for old, new in pairwise(ring)]
    found = plan.operand(op.x, wide, group)
    text = plan.place(found.beside) if found.beside else found.text
    if (root := found.beside or found.apart) and plan.old(root):
        held = plan.names.variable(f"{y}_next")
        group.variables[held] = group.variables[name]
        plan.copies.append((group, f"{held} = {text}"))
        text = held
    plan.shifts.append((group, f"{ring[-1]} = {text}"))


def weighted(op: Any, plan: Plan) -> None:
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
    terms = linear.TERMS[type(op)](op, plan.seats.numbers) if type(op) in linear.TERMS else None
    if terms is not None:
        connect(op.x, terms, root, plan)
    elif isinstance(op, (core.SparseAffine, core.Conv)):
        raise refusal(op, "its weights are computed at run time", "give the weights as constants")
    else:
        product(op, root, plan)


def connect(x: Value, terms: linear.Terms, root: str, plan: Plan) -> None:
    """Add the synapses of a linear map."""
    seat, target = plan.seats.seat(x), plan.place(root)
    pre = terms.pre if seat.places is None else seat.places[terms.pre]
    spiking = seat.root in plan.spikes
    if spiking:
        weight = "1" if terms.weight is None else "w"
        how: dict[str, Any] = {"event": f"{target}_post += {weight}"}
        plan.clears.append((plan.group(root), f"{target} = 0"))
    else:
        weight = "" if terms.weight is None else "w * "
        how = {"sums": (target, f"{weight}{plan.place(seat.root)}_pre")}
    name = plan.names.object(f"{root}_from_{seat.root}")
    ends = {"source": plan.group(seat.root), "target": plan.group(root), "pre": pre, "post": terms.post}
    plan.alone(Connection(name=name, weight=terms.weight, **ends, **how), (root,), seat.root)


def product(op: Any, root: str, plan: Plan) -> None:
    """A group with a unit for each term of the product, then sums."""
    (a, left), (b, right), to = linear.product(op)
    group, each = plan.aside(f"{op.y.name}_terms", len(to), plan.group(root).batched)
    operands = [plan.gathered(a, left, group), plan.gathered(b, right, group)]
    plan.statement(each, op, operands, lambda op, a, b: f"{a} * {b}")
    sums(plan, f"{root}_sum", each, root, f"{plan.place(each)}_pre", to, each)


def sums(plan: Plan, name: str, source: str, root: str, expression: str, post: Any, *reads: str) -> None:
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


def reduction(op: core.Reduce | core.Pool, plan: Plan) -> None:
    """Sums and means are weighted; the largest or smallest is the member of a window that no other beats."""
    if op.kind in ("sum", "mean"):
        return weighted(op, plan)
    members, of = linear.members(reduced(op))
    group, each = plan.aside(f"{op.y.name}_among", len(members), plan.group(op.y.name).batched)
    plan.statement(each, op, [plan.gathered(op.x, members, group)], lambda op, x: x)
    size = np.bincount(of)
    first = np.cumsum(size) - size
    rank = plan.fixed(f"{op.y.name}_place", (np.arange(len(of)) - first[of]).astype(float), group)
    beaten, value = f"{each}.beaten", plan.place(each)
    plan.beside(beaten, each)
    post = np.repeat(np.arange(len(of)), size[of])
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
    plan.alone(contest, (beaten,), each)
    prize = rank if op.kind.startswith("arg") else value
    winner = f"choose({plan.name(beaten)}_pre < 0.5, {prize}_pre, 0.0)"
    return sums(plan, f"{op.y.name}_winner", each, op.y.name, winner, of, each, beaten)


TASKS: dict[type[Op], Callable[[Any, Plan], None]] = {
    **dict.fromkeys(expressions.ELEMENTWISE, elementwise),
    **dict.fromkeys(units.UNITS, unit),
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
