"""How Loihi's integer ops become rows: states in place, rings of sums for synapses, spikes as lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.sim.rows.writer import ProgramWriter
from thermoc.ir.dialects import loihi
from thermoc.ir.ops import Op
from thermoc.ir.values import Value
from thermoc.simulator.instructions import loihi as rows
from thermoc.simulator.instructions.moves import I32, INT_TO_INT
from thermoc.simulator.program import Form

PROMPT = (
    loihi.LoihiLif,
    loihi.LoihiGraded,
    loihi.LoihiLut,
    loihi.LoihiSigmaDelta,
    loihi.LoihiFermiDirac,
    loihi.LoihiCategorical,
    loihi.LoihiBoltzmann,
    loihi.LoihiHeatNode,
    loihi.LoihiDendrite,
)
"""Units that read what they are given within the tick, and return something new."""


def bits(number: float) -> int:
    """Return a positive number as the bits of a float64, which a row can carry."""
    return int(np.float64(number).view(np.int64))


def form(op: Op, name: str) -> tuple[int, Form]:
    """Return how many values of a state are kept, and how."""
    if isinstance(op, loihi.LoihiDense | loihi.LoihiSparse):
        return op.longest + 1, Form.SUMS
    return 1, Form.PLACE


def start(op: Op, name: str, w: ProgramWriter) -> NDArray | int:
    """Return where a state begins."""
    if isinstance(op, loihi.LoihiLif):
        return w.numbers(op, f"{name}_initial")
    if name == "rest":
        return w.numbers(op, "initial_rest")
    return w.numbers(op, "initial") if hasattr(op, "initial") else 0


def each(op: Op, name: str, w: ProgramWriter, shift: int = 0) -> int:
    """Return the slot of an operand's numbers, one for all or one a unit, shifted to the left."""
    numbers = w.numbers(op, name).astype(np.int64) << shift
    return w.constant(numbers if numbers.size == 1 else np.broadcast_to(numbers, op.results[0].shape))


def encode(op: loihi.LoihiEncode, w: ProgramWriter) -> None:
    """From floats."""
    top = 2 ** (op.bits - 1) - 1
    w.row(rows.LOIHI_ENCODE, w.slot(op.y), (w.slot(op.x),), scale=bits(op.scale), top=top)


def decode(op: loihi.LoihiDecode, w: ProgramWriter) -> None:
    """To floats."""
    w.row(rows.LOIHI_DECODE, w.slot(op.y), (w.slot(op.x),), scale=bits(op.scale))


# ------------------------------------------------------------------------------------------------------ synapses


def arrive(op: Any, w: ProgramWriter) -> None:
    """The ring's row of this tick, where it stands if that is safe; its sums are added to at the tick's end."""
    if op.longest == 0 and op.message_bits == 0 and _read_within_the_tick(op, w):
        return w.put(op.y, w.state_slot(op, "buffer"))
    ring = w.states[f"{op.y.name}.buffer"]
    return w.row(rows.LOIHI_ARRIVE, w.slot(op.y), at=ring.offset, ticks=ring.ticks)


def _read_within_the_tick(op: Any, w: ProgramWriter) -> bool:
    """Return whether all who read the sums do so before they change, and no sum can pass 32 bits."""
    readers = w.graph.consumers[op.y.name]
    # No weight of 8 bits is above 256, and each message here is a single spike.
    bound = 256 * op.x.size << max(op.weight_exp, 0)
    return bound < 2**31 and all(isinstance(reader, PROMPT) and len(reader.inputs) > 1 for reader in readers)


def dense(op: loihi.LoihiDense, w: ProgramWriter) -> None:
    """A matrix by columns where no connection is delayed, else by entries."""
    W = w.numbers(op, "weight")
    if op.delays is None and op.longest == 0:
        return _matrix(op, W, w)
    targets, columns = np.nonzero(W)
    delays = np.zeros_like(targets) if op.delays is None else w.numbers(op, "delays")[targets, columns]
    return _entries(op, W[targets, columns], targets, columns, delays, w)


def sparse(op: loihi.LoihiSparse, w: ProgramWriter) -> None:
    """Entries, column by column."""
    offsets, columns = w.numbers(op, "offsets"), w.numbers(op, "columns")
    targets = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    delays = np.zeros_like(targets) if op.delays is None else w.numbers(op, "delays")
    _entries(op, w.numbers(op, "values"), targets, columns, delays, w)


def _matrix(op: loihi.LoihiDense, W: NDArray, w: ProgramWriter) -> None:
    x, listed = _sent(op.x, w)
    # Column by column: what one spike adds lies side by side in memory.
    operands = (x, w.constant(_lifted(op, W).T))
    ring = {"at": w.state_offset(op, "buffer"), "ticks": 1, "units": len(W)}
    form = _form(op) | rows.LISTED * listed
    w.row(rows.LOIHI_MATRIX, _scratch(op, len(W), w), operands, **ring, starts=0, pairs=0, form=form)


def _entries(op: Any, values: NDArray, targets: NDArray, columns: NDArray, delays: NDArray, w: ProgramWriter) -> None:
    """Connections by their targets, sources (columns) and delays."""
    x, listed = _sent(op.x, w)
    instruction = rows.LOIHI_SYNAPSE_LIST if listed else rows.LOIHI_SYNAPSE
    ticks, units = op.longest + 1, op.y.size
    # By source, then delay, then target: a message then walks its connections in the order of memory.
    order = np.lexsort((targets, delays, columns))
    starts = w.table(np.searchsorted(columns[order], np.arange(op.x.size + 1)))
    pairs = w.table(np.stack([delays * units + targets, _lifted(op, values)], axis=1)[order])
    ring = {"at": w.state_offset(op, "buffer"), "ticks": ticks, "units": units}
    scratch = _scratch(op, ticks * units, w)
    w.row(instruction, scratch, (x,), **ring, starts=starts, pairs=pairs, form=_form(op))


def _sent(x: Value, w: ProgramWriter) -> tuple[int, bool]:
    """Return the slot of the messages, and whether it is a list."""
    return (w.list_slot(x), True) if x.name in w.listed else (w.slot(x), False)


def _lifted(op: Any, weights: NDArray) -> NDArray:
    """Return weights shifted to the left, where they are: the sum is then what it would be if it were shifted."""
    return weights.astype(np.int64) << max(op.weight_exp, 0)


def _scratch(op: Any, size: int, w: ProgramWriter) -> int:
    """Return a slot for sums that are to be shifted to the right."""
    return w.work(op.y.inferred.with_(shape=(size if op.weight_exp < 0 else 0,)))


def _form(op: Any) -> int:
    return rows.GRADED * (op.message_bits > 0) + rows.SHIFT * max(-op.weight_exp, 0)


def conv_arrives(op: loihi.LoihiConv, w: ProgramWriter) -> None:
    """The buffer as the last tick left it."""
    w.row(INT_TO_INT, w.slot(op.y), (w.state_slot(op, "buffer"),), dtype=I32)


def conv(op: loihi.LoihiConv, w: ProgramWriter) -> None:
    """Each message walks the window; the weights of a tap lie side by side."""
    weight = w.numbers(op, "weight").astype(np.int64)  # (out, channels of a group, y, x)
    grouped = weight.reshape(op.groups, -1, *weight.shape[1:])
    taps = w.constant(np.moveaxis(grouped, 1, -1))  # (group, channel of it, y, x, out of it)
    before = [pair[0] for pair in op.padding]
    sizes = (*op.x.shape, *op.y.shape, *weight.shape[2:], *op.stride, *before, *op.dilation, op.groups)
    form = rows.GRADED * (op.message_bits > 0) + rows.CONV_SHIFT * (op.weight_exp + rows.CONV_BIAS)
    at, table = w.state_offset(op, "buffer"), w.table(sizes)
    w.row(rows.LOIHI_CONV, w.work(op.y.inferred), (w.slot(op.x), taps), at=at, sizes=table, form=form)


def dendrite(op: loihi.LoihiDendrite, w: ProgramWriter) -> None:
    """Two or three at a time."""
    first, *remaining = (w.slot(x) for x in op.x)
    if not remaining:
        return w.put(op.y, first)
    while remaining:
        some, remaining = remaining[:2], remaining[2:]
        w.row(rows.LOIHI_TOTAL, w.slot(op.y), (first, *some))
        first = w.slot(op.y)
    return None


# --------------------------------------------------------------------------------------------------------- units


def lif(op: loihi.LoihiLif, w: ProgramWriter) -> None:
    """A list of those that fire; u and v are read where they stand."""
    w.put(op.v, w.state_slot(op, "v"))
    w.put(op.u, w.state_slot(op, "u"))
    bias = each(op, "bias_mant", w, op.bias_exp)
    form = rows.AT_LEAST * (op.compare == "greater_equal") + rows.SUBTRACT * (op.reset == "subtract")
    places = {"currents": w.state_offset(op, "u"), "membranes": w.state_offset(op, "v")}
    # Membranes have six bits below those of the threshold.
    decays = {"du": op.du, "dv": op.dv, "threshold": op.vth << 6}
    form += rows.LAG * op.lag
    w.row(rows.LOIHI_LIF, w.list_slot(op.s), (w.slot(op.a), bias), **places, **decays, form=form)


def graded(op: loihi.LoihiGraded, w: ProgramWriter) -> None:
    """Without a state."""
    operands = w.slot(op.a), each(op, "bias", w)
    magnitude = op.rule == "abs"
    w.row(rows.LOIHI_GRADED, w.slot(op.y), operands, threshold=op.vth, shift=op.shift, magnitude=magnitude)


def lut(op: loihi.LoihiLut, w: ProgramWriter) -> None:
    """A table."""
    result, a = w.slot(op.y), w.slot(op.a)
    w.row(rows.LOIHI_LOOKUP, result, (a, each(op, "bias", w), w.slot(op.table)), shift=op.shift)


def sigma(op: loihi.LoihiSigma, w: ProgramWriter) -> None:
    """A sum, in place."""
    w.row(rows.LOIHI_SIGMA, w.slot(op.y), (w.slot(op.a),), at=w.state_offset(op, "sigma"))


def delta(op: loihi.LoihiDelta, w: ProgramWriter) -> None:
    """Values are scaled up on their way in."""
    _delta(op, op.x, w.constant(np.zeros(1, np.int64)), w.state_offset(op, "act"), op.spike_exp + op.state_exp, 0, w)


def sigma_delta(op: loihi.LoihiSigmaDelta, w: ProgramWriter) -> None:
    """Values are in the state's scale; the bias is brought there."""
    bias = each(op, "bias", w, op.spike_exp + op.state_exp)
    form = rows.SUMMED + rows.RECTIFIED * (op.activation == "relu")
    _delta(op, op.a, bias, w.state_offset(op, "sigma"), 0, form, w)


def _delta(op: Any, x: Value, bias: int, at: int, scale: int, form: int, w: ProgramWriter) -> None:
    threshold = op.vth << (op.spike_exp + op.state_exp)
    shifts = {"scale": scale, "shift": op.state_exp, "form": form + rows.CUMULATIVE * op.cum_error}
    w.row(rows.LOIHI_DELTA, w.slot(op.y), (w.slot(x), bias), at=at, threshold=threshold, **shifts)


def fermi_dirac(op: loihi.LoihiFermiDirac, w: ProgramWriter) -> None:
    """Bias and turn of each unit, one after the other."""
    shape = op.s.shape
    settings = [np.broadcast_to(w.numbers(op, name), shape).reshape(-1) for name in ("bias", "turn")]
    operands = (w.slot(op.a), w.slot(op.T), w.constant(np.concatenate(settings).astype(np.int64)))
    order = {"turns": op.turns, "sweeps": op.sweeps, "unused": 0, "stream": op.stream}
    form = rows.SPIN * (op.levels == "spin") + rows.TURN_LAG * op.lag
    w.row(rows.LOIHI_FERMI_DIRAC, w.slot(op.s), operands, at=w.state_offset(op, "s"), **order, form=form)


def categorical(op: loihi.LoihiCategorical, w: ProgramWriter) -> None:
    """Rows of units."""
    operands = w.slot(op.a), w.slot(op.T), each(op, "bias", w)
    w.row(rows.LOIHI_CATEGORICAL, w.slot(op.s), operands, units=op.a.shape[-1], lag=op.lag, stream=op.stream)


def boltzmann(op: loihi.LoihiBoltzmann, w: ProgramWriter) -> None:
    """Rows of units; their bias and what they say at first, one after the other."""
    settings = [np.broadcast_to(w.numbers(op, name), op.p.shape).reshape(-1) for name in ("bias", "initial")]
    operands = (w.slot(op.a), w.slot(op.T), w.constant(np.concatenate(settings).astype(np.int64)))
    row = {"units": op.p.shape[-1], "lag": op.lag, "fraction": op.fraction}
    w.row(rows.LOIHI_BOLTZMANN, w.slot(op.p), operands, **row)


def shown(name: str) -> Callable[[Any, ProgramWriter], None]:
    """Return the writer of an op that shows its state as it is at the tick's start."""

    def write(op: Any, w: ProgramWriter) -> None:
        w.row(INT_TO_INT, w.slot(op.results[0]), (w.state_slot(op, name),), dtype=I32)

    return write


def memory(op: loihi.LoihiMemory, w: ProgramWriter) -> None:
    """In place, at the tick's end."""
    numbers = {"gain": op.gain, "keep": 4096 - op.dm, "lag": op.lag, "stream": op.stream}
    w.row(rows.LOIHI_MEMORY, -1, (w.slot(op.a), w.slot(op.sigma)), at=w.state_offset(op, "m"), **numbers)


def relaxation(op: loihi.LoihiRelaxation, w: ProgramWriter) -> None:
    """In place, at the tick's end; loss and shift of each unit, one after the other."""
    shape = op.m.shape
    settings = [np.broadcast_to(w.numbers(op, name), shape).reshape(-1) for name in ("loss", "shift")]
    operands = (w.slot(op.a), w.slot(op.sigma), w.constant(np.concatenate(settings).astype(np.int64)))
    numbers = {"floor": op.floor + rows.LEAST, "every": op.every, "lag": op.lag, "stream": op.stream}
    form = rows.LIFT * op.lift + rows.SPREAD * op.spread
    w.row(rows.LOIHI_RELAXATION, -1, operands, at=w.state_offset(op, "m"), **numbers, form=form)


def heat(op: loihi.LoihiHeat, w: ProgramWriter) -> None:
    """In place, at the tick's end."""
    numbers = {"loss": op.loss, "gain": op.gain, "floor": op.floor, "lag": op.lag}
    w.row(rows.LOIHI_HEAT, -1, (w.slot(op.heat), each(op, "ambient", w)), at=w.state_offset(op, "T"), **numbers)


def heat_node(op: loihi.LoihiHeatNode, w: ProgramWriter) -> None:
    """Temperature and rest, in place."""
    operands, numbers = (w.slot(op.heat), each(op, "capacity", w)), {"every": op.every, "lag": op.lag}
    w.row(rows.LOIHI_HEAT_NODE, w.slot(op.T), operands, at=w.state_offset(op, "T"), **numbers)


WRITERS: dict[type[Op], Callable[[Any, ProgramWriter], None]] = {
    loihi.LoihiEncode: encode,
    loihi.LoihiDecode: decode,
    loihi.LoihiDense: arrive,
    loihi.LoihiSparse: arrive,
    loihi.LoihiConv: conv_arrives,
    loihi.LoihiDendrite: dendrite,
    loihi.LoihiLif: lif,
    loihi.LoihiGraded: graded,
    loihi.LoihiLut: lut,
    loihi.LoihiSigma: sigma,
    loihi.LoihiDelta: delta,
    loihi.LoihiSigmaDelta: sigma_delta,
    loihi.LoihiFermiDirac: fermi_dirac,
    loihi.LoihiCategorical: categorical,
    loihi.LoihiBoltzmann: boltzmann,
    loihi.LoihiMemory: shown("m"),
    loihi.LoihiRelaxation: shown("m"),
    loihi.LoihiHeat: shown("T"),
    loihi.LoihiHeatNode: heat_node,
}
LAST: dict[type[Op], Callable[[Any, ProgramWriter], None]] = {
    loihi.LoihiDense: dense,
    loihi.LoihiSparse: sparse,
    loihi.LoihiConv: conv,
    loihi.LoihiMemory: memory,
    loihi.LoihiRelaxation: relaxation,
    loihi.LoihiHeat: heat,
}
"""What an op does once every value of the tick is there."""
