"""Coupled binary units in terms of products, uniforms and comparisons."""

from __future__ import annotations

import numpy as np

from thermoc.ir.dialects import core, sampling, thermo
from thermoc.ir.values import Value
from thermoc.passes.rewriting import Expression, Rewriter
from thermoc.support.array_types import BoolArray
from thermoc.support.errors import error
from thermoc.support.plurals import counted

MOST_UPDATES = 1000
"""Colours times sweeps of a tick that are written out one by one; each takes some ten ops."""


def gibbs(op: sampling.Gibbs, w: Rewriter) -> Expression:
    """A delay around the sweeps of a tick."""
    s = w.delay(op.s, op.initial)
    operands = {name: getattr(op, name) for name in sampling.GibbsSweeps.operand_specs if name != "x"}
    w.feed(s, w(sampling.GibbsSweeps, x=s, **op.attrs, **operands))
    # The op's result is the state before the sweeps of this tick, which is what the delay holds.
    return s


def gibbs_sweeps(op: sampling.GibbsSweeps, w: Rewriter) -> Value:
    """Colour after colour: s = [2 (J s + h) > T logit(u)] for its units (P6, P12). Errors: T301, T304."""
    if op.draws != "unit":
        notes = [f"its units share random words: draws = {op.draws!r}"]
        raise error("T301", f"{op.opname} has no form here", where=op.location, notes=notes, hint='take draws="unit"')
    (n,) = op.s.shape
    classes = _classes(op, w, n)
    s = op.x
    for sweep in range(op.sweeps):
        # One uniform a unit and sweep serves all colours, for each unit is updated once in a sweep.
        u = w(thermo.Uniform, shape=(n,), stream=op.stream, draw=sweep, dtype=w.dtype)
        logit = w.log(u) - w.log(1.0 - u)
        threshold = _temperature(op, w, sweep) * logit
        for members in classes:
            s = _updated(op, w, s, threshold, members)
    return s


def _classes(op: sampling.GibbsSweeps, w: Rewriter, n: int) -> list[BoolArray]:
    """Return the units of each colour, which are updated together. Errors: T304 where it would be too long."""
    colors = np.arange(n) if op.colors is None else w.numbers(op.colors)
    classes = [np.ones(n, bool)] if op.order == "parallel" else [colors == color for color in np.unique(colors)]
    if len(classes) * op.sweeps > MOST_UPDATES:
        notes = [
            f"{counted(len(classes), 'colour')}, {counted(op.sweeps, 'sweep')} a tick",
            f"at most {MOST_UPDATES} updates are written out",
        ]
        hint = "take fewer sweeps a tick, or couplings that need fewer colours"
        raise error("T304", f"{op.opname} is too long for this target", where=op.location, notes=notes, hint=hint)
    return classes


def ising_energy(op: sampling.IsingEnergy, w: Rewriter) -> Expression:
    """Sum of s (-J s / 2 - h) (P12)."""
    # Half, for each pair stands twice in s J s.
    return w.sum(w[op.s] * (_product(op, w, op.s) * -0.5 - op.h), 0)


def _updated(op: sampling.GibbsSweeps, w: Rewriter, s: Value, threshold: Expression, members: BoolArray) -> Expression:
    field = _product(op, w, s) + op.h
    # The flip of a spin changes the energy by twice the field, that of a 0/1 unit by the field.
    spin = op.levels == "spin"
    up = w.number((field * 2.0 if spin else field) > threshold)
    new = up * 2.0 - 1.0 if spin else up
    # With one colour for all units a mask would only cost a pass over the state.
    if members.all():
        return new
    mask = w.constant(members)
    return w.select(mask > 0.5, new, s)


def _product(op: sampling.GibbsSweeps | sampling.IsingEnergy, w: Rewriter, s: Value) -> Expression:
    if op.J is not None:
        return w.affine(s, op.J)
    return w(core.SparseAffine, x=s, values=op.values, columns=op.columns, offsets=op.offsets)


def _temperature(op: sampling.GibbsSweeps, w: Rewriter, sweep: int) -> Expression:
    """Return a sweep's temperatures: T itself, or its row."""
    shape = op.T.shape
    if len(shape) < 2:
        return w[op.T]
    row = sweep if shape[0] > 1 else 0
    of_sweep = w(core.Slice, x=op.T, starts=(row, 0), stops=(row + 1, shape[1]), steps=(1, 1))
    return w.reshape(of_sweep, (shape[1],))
