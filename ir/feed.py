"""Inputs of a run, checked against the graph before anything starts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from thermoc.ir.dialects.core import Input
from thermoc.ir.graph import Graph
from thermoc.ir.memory import check_memory
from thermoc.ir.types import Role
from thermoc.ir.values import Value
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import Finding, ThermocError, error
from thermoc.support.suggestions import near

COUNTER = 2**32


@dataclass(frozen=True, kw_only=True)
class Feed:
    """Checked inputs: each array is (ticks, batch, *shape) in the graph's dtype, possibly a broadcast view."""

    arrays: Mapping[str, AnyArray]
    ticks: int
    batch: int

    @property
    def timed(self) -> int:
        """Elements of a sample of the inputs that change over the ticks: those of others have a stride of 0."""
        return sum(math.prod(array.shape[2:]) for array in self.arrays.values() if array.strides[0] != 0)


def feed(
    graph: Graph,
    inputs: Mapping[str, ArrayLike],
    *,
    ticks: int | None = None,
    batch: int | None = None,
    seed: int = 0,
    first_sample: int = 0,
    first_tick: int = 0,
    kept: bool = True,
) -> Feed:
    """Check inputs given as (batch, *shape), constant over the ticks, or (ticks, batch, *shape).

    ticks defaults to what the inputs say, else 1; batch likewise. seed, first_sample and first_tick place the run in
    the noise. kept: every output of every tick will be, so that the memory for it is looked for here. Errors: T401
    (names), T402 (shapes), T403 (dtypes and values), T404 (a number out of range), T408 (more than fits in memory).
    """
    if not isinstance(inputs, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]  (users pass anything)
        raise error("T401", "inputs are arrays by name", notes=[f"a {type(inputs).__name__} was given"])
    numbers = {"ticks": ticks, "batch": batch, "seed": seed, "first_sample": first_sample, "first_tick": first_tick}
    # Names come first: without them no array can be compared with its input.
    findings = [*_names(graph, inputs), *_numbers(numbers, optional=("ticks", "batch"))]
    if findings:
        raise ThermocError(findings)
    ticks, batch = (None if number is None else int(number) for number in (ticks, batch))
    arrays: dict[str, AnyArray] = {}
    for name, op in graph.inputs.items():
        try:
            array = np.asarray(inputs[name])
        except ValueError as reason:
            raise error(
                "T402", f"input {name!r} is not a regular array", where=op.location, notes=[str(reason)]
            ) from None
        problems = [*_shape(op, array), *_values(op, array, hot=is_temperature(graph, op))]
        findings += problems
        if not problems:
            arrays[name] = array.astype(op.dtype.numpy, copy=False)
    if findings:
        raise ThermocError(findings)
    ticks, batch = _agree(graph, arrays, ticks, batch)
    findings = list(_noise(graph, first_sample + batch, first_tick + ticks))
    if findings:
        raise ThermocError(findings)
    # Broadcast views: an input that is constant over the ticks takes its memory once.
    views = {
        name: np.broadcast_to(a if _timed(graph, name, a) else a[np.newaxis], (ticks, batch, *graph.inputs[name].shape))
        for name, a in arrays.items()
    }
    fed = Feed(arrays=views, ticks=ticks, batch=batch)
    if kept:
        check_memory(graph, ticks=ticks, batch=batch, timed=fed.timed)
    return fed


class ExactInputs:
    """Tells inputs of one tick that are arrays of just the dtype and shape of the graph's, and sound, from all others.

    It takes a microsecond an input where ``feed`` takes some tens; what it does not pass may still be right.
    """

    def __init__(self, graph: Graph, batch: int):
        self._inputs = [
            (name, op.dtype.numpy, (batch, *op.shape), op.dtype.is_float, is_temperature(graph, op))
            for name, op in graph.inputs.items()
        ]

    def passes(self, inputs: Mapping[str, ArrayLike]) -> bool:
        """Return whether ``feed`` would take these inputs as they are."""
        # a dictionary is told at once, where the test of an abstract class takes as long as the rest
        supplied: Any = inputs
        if type(supplied) is not dict and not isinstance(supplied, Mapping):
            return False
        if len(inputs) != len(self._inputs):
            return False
        for name, dtype, shape, real, hot in self._inputs:
            array: Any = inputs.get(name)
            if type(array) is not np.ndarray or array.dtype != dtype or array.shape != shape:
                return False
            # A sum of squares is finite only where all numbers are.
            if real and not math.isfinite(np.vdot(array, array)):
                return False
            if hot and array.size and not array.min() > 0:
                return False
        return True


def _names(graph: Graph, inputs: Mapping[str, ArrayLike]) -> Iterator[Finding]:
    names = list(graph.inputs)
    for name in inputs:
        if name not in names:
            yield Finding(
                code="T401",
                what=f"network {graph.name!r} has no input {name!r}",
                notes=(f"its inputs are {names}",),
                hint=near(name, names),
            )
    for name, op in graph.inputs.items():
        if name not in inputs:
            yield Finding(
                code="T401",
                what=f"input {name!r} is missing",
                where=op.location,
                hint=f"give it an array (batch, {', '.join(map(str, op.shape))})",
            )


def checked_numbers(**numbers: int) -> dict[str, int]:
    """Return batch, seed and the like as Python's integers, which JSON takes. Errors: T404, all findings at once."""
    findings = list(_numbers(numbers, optional=()))
    if findings:
        raise ThermocError(findings)
    return {name: int(number) for name, number in numbers.items()}


LIMITS = {
    "ticks": (1, COUNTER),
    "batch": (1, COUNTER),
    "seed": (0, 2**64 - 1),
    "first_sample": (0, COUNTER - 1),
    "first_tick": (0, COUNTER - 1),
}


def _numbers(numbers: Mapping[str, int | None], *, optional: tuple[str, ...]) -> Iterator[Finding]:
    for name, number in numbers.items():
        (low, high), value = LIMITS[name], cast("Any", number)  # users pass anything
        if value is None and name in optional:
            continue
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or not low <= value <= high:
            what = f"{name} must be an integer from {low} to {high}"
            yield Finding(code="T404", what=what, notes=(f"{name} = {value!r}",))


def _noise(graph: Graph, samples: int, ticks: int) -> Iterator[Finding]:
    """A counter has 32 bits for the element and 32 for the tick: beyond them noise would repeat."""
    units = graph.noise_units
    for what, count in (("samples * units", samples * units), ("ticks", ticks)):
        if units and count > COUNTER:
            hint = "split the run over seeds"
            yield Finding(
                code="T404", what=f"{what} exceed the counter of the noise", notes=(f"{count} > {COUNTER}",), hint=hint
            )


def _shape(op: Input, array: AnyArray) -> Iterator[Finding]:
    rank = len(op.shape)
    if (
        array.ndim - rank not in (1, 2)
        or array.shape[array.ndim - rank :] != op.shape
        or 0 in array.shape[: array.ndim - rank]
    ):
        shown = ", ".join(map(str, op.shape))
        yield Finding(
            code="T402",
            what=f"input {op.name!r} has the wrong shape",
            where=op.location,
            notes=(f"it is {list(array.shape)}", f"expected [batch, {shown}] or [ticks, batch, {shown}]"),
            hint="one sample is a batch of one: x[np.newaxis]" if array.shape == op.shape else "",
        )


def is_temperature(graph: Graph, op: Input) -> bool:
    """Whether an input is declared as a temperature, or an op takes it as one."""
    return op.role is Role.temperature or takes_as_temperature(graph, op.y)


def takes_as_temperature(graph: Graph, value: Value) -> bool:
    """Whether a value is a temperature, or an op takes it as one."""
    return value.inferred.role is Role.temperature or any(
        spec.role is Role.temperature and getattr(reader, name) == value
        for reader in graph.consumers.get(value.name, ())
        for name, spec in reader.operand_specs.items()
    )


def _values(op: Input, array: AnyArray, *, hot: bool) -> Iterator[Finding]:
    kinds = {"f": "biuf", "i": "biu", "b": "b"}[op.dtype.numpy.kind]
    if array.dtype.kind not in kinds:
        yield Finding(
            code="T403",
            what=f"input {op.name!r} has the wrong dtype",
            where=op.location,
            notes=(f"it is {array.dtype}", f"the network wants {op.dtype}"),
        )
        return
    if op.dtype.numpy.kind == "i" and array.dtype.kind != "b":
        yield from _integer_range(op, array)
    # Integers and truth values are finite.
    if array.dtype.kind != "f" and not hot:
        return
    good = np.isfinite(array) & (array > 0) if hot else np.isfinite(array)
    if not good.all():
        where = tuple(int(i) for i in np.argwhere(~good)[0])
        condition = "finite and > 0, as a temperature is" if hot else "finite"
        yield Finding(
            code="T403",
            what=f"input {op.name!r} must be {condition}",
            where=op.location,
            notes=(f"element {list(where)} is {array[where]}",),
        )


def _integer_range(op: Input, array: AnyArray) -> Iterator[Finding]:
    """Integers must fit the format that holds them: nothing wraps on its way in."""
    # Compared as Python's integers: a uint64 beside an int64 would turn into a float.
    low, high = np.iinfo(op.dtype.numpy).min, np.iinfo(op.dtype.numpy).max
    if array.size == 0 or low <= int(array.min()) <= int(array.max()) <= high:
        return
    where = tuple(int(i) for i in np.argwhere((array < low) | (array > high))[0])
    notes = (f"element {list(where)} is {array[where]}", f"{op.dtype} holds {low} to {high}")
    yield Finding(code="T403", what=f"input {op.name!r} has numbers it cannot hold", where=op.location, notes=notes)


def _timed(graph: Graph, name: str, array: AnyArray) -> bool:
    return array.ndim == len(graph.inputs[name].shape) + 2


def _agree(graph: Graph, arrays: Mapping[str, AnyArray], ticks: int | None, batch: int | None) -> tuple[int, int]:
    claims: dict[str, dict[str, int]] = {
        "ticks": {} if ticks is None else {"ticks": ticks},
        "batch": {} if batch is None else {"batch": batch},
    }
    for name, array in arrays.items():
        timed = _timed(graph, name, array)
        if timed:
            claims["ticks"][f"input {name!r}"] = array.shape[0]
        claims["batch"][f"input {name!r}"] = array.shape[int(timed)]
    for what, numbers in claims.items():
        if len(set(numbers.values())) > 1:
            notes = [f"{who} says {number}" for who, number in numbers.items()]
            raise error(
                "T402", f"inputs disagree on the number of {'ticks' if what == 'ticks' else 'samples'}", notes=notes
            )
    return next(iter(claims["ticks"].values()), 1), next(iter(claims["batch"].values()), 1)
