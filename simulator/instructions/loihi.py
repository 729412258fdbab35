"""Loihi 2's integer arithmetic: synapses, units, tables, noise. All slots hold integers unless a kind says floats.

A bias is one number or one a unit. What shifts a number or divides one must be in range too.
"""

from __future__ import annotations

from thermoc.simulator.instructions.declaration import (
    COUNTER,
    Instruction,
    Points,
    RowSizes,
    SlotKind,
    Trait,
    of_operand,
)
from thermoc.simulator.instructions.lists import LANES, LIST_PHASES, list_scratch

FLOATS, INTS, MAYBE_INTS = SlotKind.FLOATS, SlotKind.INTS, SlotKind.MAYBE_INTS
GRADED, LISTED, SHIFT = 1, 2, 4
"""The form of a synapse, in bits: messages count as what they are, not as 1; x is a list; from the last bit on, by how
much the sum is shifted to the right."""
CONV_SHIFT, CONV_BIAS = 2, 8
"""The form of a convolution: messages count as what they are (1), then 8 + the shift to the left."""
CONV_SIZES = 15
"""Of a convolution, in the table: channels, height, width; out, height, width; window; stride; padding in front;
dilation; groups."""
AT_LEAST, SUBTRACT, LAG = 1, 2, 4
"""The form of LOIHI_LIF: units fire at the threshold too; it is subtracted; from the last bit on, the lag."""
CUMULATIVE, RECTIFIED, SUMMED = 1, 2, 4
"""The form of LOIHI_DELTA, in bits: errors sum up; negative values count as 0; what comes in is added up first."""
LIFT, SPREAD = 1, 32
"""The form of LOIHI_RELAXATION: how far x is shifted, then how far the noise."""
LEAST = 2**23
"""A least step is handed over as how far it is above this, turned round: parameters are not below 0."""
SPIN, TURN_LAG = 1, 2
"""The form of LOIHI_FERMI_DIRAC: levels are -1 and 1; from the last bit on, the lag."""
STEPS = frozenset({Trait.STEPS, Trait.PER_TICK})
WRITES = frozenset({Trait.WRITES})
LAG_MEANING = "tick of the first step"
RING = {"at": "where the ring of sums stands among the integer states", "ticks": "rows of the ring"}
ENTRIES = {
    "units": "sums of a row",
    "starts": "where in the table the ends of each unit's connections stand",
    "pairs": "where in the table (delay units + row, weight) of each connection stand",
    "form": "1 messages count as what they are, 2 x is a list (of a matrix), then the shift to the right times 4",
}
SEND = "row tick mod ticks of the ring is cleared, then each connection adds its weight times x to the row of its delay"


def _ring(row: RowSizes, at: int, ticks: int, units: int, form: int) -> bool:
    """True where the ring lies among the states, and the result has scratch memory for sums to be shifted."""
    # sums are shifted whole, after all their messages: that needs a place beside the ring
    scratch = ticks * units if form // SHIFT else 0
    # a shift by as many bits as a word has, or more, has no defined result
    return ticks >= 1 and at + ticks * units <= row.int_states and row.n == scratch and form // SHIFT < 32


def _entries(
    row: RowSizes, sources: int, *, at: int, ticks: int, units: int, starts: int, pairs: int, form: int
) -> bool:
    if sources < 0 or not _ring(row, at, ticks, units, form) or form & LISTED:
        return False
    if not row.offsets(starts, sources, row.table.size):
        return False
    entries = int(row.table[starts + sources])
    targets = row.table[pairs : pairs + 2 * entries : 2]
    inside = targets.size == 0 or 0 <= targets.min() <= targets.max() < ticks * units
    return bool(inside) and pairs + 2 * entries <= row.table.size


def _matrix(row: RowSizes, at: int, ticks: int, units: int, starts: int, pairs: int, form: int) -> bool:
    sources = row.x - (form & LISTED > 0)
    return sources >= 0 and _ring(row, at, ticks, units, form) and ticks == 1 and row.y == sources * units


def _conv(row: RowSizes, at: int, sizes: int, form: int) -> bool:
    if not row.places(sizes, CONV_SIZES, 0, 2**31) or form >= CONV_SHIFT * 32 or at + row.n > row.int_states:
        return False
    # Python's integers: a product of a file's sizes could wrap in 64 bits, and pass
    numbers = [int(size) for size in row.table[sizes : sizes + CONV_SIZES]]
    channels, height, width, out, rows, columns, tall, wide, sy, sx, _, _, dy, dx, groups = numbers
    if min(channels, height, width, out, tall, wide, sy, sx, dy, dx, groups) < 1 or channels % groups or out % groups:
        return False
    if row.x != channels * height * width or row.n != out * rows * columns:
        return False
    return row.y == channels * tall * wide * (out // groups)


def _lif(row: RowSizes, currents: int, membranes: int, du: int, dv: int, threshold: int, form: int) -> bool:
    units = row.n - 1
    decays = du <= 4095 and dv <= 4096 and threshold < 2**31
    states = max(currents, membranes) + units <= row.int_states
    return units >= 0 and row.x == units and row.one_or_each(row.y, units) and states and decays


def _delta(row: RowSizes, at: int, threshold: int, scale: int, shift: int, form: int) -> bool:
    states = (4 if form & SUMMED else 3) * row.n
    sizes = row.x == row.n and row.one_or_each(row.y, row.n) and at + states <= row.int_states
    return sizes and form < 8 and max(scale, shift) < 32


def _fermi_dirac(row: RowSizes, at: int, turns: int, sweeps: int, unused: int, stream: int, form: int) -> bool:
    sizes = row.x == row.n and row.one_or_each(row.y, row.n) and row.z == 2 * row.n and at + row.n <= row.int_states
    return sizes and min(turns, sweeps) >= 1 and max(turns, sweeps) < COUNTER and stream < COUNTER


def _categorical(row: RowSizes, units: int, lag: int, stream: int) -> bool:
    sizes = row.x == row.n and row.one_or_each(row.y, row.n) and row.one_or_each(row.z, row.n)
    return sizes and _rows(row, units) and stream < COUNTER


def _rows(row: RowSizes, units: int) -> bool:
    return units >= 1 and row.n % units == 0


def _state_of_x(row: RowSizes, at: int) -> bool:
    return row.one_or_each(row.y, row.x) and at + row.x <= row.int_states


def _relaxation(row: RowSizes, at: int, floor: int, every: int, lag: int, stream: int, form: int) -> bool:
    sizes = row.one_or_each(row.y, row.x) and row.z == 2 * row.x and at + 2 * row.x <= row.int_states
    return sizes and floor < 2 * LEAST and every >= 1 and stream < COUNTER and form < 24 * SPREAD


def _senders(row: RowSizes, ticks: int, units: int, **parameters: int) -> int:
    return max(ticks * units, row.x, LANES)


def _phases(row: RowSizes, form: int, **parameters: int) -> int:
    return 3 if form // SHIFT else 2


LOIHI_ENCODE = Instruction(
    opcode=110,
    name="LOIHI_ENCODE",
    equation="r = rint(x scale), halves to even, clipped to +-top",
    result=INTS,
    operands=(FLOATS,),
    parameters={"scale": "the bits of a float64", "top": "the greatest magnitude"},
    # the sign of a float64 is its highest bit: below 2^63 the scale is positive
    fits=lambda row, scale, top: row.x == row.n and 0 < scale < 2**63 and top < 2**31,
    kernel="loihi.conversion.encode",
    points=Points(rule="loihi.encode"),
)
LOIHI_DECODE = Instruction(
    opcode=111,
    name="LOIHI_DECODE",
    equation="r = x / scale",
    result=FLOATS,
    operands=(INTS,),
    parameters={"scale": "the bits of a float64"},
    fits=lambda row, scale: row.x == row.n,
    kernel="loihi.conversion.decode",
    points=Points(rule="loihi.decode"),
)
LOIHI_ARRIVE = Instruction(
    opcode=112,
    name="LOIHI_ARRIVE",
    equation="r = row tick mod ticks of the ring, in 32 bits",
    result=INTS,
    parameters=RING,
    fits=lambda row, at, ticks: ticks >= 1 and at + ticks * row.n <= row.int_states,
    kernel="loihi.synapses.arrive",
    points=Points(rule="loihi_synapses.arrive"),
    traits=frozenset({Trait.PER_TICK}),
)
LOIHI_SYNAPSE = Instruction(
    opcode=113,
    name="LOIHI_SYNAPSE",
    equation=f"{SEND}; x holds a message a unit, r is scratch memory for sums that are shifted",
    result=INTS,
    operands=(INTS,),
    parameters=RING | ENTRIES,
    fits=lambda row, **parameters: _entries(row, row.x, **parameters),
    kernel="loihi.synapses.synapse",
    points=Points(rule="loihi_synapses.synapse", count=_senders, phases=_phases),
    seconds=0.8,
    traits=WRITES,
)
LOIHI_SYNAPSE_LIST = Instruction(
    opcode=114,
    name="LOIHI_SYNAPSE_LIST",
    equation=f"{SEND}; x lists the units that fired",
    result=INTS,
    operands=(INTS,),
    parameters=RING | ENTRIES,
    fits=lambda row, **parameters: _entries(row, row.x - 1, **parameters),
    kernel="loihi.synapses.synapse_list",
    points=Points(rule="loihi_synapses.synapse_list", count=_senders, phases=_phases),
    seconds=0.8,
    traits=WRITES,
)
LOIHI_MATRIX = Instruction(
    opcode=115,
    name="LOIHI_MATRIX",
    equation=f"{SEND}; every unit is connected to all, by the weights y (unit of x, unit of the ring)",
    result=INTS,
    operands=(INTS, INTS),
    parameters=RING | ENTRIES | {"starts": "unused", "pairs": "unused"},
    fits=_matrix,
    kernel="loihi.synapses.matrix",
    points=Points(rule="loihi_synapses.matrix", count=lambda row, units, **p: units),
    seconds=0.8,
    traits=WRITES,
)
LOIHI_CONV = Instruction(
    opcode=116,
    name="LOIHI_CONV",
    equation="the buffer becomes the correlation of x with the weights y (channel, y, x, out), in 24 bits; r is "
    "scratch memory",
    result=INTS,
    operands=(INTS, INTS),
    parameters={
        "at": "where the buffer stands among the integer states",
        "sizes": "where in the table channels, height, width of x; out, height, width of r; window, stride, padding in "
        "front, dilation (two each) and groups stand",
        "form": "1 messages count as what they are, then (8 + shift to the left) times 2",
    },
    fits=_conv,
    kernel="loihi.synapses.conv",
    points=Points(rule="loihi_synapses.conv"),
    seconds=0.8,
    traits=WRITES,
)
LOIHI_LIF = Instruction(
    opcode=117,
    name="LOIHI_LIF",
    equation="u = decay of u + (x << 6), v = decay of v + u + y; r = the list of units whose v passes the threshold",
    result=INTS,
    operands=(INTS, INTS),
    parameters={
        "currents": "where u stands among the integer states",
        "membranes": "where v stands",
        "du": "decay of u, of 4096",
        "dv": "decay of v, of 4096",
        "threshold": "threshold, in units of v",
        "form": "1 fires at the threshold too, 2 subtract it, then the tick of the first step times 4",
    },
    fits=_lif,
    kernel="loihi.units.lif",
    points=Points(
        rule="loihi.lif",
        count=lambda row, **p: max(1, row.n - 1),
        phases=lambda row, **p: LIST_PHASES,
        ints=lambda row, **p: list_scratch(row.n - 1),
    ),
    seconds=1.6,
    traits=STEPS,
)
LOIHI_SPREAD = Instruction(
    opcode=118,
    name="LOIHI_SPREAD",
    equation="r[i] = 1 where the list x names i, else 0",
    result=INTS,
    operands=(INTS,),
    fits=lambda row: row.x == row.n + 1,
    kernel="populations.spread",
    points=Points(rule="lists.spread", phases=lambda row: 2),
    traits=frozenset({Trait.PER_TICK}),
)
LOIHI_TOTAL = Instruction(
    opcode=119,
    name="LOIHI_TOTAL",
    equation="r = x + y, + z where there is one, in 32 bits",
    result=INTS,
    operands=(INTS, INTS, MAYBE_INTS),
    fits=lambda row: row.x == row.y == row.n and row.z in (-1, row.n),
    kernel="loihi.units.total",
    points=Points(rule="loihi.total"),
)
LOIHI_GRADED = Instruction(
    opcode=120,
    name="LOIHI_GRADED",
    equation="r = s = (x + y) >> shift where s, or |s|, is above the threshold, else 0",
    result=INTS,
    operands=(INTS, INTS),
    parameters={
        "threshold": "threshold",
        "shift": "shift to the right",
        "magnitude": "1 where |s| is compared",
    },
    fits=lambda row, threshold, shift, magnitude: (
        row.x == row.n and row.one_or_each(row.y, row.n) and shift < 32 and magnitude <= 1
    ),
    kernel="loihi.units.graded",
    points=Points(rule="loihi.graded"),
)
LOIHI_LOOKUP = Instruction(
    opcode=121,
    name="LOIHI_LOOKUP",
    equation="r = z[((x + y) >> shift) + half the length of z], the nearest entry outside",
    result=INTS,
    operands=(INTS, INTS, INTS),
    parameters={"shift": "shift to the right"},
    fits=lambda row, shift: row.x == row.n and row.one_or_each(row.y, row.n) and row.z >= 1 and shift < 32,
    kernel="loihi.units.lookup",
    points=Points(rule="loihi.lookup"),
)
LOIHI_SIGMA = Instruction(
    opcode=122,
    name="LOIHI_SIGMA",
    equation="r = the sum of x over the ticks, in 32 bits",
    result=INTS,
    operands=(INTS,),
    parameters={"at": "where the sum stands among the integer states"},
    fits=lambda row, at: row.x == row.n and at + row.n <= row.int_states,
    kernel="loihi.units.sigma",
    points=Points(rule="loihi.sigma"),
    traits=STEPS,
)
LOIHI_DELTA = Instruction(
    opcode=123,
    name="LOIHI_DELTA",
    equation="r = the change of x << scale since it was last sent, once it reaches the threshold, >> shift; y a bias",
    result=INTS,
    operands=(INTS, INTS),
    parameters={
        "at": "where among the integer states the sum (where form has 4), the value, the residue and the error stand",
        "threshold": "least change that is sent",
        "scale": "shift to the left",
        "shift": "shift to the right",
        "form": "bits: 1 errors sum up, 2 negative values count as 0, 4 x is added up first",
    },
    fits=_delta,
    kernel="loihi.units.delta",
    points=Points(rule="loihi.delta"),
    seconds=0.5,
    traits=STEPS,
)
LOIHI_FERMI_DIRAC = Instruction(
    opcode=124,
    name="LOIHI_FERMI_DIRAC",
    equation="r = up where it is a unit's turn and x + bias > (y logit(u)) >> 20; y temperatures, z bias and turn of "
    "each unit",
    result=INTS,
    operands=(INTS, INTS, INTS),
    parameters={
        "at": "where the levels stand among the integer states",
        "turns": "turns of a sweep",
        "sweeps": "sweeps of a tick of the network",
        "unused": "0",
        "stream": "fourth word of the counter (element, tick, sweep, stream)",
        "form": "1 levels -1 and 1, then the tick of the first step times 2",
    },
    fits=_fermi_dirac,
    kernel="loihi.noise.fermi_dirac",
    points=Points(rule="loihi.fermi_dirac"),
    seconds=1.3,
    traits=STEPS | {Trait.RANDOM},
)
LOIHI_CATEGORICAL = Instruction(
    opcode=125,
    name="LOIHI_CATEGORICAL",
    equation="one of each row of units is 1: the least ((x + z) << 20) + y g, g Gumbel; y temperatures, z a bias",
    result=INTS,
    operands=(INTS, INTS, INTS),
    parameters={"units": "units of a row", "lag": LAG_MEANING, "stream": "fourth word of the counter"},
    fits=_categorical,
    kernel="loihi.noise.categorical",
    points=Points(rule="loihi.categorical", count=lambda row, units, **p: row.n // units),
    seconds=1.1,
    traits=frozenset({Trait.RANDOM, Trait.PER_TICK}),
)
LOIHI_BOLTZMANN = Instruction(
    opcode=130,
    name="LOIHI_BOLTZMANN",
    equation="r = 2^fraction exp(-(x + bias) / y) / Z of each row of units; y temperatures, z bias and "
    "initial r of each unit",
    result=INTS,
    operands=(INTS, INTS, INTS),
    parameters={"units": "units of a row", "lag": LAG_MEANING, "fraction": "bits of a probability"},
    fits=lambda row, units, lag, fraction: (
        row.x == row.n and row.one_or_each(row.y, row.n) and row.z == 2 * row.n and fraction < 23 and _rows(row, units)
    ),
    kernel="loihi.units.boltzmann",
    points=Points(rule="loihi.boltzmann", count=lambda row, units, **p: row.n // units),
    seconds=0.8,
    traits=frozenset({Trait.PER_TICK}),
)
LOIHI_MEMORY = Instruction(
    opcode=126,
    name="LOIHI_MEMORY",
    equation="m = clip(decay of m + (x gain >> 12) + (y z >> 12)), z a normal, as the tick ends",
    result=None,
    operands=(INTS, INTS),
    parameters={
        "at": "where m stands among the integer states",
        "gain": "gain of x, of 4096",
        "keep": "what is left of m, of 4096",
        "lag": LAG_MEANING,
        "stream": "fourth word of the counter",
    },
    fits=lambda row, at, gain, keep, lag, stream: _state_of_x(row, at) and keep <= 4096 and stream < COUNTER,
    kernel="loihi.noise.memory",
    points=Points(rule="loihi.memory", count=of_operand),
    seconds=0.7,
    traits=WRITES | {Trait.RANDOM},
)
LOIHI_RELAXATION = Instruction(
    opcode=129,
    name="LOIHI_RELAXATION",
    equation="m of 48 bits = clip(m - (m loss >> 24 + shift) + (x << lift) + (y normal << spread)), as the tick "
    "ends; z loss and shift of each unit",
    result=None,
    operands=(INTS, INTS, INTS),
    parameters={
        "at": "where m and then its lower bits stand among the integer states",
        "floor": "least m, and 2^23",
        "every": "ticks from one step to the next",
        "lag": LAG_MEANING,
        "stream": "fourth word of the counter",
        "form": "the shift of x, then that of the noise times 32",
    },
    fits=_relaxation,
    kernel="loihi.noise.relaxation",
    points=Points(rule="loihi.relaxation", count=of_operand),
    seconds=0.8,
    traits=WRITES | {Trait.RANDOM},
)
LOIHI_HEAT = Instruction(
    opcode=127,
    name="LOIHI_HEAT",
    equation="T = T - decay of (T - y) + (x gain >> 12), at least the floor, as the tick ends; y is the ambient one",
    result=None,
    operands=(INTS, INTS),
    parameters={
        "at": "where T stands among the integer states",
        "loss": "decay to the ambient temperature, of 4096",
        "gain": "gain of the heat x, of 4096",
        "floor": "least temperature",
        "lag": LAG_MEANING,
    },
    fits=lambda row, at, loss, gain, floor, lag: _state_of_x(row, at) and loss <= 4096 and 1 <= floor < 2**24,
    kernel="loihi.units.heat",
    points=Points(rule="loihi.heat", count=of_operand),
    traits=WRITES,
)
LOIHI_HEAT_NODE = Instruction(
    opcode=128,
    name="LOIHI_HEAT_NODE",
    equation="r = T = clip(T + d), rest = rest + x - d y, d = floor((rest + x) / y); y heat capacities",
    result=INTS,
    operands=(INTS, INTS),
    parameters={
        "at": "where T and then rest stand among the integer states",
        "every": "ticks from one step to the next",
        "lag": "tick from which on they are counted",
    },
    fits=lambda row, at, every, lag: (
        row.x == row.n and row.one_or_each(row.y, row.n) and at + 2 * row.n <= row.int_states and every >= 1
    ),
    kernel="loihi.units.heat_node",
    points=Points(rule="loihi.heat_node"),
    traits=STEPS,
)
