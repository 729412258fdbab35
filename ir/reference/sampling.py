"""The meaning of coupled binary units: heat bath, colour by colour."""

# pyright: reportConstantRedefinition=false
# (T and U are physical symbols, and no constants)

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from thermoc import physics
from thermoc.ir.dialects import sampling
from thermoc.ir.reference.meaning import MEANINGS, Context, Delayed, State, aligned, pure, whole
from thermoc.support import philox
from thermoc.support.array_types import AnyArray, BoolArray, FloatArray, IntArray
from thermoc.support.namespaces import as_type, namespace, numbers_of, row_sums


def _drive(op: Any, s: AnyArray, h: AnyArray, J: AnyArray | None, rows: tuple[Any, ...]) -> AnyArray:
    """Return the energy by which each unit's upper level lies below its lower one."""
    field = _product(s, J, rows) + aligned(h, s)[0]
    return 2 * field if op.levels == "spin" else field


def _product(s: AnyArray, J: AnyArray | None, rows: tuple[Any, ...]) -> AnyArray:
    """Return J s."""
    if J is not None:
        return s @ J[0].T
    values, columns, offsets = (array[0] for array in rows)
    return row_sums(values * s[:, columns], offsets)


@pure(sampling.GibbsSweeps)
def gibbs_sweeps(op: Any, ctx: Context, s: AnyArray, T: AnyArray, J: Any, h: AnyArray, *others: Any) -> AnyArray:
    *rows, colors_given = others
    n = s.shape[1]
    colors = cast("IntArray", np.arange(n) if colors_given is None else numbers_of(colors_given[0]))
    xp = namespace(s, T)
    # Samples that start alike draw different noise, so a uniform state becomes one a sample.
    s = xp.broadcast_to(s, (max(len(s), ctx.batch), n))
    T = xp.broadcast_to(T.reshape(len(T), *(1,) * (3 - T.ndim), *T.shape[1:]), (len(T), op.sweeps, n))
    classes: list[BoolArray] = [np.ones(n, bool)]
    if op.order != "parallel":
        classes = [np.equal(colors, color) for color in np.unique(colors)]
    for sweep in range(op.sweeps):
        goes_up = _chance(op, ctx, sweep, colors)
        for members in classes:
            up = goes_up(_drive(op, s, h, J, tuple(rows)), T[:, sweep])
            s = xp.where(ctx.array(members), up if op.levels == "binary" else 2 * up - 1, s)
    return s


def _chance(op: Any, ctx: Context, sweep: int, colors: AnyArray) -> Callable[[AnyArray, AnyArray], AnyArray]:
    """Return what compares drives with the noise of a sweep: 1 where a unit goes up, else 0."""
    if op.draws == "unit":
        u = ctx.uniform(op.s.inferred, op.stream, sweep)
        # Temperature only multiplies this threshold, so one seed gives one trajectory on every target.
        logit = namespace(u).log(u) - namespace(u).log(1 - u)
        return lambda drive, T: ctx.sampled(drive > T * logit, drive, T, logit)
    digits = _digits(op, ctx, sweep, colors)
    U, logit = ctx.array(digits), ctx.array(np.log(digits + 0.5) - np.log(2.0**52 - 0.5 - digits))

    def goes_up(drive: AnyArray, T: AnyArray) -> AnyArray:
        p = physics.fermi_dirac(*aligned(*(as_type(item, np.dtype(np.float64)) for item in (-drive, T))))
        return ctx.sampled(namespace(p).ceil(p * 2.0**52) > U, drive, T, logit)

    return goes_up


def _digits(op: Any, ctx: Context, sweep: int, colors: AnyArray) -> AnyArray:
    """Return the 52 binary digits of each unit's uniform, (batch, n), as a number below 2^52."""
    (n,) = op.s.shape
    sample = np.arange(ctx.first_sample, ctx.first_sample + ctx.batch)[:, np.newaxis]
    if op.draws == "replica":
        word = cast("IntArray", sample // 64 * n + np.arange(n))
        bit = cast("IntArray", np.broadcast_to(sample % 64, (ctx.batch, n)))
    else:
        sizes = np.array([-(-int((colors == color).sum()) // 64) for color in np.unique(colors)])
        color_index, rank = np.searchsorted(np.unique(colors), colors), np.empty(n, int)
        for color in np.unique(colors):
            rank[colors == color] = np.arange((colors == color).sum())
        word_in_sample = np.concatenate([[0], np.cumsum(sizes)])[color_index] + rank // 64
        word = cast("IntArray", sample * sizes.sum() + word_in_sample)
        bit = cast("IntArray", np.broadcast_to(rank % 64, (ctx.batch, n)))
    U: FloatArray = np.zeros((ctx.batch, n))
    # A block gives two numbers of 64 bits, each with one of the 52 digits for 64 units.
    for draw in range(26):
        w = philox.words(
            word.astype(np.uint64), tick=ctx.tick * op.sweeps + sweep, draw=draw, stream=op.stream, seed=ctx.seed
        )
        for high, low in ((w[0], w[1]), (w[2], w[3])):
            bits = (high.astype(np.uint64) << np.uint64(32)) | low.astype(np.uint64)
            U = 2 * U + ((bits >> bit.astype(np.uint64)) & np.uint64(1))
    return U


def _start(op: sampling.Gibbs, ctx: Context, *operands: Any) -> State:
    return {"s": whole(operands[-1], op.s.inferred)}


def _advance(op: sampling.Gibbs, ctx: Context, state: State, *operands: Any) -> State:
    return {"s": gibbs_sweeps(op, ctx, state["s"], *operands[:-1])}


MEANINGS[sampling.Gibbs] = Delayed(start=_start, read=lambda op, state: state["s"], advance=_advance)


def ising_energy(op: Any, ctx: Context, s: AnyArray, J: Any, h: AnyArray, *rows: Any) -> AnyArray:
    s, h = aligned(s, h)
    return (s * (-_product(s, J, rows) / 2 - h)).sum(axis=-1)


pure(sampling.IsingEnergy)(ising_energy)
