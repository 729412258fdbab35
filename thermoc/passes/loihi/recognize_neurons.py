"""The pass that finds neurons in arithmetic: the step of a leaky membrane, its threshold, its reset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from thermoc.ir.dialects import core, spiking
from thermoc.ir.dialects.loihi import LONGEST_DELAY
from thermoc.ir.graph import Graph, fresh_names, replaced
from thermoc.ir.infer import retyped
from thermoc.ir.ops import Op
from thermoc.ir.types import Shape
from thermoc.ir.values import Value
from thermoc.passes.base import Pass
from thermoc.passes.canonicalize import drop_dead
from thermoc.passes.change_log import Log
from thermoc.passes.loihi.elementwise_sums import ElementwiseSum, Sums
from thermoc.passes.loihi.regions import UNITS, regions
from thermoc.passes.rewriting import Expression, Rewriter, under_names
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import ThermocError

COMPARISONS: dict[type[Op], tuple[str, str, str]] = {
    core.Greater: ("a", "b", "greater"),
    core.GreaterEqual: ("a", "b", "greater_equal"),
    core.Less: ("b", "a", "greater"),
    core.LessEqual: ("b", "a", "greater_equal"),
}
"""By comparison: which operand is to be the greater one, which the other, and what spiking ops call it."""
_LOST = "the reset loses what arrives in the tick of a spike; a LIF of Loihi takes it in the tick after"


class NotALif(Exception):
    """Units that spike are no LIF of Loihi; the text says why."""


@dataclass(frozen=True, kw_only=True)
class RecognizeNeurons(Pass):
    """Write leaky integrate-and-fire units that stand as arithmetic as ``spiking`` ops, for which Loihi has units.

    A unit is v' = keep v + gain i + x + offset, a threshold, and a reset to a number or by the threshold, all numbers
    known. A current is i' = fall i + what arrived in the tick before; what is added to a membrane between threshold
    and a reset by subtraction arrives in the next tick, times keep. Exact but for the order of the arithmetic.
    All stay as they are, the host's, where that would put the host between two parts of Loihi with a state to keep.
    """

    name: ClassVar[str] = "recognize-neurons"

    def run(self, graph: Graph, log: Log) -> Graph:
        places = [reset.select.y for reset in _resets(graph)]
        new, why = graph, dict[str, str]()
        for place in places:
            reset = next(_resets(new, place.name), None)
            try:
                # A variable that is reset beside a membrane is found with it, and gone once that is a unit.
                new = new if reset is None else _Neuron(graph=new, reset=reset).written()
            except NotALif as reason:
                why[place.name] = str(reason)
        obstacle = None if new is graph else _obstacle(graph, new)
        if obstacle is not None:
            new, why = graph, why | dict.fromkeys((place.name for place in places), obstacle)
        for place in places:
            reason = why.get(place.name)
            found = "a LIF" if reason is None else f"of the host: {reason}"
            log.changed(f"units behind {place}", old="arithmetic", new=found, bound="none: the same equation")
        return new


def _obstacle(graph: Graph, new: Graph) -> str | None:
    """Return why what was found cannot be on Loihi, None where it can."""
    try:
        regions(new)
    except ThermocError as reason:
        return f"{reason.findings[0].what}: {reason.findings[0].notes[0]}"
    found: list[Op] = [
        op for op in new.ops if isinstance(op, spiking.LifStep | spiking.CubaLif) and op not in graph.ops
    ]
    return _read_membrane(new, found) or _late(new, found)


def _late(new: Graph, found: list[Op]) -> str | None:
    """Return that spikes reach a unit later than a synapse can let them, if they do."""
    late: dict[str, int] = {op.results[0].name: 0 for op in found}
    front = list(late)
    while front:
        name = front.pop()
        for op in new.consumers[name]:
            # One tick more is the synapse's own. Beyond that it does not matter by how many.
            ticks = min(late[name] + (op.ticks if isinstance(op, core.Delay) else 0), LONGEST_DELAY + 2)
            if isinstance(op, UNITS) and ticks > LONGEST_DELAY + 1:
                return f"spikes reach {op.results[0]} after more than {LONGEST_DELAY + 1} ticks, the most of a synapse"
            for value in op.results if not isinstance(op, UNITS) else ():
                if ticks > late.get(value.name, -1):
                    late[value.name] = ticks
                    front.append(value.name)
    return None


def _read_membrane(new: Graph, found: list[Op]) -> str | None:
    """Return that a unit reads the state of another, if one does: they say that they spike, and nothing else."""
    reached, front = set[str](), [value.name for op in found for value in op.results[1:]]
    while front:
        for op in new.consumers[front.pop()]:
            if isinstance(op, UNITS):
                return f"{op.results[0]} reads membranes, and units of Loihi say no more than that they spike"
            fresh = {value.name for value in op.results} - reached
            reached |= fresh
            front += fresh
    return None


@dataclass(frozen=True, kw_only=True)
class _Reset:
    """A membrane is compared with numbers, and by that its next value is chosen."""

    select: core.Select
    test: Op
    membrane: Value
    threshold: AnyArray
    compare: str
    held: bool
    """Whether a unit must also be free to spike."""


def _resets(graph: Graph, name: str | None = None) -> Iterator[_Reset]:
    """Yield the resets of a graph, or that one which gives the value ``name``."""
    sums = Sums(graph)
    for op in graph.of(core.Select):
        condition = _condition(graph, op.condition, sums) if name in (None, op.y.name) else None
        held = isinstance(condition, core.And)
        tests = (
            [graph.producers[value.name] for value in condition.inputs]
            if isinstance(condition, core.And)
            else [condition]
        )
        test = next((item for item in tests if type(item) in COMPARISONS), None)
        if test is None:
            continue
        greater, other, compare = COMPARISONS[type(test)]
        membrane, threshold = getattr(test, greater), sums.numbers.get(getattr(test, other).name)
        # A time of the last spike, or a count, is chosen by the same comparison, but is made of other things.
        akin = sums.of(op.b).terms.keys() & sums.of(membrane).terms.keys()
        if threshold is not None and akin and any(isinstance(r, core.Delay) for r in graph.consumers[op.y.name]):
            yield _Reset(select=op, test=test, membrane=membrane, threshold=threshold, compare=compare, held=held)


def _condition(graph: Graph, condition: Value, sums: Sums) -> Op:
    """Return the op behind a condition: spikes are compared with 1/2 once more."""
    op = graph.producers[condition.name]
    if isinstance(op, core.Greater):
        spikes, half = op.inputs
        before = graph.producers[spikes.name]
        if isinstance(before, core.Cast) and (sums.numbers.get(half.name, np.zeros(1)) == 0.5).all():
            return _condition(graph, before.x, sums)
    return op


@dataclass(kw_only=True)
class _Neuron:
    """The units behind one reset, being read and written anew."""

    graph: Graph
    reset: _Reset
    current: core.Delay | None = None
    after: list[Expression] = field(default_factory=list[Expression])
    """What is added to the membrane after its reset, in the same tick."""

    def written(self) -> Graph:
        """Return the graph with a spiking op in place of the arithmetic. Raises NotALif."""
        self.sums = Sums(self.graph)
        reset, state = self.reset, self._state()
        if reset.held or isinstance(self.graph.producers[reset.membrane.name], core.Select):
            raise NotALif("they rest after a spike, and Loihi's LIF integrates in every tick")
        step = self.sums.of(reset.membrane)
        keep = _decay(step.terms.get(state.y.name), "their membrane")
        w = Rewriter(reset.select, fresh_names(self.graph), self.graph.dt, self.sums.numbers)
        fields: dict[str, Any] = {
            "v_threshold": reset.threshold,
            "compare": reset.compare,
            "initial": self.sums.numbers[state.initial.name],
        }
        rest, low = step.without(state.y.name), self.sums.numbers.get(reset.select.a.name)
        if low is None:
            fields |= {"reset": "subtract"} | self._subtracted(w, keep, rest)
        else:
            fields |= {"reset": "value", "v_reset": low} | self._set(w, keep, rest)
        if not (reset.threshold > (0.0 if low is None else low)).all():
            raise NotALif("their threshold is not above their reset")
        return self._in_place(w, fields)

    def _state(self) -> core.Delay:
        for op in self.graph.consumers[self.reset.select.y.name]:
            if isinstance(op, core.Delay) and op.ticks == 1 and op.initial.name in self.sums.numbers:
                return op
        raise NotALif("their membrane starts from what is computed, or is read late")

    # ----------------------------------------------------------------------------------------------------- the forms

    def _set(self, w: Rewriter, keep: AnyArray, rest: ElementwiseSum) -> dict[str, Any]:
        """A reset to a number: the membrane takes a current, or what arrives as it is."""
        if self.reset.select.b.name != self.reset.membrane.name:
            raise NotALif(_LOST)
        current = self._current(rest)
        if current is None:
            return {"keep": keep, "x": self._sum(w, rest), "offset": rest.offset}
        inner, dt = self.sums.of(current.x), self.graph.dt
        if len(rest.terms) > 1:
            raise NotALif("their membrane takes a current and more; a LIF of Loihi has one input")
        fall = _decay(inner.terms.get(current.y.name), "their current")
        start, arriving = self.sums.numbers[current.initial.name], inner.without(current.y.name)
        late = w(core.Delay, x=self._sum(w, arriving) + arriving.offset, initial=arriving.offset)
        self.current = current
        # A forward step keeps 1 - dt / tau: with these time constants that is ``fall`` and ``keep``.
        return {
            "x": late,
            "tau_syn": dt / (1 - fall),
            "tau_mem": dt / (1 - keep),
            "w_in": 1 / (1 - fall),
            "r": rest.terms[current.y.name] / (1 - keep),
            "v_leak": rest.offset / (1 - keep),
            "i_initial": (start - arriving.offset) / fall,
            "method": "semi_implicit",
        }

    def _current(self, rest: ElementwiseSum) -> core.Delay | None:
        """Return the state among what enters the membrane that is made of its own last value."""
        for name in rest.terms:
            op = self.graph.producers[name]
            if isinstance(op, core.Delay) and op.ticks == 1 and name in self.sums.of(op.x).terms:
                if op.initial.name not in self.sums.numbers:
                    raise NotALif("their current starts from what is computed")
                return op
        return None

    def _subtracted(self, w: Rewriter, keep: AnyArray, rest: ElementwiseSum) -> dict[str, Any]:
        """A reset by the threshold: what is added between threshold and reset is there in the next tick."""
        select, before = self.reset.select, self.sums.of(self.reset.membrane)
        full, taken = self.sums.of(select.b), self.sums.of(select.a)
        added = full.less(before)
        off = full.less(taken)
        if off.terms or not np.allclose(off.offset, self.reset.threshold, rtol=1e-12, atol=0.0):
            raise NotALif("their reset is computed, and is no subtraction of the threshold")
        if added.offset.any() or added.terms.keys() & before.terms.keys():
            raise NotALif("their membrane changes between threshold and reset")
        if not added.terms:
            return {"keep": keep, "x": self._sum(w, rest), "offset": rest.offset}
        jumps = self._sum(w, added)
        self.after.append(jumps)
        late = w(core.Delay, x=jumps, initial=0.0) * keep
        return {"keep": keep, "x": late + self._sum(w, rest) if rest.terms else late, "offset": rest.offset}

    def _sum(self, w: Rewriter, of: ElementwiseSum) -> Expression:
        """Write the weighted sum, its offset left out."""
        total: Expression | None = None
        for name, gain in of.terms.items():
            source = w[self.sums.values[name]]
            term = source if (gain == 1).all() else source * gain
            total = term if total is None else total + term
        return w.constant(np.zeros(self.reset.select.y.shape)) if total is None else total

    # ------------------------------------------------------------------------------------------------------- writing

    def _in_place(self, w: Rewriter, fields: dict[str, Any]) -> Graph:
        """Return the graph with the op; spikes, membrane and current are what the arithmetic's were."""
        shape = self.reset.select.y.shape
        for name, number in fields.items():
            fields[name] = _fitted(number, shape) if isinstance(number, np.ndarray) else number
        s, v, *i = w(spiking.LifStep if self.current is None else spiking.CubaLif, **fields)
        select, test = self.reset.select, self.reset.test
        casts = [op for op in self.graph.consumers[test.results[0].name] if isinstance(op, core.Cast)]
        # Who asks for the truth of the comparison still gets it, of the spikes.
        stands_for = {w(core.Greater, a=s, b=0.5).name: test.results[0]}
        stands_for[(v + self.after[0] if self.after else v).name] = select.y
        spikes = [op.y for op in casts if op.y.type == s.type]
        stands_for |= dict.fromkeys((s.name,), spikes[0]) if spikes else {}
        gone: list[Op] = [select, test, *(op for op in casts if op.y.type == s.type)]
        if self.current is not None:
            stands_for[i[0].name] = self.current.y
            gone.append(self.current)
        same = {value.name: spikes[0] for value in spikes[1:]}
        ops = [op for op in self.graph.ops if not any(op is other for other in gone)]
        ops += [under_names(op, stands_for) for op in w.ops]
        return drop_dead(retyped(self.graph.with_ops(replaced(same, op) for op in ops)))


def _fitted(numbers: Any, shape: Shape) -> AnyArray:
    """Return one number for all units, or one a unit."""
    return numbers.reshape(()) if numbers.size == 1 else np.broadcast_to(numbers, shape)


def _decay(kept: AnyArray | None, what: str) -> AnyArray:
    if kept is None:
        raise NotALif(f"{what} is no weighted sum of what it was and what it takes")
    if not ((kept > 0) & (kept < 1)).all():
        raise NotALif(f"{what} keeps {kept.min():.6g} to {kept.max():.6g} of itself a tick, and decays not")
    return kept
