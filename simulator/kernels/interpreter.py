"""One compiled interpreter of programs: every model starts at once, because only this is ever compiled."""

from __future__ import annotations

from numba import njit

from thermoc.simulator.kernels import crossbar, elementwise, linear, moves, sampling, spiking, thermal
from thermoc.simulator.kernels.borrowed import borrowed
from thermoc.simulator.opcodes import Opcode


@njit(error_model="numpy", nogil=True)
def place(slots, slot, block, here, states):
    """Return where a slot's elements are: (bank, offset, stride of a sample, number of elements).

    here: where the states of the first sample start; states: their number a sample.
    """
    if slot < 0:
        return 2, 0, 0, 0
    bank, offset, size = slots[slot, 0], slots[slot, 1], slots[slot, 2]
    if bank < 2:
        return bank, offset, 0, size
    if bank == 4:
        return bank, here + offset, states, size
    return bank, offset * block, size, size


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
    spare,
    block,
    first,
    last,
    batch,
    ticks,
    from_tick,
    to_tick,
    from_line,
    to_line,
    timed,
    key,
    sample0,
    tick0,
    begun,
):
    """Run rows of code in a range of ticks for the samples from ``first`` to ``last``, ``block`` at a time.

    f is for floats, i for integers: c constants, w work (of a block), s states, i and o packed inputs
    (ticks or 1, batch, width) and outputs (ticks, batch, width), all flat. The last ``spare`` elements of the work are
    room to spread operands in. sample0 and tick0 place the noise. The states are those after ``begun`` ticks.
    """
    code, slots, table = borrowed(code), borrowed(slots), borrowed(table)
    fc, ic, fw, iw, fs, is_ = borrowed(fc), borrowed(ic), borrowed(fw), borrowed(iw), borrowed(fs), borrowed(is_)
    fi, ii, fo, io = borrowed(fi), borrowed(ii), borrowed(fo), borrowed(io)
    states, int_states, width, int_width = fs.size // batch, is_.size // batch, fo.size, io.size
    inputs, int_inputs = fi.size // batch, ii.size // batch
    if timed:
        inputs, int_inputs = inputs // ticks, int_inputs // ticks
    width, int_width = width // (batch * ticks), int_width // (batch * ticks)
    free, int_free = fw[fw.size - spare :], iw[iw.size - spare :]
    for start in range(first, last, block):
        samples = min(block, last - start)
        for t in range(from_tick, to_tick):
            for line in range(from_line, to_line):
                op = code[line, 0]
                p0, p1, p2 = code[line, 5], code[line, 6], code[line, 7]
                p3, p4, p5 = code[line, 8], code[line, 9], code[line, 10]
                kept, ro, rs, n = place(slots, code[line, 1], block, start * states, states)
                bank, xo, xs, xn = place(slots, code[line, 2], block, start * states, states)
                x, xj = fc if bank < 2 else fs if bank == 4 else fw, ic if bank < 2 else iw
                bank, yo, ys, yn = place(slots, code[line, 3], block, start * states, states)
                y, yj = fc if bank < 2 else fs if bank == 4 else fw, ic if bank < 2 else iw
                bank, zo, zs, zn = place(slots, code[line, 4], block, start * states, states)
                z = fc if bank < 2 else fs if bank == 4 else fw

                if op <= Opcode.FLOOR:
                    elementwise.unary(op, fw, ro, n, samples, x, xo, xs, xn, free)
                elif op <= Opcode.MAXWELL_BOLTZMANN:
                    elementwise.binary(op, fw, ro, n, samples, x, xo, xs, xn, y, yo, ys, yn, free)
                elif op == Opcode.FERMI_DIRAC:
                    elementwise.fermi(fw, ro, n, samples, x, xo, xs, xn, y, yo, ys, yn, z, zo, zs, zn, free)
                elif op == Opcode.SELECT:
                    elementwise.choose(fw, ro, n, samples, xj, xo, xs, xn, y, yo, ys, yn, z, zo, zs, zn, free, int_free)
                elif op <= Opcode.EQUAL:
                    elementwise.compare(op, iw, ro, n, samples, x, xo, xs, xn, y, yo, ys, yn, free)
                elif op <= Opcode.OR:
                    elementwise.integer(op, iw, ro, n, samples, xj, xo, xs, xn, yj, yo, ys, yn, int_free)
                elif op == Opcode.NOT:
                    elementwise.invert(iw, ro, n, samples, xj, xo, xs, xn, int_free)
                elif op == Opcode.FLOAT_TO_INT:
                    moves.to_int(iw, ro, n, samples, x, xo, xs, p0)
                elif op == Opcode.INT_TO_INT:
                    moves.to_int(iw, ro, n, samples, xj, xo, xs, p0)
                elif op == Opcode.INT_TO_FLOAT:
                    moves.copy(fw, ro, n, n, samples, xj, xo, xs)
                elif op == Opcode.GATHER:
                    moves.gather(fw, ro, n, samples, x, xo, xs, table, p0)
                elif op == Opcode.INT_GATHER:
                    moves.gather(iw, ro, n, samples, xj, xo, xs, table, p0)
                elif op == Opcode.SCATTER:
                    moves.scatter(fw, ro, n, xn, samples, x, xo, xs, table, p0)
                elif op == Opcode.INT_SCATTER:
                    moves.scatter(iw, ro, n, xn, samples, xj, xo, xs, table, p0)
                elif op == Opcode.REDUCE:
                    moves.reduce(fw, ro, n, samples, x, xo, xs, table, p0, p1, p2)
                elif op == Opcode.ARG_REDUCE:
                    moves.arg_reduce(iw, ro, n, samples, x, xo, xs, table, p0, p1, p2)
                elif op == Opcode.MATMUL:
                    linear.matmul(fw, ro, samples, x, xo, xs, y, yo, ys, z, zo, zs, p5, p0, p1, p2, p3, p4)
                elif op == Opcode.MVM:
                    noisy = code[line, 3] >= 0
                    crossbar.mvm(fw, ro, samples, x, xo, xs, y, yo, ys, noisy, z, zo, zs, zn, fc, table, p0, p1, p2)
                elif op == Opcode.SPARSE:
                    bias = code[line, 4] >= 0
                    linear.sparse(fw, ro, n, samples, x, xo, xs, y, yo, ys, z, zo, zs, bias, table, p0, p1)
                elif op == Opcode.SPARSE_COLUMNS or op == Opcode.SPARSE_LIST:
                    r = fs if kept == 4 else fw
                    if p2 == 0:
                        spiking.begin(r, ro, rs, n, samples, z, zo, zs, code[line, 4] >= 0)
                    if op == Opcode.SPARSE_LIST:
                        spiking.add_listed(r, ro, rs, n, samples, x, xo, xs, xn, yj, yo, ys, yn - 1, table, p0, p1)
                    else:
                        spiking.add_nonzero(r, ro, rs, n, samples, x, xo, xs, xn, y, yo, ys, yn, table, p0, p1)
                elif op == Opcode.TRACE_STEP:
                    spiking.trace_step(fs, ro, rs, n, samples, x, xo, xs, code[line, 2] >= 0, y, yo, ys, yn)
                elif op == Opcode.LIF_STEP:
                    vo, ho = start * states + p0, start * states + p1
                    spiking.lif_step(
                        iw, ro, n - 1, samples, fs, vo, states, ho, x, xo, xs, y, yo, ys, z, zo, zs, zn, p2, p3
                    )
                elif op == Opcode.SPREAD:
                    spiking.spread(fw, ro, n, samples, xj, xo, xs)
                elif op == Opcode.BOLTZMANN:
                    thermal.boltzmann(fw, ro, n, samples, x, xo, xs, y, yo, ys, yn, p0)
                elif op == Opcode.NORMAL or op == Opcode.UNIFORM:
                    element, normal = (sample0 + start) * n, op == Opcode.NORMAL
                    thermal.noise(fw, ro, n * samples, element, tick0 + t, p0, p1, key, normal, free)
                elif op == Opcode.GIBBS:
                    moves.copy(fw, ro, n, n, samples, x, xo, xs)
                    number, tick = sample0 + start, tick0 + t
                    sampling.gibbs(
                        fw,
                        ro,
                        n,
                        samples,
                        y,
                        yo,
                        ys,
                        yn,
                        z,
                        zo,
                        zs,
                        zn,
                        fc,
                        table,
                        p0,
                        p1,
                        p2,
                        p3,
                        p4,
                        p5,
                        number,
                        tick,
                        key,
                        free,
                    )
                elif op == Opcode.TICK:
                    for s in range(samples):
                        iw[ro + s] = tick0 + t
                elif op == Opcode.INPUT:
                    at = ((t if timed else 0) * batch + start) * inputs + p0
                    moves.copy(fw, ro, n, n, samples, fi, at, inputs)
                elif op == Opcode.INT_INPUT:
                    at = ((t if timed else 0) * batch + start) * int_inputs + p0
                    moves.copy(iw, ro, n, n, samples, ii, at, int_inputs)
                elif op == Opcode.OUTPUT:
                    moves.copy(fo, (t * batch + start) * width + p0, width, xn, samples, x, xo, xs)
                elif op == Opcode.INT_OUTPUT:
                    moves.copy(io, (t * batch + start) * int_width + p0, int_width, xn, samples, xj, xo, xs)
                elif op == Opcode.READ:
                    moves.copy(fw, ro, n, n, samples, fs, start * states + p0 + (begun + t) % p1 * n, states)
                elif op == Opcode.INT_READ:
                    moves.copy(iw, ro, n, n, samples, is_, start * int_states + p0 + (begun + t) % p1 * n, int_states)
                elif op == Opcode.WRITE:
                    moves.copy(fs, start * states + p0 + (begun + t) % p1 * xn, states, xn, samples, x, xo, xs)
                elif op == Opcode.INT_WRITE:
                    moves.copy(
                        is_, start * int_states + p0 + (begun + t) % p1 * xn, int_states, xn, samples, xj, xo, xs
                    )
                elif op == Opcode.READ_LIST:
                    at = start * int_states + p0 + (begun + t) % p1 * n
                    spiking.copy_list(iw, ro, n, n, samples, is_, at, int_states)
                elif op == Opcode.WRITE_LIST:
                    at = start * int_states + p0 + (begun + t) % p1 * xn
                    spiking.copy_list(is_, at, int_states, xn, samples, xj, xo, xs)
