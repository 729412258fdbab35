"""Monitors: what they record is an output under their name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from thermoc.frontends.brian2 import algebra
from thermoc.frontends.brian2.code import Block, CodeRun
from thermoc.frontends.brian2.variables import Store
from thermoc.ir.dialects.core import Output
from thermoc.ir.functions import call, current
from thermoc.ir.handle import Handle

SOURCES = ("NeuronGroup", "PoissonGroup", "SpikeGeneratorGroup")
_AUTOMATIC = re.compile(
    r"^(statemonitor|spikemonitor|eventmonitor|ratemonitor|neurongroup|poissongroup|spikegeneratorgroup)(_\d+)?$"
)


def called(item: Any, names: Mapping[int, str]) -> str:
    """Return what an object is called: the name it was given, else that of the Python variable that holds it."""
    return names.get(id(item), item.name) if _AUTOMATIC.match(item.name) else item.name


def record(store: Store, item: Any, block: Block | None, names: Mapping[int, str]) -> None:
    """Add the outputs of a monitor: values at this moment of every tick."""
    kind, name = type(item).__name__, called(item, names)
    if kind == "StateMonitor":
        if store.every(item.clock) > 1:
            facts = (f"it records every {item.clock.dt_:g} s", "record=tc.every(k) keeps each k-th tick of a run")
            store.site.assume(f"monitor {name!r} gives every tick", *facts)
        _states(store, item, block, name)
    elif kind == "PopulationRateMonitor":
        fired = _events(store, item, "_spikespace")
        total = call("core.reduce", fired, kind="sum", axes=(0,))
        rate = algebra.apply("div", algebra.apply("div", total, float(item.clock.dt_)), float(fired.shape[0]))
        _output(f"{name}.rate", algebra.as_value(rate, None))
    else:
        _output(name, _events(store, item, f"_{item.event}space"))


def _states(store: Store, item: Any, block: Block | None, name: str) -> None:
    if block is None or not block.size:
        return
    run = CodeRun(store=store, block=block, clock=item.clock)
    run.all()
    for variable in item.record_variables:
        _output(f"{name}.{variable}", algebra.as_value(run.local[f"_to_record_{variable}"], block.size))


def _events(store: Store, item: Any, space: str) -> Handle:
    """Return who had an event, of the units that the monitor looks at."""
    source = item.source
    events = source.variables[space]
    fired = algebra.as_value(store.read(events), events.size - 1)
    active = store.active(source.clock)
    fired = fired if active is None else algebra.apply("mul", fired, algebra.number(active))
    start, stop = int(getattr(source, "start", 0)), int(getattr(source, "stop", fired.shape[0]))
    if (start, stop) == (0, fired.shape[0]):
        return fired
    return call("core.slice", fired, starts=(start,), stops=(stop,), steps=(1,))


def _output(name: str, value: Handle) -> None:
    current("output").add(Output, {"x": value}, {"name": name})


def all_spikes(store: Store, groups: list[Any], names: Mapping[int, str]) -> bool:
    """Add the spikes of each group as an output, where no monitor records anything; tell whether there are any."""
    recorded = False
    for group in groups:
        events = group.variables["_spikespace"] if type(group).__name__ in SOURCES and _spikes(group) else None
        if events is not None and id(events) in store.written:
            _output(f"{called(group, names)}.spikes", algebra.as_value(store.read(events), events.size - 1))
            recorded = True
    return recorded


def _spikes(group: Any) -> bool:
    return "_spikespace" in group.variables


def all_states(store: Store, groups: list[Any], names: Mapping[int, str]) -> None:
    """Add each variable of equations as an output, where nothing spikes either."""
    for group in groups:
        for variable in getattr(getattr(group, "equations", None), "diff_eq_names", ()):
            value = algebra.as_value(store.read(group.variables[variable]), group.variables[variable].size)
            _output(f"{called(group, names)}.{variable}", value)
