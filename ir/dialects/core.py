"""Dataflow and arithmetic: inputs, outputs, constants, delays, linear maps, reshaping, elementwise, reductions."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from thermoc.ir.ops import (
    CLOCKED,
    CURVED,
    EXACT,
    GENTLE,
    RISING,
    ROUNDED_ONCE,
    STATEFUL,
    STEEP,
    VIEW,
    Op,
    ShapeProblem,
    all_positive,
    array,
    at_least_one,
    attr,
    boolean,
    integers,
    one_of,
    op,
    operand,
    operands,
    pairs,
    result,
)
from thermoc.ir.types import DType, Role, Shape
from thermoc.ir.values import Array, Value
from thermoc.ir.windows import Pairs, per_axis, windowed

# ---------------------------------------------------------------------------------------------- ends of the graph


@op("core.input")
class Input(Op):
    """A value given from outside at each tick, under a name."""

    name: str = attr()
    shape: Shape = attr(check=integers)
    dtype: DType = attr(default=DType.f64)
    role: Role = attr(default=Role.signal)
    y: Value = result("*s")

    traits: ClassVar = frozenset({EXACT})

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        return {"y": self.shape}


@op("core.output")
class Output(Op):
    """A value returned at each tick, under a name."""

    name: str = attr()
    x: Value = operand("*s", kind="any")


@op("core.probe")
class Probe(Output):
    """An output that is returned only where a run asks for it by name; it costs nothing in those that do not."""


@op("core.constant")
class Constant(Op):
    """An array known at compile time, the same for every sample and tick."""

    value: Array = attr(check=array)
    role: Role = attr(default=Role.signal)
    y: Value = result("*s")

    traits: ClassVar = frozenset({EXACT})

    @property
    def dtype(self) -> DType | None:
        """The array's dtype."""
        return DType.of(self.value.numpy.dtype)

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        return {"y": self.value.numpy.shape}


@op("core.parameter")
class Parameter(Op):
    """A named array, the same for every sample and tick, that can be replaced without compiling again.

    ``value`` is the initial one. ``trainable`` tells who learns whether it may change; it changes no result.
    """

    name: str = attr()
    value: Array = attr(check=array)
    trainable: bool = attr(default=True, check=boolean)
    role: Role = attr(default=Role.signal)
    y: Value = result("*s")

    traits: ClassVar = frozenset({EXACT})

    @property
    def dtype(self) -> DType | None:
        """The array's dtype."""
        return DType.of(self.value.numpy.dtype)

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        return {"y": self.value.numpy.shape}


Stored = Constant | Parameter
"""Ops whose numbers are known: a parameter's are the initial ones."""


@op("core.tick")
class Tick(Op):
    """The number of the tick, from 0; the time is tick * dt."""

    # Of 64 bits, for a run may have 2^32 ticks.
    y: Value = result("", dtype=DType.i64, role=Role.index)

    traits: ClassVar = frozenset({CLOCKED, EXACT})


@op("core.delay")
class Delay(Op):
    """y(t) = x(t - ticks), and ``initial`` while t < ticks."""

    x: Value = operand("*s", kind="any")
    initial: Value = operand("~s", kind="any", uniform=True, default=0.0)
    ticks: int = attr(default=1, check=at_least_one)
    y: Value = result("*s", like="x")

    traits: ClassVar = frozenset({STATEFUL, EXACT})
    # x acts in later ticks alone, which lets a cycle close through a delay.
    instant: ClassVar = ("initial",)

    def states(self) -> dict[str, Shape]:
        return {"buffer": (self.ticks, *self.y.shape)}


# ------------------------------------------------------------------------------------------------- linear maps


@op("core.affine")
class Affine(Op):
    """y = W x + b over the last axis; the weight is (out, in), NIR's and torch's order (P2)."""

    x: Value = operand("*s n")
    # Uniform, so that a target may keep it as one matrix; two values that vary are a matmul.
    weight: Value = operand("m n", uniform=True)
    bias: Value | None = operand("m", optional=True, uniform=True)
    y: Value = result("*s m")


@op("core.sparse_affine")
class SparseAffine(Op):
    """y = W x + b with W in compressed rows: row i holds entries offsets[i] to offsets[i + 1].

    values are the entries, columns their places along x; offsets has one more element than y.
    """

    x: Value = operand("n")
    values: Value = operand("z", uniform=True)
    columns: Value = operand("z", kind="index", uniform=True)
    offsets: Value = operand("k", kind="index", uniform=True)
    bias: Value | None = operand("m", optional=True, uniform=True)
    y: Value = result("m")

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        rows = shapes["offsets"][0] - 1
        if rows < 0:
            raise ShapeProblem("offsets must hold at least one element", "offsets has length 0")
        # No letter can say that offsets has one element more than y.
        if shapes["bias"] not in (None, (rows,)):
            raise ShapeProblem(
                "bias and offsets disagree", f"bias has shape {list(shapes['bias'])}", f"offsets names {rows} rows"
            )
        return {"y": (rows,)}


@op("core.matmul")
class Matmul(Op):
    """y = a b, matrix by matrix over equal leading axes."""

    a: Value = operand("*b m k")
    b: Value = operand("*b k n")
    y: Value = result("*b m n")


@op("core.conv")
class Conv(Op):
    """Cross-correlation over one or two axes: x (in, *space), weight (out, in / groups, *window) (P41).

    y[o, p] = sum_{c, k} weight[o, c, k] x[c, stride p + dilation k - padding before] + bias[o], zeros outside.
    """

    x: Value = operand("c *s")
    weight: Value = operand("o d *w", uniform=True)
    bias: Value | None = operand("o", optional=True, uniform=True)
    # None stands only until ``complete`` knows how many axes there are.
    stride: tuple[int, ...] = attr(default=None, check=all_positive)
    padding: Pairs = attr(default=None, check=pairs)
    dilation: tuple[int, ...] = attr(default=None, check=all_positive)
    groups: int = attr(default=1, check=at_least_one)
    y: Value = result("*t")

    @classmethod
    def complete(cls, attrs: dict[str, Any], shapes: dict[str, Any]) -> dict[str, Any]:
        """Stride and dilation 1, no padding; one number serves every axis, and both ends of it."""
        return per_axis({"stride": 1, "dilation": 1, "padding": 0} | attrs, len(shapes["x"]) - 1)

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        x, weight = shapes["x"], shapes["weight"]
        if len(x) not in (2, 3) or len(weight) != len(x) + 1:
            raise ShapeProblem(
                "one or two space axes are needed in both", f"x has shape {list(x)}", f"weight has shape {list(weight)}"
            )
        if x[0] != weight[1] * self.groups or weight[0] % self.groups:
            raise ShapeProblem(
                "channels do not fit the groups",
                f"x has {x[0]} channels",
                f"weight is for {weight[1]} x {self.groups} groups and gives {weight[0]}",
            )
        return {"y": (weight[0], *windowed(x[1:], weight[2:], self.stride, self.padding, self.dilation))}


@op("core.pool")
class Pool(Op):
    """Maximum, mean or sum over windows of one or two space axes: x (channels, *space).

    The mean counts padded zeros, as torch's default does; the maximum ignores them.
    """

    x: Value = operand("c *s")
    kind: str = attr(check=one_of("max", "mean", "sum"))
    window: tuple[int, ...] = attr(check=all_positive)
    stride: tuple[int, ...] = attr(default=None, check=all_positive)
    padding: Pairs = attr(default=None, check=pairs)
    y: Value = result("*t", like="x")

    @classmethod
    def complete(cls, attrs: dict[str, Any], shapes: dict[str, Any]) -> dict[str, Any]:
        """Windows side by side, no padding; one number serves every axis, and both ends of it."""
        return per_axis({"stride": attrs["window"], "padding": 0} | attrs, len(shapes["x"]) - 1)

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        x = shapes["x"]
        # torch refuses more: a window could lie in the padding alone, and its maximum be of nothing.
        if any(2 * max(pair) > size for pair, size in zip(self.padding, self.window)):
            raise ShapeProblem(
                "padding is more than half the window", f"padding is {self.padding}", f"window is {self.window}"
            )
        return {"y": (x[0], *windowed(x[1:], self.window, self.stride, self.padding, (1,) * len(self.window)))}


# --------------------------------------------------------------------------------------------------- reshaping


@op("core.reshape")
class Reshape(Op):
    """The same elements, in the same order (last axis fastest), under another shape."""

    x: Value = operand("*s", kind="any")
    shape: Shape = attr(check=integers)
    y: Value = result("*t", like="x")

    traits: ClassVar = frozenset({VIEW, EXACT})

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        if math.prod(shapes["x"]) != math.prod(self.shape):
            raise ShapeProblem("sizes differ", f"x has shape {list(shapes['x'])}", f"shape is {list(self.shape)}")
        return {"y": self.shape}


@op("core.flatten")
class Flatten(Op):
    """The elements of one sample as a vector."""

    x: Value = operand("*s", kind="any")
    y: Value = result("n", like="x")

    traits: ClassVar = frozenset({VIEW, EXACT})

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        return {"y": (math.prod(shapes["x"]),)}


@op("core.transpose")
class Transpose(Op):
    """Axes in another order: axis i of y is axis axes[i] of x."""

    x: Value = operand("*s", kind="any")
    axes: tuple[int, ...] = attr(check=integers)
    y: Value = result("*t", like="x")

    traits: ClassVar = frozenset({VIEW, EXACT})

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        if sorted(self.axes) != list(range(len(shapes["x"]))):
            raise ShapeProblem("axes is no permutation", f"x has {len(shapes['x'])} axes", f"axes is {list(self.axes)}")
        return {"y": tuple(shapes["x"][axis] for axis in self.axes)}


@op("core.broadcast")
class Broadcast(Op):
    """x repeated to ``shape`` by NumPy's rule."""

    x: Value = operand("*s", kind="any")
    shape: Shape = attr(check=integers)
    y: Value = result("*t", like="x")

    traits: ClassVar = frozenset({VIEW, EXACT})

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        x = shapes["x"]
        # NumPy aligns shapes at their last axes.
        if len(x) > len(self.shape) or any(a not in (1, b) for a, b in zip(x[::-1], self.shape[::-1])):
            raise ShapeProblem(
                "x does not broadcast to shape", f"x has shape {list(x)}", f"shape is {list(self.shape)}"
            )
        return {"y": self.shape}


@op("core.concat")
class Concat(Op):
    """Values one after another along ``axis``."""

    xs: tuple[Value, ...] = operands("?", kind="any")
    axis: int = attr(default=0)
    y: Value = result("*t", like="xs")

    traits: ClassVar = frozenset({EXACT})

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        first, *following = shapes["xs"]
        axis = axis_of(self.axis, len(first))
        for index, shape in enumerate(following, 1):
            if len(shape) != len(first) or any(a != b for i, (a, b) in enumerate(zip(first, shape)) if i != axis):
                raise ShapeProblem(
                    f"shapes differ off axis {axis}",
                    f"xs[0] has shape {list(first)}",
                    f"xs[{index}] has shape {list(shape)}",
                )
        return {"y": (*first[:axis], sum(shape[axis] for shape in shapes["xs"]), *first[axis + 1 :])}


@op("core.slice")
class Slice(Op):
    """x[starts[0]:stops[0]:steps[0], ...], one entry an axis, 0 <= start <= stop <= length, step >= 1."""

    x: Value = operand("*s", kind="any")
    starts: tuple[int, ...] = attr(check=integers)
    stops: tuple[int, ...] = attr(check=integers)
    steps: tuple[int, ...] = attr(check=integers)
    y: Value = result("*t", like="x")

    traits: ClassVar = frozenset({VIEW, EXACT})

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        x, cuts = shapes["x"], (self.starts, self.stops, self.steps)
        if any(len(cut) != len(x) for cut in cuts):
            raise ShapeProblem("one start, stop and step an axis are needed", f"x has {len(x)} axes")
        for length, start, stop, step in zip(x, *cuts):
            # Written out, so that no target has to know Python's rules for negative bounds.
            if not 0 <= start <= stop <= length or step < 1:
                raise ShapeProblem(
                    "a cut lies outside x", f"x has length {length}", f"the cut is {start}:{stop}:{step}"
                )
        return {"y": tuple(-((start - stop) // step) for start, stop, step in zip(*cuts))}


# -------------------------------------------------------------------------------------------------- elementwise


def _unary(name: str, doc: str, *traits: str) -> type[Op]:
    body = {
        "__doc__": doc,
        "__module__": __name__,
        "__annotations__": {"x": Value, "y": Value},
        "traits": frozenset(traits),
        "x": operand("*s"),
        "y": result("*s"),
    }
    return op(f"core.{name}")(type(name.title().replace("_", ""), (Op,), body))


def _binary(name: str, doc: str, *traits: str, kind: str = "float", to: DType | None = None) -> type[Op]:
    body = {
        "__doc__": doc,
        "__module__": __name__,
        "__annotations__": {"a": Value, "b": Value, "y": Value},
        "traits": frozenset(traits),
        "a": operand("~s", kind=kind),
        "b": operand("~s", kind=kind),
        "y": result("*s", dtype=to),
    }
    return op(f"core.{name}")(type(name.title().replace("_", ""), (Op,), body))


Neg = _unary("neg", "-x.", EXACT)
Abs = _unary("abs", "|x|.", EXACT, CURVED, GENTLE)
Sign = _unary("sign", "-1, 0 or 1.", EXACT, CURVED, RISING)
Exp = _unary("exp", "e^x.", ROUNDED_ONCE, CURVED, RISING, STEEP)
Expm1 = _unary("expm1", "e^x - 1, exact near 0.", ROUNDED_ONCE, CURVED, RISING, STEEP)
Log = _unary("log", "Natural logarithm; -inf at 0, NaN below.", ROUNDED_ONCE, CURVED, STEEP)
Sqrt = _unary("sqrt", "Square root; NaN below 0.", ROUNDED_ONCE, CURVED, STEEP)
Sin = _unary("sin", "Sine of radians.", ROUNDED_ONCE, CURVED)
Cos = _unary("cos", "Cosine of radians.", ROUNDED_ONCE, CURVED)
Tanh = _unary("tanh", "Hyperbolic tangent.", ROUNDED_ONCE, CURVED, RISING)
Floor = _unary("floor", "Greatest integer not above x.", EXACT, CURVED, RISING)

Add = _binary("add", "a + b.", ROUNDED_ONCE, RISING)
Sub = _binary("sub", "a - b.", ROUNDED_ONCE)
Mul = _binary("mul", "a b.", ROUNDED_ONCE)
Div = _binary("div", "a / b.", ROUNDED_ONCE)
Pow = _binary("pow", "a^b; NaN where a < 0 and b is not an integer.", ROUNDED_ONCE, CURVED, STEEP)
Minimum = _binary("minimum", "The smaller.", EXACT, CURVED, RISING)
Maximum = _binary("maximum", "The larger.", EXACT, CURVED, RISING)
# Comparisons take integers too, such as ticks and places; arithmetic is of floats.
Less = _binary("less", "a < b.", EXACT, kind="number", to=DType.bool)
LessEqual = _binary("less_equal", "a <= b.", EXACT, kind="number", to=DType.bool)
Greater = _binary("greater", "a > b.", EXACT, kind="number", to=DType.bool)
GreaterEqual = _binary("greater_equal", "a >= b.", EXACT, kind="number", to=DType.bool)
Equal = _binary("equal", "a = b, exactly.", EXACT, kind="number", to=DType.bool)
And = _binary("and", "Both.", EXACT, RISING, kind="bool", to=DType.bool)
Or = _binary("or", "Either.", EXACT, RISING, kind="bool", to=DType.bool)


@op("core.not")
class Not(Op):
    """True where x is false."""

    x: Value = operand("*s", kind="bool")
    y: Value = result("*s")

    traits: ClassVar = frozenset({EXACT})


@op("core.select")
class Select(Op):
    """a where ``condition`` is true, b elsewhere."""

    condition: Value = operand("~s", kind="bool")
    a: Value = operand("~s")
    b: Value = operand("~s")
    # The first operand is the condition, whose dtype is not the result's.
    y: Value = result("*s", like="a")

    traits: ClassVar = frozenset({EXACT})


@op("core.cast")
class Cast(Op):
    """x in another dtype: floats to integers towards zero, true is 1."""

    x: Value = operand("*s", kind="any")
    dtype: DType = attr()
    role: Role = attr(default=Role.signal)
    y: Value = result("*s")

    traits: ClassVar = frozenset({EXACT})


# --------------------------------------------------------------------------------------------------- reductions


@op("core.reduce")
class Reduce(Op):
    """Sum, mean, max, min, argmax or argmin over ``axes``, which vanish; the first of equals for arg."""

    x: Value = operand("*s")
    kind: str = attr(check=one_of("sum", "mean", "max", "min", "argmax", "argmin"))
    axes: tuple[int, ...] = attr(default=None, check=integers)
    y: Value = result("*t")

    @classmethod
    def complete(cls, attrs: dict[str, Any], shapes: dict[str, Any]) -> dict[str, Any]:
        """All axes; one number is one axis, and a negative one counts from the end."""
        axes, count = attrs.get("axes"), len(shapes["x"])
        listed = tuple(range(count)) if axes is None else (axes,) if isinstance(axes, int) else axes
        return attrs | {"axes": tuple(axis + count if -count <= axis < 0 else axis for axis in listed)}

    @property
    def dtype(self) -> DType | None:
        """Places are i64; everything else keeps x's dtype."""
        return DType.i64 if self.kind.startswith("arg") else None

    @property
    def role(self) -> Role | None:
        """Places are indices."""
        return Role.index if self.kind.startswith("arg") else None

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        x = shapes["x"]
        if len(set(self.axes)) != len(self.axes) or any(not 0 <= axis < len(x) for axis in self.axes):
            raise ShapeProblem("axes are repeated or outside x", f"x has {len(x)} axes", f"axes are {list(self.axes)}")
        # A place is a single number along one axis only.
        if self.kind.startswith("arg") and len(self.axes) != 1:
            raise ShapeProblem(f"{self.kind} works over one axis", f"axes are {list(self.axes)}")
        # The sum of nothing is 0; a mean or an extreme of nothing has no value.
        if self.kind != "sum" and math.prod(x[axis] for axis in self.axes) == 0:
            raise ShapeProblem(f"{self.kind} of nothing", f"x has shape {list(x)}")
        return {"y": tuple(length for axis, length in enumerate(x) if axis not in self.axes)}


def axis_of(axis: int, count: int) -> int:
    """Return a possibly negative axis as 0 <= axis < count. Raises ShapeProblem outside."""
    if not -count <= axis < count:
        raise ShapeProblem("no such axis", f"axis is {axis}", f"there are {count} axes")
    return axis % count
