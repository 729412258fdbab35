"""Orders and running products, by comparing every element of an axis with every other."""

from __future__ import annotations

import numpy as np

from thermoc.frontends.onnx import axes
from thermoc.frontends.onnx.operator import Node, operator
from thermoc.frontends.onnx.selection import picked, taken
from thermoc.frontends.onnx.site import Site
from thermoc.frontends.onnx.tensor import Tensor, known
from thermoc.ir.functions import call


@operator("TopK", known=(1,))
def top_k(s: Site, n: Node) -> tuple[Tensor, ...]:
    """The k largest (or smallest) along an axis, in order, and where they are; of equals the first."""
    x = n[0]
    axis = axes.axis_of(s, int(n.attr("axis", -1)), x.rank)
    k = int(n.attr("k")) if n.version < 10 else int(s.numbers(n[1], "k").reshape(-1)[0])
    length = x.shape[axis]
    s.check_size((*x.sample, length))
    # How many come before each: those that are larger, and equals that stand earlier.
    rows, columns = axes.unsqueeze(s, x, axis + 1), axes.unsqueeze(s, x, axis)
    op = "core.greater" if n.attr("largest", 1) else "core.less"
    shape = [1] * rows.rank
    shape[axis] = shape[axis + 1] = length
    earlier = known(np.tri(length, length, -1, dtype=bool).reshape(shape))
    before = axes.elementwise(
        s, lambda a, b, e: call(op, b, a) | (call("core.equal", a, b) & e), rows, columns, earlier, elem=bool
    )
    counted = s.tensor(call("core.cast", s.value(before), dtype="f64"), before.shape, np.int64)
    rank = axes.reduce(s, counted, "sum", [axis + 1], keep=False)
    lengths = [1] * (x.rank + 1)
    lengths[axis] = k
    number = known(np.arange(k).reshape(lengths))
    mask = axes.elementwise(s, lambda r, i: call("core.equal", r, i), axes.unsqueeze(s, rank, axis), number, elem=bool)
    place = [1] * x.rank
    place[axis] = length
    where = axes.expand(s, known(np.arange(length).reshape(place)), x.shape)
    return picked(s, mask, columns, axis + 1), picked(s, mask, axes.unsqueeze(s, where, axis), axis + 1)


@operator("CumProd", known=(1,))
def cum_prod(s: Site, n: Node) -> Tensor:
    """Products of all elements up to each."""
    x = n[0]
    axis = axes.axis_of(s, int(s.numbers(n[1], "axis").reshape(-1)[0]), x.rank)
    order = np.arange(x.shape[axis])[:: -1 if n.attr("reverse") else 1]
    parts = [axes.cut(s, x, axis, int(i), int(i) + 1) for i in order]
    total, products = axes.elementwise(s, lambda v: 0.0 * v + 1.0, parts[0]), []
    for factor in parts:
        new = axes.elementwise(s, lambda a, b: a * b, total, factor)
        products.append(total if n.attr("exclusive") else new)
        total = new
    joined = axes.concat(s, products, axis)
    return taken(s, joined, axis, order) if n.attr("reverse") else joined
