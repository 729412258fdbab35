"""Coupled binary units in terms of products, uniforms and comparisons."""

from __future__ import annotations

from typing import Any

import numpy as np

from thermoc.ir.dialects import core, sampling, thermo
from thermoc.ir.values import Value
from thermoc.passes.rewriting import Rewriter
from thermoc.support.errors import error

MOST_UPDATES = 1000
"""Colours times sweeps of a tick that are written out one by one; each takes some ten ops."""


def gibbs(op: sampling.Gibbs, w: Rewriter) -> Value:
    """A delay around the sweeps of a tick."""
    s = w.delay(op.s, op.initial)
    shared = {**op.attrs, **{name: getattr(op, name) for name in sampling.GibbsSweeps.operand_specs if name != "x"}}
    w.feed(s, w(sampling.GibbsSweeps, x=s, **shared))
    return s


def gibbs_sweeps(op: sampling.GibbsSweeps, w: Rewriter) -> Value:
    """Colour after colour: s = [2 (J s + h) > T logit(u)] for its units (P6, P12). Errors: T304."""
    if op.draws != "unit":
        notes = [f"its units share random words: draws = {op.draws!r}"]
        raise error("T301", f"{op.opname} has no form here", where=op.location, notes=notes, hint='take draws="unit"')
    (n,) = op.s.shape
    colors = np.arange(n) if op.colors is None else w.known(op.colors)
    assert colors is not None  # the builder makes it a constant, and no pass computes it
    classes = [np.ones(n, bool)] if op.order == "parallel" else [colors == color for color in np.unique(colors)]
    if len(classes) * op.sweeps > MOST_UPDATES:
        notes = [
            f"{len(classes)} colours, {op.sweeps} sweeps a tick",
            f"at most {MOST_UPDATES} updates are written out",
        ]
        hint = "take fewer sweeps a tick, or couplings that need fewer colours"
        raise error("T304", f"{op.opname} is too long for this target", where=op.location, notes=notes, hint=hint)
    s = op.x
    for sweep in range(op.sweeps):
        u = w(thermo.Uniform, shape=(n,), stream=op.stream, draw=sweep, dtype=w.dtype)
        logit = w.sub(w(core.Log, x=u), w(core.Log, x=w.sub(1.0, u)))
        threshold = w.mul(_temperature(op, w, sweep), logit)
        for members in classes:
            s = _updated(op, w, s, threshold, members)
    return s


def ising_energy(op: sampling.IsingEnergy, w: Rewriter) -> Value:
    """Sum of s (-J s / 2 - h) (P12)."""
    each = w.mul(op.s, w.sub(w.mul(_product(op, w, op.s), -0.5), op.h))
    return w(core.Reduce, x=each, kind="sum", axes=(0,))


def _updated(op: sampling.GibbsSweeps, w: Rewriter, s: Value, threshold: Value, members: Any) -> Value:
    field = w.add(_product(op, w, s), op.h)
    spin = op.levels == "spin"
    up = w(core.Cast, x=w(core.Greater, a=w.mul(field, 2.0) if spin else field, b=threshold), dtype=w.dtype)
    new = w.sub(w.mul(up, 2.0), 1.0) if spin else up
    if members.all():
        return new
    mask = w.constant(members)
    return w(core.Select, condition=w(core.Greater, a=mask, b=0.5), a=new, b=s)


def _product(op: Any, w: Rewriter, s: Value) -> Value:
    if op.J is not None:
        return w(core.Affine, x=s, weight=op.J)
    return w(core.SparseAffine, x=s, values=op.values, columns=op.columns, offsets=op.offsets)


def _temperature(op: sampling.GibbsSweeps, w: Rewriter, sweep: int) -> Value:
    """Return a sweep's temperatures: T itself, or its row."""
    shape = op.T.shape
    if len(shape) < 2:
        return op.T
    row = sweep if shape[0] > 1 else 0
    part = w(core.Slice, x=op.T, starts=(row, 0), stops=(row + 1, shape[1]), steps=(1, 1))
    return w(core.Reshape, x=part, shape=(shape[1],))
