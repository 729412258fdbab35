"""HotSpot's layer files (.lcf): the layers of a stack of dies, each with its floorplan; and the lines of its files.

A layer is seven lines (or six, where a material's name stands for the two numbers): its number, whether heat flows
along it, whether it takes power, heat capacity in J/(m^3 K), resistivity in m K/W, thickness in m, and its floorplan.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from thermoc.simulator.thermal.stack import DieLayer, Material
from thermoc.simulator.thermal.text import beneath, numbers, read_lines, undone, wrong
from thermoc.support.errors import Location, error

MOST_LAYERS = 1000


@dataclass(frozen=True, kw_only=True)
class LayerRow:
    """One layer of a file: numbers in SI, or the name of a material; ``plan`` is the path of its floorplan."""

    number: int
    source: bool
    capacity: float
    conductivity: float
    material: str
    thickness: float
    plan: Path
    where: Location

    @property
    def name(self) -> str:
        """What the layer is called in the stack."""
        return f"layer {self.number}"

    def layer(self, lumping: float, materials: Mapping[str, Material]) -> DieLayer:
        """Return the stack's layer, its capacity times HotSpot's factor. Errors: T514 for an unknown material."""
        k, c = self.conductivity, self.capacity
        if self.material:
            if self.material not in materials:
                hint = f"known are {', '.join(materials) or 'none: give materials=read_materials(path)'}"
                raise wrong(f"no material {self.material!r}", self.where, hint)
            k, c = materials[self.material].conductivity, materials[self.material].heat_capacity
        material = Material(name=self.name, conductivity=k, heat_capacity=lumping * c)
        return DieLayer(name=self.name, thickness=self.thickness, material=material, source=self.source)


def read_layers(path: str | os.PathLike[str], root: str | os.PathLike[str] | None = None) -> tuple[LayerRow, ...]:
    """Return the layers of a file, whose floorplans lie below ``root``, else beside it.

    Errors: T501, T504, T514 with the line, T507 (a layer along which no heat flows, microchannels).
    """
    folder = Path(root) if root is not None else Path(path).parent
    lines = list(rows_of(path))
    if len(lines) > 7 * MOST_LAYERS:
        notes = [f"{len(lines)} lines", f"at most {MOST_LAYERS} layers"]
        raise error("T504", f"{Path(path).name} holds too many layers", notes=notes)
    rows: list[LayerRow] = []
    while lines:
        row, consumed = _layer(lines, folder)
        # counted from the sink's far side; a gap would be a layer lost
        if row.number != len(rows):
            raise wrong(f"layer {row.number} stands where {len(rows)} should", row.where, "number layers from 0 on")
        rows.append(row)
        lines = lines[consumed:]
    if not rows:
        raise wrong(f"{Path(path).name} holds no layer", None)
    return tuple(rows)


def _layer(lines: list[tuple[Location, list[str]]], folder: Path) -> tuple[LayerRow, int]:
    """Return the first layer and how many lines it takes."""
    first = lines[0][0]
    # the fourth line tells: a material's name stands there in place of capacity and resistivity
    named = len(lines) > 3 and not _is_number(lines[3][1][0])
    size = 6 if named else 7
    if len(lines) < size:
        raise wrong(
            "the layer is cut short", first, "number, Y or N, Y or N, capacity, resistivity, thickness, floorplan"
        )
    for where, words in lines[:size]:
        if len(words) != 1:
            raise wrong(f"a line of a layer holds one word, this {len(words)}", where)
    words = [line[1][0] for line in lines[:size]]
    number = numbers(words[:1], first)[0]
    if number != int(number):
        raise wrong(f"a layer has the number {words[0]}", first)
    lateral, power = (_yes(word, where) for where, (word,) in lines[1:3])
    if not lateral:
        raise undone("a layer along which no heat flows", lines[1][0])
    where, plan = lines[size - 1][0], words[-1]
    if plan.endswith(".csv"):
        raise undone("a layer of microchannels", where)
    # stand-ins that are never used: ``layer`` puts the material's numbers in their place
    capacity, resistivity = (1.0, 1.0) if named else numbers(words[3:5], lines[3][0])
    (thickness,) = numbers(words[-2:-1], lines[size - 2][0])
    if not (capacity > 0 and resistivity > 0 and thickness > 0):
        raise wrong("a layer's capacity, resistivity and thickness must be above 0", lines[3][0])
    row = LayerRow(
        number=int(number),
        source=power,
        capacity=capacity,
        # the file states resistivity, in m K/W
        conductivity=1 / resistivity,
        material=words[3] if named else "",
        thickness=thickness,
        plan=beneath(folder, plan, where),
        where=first,
    )
    return row, size


def _yes(word: str, where: Location) -> bool:
    if word.upper() not in ("Y", "N"):
        raise wrong(f"{word!r} stands where Y or N should", where)
    return word.upper() == "Y"


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def rows_of(path: str | os.PathLike[str]) -> Iterator[tuple[Location, list[str]]]:
    """Yield the words of each line that is not empty; a word that begins with # begins a comment."""
    for where, line in read_lines(path):
        words = line.split()
        # a word may hold # within: only one that begins with it starts a comment
        comment = next((k for k, word in enumerate(words) if word.startswith("#")), len(words))
        if words[:comment]:
            yield where, words[:comment]
