"""What a 3D-ICE file asks for: temperatures of cells, maps, blocks, powers, each at some times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from thermoc.simulator.thermal.floorplan import Floorplan
from thermoc.simulator.thermal.text import numbers, undone, wrong
from thermoc.simulator.thermal.threedice_words import Words
from thermoc.support.errors import Location

UM = 1e-6
KINDS = ("T", "Tmap", "Tflp", "Tflpel", "Pmap", "T3d")
BEYOND = ("Tcoolant", "Tchannel")
WHEN = ("step", "slot", "final")
OF = ("average", "maximum", "minimum")
Size = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class OutputRequest:
    """One line of output, with ``layer`` by the stack's name for it.

    kind: T (a ``cell``, its row and column), Tmap, Tflp (all blocks), Tflpel (one ``block``), Pmap (W), T3d. of: what
    is taken over a block. when: after each step, each slot, or at the end. path: the file that 3D-ICE would write.
    """

    kind: str
    path: str
    when: str
    layer: str = ""
    block: str = ""
    of: str = ""
    cell: tuple[int, int] = (0, 0)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A line of output before the stack is known: ``words`` are what stands between its brackets, part by part."""

    kind: str
    words: tuple[str, ...]
    where: Location | None

    def found(self, labels: Mapping[str, str], plans: Mapping[str, Floorplan], size: Size) -> OutputRequest:
        """Return the output in a stack. Errors: T514."""
        words, when = list(self.words), "final"
        if words and words[-1] in WHEN:
            when = words.pop()
        # the last words are optional and come in this order, so they are taken from the end
        of = words.pop() if self.kind in ("Tflp", "Tflpel") and words and words[-1] in OF else "average"
        files = [word for word in words if word.startswith('"')]
        words = [word for word in words if not word.startswith('"')]
        expected = {"T": 3, "T3d": 0}.get(self.kind, 1)
        if len(files) != 1 or len(words) != expected:
            hint = f'{self.kind} ({"element, " if expected else ""}{"x, y, " if expected == 3 else ""}"file", when)'
            raise wrong(f"{self.kind} asks for {', '.join(self.words)}", self.where, hint)
        about: dict[str, Any] = {"kind": self.kind, "path": files[0].strip('"'), "when": when}
        if self.kind == "T3d":
            return OutputRequest(**about)
        name, _, block = words[0].partition(".") if self.kind == "Tflpel" else (words[0], "", "")
        if name not in labels:
            raise wrong(f"no {name!r} is in the stack", self.where, f"there are {', '.join(labels)}")
        about["layer"] = label = labels[name]
        if self.kind in ("Tflp", "Tflpel"):
            if label not in plans:
                raise wrong(f"{name!r} has no floorplan", self.where)
            if self.kind == "Tflpel" and block not in plans[label].names:
                raise wrong(f"the floorplan of {name!r} has no block {block!r}", self.where)
            return OutputRequest(**about, block=block, of=of)
        if self.kind == "T":
            return OutputRequest(**about, cell=self._cell(words[1:], size))
        return OutputRequest(**about)

    def _cell(self, words: list[str], size: Size) -> tuple[int, int]:
        length, width, dx, dy = size
        assert self.where is not None
        x, y = (value * UM for value in numbers(words, self.where))
        if not (0 <= x <= length and 0 <= y <= width):
            raise wrong("the point lies outside the die", self.where)
        ny, nx = round(width / dy), round(length / dx)
        # a point on a line of the grid lies in the cell beyond it, and one on the far edge in the last
        return min(int(y / dy + 1e-9), ny - 1), min(int(x / dx + 1e-9), nx - 1)


def read_output(words: Words) -> Asked:
    """Return the next line of output. Errors: T514, T507 (coolants)."""
    if words.peek() in BEYOND:
        words.refuse(f"{words.peek()}: temperatures of a coolant")
    kind = words.take(*KINDS)
    where = words.last
    words.take("(")
    parts = " ".join(words.until(")"))
    words.take(";")
    listed = tuple(column.strip() for column in parts.split(","))
    if kind in ("Tmap", "Tflp", "Pmap") and any(column in ("coolant", "channel") for column in listed):
        raise undone("temperatures of a coolant", where)
    return Asked(kind=kind, words=listed, where=where)


def blockwise(T: NDArray, weights: sparse.csr_array, of: str) -> NDArray:
    """Return the mean, greatest or least temperature over each block, (blocks,), of a map (ny, nx)."""
    if of == "average":
        return weights @ T.ravel()
    cells = np.split(weights.indices, weights.indptr[1:-1])
    # extremes over every cell that the block touches: a weight has no meaning for them
    pick = np.max if of == "maximum" else np.min
    return np.array([pick(T.ravel()[inside]) for inside in cells])
