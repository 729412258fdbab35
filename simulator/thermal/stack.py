"""What heat flows through: materials, layers, faces, a heat sink, a package; SI units throughout.

A stack lies in the plane (x to the right, y upwards, the origin at a corner) and its layers are listed from the top.
Its sides are adiabatic. Heat leaves through the top face, and below the last layer through a face, a sink or a package.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

from thermoc.simulator.thermal.floorplan import FloorplanBlock
from thermoc.support.errors import error
from thermoc.support.suggestions import near

Nodes = Literal["centre", "top", "outer"]


@dataclass(frozen=True, kw_only=True)
class Material:
    """A solid: ``conductivity`` in W/(m K), volumetric ``heat_capacity`` in J/(m^3 K)."""

    name: str
    conductivity: float
    heat_capacity: float

    def __post_init__(self) -> None:
        _positive(f"material {self.name!r}", conductivity=self.conductivity, heat_capacity=self.heat_capacity)


@dataclass(frozen=True, kw_only=True)
class DieLayer:
    """A sheet of one material, ``thickness`` in m; ``inlays`` replace it below their blocks.

    A ``source`` layer takes power. A cell that an inlay covers in part mixes materials by area.
    """

    name: str
    thickness: float
    material: Material
    source: bool = False
    inlays: tuple[tuple[FloorplanBlock, Material], ...] = ()

    def __post_init__(self) -> None:
        _positive(f"layer {self.name!r}", thickness=self.thickness)

    @property
    def uniform(self) -> bool:
        """Whether every cell of the layer is of one material."""
        return not self.inlays


@dataclass(frozen=True, kw_only=True)
class Face:
    """A cooled face: heat transfer ``coefficient`` in W/(m^2 K) to a reservoir at ``temperature`` in K (P21)."""

    coefficient: float
    temperature: float

    def __post_init__(self) -> None:
        _positive("a face", coefficient=self.coefficient, temperature=self.temperature)


@dataclass(frozen=True, kw_only=True)
class HeatSink:
    """A heat sink below the last layer, all of one temperature: ``capacity`` in J/K.

    ``resistance`` in K/W from it to the air at ``temperature`` in K; ``joint`` in W/(m^2 K) between it and the last
    layer, infinite where they touch perfectly.
    """

    capacity: float
    resistance: float
    temperature: float
    joint: float = math.inf

    def __post_init__(self) -> None:
        _positive("a sink", capacity=self.capacity, resistance=self.resistance, temperature=self.temperature)
        # not the joint: infinite is the rule there, a perfect contact
        if not self.joint > 0:
            raise error("T405", "a sink: joint must be > 0", notes=[f"it is {self.joint!r}"])


@dataclass(frozen=True, kw_only=True)
class Plate:
    """A square plate larger than the die: ``side`` and ``thickness`` in m."""

    side: float
    thickness: float
    material: Material

    def __post_init__(self) -> None:
        _positive("a plate", side=self.side, thickness=self.thickness)


@dataclass(frozen=True, kw_only=True)
class Package:
    """Spreader and heat sink below the last layer, as in HotSpot: their overhang is a few lumped nodes a side.

    ``resistance`` in K/W and ``capacity`` in J/K of the convection from the sink's whole area, shared by area;
    ``temperature`` of the air in K. HotSpot takes 0.333 of its c_convec as the capacity.
    Huang et al., IEEE Trans. VLSI 14(5):501 (2006).
    """

    spreader: Plate
    sink: Plate
    resistance: float
    capacity: float
    temperature: float

    def __post_init__(self) -> None:
        _positive("a package", resistance=self.resistance, temperature=self.temperature)
        # an overhang of no depth would divide by zero, and one of negative depth conduct backwards
        if not self.sink.side > self.spreader.side:
            notes = [f"spreader side {self.spreader.side!r} m", f"sink side {self.sink.side!r} m"]
            raise error("T405", "a sink must be larger than its spreader", notes=notes)
        if not (math.isfinite(self.capacity) and self.capacity >= 0):
            raise error("T405", "a package's capacity must be >= 0", notes=[f"it is {self.capacity!r} J/K"])


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Layers from the top down over a ``width`` (x) by ``height`` (y) die in m, and where its heat goes.

    ``nodes`` says at which depth of a layer its temperature stands: "centre" puts half a cell's resistance on either
    side; "top" the whole of it below, as HotSpot does; "outer" is "centre" but for the outermost layers, whose nodes
    stand on their outer faces where those are adiabatic, as in 3D-ICE. A face of None is adiabatic. Errors: T405.
    """

    width: float
    height: float
    layers: tuple[DieLayer, ...]
    top: Face | None = None
    bottom: Face | None = None
    sink: HeatSink | None = None
    package: Package | None = None
    nodes: Nodes = "centre"

    def __post_init__(self) -> None:
        _positive("a stack", width=self.width, height=self.height)
        if not self.layers:
            raise error("T405", "a stack needs a layer")
        names = [layer.name for layer in self.layers]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise error("T405", "two layers have one name", notes=[f"{twice!r}"])
        if self.nodes not in get_args(Nodes):
            raise error("T405", "nodes stand at 'centre', 'top' or 'outer'", notes=[f"nodes = {self.nodes!r}"])
        below = [name for name in ("bottom", "sink", "package") if getattr(self, name) is not None]
        if len(below) > 1:
            raise error("T405", "a stack has one thing below it", notes=[f"it is given {' and '.join(below)}"])
        if self.package is not None:
            _fits(self, self.package)

    @property
    def uniform(self) -> bool:
        """Whether every layer is of one material."""
        return all(layer.uniform for layer in self.layers)

    @property
    def sheets(self) -> tuple[DieLayer, ...]:
        """All layers that have cells: the stack's own, then the package's spreader and sink below the die."""
        if self.package is None:
            return self.layers
        plates = {"spreader": self.package.spreader, "sink": self.package.sink}
        below = (DieLayer(name=n, thickness=p.thickness, material=p.material) for n, p in plates.items())
        return (*self.layers, *below)

    @property
    def ambient(self) -> float:
        """The temperature that rises are counted from, in K: of the package, a face or a sink, else absolute zero."""
        # the first that there is: rises from it keep their digits, whichever reservoir it be
        for boundary in (self.package, self.top, self.bottom, self.sink):
            if boundary is not None:
                return boundary.temperature
        return 0.0

    @property
    def below(self) -> Face | HeatSink | Package | None:
        """What cools the last layer from below."""
        return self.bottom or self.sink or self.package

    def place(self, name: str) -> int:
        """Return the index of the layer of this name. Errors: T405."""
        names = [sheet.name for sheet in self.sheets]
        if name not in names:
            raise error("T405", f"no layer {name!r}", notes=[f"layers are {', '.join(names)}"], hint=near(name, names))
        return names.index(name)

    def with_layers(self, *layers: DieLayer) -> Stack:
        """Return the stack with other layers."""
        return replace(self, layers=layers)


def _fits(stack: Stack, package: Package) -> None:
    # square plates: the longer side of the die decides whether an overhang is left on all four
    if not max(stack.width, stack.height) < package.spreader.side:
        notes = [f"die {stack.width!r} x {stack.height!r} m", f"spreader side {package.spreader.side!r} m"]
        raise error("T405", "a spreader must be larger than its die", notes=notes)
    present = {"spreader", "sink"} & {layer.name for layer in stack.layers}
    if present:
        raise error("T405", "a layer has the name of a plate", notes=[f"{present.pop()!r}"])


def _positive(what: str, **values: float) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise error("T405", f"{what}: {name} must be > 0", notes=[f"it is {value!r}"])
