"""3D-ICE's files: stacks of solid layers (.stk) and floorplans with power over time (.flp).

Lengths are in um, so conductivities are in W/(um K), capacities in J/(um^3 K), coefficients in W/(um^2 K); all leave
here in SI. Dies and layers are listed from the top. Microchannels, pin fins, pluggable sinks, conductivities that
differ by axis, cells of several sizes and materials of blocks are refused as not done (T507).
An outermost layer whose outer face is adiabatic has its node on that face, as 3D-ICE has it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.thermal.die import Die, DieState
from thermoc.simulator.thermal.floorplan import Floorplan
from thermoc.simulator.thermal.stack import DieLayer, Face, Material, Stack
from thermoc.simulator.thermal.text import beneath, wrong
from thermoc.simulator.thermal.threedice_floorplan import read_floorplan
from thermoc.simulator.thermal.threedice_output import Asked, OutputRequest, blockwise, read_output
from thermoc.simulator.thermal.threedice_words import Words
from thermoc.support.errors import Location

__all__ = ["OutputRequest", "StackFile", "read_floorplan", "read_stack"]

UM = 1e-6
BEYOND = {"microchannel": "microchannels", "pinfin": "pin fins", "heat": "a heat sink with a spreader of its own size"}
"""Sections that are 3D-ICE's and not modelled here."""


@dataclass(frozen=True, kw_only=True)
class StackFile:
    """A stack on a grid, the floorplan and power (blocks, slots) in W of each source layer, and what is asked of it.

    step, slot: s of a transient's time steps, and of how long each column of the powers lasts; None where it is steady.
    outputs: what the file asks for, in its order; probes: those of them that are single cells.
    """

    stack: Stack
    shape: tuple[int, int]
    floorplans: dict[str, Floorplan]
    powers: dict[str, NDArray]
    outputs: tuple[OutputRequest, ...]
    start: float
    steady: bool
    step: float | None = None
    slot: float | None = None

    @property
    def probes(self) -> tuple[OutputRequest, ...]:
        """The cells whose temperature is asked for."""
        return tuple(output for output in self.outputs if output.kind == "T")

    @property
    def slots(self) -> int:
        """How many slots the longest of the powers has."""
        return max(watts.shape[1] for watts in self.powers.values())

    @property
    def durations(self) -> NDArray:
        """Seconds of each slot, (slots,); infinite where the file is steady."""
        return np.full(self.slots, np.inf if self.slot is None else self.slot)

    def slot_at(self, time: float) -> int:
        """Return the slot in which a time in s from the start lies, the last one lasting; 0 where it is steady."""
        # the slack keeps a time at a slot's start out of the slot before, whatever rounding did to it
        return 0 if self.slot is None else min(int(time / self.slot * (1 + 1e-12) + 1e-12), self.slots - 1)

    def power(self, slot: int) -> NDArray:
        """Return W of each cell (sources, ny, nx) in a slot, the last one lasting."""
        maps = []
        for layer in self.stack.layers:
            if layer.source:
                watts = self.powers[layer.name]
                maps.append(
                    self.floorplans[layer.name].binned(self.shape).power(watts[:, min(slot, watts.shape[1] - 1)])
                )
        return np.array(maps)

    def power_at(self, time: float) -> NDArray:
        """Return W of each cell (sources, ny, nx) at a time in s from the start."""
        return self.power(self.slot_at(time))

    def answer(self, output: OutputRequest, die: Die, state: DieState, *, slot: int = 0) -> NDArray:
        """Return what an output of the file asks for, of a die in a state: K, or W for Pmap in a slot.

        T and Tflpel: (); Tmap and Pmap: (ny, nx); Tflp: (blocks,) in the floorplan's order; T3d: (layers, ny, nx).
        """
        if output.kind == "T3d":
            return die.temperature(state)
        if output.kind == "Pmap":
            sources = [layer.name for layer in self.stack.layers if layer.source]
            # a layer without a source has a map of powers too: zero everywhere
            return self.power(slot)[sources.index(output.layer)] if output.layer in sources else np.zeros(self.shape)
        T = die.temperature(state, output.layer)
        if output.kind == "T":
            return T[output.cell]
        if output.kind == "Tmap":
            return T
        weights = self.floorplans[output.layer].binned(self.shape).weights
        means = blockwise(T, weights, output.of)
        names = self.floorplans[output.layer].names
        return means if output.kind == "Tflp" else means[names.index(output.block)]


def read_stack(path: str | os.PathLike[str], root: str | os.PathLike[str] | None = None) -> StackFile:
    """Return a stack file with its floorplans, which lie below ``root``, else beside it. Errors: T501, T514."""
    parts = _StackParts()
    words = Words(path)
    while not words.done:
        _section(words, parts)
    return parts.finished(Path(root) if root is not None else Path(path).parent, words.last)


@dataclass(frozen=True, kw_only=True)
class _Sheet:
    """One layer of a die or a stack."""

    thickness: float
    material: Material
    source: bool = False


@dataclass(frozen=True, kw_only=True)
class _Placed:
    """An element of the stack: its sheets, and the floorplan of a die."""

    name: str
    sheets: tuple[_Sheet, ...]
    plan: str = ""
    where: Location | None = None


@dataclass
class _StackParts:
    """What the sections of a stack file have said so far."""

    materials: dict[str, Material] = field(default_factory=dict)
    layers: dict[str, _Sheet] = field(default_factory=dict)
    faces: dict[str, Face] = field(default_factory=dict)
    size: tuple[float, float, float, float] | None = None
    dies: dict[str, tuple[_Sheet, ...]] = field(default_factory=dict)
    placed: list[_Placed] = field(default_factory=list)
    start: float = 300.0
    steady: bool = True
    step: float | None = None
    slot: float | None = None
    asked: list[Asked] = field(default_factory=list)

    def finished(self, root: Path, last: Location | None) -> StackFile:
        """Return the stack file. Errors: T514 for a section that is missing."""
        if self.size is None or not any(source.plan for source in self.placed):
            raise wrong("the file lacks its dimensions or its stack", last)
        length, width, dx, dy = self.size
        layers, sources = [], {}
        for source in self.placed:
            for i, sheet in enumerate(source.sheets):
                label = (
                    f"{source.name} source"
                    if sheet.source
                    else f"{source.name} layer {i}"
                    if source.plan
                    else source.name
                )
                layers.append(
                    DieLayer(name=label, thickness=sheet.thickness, material=sheet.material, source=sheet.source)
                )
                if sheet.source:
                    sources[label] = read_floorplan(beneath(root, source.plan, source.where), length, width)
        stack = Stack(
            width=length,
            height=width,
            layers=tuple(layers),
            nodes="outer",
            top=self.faces.get("top"),
            bottom=self.faces.get("bottom"),
        )
        plans = {label: plan for label, (plan, _) in sources.items()}
        labels = {source.name: f"{source.name} source" if source.plan else source.name for source in self.placed}
        return StackFile(
            stack=stack,
            # _dimensions has made sure that cells fill the die
            shape=(round(width / dy), round(length / dx)),
            floorplans=plans,
            powers={label: watts for label, (_, watts) in sources.items()},
            outputs=tuple(request.found(labels, plans, self.size) for request in self.asked),
            start=self.start,
            steady=self.steady,
            step=self.step,
            slot=self.slot,
        )


def _section(words: Words, parts: _StackParts) -> None:
    """Read one section, told by its first word."""
    readers: dict[str, Callable[[Words, _StackParts], None]] = {
        "material": _material,
        "top": partial(_sink, "top"),
        "bottom": partial(_sink, "bottom"),
        "conventional": _conventional,
        "dimensions": _dimensions,
        "layer": _layer,
        "die": _die,
        "stack": _stack,
        "solver": _solver,
        "output": _output,
    }
    kind = words.peek()
    if kind in BEYOND:
        words.refuse(BEYOND[kind])
    words.take(*readers)
    readers[kind](words, parts)


def _material(words: Words, parts: _StackParts) -> None:
    name, values = words.take(), {}
    words.take(":")
    # per um and per um^3: dividing by the scale leads to SI
    for phrase, scale in (("thermal conductivity", UM), ("volumetric heat capacity", UM**3)):
        words.phrase(phrase)
        values[phrase] = words.number() / scale
        # 3D-ICE may state a conductivity for each axis; here it must be one
        while words.peek() == ",":  # along x, y and z
            words.take(",")
            if words.number() / scale != values[phrase]:
                words.refuse(f"material {name!r}: a conductivity that differs by axis")
        words.take(";")
    k, c = values.values()
    parts.materials[name] = Material(name=name, conductivity=k, heat_capacity=c)


def _sink(side: str, words: Words, parts: _StackParts) -> None:
    if words.peek() == "pluggable":
        words.refuse("a pluggable heat sink")
    words.phrase("heat sink :")
    _face(side, "temperature", words, parts)


def _conventional(words: Words, parts: _StackParts) -> None:
    """The heat sink of versions before 2, which cools the top."""
    words.phrase("heat sink :")
    _face("top", "ambient temperature", words, parts)


def _face(side: str, phrase: str, words: Words, parts: _StackParts) -> None:
    if words.peek() in ("sink", "spreader"):
        words.refuse("a heat sink with a spreader of its own size")
    words.phrase("heat transfer coefficient")
    coefficient = words.number() / UM**2
    words.phrase(f"; {phrase}")
    parts.faces[side] = Face(coefficient=coefficient, temperature=words.number())
    words.take(";")


def _dimensions(words: Words, parts: _StackParts) -> None:
    dimensions = []
    for what in (": chip", "cell"):
        words.phrase(f"{what} length")
        dimensions.append(words.number() * UM)
        words.phrase(", width")
        dimensions.append(words.number() * UM)
        words.take(";")
    if words.peek() == "non-uniform":
        words.take()
        if words.peek() in ("true", "1"):
            words.refuse("non-uniform: cells of several sizes")
        words.take("false", "0")
        words.take(";")
    length, width, dx, dy = dimensions
    # a grid that does not end at the die's edge would lose area, and power with it
    for size, step in ((length, dx), (width, dy)):
        if not (size > 0 and step > 0) or abs(size / step - round(size / step)) > 1e-6:
            raise wrong(f"cells of {step / UM:g} um do not fill {size / UM:g} um", words.last)
    parts.size = (length, width, dx, dy)


def _known_material(words: Words, parts: _StackParts) -> Material:
    name = words.take()
    if name not in parts.materials:
        raise wrong(f"no material {name!r}", words.last, f"there are {', '.join(parts.materials) or 'none'}")
    return parts.materials[name]


def _end(words: Words) -> None:
    """Take the end of a layer, which may name a file of materials instead."""
    if words.peek().startswith('"'):
        words.refuse("a layout of materials within a layer")
    words.take(";")


def _layer(words: Words, parts: _StackParts) -> None:
    """A layer that the stack names: its height and its material, in any order."""
    name, height, material = words.take(), None, None
    words.take(":")
    while words.peek() in ("height", "material") and (height is None or material is None):
        if words.take() == "height":
            height = words.number() * UM
        else:
            material = _known_material(words, parts)
        _end(words)
    if height is None or material is None:
        raise wrong(f"layer {name!r} needs a height and a material", words.last)
    parts.layers[name] = _Sheet(thickness=height, material=material)


def _die(words: Words, parts: _StackParts) -> None:
    name, sheets = words.take(), []
    words.take(":")
    while words.peek() in ("layer", "source"):
        source = words.take() == "source"
        thickness = words.number() * UM
        sheets.append(_Sheet(thickness=thickness, material=_known_material(words, parts), source=source))
        _end(words)
    # a die's power turns to heat in one sheet; several would leave open which has the floorplan
    if sum(sheet.source for sheet in sheets) != 1:
        raise wrong(f"die {name!r} must have one source layer", words.last)
    parts.dies[name] = tuple(sheets)


def _stack(words: Words, parts: _StackParts) -> None:
    words.take(":")
    while words.peek() in ("die", "layer", "channel"):
        if words.peek() == "channel":
            words.refuse("a channel in the stack")
        is_die, name = words.take() == "die", words.take()
        placed = _placed_die(name, words, parts) if is_die else _placed_layer(name, words, parts)
        if words.peek() == "discretization":
            words.refuse("a discretization: cells of several sizes")
        words.take(";")
        parts.placed.append(placed)


def _placed_die(name: str, words: Words, parts: _StackParts) -> _Placed:
    die = words.take()
    if die not in parts.dies:
        raise wrong(f"no die {die!r}", words.last, f"there are {', '.join(parts.dies) or 'none'}")
    words.take("floorplan")
    plan = words.take().strip('"')
    return _Placed(name=name, sheets=parts.dies[die], plan=plan, where=words.last)


def _placed_layer(name: str, words: Words, parts: _StackParts) -> _Placed:
    """A layer of its own: one that was described before, or a thickness and a material."""
    if words.peek() in parts.layers:
        sheet = parts.layers[words.take()]
    elif words.peek()[:1].isdigit() or words.peek()[:1] in (".", "+", "-"):
        thickness = words.number() * UM
        sheet = _Sheet(thickness=thickness, material=_known_material(words, parts))
    else:
        layer = words.take()
        raise wrong(f"no layer {layer!r}", words.last, f"there are {', '.join(parts.layers) or 'none'}")
    return _Placed(name=name, sheets=(sheet,), where=words.last)


def _solver(words: Words, parts: _StackParts) -> None:
    """Steady, or a transient with its steps and slots in s; how many processors 3D-ICE takes is its own matter."""
    words.take(":")
    parts.steady = words.take("steady", "transient") == "steady"
    if not parts.steady:
        words.take("step")
        parts.step = words.number()
        words.phrase(", slot")
        parts.slot = words.number()
        # power changes once a slot: a longer step would pass over one
        if not 0 < parts.step <= parts.slot:
            raise wrong(f"a step of {parts.step:g} s in slots of {parts.slot:g} s", words.last, "0 < step <= slot")
    words.take(";")
    words.phrase("initial temperature")
    parts.start = words.number()
    words.take(";")
    if words.peek() == "numofcores":
        words.take()
        words.number()
        words.take(";")


def _output(words: Words, parts: _StackParts) -> None:
    words.take(":")
    while not words.done:
        parts.asked.append(read_output(words))
