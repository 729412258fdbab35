"""Chips to test with, and what they do worked out a second time: by hand sums, closed forms and finite volumes.

``FiniteVolumes`` is a chip's die with one volume a core and layer, written from the layers' numbers alone. Core c lies in tile c // (cores a tile), tiles row by row, and its cores row by row within it. Heat flows between the
middles of neighbouring volumes, and from the lowest into a heat sink of one temperature and through it to the air.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from scipy import linalg

from thermoc.simulator.chips import Chip, load_chip
from thermoc.simulator.machine import ChipOp, ChipProgram, assemble
from thermoc.simulator.machine.electrothermal import ElectroThermal
from thermoc.simulator.machine.heat_state import Load
from thermoc.simulator.machine.instructions import PICO
from thermoc.simulator.machine.pulses import Pulses

SHEETS = (
    ("die", "die.active"),
    ("die", "die.thickness"),
    ("bond", "bond.thickness"),
    ("spreader", "spreader.thickness"),
)


class FiniteVolumes:
    """Conductances (n, n) and capacities (n,) of a chip's volumes, layer by layer, row by row; the sink is the last."""

    def __init__(self, chip, wide, high):
        """Take a chip whose tiles have wide x high cores."""
        self.chip = chip
        tiles = np.arange(chip.cores) // (wide * high)
        inner, across = np.arange(chip.cores) % (wide * high), round(chip["mesh.columns"])
        self.column, self.row = tiles % across * wide + inner % wide, tiles // across * high + inner // wide
        self.columns, self.rows = across * wide, round(chip["mesh.rows"]) * high
        self.dx, self.dy = chip["mesh.tile_width"] / wide, chip["mesh.tile_height"] / high
        n = self.columns * self.rows
        self.core = self.row * self.columns + self.column  # of the uppermost layer
        self.K, self.C = np.zeros((4 * n + 1, 4 * n + 1)), np.zeros(4 * n + 1)
        for layer, (name, thickness) in enumerate(SHEETS):
            self.sheet(layer * n, chip[f"{name}.conductivity"], chip[f"{name}.heat_capacity"], chip[thickness])
        for layer in range(4):
            self.below(layer * n, n, layer == 3)
        self.C[-1] = chip["package.capacity"]
        self.K[-1, -1] += 1 / chip["package.resistance"]

    def sheet(self, first, k, c, t):
        """Join the volumes of one layer to their neighbours in the plane."""
        self.C[first : first + self.rows * self.columns] = c * t * self.dx * self.dy
        for j in range(self.rows):
            for i in range(self.columns):
                here = first + j * self.columns + i
                if i + 1 < self.columns:
                    self.join(here, here + 1, k * t * self.dy / self.dx)
                if j + 1 < self.rows:
                    self.join(here, here + self.columns, k * t * self.dx / self.dy)

    def below(self, first, n, last):
        """Join the volumes of one layer to those below, or to the sink."""
        half = [self.chip[thickness] / 2 / self.chip[f"{name}.conductivity"] for name, thickness in SHEETS]
        layer, area = first // n, self.dx * self.dy
        for here in range(first, first + n):
            if last:
                self.join(here, 4 * n, area / half[layer])
            else:
                self.join(here, here + n, area / (half[layer] + half[layer + 1]))

    def join(self, a, b, g):
        self.K[a, a] += g
        self.K[b, b] += g
        self.K[a, b] -= g
        self.K[b, a] -= g

    def spread(self, watts):
        """Return the power of every volume for watts of cores."""
        whole = np.zeros(len(self.C))
        whole[self.core] = watts
        return whole

    def rise(self, watts):
        """Return the steady rises of cores, K."""
        return np.linalg.solve(self.K, self.spread(watts))[self.core]

    def courses(self, watts, slot):
        """Return the rises of cores at the start and after each slot of constant watts (slots, cores), from cold."""
        A = -self.K / self.C[:, None]
        step, now, found = linalg.expm(A * slot), np.zeros(len(self.C)), [np.zeros(len(self.core))]
        for given in watts:
            rest = np.linalg.solve(self.K, self.spread(given))
            now = rest + step @ (now - rest)
            found.append(now[self.core])
        return np.array(found)


TEXT = files("thermoc.simulator.chips").joinpath("thermo-1.toml").read_text()


def chip(folder: Path, **changes: str) -> Chip:
    """Return thermo-1 with some values replaced, by section__name="value"."""
    text = TEXT
    for name, value in changes.items():
        section, key = name.split("__")
        head, rest = text.split(f"[{section}]\n", 1)
        line = next(line for line in rest.splitlines() if line.startswith(f"{key} ="))
        text = f"{head}[{section}]\n" + rest.replace(
            line, f"{key} = {{ value = {value}, unit{line.split('unit', 1)[1]}", 1
        )
    path = folder / "changed.toml"
    path.write_text(text)
    return load_chip(path)


def worked(chip: Chip, slots: int, slot: float, units: float, duty: float, each: int = 1) -> Pulses:
    """Return units on every core that are worked for a share of every ``each`` slots, from their start on."""
    cores, size = chip.cores, round(slot * each * PICO)
    count = slots // each if units else 0
    begin = np.tile(np.arange(count) * size, cores)
    keys = np.zeros((cores if units else 0, 4), np.int64)
    keys[:, 0] = np.arange(len(keys))
    return Pulses(
        keys=keys,
        units=np.full(len(keys), units).astype(np.int64),
        first=np.arange(len(keys) + 1) * count,
        begin=begin,
        end=begin + round(duty * size),
    )


def load(chip: Chip, slots: int, slot: float = 1e-6, **given: Any) -> Load:
    """Return a load of noughts but for what is given."""
    full = {"power": 0.0, "target": 0.0, "units": 0, "duty": 1.0, "awake": True} | given
    found = worked(chip, slots, slot, full["units"], full["duty"], given.get("each", 1))
    return Load(
        edges=np.rint(np.arange(slots + 1) * slot * PICO).astype(np.int64),
        pulses=found,
        power=np.broadcast_to(full["power"], (slots, chip.cores)).astype(float),
        target=np.full(len(found.begin), full["target"]),
        awake=np.broadcast_to(full["awake"], chip.cores),
    )


ONE = {"mesh__columns": "1", "mesh__rows": "1", "mesh__cores": "1", "adc__cores_a_bank": "1"}


def one_unit(folder: Path, *, heater: str = "0", **changes: str) -> ElectroThermal:
    """Return a chip of one core without leakage."""
    return ElectroThermal(chip(folder, **ONE, leakage__tile_power="0", heater__power=heater, **changes))


def stacked(c: Chip) -> float:
    """K/W from the middle of one core's heated sheet to the air, in closed form: sheets in series, then the package."""
    sheets = (("die", c["die.active"] / 2), *((name, c[f"{name}.thickness"]) for name in ("die", "bond", "spreader")))
    area = c["mesh.tile_width"] * c["mesh.tile_height"]
    return sum(depth / c[f"{name}.conductivity"] for name, depth in sheets) / area + c["package.resistance"]


def conduct(v: float, T: float) -> float:
    """The current of NBO2-REF-1, 3-D Poole-Frenkel: its memristor without the resistance behind it."""
    kT = 1.380649e-23 * T
    eV = 1.602176634e-19
    x = 1.13e-5 * eV * np.sqrt(v / 20e-9) / kT
    return 3e4 * 1e-14 / 20e-9 * np.exp(-0.21 * eV / kT) * ((1 + (x - 1) * np.exp(x)) / x**2 + 0.5) * v


def behind(u: float, T: float) -> tuple[float, float]:
    """Return voltage and current of NBO2-REF-1 behind its 500 ohm, by bisection."""
    low, high, v = 0.0, u, u
    for _ in range(80):
        v = 0.5 * (low + high)
        low, high = (low, v) if v + 500 * conduct(v, T) > u else (v, high)
    return v, conduct(v, T)


def hot(folder: Path) -> str:
    """thermo-1 without heaters and calibrated at 300 K, in air of 360 K: p-bits are 60 K too warm, and some."""
    text = TEXT
    for old, new in (
        ("ambient = { value = 300", "ambient = { value = 360"),
        ("reference = { value = 305", "reference = { value = 300"),
        ("coldest = { value = 305", "coldest = { value = 300"),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "hot.toml").write_text(text)
    return str(folder / "hot.toml")


def streams(**cores: list[tuple[int, ...]]) -> list[tuple[list, list]]:
    last = max(int(name[1:]) for name in cores)
    return [([], cores.get(f"c{k}", [])) for k in range(last + 1)]


def three_tiles() -> ChipProgram:
    """Tiles 0, 1, 2 in a row: 0 and 1 both send to 2, and meet on the link from 1 to 2."""
    return assemble(
        "three",
        "thermo-1",
        streams(
            c0=[(ChipOp.VOP, 0, 80, 1), (ChipOp.SEND, 0, 8, 0, 64)],
            c4=[(ChipOp.VOP, 1, 96, 1), (ChipOp.SEND, 1, 8, 0, 32)],
            c8=[(ChipOp.RECV, 1, 4, 0, 32), (ChipOp.RECV, 0, 0, 0, 64), (ChipOp.VOP, 2, 8, 1)],
        ),
        ("near", "far", "sum"),
    )


def printed(program) -> Iterator[tuple[int, bool, str, dict[str, int], str]]:
    """Yield (core, whether it runs once, name, operands, op) of every line that the program prints."""
    core, once = -1, True
    for line in str(program).splitlines()[1:]:
        if line.startswith("core"):
            core, once = int(line[5:-1]), True
        elif line == "  tick:":
            once = False
        else:
            what, _, op = line.partition("  ; ")
            name, *fields = what.split()
            yield core, once, name, {key: int(value) for key, value in (f.split("=") for f in fields)}, op


def spot(core: int) -> tuple[int, int]:
    return core // 4 % 8, core // 4 // 8


def by_hand(core: int, name: str, f: dict[str, int], c: Chip) -> dict[str, float]:
    """Joules by component of one instruction on thermo-1, from what its numbers mean."""
    port = lambda size: -(-8 * size // 256) * c["buffer.access_energy"]  # noqa: E731
    if name == "PROG":
        return {"program": f["cells"] * 1.29e-12}
    if name == "SETIN":
        return {"buffer": port(f["values"])}
    if name in ("LD", "ST", "RECV"):
        return {"buffer": port(f["bytes"])}
    if name == "MVM":
        reads = 8 * f["times"] * f["arrays"]
        share = reads * 100e-9 * f["rows"] / 128
        adc = reads * f["columns"] * 2e-3 / 1.28e9
        return {"array": share * 0.3e-3, "dac": share * 0.5e-3, "adc": adc, "shift-add": reads * 100e-9 * 0.025e-3}
    if name in ("SAMPLE", "ANNEAL", "STEP"):
        return {"sampler": f["units"] * f["updates"] * 10e-9 * 0.3 * behind(0.3, 305.0)[1]}
    if name == "VOP":
        return {"vector": -(-f["elements"] // 8) * f["passes"] * 1e-9 * 3e-3}
    if name == "SEND":
        (x, y), (X, Y) = spot(core), spot(f["core"])
        hops = abs(x - X) + abs(y - Y)
        return {"buffer": port(f["bytes"]), "network": max(1, -(-f["bytes"] // 4)) * hops * 5e-12}
    return {}
