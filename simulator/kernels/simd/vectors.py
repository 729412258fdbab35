"""Vectors of eight floats, written into kernels by hand where a compiler would not find them.

Loops over many arrays stay scalar where the compiler cannot tell that none overlaps another, and recurrences always do.
"""

# pyright: reportCallIssue=false

from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils

LANES = 8
"""Elements of a vector."""
REAL = ir.DoubleType()
KIND = ir.VectorType(REAL, LANES)


class VectorBuilder:
    """Writes loads, stores and arithmetic of vectors into a function."""

    def __init__(self, context, builder, signature, args):
        self.context, self.builder, self.signature, self.args = context, builder, signature, args
        name = f"llvm.fma.v{LANES}f64"
        self._fma = cgutils.get_or_insert_function(builder.module, ir.FunctionType(KIND, [KIND] * 3), name)

    def data(self, number):
        kind = self.signature.args[number]
        return self.context.make_array(kind)(self.context, self.builder, self.args[number]).data

    def at(self, base, offset):
        return self.builder.bitcast(self.builder.gep(base, [offset], inbounds=True), KIND.as_pointer())

    def load(self, base, offset):
        return self.builder.load(self.at(base, offset), align=8)

    def store(self, value, base, offset):
        self.builder.store(value, self.at(base, offset), align=8)

    def index(self, n):
        return ir.Constant(ir.IntType(64), n)

    def times(self, value, n):
        return self.builder.mul(value, self.index(n))

    def add(self, *values):
        total = values[0]
        for value in values[1:]:
            total = self.builder.add(total, value)
        return total

    def fma(self, x, y, z):
        return self.builder.call(self._fma, [x, y, z])

    def spread(self, value):
        first = self.builder.insert_element(ir.Constant(KIND, ir.Undefined), value, self.lane(0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return self.builder.shuffle_vector(first, ir.Constant(KIND, ir.Undefined), zeros)

    def lane(self, n):
        return ir.Constant(ir.IntType(32), n)

    def zero(self):
        # in the entry block: inside a loop it would take more of the stack each time
        return cgutils.alloca_once_value(self.builder, ir.Constant(KIND, [0.0] * LANES))

    def transposed(self, rows):
        """Return the transpose of eight vectors: blocks off the diagonal change places, by ones, twos and fours."""
        rows = list(rows)
        for d in (1, 2, 4):
            low = [lane if not lane & d else LANES + lane - d for lane in range(LANES)]
            high = [lane + d if not lane & d else LANES + lane for lane in range(LANES)]
            for i in range(LANES):
                if not i & d:
                    pair = rows[i], rows[i + d]
                    for row, mask in ((i, low), (i + d, high)):
                        mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), mask)
                        rows[row] = self.builder.shuffle_vector(*pair, mask)
        return rows

    def total(self, vector):
        # a fixed tree of sums: without leave to reorder, LLVM keeps it, and the total is the same on every processor
        sums = [self.builder.extract_element(vector, self.lane(n)) for n in range(LANES)]
        while len(sums) > 1:
            sums = [self.builder.fadd(a, b) for a, b in zip(sums[::2], sums[1::2])]
        return sums[0]
