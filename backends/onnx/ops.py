"""The table op -> nodes: how each op that ONNX holds is written. Linear maps and windows have their own files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc.backends.onnx import linear, philox, windows
from thermoc.backends.onnx.scope import Scope
from thermoc.ir.dialects import core, thermo
from thermoc.ir.ops import Op

Written = Callable[[Any, Scope], str]


# ------------------------------------------------------------------------------------------------- elementwise


def _elementwise(kind: str) -> Written:
    def write(op: Op, s: Scope) -> str:
        return s.writer(kind, *s.aligned(*op.inputs))

    return write


def _comparison(kind: str) -> Written:
    def write(op: Op, s: Scope) -> str:
        """ONNX wants both operands in one format: NumPy's common one."""
        formats = [value.dtype.numpy for value in op.inputs]
        common = np.result_type(*formats)
        pairs = zip(s.aligned(*op.inputs), formats)
        return s.writer(kind, *(x if dtype == common else s.writer("Cast", x, to=common) for x, dtype in pairs))

    return write


def expm1(op: Op, s: Scope) -> str:
    """e^x - 1; where |x| < 1 as 2 t / (1 - t), t = tanh(x / 2), which loses no digits there."""
    w, x, number = s.writer, s[op.inputs[0]], _number(op, s)
    t = w("Tanh", w("Mul", x, number(0.5)))
    near = w("Div", w("Mul", t, number(2)), w("Sub", number(1), t))
    far = w("Sub", w("Exp", x), number(1))
    return w("Where", w("Less", w("Abs", x), number(1)), near, far)


def cast(op: core.Cast, s: Scope) -> str:
    """Towards zero, as NumPy's."""
    return s.writer("Cast", s[op.x], to=op.dtype.numpy)


def _number(op: Op, s: Scope) -> Callable[[ArrayLike], str]:
    dtype = op.results[0].dtype.numpy
    return lambda number: s.writer.constant(number, dtype)


# --------------------------------------------------------------------------------------------------- reshaping


def reshape(op: core.Reshape, s: Scope) -> str:
    """In ONNX a length of 0 keeps the axis in its place: here the batch."""
    return s.writer("Reshape", s[op.x], s.writer.integers(*(0,) * s.lead(op.x), *op.shape))


def transpose(op: core.Transpose, s: Scope) -> str:
    """The batch stays in front."""
    lead = s.lead(op.x)
    return s.writer("Transpose", s[op.x], perm=(*range(lead), *(axis + lead for axis in op.axes)))


def broadcast(op: core.Broadcast, s: Scope) -> str:
    """Expand broadcasts both ways, so a length of 1 keeps the batch."""
    target_shape = s.writer.integers(*(1,) * s.lead(op.x), *op.shape)
    return s.writer("Expand", s.raised(op.x, len(op.shape)), target_shape)


def concat(op: core.Concat, s: Scope) -> str:
    """Uniform parts are repeated over the batch where another part varies."""
    axis = core.axis_of(op.axis, len(op.y.shape)) + s.lead(op.y)
    return s.writer("Concat", *((s.batched(x) if s.varies(op.y) else s[x]) for x in op.xs), axis=axis)


def slice_(op: core.Slice, s: Scope) -> str:
    """Cut the axes of a sample."""
    w, lead = s.writer, s.lead(op.x)
    if not op.starts:
        return w("Identity", s[op.x])
    # Without axes Slice begins at the first, which may be the batch.
    axes = range(lead, lead + len(op.starts))
    return w("Slice", s[op.x], *(w.integers(*bounds) for bounds in (op.starts, op.stops, axes, op.steps)))


def reduce(op: core.Reduce, s: Scope) -> str:
    """Over no axes a reduction changes nothing, but ONNX would then reduce over all."""
    w, axes = s.writer, tuple(axis + s.lead(op.x) for axis in op.axes)
    # at opset 18 the axis of an arg-reduction is an attribute still, the axes of all others are an input
    if op.kind.startswith("arg"):
        return w({"argmax": "ArgMax", "argmin": "ArgMin"}[op.kind], s[op.x], axis=axes[0], keepdims=0)
    if not axes:
        return w("Identity", s[op.x])
    return w(f"Reduce{op.kind.title()}", s[op.x], w.integers(*axes), keepdims=0)


# -------------------------------------------------------------------------------------------------------- time


def delay(op: core.Delay, s: Scope) -> str:
    """The oldest element of the state."""
    return s.writer("Gather", s.states[op.y.name], s.writer.constant(0, np.int64), axis=s.lead(op.y))


def advanced(op: core.Delay, s: Scope) -> str:
    """Return the state after the tick: without its oldest element, with x as the newest."""
    w, axis, buffer = s.writer, s.lead(op.y), s.states[op.y.name]
    newest = w("Unsqueeze", s[op.x], w.integers(axis))
    if op.ticks == 1:
        return newest
    without_oldest = w("Slice", buffer, w.integers(1), w.integers(op.ticks), w.integers(axis))
    return w("Concat", without_oldest, newest, axis=axis)


# ----------------------------------------------------------------------------------------------- thermodynamics


def thermal_relu(op: thermo.ThermalRelu, s: Scope) -> str:
    """max(x - T, 0) (P7)."""
    return s.writer("Relu", s.writer("Sub", *s.aligned(op.x, op.T)))


def fermi_dirac(op: thermo.FermiDirac, s: Scope) -> str:
    """1 / (1 + e^u), u = (x - mu) / T (P6), which is stable as it stands: an overflow of e^u gives 0.

    Sigmoid would be one node, but runtimes cut it off in float32 (onnxruntime at 1.5e-8), and with it ln p.
    """
    w, (x, T, mu), unity = s.writer, s.aligned(op.x, op.T, op.mu), _number(op, s)(1)
    return w("Reciprocal", w("Add", w("Exp", w("Div", w("Sub", x, mu), T)), unity))


def boltzmann(op: thermo.Boltzmann, s: Scope) -> str:
    """Softmax of x / -T over the last axis (P5); where T is constant, -T is computed once, or known."""
    w, (x, T) = s.writer, s.aligned(op.x, op.T)
    constant_T = w.constants.get(T)
    return w("Softmax", w("Div", x, w("Neg", T) if constant_T is None else w.constant(-constant_T)), axis=-1)


def parameter(op: core.Parameter, s: Scope) -> str:
    """An optional input of the file, whose initializer holds the value: whoever runs the file may give another."""
    port = next(port for port in s.interface.parameters if port.name == op.name)
    s.defaults[port.tensor] = op.value.numpy
    return port.tensor


def normal(op: thermo.Normal, s: Scope) -> str:
    """Box and Muller, of a Philox block an element."""
    return philox.normal(s.writer, _block(op, s), op.dtype.numpy)


def uniform(op: thermo.Uniform, s: Scope) -> str:
    """The first words of a Philox block an element."""
    block = _block(op, s)
    return philox.uniform(s.writer, block[0], block[1], op.dtype.numpy)


def _block(op: thermo.Normal | thermo.Uniform, s: Scope) -> philox.Words:
    # A Loop counts in int64, and Philox's counter is of unsigned words.
    tick = s.writer("Cast", s.tick, to=np.dtype(np.uint64))
    where = {"element": s.elements(op.shape), "tick": tick, "draw": op.draw, "stream": op.stream}
    return philox.words(s.writer, **where, seed=s.control("seed"))


WRITTEN: dict[type[Op], Written] = {
    core.Constant: lambda op, s: s.writer.constant(op.value.numpy),
    core.Parameter: parameter,
    core.Tick: lambda op, s: s.tick,
    core.Delay: delay,
    core.Affine: linear.affine,
    core.SparseAffine: linear.sparse_affine,
    core.Matmul: linear.matmul,
    core.Conv: windows.conv,
    core.Pool: windows.pool,
    core.Reshape: reshape,
    core.Transpose: transpose,
    core.Broadcast: broadcast,
    core.Concat: concat,
    core.Slice: slice_,
    core.Neg: _elementwise("Neg"),
    core.Abs: _elementwise("Abs"),
    core.Sign: _elementwise("Sign"),
    core.Exp: _elementwise("Exp"),
    core.Expm1: expm1,
    core.Log: _elementwise("Log"),
    core.Sqrt: _elementwise("Sqrt"),
    core.Sin: _elementwise("Sin"),
    core.Cos: lambda op, s: philox.cosine(s.writer, s[op.inputs[0]], op.results[0].dtype.numpy),
    core.Tanh: _elementwise("Tanh"),
    core.Floor: _elementwise("Floor"),
    core.Add: _elementwise("Add"),
    core.Sub: _elementwise("Sub"),
    core.Mul: _elementwise("Mul"),
    core.Div: _elementwise("Div"),
    core.Pow: _elementwise("Pow"),
    core.Minimum: _elementwise("Min"),
    core.Maximum: _elementwise("Max"),
    core.Less: _comparison("Less"),
    core.LessEqual: _comparison("LessOrEqual"),
    core.Greater: _comparison("Greater"),
    core.GreaterEqual: _comparison("GreaterOrEqual"),
    core.Equal: _comparison("Equal"),
    core.And: _elementwise("And"),
    core.Or: _elementwise("Or"),
    core.Not: _elementwise("Not"),
    core.Select: _elementwise("Where"),
    core.Cast: cast,
    core.Reduce: reduce,
    thermo.Boltzmann: boltzmann,
    thermo.FermiDirac: fermi_dirac,
    thermo.ThermalRelu: thermal_relu,
    thermo.Normal: normal,
    thermo.Uniform: uniform,
}
"""``core.input`` and ``core.output`` are the file's own inputs and outputs."""
