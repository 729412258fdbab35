"""Dies that several tests share, and two oracles for them: a dense matrix exponential, and HotSpot's block model."""

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.linalg import expm
from scipy.sparse.linalg import spsolve

from thermoc.simulator.thermal import (
    DieLayer,
    Face,
    Floorplan,
    Material,
    Package,
    Plate,
    Stack,
    block,
    hotspot,
    read_stack,
)
from thermoc.simulator.thermal.grid import grid, rims

SILICON = Material(name="silicon", conductivity=130.0, heat_capacity=1.63e6)
PASTE = Material(name="paste", conductivity=4.0, heat_capacity=4.0e6)
COPPER = Material(name="copper", conductivity=400.0, heat_capacity=3.55e6)
OXIDE = Material(name="oxide", conductivity=1.4, heat_capacity=1.6e6)
TILES = np.array(
    [[0.33, 0.10, 0.33, 0.05], [0.02, 1.00, 0.33, 0.33], [0.33, 0.33, 0.10, 0.50], [0.05, 0.33, 0.02, 0.33]]
)
REFERENCE = Path(__file__).with_name("reference_die.toml")
WARM = Face(coefficient=2e4, temperature=310.0)
COLD = Face(coefficient=1e5, temperature=300.0)


def tiles(side=8e-3):
    """The four by four tiles of the reference data, row by row from y = 0."""
    step = side / 4
    made = tuple(block(f"T{r}{c}", c * step, r * step, step, step) for r in range(4) for c in range(4))
    return Floorplan(width=side, height=side, blocks=made)


def reference():
    return read_stack(REFERENCE)


def two_sheets(width=8e-3, height=6e-3, **rest):
    layers = (
        DieLayer(name="silicon", thickness=150e-6, material=SILICON, source=True),
        DieLayer(name="paste", thickness=20e-6, material=PASTE),
    )
    return Stack(width=width, height=height, layers=layers, **rest)


def package():
    return Package(
        spreader=Plate(side=0.03, thickness=1e-3, material=COPPER),
        sink=Plate(side=0.06, thickness=6.9e-3, material=COPPER),
        resistance=0.1,
        capacity=40.0,
        temperature=300.0,
    )


def packed(**rest):
    return two_sheets(package=package(), nodes="top", **rest)


INLAYS = ((block("trench", 1e-3, 1e-3, 3e-3, 0.7e-3), OXIDE), (block("slug", 5e-3, 2e-3, 1.1e-3, 3e-3), COPPER))


def inlaid(stack, *inlays):
    first, *rest = stack.layers
    return stack.with_layers(replace(first, inlays=inlays or INLAYS), *rest)


def hotspot_stack(plan):
    given = {"k_chip": 130.0, "p_chip": 1630300.0, "ambient": 300.0}
    return hotspot.stack(plan, given)


# ------------------------------------------------------------------------ the whole network as one dense matrix


@dataclass
class Dense:
    """Capacity C (n,), conductances K (n, n) with reservoirs at nought, inflow from reservoirs (n,)."""

    C: np.ndarray
    K: np.ndarray
    inflow: np.ndarray
    cells: np.ndarray

    def power(self, watts, layers):
        b = self.inflow.copy()
        for layer, part in zip(layers, np.reshape(watts, (len(layers), -1))):
            b[self.cells[layer].ravel()] += part
        return b

    def step(self, rise, b, dt):
        settled = np.linalg.solve(self.K, b)
        return settled + expm(-self.K / self.C[:, None] * dt) @ (rise - settled)


def dense(stack, shape):
    g = grid(stack, shape)
    n = g.capacity.size
    cells = np.arange(n).reshape(g.capacity.shape)
    lumped = 12 if stack.package else 1 if stack.sink else 0
    K, C = np.zeros((n + lumped,) * 2), np.zeros(n + lumped)
    C[:n] = g.capacity.ravel()
    link(K, cells[:, :, 1:], cells[:, :, :-1], g.across)
    link(K, cells[:, 1:], cells[:, :-1], g.up)
    link(K, cells[1:], cells[:-1], g.down)
    inflow = np.zeros(n + lumped)
    if stack.sink:
        link(K, cells[-1], np.full(cells[-1].shape, n), g.bottom)
        K[n, n] += 1 / stack.sink.resistance
        C[n] = stack.sink.capacity
        inflow[n] = (stack.sink.temperature - stack.ambient) / stack.sink.resistance
    below = np.zeros_like(g.bottom) if stack.sink else g.bottom
    for face, side, conductance in ((stack.top, 0, g.top), (stack.bottom, -1, below)):
        K[cells[side].ravel(), cells[side].ravel()] += conductance.ravel()
        if face is not None:
            inflow[cells[side].ravel()] += conductance.ravel() * (face.temperature - stack.ambient)
    for axis, rim in enumerate(rims(stack, shape) or ()):
        for end in (0, 1):
            first = n + 6 * axis + 3 * end
            K[first : first + 3, first : first + 3] += rim.chain
            C[first : first + 3] = rim.capacity
            for plate in (0, 1):
                edge = cells[plate - 2][:, -end] if axis == 0 else cells[plate - 2][-end]
                link(K, edge, np.full(edge.shape, first + plate), rim.edge[plate])
    return Dense(C, K, inflow, cells)


def link(K, a, b, g):
    for i, j, k in zip(a.ravel(), b.ravel(), np.broadcast_to(g, a.shape).ravel()):
        K[i, i] += k
        K[j, j] += k
        K[i, j] -= k
        K[j, i] -= k


# ------------------------------------------------------------------------ HotSpot's block model
# A network of one node for each rectangle and layer, written from its paper: two rectangles that share an edge are
# joined through half of each; each stands on the package's lumped nodes where it meets the die's border. Huang et al.,
# IEEE Trans. VLSI 14(5):501 (2006), as uvahotspot/HotSpot f18831e has it.


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
