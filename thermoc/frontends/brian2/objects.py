"""What each kind of object of a Brian2 network does in a tick. One entry a class; every other is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from thermoc.frontends.brian2 import algebra, calls, monitors, synapses
from thermoc.frontends.brian2.algebra import Term, apply
from thermoc.frontends.brian2.code import OPERATIONS, Block, CodeRun, block_of
from thermoc.frontends.brian2.gather import add_up
from thermoc.frontends.brian2.site import MOST_ELEMENTS, ObjectSite
from thermoc.frontends.brian2.variables import Store

GROUPS = ("NeuronGroup", "Synapses", "PoissonGroup", "Network", "Subgroup")
"""Objects whose parts are objects of their own, and which do nothing themselves."""
CODE = ("StateUpdater", "SubexpressionUpdater", "Thresholder", "Resetter", "SynapticPathway", "SummedVariableUpdater")
CODE = (*CODE, "CodeRunner", "PoissonInput")
MONITORS = ("StateMonitor", "SpikeMonitor", "EventMonitor", "PopulationRateMonitor")
SOURCES = ("SpikeGeneratorGroup",)
_WHY = {
    "NetworkOperation": "a Python function runs in the simulation, which no other target has",
    "SpatialNeuron": "neurons of several compartments are solved together",
    "SpatialStateUpdater": "neurons of several compartments are solved together",
}


@dataclass(frozen=True, kw_only=True)
class ScheduledObject:
    """An object, and its code where it has some."""

    item: Any
    block: Block | None = None

    @property
    def kind(self) -> str:
        """The object's class."""
        return type(self.item).__name__


def parts(objects: list[Any], site: ObjectSite) -> list[ScheduledObject]:
    """Return what is to be carried out, in the order of the schedule. Errors: T508 for an object that is not read."""
    made: list[ScheduledObject] = []
    for item in objects:
        site.enter(item)
        kind = type(item).__name__
        if kind in GROUPS or not item.active:
            continue
        if kind not in (*CODE, *MONITORS, *SOURCES):
            raise site.refuse(_WHY.get(kind, "this kind of object is not read"))
        made.append(ScheduledObject(item=item, block=_block(item, site) if kind in (*CODE, "StateMonitor") else None))
    return made


def _block(item: Any, site: ObjectSite) -> Block | None:
    if item.codeobj is not None and type(item.codeobj).__name__.startswith("GSL"):
        raise site.refuse("its equations are integrated by the GSL with steps of its own", hint="take method='rk4'")
    if type(item).__name__ == "StateMonitor":
        return block_of(item, item.n_indices, domain=np.asarray(item.record).astype(np.int64))
    group = item.synapses if type(item).__name__ == "SynapticPathway" else item.group
    return block_of(item, int(group.variables["N"].get_value()))


def written(all_parts: list[ScheduledObject]) -> dict[int, Any]:
    """Return the variables that something writes to."""
    return {id(variable): variable for scheduled in all_parts for variable in _writes(scheduled)}


def _writes(part: ScheduledObject) -> Iterator[Any]:
    item = part.item
    if part.kind not in MONITORS and part.block is not None:
        yield from part.block.writes()
    if part.kind == "Thresholder":
        yield item.template_kwds["eventspace_variable"]
        if item.template_kwds["_uses_refractory"]:
            yield from (item.group.variables[name] for name in ("not_refractory", "lastspike"))
    elif part.kind == "SpikeGeneratorGroup":
        yield item.variables["_spikespace"]
    elif part.kind == "SummedVariableUpdater":
        yield item.target_var


# ------------------------------------------------------------------------------------------------- carrying out


def _code(store: Store, part: ScheduledObject) -> None:
    if part.block is not None and part.block.size:
        clock = part.item.clock
        _run(store, part.block, clock, lambda: store.active(clock)).all()


def _run(store: Store, block: Block, clock: Any, when: Callable[[], Term | None]) -> CodeRun:
    return CodeRun(store=store, block=block, clock=clock, when=when, shared_write=_shared)


def _shared(run: CodeRun, statement: Any, value: Any) -> None:
    """A unit writes into a variable linked from another group, which several units may share."""
    places = run.block.places(statement.var)
    assert places is not None
    if len(np.unique(places)) < len(places):
        raise run.store.site.refuse(f"several units write into one element of {statement.var}")
    variable = run.block.variables[statement.var]
    if statement.op != "=":
        value = apply(OPERATIONS[statement.op], run.name(statement.var), value)
    condition = run.block.condition_of(statement.var)
    run.put(variable, statement.var, value, algebra.both(run.mask, None if condition is None else run.name(condition)))


def _threshold(store: Store, part: ScheduledObject) -> None:
    item, block = part.item, part.block
    assert block is not None
    active = store.active(item.clock)
    run = CodeRun(store=store, block=block, clock=item.clock)
    run.all()
    events = item.template_kwds["eventspace_variable"]
    condition = algebra.both(algebra.spread(algebra.truth(run.local["_cond"]), block.size), active)
    fired = algebra.spikes(condition, block.size)
    # The events stay where they are until the clock's next step.
    store.write(events, fired if active is None else algebra.select(active, fired, store.read(events)))
    if item.template_kwds["_uses_refractory"]:
        _refractory(store, item, apply("greater", fired, 0.5))


def _refractory(store: Store, item: Any, fired: Any) -> None:
    variables = item.group.variables
    free, last = variables["not_refractory"], variables["lastspike"]
    store.write(free, apply("and", store.read(free), apply("not", fired)))
    store.write(last, algebra.select(fired, store.read(variables["t"]), store.read(last)))


def _reset(store: Store, part: ScheduledObject) -> None:
    if part.block is None:
        return
    fired = apply("greater", store.read(part.item.template_kwds["eventspace_variable"]), 0.5)
    clock = part.item.clock
    _run(store, part.block, clock, lambda: algebra.both(fired, store.active(clock))).all()


def _spike_generator(store: Store, part: ScheduledObject) -> None:
    """Spikes at listed steps: 1 where the step is one of the unit's."""
    item = part.item
    bins = np.asarray(item.variables["_timebins"].get_value()).astype(np.int64)
    units = np.asarray(item.variables["neuron_index"].get_value()).astype(np.int64)
    period = float(np.asarray(item.variables["_period_bins"].get_value()).reshape(-1)[0])
    if len(bins) > MOST_ELEMENTS:
        raise store.site.refuse("there are too many spikes", f"the limit is {MOST_ELEMENTS}", code="T504")
    events, size = item.variables["_spikespace"], events_of(item)
    step = store.steps(item.clock)
    if period > 0:
        start = apply("mul", apply("floor", apply("div", step, period)), period)
        step = apply("sub", step, start)
        units, bins = units[bins < period], bins[bins < period]
    times = np.unique(bins)
    if not len(times):
        store.write(events, algebra.spikes(np.zeros(size, bool), size))
        return
    now = algebra.number(apply("equal", step, times.astype(np.float64)))
    sums = add_up(now, np.ones(len(bins)), np.searchsorted(times, bins), units, size, np.arange(len(bins)))
    store.write(events, algebra.spikes(algebra.both(apply("greater", sums, 0.5), store.active(item.clock)), size))


def events_of(item: Any) -> int:
    """Return how many units a source has."""
    return int(item.variables["_spikespace"].size) - 1


def _poisson_input(store: Store, part: ScheduledObject) -> None:
    """N sources of one rate: a binomial number, or where Brian2 takes the normal law of its mean and width, that."""
    item, block = part.item, part.block
    assert block is not None
    n, p = int(item.N), float(item.rate * item.group.clock.dt)
    counted = _Counting(
        store=store, block=block, clock=item.clock, when=lambda: store.active(item.clock), shared_write=_shared
    )
    counted.trials, counted.chance = n, p
    counted.all()


class _Counting(CodeRun):
    """A run in whose code the one unknown function is the number of sources that fire."""

    trials: int
    chance: float

    def call(self, name: str, nodes: Any, read: Any) -> Any:
        if type(self.block.variables.get(name)).__name__ != "BinomialFunction":
            return super().call(name, nodes, read)
        n, p, shape = self.trials, self.chance, (self.block.size,)
        if n * p > 5 and n * (1 - p) > 5:
            draw = calls.result(self.store, None, "randn", [], shape, self.clock)
            return apply("add", apply("mul", draw, float(np.sqrt(n * p * (1 - p)))), n * p)
        from scipy.stats import binom  # pyright: ignore[reportMissingTypeStubs]

        return calls.count(binom(n, p), shape)


def _pathway(store: Store, part: ScheduledObject) -> None:
    synapses.pathway(store, part.item, part.block)


def _summed(store: Store, part: ScheduledObject) -> None:
    synapses.summed(store, part.item, part.block)


ACTIONS: dict[str, Callable[[Store, ScheduledObject], None]] = {
    "StateUpdater": _code,
    "SubexpressionUpdater": _code,
    "CodeRunner": _code,
    "Thresholder": _threshold,
    "Resetter": _reset,
    "SynapticPathway": _pathway,
    "SummedVariableUpdater": _summed,
    "PoissonInput": _poisson_input,
    "SpikeGeneratorGroup": _spike_generator,
}


def carry_out(store: Store, part: ScheduledObject, names: dict[int, str]) -> None:
    """Let an object do what it does in a tick."""
    store.site.enter(part.item)
    if part.kind in MONITORS:
        monitors.record(store, part.item, part.block, names)
    else:
        ACTIONS[part.kind](store, part)
