"""How Lava's processes lay out the states of a graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

BUFFERS = ("buffer", "a_buf", "a_buff")
"""A synapse's, by who has it: ours, Lava's Conv, Lava's Dense and Sparse."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A state (batch, *shape) of the graph as the variable of a process, in a file that is mapped into memory."""

    variable: str
    array: NDArray
    batch: int
    shape: tuple[int, ...]

    def read(self) -> NDArray:
        """Return the state."""
        return np.array(self._by_sample(), np.int32).reshape(self.batch, *self.shape)

    def write(self, state: NDArray) -> None:
        """Replace the state."""
        by_sample = self._by_sample()
        by_sample[...] = state.reshape(by_sample.shape)

    def _by_sample(self) -> NDArray:
        """Return a view of the variable, samples first; a synapse's with what arrives first in front."""
        array, batch = self.array, self.batch
        if self.variable == "buffer":  # (ticks, batch units)
            return array.reshape(len(array), batch, -1).swapaxes(0, 1)
        if self.variable == "a_buf":  # (height, width, batch channels)
            height, width, _ = array.shape
            return array.reshape(height, width, batch, -1).transpose(2, 3, 0, 1)
        if array.ndim > 1:  # (batch units, ticks)
            return array.reshape(batch, -1, array.shape[-1]).swapaxes(1, 2)
        return array.reshape(batch, -1)


def stored(entries: Iterable[Mapping[str, Any]], folder: Path, batch: int) -> dict[str, Stored]:
    """Return where each state stands; ``entries`` are those of the manifest, files those of the processes."""
    places: dict[str, Stored] = {}
    for entry in entries:
        names = BUFFERS if entry["variable"] == "buffer" else (entry["variable"],)
        files = {name: folder / f"state.{entry['process']}.{name}.npy" for name in names}
        variable = next(name for name in names if files[name].exists())
        array = np.load(files[variable], mmap_mode="r+")
        places[entry["state"]] = Stored(variable=variable, array=array, batch=batch, shape=tuple(entry["shape"]))
    return places
