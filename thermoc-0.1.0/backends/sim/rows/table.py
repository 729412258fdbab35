"""How each op becomes rows of code: one table, op to writer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.sim.rows import crossbar as crossbar_rows
from thermoc.backends.sim.rows import loihi as loihi_rows
from thermoc.backends.sim.rows import spiking as spiking_rows
from thermoc.backends.sim.rows.writer import Writer
from thermoc.ir.dialects import core, crossbar, langevin, sampling, spiking, thermo
from thermoc.ir.ops import Op
from thermoc.ir.places import places, reduced, windows
from thermoc.ir.types import DType
from thermoc.ir.values import Value
from thermoc.simulator import Opcode
from thermoc.simulator.kernels.gibbs import layout
from thermoc.simulator.opcodes import AT_ONCE, BY_SWEEP, LATTICE, REPLICAS, SPINS, WORDS

LANES = 8
"""Numbers in a vector of the processor; any value is correct."""
Write = Callable[[Any, Writer], None]
LAWS = {"harmonic": 0, "lennard_jones": 1, "coulomb": 2, "table": 3}
REDUCTIONS = {"sum": 0, "mean": 1, "max": 2, "min": 3, "argmax": 4, "argmin": 5}


def elementwise(opcode: Opcode) -> Write:
    """Return the writer of an op whose operands stand in the opcode's order."""

    def write(op: Op, w: Writer) -> None:
        w.row(opcode, w.slot(op.results[0]), tuple(w.slot(value) for value in op.inputs))

    return write


def compare(floats: Opcode, ints: Opcode, *, swapped: bool = False) -> Write:
    """Return the writer of a comparison; a > b is b < a."""

    def write(op: Op, w: Writer) -> None:
        a, b = reversed(op.inputs) if swapped else op.inputs
        real = a.dtype.is_float or b.dtype.is_float
        slots = (as_float(a, w), as_float(b, w)) if real else (w.slot(a), w.slot(b))
        w.row(floats if real else ints, w.slot(op.results[0]), slots)

    return write


def as_float(value: Value, w: Writer) -> int:
    """Return a slot with the value's elements as floats."""
    if value.dtype.is_float:
        return w.slot(value)
    slot = w.work(value.inferred.with_(dtype=DType.f64))
    w.row(Opcode.INT_TO_FLOAT, slot, (w.slot(value),))
    return slot


def reordered(index: Callable[[Any], Any]) -> Write:
    """Return the writer of an op that only moves elements: ``index(op)`` says from where."""

    def write(op: Any, w: Writer) -> None:
        opcode = Opcode.GATHER if op.x.dtype.is_float else Opcode.INT_GATHER
        w.row(opcode, w.slot(op.y), (w.slot(op.x),), (w.table(index(op)),))

    return write


def same(op: Any, w: Writer) -> None:
    """Nothing moves: the result's elements are the operand's, in the operand's slot."""
    w.put(op.y, w.slot(op.x))


def concat(op: core.Concat, w: Writer) -> None:
    """Scatter each part to its place."""
    shape = op.y.shape
    axis, start, whole = core.axis_of(op.axis, len(shape)), 0, places(shape)
    opcode = Opcode.SCATTER if op.y.dtype.is_float else Opcode.INT_SCATTER
    for x in op.xs:
        length = x.shape[axis]
        part = np.take(whole, range(start, start + length), axis=axis)
        w.row(opcode, w.slot(op.y), (w.slot(x),), (w.table(part),))
        start += length


def cast(op: core.Cast, w: Writer) -> None:
    """Between the banks, or within the integers."""
    given, wanted = op.x.dtype, op.dtype
    if given.is_float and wanted.is_float:
        return same(op, w)
    opcode = Opcode.FLOAT_TO_INT if given.is_float else Opcode.INT_TO_FLOAT if wanted.is_float else Opcode.INT_TO_INT
    code = {DType.i64: 0, DType.i32: 1, DType.bool: 2}.get(wanted, 0)
    w.row(opcode, w.slot(op.y), (w.slot(op.x),), (code,))
    return None


def select(op: core.Select, w: Writer) -> None:
    """Floats by a condition."""
    w.row(Opcode.SELECT, w.slot(op.y), (w.slot(op.condition), w.slot(op.a), w.slot(op.b)))


def affine(op: core.Affine, w: Writer) -> None:
    """x times the transposed weight, so that the inner loop runs over neighbouring outputs, padded to whole vectors."""
    (m, n), rows = op.weight.shape, math.prod(op.x.shape[:-1])
    more = -m % LANES
    slots = [w.slot(op.x), w.arranged(op.weight, np.pad(places((m, n)).T, ((0, 0), (0, more)), constant_values=-1))]
    if op.bias is not None:
        slots.append(w.arranged(op.bias, np.pad(places((m,)), (0, more), constant_values=-1)))
    product = w.work(op.y.inferred.with_(shape=(rows, m + more))) if more else w.slot(op.y)
    w.row(Opcode.MATMUL, product, tuple(slots), (1, rows, n, m + more, 1, op.bias is not None))
    if more:
        w.row(Opcode.GATHER, w.slot(op.y), (product,), (w.table(places((rows, m + more))[:, :m]),))


def matmul(op: core.Matmul, w: Writer) -> None:
    """Pairs of matrices."""
    *lead, m, k = op.a.shape
    w.row(Opcode.MATMUL, w.slot(op.y), (w.slot(op.a), w.slot(op.b)), (math.prod(lead), m, k, op.b.shape[-1], 0))


def conv(op: core.Conv, w: Writer) -> None:
    """Weights (channels, taps) times patches (taps, places) of x, for each group of channels."""
    x, weight, y = op.x.inferred, op.weight.shape, op.y.shape
    table = windows(x.shape, weight[2:], op.stride, op.padding, op.dilation)  # (channels, places, taps)
    table = np.swapaxes(table, 1, 2)
    patches = w.work(x.with_(shape=table.shape))
    w.row(Opcode.GATHER, patches, (w.slot(op.x),), (w.table(table),))
    taps = math.prod(weight[1:])
    bias = () if op.bias is None else (w.slot(op.bias),)
    sizes = (op.groups, y[0] // op.groups, taps, math.prod(y[1:]), 0, 0 if op.bias is None else 2)
    w.row(Opcode.MATMUL, w.slot(op.y), (w.slot(op.weight), patches, *bias), sizes)


def pool(op: core.Pool, w: Writer) -> None:
    """A reduction over windows; padding is left out, so a mean counts it as zeros."""
    table = reduced(op)
    sizes = (w.table(table), table.shape[-1], REDUCTIONS[op.kind])
    w.row(Opcode.REDUCE, w.slot(op.y), (w.slot(op.x),), sizes)


def reduce(op: core.Reduce, w: Writer) -> None:
    """A reduction over axes: each result's window is what those axes hold."""
    table, code = reduced(op), REDUCTIONS[op.kind]
    opcode = Opcode.ARG_REDUCE if op.kind.startswith("arg") else Opcode.REDUCE
    w.row(opcode, w.slot(op.y), (w.slot(op.x),), (w.table(table), table.shape[1], code))


def boltzmann(op: thermo.Boltzmann, w: Writer) -> None:
    """Rows of units."""
    w.row(Opcode.BOLTZMANN, w.slot(op.p), (w.slot(op.x), w.slot(op.T)), (op.x.shape[-1],))


def normal(op: thermo.Normal, w: Writer) -> None:
    """Normals."""
    w.row(Opcode.NORMAL, w.slot(op.z), (), (op.draw, op.stream))


def uniform(op: thermo.Uniform, w: Writer) -> None:
    """Uniforms."""
    w.row(Opcode.UNIFORM, w.slot(op.u), (), (op.draw, op.stream))


def gibbs_sweeps(op: sampling.GibbsSweeps, w: Writer) -> None:
    """Fields and temperatures one a unit, couplings by rows, units class by class."""
    (n,) = op.s.shape
    rows = sampling.compressed({name: held(op, name, w) for name in ("J", "values", "columns", "offsets")})
    assert rows is not None
    values, columns, offsets = rows
    colors = np.zeros(n, np.int64) if op.order == "parallel" else w.numbers(op, "colors")
    order = np.argsort(colors, kind="stable")
    starts = np.searchsorted(colors[order], [*np.unique(colors), np.inf])
    field, T = w.slot(op.h), w.slot(op.T)
    shape = op.T.shape
    form = (op.levels == "spin") * SPINS + (op.order == "parallel") * AT_ONCE
    form += BY_SWEEP * (shape == (op.sweeps, 1))
    form += {"unit": 0, "word": WORDS, "replica": REPLICAS}[op.draws]
    if op.draws == "word" and is_lattice(values, columns, offsets, colors):
        form += LATTICE
    opcode = Opcode.GIBBS if op.draws == "unit" else Opcode.GIBBS_WORDS
    whole = op.draws == "unit" and op.order != "parallel"
    matrices = layout.packed(rows, order, starts) if whole else None
    if matrices is None:
        table = w.table(np.concatenate([starts, order, offsets, columns]))
    else:
        opcode, table, values = Opcode.GIBBS_LAYERS, w.table(np.concatenate([starts, order])), matrices
    parameters = (table, len(starts) - 1, op.sweeps, form, op.stream, w.slots[w.constant(values)][1])
    w.row(opcode, w.slot(op.s), (w.slot(op.x), field, T), parameters)


def pair_force(op: langevin.PairForce, w: Writer) -> None:
    """Parameters side by side, then forces, energy and virial from where the kernel leaves them."""
    n, d = op.x.shape
    given = w.work(op.x.inferred.with_(shape=(n + 2,)))
    charge = w.arranged(op.charge, np.broadcast_to(places(op.charge.shape), (n,)))
    for slot, table in ((w.slot(op.strength), [0]), (w.slot(op.sigma), [1]), (charge, range(2, n + 2))):
        w.row(Opcode.SCATTER, given, (slot,), (w.table(np.array(table)),))
    grid, energies = held(op, "grid", w), held(op, "energies", w)
    points = [] if grid is None or energies is None else [grid, energies]
    numbers = np.concatenate([[op.cutoff, op.softening], op.box, *points]).astype(float)
    law = LAWS[op.kind] + (4 if op.shift and op.cutoff > 0 else 0)
    size = 0 if grid is None else len(grid)
    both = w.work(op.x.inferred.with_(shape=(n * d + 2,)))
    settings = w.slots[w.constant(numbers)][1]
    w.row(Opcode.PAIRS, both, (w.slot(op.x), given), (n, d, law, settings, int(bool(op.box)), size))
    for value, where in ((op.f, places((n * d,))), (op.U, [n * d]), (op.W, [n * d + 1])):
        w.row(Opcode.GATHER, w.slot(value), (both,), (w.table(where),))


def is_lattice(values: NDArray, columns: NDArray, offsets: NDArray, colors: NDArray) -> bool:
    """Tell whether the couplings are those of a square lattice, one for all, coloured like a chequerboard."""
    n = len(offsets) - 1
    L = math.isqrt(n)
    if n != L * L or L % 128 or (np.diff(offsets) != 4).any() or (values != values[0]).any():
        return False
    y, x = np.divmod(np.arange(n), L)
    ends = [(y - 1) % L * L + x, (y + 1) % L * L + x, y * L + (x - 1) % L, y * L + (x + 1) % L]
    same = np.array_equal(np.sort(columns.reshape(n, 4), axis=1), np.sort(np.stack(ends, axis=1), axis=1))
    return bool(same and np.array_equal(colors != colors[0], (x + y) % 2 == 1) and colors[0] == colors.min())


def held(op: Op, name: str, w: Writer) -> NDArray | None:
    """Return the numbers of an optional operand."""
    return None if getattr(op, name) is None else w.numbers(op, name)


def input_(op: core.Input, w: Writer) -> None:
    """From the packed inputs."""
    port = w.ports["core.input"][op.name]
    w.row(Opcode.INT_INPUT if port.integer else Opcode.INPUT, w.slot(op.y), (), (port.offset,))


def output(op: core.Output, w: Writer) -> None:
    """To the packed outputs."""
    port = w.ports["core.output"][op.name]
    w.row(Opcode.INT_OUTPUT if port.integer else Opcode.OUTPUT, -1, (w.slot(op.x),), (port.offset,))


def delay(op: core.Delay, w: Writer) -> None:
    """Read the ring; the program writes it at the end of the tick."""
    state = w.states[f"{op.y.name}.buffer"]
    if op.y.name in w.listed:
        return w.row(Opcode.READ_LIST, w.list_slot(op.y), (), (state.offset, state.ticks))
    w.row(Opcode.INT_READ if state.integer else Opcode.READ, w.slot(op.y), (), (state.offset, state.ticks))
    return None


def tick(op: core.Tick, w: Writer) -> None:
    """The tick's number."""
    w.row(Opcode.TICK, w.slot(op.y))


def add(op: Any, w: Writer) -> None:
    """A sum, unless the unit that reads it adds it up."""
    if not spiking_rows.absorbed(op, w):
        elementwise(Opcode.ADD)(op, w)


def constant(op: core.Constant, w: Writer) -> None:
    """Nothing: a constant is stored by whoever reads it."""


WRITERS: dict[type[Op], Write] = {
    core.Input: input_,
    core.Output: output,
    core.Constant: constant,
    core.Tick: tick,
    core.Delay: delay,
    core.Affine: affine,
    core.SparseAffine: spiking_rows.sparse_affine,
    core.Matmul: matmul,
    core.Conv: conv,
    crossbar.Mvm: crossbar_rows.mvm,
    core.Pool: pool,
    core.Reduce: reduce,
    core.Reshape: same,
    core.Flatten: same,
    core.Transpose: reordered(lambda op: places(op.x.shape).transpose(op.axes)),
    core.Broadcast: reordered(lambda op: np.broadcast_to(places(op.x.shape), op.shape)),
    core.Slice: reordered(lambda op: places(op.x.shape)[tuple(map(slice, op.starts, op.stops, op.steps))]),
    core.Concat: concat,
    core.Cast: cast,
    core.Select: select,
    core.Neg: elementwise(Opcode.NEG),
    core.Abs: elementwise(Opcode.ABS),
    core.Sign: elementwise(Opcode.SIGN),
    core.Exp: elementwise(Opcode.EXP),
    core.Expm1: elementwise(Opcode.EXPM1),
    core.Log: elementwise(Opcode.LOG),
    core.Sqrt: elementwise(Opcode.SQRT),
    core.Sin: elementwise(Opcode.SIN),
    core.Cos: elementwise(Opcode.COS),
    core.Tanh: elementwise(Opcode.TANH),
    core.Floor: elementwise(Opcode.FLOOR),
    core.Add: add,
    core.Sub: elementwise(Opcode.SUB),
    core.Mul: elementwise(Opcode.MUL),
    core.Div: elementwise(Opcode.DIV),
    core.Pow: elementwise(Opcode.POW),
    core.Minimum: elementwise(Opcode.MINIMUM),
    core.Maximum: elementwise(Opcode.MAXIMUM),
    core.Less: compare(Opcode.LESS, Opcode.INT_LESS),
    core.LessEqual: compare(Opcode.LESS_EQUAL, Opcode.INT_LESS_EQUAL),
    core.Greater: compare(Opcode.LESS, Opcode.INT_LESS, swapped=True),
    core.GreaterEqual: compare(Opcode.LESS_EQUAL, Opcode.INT_LESS_EQUAL, swapped=True),
    core.Equal: compare(Opcode.EQUAL, Opcode.INT_EQUAL),
    core.And: elementwise(Opcode.AND),
    core.Or: elementwise(Opcode.OR),
    core.Not: elementwise(Opcode.NOT),
    thermo.Boltzmann: boltzmann,
    thermo.FermiDirac: elementwise(Opcode.FERMI_DIRAC),
    thermo.ThermalRelu: elementwise(Opcode.THERMAL_RELU),
    thermo.MaxwellBoltzmann: elementwise(Opcode.MAXWELL_BOLTZMANN),
    thermo.Normal: normal,
    thermo.Uniform: uniform,
    sampling.GibbsSweeps: gibbs_sweeps,
    langevin.PairForce: pair_force,
    spiking.LifStep: spiking_rows.lif_step,
    spiking.TraceStep: spiking_rows.trace_step,
    **loihi_rows.WRITERS,
}
