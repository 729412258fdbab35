"""How each op becomes rows of code: one table, op to writer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.sim.rows import crossbar as crossbar_rows
from thermoc.backends.sim.rows import devices as device_rows
from thermoc.backends.sim.rows import loihi as loihi_rows
from thermoc.backends.sim.rows import spiking as spiking_rows
from thermoc.backends.sim.rows.writer import ProgramWriter
from thermoc.ir.dialects import core, crossbar, devices, langevin, sampling, spiking, thermo
from thermoc.ir.element_indices import indices, reduced, windows
from thermoc.ir.ops import Op
from thermoc.ir.types import DType, Role
from thermoc.ir.values import Value
from thermoc.simulator.instructions import Instruction, elementwise, gibbs, moves, noise, pairs, ports, products
from thermoc.simulator.instructions.spiking import LISTED_MATMUL, SPIKE_MATMUL
from thermoc.simulator.kernels.gibbs import layout
from thermoc.support.announced import of_table

Write = Callable[[Any, ProgramWriter], None]
LAWS = {
    "harmonic": pairs.HARMONIC,
    "lennard_jones": pairs.LENNARD_JONES,
    "coulomb": pairs.COULOMB,
    "table": pairs.TABULATED,
}
REDUCTIONS = {
    "sum": moves.SUM,
    "mean": moves.MEAN,
    "max": moves.MAX,
    "min": moves.MIN,
    "argmax": moves.ARGMAX,
    "argmin": moves.ARGMIN,
}
CASTS = {DType.i64: moves.I64, DType.i32: moves.I32, DType.bool: moves.BOOL}


def each(instruction: Instruction) -> Write:
    """Return the writer of an elementwise op whose operands stand in the instruction's order."""

    def write(op: Op, w: ProgramWriter) -> None:
        w.row(instruction, w.slot(op.results[0]), tuple(w.slot(value) for value in op.inputs))

    return write


def compare(floats: Instruction, ints: Instruction, *, swapped: bool = False) -> Write:
    """Return the writer of a comparison; a > b is b < a."""

    def write(op: Op, w: ProgramWriter) -> None:
        a, b = reversed(op.inputs) if swapped else op.inputs
        # A single float makes it a comparison of floats, for integers cannot hold it.
        real = a.dtype.is_float or b.dtype.is_float
        slots = (as_float(a, w), as_float(b, w)) if real else (w.slot(a), w.slot(b))
        w.row(floats if real else ints, w.slot(op.results[0]), slots)

    return write


def as_float(value: Value, w: ProgramWriter) -> int:
    """Return a slot with the value's elements as floats."""
    if value.dtype.is_float:
        return w.slot(value)
    slot = w.work(value.inferred.with_(dtype=DType.f64))
    w.row(moves.INT_TO_FLOAT, slot, (w.slot(value),))
    return slot


def reordered(index: Callable[[Any], Any]) -> Write:
    """Return the writer of an op that only moves elements: ``index(op)`` says from where."""

    def write(op: Any, w: ProgramWriter) -> None:
        instruction = moves.GATHER if op.x.dtype.is_float else moves.INT_GATHER
        w.row(instruction, w.slot(op.y), (w.slot(op.x),), at=w.table(index(op)))

    return write


def same(op: Any, w: ProgramWriter) -> None:
    """Nothing moves: the result's elements are the operand's, in the operand's slot."""
    w.put(op.y, w.slot(op.x))


def concat(op: core.Concat, w: ProgramWriter) -> None:
    """Scatter each operand to its place."""
    shape = op.y.shape
    axis, start, targets = core.axis_of(op.axis, len(shape)), 0, indices(shape)
    instruction = moves.SCATTER if op.y.dtype.is_float else moves.INT_SCATTER
    for x in op.xs:
        length = x.shape[axis]
        table = w.table(np.take(targets, range(start, start + length), axis=axis))
        w.row(instruction, w.slot(op.y), (w.slot(x),), at=table)
        start += length


def cast(op: core.Cast, w: ProgramWriter) -> None:
    """Between the banks, or within the integers."""
    if op.x.dtype.is_float and op.dtype.is_float:
        # A program has one float format: a cast between floats moves nothing.
        return same(op, w)
    if op.dtype.is_float:
        return w.row(moves.INT_TO_FLOAT, w.slot(op.y), (w.slot(op.x),))
    instruction = moves.FLOAT_TO_INT if op.x.dtype.is_float else moves.INT_TO_INT
    return w.row(instruction, w.slot(op.y), (w.slot(op.x),), dtype=CASTS[op.dtype])


def select(op: core.Select, w: ProgramWriter) -> None:
    """Floats by a condition."""
    w.row(elementwise.SELECT, w.slot(op.y), (w.slot(op.condition), w.slot(op.a), w.slot(op.b)))


def affine(op: core.Affine, w: ProgramWriter) -> None:
    """x times the transposed weight, so that the inner loop runs over neighbouring outputs."""
    (m, n), rows = op.weight.shape, math.prod(op.x.shape[:-1])
    listed = rows == 1 and op.x.name in w.listed
    slots = [w.list_slot(op.x) if listed else w.slot(op.x), w.arranged(op.weight, indices((m, n)).T)]
    if op.bias is not None:
        slots.append(w.slot(op.bias))
    sizes = {"rows": rows, "inner": n, "columns": m}
    if op.x.role is Role.spike:
        instruction = LISTED_MATMUL if listed else SPIKE_MATMUL
        w.row(instruction, w.slot(op.y), slots, **sizes, finite=spiking_rows.finite(op.weight, w))
    else:
        bias = products.NO_BIAS if op.bias is None else products.BIAS_A_COLUMN
        w.row(products.MATMUL, w.slot(op.y), slots, count=1, **sizes, shared=1, bias=bias)


def matmul(op: core.Matmul, w: ProgramWriter) -> None:
    """Pairs of matrices."""
    *lead, m, k = op.a.shape
    sizes = {"count": math.prod(lead), "rows": m, "inner": k, "columns": op.b.shape[-1]}
    w.row(products.MATMUL, w.slot(op.y), (w.slot(op.a), w.slot(op.b)), **sizes, shared=0, bias=products.NO_BIAS)


def conv(op: core.Conv, w: ProgramWriter) -> None:
    """Weights (channels, taps) times patches (taps, places) of x, for each group of channels."""
    x, weight, y = op.x.inferred, op.weight.shape, op.y.shape
    table = windows(x.shape, weight[2:], op.stride, op.padding, op.dilation)  # (channels, places, taps)
    table = np.swapaxes(table, 1, 2)
    patches = w.work(x.with_(shape=table.shape))
    w.row(moves.GATHER, patches, (w.slot(op.x),), at=w.table(table))
    taps = math.prod(weight[1:])
    bias = () if op.bias is None else (w.slot(op.bias),)
    sizes = {"count": op.groups, "rows": y[0] // op.groups, "inner": taps, "columns": math.prod(y[1:])}
    biased = products.BIAS_A_ROW if bias else products.NO_BIAS
    w.row(products.MATMUL, w.slot(op.y), (w.slot(op.weight), patches, *bias), **sizes, shared=0, bias=biased)


def pool(op: core.Pool, w: ProgramWriter) -> None:
    """A reduction over windows; padding is left out, so a mean counts it as zeros."""
    table = reduced(op)
    windows_at, kind = {"at": w.table(table), "window": table.shape[-1]}, REDUCTIONS[op.kind]
    w.row(moves.REDUCE, w.slot(op.y), (w.slot(op.x),), **windows_at, reduction=kind)


def reduce(op: core.Reduce, w: ProgramWriter) -> None:
    """A reduction over axes: each result's window is what those axes hold, whose elements may follow one another."""
    table, kind = reduced(op), REDUCTIONS[op.kind]
    window = table.shape[1]
    if _long_sum(op, table):
        product = w.graph.producers[op.x.name]
        dot = isinstance(product, core.Mul) and _summed(product, w)
        operands = product.inputs if dot else (op.x,)
        instruction = moves.WINDOW_DOT if dot else moves.WINDOW_SUM
        slots = tuple(w.slot(value) for value in operands)
        w.row(instruction, w.slot(op.y), slots, window=window, mean=int(kind == moves.MEAN))
        return
    instruction = moves.ARG_REDUCE if op.kind.startswith("arg") else moves.REDUCE
    w.row(instruction, w.slot(op.y), (w.slot(op.x),), at=w.table(table), window=window, reduction=kind)


def _long_sum(op: core.Reduce, table: NDArray) -> bool:
    """True for sums and means of many elements that follow one another."""
    consecutive = op.kind in ("sum", "mean") and table.shape[1] >= moves.LONG
    return consecutive and np.array_equal(table.reshape(-1), np.arange(table.size))


def _summed(op: Any, w: ProgramWriter) -> bool:
    """True for products of equal shapes whose only reader is a long sum, which multiplies as it adds."""
    readers = w.graph.consumers[op.y.name]
    if len(readers) != 1 or not isinstance(readers[0], core.Reduce) or not op.a.shape == op.b.shape == op.y.shape:
        return False
    return op.y.dtype.is_float and _long_sum(readers[0], reduced(readers[0]))


def mul(op: Any, w: ProgramWriter) -> None:
    """A product, unless the sum that reads it multiplies."""
    if not _summed(op, w):
        each(elementwise.MUL)(op, w)


def boltzmann(op: thermo.Boltzmann, w: ProgramWriter) -> None:
    """Rows of units."""
    w.row(noise.BOLTZMANN, w.slot(op.p), (w.slot(op.x), w.slot(op.T)), units=op.x.shape[-1])


def normal(op: thermo.Normal, w: ProgramWriter) -> None:
    """Normals."""
    w.row(noise.NORMAL, w.slot(op.z), draw=op.draw, stream=op.stream)


def uniform(op: thermo.Uniform, w: ProgramWriter) -> None:
    """Uniforms."""
    w.row(noise.UNIFORM, w.slot(op.u), draw=op.draw, stream=op.stream)


def sample_binary(op: thermo.SampleBinary, w: ProgramWriter) -> None:
    """p-bits."""
    spins = int(op.levels == "spin")
    w.row(noise.P_BITS, w.slot(op.s), (w.slot(op.drive), w.slot(op.T)), spins=spins, stream=op.stream)


def gibbs_sweeps(op: sampling.GibbsSweeps, w: ProgramWriter) -> None:
    """Fields and temperatures one a unit, couplings which may be parameters, by rows, units class by class."""
    (n,) = op.s.shape
    couplings = {name: coupling_numbers(op, name, w) for name in ("J", "values", "columns", "offsets")}
    rows = sampling.compressed(couplings)
    assert rows is not None
    values, columns, offsets = rows
    colors = np.zeros(n, np.int64) if op.order == "parallel" else w.numbers(op, "colors")
    # Stable, so that units of one colour keep their order and their memory is walked forwards.
    order = np.argsort(colors, kind="stable")
    # Nothing is above inf, so the last start is the end of the last class.
    starts = np.searchsorted(colors[order], [*np.unique(colors), np.inf])
    field, T = w.slot(op.h), w.slot(op.T)
    shape = op.T.shape
    form = (op.levels == "spin") * gibbs.SPINS + (op.order == "parallel") * gibbs.AT_ONCE
    # A column, one a sweep, and a row, one a unit, may be equally long: only the shape tells them apart.
    form += gibbs.BY_SWEEP * (shape == (op.sweeps, 1))
    form += {"unit": 0, "word": gibbs.WORDS, "replica": gibbs.REPLICAS}[op.draws]
    if op.draws == "word" and is_lattice(values, columns, offsets, colors):
        form += gibbs.LATTICE
    instruction = gibbs.GIBBS if op.draws == "unit" else gibbs.GIBBS_WORDS
    layered = op.draws == "unit" and op.order != "parallel"
    source: Any = op.values if op.J is None else op.J
    replaceable = source.name in w.known
    at = layout.packed_places(rows, order, starts) if layered else None
    # the sum of two parameters has no place of its own
    if at is None or (replaceable and len(np.unique(at.places)) < len(at.places)):
        at, table = None, w.table(np.concatenate([starts, order, offsets, columns]))
    else:
        instruction, table = gibbs.GIBBS_LAYERS, w.table(np.concatenate([starts, order]))
    if replaceable:
        slot = w.couplings(source, _elements(couplings, columns, offsets), at)
    else:
        slot = w.constant(values if at is None else at.packed(values))
    places_of = {"at": table, "classes": len(starts) - 1, "couplings": w.slots[slot][1]}
    sweep = {"sweeps": op.sweeps, "form": form, "stream": op.stream}
    w.row(instruction, w.slot(op.s), (w.slot(op.x), field, T), **places_of, **sweep)


def _elements(couplings: Mapping[str, NDArray | None], columns: NDArray, offsets: NDArray) -> NDArray[np.int64]:
    """Return which elements of J, or of the values, the couplings are."""
    J = couplings["J"]
    if J is None:
        return np.arange(len(columns))
    return np.repeat(np.arange(len(J)), np.diff(offsets)) * len(J) + columns


def pair_force(op: langevin.PairForce, w: ProgramWriter) -> None:
    """Parameters side by side, then forces, energy and virial from where the kernel leaves them."""
    n, d = op.x.shape
    numbers_slot = w.work(op.x.inferred.with_(shape=(n + 2,)))
    # One charge for all is spread here, for the kernel reads one a particle.
    charge = w.arranged(op.charge, np.broadcast_to(indices(op.charge.shape), (n,)))
    for slot, table in ((w.slot(op.strength), [0]), (w.slot(op.sigma), [1]), (charge, range(2, n + 2))):
        w.row(moves.SCATTER, numbers_slot, (slot,), at=w.table(np.array(table)))
    grid, energies = constant_operand(op, "grid", w), constant_operand(op, "energies", w)
    points = [] if grid is None or energies is None else [grid, energies]
    numbers = np.concatenate([[op.cutoff, op.softening], op.box, *points]).astype(float)
    law = LAWS[op.kind] + (pairs.SHIFTED if op.shift and op.cutoff > 0 else 0)
    points_given = 0 if grid is None else len(grid)
    forces = w.work(op.x.inferred.with_(shape=(n * d + 2,)))
    settings = w.slots[w.constant(numbers)][1]
    sizes = {"particles": n, "axes": d, "boxed": bool(op.box), "points": points_given}
    w.row(pairs.PAIRS, forces, (w.slot(op.x), numbers_slot), **sizes, law=law, settings=settings)
    for value, where in ((op.f, indices((n * d,))), (op.U, [n * d]), (op.W, [n * d + 1])):
        w.row(moves.GATHER, w.slot(value), (forces,), at=w.table(where))


def is_lattice(values: NDArray, columns: NDArray, offsets: NDArray, colors: NDArray) -> bool:
    """Return whether the couplings are those of a square lattice, one for all, coloured like a checkerboard."""
    n = len(offsets) - 1
    L = math.isqrt(n)
    if n != L * L or L % 128 or (np.diff(offsets) != 4).any() or (values != values[0]).any():
        return False
    y, x = np.divmod(np.arange(n), L)
    ends = [(y - 1) % L * L + x, (y + 1) % L * L + x, y * L + (x - 1) % L, y * L + (x + 1) % L]
    same = np.array_equal(np.sort(columns.reshape(n, 4), axis=1), np.sort(np.stack(ends, axis=1), axis=1))
    return bool(same and np.array_equal(colors != colors[0], (x + y) % 2 == 1) and colors[0] == colors.min())


def constant_operand(op: Op, name: str, w: ProgramWriter) -> NDArray | None:
    """Return the numbers of an optional operand."""
    return None if getattr(op, name) is None else w.numbers(op, name)


def coupling_numbers(op: Op, name: str, w: ProgramWriter) -> NDArray | None:
    """Return the numbers of an optional operand, as they begin where they can be replaced."""
    value = getattr(op, name)
    return w.known[value.name] if value is not None and value.name in w.known else constant_operand(op, name, w)


def input_(op: core.Input, w: ProgramWriter) -> None:
    """From the packed inputs."""
    port = w.ports["core.input"][op.name]
    w.row(ports.INT_INPUT if port.integer else ports.INPUT, w.slot(op.y), offset=port.offset)


def output(op: core.Output, w: ProgramWriter) -> None:
    """To the packed outputs."""
    port = w.ports["core.output"][op.name]
    w.row(ports.INT_OUTPUT if port.integer else ports.OUTPUT, -1, (w.slot(op.x),), offset=port.offset)


def delay(op: core.Delay, w: ProgramWriter) -> None:
    """Read the ring; the program writes it at the end of the tick."""
    state = w.states[f"{op.y.name}.buffer"]
    if op.y.name in w.listed:
        return w.row(ports.READ_LIST, w.list_slot(op.y), offset=state.offset, ticks=state.ticks)
    instruction = ports.INT_READ if state.integer else ports.READ
    return w.row(instruction, w.slot(op.y), offset=state.offset, ticks=state.ticks)


def tick(op: core.Tick, w: ProgramWriter) -> None:
    """The tick's number."""
    w.row(ports.TICK, w.slot(op.y))


def add(op: Any, w: ProgramWriter) -> None:
    """A sum, unless the unit that reads it adds it up."""
    if not spiking_rows.absorbed(op, w):
        each(elementwise.ADD)(op, w)


def stored(op: core.Constant | core.Parameter, w: ProgramWriter) -> None:
    """Nothing: numbers that are known are stored by whoever reads them."""


WRITERS: dict[type[Op], Write] = {
    core.Input: input_,
    core.Output: output,
    core.Probe: output,
    core.Constant: stored,
    core.Parameter: stored,
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
    core.Transpose: reordered(lambda op: indices(op.x.shape).transpose(op.axes)),
    core.Broadcast: reordered(lambda op: np.broadcast_to(indices(op.x.shape), op.shape)),
    core.Slice: reordered(lambda op: indices(op.x.shape)[tuple(map(slice, op.starts, op.stops, op.steps))]),
    core.Concat: concat,
    core.Cast: cast,
    core.Select: select,
    core.Neg: each(elementwise.NEG),
    core.Abs: each(elementwise.ABS),
    core.Sign: each(elementwise.SIGN),
    core.Exp: each(elementwise.EXP),
    core.Expm1: each(elementwise.EXPM1),
    core.Log: each(elementwise.LOG),
    core.Sqrt: each(elementwise.SQRT),
    core.Sin: each(elementwise.SIN),
    core.Cos: each(elementwise.COS),
    core.Tanh: each(elementwise.TANH),
    core.Floor: each(elementwise.FLOOR),
    core.Add: add,
    core.Sub: each(elementwise.SUB),
    core.Mul: mul,
    core.Div: each(elementwise.DIV),
    core.Pow: each(elementwise.POW),
    core.Minimum: each(elementwise.MINIMUM),
    core.Maximum: each(elementwise.MAXIMUM),
    core.Less: compare(elementwise.LESS, elementwise.INT_LESS),
    core.LessEqual: compare(elementwise.LESS_EQUAL, elementwise.INT_LESS_EQUAL),
    core.Greater: compare(elementwise.LESS, elementwise.INT_LESS, swapped=True),
    core.GreaterEqual: compare(elementwise.LESS_EQUAL, elementwise.INT_LESS_EQUAL, swapped=True),
    core.Equal: compare(elementwise.EQUAL, elementwise.INT_EQUAL),
    core.And: each(elementwise.AND),
    core.Or: each(elementwise.OR),
    core.Not: each(elementwise.NOT),
    thermo.Boltzmann: boltzmann,
    thermo.FermiDirac: each(elementwise.FERMI_DIRAC),
    thermo.ThermalRelu: each(elementwise.THERMAL_RELU),
    thermo.MaxwellBoltzmann: each(elementwise.MAXWELL_BOLTZMANN),
    thermo.Normal: normal,
    thermo.Uniform: uniform,
    thermo.SampleBinary: sample_binary,
    sampling.GibbsSweeps: gibbs_sweeps,
    devices.DeviceStep: device_rows.device_step,
    langevin.PairForce: pair_force,
    spiking.LifStep: spiking_rows.lif_step,
    spiking.TraceStep: spiking_rows.trace_step,
    **loihi_rows.WRITERS,
}
# Last, for writers of other packages are made of those above.
WRITERS.update({cls: write for cls, write in of_table("simulator").items() if cls not in WRITERS})
