"""The meaning of ``core``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from thermoc.ir.dialects import core
from thermoc.ir.element_indices import sliding
from thermoc.ir.reference.meaning import MEANINGS, Context, Delayed, Pure, State, aligned, pure, whole
from thermoc.ir.windows import Pairs
from thermoc.support.array_types import AnyArray, IntArray
from thermoc.support.namespaces import as_type, namespace, row_sums

ELEMENTWISE = {
    core.Neg: "negative",
    core.Abs: "abs",
    core.Sign: "sign",
    core.Exp: "exp",
    core.Expm1: "expm1",
    core.Log: "log",
    core.Sqrt: "sqrt",
    core.Sin: "sin",
    core.Cos: "cos",
    core.Tanh: "tanh",
    core.Floor: "floor",
    core.Add: "add",
    core.Sub: "subtract",
    core.Mul: "multiply",
    core.Div: "divide",
    core.Pow: "pow",
    core.Minimum: "minimum",
    core.Maximum: "maximum",
    core.Less: "less",
    core.LessEqual: "less_equal",
    core.Greater: "greater",
    core.GreaterEqual: "greater_equal",
    core.Equal: "equal",
    core.And: "logical_and",
    core.Or: "logical_or",
    core.Not: "logical_not",
    core.Select: "where",
}
"""The function of the array API standard that each elementwise op is."""


def _elementwise(name: str):
    of_numpy = getattr(np, name)

    def step(op: Any, ctx: Context, *operands: AnyArray) -> AnyArray:
        xp = namespace(*operands)
        function = of_numpy if xp is np else getattr(xp, name)
        # Outside an op's domain NaN and infinity are its meaning, not a fault to warn of.
        with np.errstate(all="ignore"):
            return function(*aligned(*operands))

    return step


for _cls, _name in ELEMENTWISE.items():
    MEANINGS[_cls] = Pure(step=_elementwise(_name))


@pure(core.Constant)
def constant(op: core.Constant, ctx: Context) -> AnyArray:
    return ctx.stored(op)


@pure(core.Parameter)
def parameter(op: core.Parameter, ctx: Context) -> AnyArray:
    return ctx.stored(op)


@pure(core.Tick)
def tick(op: core.Tick, ctx: Context) -> AnyArray:
    return ctx.array(np.array([ctx.tick], np.int64))


@pure(core.Cast)
def cast(op: core.Cast, ctx: Context, x: AnyArray) -> AnyArray:
    with np.errstate(all="ignore"):
        return as_type(x, op.dtype.numpy)


def _delay_start(op: core.Delay, ctx: Context, x: AnyArray | None, initial: AnyArray) -> State:
    first = whole(initial, op.y.inferred)[:, np.newaxis]
    return {"buffer": namespace(first).broadcast_to(first, (first.shape[0], op.ticks, *op.y.shape))}


def _delay_advance(op: core.Delay, ctx: Context, state: State, x: AnyArray, initial: AnyArray) -> State:
    xp, batch = namespace(x), max(x.shape[0], state["buffer"].shape[0])
    old = xp.broadcast_to(state["buffer"], (batch, *state["buffer"].shape[1:]))
    new = xp.broadcast_to(x[:, np.newaxis], (batch, 1, *x.shape[1:]))
    return {"buffer": xp.concat([old[:, 1:], new], axis=1)}


# Read first and advance at the end of the tick: a delay may stand in a cycle.
MEANINGS[core.Delay] = Delayed(start=_delay_start, read=lambda op, state: state["buffer"][:, 0], advance=_delay_advance)


@pure(core.Affine)
def affine(op: core.Affine, ctx: Context, x: AnyArray, weight: AnyArray, bias: AnyArray | None) -> AnyArray:
    y = namespace(x).matmul(x, weight[0].T)
    return y if bias is None else y + bias.reshape(1, *(1,) * (y.ndim - 2), -1)


@pure(core.SparseAffine)
def sparse_affine(
    op: core.SparseAffine,
    ctx: Context,
    x: AnyArray,
    values: AnyArray,
    columns: AnyArray,
    offsets: AnyArray,
    bias: AnyArray | None,
) -> AnyArray:
    if not isinstance(x, np.ndarray):  # pyright: ignore[reportUnnecessaryIsInstance]
        y = row_sums(values * x[:, columns[0]], offsets[0])
        return y if bias is None else y + bias
    counts: Any = np.diff(offsets[0])
    rows: IntArray = np.repeat(np.arange(offsets.shape[1] - 1), counts)  # pyright: ignore[reportUnknownArgumentType]
    y = np.zeros((x.shape[0], offsets.shape[1] - 1), x.dtype)
    for sample in range(x.shape[0]):
        # add.at, not +=: a row has several entries, of which += would add one.
        np.add.at(y[sample], rows, values[0] * x[sample, columns[0]])
    return y if bias is None else y + bias


@pure(core.Matmul)
def matmul(op: core.Matmul, ctx: Context, a: AnyArray, b: AnyArray) -> AnyArray:
    return namespace(a, b).matmul(a, b)


def _windows(x: AnyArray, window: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]) -> AnyArray:
    """Return every window of padded x (batch, channels, *space) as (batch, channels, *places, *window)."""
    span = tuple(spread * (size - 1) + 1 for spread, size in zip(dilation, window))
    views = sliding(x, span)
    places = tuple(slice(None, None, step) for step in stride)
    inside = tuple(slice(None, None, spread) for spread in dilation)
    return views[(slice(None), slice(None), *places, *inside)]


def _padded(x: AnyArray, padding: Pairs, fill: float) -> AnyArray:
    return np.pad(x, ((0, 0), (0, 0), *padding), constant_values=fill)


@pure(core.Conv)
def conv(op: core.Conv, ctx: Context, x: AnyArray, weight: AnyArray, bias: AnyArray | None) -> AnyArray:
    rank, kernel = x.ndim - 2, weight[0]
    views = _windows(_padded(x, op.padding, 0.0), kernel.shape[2:], op.stride, op.dilation)
    groups = zip(np.split(views, op.groups, axis=1), np.split(kernel, op.groups, axis=0))
    taps = (1, *range(2 + rank, 2 + 2 * rank)), tuple(range(1, 2 + rank))
    outputs = [np.moveaxis(np.tensordot(view, weights, axes=taps), -1, 1) for view, weights in groups]
    y = np.concatenate(outputs, axis=1)
    return y if bias is None else y + bias.reshape(1, -1, *(1,) * rank)


@pure(core.Pool)
def pool(op: core.Pool, ctx: Context, x: AnyArray) -> AnyArray:
    # Padding is ignored by a maximum and is zero in a sum, as torch has it.
    fill = -np.inf if op.kind == "max" else 0.0
    views = _windows(_padded(x, op.padding, fill), op.window, op.stride, (1,) * len(op.window))
    axes = tuple(range(x.ndim, views.ndim))
    if op.kind == "max":
        return views.max(axis=axes)
    total = views.sum(axis=axes)
    return total if op.kind == "sum" else total / x.dtype.type(math.prod(op.window))


@pure(core.Reshape)
def reshape(op: core.Reshape, ctx: Context, x: AnyArray) -> AnyArray:
    return x.reshape(x.shape[0], *op.shape)


@pure(core.Flatten)
def flatten(op: core.Flatten, ctx: Context, x: AnyArray) -> AnyArray:
    return x.reshape(x.shape[0], math.prod(x.shape[1:]))


@pure(core.Transpose)
def transpose(op: core.Transpose, ctx: Context, x: AnyArray) -> AnyArray:
    return namespace(x).permute_dims(x, (0, *(axis + 1 for axis in op.axes)))


@pure(core.Broadcast)
def broadcast(op: core.Broadcast, ctx: Context, x: AnyArray) -> AnyArray:
    return whole(x, op.y.inferred)


@pure(core.Concat)
def concat(op: core.Concat, ctx: Context, *xs: AnyArray) -> AnyArray:
    batch = max(x.shape[0] for x in xs)
    axis = core.axis_of(op.axis, xs[0].ndim - 1) + 1
    xp = namespace(*xs)
    return xp.concat([xp.broadcast_to(x, (batch, *x.shape[1:])) for x in xs], axis=axis)


@pure(core.Slice)
def slice_(op: core.Slice, ctx: Context, x: AnyArray) -> AnyArray:
    return x[(slice(None), *(slice(*cut) for cut in zip(op.starts, op.stops, op.steps)))]


@pure(core.Reduce)
def reduce(op: core.Reduce, ctx: Context, x: AnyArray) -> AnyArray:
    axes = tuple(axis + 1 for axis in op.axes)
    if op.kind.startswith("arg"):
        return as_type(getattr(namespace(x), op.kind)(x, axis=axes[0]), np.dtype(np.int64))
    return getattr(namespace(x), op.kind)(x, axis=axes)
