"""One compiled interpreter of programs: every model starts at once, because only this is ever compiled."""

from __future__ import annotations

from numba import njit

from thermoc.simulator.kernels import elementwise, linear, moves, thermal
from thermoc.simulator.opcodes import Opcode


@njit(error_model="numpy", nogil=True)
def place(slots, slot, block):
    """Return where a slot's elements are: (constant?, offset, stride of a sample, step of an element)."""
    size = slots[slot, 2]
    step = 0 if size == 1 else 1
    if slots[slot, 0] < 2:
        return True, slots[slot, 1], 0, step
    return False, slots[slot, 1] * block, size, step


def interpret(
    code,
    slots,
    fc,
    ic,
    table,
    fw,
    iw,
    fs,
    is_,
    fi,
    ii,
    fo,
    io,
    block,
    first,
    samples,
    batch,
    ticks,
    timed,
    key,
    sample0,
    tick0,
):
    """Run all ticks for ``samples`` samples from sample ``first`` on.

    f is for floats, i for integers: c constants, w work (of at least ``block`` samples), s states, i and o packed
    inputs (ticks or 1, batch, width) and outputs (ticks, batch, width), all flat. sample0 and tick0 place the noise.
    """
    states, int_states, width, int_width = fs.size // batch, is_.size // batch, fo.size, io.size
    inputs, int_inputs = fi.size // batch, ii.size // batch
    if timed:
        inputs, int_inputs = inputs // ticks, int_inputs // ticks
    width, int_width = width // (batch * ticks), int_width // (batch * ticks)
    for t in range(ticks):
        for row in range(code.shape[0]):
            op = code[row, 0]
            p0, p1, p2, p3, p4, p5 = code[row, 5], code[row, 6], code[row, 7], code[row, 8], code[row, 9], code[row, 10]
            n, ro = 0, 0
            if code[row, 1] >= 0:
                n, ro = slots[code[row, 1], 2], slots[code[row, 1], 1] * block
            x, xn, xo, xs, xi = fw, iw, 0, 0, 0
            y, yn, yo, ys, yi = fw, iw, 0, 0, 0
            z, zo, zs, zi, xsize = fw, 0, 0, 0, 0
            if code[row, 2] >= 0:
                constant, xo, xs, xi = place(slots, code[row, 2], block)
                xsize = slots[code[row, 2], 2]
                if constant:
                    x, xn = fc, ic
            if code[row, 3] >= 0:
                constant, yo, ys, yi = place(slots, code[row, 3], block)
                if constant:
                    y, yn = fc, ic
            if code[row, 4] >= 0:
                constant, zo, zs, zi = place(slots, code[row, 4], block)
                if constant:
                    z = fc

            if op <= Opcode.FLOOR:
                elementwise.unary(op, fw, ro, n, samples, x, xo, xs, xi)
            elif op <= Opcode.MAXWELL_BOLTZMANN:
                elementwise.binary(op, fw, ro, n, samples, x, xo, xs, xi, y, yo, ys, yi)
            elif op == Opcode.FERMI_DIRAC:
                elementwise.fermi(fw, ro, n, samples, x, xo, xs, xi, y, yo, ys, yi, z, zo, zs, zi)
            elif op == Opcode.SELECT:
                elementwise.choose(fw, ro, n, samples, xn, xo, xs, xi, y, yo, ys, yi, z, zo, zs, zi)
            elif op <= Opcode.EQUAL:
                elementwise.compare(op, iw, ro, n, samples, x, xo, xs, xi, y, yo, ys, yi)
            elif op <= Opcode.OR:
                elementwise.integer(op, iw, ro, n, samples, xn, xo, xs, xi, yn, yo, ys, yi)
            elif op == Opcode.NOT:
                elementwise.invert(iw, ro, n, samples, xn, xo, xs, xi)
            elif op == Opcode.FLOAT_TO_INT:
                moves.to_int(iw, ro, n, samples, x, xo, xs, xi, p0)
            elif op == Opcode.INT_TO_INT:
                moves.to_int(iw, ro, n, samples, xn, xo, xs, xi, p0)
            elif op == Opcode.INT_TO_FLOAT:
                moves.to_float(fw, ro, n, samples, xn, xo, xs, xi)
            elif op == Opcode.GATHER:
                moves.gather(fw, ro + p1, n, p2, samples, x, xo, xs, table, p0)
            elif op == Opcode.INT_GATHER:
                moves.gather(iw, ro + p1, n, p2, samples, xn, xo, xs, table, p0)
            elif op == Opcode.SCATTER:
                moves.scatter(fw, ro, n, xsize, samples, x, xo, xs, table, p0)
            elif op == Opcode.INT_SCATTER:
                moves.scatter(iw, ro, n, xsize, samples, xn, xo, xs, table, p0)
            elif op == Opcode.REDUCE:
                moves.reduce(fw, ro, n, samples, x, xo, xs, table, p0, p1, p2)
            elif op == Opcode.ARG_REDUCE:
                moves.arg_reduce(iw, ro, n, samples, x, xo, xs, table, p0, p1, p2)
            elif op == Opcode.MATMUL:
                linear.matmul(fw, ro, samples, x, xo, xs, y, yo, ys, p0, p1, p2, p3, p4)
            elif op == Opcode.ADD_BIAS:
                linear.add_bias(fw, ro, n, samples, x, xo, xs, y, yo, ys, p0, p1)
            elif op == Opcode.SPARSE:
                linear.sparse(fw, ro, n, samples, x, xo, xs, y, yo, ys, table, p0, p1)
            elif op == Opcode.CONV:
                linear.conv(fw, ro, samples, x, xo, xs, y, yo, ys, p0, p1, p2, table, p3, p4, p5)
            elif op == Opcode.BOLTZMANN:
                thermal.boltzmann(fw, ro, n, samples, x, xo, xs, y, yo, ys, yi, p0)
            elif op == Opcode.NORMAL or op == Opcode.UNIFORM:
                thermal.noise(fw, ro, n, samples, sample0 + first, tick0 + t, p0, p1, key, op == Opcode.NORMAL)
            elif op == Opcode.TICK:
                for s in range(samples):
                    iw[ro + s] = tick0 + t
            elif op == Opcode.INPUT:
                start = ((t if timed else 0) * batch + first) * inputs + p0
                moves.copy(fw, ro, n, n, samples, fi, start, inputs)
            elif op == Opcode.INT_INPUT:
                start = ((t if timed else 0) * batch + first) * int_inputs + p0
                moves.copy(iw, ro, n, n, samples, ii, start, int_inputs)
            elif op == Opcode.OUTPUT:
                moves.copy(fo, (t * batch + first) * width + p0, width, xsize, samples, x, xo, xs)
            elif op == Opcode.INT_OUTPUT:
                moves.copy(io, (t * batch + first) * int_width + p0, int_width, xsize, samples, xn, xo, xs)
            elif op == Opcode.READ:
                moves.copy(fw, ro, n, n, samples, fs, first * states + p0 + t % p1 * n, states)
            elif op == Opcode.INT_READ:
                moves.copy(iw, ro, n, n, samples, is_, first * int_states + p0 + t % p1 * n, int_states)
            elif op == Opcode.WRITE:
                moves.copy(fs, first * states + p0 + t % p1 * xsize, states, xsize, samples, x, xo, xs)
            elif op == Opcode.INT_WRITE:
                moves.copy(is_, first * int_states + p0 + t % p1 * xsize, int_states, xsize, samples, xn, xo, xs)
