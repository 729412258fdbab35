"""A chip as data: how many of what, how fast, for how many joules, each number with a unit and a source."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from thermoc.simulator.chips.plausible import problems
from thermoc.simulator.data.quantities import TEXT, Quantities, read
from thermoc.support.announced import CHIPS, announced, loaded
from thermoc.support.errors import Finding, ThermocError, error
from thermoc.support.limits import TEXT_BYTES
from thermoc.support.loading import read_text
from thermoc.support.suggestions import near
from thermoc.support.toml_text import parse_toml

CROSSBAR = {
    "kind": TEXT,
    "clock.frequency": "Hz",
    **{f"mesh.{name}": "" for name in ("columns", "rows", "cores")},
    **{f"mesh.{name}": "m" for name in ("tile_width", "tile_height")},
    **{f"crossbar.{name}": "" for name in ("per_core", "rows", "columns", "arrays_a_sign")},
    **{f"crossbar.{name}": "bit" for name in ("cell_bits", "weight_bits")},
    "crossbar.read_time": "s",
    "crossbar.read_power": "W",
    "crossbar.write_time": "s",
    "crossbar.write_energy": "J",
    "crossbar.least_conductance": "S",
    "crossbar.most_conductance": "S",
    "crossbar.wire": "ohm",
    "crossbar.warming": "1/K",
    "crossbar.reference": "K",
    "crossbar.cell_resistance": "K/W",
    "crossbar.crosstalk": "",
    "input.bits": "bit",
    "input.dac_bits": "bit",
    "input.dac_power": "W",
    "input.pipeline": "",
    "adc.bits": "bit",
    "adc.rate": "Hz",
    "adc.conversion_energy": "J",
    "adc.per_core": "",
    "adc.cores_a_bank": "",
    "adc.shift_add_power": "W",
    "vector.lanes": "",
    "vector.power": "W",
    "buffer.size": "B",
    "buffer.latency": "",
    "buffer.width": "bit",
    "buffer.access_energy": "J",
    "network.flit": "bit",
    "network.flit_time": "s",
    **{f"network.hop_time_{axis}": "s" for axis in "xy"},
    **{f"network.hop_energy_{axis}": "J" for axis in "xy"},
    "leakage.tile_power": "W",
    "leakage.reference": "K",
    "leakage.fold": "K",
    "leakage.gated": "",
    "limit.temperature": "K",
    "die.active": "m",
    **{f"{sheet}.thickness": "m" for sheet in ("die", "bond", "spreader")},
    **{f"{sheet}.conductivity": "W/(m*K)" for sheet in ("die", "bond", "spreader")},
    **{f"{sheet}.heat_capacity": "J/(m^3*K)" for sheet in ("die", "bond", "spreader")},
    "package.resistance": "K/W",
    "package.capacity": "J/K",
    "package.ambient": "K",
}
OPTIONAL = {
    "sampler": {
        "sampler.device": TEXT,
        "sampler.units": "",
        "sampler.time": "s",
        "sampler.bias": "V",
        "sampler.resistance": "K/W",
        "sampler.capacity": "J/K",
        "sampler.crosstalk": "",
        "sampler.reference": "K",
        "sampler.coldest": "K",
        "sampler.hottest": "K",
    },
    "heater": {"heater.power": "W"},
}
SPIKING = {
    "kind": TEXT,
    **{f"mesh.{name}": "" for name in ("columns", "rows", "cores")},
    "core.units": "",
    **{f"network.hop_energy_{axis}": "J" for axis in "xy"},
    **{f"network.hop_time_{axis}": "s" for axis in "xy"},
    **{
        f"network.message_{way}_{what}": unit
        for way in ("out", "in")
        for what, unit in (("energy", "J"), ("time", "s"))
    },
    **{f"synapse.{kind}_{w}": u for kind in ("dense", "sparse", "conv") for w, u in (("energy", "J"), ("time", "s"))},
    **{f"soma.{kind}_{w}": u for kind in ("access", "update", "spike") for w, u in (("energy", "J"), ("time", "s"))},
    "barrier.tiles": "[]",
    "barrier.time": "s[]",
}
KINDS = {"crossbar": CROSSBAR, "spiking": SPIKING}


@dataclass(frozen=True)
class Chip:
    """One chip: ``chip["adc.rate"]`` is a number in SI; frozen. ``quantities`` tells source and how sure."""

    name: str
    kind: str
    quantities: Quantities

    def __getitem__(self, name: str) -> float:
        return self.quantities[name]

    def __contains__(self, name: str) -> bool:
        return name in self.quantities

    def whole(self, name: str) -> int:
        """Return a number that is a count."""
        # the data file's numbers are floats; plausible.py has refused counts that are not whole
        return round(self.quantities[name])

    @cached_property
    def tiles(self) -> int:
        """Number of tiles."""
        return self.whole("mesh.columns") * self.whole("mesh.rows")

    @cached_property
    def cores(self) -> int:
        """Number of cores; core c lies in tile c // (cores a tile), tile t in column t % columns."""
        return self.tiles * self.whole("mesh.cores")

    @cached_property
    def slices(self) -> int:
        """Arrays that hold one matrix: slices of its bits times arrays for the sign."""
        return math.ceil(self["crossbar.weight_bits"] / self["crossbar.cell_bits"]) * self.whole(
            "crossbar.arrays_a_sign"
        )

    @cached_property
    def reads(self) -> int:
        """Bit-serial reads of one product."""
        return math.ceil(self["input.bits"] / self["input.dac_bits"])

    def grid(self) -> tuple[int, int]:
        """Return how a tile's cores are laid out, (columns, rows), as square as can be."""
        cores = self.whole("mesh.cores")
        # the largest divisor up to the root: cores of a tile lie in full rows
        rows = max(k for k in range(1, math.isqrt(cores) + 1) if cores % k == 0)
        return cores // rows, rows

    def position(self, core: int) -> tuple[int, int]:
        """Return a core's column and row among all cores of the die."""
        # cores are numbered tile by tile, but the die is one raster over all tiles
        tile, inner = divmod(core, self.whole("mesh.cores"))
        (wide, high), columns = self.grid(), self.whole("mesh.columns")
        return tile % columns * wide + inner % wide, tile // columns * high + inner // wide


def names() -> tuple[str, ...]:
    """Return the chips that come with thermoc, and those of other packages (docs/plugins.md)."""
    folder = files("thermoc.simulator.chips")
    ours = sorted(p.name.removesuffix(".toml") for p in folder.iterdir() if p.name.endswith(".toml"))
    return (*ours, *(point.name for point in announced(CHIPS) if point.name not in ours))


def _file(name: str) -> Path:
    """Return the file of a chip by its name. Errors: T501 where a package has announced one that it does not hold."""
    # A package cannot replace a chip of ours by announcing its name.
    ours = Path(str(files("thermoc.simulator.chips").joinpath(f"{name}.toml")))
    packages = [] if ours.exists() else [package for point, package in loaded(CHIPS) if point.name == name]
    return Path(str(files(packages[0]).joinpath(f"{name}.toml"))) if packages else ours


def load_chip(chip: str | os.PathLike[str]) -> Chip:
    """Return a chip by name, or from a TOML file.

    Errors: T305 (no such chip), T501, T513 (a missing unit, an unknown key, ...), T515 (numbers that make no chip).
    """
    if not isinstance(chip, str | os.PathLike):
        raise error("T305", "a chip is a name or the path of a .toml file", notes=[f"chip = {chip!r}"])
    text = str(chip)
    # a name has no ending; all else is a path, so that a file may be called like a chip of ours
    if not text.endswith(".toml"):
        if text not in names():
            hint = near(text, names(), "or give the path of a .toml file")
            raise error("T305", f"there is no chip {text!r}", notes=[f"there are {', '.join(names())}"], hint=hint)
        return _chip(text, _file(text))
    return _chip(Path(text).stem, Path(text))


def _chip(name: str, path: Path) -> Chip:
    quantities = read(path, _expected(path))
    implausible = [*problems(quantities)]
    if implausible:
        # all that is wrong at once: a file that is being written has many mistakes, not one
        raise ThermocError(
            [Finding(code="T515", what=f"{path.name}: {what}", notes=(fact,)) for what, fact in implausible]
        )
    return Chip(name, quantities.text("kind"), quantities)


def _expected(path: Path) -> dict[str, str]:
    """Return what a file of this kind must hold; sections that a chip may lack are asked for where they stand."""
    # parsed once more for its kind alone: which names it must hold depends on it
    try:
        table = parse_toml(read_text(path, most=TEXT_BYTES), path.name)
    except ThermocError:
        return CROSSBAR  # the reader says what is wrong
    kind = table.get("kind", "crossbar")
    if not isinstance(kind, str) or kind not in KINDS:
        raise error(
            "T515", f"{path.name}: kind is {kind!r}", notes=[f"there are {', '.join(KINDS)}"], hint=near(kind, KINDS)
        )
    sections = [names for section, names in OPTIONAL.items() if section in table and kind == "crossbar"]
    return KINDS[kind] | {name: unit for part in sections for name, unit in part.items()}
