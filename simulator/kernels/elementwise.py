"""The loops around scalar rules. Operands carry (array, offset, stride of a sample, step of an element).

An operand of one element has step 0 and serves every element. Slices start at nought, so that no index can be
negative and the loops vectorise. One function a family of opcodes, because a function is what compiling costs.
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
def unary(op, r, ro, n, samples, x, xo, xs, xi):
    """r[s, i] = rule(x[s, i])."""
    for s in range(samples):
        rv, xv = r[ro + s * n : ro + s * n + n], x[xo + s * xs :]
        if op == Opcode.NEG:
            for i in range(n):
                rv[i] = neg(xv[i * xi])
        elif op == Opcode.ABS:
            for i in range(n):
                rv[i] = absolute(xv[i * xi])
        elif op == Opcode.SIGN:
            for i in range(n):
                rv[i] = sign(xv[i * xi])
        elif op == Opcode.EXP:
            for i in range(n):
                rv[i] = exp(xv[i * xi])
        elif op == Opcode.EXPM1:
            for i in range(n):
                rv[i] = expm1(xv[i * xi])
        elif op == Opcode.LOG:
            for i in range(n):
                rv[i] = log(xv[i * xi])
        elif op == Opcode.SQRT:
            for i in range(n):
                rv[i] = sqrt(xv[i * xi])
        elif op == Opcode.SIN:
            for i in range(n):
                rv[i] = sin(xv[i * xi])
        elif op == Opcode.COS:
            for i in range(n):
                rv[i] = cos(xv[i * xi])
        elif op == Opcode.TANH:
            for i in range(n):
                rv[i] = tanh(xv[i * xi])
        elif op == Opcode.FLOOR:
            for i in range(n):
                rv[i] = floor(xv[i * xi])


@njit(error_model="numpy", nogil=True)
def binary(op, r, ro, n, samples, x, xo, xs, xi, y, yo, ys, yi):
    """r[s, i] = rule(x[s, i], y[s, i])."""
    for s in range(samples):
        rv, xv, yv = r[ro + s * n : ro + s * n + n], x[xo + s * xs :], y[yo + s * ys :]
        if op == Opcode.ADD:
            for i in range(n):
                rv[i] = add(xv[i * xi], yv[i * yi])
        elif op == Opcode.SUB:
            for i in range(n):
                rv[i] = sub(xv[i * xi], yv[i * yi])
        elif op == Opcode.MUL:
            for i in range(n):
                rv[i] = mul(xv[i * xi], yv[i * yi])
        elif op == Opcode.DIV:
            for i in range(n):
                rv[i] = div(xv[i * xi], yv[i * yi])
        elif op == Opcode.POW:
            for i in range(n):
                rv[i] = power(xv[i * xi], yv[i * yi])
        elif op == Opcode.MINIMUM:
            for i in range(n):
                rv[i] = minimum(xv[i * xi], yv[i * yi])
        elif op == Opcode.MAXIMUM:
            for i in range(n):
                rv[i] = maximum(xv[i * xi], yv[i * yi])
        elif op == Opcode.THERMAL_RELU:
            for i in range(n):
                rv[i] = thermal_relu(xv[i * xi], yv[i * yi])
        elif op == Opcode.MAXWELL_BOLTZMANN:
            for i in range(n):
                rv[i] = maxwell_boltzmann(xv[i * xi], yv[i * yi])


@njit(error_model="numpy", nogil=True)
def compare(op, r, ro, n, samples, x, xo, xs, xi, y, yo, ys, yi):
    """r[s, i] = rule(x[s, i], y[s, i]), integers from floats."""
    for s in range(samples):
        rv, xv, yv = r[ro + s * n : ro + s * n + n], x[xo + s * xs :], y[yo + s * ys :]
        if op == Opcode.LESS:
            for i in range(n):
                rv[i] = less(xv[i * xi], yv[i * yi])
        elif op == Opcode.LESS_EQUAL:
            for i in range(n):
                rv[i] = less_equal(xv[i * xi], yv[i * yi])
        elif op == Opcode.EQUAL:
            for i in range(n):
                rv[i] = equal(xv[i * xi], yv[i * yi])


@njit(error_model="numpy", nogil=True)
def integer(op, r, ro, n, samples, x, xo, xs, xi, y, yo, ys, yi):
    """r[s, i] = rule(x[s, i], y[s, i]), integers from integers."""
    for s in range(samples):
        rv, xv, yv = r[ro + s * n : ro + s * n + n], x[xo + s * xs :], y[yo + s * ys :]
        if op == Opcode.INT_LESS:
            for i in range(n):
                rv[i] = less(xv[i * xi], yv[i * yi])
        elif op == Opcode.INT_LESS_EQUAL:
            for i in range(n):
                rv[i] = less_equal(xv[i * xi], yv[i * yi])
        elif op == Opcode.INT_EQUAL:
            for i in range(n):
                rv[i] = equal(xv[i * xi], yv[i * yi])
        elif op == Opcode.AND:
            for i in range(n):
                rv[i] = both(xv[i * xi], yv[i * yi])
        elif op == Opcode.OR:
            for i in range(n):
                rv[i] = either(xv[i * xi], yv[i * yi])


@njit(error_model="numpy", nogil=True)
def invert(r, ro, n, samples, x, xo, xs, xi):
    """r[s, i] = 1 where x[s, i] is 0."""
    for s in range(samples):
        for i in range(n):
            r[ro + s * n + i] = negation(x[xo + s * xs + i * xi])


@njit(error_model="numpy", nogil=True)
def fermi(r, ro, n, samples, x, xo, xs, xi, y, yo, ys, yi, z, zo, zs, zi):
    """r[s, i] = Fermi-Dirac of energy x, temperature y, chemical potential z."""
    for s in range(samples):
        rv, xv, yv, zv = r[ro + s * n : ro + s * n + n], x[xo + s * xs :], y[yo + s * ys :], z[zo + s * zs :]
        for i in range(n):
            rv[i] = fermi_dirac(xv[i * xi], yv[i * yi], zv[i * zi])


@njit(error_model="numpy", nogil=True)
def choose(r, ro, n, samples, x, xo, xs, xi, y, yo, ys, yi, z, zo, zs, zi):
    """r[s, i] = y[s, i] where x[s, i], else z[s, i]."""
    for s in range(samples):
        rv, xv, yv, zv = r[ro + s * n : ro + s * n + n], x[xo + s * xs :], y[yo + s * ys :], z[zo + s * zs :]
        for i in range(n):
            rv[i] = select(xv[i * xi], yv[i * yi], zv[i * zi])
