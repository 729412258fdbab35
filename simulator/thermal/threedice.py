"""3D-ICE's files: stacks of solid layers (.stk) and floorplans with power over time (.flp).

Lengths are in um, so conductivities are in W/(um K), capacities in J/(um^3 K), coefficients in W/(um^2 K); all leave
here in SI. Dies and layers are listed from the top. Microchannels, pin fins and pluggable sinks are refused.
An outermost layer whose outer face is adiabatic has its node on that face, as 3D-ICE has it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.thermal.floorplan import Block, Floorplan, Rectangle
from thermoc.simulator.thermal.stack import Face, Layer, Material, Stack
from thermoc.simulator.thermal.text import numbers, read_lines, wrong
from thermoc.support.errors import Location

UM = 1e-6
_TOKEN = re.compile(r'"[^"]*"|[:;,()]|[^\s:;,()"]+')


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A cell whose temperature the file asks for: its layer, and (row, column) on the grid."""

    layer: str
    cell: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class StackFile:
    """A stack on a grid, the floorplan and power (blocks, slots) in W of each source layer, and what is asked of it."""

    stack: Stack
    shape: tuple[int, int]
    floorplans: dict[str, Floorplan]
    powers: dict[str, NDArray]
    probes: tuple[Probe, ...]
    start: float
    steady: bool

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


def read_stack(path: str | os.PathLike[str], root: str | os.PathLike[str] | None = None) -> StackFile:
    """Return a stack file with its floorplans, which lie below ``root``, else beside it. Errors: T501, T514."""
    parts = _Parts()
    words = _Words(path)
    while not words.done:
        _section(words, parts)
    return parts.finished(Path(root) if root is not None else Path(path).parent, words.last)


def read_floorplan(path: str | os.PathLike[str], width: float, height: float) -> tuple[Floorplan, NDArray]:
    """Return a floorplan on a die of this size in m, and its powers (blocks, slots) in W. Errors: T501, T514."""
    words, blocks, powers = _Words(path), [], []
    while not words.done:
        block, watts = _block(words)
        blocks.append(block)
        powers.append(watts)
    lengths = {len(watts) for watts in powers}
    if len(lengths) != 1:
        raise wrong(f"{Path(path).name}: blocks have {sorted(lengths)} powers", words.last, "give all as many")
    return Floorplan(width=width, height=height, blocks=tuple(blocks)), np.array(powers)


class _Words:
    """The words of a file, one at a time, each with its place."""

    def __init__(self, path: str | os.PathLike[str]):
        self._words: list[tuple[Location, str]] = []
        inside = False
        for where, line in read_lines(path):
            text, inside = _without_comments(line, inside)
            self._words += [(where, word) for word in _TOKEN.findall(text)]
        self._at = 0
        self.last: Location | None = None

    @property
    def done(self) -> bool:
        """Whether none are left."""
        return self._at >= len(self._words)

    def peek(self) -> str:
        """Return the next word, '' at the end."""
        return "" if self.done else self._words[self._at][1]

    def take(self, *wanted: str) -> str:
        """Return the next word, which must be one of those wanted, if any are named. Errors: T514."""
        if self.done:
            raise wrong(f"the file ends where {_either(wanted) or 'a word'} should stand", self.last)
        self.last, word = self._words[self._at]
        if wanted and word not in wanted:
            raise wrong(f"{word!r} stands where {_either(wanted)} should", self.last)
        self._at += 1
        return word

    def number(self) -> float:
        """Return the next word as a number. Errors: T514."""
        word = self.take()
        assert self.last is not None
        return numbers([word], self.last)[0]

    def phrase(self, text: str) -> None:
        """Take the words of a text one by one."""
        for word in text.split():
            self.take(word)


@dataclass
class _Parts:
    """What the sections of a stack file have said so far."""

    materials: dict[str, Material] = field(default_factory=dict)
    faces: dict[str, Face] = field(default_factory=dict)
    size: tuple[float, float, float, float] | None = None
    dies: dict[str, list[tuple[bool, float, Material]]] = field(default_factory=dict)
    placed: list[tuple[str, str, str, Location | None]] = field(default_factory=list)
    start: float = 300.0
    steady: bool = True
    asked: list[tuple[str, float, float, Location | None]] = field(default_factory=list)

    def finished(self, root: Path, last: Location | None) -> StackFile:
        """Return the whole. Errors: T514 for a section that is missing."""
        if self.size is None or not self.placed:
            raise wrong("the file lacks its dimensions or its stack", last)
        length, width, dx, dy = self.size
        layers, sources = [], {}
        for name, die, plan, _ in self.placed:
            for i, (source, thickness, material) in enumerate(self.dies[die]):
                label = f"{name} source" if source else f"{name} layer {i}"
                layers.append(Layer(name=label, thickness=thickness, material=material, source=source))
                if source:
                    sources[label] = read_floorplan(root / plan, length, width)
        stack = Stack(
            width=length,
            height=width,
            layers=tuple(layers),
            nodes="outer",
            top=self.faces.get("top"),
            bottom=self.faces.get("bottom"),
        )
        shape = (round(width / dy), round(length / dx))
        return StackFile(
            stack=stack,
            shape=shape,
            floorplans={label: plan for label, (plan, _) in sources.items()},
            powers={label: watts for label, (_, watts) in sources.items()},
            probes=tuple(self._probe(*one, shape) for one in self.asked),
            start=self.start,
            steady=self.steady,
        )

    def _probe(self, name: str, x: float, y: float, where: Location | None, shape: tuple[int, int]) -> Probe:
        assert self.size is not None
        length, width, dx, dy = self.size
        if name not in {placed[0] for placed in self.placed}:
            raise wrong(f"no die {name!r} is in the stack", where)
        if not (0 <= x <= length and 0 <= y <= width):
            raise wrong("the point lies outside the die", where)
        ny, nx = shape
        cell = min(int(y / dy + 1e-9), ny - 1), min(int(x / dx + 1e-9), nx - 1)
        return Probe(layer=f"{name} source", cell=cell)


def _section(words: _Words, parts: _Parts) -> None:
    """Read one section, told by its first word."""
    readers: dict[str, Callable[[_Words, _Parts], None]] = {
        "material": _material,
        "top": partial(_sink, "top"),
        "bottom": partial(_sink, "bottom"),
        "dimensions": _dimensions,
        "die": _die,
        "stack": _stack,
        "solver": _solver,
        "output": _output,
    }
    kind = words.peek()
    words.take(*readers)
    readers[kind](words, parts)


def _material(words: _Words, parts: _Parts) -> None:
    name, values = words.take(), {}
    words.take(":")
    for phrase, scale in (("thermal conductivity", UM), ("volumetric heat capacity", UM**3)):
        words.phrase(phrase)
        values[phrase] = words.number() / scale
        words.take(";")
    k, c = values.values()
    parts.materials[name] = Material(name=name, conductivity=k, heat_capacity=c)


def _sink(side: str, words: _Words, parts: _Parts) -> None:
    words.phrase("heat sink : heat transfer coefficient")
    coefficient = words.number() / UM**2
    words.phrase("; temperature")
    parts.faces[side] = Face(coefficient=coefficient, temperature=words.number())
    words.take(";")


def _dimensions(words: _Words, parts: _Parts) -> None:
    found = []
    for what in (": chip", "cell"):
        words.phrase(f"{what} length")
        found.append(words.number() * UM)
        words.phrase(", width")
        found.append(words.number() * UM)
        words.take(";")
    length, width, dx, dy = found
    for size, step in ((length, dx), (width, dy)):
        if not (size > 0 and step > 0) or abs(size / step - round(size / step)) > 1e-6:
            raise wrong(f"cells of {step / UM:g} um do not fill {size / UM:g} um", words.last)
    parts.size = (length, width, dx, dy)


def _die(words: _Words, parts: _Parts) -> None:
    name, layers = words.take(), []
    words.take(":")
    while words.peek() in ("layer", "source"):
        source, thickness, material = words.take() == "source", words.number() * UM, words.take()
        if material not in parts.materials:
            raise wrong(f"no material {material!r}", words.last)
        words.take(";")
        layers.append((source, thickness, parts.materials[material]))
    if sum(source for source, _, _ in layers) != 1:
        raise wrong(f"die {name!r} must have one source layer", words.last)
    parts.dies[name] = layers


def _stack(words: _Words, parts: _Parts) -> None:
    words.take(":")
    while words.peek() == "die":
        words.take("die")
        name, die = words.take(), words.take()
        if die not in parts.dies:
            raise wrong(f"no die {die!r}", words.last)
        words.take("floorplan")
        parts.placed.append((name, die, words.take().strip('"'), words.last))
        words.take(";")


def _solver(words: _Words, parts: _Parts) -> None:
    words.take(":")
    parts.steady = words.take("steady", "transient") == "steady"
    while words.take() != ";":
        pass
    words.phrase("initial temperature")
    parts.start = words.number()
    words.take(";")


def _output(words: _Words, parts: _Parts) -> None:
    words.take(":")
    while not words.done:
        words.phrase("T (")
        name = words.take()
        words.take(",")
        x = words.number() * UM
        words.take(",")
        y = words.number() * UM
        parts.asked.append((name, x, y, words.last))
        while words.take() != ";":
            pass


def _block(words: _Words) -> tuple[Block, list[float]]:
    name = words.take()
    where = words.last
    words.take(":")
    rectangles = [_rectangle(words)]
    while words.peek() in ("position", "rectangle"):
        rectangles.append(_rectangle(words))
    words.phrase("power values")
    watts = [words.number()]
    while words.take(",", ";") == ",":
        watts.append(words.number())
    return Block(name=name, rectangles=tuple(rectangles), where=where), watts


def _rectangle(words: _Words) -> Rectangle:
    if words.take("position", "rectangle") == "rectangle":
        x, y, w, h = (_after(words, mark) for mark in ("(", ",", ",", ","))
        words.phrase(") ;")
    else:
        x, y = words.number(), _after(words, ",")
        words.phrase("; dimension")
        w, h = words.number(), _after(words, ",")
        words.take(";")
    return Rectangle(x * UM, y * UM, w * UM, h * UM)


def _after(words: _Words, mark: str) -> float:
    words.take(mark)
    return words.number()


def _without_comments(line: str, inside: bool) -> tuple[str, bool]:
    """Return a line without // and /* */ comments, and whether the latter goes on."""
    kept = ""
    while line:
        if inside:
            _, end, line = line.partition("*/")
            inside = not end
        else:
            found = re.search(r"//|/\*", line)
            if found is None:
                return kept + line, False
            kept += line[: found.start()] + " "
            line = "" if found.group() == "//" else line[found.end() :]
            inside = found.group() == "/*"
    return kept, inside


def _either(words: tuple[str, ...]) -> str:
    return " or ".join(repr(word) for word in words)
