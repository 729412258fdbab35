"""Synapses: spikes on their way, the synapses at which they arrive, and what several synapses write into one unit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.brian2 import algebra
from thermoc.frontends.brian2.algebra import Term, computed
from thermoc.frontends.brian2.code import OPERATIONS, Block, CodeRun
from thermoc.frontends.brian2.gather import add_up, take
from thermoc.frontends.brian2.variables import Store
from thermoc.ir.functions import call
from thermoc.ir.handle import Handle


@dataclass(kw_only=True)
class Arrivals:
    """The events that reach the synapses of a pathway in this tick."""

    store: Store
    pathway: Any

    @cached_property
    def sources(self) -> NDArray:
        """Return the unit from which each synapse comes."""
        return np.asarray(self.pathway.synapse_sources.get_value()).astype(np.int64)

    @cached_property
    def delays(self) -> NDArray:
        """Return the delay of each synapse in steps of the source's clock."""
        seconds = np.asarray(self.pathway.variables["delay"].get_value())
        steps = np.round(seconds / float(self.pathway.source.clock.dt_)).astype(np.int64)
        if (steps < 0).any():
            raise self.store.site.refuse("a delay is negative")
        return np.broadcast_to(steps, self.sources.shape)

    @cached_property
    def wires(self) -> tuple[Handle, NDArray]:
        """Return the spikes of all sources at each delay, one after another, and each synapse's place there."""
        events = self.pathway.source.variables[self.pathway.eventspace_name]
        now = algebra.as_value(self.store.read(events), events.size - 1)
        period = self.store.every(self.pathway.source.clock)
        times = sorted(set(self.delays.tolist()))
        lines: list[Handle] = []
        last, passed = now, 0
        for ticks in times:
            last = last if ticks == passed else call("core.delay", last, ticks=(ticks - passed) * period)
            passed = ticks
            lines.append(last)
        active = self.store.active(self.pathway.source.clock)
        x = lines[0] if len(lines) == 1 else call("core.concat", lines, axis=0)
        x = x if active is None else algebra.apply("mul", x, algebra.number(active))
        return x, np.searchsorted(times, self.delays) * now.shape[0] + self.sources

    @cached_property
    def mask(self) -> Term:
        """Return at which synapses an event arrives."""
        x, columns = self.wires
        return call("core.greater", take(x, columns, self.store.cache), 0.5)

    @cached_property
    def order(self) -> NDArray:
        """Return the order in which Brian2's queue hands synapses out: the earlier event first, then by source."""
        order = np.empty(len(self.sources), np.int64)
        order[np.lexsort((self.sources, -self.delays))] = np.arange(len(order))
        return order


@dataclass(kw_only=True)
class SynapticSums:
    """Writes of synapses into variables of the units on either side."""

    arrivals: Arrivals

    def __call__(self, run: CodeRun, statement: Any, value: Term) -> None:
        """Write, where events arrive, what a statement says. Errors: T508."""
        name = statement.var
        variable, places = run.block.variables[name], run.block.places(name)
        assert places is not None
        if statement.op in ("+=", "-="):
            total = self._total(run, value, places, variable.size)
            self._put(run, name, variable, algebra.apply(OPERATIONS[statement.op], run.store.read(variable), total))
        elif len(np.unique(places)) == len(places):
            self._alone(run, statement, value, places, variable)
        elif statement.op == "=" and _single(value):
            self._same(run, name, variable, value, places)
        else:
            hint = "let each unit have one such synapse, or write += or -="
            raise run.store.site.refuse("what several synapses make of one unit depends on their order", hint=hint)

    def _total(self, run: CodeRun, value: Term, places: NDArray, size: int) -> Term:
        if not computed(value):
            x, columns = self.arrivals.wires
            weights = np.broadcast_to(algebra.number(value), columns.shape)
            return add_up(x, weights, columns, places, size, self.arrivals.order)
        arrived = algebra.select(run.mask, algebra.spread(value, run.block.size), 0.0)
        index = np.arange(run.block.size)
        return add_up(arrived, np.ones(len(index)), index, places, size, self.arrivals.order)

    def _put(self, run: CodeRun, name: str, variable: Any, value: Term) -> None:
        condition = run.block.condition_of(name)
        if condition is not None:
            held = run.store.read(run.block.variables[condition])
            value = algebra.select(held, value, run.store.read(variable))
        run.store.write(variable, algebra.spread(value, variable.size))

    def _alone(self, run: CodeRun, statement: Any, value: Term, places: NDArray, variable: Any) -> None:
        """Each unit has one synapse at most: what it makes of the unit is put there."""
        old = run.name(statement.var)
        if statement.op != "=":
            value = algebra.apply(OPERATIONS[statement.op], old, value)
        condition = run.block.condition_of(statement.var)
        mask = algebra.both(run.mask, None if condition is None else run.name(condition))
        run.put(variable, statement.var, value, mask)

    def _same(self, run: CodeRun, name: str, variable: Any, value: Term, places: NDArray) -> None:
        """All synapses write one number."""
        x, columns = self.arrivals.wires
        arrived = add_up(x, np.ones(len(columns)), columns, places, variable.size, self.arrivals.order)
        reached = algebra.apply("greater", arrived, 0.5)
        self._put(run, name, variable, algebra.select(reached, value, run.store.read(variable)))


def _single(value: Term) -> bool:
    return (value.shape if isinstance(value, Handle) else np.shape(value)) == ()


def pathway(store: Store, item: Any, block: Block | None) -> None:
    """Carry out the code of a pathway for the synapses at which events arrive. Errors: T508."""
    if block is None or block.size == 0:
        return
    check_order(store, block)
    arrivals = Arrivals(store=store, pathway=item)
    shared = SynapticSums(arrivals=arrivals)
    clock = item.source.clock
    CodeRun(store=store, block=block, clock=clock, when=lambda: arrivals.mask, shared_write=shared).all()


def check_order(store: Store, block: Block) -> None:
    """Refuse code whose outcome depends on the order of the synapses. Errors: T508."""
    from brian2.codegen.permutation_analysis import (  # pyright: ignore[reportMissingTypeStubs]
        OrderDependenceError,
        check_for_order_independence,
    )

    drawn = {name for name, value in block.variables.items() if not hasattr(value, "get_value") and callable(value)}
    variables = {name: value for name, value in block.variables.items() if name not in drawn}
    shared = [s for s in block.vector if block.indices.get(s.var, "_idx") not in ("_idx", "0")]
    if all(_unique(block, statement.var) for statement in shared):
        return
    try:
        check_for_order_independence(list(block.vector), variables, block.indices)
    except OrderDependenceError:
        store.site.code = "; ".join(f"{s.var} {s.op} {s.expr}" for s in block.vector)
        hint = "read what was before the event, or let each unit have one such synapse"
        raise store.site.refuse("the outcome depends on the order of the synapses", hint=hint) from None


def _unique(block: Block, name: str) -> bool:
    places = block.places(name)
    return places is None or len(np.unique(places)) == len(places)


def summed(store: Store, item: Any, block: Block | None) -> None:
    """Carry out a summed variable: in each unit the sum of an expression over its synapses, every step."""
    variable, settings = item.target_var, item.template_kwds
    start = settings["_target_start"]
    stop = settings["_target_stop"] if settings["_target_stop"] >= 0 else variable.size
    places = np.asarray(settings["_index_var"].get_value()).astype(np.int64)
    total: Term = np.zeros(variable.size)
    if block is not None and block.size:
        run = CodeRun(store=store, block=block, clock=item.clock)
        run.all()
        index = np.arange(block.size)
        value = algebra.as_value(run.local["_synaptic_var"], block.size)
        total = add_up(value, np.ones(len(index)), index, places, variable.size, index)
    inside: Term = (np.arange(variable.size) >= start) & (np.arange(variable.size) < stop)
    active = store.active(item.clock)
    mask = inside if active is None else algebra.both(inside, active)
    store.write(variable, algebra.select(mask, total, store.read(variable)))
