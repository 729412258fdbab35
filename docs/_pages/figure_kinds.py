"""The sorts of figures of ops: a curve, a course over the ticks, arrays before and after, a truth table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from svg import Line, chart, grids

import thermoc as tc
from thermoc.ir.feed import feed
from thermoc.ir.functions import FUNCTIONS
from thermoc.ir.handle import Handle
from thermoc.ir.reference import interpret

Figure = Callable[[], str]
Outputs = Mapping[str, Handle]


def results(
    build: Callable[[], Outputs], ticks: int = 1, *, dt: float = 1.0, batch: int = 1, **x: Any
) -> dict[str, NDArray]:
    """Return what the reference makes of a network, (ticks, batch, *shape) each, by the names that build gave."""
    with tc.Network("figure", dt=dt) as net:
        named = {f"y{number}": item for number, item in enumerate(build().items())}
        for name, (_, handle) in named.items():
            tc.output(name, handle)
    outputs = interpret(net.graph, feed(net.graph, x, ticks=ticks, batch=batch, seed=7), seed=7).outputs
    return {label: outputs[name] for name, (label, _) in named.items()}


def curve(build: Callable[[Handle], Outputs], low: float = -3.0, high: float = 3.0, *, y: str = "y") -> Figure:
    """Draw results against x."""

    def draw() -> str:
        x = np.linspace(low, high, 241)
        found = results(lambda: build(tc.input("x", x.shape)), x=x[np.newaxis])
        lines = [Line(x=x, y=np.ravel(array), label=label) for label, array in found.items()]
        return chart(lines, x="x", y=y)

    return draw


def course(
    build: Callable[[], Outputs], ticks: int = 60, *, dt: float = 1.0, style: Any = "steps", y: str = "", **x: Any
) -> Figure:
    """Draw results over the ticks; of several units each its own line. y: what they are together."""

    def draw() -> str:
        given: dict[str, Any] = {name: np.expand_dims(array, 1) for name, array in x.items()}
        found = results(build, ticks, dt=dt, **given)
        lines = []
        for label, array in found.items():
            units = array.reshape(ticks, -1)
            names = [label] if units.shape[1] == 1 else [f"{label}[{unit}]" for unit in range(units.shape[1])]
            lines += [
                Line(x=np.arange(ticks), y=course, label=name, style=style) for name, course in zip(names, units.T)
            ]
        return chart(lines, x="tick", y=y or ", ".join(found))

    return draw


def arrays(build: Callable[[Handle], Handle], *, ticks: int = 1, x: NDArray, **constants: NDArray) -> Figure:
    """Draw x, what else there is of constants, and the result of the last tick as grids."""

    def draw() -> str:
        found = results(lambda: {"y": build(tc.input("x", x.shape, dtype=_dtype(x)))}, ticks, x=x[np.newaxis])["y"]
        return grids([("x", x), *constants.items(), ("y", found[-1, 0])])

    return draw


def unary(name: str, low: float = -3.0, high: float = 3.0) -> Figure:
    """Draw an op of one operand."""
    return curve(lambda x: {"": FUNCTIONS[name](x)}, low, high)


def binary(name: str, low: float = -3.0, high: float = 3.0, others: tuple[float, ...] = (-1.0, 0.5, 2.0)) -> Figure:
    """Draw an op of two operands against the first, for some of the second."""
    return curve(lambda x: {f"b = {b:g}": as_float(FUNCTIONS[name](x, b)) for b in others}, low, high)


def logic(name: str) -> Figure:
    """Draw the truth table of an op: a, b and what it makes of them."""
    if name == "core.not":
        return arrays(lambda x: as_float(tc.not_(x)), x=np.array([[0, 1]], bool))
    return arrays(lambda x: as_float(FUNCTIONS[name](x[0], x[1])), x=np.array([[0, 0, 1, 1], [0, 1, 0, 1]], bool))


def as_float(handle: Handle) -> Handle:
    """Return truth values and integers as numbers that a line can be drawn of."""
    return tc.cast(handle, dtype="f64")


def _dtype(array: NDArray) -> str:
    return {"b": "bool", "i": "i32"}.get(array.dtype.kind, "f64")
