"""States that a user gives, checked against the graph before a session goes on from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import ArrayLike

from thermoc.ir.dialects.core import Delay, Input
from thermoc.ir.feed import takes_as_temperature
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.types import Role
from thermoc.ir.values import Value
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import Finding, ThermocError
from thermoc.support.suggestions import near

FITTING = {"f": "biuf", "i": "biu", "b": "b"}
"""By the kind of a dtype, the kinds of those that it takes."""


def unknown_state(name: object, names: list[str]) -> Finding:
    """Return the finding that there is no such state."""
    return Finding(
        code="T404", what=f"there is no state {name!r}", notes=(f"the states are {names}",), hint=near(name, names)
    )


def checked_states(graph: Graph, now: Mapping[str, AnyArray], given: Mapping[str, ArrayLike]) -> dict[str, AnyArray]:
    """Return states as arrays (batch, *shape) in their dtypes; what is given may be one sample's, for all.

    now: the states as they are. Errors: T404 (an unknown name), T403 (shape, dtype, or a value that no run reaches: a
    number that is not finite, a temperature that is not > 0, a spike that is none, an integer beyond its register,
    samples that differ where all have the same). All findings at once.
    """
    findings: list[Finding] = []
    arrays: dict[str, AnyArray] = {}
    for name, value in given.items():
        if name not in now:
            findings.append(unknown_state(name, list(now)))
            continue
        try:
            array = np.asarray(value)
        except ValueError as reason:
            notes = (str(reason),)
            findings.append(Finding(code="T403", what=f"state {name!r} is not a regular array", notes=notes))
            continue
        problems = list(_misfits(name, array, now[name]))
        if not problems:
            arrays[name] = np.broadcast_to(array, now[name].shape).astype(now[name].dtype)
            owner, _, state = name.rpartition(".")
            problems = list(_values(graph, graph.producers[owner], state, arrays[name]))
        findings += problems
    if findings:
        raise ThermocError(findings)
    return arrays


def _misfits(name: str, array: AnyArray, now: AnyArray) -> Iterator[Finding]:
    sample_shape = now.shape[1:]
    if array.shape not in (now.shape, (1, *sample_shape), sample_shape, ()):
        notes = (
            f"it is {list(array.shape)}",
            f"expected {list(now.shape)}, one sample's {list(sample_shape)}, or a number",
        )
        yield Finding(code="T403", what=f"state {name!r} has the wrong shape", notes=notes)
    elif array.dtype.kind not in FITTING[now.dtype.kind]:
        notes = (f"it is {array.dtype}", f"the network has {now.dtype}")
        yield Finding(code="T403", what=f"state {name!r} has the wrong dtype", notes=notes)
    elif now.dtype.kind == "i" and array.size:
        limits, low, high = np.iinfo(now.dtype), int(array.min()), int(array.max())
        if not limits.min <= low <= high <= limits.max:
            notes = (f"it has {low} to {high}", f"{now.dtype} holds {limits.min} to {limits.max}")
            yield Finding(code="T403", what=f"state {name!r} has numbers it cannot hold", notes=notes)


def _values(graph: Graph, op: Op, state: str, array: AnyArray) -> Iterator[Finding]:
    """Yield a finding for each condition that an element does not meet."""
    value = _value(op, state)
    conditions: list[tuple[str, AnyArray]] = []
    if value is not None and _is_temperature(graph, op, value):
        conditions.append(("finite and > 0, as a temperature is", np.isfinite(array) & (array > 0)))
    else:
        conditions.append(("finite", np.isfinite(array)))
    if value is not None and value.inferred.role is Role.spike and _computed(graph, value):
        conditions.append(("a spike: 0 or 1, or -1 and 1", np.isin(array, (-1, 0, 1))))
    if state in op.state_ranges():
        low, high = op.state_ranges()[state]
        conditions.append((f"{low} to {high}", (array >= low) & (array <= high)))
    if op.results[0].name in graph.uniform:
        conditions.append(("the same for every sample, which nothing in it tells apart", array == array[:1]))
    for condition, good in conditions:
        if not good.all():
            where = [int(index) for index in np.argwhere(~good)[0]]
            what = f"state '{op.results[0].name}.{state}' must be {condition}"
            notes = (f"element {where} is {array[tuple(where)]}",)
            yield Finding(code="T403", what=what, where=op.location, notes=notes)


def _value(op: Op, state: str) -> Value | None:
    """Return the value that a state is of: what a delay returns, or the result of the state's own name."""
    return op.y if isinstance(op, Delay) else getattr(op, state, None) if state in op.result_specs else None


def _is_temperature(graph: Graph, op: Op, value: Value) -> bool:
    # A step of a heat equation is arithmetic, whose results have no role; its initial value still has one.
    begins = isinstance(op, Delay) and op.initial.inferred.role is Role.temperature
    return begins or takes_as_temperature(graph, value)


def _computed(graph: Graph, spikes: Value) -> bool:
    """Tell whether spikes are a network's own; those that are fed may be any number."""
    followed, visited = [spikes], {spikes.name}
    while followed:
        op = graph.producers[followed.pop().name]
        if isinstance(op, Input):
            return False
        sources = [value for value in op.inputs if value.inferred.role is Role.spike and value.name not in visited]
        visited.update(value.name for value in sources)
        followed += sources
    return True
