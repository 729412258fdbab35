"""The loops around scalar rules. Operands carry (array, offset, stride of a sample, number of elements).

Only loops over neighbouring elements vectorise, so an operand of one element is first spread over ``spare``, which
has room for three operands of a block. Samples that lie end to end are taken as one long row. There is one function a
family of opcodes, because a function is what compiling costs.
"""

from __future__ import annotations

from numba import njit

from thermoc.simulator.kernels import rules
from thermoc.simulator.opcodes import Opcode

absolute = njit(rules.absolute, error_model="numpy")
add = njit(rules.add, error_model="numpy")
both = njit(rules.both, error_model="numpy")
cos = njit(rules.cos, error_model="numpy")
div = njit(rules.div, error_model="numpy")
either = njit(rules.either, error_model="numpy")
equal = njit(rules.equal, error_model="numpy")
exp = njit(rules.exp, error_model="numpy")
expm1 = njit(rules.expm1, error_model="numpy")
fermi_dirac = njit(rules.fermi_dirac, error_model="numpy")
floor = njit(rules.floor, error_model="numpy")
less = njit(rules.less, error_model="numpy")
less_equal = njit(rules.less_equal, error_model="numpy")
log = njit(rules.log, error_model="numpy")
maximum = njit(rules.maximum, error_model="numpy")
maxwell_boltzmann = njit(rules.maxwell_boltzmann, error_model="numpy")
minimum = njit(rules.minimum, error_model="numpy")
mul = njit(rules.mul, error_model="numpy")
neg = njit(rules.neg, error_model="numpy")
negation = njit(rules.negation, error_model="numpy")
power = njit(rules.power, error_model="numpy")
select = njit(rules.select, error_model="numpy")
sign = njit(rules.sign, error_model="numpy")
sin = njit(rules.sin, error_model="numpy")
sqrt = njit(rules.sqrt, error_model="numpy")
sub = njit(rules.sub, error_model="numpy")
tanh = njit(rules.tanh, error_model="numpy")
thermal_relu = njit(rules.thermal_relu, error_model="numpy")


@njit(error_model="numpy", nogil=True)
def long(n, xs, xn):
    """True where an operand's samples lie end to end like the result's, or share one element."""
    return xs == n or (xs == 0 and xn == 1)


@njit(error_model="numpy", nogil=True)
def row(n, s, x, xo, xs, xn, spare, place):
    """Return an operand's n elements for sample s: where they lie, or one spread over its place in ``spare``."""
    start = xo + s * xs
    if xn == n:
        return x[start : start + n]
    spread = spare[place * n : place * n + n]
    if s == 0 or xs:
        for i in range(n):
            spread[i] = x[start]
    return spread


@njit(error_model="numpy", nogil=True, inline="always")
def unary(op, r, ro, n, samples, x, xo, xs, xn, spare):
    """r[s, i] = rule(x[s, i])."""
    if long(n, xs, xn):
        xn = xn * samples if xs else xn
        n, samples = n * samples, 1
    for s in range(samples):
        rv, xv = r[ro + s * n : ro + s * n + n], row(n, s, x, xo, xs, xn, spare, 0)
        if op == Opcode.NEG:
            for i in range(n):
                rv[i] = neg(xv[i])
        elif op == Opcode.ABS:
            for i in range(n):
                rv[i] = absolute(xv[i])
        elif op == Opcode.SIGN:
            for i in range(n):
                rv[i] = sign(xv[i])
        elif op == Opcode.EXP:
            for i in range(n):
                rv[i] = exp(xv[i])
        elif op == Opcode.EXPM1:
            for i in range(n):
                rv[i] = expm1(xv[i])
        elif op == Opcode.LOG:
            for i in range(n):
                rv[i] = log(xv[i])
        elif op == Opcode.SQRT:
            for i in range(n):
                rv[i] = sqrt(xv[i])
        elif op == Opcode.SIN:
            for i in range(n):
                rv[i] = sin(xv[i])
        elif op == Opcode.COS:
            for i in range(n):
                rv[i] = cos(xv[i])
        elif op == Opcode.TANH:
            for i in range(n):
                rv[i] = tanh(xv[i])
        elif op == Opcode.FLOOR:
            for i in range(n):
                rv[i] = floor(xv[i])


@njit(error_model="numpy", nogil=True, inline="always")
def binary(op, r, ro, n, samples, x, xo, xs, xn, y, yo, ys, yn, spare):
    """r[s, i] = rule(x[s, i], y[s, i])."""
    if long(n, xs, xn) and long(n, ys, yn):
        xn, yn = xn * samples if xs else xn, yn * samples if ys else yn
        n, samples = n * samples, 1
    for s in range(samples):
        rv = r[ro + s * n : ro + s * n + n]
        xv, yv = row(n, s, x, xo, xs, xn, spare, 0), row(n, s, y, yo, ys, yn, spare, 1)
        if op == Opcode.ADD:
            for i in range(n):
                rv[i] = add(xv[i], yv[i])
        elif op == Opcode.SUB:
            for i in range(n):
                rv[i] = sub(xv[i], yv[i])
        elif op == Opcode.MUL:
            for i in range(n):
                rv[i] = mul(xv[i], yv[i])
        elif op == Opcode.DIV:
            for i in range(n):
                rv[i] = div(xv[i], yv[i])
        elif op == Opcode.POW:
            for i in range(n):
                rv[i] = power(xv[i], yv[i])
        elif op == Opcode.MINIMUM:
            for i in range(n):
                rv[i] = minimum(xv[i], yv[i])
        elif op == Opcode.MAXIMUM:
            for i in range(n):
                rv[i] = maximum(xv[i], yv[i])
        elif op == Opcode.THERMAL_RELU:
            for i in range(n):
                rv[i] = thermal_relu(xv[i], yv[i])
        elif op == Opcode.MAXWELL_BOLTZMANN:
            for i in range(n):
                rv[i] = maxwell_boltzmann(xv[i], yv[i])


@njit(error_model="numpy", nogil=True, inline="always")
def compare(op, r, ro, n, samples, x, xo, xs, xn, y, yo, ys, yn, spare):
    """r[s, i] = rule(x[s, i], y[s, i]), integers from floats."""
    if long(n, xs, xn) and long(n, ys, yn):
        xn, yn = xn * samples if xs else xn, yn * samples if ys else yn
        n, samples = n * samples, 1
    for s in range(samples):
        rv = r[ro + s * n : ro + s * n + n]
        xv, yv = row(n, s, x, xo, xs, xn, spare, 0), row(n, s, y, yo, ys, yn, spare, 1)
        if op == Opcode.LESS:
            for i in range(n):
                rv[i] = less(xv[i], yv[i])
        elif op == Opcode.LESS_EQUAL:
            for i in range(n):
                rv[i] = less_equal(xv[i], yv[i])
        elif op == Opcode.EQUAL:
            for i in range(n):
                rv[i] = equal(xv[i], yv[i])


@njit(error_model="numpy", nogil=True, inline="always")
def integer(op, r, ro, n, samples, x, xo, xs, xn, y, yo, ys, yn, spare):
    """r[s, i] = rule(x[s, i], y[s, i]), integers from integers."""
    if long(n, xs, xn) and long(n, ys, yn):
        xn, yn = xn * samples if xs else xn, yn * samples if ys else yn
        n, samples = n * samples, 1
    for s in range(samples):
        rv = r[ro + s * n : ro + s * n + n]
        xv, yv = row(n, s, x, xo, xs, xn, spare, 0), row(n, s, y, yo, ys, yn, spare, 1)
        if op == Opcode.INT_LESS:
            for i in range(n):
                rv[i] = less(xv[i], yv[i])
        elif op == Opcode.INT_LESS_EQUAL:
            for i in range(n):
                rv[i] = less_equal(xv[i], yv[i])
        elif op == Opcode.INT_EQUAL:
            for i in range(n):
                rv[i] = equal(xv[i], yv[i])
        elif op == Opcode.AND:
            for i in range(n):
                rv[i] = both(xv[i], yv[i])
        elif op == Opcode.OR:
            for i in range(n):
                rv[i] = either(xv[i], yv[i])


@njit(error_model="numpy", nogil=True)
def invert(r, ro, n, samples, x, xo, xs, xn, spare):
    """r[s, i] = 1 where x[s, i] is 0."""
    for s in range(samples):
        rv, xv = r[ro + s * n : ro + s * n + n], row(n, s, x, xo, xs, xn, spare, 0)
        for i in range(n):
            rv[i] = negation(xv[i])


@njit(error_model="numpy", nogil=True, inline="always")
def fermi(r, ro, n, samples, x, xo, xs, xn, y, yo, ys, yn, z, zo, zs, zn, spare):
    """r[s, i] = Fermi-Dirac of energy x, temperature y, chemical potential z."""
    if long(n, xs, xn) and long(n, ys, yn) and long(n, zs, zn):
        xn, yn, zn = xn * samples if xs else xn, yn * samples if ys else yn, zn * samples if zs else zn
        n, samples = n * samples, 1
    for s in range(samples):
        rv = r[ro + s * n : ro + s * n + n]
        xv = row(n, s, x, xo, xs, xn, spare, 0)
        yv, zv = row(n, s, y, yo, ys, yn, spare, 1), row(n, s, z, zo, zs, zn, spare, 2)
        for i in range(n):
            rv[i] = fermi_dirac(xv[i], yv[i], zv[i])


@njit(error_model="numpy", nogil=True, inline="always")
def choose(r, ro, n, samples, x, xo, xs, xn, y, yo, ys, yn, z, zo, zs, zn, spare, int_spare):
    """r[s, i] = y[s, i] where x[s, i], else z[s, i]."""
    if long(n, xs, xn) and long(n, ys, yn) and long(n, zs, zn):
        xn, yn, zn = xn * samples if xs else xn, yn * samples if ys else yn, zn * samples if zs else zn
        n, samples = n * samples, 1
    for s in range(samples):
        rv = r[ro + s * n : ro + s * n + n]
        xv = row(n, s, x, xo, xs, xn, int_spare, 0)
        yv, zv = row(n, s, y, yo, ys, yn, spare, 1), row(n, s, z, zo, zs, zn, spare, 2)
        for i in range(n):
            rv[i] = select(xv[i], yv[i], zv[i])
