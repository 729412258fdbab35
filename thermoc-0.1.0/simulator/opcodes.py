"""What an instruction does. Each row of a program's code is (opcode, result slot, operand slots..., parameters...)."""

from __future__ import annotations

from enum import IntEnum, unique

OPERANDS = 3
PARAMETERS = 6
ROW = 2 + OPERANDS + PARAMETERS
SPINS, AT_ONCE, WORDS, REPLICAS, LATTICE, BY_SWEEP = 1, 2, 4, 8, 16, 32
"""The form of GIBBS, in bits: levels are -1 and +1; a class may be coupled; 64 units of a class share a word, or 64
samples of a unit do; the units are a square lattice whose side is a multiple of 128; temperatures are one a sweep,
which only this bit can tell where there are as many sweeps as units."""

FOUR, COLUMNS = 4, 16
"""GIBBS_LAYERS: units of a class are filled up to fours; matrices are cut into bands of so many columns, one vector of
float32 and two of float64, the last filled up."""


@unique
class Opcode(IntEnum):
    """x, y, z are operands, r the result, p0... parameters; elementwise, a slot of one element serves every element.

    Slots hold floats, or 64-bit integers (which also hold i32 and bool); the comment says where integers stand.
    """

    # r[i] = f(x[i])
    NEG = 0
    ABS = 1
    SIGN = 2
    EXP = 3
    EXPM1 = 4
    LOG = 5
    SQRT = 6
    SIN = 7
    COS = 8
    TANH = 9
    FLOOR = 10
    # r[i] = f(x[i], y[i])
    ADD = 20
    SUB = 21
    MUL = 22
    DIV = 23
    POW = 24
    MINIMUM = 25
    MAXIMUM = 26
    THERMAL_RELU = 27
    MAXWELL_BOLTZMANN = 28
    # r[i] = f(x[i], y[i], z[i])
    FERMI_DIRAC = 30
    SELECT = 31  # x integer; r, y, z floats
    # integers from floats, and among integers
    LESS = 40
    LESS_EQUAL = 41
    EQUAL = 42
    INT_LESS = 43
    INT_LESS_EQUAL = 44
    INT_EQUAL = 45
    AND = 46
    OR = 47
    NOT = 48
    # casts: p0 is 0 for i64, 1 for i32, 2 for bool
    FLOAT_TO_INT = 50
    INT_TO_INT = 51
    INT_TO_FLOAT = 52
    # r[i] = x[table[p0 + i]], -1 stands for 0
    GATHER = 60
    INT_GATHER = 61
    # r[table[p0 + i]] = x[i]
    SCATTER = 62
    INT_SCATTER = 63
    # r[o] = reduction over k of x[table[p0 + o p1 + k]], -1 is left out; p2: 0 sum, 1 mean (over p1), 2 max, 3 min
    REDUCE = 64
    # the k of the first maximum (p2 = 4) or minimum (5); r integer
    ARG_REDUCE = 65
    # r = z + x y for p0 matrices (p1, p2) (p2, p3); p4 = 1 where y is the same for all p0.
    # p5 = 0 without z, 1 where z holds an element a column for all p0, 2 where it holds one a row of each
    MATMUL = 70
    # r[i] = z[i] + sum of x[e] y[table[p1 + e]] for e from table[p0 + i] to table[p0 + i + 1]; z may be absent
    SPARSE = 71
    # the same by columns, whose entries start at table[p0 + j] and lie in rows table[p1 + e]; sums run in
    # the order of the columns. x may be one element for all entries; columns where y is 0 are passed over, or y is a
    # list; p2 = 1: r keeps what it held (and has no z)
    SPARSE_COLUMNS = 72
    SPARSE_LIST = 73
    # rows of p0
    BOLTZMANN = 80
    # blocks at (element, tick, p0 draw, p1 stream)
    NORMAL = 81
    UNIFORM = 82
    # the number of the tick; r integer
    TICK = 83
    # p2 sweeps of heat-bath updates from x (n) with field y (1 or n) at temperatures z (1, p2, n or p2 n); blocks at
    # (element, tick, sweep, p4 stream). Tables at p0: where each of p1 classes of units starts (p1 + 1), the units
    # class by class (n), where each unit's couplings start (n + 1), their other ends; p5: where the couplings start
    # among the float constants. p3: the form
    GIBBS = 84
    GIBBS_WORDS = 85
    # as GIBBS, of dense couplings between classes. Tables at p0: where each class starts, the units class by class; p5:
    # where the matrices of ``kernels.layers`` start among the float constants
    GIBBS_LAYERS = 87
    # forces of p0 particles in p1 axes at x, energy and virial behind them; y: strength, sigma, p0 charges. p2: the
    # law, + 4 shifted (``kernels.pairs``); p3: where among the float constants cut-off, softening, the p1 sides of a
    # box (p4 = 1) and p5 distances and energies of a table stand
    PAIRS = 86
    # products of p2 vectors x through pairs of memristors, with noise y where a reading has some; z: a gain, or one for
    # each array of inputs and output. p0: where the sizes stand in the tables, p1: settings, scales, weights, variances
    # among the float constants (``kernels.crossbar``)
    MVM = 88
    # r = y r + x in place, r a state; x may be absent, y is one for all or one an element
    TRACE_STEP = 74
    # units with membranes at p0 of the states, and at p1 the ticks they are still held where p3 > 0 is how many a spike
    # holds them; x + y their input, z their parameters; r the list of those that fire. p2: the form
    # (``kernels.spiking``)
    LIF_STEP = 75
    # r[i] = 1 where the list x holds i, else 0
    SPREAD = 76
    # p0: where in the packed inputs or outputs
    INPUT = 90
    INT_INPUT = 91
    OUTPUT = 92
    INT_OUTPUT = 93
    # delays: r = ring[tick % p1] at a tick's start, ring[tick % p1] = x at its end; p0: the ring's place in the states
    READ = 94
    INT_READ = 95
    WRITE = 96
    INT_WRITE = 97
    # the same for lists: how many units fired, and which
    READ_LIST = 98
    WRITE_LIST = 99
    # Loihi's integer arithmetic (``kernels.loihi``): all hold integers unless the comment says floats; a bias is one or
    # one a unit; p0 of those with a state is its place among the integer states.
    # r = rint(x p0), x floats, clipped to +-p1; r = x / p0, r floats; p0 the bits of a float64
    LOIHI_ENCODE = 110
    LOIHI_DECODE = 111
    # a ring of p1 rows: r = its row of this tick, in 32 bits
    LOIHI_ARRIVE = 112
    # the same ring, at a tick's end: its row is cleared, and for x, m units or a list of such, pairs (delay p2 + row,
    # weight) at table[p4 + 2 e] are added, e from table[p3 + j] to table[p3 + j + 1]; p2 rows a tick. p5: the form,
    # 1 messages count as what they are, 2 (LOIHI_MATRIX) x is a list, 4 shift to the right: then r is room for it
    LOIHI_SYNAPSE = 113
    LOIHI_SYNAPSE_LIST = 114
    # the same of a whole matrix y (m, p2), without table or delays
    LOIHI_MATRIX = 115
    # a buffer becomes the correlation of x with the weights y (channel, y, x, out); r room for it; sizes at table[p1],
    # p2: 1 messages count as what they are, 2 (8 + shift to the left)
    LOIHI_CONV = 116
    # currents p0 and membranes p1 of units with input x and bias y, decays p2 and p3, threshold p4; r the list of those
    # that fire. p5: 1 at the threshold too, 2 subtract it, 4 lag
    LOIHI_LIF = 117
    # r[i] = 1 where the list x holds i, else 0
    LOIHI_SPREAD = 118
    # r = x + y, + z where there is one
    LOIHI_TOTAL = 119
    # r = (x + y) >> p1 where it, or where p2 its magnitude, is above p0, else 0
    LOIHI_GRADED = 120
    # r = z[((x + y) >> p0) + half the length of z]
    LOIHI_LOOKUP = 121
    # r = sum of x over the ticks
    LOIHI_SIGMA = 122
    # r = the change of x << p2 once it reaches p1, >> p3; y a bias; p4 the form (``kernels.loihi_units``). States of x
    # each: sigma (p4 & 4), act, residue, error
    LOIHI_DELTA = 123
    # r[i] = up where x + bias > (y logit) >> 20; y temperatures; z holds bias and turn of each; the old levels at p0;
    # p1 turns, p2 sweeps, p4 stream, p5: 1 levels are -1 and 1, 2 lag
    LOIHI_FERMI_DIRAC = 124
    # one of each row of p0 units is 1: least ((x + z) << 20) + y Gumbel; p1 lag, p2 stream
    LOIHI_CATEGORICAL = 125
    # states of x units, at a tick's end: Ornstein-Uhlenbeck with noise y, p1 gain, p2 what is kept, p3 lag, p4 stream
    LOIHI_MEMORY = 126
    # temperatures of x units, at a tick's end: y ambient, p1 loss, p2 gain, p3 floor, p4 lag
    LOIHI_HEAT = 127
