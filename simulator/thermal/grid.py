"""A stack cut into cells: capacities, conductances between neighbours, and the package's lumped nodes (P17, P18)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.thermal.floorplan import Floorplan
from thermoc.simulator.thermal.stack import DieLayer, Package, Stack

Shape = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Lump:
    """A heat sink of one temperature below the cells: ``capacity`` in J/K, ``air`` in W/K to the reservoir."""

    capacity: float
    air: float


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Cell-centred finite volumes of a stack. Row 0 lies at y = 0.

    capacity (L, ny, nx) in J/K; conductances in W/K: across (L, ny, nx-1), up (L, ny-1, nx), down (L-1, ny, nx) from
    each layer to the next, top and bottom (ny, nx) to the reservoirs, zero where a face is adiabatic. Where there is
    a sink, the cells' bottoms lie on it and it alone meets the reservoir below.
    """

    capacity: NDArray
    across: NDArray
    up: NDArray
    down: NDArray
    top: NDArray
    bottom: NDArray
    sink: Lump | None = None


@dataclass(frozen=True, kw_only=True)
class Rim:
    """The lumped nodes beyond one pair of sides, W and E (axis x) or S and N (axis y): spreader, inner and outer sink.

    chain (3, 3): conductances among a side's nodes and to the air, as a matrix; capacity (3,); air (3,) in W/K to
    the reservoir. edge (2,): W/K of each edge cell of the spreader, and of the sink, to nodes 0 and 1.
    """

    chain: NDArray
    capacity: NDArray
    air: NDArray
    edge: NDArray


def grid(stack: Stack, shape: Shape) -> Grid:
    """Return the cells of a stack; every sheet, the package's plates included, has ny by nx of them."""
    ny, nx = shape
    dx, dy = stack.width / nx, stack.height / ny
    sheets = stack.sheets
    k, c = (np.stack([_field(sheet, stack, shape, name) for sheet in sheets]) for name in _PROPERTIES)
    t = np.array([sheet.thickness for sheet in sheets])[:, np.newaxis, np.newaxis]
    # the resistance of a cell is split at its node: where the node stands is a convention, see ``Stack``
    above, below = _halves(stack, t / (k * dx * dy))
    capacity, bottom = c * t * dx * dy, np.zeros(shape)
    # half a cell and the film in series: the reservoir is met at the face and not at the node
    if stack.bottom is not None:
        bottom = 1 / (below[-1] + 1 / (stack.bottom.coefficient * dx * dy))
    if stack.sink is not None:
        bottom = 1 / (below[-1] + 1 / (stack.sink.joint * dx * dy))
    # convection's resistance and capacity are shared by area, as in HotSpot, with cells and overhang alike
    if stack.package is not None:
        fraction = dx * dy / stack.package.sink.side**2
        capacity[-1] += stack.package.capacity * fraction
        bottom = 1 / (below[-1] + stack.package.resistance / fraction)
    top = np.zeros(shape) if stack.top is None else 1 / (above[0] + 1 / (stack.top.coefficient * dx * dy))
    return Grid(
        capacity=capacity,
        across=t * dy / dx * _series(k[:, :, :-1], k[:, :, 1:]),
        up=t * dx / dy * _series(k[:, :-1], k[:, 1:]),
        # what is below one node and above the next in series
        down=1 / (below[:-1] + above[1:]),
        top=top,
        bottom=bottom,
        sink=Lump(capacity=stack.sink.capacity, air=1 / stack.sink.resistance) if stack.sink else None,
    )


def rims(stack: Stack, shape: Shape) -> tuple[Rim, Rim] | None:
    """Return the lumped nodes beyond the sides in x, and in y, or None without a package."""
    if stack.package is None:
        return None
    ny, nx = shape
    across = _rim(stack.package, stack.width, stack.height, stack.width / nx, ny)
    return across, _rim(stack.package, stack.height, stack.width, stack.height / ny, nx)


def _rim(package: Package, along: float, side: float, step: float, cells: int) -> Rim:
    """The overhang beyond a side of length ``side``; the die is ``along`` deep behind it, cells are ``step`` deep.

    The overhang of a plate of side s is cut into four trapezia: (s - along)/2 deep, their middle (s - along)/4 away
    and (s + 3 side)/4 wide there. The sink has one such ring to the spreader's outline and one beyond.
    """
    spreader, sink, s = package.spreader, package.sink, package.spreader.side
    near, far = (s + 3 * side) / 4, (3 * s + side) / 4
    reach, area = (s - along) / 4, (s + side) * (s - along) / 4
    outer_area = (sink.side**2 - s**2) / 4
    inward = [_resistance(p, reach, near * p.thickness) for p in (spreader, sink)]
    # from the middle of the inner ring to that of the outer one: half of each, in series
    outward = _resistance(sink, reach, far * sink.thickness)
    outward += _resistance(sink, (sink.side - s) / 4, (sink.side + 3 * s) / 4 * sink.thickness)
    links = np.array([1 / _resistance(spreader, spreader.thickness, area), 1 / outward])
    total = package.resistance * sink.side**2
    air = np.array([0.0, *(1 / (_resistance(sink, sink.thickness, a) + total / a) for a in (area, outer_area))])
    # each edge cell has its own half cell, and an equal share of the overhang's conductance
    edge = [
        1 / (_resistance(p, step / 2, side / cells * p.thickness) + cells * r) for p, r in zip((spreader, sink), inward)
    ]
    return Rim(
        chain=_chain(links) + np.diag(air),
        capacity=_rim_capacity(package, area, outer_area),
        air=air,
        edge=np.array(edge),
    )


def _rim_capacity(package: Package, area: float, outer_area: float) -> NDArray:
    spreader, sink = package.spreader, package.sink
    capacities = np.array([area * spreader.thickness * spreader.material.heat_capacity, 0.0, 0.0])
    areas = np.array([0.0, area, outer_area])
    return capacities + areas * (sink.thickness * sink.material.heat_capacity + package.capacity / sink.side**2)


def _chain(links: NDArray) -> NDArray:
    """Return the Laplacian of nodes in a row."""
    n = len(links) + 1
    matrix = np.zeros((n, n))
    for i, g in enumerate(links):
        matrix[i : i + 2, i : i + 2] += g * np.array([[1, -1], [-1, 1]])
    return matrix


def _resistance(plate, length: float, area: float) -> float:
    return length / (plate.material.conductivity * area)


def _halves(stack: Stack, whole: NDArray) -> tuple[NDArray, NDArray]:
    """Return the resistance of each cell above and below its node, from that of the whole cell."""
    # HotSpot's nodes: the layer's whole resistance lies below its node
    depth = np.full(len(whole), 0.0 if stack.nodes == "top" else 0.5)
    if stack.nodes == "outer" and len(whole) > 1:
        # 3D-ICE's outermost nodes stand on their outer face, unless something cools it
        depth[0] = 0.5 if stack.top else 0.0
        depth[-1] = 0.5 if stack.below else 1.0
    fraction = depth[:, np.newaxis, np.newaxis]
    return fraction * whole, (1 - fraction) * whole


def _series(a: NDArray, b: NDArray) -> NDArray:
    """Return the conductivity of two half cells in a row."""
    # harmonic: two half cells conduct in series, so that the poorer one decides
    return 2 * a * b / (a + b)


_PROPERTIES = ("conductivity", "heat_capacity")


def _field(sheet: DieLayer, stack: Stack, shape: Shape, name: str) -> NDArray:
    """Return a property of each cell: the layer's, mixed with those of its inlays by area."""
    base = float(getattr(sheet.material, name))
    field = np.full(shape, base)
    if not sheet.inlays:
        return field
    plan = Floorplan(width=stack.width, height=stack.height, blocks=tuple(block for block, _ in sheet.inlays))
    cell = stack.width * stack.height / (shape[0] * shape[1])
    weights = plan.binned(shape).weights
    for i, (block, material) in enumerate(sheet.inlays):
        coverage = (weights[[i]].toarray() * (block.area / cell)).reshape(shape)
        # never above the whole cell: inlays may overlap by the slack, and rounding adds its own
        field += np.minimum(coverage, 1.0) * (getattr(material, name) - base)
    return field
