"""An oracle: HotSpot's block model, a network of one node for each rectangle and layer, written from its paper.

Two rectangles that share an edge are joined through half of each; each stands on the package's lumped nodes where it
meets the die's border. Huang et al., IEEE Trans. VLSI 14(5):501 (2006), as uvahotspot/HotSpot f18831e has it.
"""

from itertools import pairwise

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import spsolve

from thermoc.simulator.thermal.grid import rims

NEAR = 1e-6
"""Edges that are no farther apart in m are one."""


def steady(stack, boxes, watts):
    """Return the rises (layers, n) of rectangles, rows (x, y, width, height), that tile a packaged die."""
    net, n = Net(), len(boxes)
    i, j, shape = (np.concatenate(part) for part in zip(*neighbours(boxes)))
    for layer, sheet in enumerate(stack.sheets):
        net.link(layer * n + i, layer * n + j, sheet.material.conductivity * sheet.thickness * shape)
    down(net, stack, boxes[:, 2] * boxes[:, 3])
    for axis in (0, 1):
        low, high = (
            boxes[:, axis] < NEAR,
            boxes[:, axis] + boxes[:, 2 + axis] > (stack.width, stack.height)[axis] - NEAR,
        )
        for end, border in enumerate((low, high)):
            beyond(net, stack, boxes, axis, 6 * axis + 3 * end, np.flatnonzero(border))
    power = np.zeros(len(stack.sheets) * n + 12)
    power[:n] = watts
    return spsolve(net.matrix(len(power)), power)[:-12].reshape(-1, n)


def down(net, stack, area):
    """Join each rectangle to the one below, and the sink's to the air; nodes stand on top of their layers."""
    n, node = len(area), np.arange(len(area))
    for layer, sheet in enumerate(stack.sheets):
        g = sheet.material.conductivity * area / sheet.thickness
        if layer + 1 < len(stack.sheets):
            net.link(layer * n + node, (layer + 1) * n + node, g)
    air = area / (stack.package.resistance * stack.package.sink.side**2)
    net.ground(layer * n + node, 1 / (1 / g + 1 / air))


def beyond(net, stack, boxes, axis, lumped, border):
    """Join the rectangles on one border of the die to the nodes beyond; they share the way there by their widths."""
    n, rim = len(boxes), rims(stack, (1, 1))[axis]
    depth, width = boxes[border, 2 + axis], boxes[border, 3 - axis]
    die = (stack.width, stack.height)[axis]
    first = len(stack.sheets) * n + lumped
    net.chain(first, rim)
    for plate in (0, 1):
        sheet = stack.sheets[plate - 2]
        half = 2 * sheet.material.conductivity * sheet.thickness * width / depth
        inside = die / (2 * sheet.material.conductivity * sheet.thickness * width.sum())
        nodes = (len(stack.sheets) + plate - 2) * n + border
        net.link(nodes, np.full(len(nodes), first + plate), half / (1 + (1 / rim.edge[plate] - inside) * half.sum()))


class Net:
    """Conductances between nodes, and to the air."""

    def __init__(self):
        self.entries = []

    def link(self, a, b, g):
        a, b, g = np.broadcast_arrays(a, b, g)
        for row, column, value in ((a, a, g), (b, b, g), (a, b, -g), (b, a, -g)):
            self.entries.append((row.ravel(), column.ravel(), value.ravel()))

    def ground(self, a, g):
        self.entries.append((a, a, g))

    def chain(self, first, rim):
        row, column = np.indices((3, 3))
        self.entries.append((first + row.ravel(), first + column.ravel(), rim.chain.ravel()))

    def matrix(self, n):
        row, column, value = (np.concatenate(part) for part in zip(*self.entries))
        return sparse.csc_array(sparse.coo_array((value, (row, column)), shape=(n, n)))


def neighbours(boxes):
    """Yield rectangles, those to their right and above, and the shared edge of each two over their distance."""
    for axis in (0, 1):
        low, high = boxes[:, axis], boxes[:, axis] + boxes[:, 2 + axis]
        left, right = boxes[:, 1 - axis], boxes[:, 1 - axis] + boxes[:, 3 - axis]
        for i in range(len(boxes)):
            shared = np.minimum(right[i], right) - np.maximum(left[i], left)
            j = np.flatnonzero((np.abs(low - high[i]) < NEAR) & (shared > NEAR))
            yield np.full(len(j), i), j, 2 * shared[j] / (boxes[i, 2 + axis] + boxes[j, 2 + axis])


def rectangles(plan):
    """Return the blocks of a floorplan as rows (x, y, width, height)."""
    return np.array([[r.x, r.y, r.width, r.height] for b in plan.blocks for r in b.rectangles])


def cut(plan, size):
    """Return pieces (n, 4) no larger than ``size``, cut along every block's edges, and the block of each (n,)."""
    boxes = rectangles(plan)
    xs, ys = (_lines(np.concatenate([boxes[:, a], boxes[:, a] + boxes[:, 2 + a]]), size) for a in (0, 1))
    x, y = (grid.ravel() for grid in np.meshgrid(xs[:-1], ys[:-1]))
    w, h = (grid.ravel() for grid in np.meshgrid(np.diff(xs), np.diff(ys)))
    middle = np.stack([x + w / 2, y + h / 2], axis=1)[:, np.newaxis]
    inside = ((middle > boxes[:, :2]) & (middle < boxes[:, :2] + boxes[:, 2:])).all(axis=2)
    assert (inside.sum(axis=1) == 1).all()
    return np.stack([x, y, w, h], axis=1), inside.argmax(axis=1)


def _lines(edges, size):
    edges = np.sort(edges)
    edges = edges[np.concatenate([[True], np.diff(edges) > 2 * NEAR])]
    parts = [np.linspace(a, b, int(np.ceil((b - a) / size - 1e-9)), endpoint=False) for a, b in pairwise(edges)]
    return np.concatenate([*parts, edges[-1:]])
