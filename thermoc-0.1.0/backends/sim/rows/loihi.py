"""How Loihi's integer ops become rows: states in place, rings of sums for synapses, spikes as lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.sim.rows.writer import Writer
from thermoc.ir.dialects import loihi
from thermoc.ir.ops import Op
from thermoc.ir.values import Value
from thermoc.simulator import Opcode
from thermoc.simulator.kernels.loihi import units
from thermoc.simulator.program import Form

PROMPT = (loihi.Lif, loihi.Graded, loihi.Lut, loihi.SigmaDelta, loihi.FermiDirac, loihi.Categorical, loihi.Dendrite)
"""Units that read what they are given within the tick, and hand out something new."""
GRADED, LISTED, SHIFT = 1, 2, 4
"""The form of a synapse's row, in bits; the last of them is where the shift begins."""


def bits(number: float) -> int:
    """Return a positive number as the bits of a float64, which a row can carry."""
    return int(np.float64(number).view(np.int64))


def form(op: Op, name: str) -> tuple[int, Form]:
    """Return how many values of a state are kept, and how."""
    if isinstance(op, loihi.Dense | loihi.Sparse):
        return op.longest + 1, Form.SUMS
    return 1, Form.PLACE


def start(op: Op, name: str, w: Writer) -> NDArray | int:
    """Return where a state begins."""
    if isinstance(op, loihi.Lif):
        return w.numbers(op, f"{name}_initial")
    return w.numbers(op, "initial") if hasattr(op, "initial") else 0


def each(op: Op, name: str, w: Writer, shift: int = 0) -> int:
    """Return the slot of an operand's numbers, one for all or one a unit, shifted to the left."""
    numbers = w.numbers(op, name).astype(np.int64) << shift
    return w.constant(numbers if numbers.size == 1 else np.broadcast_to(numbers, op.results[0].shape))


def encode(op: loihi.Encode, w: Writer) -> None:
    """From floats."""
    w.row(Opcode.LOIHI_ENCODE, w.slot(op.y), (w.slot(op.x),), (bits(op.scale), 2 ** (op.bits - 1) - 1))


def decode(op: loihi.Decode, w: Writer) -> None:
    """To floats."""
    w.row(Opcode.LOIHI_DECODE, w.slot(op.y), (w.slot(op.x),), (bits(op.scale),))


# ------------------------------------------------------------------------------------------------------ synapses


def arrive(op: Any, w: Writer) -> None:
    """The ring's row of this tick, where it stands if that is safe; its sums are added to at the tick's end."""
    if op.longest == 0 and op.message_bits == 0 and _read_within_the_tick(op, w):
        return w.put(op.y, w.kept(op, "buffer"))
    return w.row(Opcode.LOIHI_ARRIVE, w.slot(op.y), (), (w.place(op, "buffer"), w.states[f"{op.y.name}.buffer"].ticks))


def _read_within_the_tick(op: Any, w: Writer) -> bool:
    """Tell whether all who read the sums do so before they change, and no sum can pass 32 bits."""
    readers = w.graph.consumers[op.y.name]
    most = 256 * op.x.size << max(op.weight_exp, 0)
    return most < 2**31 and all(isinstance(reader, PROMPT) and len(reader.inputs) > 1 for reader in readers)


def dense(op: loihi.Dense, w: Writer) -> None:
    """A matrix by columns where no connection is delayed, else by entries."""
    W = w.numbers(op, "weight")
    if op.delays is None and op.longest == 0:
        return _matrix(op, W, w)
    rows, columns = np.nonzero(W)
    delays = np.zeros_like(rows) if op.delays is None else w.numbers(op, "delays")[rows, columns]
    return _entries(op, W[rows, columns], rows, columns, delays, w)


def sparse(op: loihi.Sparse, w: Writer) -> None:
    """Entries, column by column."""
    offsets, columns = w.numbers(op, "offsets"), w.numbers(op, "columns")
    rows = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    delays = np.zeros_like(rows) if op.delays is None else w.numbers(op, "delays")
    _entries(op, w.numbers(op, "values"), rows, columns, delays, w)


def _matrix(op: loihi.Dense, W: NDArray, w: Writer) -> None:
    x, listed = _sent(op.x, w)
    place, more = w.place(op, "buffer"), LISTED * listed
    weights = w.constant(_lifted(op, W).T)
    w.row(Opcode.LOIHI_MATRIX, _room(op, len(W), w), (x, weights), (place, 1, len(W), 0, 0, _form(op) | more))


def _entries(op: Any, values: NDArray, rows: NDArray, columns: NDArray, delays: NDArray, w: Writer) -> None:
    """Rows, columns and delays of each connection."""
    x, listed = _sent(op.x, w)
    opcode = Opcode.LOIHI_SYNAPSE_LIST if listed else Opcode.LOIHI_SYNAPSE
    ticks, count = op.longest + 1, op.y.size
    order = np.lexsort((rows, delays, columns))
    starts = w.table(np.searchsorted(columns[order], np.arange(op.x.size + 1)))
    pairs = w.table(np.stack([delays * count + rows, _lifted(op, values)], axis=1)[order])
    w.row(opcode, _room(op, ticks * count, w), (x,), (w.place(op, "buffer"), ticks, count, starts, pairs, _form(op)))


def _sent(x: Value, w: Writer) -> tuple[int, bool]:
    """Return the slot of the messages, and whether it is a list."""
    return (w.list_slot(x), True) if x.name in w.listed else (w.slot(x), False)


def _lifted(op: Any, weights: NDArray) -> NDArray:
    """Return weights shifted to the left, where they are: the sum is then what it would be if it were shifted."""
    return weights.astype(np.int64) << max(op.weight_exp, 0)


def _room(op: Any, size: int, w: Writer) -> int:
    """Return a slot for sums that are to be shifted to the right."""
    return w.work(op.y.inferred.with_(shape=(size if op.weight_exp < 0 else 0,)))


def _form(op: Any) -> int:
    return GRADED * (op.message_bits > 0) + SHIFT * max(-op.weight_exp, 0)


def conv_arrives(op: loihi.Conv, w: Writer) -> None:
    """The buffer as the last tick left it."""
    w.row(Opcode.INT_TO_INT, w.slot(op.y), (w.kept(op, "buffer"),), (1,))


def conv(op: loihi.Conv, w: Writer) -> None:
    """Each message walks the window; the weights of a tap lie side by side."""
    (channels, height, width), (out, rows, columns) = op.x.shape, op.y.shape
    weight = w.numbers(op, "weight").astype(np.int64)  # (out, channels of a group, y, x)
    grouped = weight.reshape(op.groups, out // op.groups, *weight.shape[1:])
    taps = w.constant(np.moveaxis(grouped, 1, -1))  # (group, channel of it, y, x, out of it)
    before = [pair[0] for pair in op.padding]
    sizes = (channels, height, width, out, rows, columns, *weight.shape[2:], *op.stride, *before, *op.dilation)
    shape = (w.place(op, "buffer"), w.table([*sizes, op.groups]), (op.message_bits > 0) + 2 * (op.weight_exp + 8))
    w.row(Opcode.LOIHI_CONV, w.work(op.y.inferred), (w.slot(op.x), taps), shape)


def dendrite(op: loihi.Dendrite, w: Writer) -> None:
    """Two or three at a time."""
    first, *others = (w.slot(x) for x in op.x)
    if not others:
        return w.put(op.y, first)
    while others:
        some, others = others[:2], others[2:]
        w.row(Opcode.LOIHI_TOTAL, w.slot(op.y), (first, *some))
        first = w.slot(op.y)
    return None


# --------------------------------------------------------------------------------------------------------- units


def lif(op: loihi.Lif, w: Writer) -> None:
    """A list of those that fire; u and v are read where they are kept."""
    w.put(op.v, w.kept(op, "v"))
    w.put(op.u, w.kept(op, "u"))
    bias = each(op, "bias_mant", w, op.bias_exp)
    how = units.AT_LEAST * (op.compare == "greater_equal") + units.SUBTRACT * (op.reset == "subtract") + 4 * op.lag
    places = (w.place(op, "u"), w.place(op, "v"), op.du, op.dv, op.vth << 6, how)
    w.row(Opcode.LOIHI_LIF, w.list_slot(op.s), (w.slot(op.a), bias), places)


def graded(op: loihi.Graded, w: Writer) -> None:
    """Without a state."""
    operands = w.slot(op.a), each(op, "bias", w)
    w.row(Opcode.LOIHI_GRADED, w.slot(op.y), operands, (op.vth, op.shift, op.rule == "abs"))


def lut(op: loihi.Lut, w: Writer) -> None:
    """A table."""
    w.row(Opcode.LOIHI_LOOKUP, w.slot(op.y), (w.slot(op.a), each(op, "bias", w), w.slot(op.table)), (op.shift,))


def sigma(op: loihi.Sigma, w: Writer) -> None:
    """A sum, in place."""
    w.row(Opcode.LOIHI_SIGMA, w.slot(op.y), (w.slot(op.a),), (w.place(op, "sigma"),))


def delta(op: loihi.Delta, w: Writer) -> None:
    """Values are scaled up on their way in."""
    _delta(op, op.x, w.constant(np.zeros(1, np.int64)), w.place(op, "act"), op.spike_exp + op.state_exp, 0, w)


def sigma_delta(op: loihi.SigmaDelta, w: Writer) -> None:
    """Values are in the state's scale; the bias is brought there."""
    bias = each(op, "bias", w, op.spike_exp + op.state_exp)
    more = units.SUMMED + units.RECTIFIED * (op.activation == "relu")
    _delta(op, op.a, bias, w.place(op, "sigma"), 0, more, w)


def _delta(op: Any, x: Value, bias: int, place: int, scale: int, more: int, w: Writer) -> None:
    top = op.vth << (op.spike_exp + op.state_exp)
    numbers = (place, top, scale, op.state_exp, more + units.CUMULATIVE * op.cum_error)
    w.row(Opcode.LOIHI_DELTA, w.slot(op.y), (w.slot(x), bias), numbers)


def fermi_dirac(op: loihi.FermiDirac, w: Writer) -> None:
    """Bias and turn of each unit, one after the other."""
    shape = op.s.shape
    both = [np.broadcast_to(w.numbers(op, name), shape).reshape(-1) for name in ("bias", "turn")]
    operands = (w.slot(op.a), w.slot(op.T), w.constant(np.concatenate(both).astype(np.int64)))
    numbers = (w.place(op, "s"), op.turns, op.sweeps, 0, op.stream, (op.levels == "spin") + 2 * op.lag)
    w.row(Opcode.LOIHI_FERMI_DIRAC, w.slot(op.s), operands, numbers)


def categorical(op: loihi.Categorical, w: Writer) -> None:
    """Rows of units."""
    operands = w.slot(op.a), w.slot(op.T), each(op, "bias", w)
    w.row(Opcode.LOIHI_CATEGORICAL, w.slot(op.s), operands, (op.a.shape[-1], op.lag, op.stream))


def shown(name: str) -> Callable[[Any, Writer], None]:
    """Return the writer of an op that shows its state as it is at the tick's start."""

    def write(op: Any, w: Writer) -> None:
        w.row(Opcode.INT_TO_INT, w.slot(op.results[0]), (w.kept(op, name),), (1,))

    return write


def memory(op: loihi.Memory, w: Writer) -> None:
    """In place, at the tick's end."""
    numbers = (w.place(op, "m"), op.gain, 4096 - op.dm, op.lag, op.stream)
    w.row(Opcode.LOIHI_MEMORY, -1, (w.slot(op.a), w.slot(op.sigma)), numbers)


def heat(op: loihi.Heat, w: Writer) -> None:
    """In place, at the tick's end."""
    numbers = (w.place(op, "T"), op.loss, op.gain, op.floor, op.lag)
    w.row(Opcode.LOIHI_HEAT, -1, (w.slot(op.heat), each(op, "ambient", w)), numbers)


WRITERS: dict[type[Op], Callable[[Any, Writer], None]] = {
    loihi.Encode: encode,
    loihi.Decode: decode,
    loihi.Dense: arrive,
    loihi.Sparse: arrive,
    loihi.Conv: conv_arrives,
    loihi.Dendrite: dendrite,
    loihi.Lif: lif,
    loihi.Graded: graded,
    loihi.Lut: lut,
    loihi.Sigma: sigma,
    loihi.Delta: delta,
    loihi.SigmaDelta: sigma_delta,
    loihi.FermiDirac: fermi_dirac,
    loihi.Categorical: categorical,
    loihi.Memory: shown("m"),
    loihi.Heat: shown("T"),
}
LAST: dict[type[Op], Callable[[Any, Writer], None]] = {
    loihi.Dense: dense,
    loihi.Sparse: sparse,
    loihi.Conv: conv,
    loihi.Memory: memory,
    loihi.Heat: heat,
}
"""What an op does once every value of the tick is there."""
