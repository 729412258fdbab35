"""NumPy's functions on values of a network: those that have an op add it, others say what does their work."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from thermoc.ir.functions import call, refused
from thermoc.ir.network_value import NetworkValue
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import ThermocError

UFUNCS: dict[Any, str] = {
    np.add: "core.add",
    np.subtract: "core.sub",
    np.multiply: "core.mul",
    np.divide: "core.div",
    np.power: "core.pow",
    np.float_power: "core.pow",
    np.negative: "core.neg",
    np.absolute: "core.abs",
    np.fabs: "core.abs",
    np.sign: "core.sign",
    np.exp: "core.exp",
    np.expm1: "core.expm1",
    np.log: "core.log",
    np.sqrt: "core.sqrt",
    np.sin: "core.sin",
    np.cos: "core.cos",
    np.tanh: "core.tanh",
    np.floor: "core.floor",
    np.minimum: "core.minimum",
    np.maximum: "core.maximum",
    np.less: "core.less",
    np.less_equal: "core.less_equal",
    np.greater: "core.greater",
    np.greater_equal: "core.greater_equal",
    np.equal: "core.equal",
    np.logical_and: "core.and",
    np.bitwise_and: "core.and",
    np.logical_or: "core.or",
    np.bitwise_or: "core.or",
    np.logical_not: "core.not",
    np.invert: "core.not",
}
COMPOSED: dict[Any, Callable[[Any], Any]] = {
    np.positive: lambda x: x,
    np.square: lambda x: x * x,
    np.reciprocal: lambda x: 1.0 / x,
    np.ceil: lambda x: -call("core.floor", -x),
}
CURES = {
    "floor_divide": "tc.floor(x / y)",
    "remainder": "x - tc.floor(x / y) * y",
    "log1p": "tc.log(1 + x)",
    "log2": "tc.log(x) / math.log(2)",
    "log10": "tc.log(x) / math.log(10)",
    "exp2": "tc.pow(2.0, x)",
    "tan": "tc.sin(x) / tc.cos(x)",
    "sinh": "(tc.exp(x) - tc.exp(-x)) / 2",
    "cosh": "(tc.exp(x) + tc.exp(-x)) / 2",
    "cbrt": "tc.sign(x) * tc.pow(tc.abs(x), 1 / 3)",
    "rint": "tc.floor(x + 0.5)",
    "round": "tc.floor(x + 0.5)",
    "trunc": "tc.sign(x) * tc.floor(tc.abs(x))",
    "isnan": "tc.not_(tc.equal(x, x))",
    "heaviside": "tc.cast(tc.greater(x, 0.0), dtype='f64')",
    "outer": "tc.matmul(tc.reshape(x, shape=(n, 1)), tc.reshape(y, shape=(1, m)))",
    "einsum": "tc.matmul, tc.affine",
    "tensordot": "tc.matmul, tc.affine",
    "convolve": "tc.conv",
    "correlate": "tc.conv",
    "pad": "tc.concat with zeros",
    "std": 'tc.sqrt(tc.reduce((x - tc.reduce(x, kind="mean")) ** 2.0, kind="mean"))',
    "var": 'tc.reduce((x - tc.reduce(x, kind="mean")) ** 2.0, kind="mean")',
}
REDUCED = {"add": "sum", "maximum": "max", "minimum": "min"}


def by_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Return a ufunc's result on values and arrays. Errors: T103, T104, T111."""
    name = ufunc.__name__
    if method != "__call__":
        kind = REDUCED.get(name) if method == "reduce" else None
        hint = f'tc.reduce(x, kind="{kind}")' if kind else "write it with ops of tc"
        raise refused(f"numpy.{name}.{method} has no op", hint=hint)
    if options:
        what = f"numpy.{name} takes no {', '.join(options)} for a value of a network"
        raise refused(what, hint="values are not written into; tc.select chooses, tc.cast changes the dtype")
    if ufunc is np.matmul:
        return product(*inputs)
    if ufunc in COMPOSED:
        return COMPOSED[ufunc](*inputs)
    if ufunc is np.not_equal:
        return call("core.not", call("core.equal", *inputs))
    if ufunc not in UFUNCS:
        raise _without(name)
    return call(UFUNCS[ufunc], *inputs)


def by_function(function: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Return the result of one of NumPy's functions. Errors: T103, T104, T111."""
    if function not in FUNCTIONS:
        raise _without(function.__name__)
    try:
        # What no op does is an unexpected keyword of these functions, and the TypeError names it.
        return FUNCTIONS[function](*args, **options)
    except TypeError as reason:
        hint = "the other options of NumPy's function have no op"
        raise refused(f"numpy.{function.__name__}: {reason}", hint=hint) from None


def _without(name: str) -> ThermocError:
    cure = CURES.get(name)
    hint = f"write {cure}" if cure else "write it with ops of tc: dir(tc) lists them"
    return refused(f"numpy.{name} has no op", hint=hint)


def product(first: Any, second: Any) -> Any:
    """Return ``first @ second`` by NumPy's rule; with an array of numbers it is an affine map. Errors: T103, T111."""
    a: Any = first if isinstance(first, NetworkValue) else np.asarray(first)
    b: Any = second if isinstance(second, NetworkValue) else np.asarray(second)
    if 0 in (a.ndim, b.ndim):
        raise refused("@ takes no value without axes", hint="* multiplies")
    if isinstance(a, np.ndarray) and a.ndim <= 2 and b.ndim == 1:
        # Numbers known now become a weight, which targets can put into synapses and crossbars.
        return _dropped(call("core.affine", b, np.atleast_2d(cast("AnyArray", a))), a.ndim == 1)
    if isinstance(b, np.ndarray) and b.ndim <= 2:
        return _dropped(call("core.affine", a, np.atleast_2d(cast("AnyArray", b).T)), b.ndim == 1)
    if a.ndim == b.ndim == 1:
        return call("core.reduce", a * b, kind="sum")
    if a.ndim == 1 and b.ndim == 2:
        return call("core.reshape", call("core.matmul", a.reshape(1, -1), b), shape=cast("Any", b).shape[1:])
    if a.ndim == 2 and b.ndim == 1:
        return call("core.reshape", call("core.matmul", a, b.reshape(-1, 1)), shape=cast("Any", a).shape[:1])
    return call("core.matmul", a, b)


def _dropped(y: NetworkValue, last: bool) -> Any:
    return call("core.reshape", y, shape=y.shape[:-1]) if last else y


def _reshaped(x: NetworkValue, *shape: Any) -> Any:
    lengths = cast("ArrayLike", shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape)
    sizes = [int(n) for n in np.atleast_1d(lengths)]
    stated = int(np.prod([n for n in sizes if n != -1]))
    full = tuple(x.size // max(stated, 1) if n == -1 else n for n in sizes)
    return x if full == x.shape else call("core.reshape", x, shape=full)


def _reduce(kind: str) -> Callable[..., Any]:
    def reduced(x: NetworkValue, axis: Any = None, *, keepdims: bool = False) -> Any:
        axes = tuple(range(x.ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        # NumPy counts such a place over the flattened array.
        if kind.startswith("arg") and axis is None and x.ndim > 1:
            return reduced(call("core.flatten", x))
        y = call("core.reduce", x, kind=kind, axes=tuple(int(a) for a in axes))
        if not keepdims:
            return y
        reduced_axes = {a % x.ndim for a in axes}
        return call("core.reshape", y, shape=tuple(1 if i in reduced_axes else n for i, n in enumerate(x.shape)))

    return reduced


def _transposed(x: NetworkValue, axes: Any = None) -> Any:
    order = tuple(range(x.ndim))[::-1] if axes is None else tuple(int(a) % max(x.ndim, 1) for a in axes)
    return x if order == tuple(range(x.ndim)) else call("core.transpose", x, axes=order)


def _joined(xs: Any, axis: int = 0) -> Any:
    return call("core.concat", tuple(xs), axis=axis)


def _stacked(xs: Any, axis: int = 0) -> Any:
    values: list[Any] = [x if isinstance(x, NetworkValue) else np.asarray(x) for x in xs]
    # The new axis counts too, so that -1 is behind all others.
    at = axis % (values[0].ndim + 1)
    return _joined([x.reshape((*x.shape[:at], 1, *x.shape[at:])) for x in values], at)


def _clipped(x: Any, low: Any = None, high: Any = None) -> Any:
    x = x if low is None else call("core.maximum", x, low)
    return x if high is None else call("core.minimum", x, high)


def _selected(condition: Any, a: Any, b: Any) -> Any:
    return call("core.select", condition, a, b)


def _flattened(x: NetworkValue) -> Any:
    return call("core.flatten", x)


def _broadcast(x: NetworkValue, shape: Any) -> Any:
    return call("core.broadcast", x, shape=tuple(np.atleast_1d(shape).tolist()))


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.sum: _reduce("sum"),
    np.mean: _reduce("mean"),
    np.max: _reduce("max"),
    np.min: _reduce("min"),
    np.argmax: _reduce("argmax"),
    np.argmin: _reduce("argmin"),
    np.concatenate: _joined,
    np.stack: _stacked,
    np.where: _selected,
    np.clip: _clipped,
    np.dot: product,
    np.transpose: _transposed,
    np.reshape: _reshaped,
    np.ravel: _flattened,
    np.broadcast_to: _broadcast,
    np.shape: attrgetter("shape"),
    np.ndim: attrgetter("ndim"),
    np.size: attrgetter("size"),
}
