"""Matrix products."""

from __future__ import annotations

import string

import numpy as np

from thermoc.frontends.onnx import axes
from thermoc.frontends.onnx.operator import Node, operator, text
from thermoc.frontends.onnx.site import Site
from thermoc.frontends.onnx.tensor import BATCH, Tensor
from thermoc.ir.functions import call
from thermoc.ir.handle import Handle


def product(s: Site, a: Tensor, b: Tensor) -> Tensor:
    """Return a b over the last two axes, NumPy's rule for the others and for vectors."""
    if b.rank == 1:
        columns = product(s, a, axes.unsqueeze(s, b, 1))
        return axes.squeeze(s, columns, columns.rank - 1)
    if a.rank == 1:
        rows = product(s, axes.unsqueeze(s, a, 0), b)
        return axes.squeeze(s, rows, rows.rank - 2)
    if a.shape[-1] != b.shape[-2] or a.shape[-1] >= BATCH:
        raise s.refuse(
            "matrices do not fit", f"a has shape {axes.shown(a.shape)}", f"b has shape {axes.shown(b.shape)}"
        )
    lead = axes.broadcast_shape(s, a.shape[:-2] or (1,), b.shape[:-2] or (1,))
    lead = lead if a.rank > 2 or b.rank > 2 else ()
    shape = (*lead, a.shape[-2], b.shape[-1])
    if sum(length >= BATCH for length in shape) > 1:
        raise s.refuse(axes.MIXED, f"a has shape {axes.shown(a.shape)}", f"b has shape {axes.shown(b.shape)}")
    if b.rank == 2 and b.shape[-1] < BATCH and s.uniform(weight := s.value(b)):
        transposed = call("core.transpose", weight, axes=(1, 0))
        if b.numbers is not None:
            transposed = s.plain(np.ascontiguousarray(np.asarray(b.numbers).T).astype(weight.dtype))
        return Tensor(elem=a.elem, shape=shape, handle=call("core.affine", s.value(a), transposed))
    y = call("core.matmul", *(_matrices(s, t, lead) for t in (a, b)))
    full = axes.sample_shape(shape)
    return Tensor(elem=a.elem, shape=shape, handle=y if y.shape == full else call("core.reshape", y, shape=full))


def _matrices(s: Site, t: Tensor, lead: tuple[int, ...]) -> Handle:
    """Return a value (leading axes of a sample, rows, columns); a batch of rows or columns is a matrix of one."""
    wide = axes.fitted(s, t, (*lead, *t.shape[-2:]))
    rows, columns = (1 if length == BATCH else length // BATCH if length > BATCH else length for length in t.shape[-2:])
    full = (*axes.sample_shape(lead), rows, columns)
    leading = wide.shape[: wide.ndim - sum(length != BATCH for length in t.shape[-2:])]
    wide = (
        wide if wide.shape == (*leading, rows, columns) else call("core.reshape", wide, shape=(*leading, rows, columns))
    )
    return wide if wide.shape == full else call("core.broadcast", wide, shape=full)


@operator("MatMul")
def matmul(s: Site, n: Node) -> Tensor:
    """a b."""
    return product(s, n[0], n[1])


@operator("Gemm")
def gemm(s: Site, n: Node) -> Tensor:
    """alpha a b + beta c."""
    a = axes.swapped(s, n[0], 0, 1) if n.attr("transA") else n[0]
    b = axes.swapped(s, n[1], 0, 1) if n.attr("transB") else n[1]
    alpha, beta = float(n.attr("alpha", 1.0)), float(n.attr("beta", 1.0))
    y, c = product(s, a, b), n.get(2)
    if alpha != 1.0:
        y = axes.elementwise(s, lambda v: v * alpha, y)
    if c is None or beta == 0.0:
        return y
    return axes.elementwise(s, lambda v, w: v + (w if beta == 1.0 else w * beta), y, c)


@operator("Einsum")
def einsum(s: Site, n: Node) -> Tensor:
    """Sums of products over named axes: aligned by name, multiplied, summed."""
    terms, _, out = text(n.attr("equation")).replace(" ", "").partition("->")
    inputs = [_lettered(s, t, x) for t, x in zip(terms.split(","), n.given)]
    counted = "".join(
        sorted(c for c in set("".join(t for t, _ in inputs)) if "".join(t for t, _ in inputs).count(c) == 1)
    )
    dots = next((t for t, _ in inputs if any(c.isupper() for c in t)), "")
    upper = "".join(c for c in dots if c.isupper())
    out = (
        out.replace("...", upper)
        if "->" in text(n.attr("equation"))
        else upper + "".join(c for c in counted if c.islower())
    )
    letters = out + "".join(sorted(set("".join(t for t, _ in inputs)) - set(out)))
    aligned = [_aligned(s, x, t, letters) for t, x in inputs]
    y = aligned[0]
    for operand in aligned[1:]:
        y = axes.elementwise(s, lambda a, b: a * b, y, operand)
    over = range(len(out), len(letters))
    return axes.reduce(s, y, "sum", over, keep=False) if over else y


def _lettered(s: Site, term: str, x: Tensor) -> tuple[str, Tensor]:
    """Return a term with a letter for each axis, capitals for '...'; an axis named twice is its diagonal."""
    if "..." in term:
        term = term.replace("...", string.ascii_uppercase[: x.rank - len(term) + 3])
    for letter in sorted(set(term)):
        while term.count(letter) > 1:
            first = term.index(letter)
            second = term.index(letter, first + 1)
            eye = Tensor(
                elem=x.elem,
                shape=tuple(n if i in (first, second) else 1 for i, n in enumerate(x.shape)),
                numbers=np.eye(x.shape[first], dtype=x.elem).reshape(
                    [n if i in (first, second) else 1 for i, n in enumerate(x.shape)]
                ),
            )
            x = axes.reduce(s, axes.elementwise(s, lambda a, b: a * b, x, eye), "sum", [second], keep=False)
            term = term[:second] + term[second + 1 :]
    return term, x


def _aligned(s: Site, x: Tensor, term: str, letters: str) -> Tensor:
    order = sorted(range(len(term)), key=lambda i: letters.index(term[i]))
    x = axes.transpose(s, x, order)
    lengths = iter(x.shape)
    present = {term[i] for i in order}
    return axes.reshape(s, x, [next(lengths) if letter in present else 1 for letter in letters])
