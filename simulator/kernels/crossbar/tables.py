"""Currents of cells with whole levels: what a few rows give for all their digits can be, looked up and added as bytes.

A digit of a bits has 2^(a + 1) - 1 values, so that a group of g rows has that to the power of g sums a column. They are
laid down once for many vectors; a reading then costs one addition a group, of 64 columns at a time. All of it is exact.
"""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from typing import NamedTuple

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy import empty, int32, uint16

from thermoc.simulator.instructions.products import LEVEL_TILE

WIDTH = LEVEL_TILE
"""Columns of a tile."""
GROUP = (0, 4, 2, 1)
"""Rows of a group, for digits of so many bits."""
TABLE_BYTES = 42_000
"""Of the tables that are in use together: they should fit a first-level cache."""
_BYTES, _SHORTS = (ir.VectorType(ir.IntType(bits), WIDTH) for bits in (8, 16))


class Groups(NamedTuple):
    """Bits of a digit, rows of a group, the largest digit, sums of a group, groups whose sums fit a byte together."""

    bits: int
    rows: int
    digit: int
    entries: int
    together: int


@njit(error_model="numpy", nogil=True)
def groups_of(base, largest, rows, readings, noisy):
    """Return how the rows of an array are looked up, for digits below ``base`` and levels up to ``largest``.

    No groups go together where levels are not whole, where sums or an input's digits would not fit their integers, and
    where variances are not those of digits of one bit.
    """
    bits = 1 if base == 2 else 2 if base == 4 else 3
    digit, size = (1 << bits) - 1, GROUP[bits]
    entries = (2 * digit + 1) ** size
    fitting = base <= 8 and largest > 0 and rows * digit * largest < 2**15 and readings * bits < 31
    limit = min(127 // max(size * digit * largest, 1), TABLE_BYTES // (entries * WIDTH))
    return Groups(bits, size, digit, entries, limit if fitting and (bits == 1 or not noisy) else 0)


@njit(error_model="numpy", nogil=True)
def fill_tables(tables, levels, groups, spacing, first, inner):
    """tables = the sums of the groups from ``first`` on that go together, of the levels (inner, WIDTH).

    Group q has the rows q, q + spacing, ...; those from ``inner`` on are zeros.
    """
    for q in range(groups.together):
        at = q * groups.entries * WIDTH
        if groups.bits == 1:
            fill_table1(tables, at, levels, first + q, spacing, inner)
        elif groups.bits == 2:
            fill_table2(tables, at, levels, first + q, spacing, inner)
        else:
            fill_table3(tables, at, levels, first + q, spacing, inner)


def _fill_table(bits):
    @intrinsic
    def fill_table(typingctx, tables, at, levels, first, spacing, inner):
        """Lay down the sums of the rows first, first + spacing, ... for all digits of so many bits, from the least."""

        def codegen(context, builder, signature, args):
            table, cells = (context.make_array(signature.args[k])(context, builder, args[k]).data for k in (0, 2))
            width, zeros = ir.Constant(ir.IntType(64), WIDTH), ir.Constant(_BYTES, None)

            def at(base, place):
                return builder.bitcast(builder.gep(base, [place]), _BYTES.as_pointer())

            sums, row = [zeros], args[3]
            for _ in range(GROUP[bits]):
                inside = builder.icmp_signed("<", row, args[5])
                # a row that is not there is not read
                place = builder.select(inside, builder.mul(row, width), ir.Constant(ir.IntType(64), 0))
                level = builder.select(inside, builder.load(at(cells, place), align=1), zeros)
                multiples = [zeros]
                for _ in range((1 << bits) - 1):
                    multiples.append(builder.add(multiples[-1], level))
                less = [[builder.sub(total, times) for total in sums] for times in multiples[:0:-1]]
                added = [[builder.add(total, times) for total in sums] for times in multiples[1:]]
                sums = [total for term in (*less, sums, *added) for total in term]
                row = builder.add(row, args[4])
            for number, total in enumerate(sums):
                place = builder.add(args[1], ir.Constant(ir.IntType(64), number * WIDTH))
                builder.store(total, at(table, place), align=1)
            return context.get_dummy_value()

        index = types.intp
        return types.void(tables, index, levels, index, index, index), codegen

    return fill_table


fill_table1, fill_table2, fill_table3 = map(_fill_table, (1, 2, 3))


@njit(error_model="numpy", nogil=True)
def fill_starts(starts, groups):
    """starts = which entry of the tables that go together is that of digits of zero, for each group."""
    for q in range(starts.size):
        starts[q] = q % groups.together * groups.entries + groups.entries // 2


@njit(error_model="numpy", nogil=True)
def fill_places(places, starts, sizes, signs, groups, readings):
    """places (readings, groups) = where in the tables the sums for the digits of an input, in steps, are."""
    spacing, mask = starts.size, int32(groups.digit)
    total = empty(spacing, int32)
    for k in range(readings):
        total[:] = starts
        power, shift = int32(1), int32(k * groups.bits)
        for i in range(groups.rows):
            size, sign = sizes[i * spacing : (i + 1) * spacing], signs[i * spacing : (i + 1) * spacing]
            for q in range(spacing):
                total[q] += power * sign[q] * int32(int32(size[q] >> shift) & mask)
            power = int32(power * (2 * groups.digit + 1))
        slot = places[k * spacing : (k + 1) * spacing]
        for q in range(spacing):
            slot[q] = uint16(total[q] * WIDTH)


@intrinsic
def add_entries(typingctx, u, at, fresh, tables, places, first, count):
    """u[at : at + WIDTH] = the sum of so many entries of the tables, on top of what was there unless ``fresh``."""

    def codegen(context, builder, signature, args):
        def data(number):
            return context.make_array(signature.args[number])(context, builder, args[number]).data

        def at(base, place, kind):
            return builder.bitcast(builder.gep(base, [place]), kind.as_pointer())

        sums, entries, offsets = data(0), data(3), data(4)
        total = cgutils.alloca_once_value(builder, ir.Constant(_BYTES, None))
        builder.store(ir.Constant(_BYTES, None), total)
        with cgutils.for_range(builder, args[6]) as loop:
            offset = builder.load(builder.gep(offsets, [builder.add(args[5], loop.index)]))
            entry = at(entries, builder.zext(offset, ir.IntType(64)), _BYTES)
            builder.store(builder.add(builder.load(total), builder.load(entry, align=1)), total)
        target = at(sums, args[1], _SHORTS)
        before = builder.select(args[2], ir.Constant(_SHORTS, None), builder.load(target, align=2))
        builder.store(builder.add(before, builder.sext(builder.load(total), _SHORTS)), target, align=2)
        return context.get_dummy_value()

    index = types.intp
    return types.void(u, index, types.boolean, tables, places, index, index), codegen
