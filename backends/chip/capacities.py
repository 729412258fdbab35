"""How much a crossbar chip holds: what fits on a core, where cores lie, and what its arrays of cells are like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from thermoc.passes.crossbar.spec import CrossbarSpec
from thermoc.simulator.chips import Chip
from thermoc.support.errors import error

SOURCES = {
    "arrays": "crossbar.per_core",
    "p-bits": "sampler.units",
    "cores": "mesh.cores",
    "buffer": "buffer.size",
}
"""The entry of a chip's file that states each limit, and with it the limit's source."""


@dataclass(frozen=True, kw_only=True)
class Capacities:
    """A mesh of tiles of cores. matrices: of how many weights' arrays a core holds; each takes ``arrays`` arrays.

    samplers: p-bits a core, 0 where there are none, each a ``device``. buffer: bytes that a tile may keep messages in.
    sources: where each limit comes from. A core's position is its column and row on the die.
    """

    name: str
    columns: int
    rows: int
    cores_a_tile: int
    matrices: int
    arrays: int
    array_rows: int
    array_columns: int
    samplers: int
    device: str
    buffer: int
    value_bytes: int
    positions: tuple[tuple[int, int], ...]
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def cores(self) -> int:
        """Number of cores."""
        return self.columns * self.rows * self.cores_a_tile

    @cached_property
    def tile_of(self) -> NDArray[np.int64]:
        """Column and row of each core's tile, (cores, 2)."""
        tile = np.arange(self.cores) // self.cores_a_tile
        return np.stack([tile % self.columns, tile // self.columns], axis=1)

    @cached_property
    def hops(self) -> NDArray[np.int64]:
        """Links between the tiles of each pair of cores, (cores, cores)."""
        # Messages go along x, then along y, so the distance is Manhattan's.
        return np.abs(self.tile_of[:, None] - self.tile_of[None]).sum(axis=2)

    def source(self, limit: str) -> list[str]:
        """Return the note of an error that says whose limit it is."""
        return [f"the limit is from: {self.sources[limit]}"] if limit in self.sources else []


def capacities_of(chip: Chip) -> Capacities:
    """Return what a chip holds. Errors: T305 for one without crossbars, T515 where a core holds no matrix."""
    if chip.kind != "crossbar":
        hint = "take thermo-1, isaac or puma; thermoc.simulator.machine.spikes accounts for spiking runs"
        raise error("T305", f"chip {chip.name!r} has no crossbars", notes=[f"it is a {chip.kind} chip"], hint=hint)
    # A weight has more bits than a cell, and a sign: a matrix takes arrays for each slice and sign.
    matrices = chip.whole("crossbar.per_core") // chip.slices
    if matrices < 1:
        notes = [f"a matrix of weights takes {chip.slices} arrays", f"a core has {chip.whole('crossbar.per_core')}"]
        raise error("T515", f"a core of chip {chip.name!r} holds no matrix", notes=notes)
    return Capacities(
        name=chip.name,
        columns=chip.whole("mesh.columns"),
        rows=chip.whole("mesh.rows"),
        cores_a_tile=chip.whole("mesh.cores"),
        matrices=matrices,
        arrays=chip.slices,
        array_rows=chip.whole("crossbar.rows"),
        array_columns=chip.whole("crossbar.columns"),
        samplers=chip.whole("sampler.units") if "sampler.units" in chip else 0,
        device=chip.quantities.text("sampler.device") if "sampler.units" in chip else "",
        buffer=chip.whole("buffer.size"),
        value_bytes=max(1, round(chip["input.bits"] / 8)),
        positions=tuple(chip.position(core) for core in range(chip.cores)),
        sources={limit: chip.quantities.quantity(name).source for limit, name in SOURCES.items() if name in chip},
    )


def crossbars_of(chip: Chip) -> CrossbarSpec:
    """Return the arrays, cells and converters of a chip, as ``map-crossbars`` takes them. Errors: T208."""
    return CrossbarSpec(
        rows=chip.whole("crossbar.rows"),
        columns=chip.whole("crossbar.columns"),
        cell_bits=chip.whole("crossbar.cell_bits"),
        weight_bits=chip.whole("crossbar.weight_bits"),
        input_bits=chip.whole("input.bits"),
        dac_bits=chip.whole("input.dac_bits"),
        adc_bits=chip.whole("adc.bits"),
        g_min=chip["crossbar.least_conductance"],
        g_max=chip["crossbar.most_conductance"],
        # A chip's file has one resistance for the wires of rows and of columns.
        r_word=chip["crossbar.wire"],
        r_bit=chip["crossbar.wire"],
        arrays_a_sign=chip.whole("crossbar.arrays_a_sign"),
    )
