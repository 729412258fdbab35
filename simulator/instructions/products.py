"""Products: dense, by rows of couplings, through pairs of memristors."""

from __future__ import annotations

from thermoc.simulator.instructions.declaration import Instruction, Points, RowSizes, SlotKind

FLOATS, MAYBE = SlotKind.FLOATS, SlotKind.MAYBE_FLOATS
NO_BIAS, BIAS_A_COLUMN, BIAS_A_ROW = 0, 1, 2
"""What the bias of a dense product is: none, one a column for all matrices, one a row of each matrix."""
MVM_SETTINGS = 8
"""Floats before the scales: steps of an input, those over x_max, codes, those over the range, a code's worth, and what
a reading, a slice and a lower slice's digit are worth: 2^dac_bits, 2^cell_bits, 2^-dac_bits."""
MVM_SIZES = 7
"""Integers: inputs, outputs, slices, rows of an array, readings, how an input is encoded: 0 without steps, 2 as a
whole number of steps, 2 t - 1 as digits, t readings of which go through the cells as one number; the largest weight
where all are whole numbers of a byte, else 0. If it is not, bytes follow, four an integer: (slices,
tiles, inputs, LEVEL_TILE)."""
LEVEL_TILE = 64
"""Outputs of a tile, the last filled with zeros."""
WHOLE_BITS = {8: 52, 4: 23}
"""Of whole numbers that a float of so many bytes holds, with one to spare: readings that go together share them."""
MOST_SIZE = 2**37


def _matmul(row: RowSizes, count: int, rows: int, inner: int, columns: int, shared: int, bias: int) -> bool:
    biases = {NO_BIAS: row.z == -1, BIAS_A_COLUMN: row.z == columns, BIAS_A_ROW: row.z == count * rows}
    sizes = (count * rows * inner, (1 if shared else count) * inner * columns, count * rows * columns)
    return biases.get(bias, False) and shared <= 1 and (row.x, row.y, row.n) == sizes


def _sparse(row: RowSizes, offsets: int, columns: int) -> bool:
    if row.z not in (-1, row.n) or not row.offsets(offsets, row.n, row.x + 1):
        return False
    return row.places(columns, int(row.table[offsets + row.n]), 0, row.y)


def level_words(inputs: int, outputs: int, slices: int) -> int:
    """Return how many integers of 32 bits hold the weights of an ``MVM`` as bytes."""
    return slices * -(-outputs // LEVEL_TILE) * inputs * LEVEL_TILE // 4


def _mvm(row: RowSizes, sizes: int, settings: int, vectors: int) -> bool:
    if not row.places(sizes, MVM_SIZES, 0, MOST_SIZE):
        return False
    inputs, outputs, slices, rows, readings, encoding, largest = row.table[sizes : sizes + MVM_SIZES].tolist()
    digits = encoding % 2 == 1 and encoding < 2 * readings
    if min(inputs, outputs, slices, rows, readings) < 1 or not (digits or (encoding in (0, 2) and readings == 1)):
        return False
    if largest and sizes + MVM_SIZES + level_words(inputs, outputs, slices) > row.table.size:
        return False
    columns, arrays = slices * outputs, -(-inputs // rows)
    floats = MVM_SETTINGS + outputs + inputs * columns * (1 if row.y < 0 else 2)
    matched = (row.n, row.x) == (vectors * outputs, vectors * inputs)
    noise, gains = row.y in (-1, vectors * arrays * readings * columns), row.z in (-1, 1, arrays * outputs)
    return matched and noise and gains and settings + floats <= row.float_constants


def _two(row: RowSizes, **parameters: int) -> int:
    return 2


def _mvm_scratch(row: RowSizes, sizes: int, settings: int, vectors: int) -> int:
    """Digits of the inputs for each pass through the cells, then currents of the slices."""
    inputs, outputs, slices, _, readings, encoding, _ = row.table[sizes : sizes + MVM_SIZES].tolist()
    passes = -(-readings // ((encoding + 1) // 2 if encoding % 2 else 1))
    return vectors * (passes * inputs + slices * outputs)


MATMUL = Instruction(
    opcode=70,
    name="MATMUL",
    equation="r = z + x y for pairs of matrices (rows, inner) (inner, columns)",
    result=FLOATS,
    operands=(FLOATS, FLOATS, MAYBE),
    parameters={
        "count": "pairs of matrices",
        "rows": "rows of x and r",
        "inner": "columns of x, rows of y",
        "columns": "columns of y and r",
        "shared": "1 where y is the same matrix for all pairs",
        "bias": "0 without z, 1 where z holds an element a column for all pairs, 2 where it holds one a row of each",
    },
    fits=_matmul,
    kernel="linear.matmul",
    points=Points(rule="products.matmul"),
    seconds=3.5,
)
SPARSE = Instruction(
    opcode=71,
    name="SPARSE",
    equation="r[i] = z[i] + sum of x[e] y[table[columns + e]], e from table[offsets + i] to table[offsets + i + 1]",
    result=FLOATS,
    operands=(FLOATS, FLOATS, MAYBE),
    parameters={
        "offsets": "where in the table the ends of the rows stand",
        "columns": "where in the table the column of each entry stands",
    },
    fits=_sparse,
    kernel="linear.sparse",
    points=Points(rule="products.sparse"),
)
MVM = Instruction(
    opcode=88,
    name="MVM",
    equation="r = the codes of x G, shifted and added: products through pairs of memristors, with noise y where a "
    "reading has some, and a gain z, or one for each array of inputs and output",
    result=FLOATS,
    operands=(FLOATS, MAYBE, MAYBE),
    parameters={
        "sizes": "where in the table inputs, outputs, slices, rows of an array, readings, the encoding and the largest "
        "whole weight stand",
        "settings": "where among the float constants settings, scales, weights and variances stand",
        "vectors": "vectors of a sample",
    },
    fits=_mvm,
    kernel="crossbar.mvm.mvm",
    points=Points(rule="mvm.mvm", phases=_two, floats=_mvm_scratch),
    seconds=14.0,
)
