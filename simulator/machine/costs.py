"""What each instruction costs on a chip: picoseconds, the part it waits for, joules by component."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.chips import Chip
from thermoc.simulator.machine.fits import check
from thermoc.simulator.machine.instructions import PICO, THERMAL, ChipOp
from thermoc.simulator.machine.program import ChipProgram
from thermoc.simulator.machine.units import ThermalUnits
from thermoc.support.errors import error

COMPONENTS = ("program", "buffer", "dac", "array", "adc", "shift-add", "sampler", "vector", "network")
ROUNDING = 0.01
"""A duration that whole picoseconds change by a larger share is refused."""
MOST_PS = 2**52
"""An instruction takes an hour and a quarter at most, so that sums of times stay whole numbers of 64 bits."""


@dataclass(frozen=True, kw_only=True)
class Costs:
    """duration: (n,) int64 ps. resource: (n,) index of a shared part, -1 for none. joules: (n, COMPONENTS).

    Shared parts are the banks of ADCs, then the port of each tile's buffer; a row keeps its part for ``held`` ps (n,),
    which is its duration but for SEND. flits: (n,) of SEND. channel: (n,) the number of a SEND's or RECV's (source,
    destination, tag).
    """

    duration: NDArray[np.int64]
    held: NDArray[np.int64]
    resource: NDArray[np.int64]
    joules: NDArray[np.float64]
    flits: NDArray[np.int64]
    channel: NDArray[np.int64]
    resources: int
    channels: int

    @property
    def total(self) -> NDArray[np.float64]:
        """Joules of each row, (n,)."""
        return self.joules.sum(axis=1)


def costs(program: ChipProgram, chip: Chip) -> Costs:
    """Return the cost of every row. Errors: T305, T306 where the chip lacks a core or a part that a row names."""
    check(program, chip)
    code, core = program.code, program.cores
    writer = _CostTable(chip, program)
    for opcode, rule in RULES.items():
        rows = np.flatnonzero(code[:, 0] == opcode)
        if len(rows):
            rule(writer, rows)
    channel, channels = _channels(code, core)
    return Costs(
        duration=writer.duration,
        held=writer.held,
        resource=writer.resource,
        joules=writer.joules,
        flits=writer.flits,
        channel=channel,
        resources=writer.banks + chip.tiles,
        channels=channels,
    )


class _CostTable:
    def __init__(self, chip: Chip, program: ChipProgram):
        self.chip, self.code, self.core, self.text = chip, program.code, program.cores, program.text
        code, core = self.code, self.core
        self.duration, self.held = np.zeros((2, len(code)), np.int64)
        self.resource = np.full(len(code), -1, np.int64)
        self.joules = np.zeros((len(code), len(COMPONENTS)))
        self.flits = np.zeros(len(code), np.int64)
        self.banks = chip.cores // chip.whole("adc.cores_a_bank")
        self.tile = core // chip.whole("mesh.cores")

    def a(self, rows: NDArray, field: int = 0) -> NDArray[np.float64]:
        """Return an operand of these rows as floats."""
        return self.code[rows, 2 + field].astype(np.float64)

    def spend(self, rows: NDArray, component: str, joules: NDArray) -> None:
        """Charge joules to a component."""
        self.joules[rows, COMPONENTS.index(component)] += joules

    def take(self, rows: NDArray, seconds: NDArray | float) -> NDArray[np.float64]:
        """Let rows take so long, in whole picoseconds; return the seconds that these are."""
        exact = np.broadcast_to(seconds, rows.shape) * PICO
        # whole picoseconds add up exactly, so that equal times are equal and the order of events is the same everywhere
        ps = np.rint(exact)
        rounded = rows[np.abs(ps - exact) > ROUNDING * exact]
        if len(rounded):
            worst = float(exact[np.abs(ps - exact) > ROUNDING * exact][0])
            notes = [f"it takes {worst:g} ps", "the machine counts whole picoseconds"]
            hint = "state the chip's clock, rates and times in picoseconds or longer"
            raise error("T306", f"an instruction is too short: {self.text(int(rounded[0]))}", notes=notes, hint=hint)
        overlong = rows[ps > MOST_PS]
        if len(overlong):
            notes = [f"it takes {ps.max() / PICO:.3g} s", f"the machine counts up to {MOST_PS / PICO:.4g} s"]
            raise error("T306", f"an instruction takes too long: {self.text(overlong[0])}", notes=notes)
        self.duration[rows] = self.held[rows] = ps.astype(np.int64)
        # the rounded time: joules at constant power then agree with what the event takes
        return ps / PICO

    def port(self, rows: NDArray, size: NDArray) -> None:
        """Move bytes through the port of the tile's buffer: after the latency a width a cycle, each access paid for."""
        # a part of a width is an access of its own
        c, accesses = self.chip, np.ceil(8 * size / self.chip["buffer.width"])
        self.take(rows, (c["buffer.latency"] + accesses) / c["clock.frequency"])
        self.resource[rows] = self.banks + self.tile[rows]
        self.spend(rows, "buffer", accesses * c["buffer.access_energy"])


def _prog(w: _CostTable, rows: NDArray) -> None:
    """Row by row, array after array."""
    w.take(rows, w.a(rows) * w.a(rows, 1) * w.chip["crossbar.write_time"])
    w.spend(rows, "program", w.a(rows, 2) * w.chip["crossbar.write_energy"])


def _setin(w: _CostTable, rows: NDArray) -> None:
    """Values from the buffer to the registers of the DACs."""
    w.port(rows, np.ceil(w.a(rows) * w.chip["input.bits"] / 8))


def _mvm(w: _CostTable, rows: NDArray) -> None:
    """(reads times products + pipeline) times the longer of an array's read and the conversions of its bank.

    Products one after another of the same arrays fill the pipeline once.
    """
    c, arrays, columns = w.chip, w.a(rows), w.a(rows, 1)
    # reads and conversions overlap in the pipeline: the slower of the two sets its pace
    read_time = np.maximum(c["crossbar.read_time"], np.ceil(arrays * columns / c["adc.per_core"]) / c["adc.rate"])
    times = w.a(rows, 3)
    w.take(rows, (c.reads * times + c["input.pipeline"]) * read_time)
    w.resource[rows] = w.core[rows] // c.whole("adc.cores_a_bank")
    reading = times * arrays * c.reads * c["crossbar.read_time"]
    used = w.a(rows, 2) / c["crossbar.rows"]
    w.spend(rows, "array", reading * c["crossbar.read_power"] * used)
    w.spend(rows, "dac", reading * c["input.dac_power"] * used)
    w.spend(rows, "adc", times * arrays * columns * c.reads * c["adc.conversion_energy"])
    w.spend(rows, "shift-add", reading * c["adc.shift_add_power"])


def _thermal(w: _CostTable, rows: NDArray) -> None:
    """Every unit at once, update after update; joules at the sampler's reference: where they are is found later."""
    # a unit's power depends on its temperature: this is its share in a table of costs, not the run's joules
    seconds = w.take(rows, w.a(rows, 2) * w.chip["sampler.time"])
    w.spend(rows, "sampler", w.a(rows) * seconds * ThermalUnits(w.chip).power)


def _vop(w: _CostTable, rows: NDArray) -> None:
    """Lanes side by side, a cycle each."""
    c = w.chip
    seconds = w.take(rows, np.ceil(w.a(rows) / c["vector.lanes"]) * w.a(rows, 1) / c["clock.frequency"])
    w.spend(rows, "vector", seconds * c["vector.power"])


def _move(w: _CostTable, rows: NDArray) -> None:
    """Bytes through the buffer's port."""
    w.port(rows, w.a(rows, 0))


def _send(w: _CostTable, rows: NDArray) -> None:
    """Out of the buffer's port, then flit by flit; the core is held until the last has left. Each pays every hop."""
    c = w.chip
    # an empty message has a head that must be routed all the same
    w.flits[rows] = np.maximum(1, np.ceil(8 * w.a(rows, 2) / c["network.flit"]))
    w.port(rows, w.a(rows, 2))
    # the port is free after the buffer's time, which ``held`` keeps; the core waits for the last flit
    w.duration[rows] += w.flits[rows] * round(c["network.flit_time"] * PICO)
    wide, per = c.whole("mesh.columns"), c.whole("mesh.cores")
    source, target = w.tile[rows], w.code[rows, 2] // per
    dx, dy = np.abs(source % wide - target % wide), np.abs(source // wide - target // wide)
    w.spend(rows, "network", w.flits[rows] * (dx * c["network.hop_energy_x"] + dy * c["network.hop_energy_y"]))


def _recv(w: _CostTable, rows: NDArray) -> None:
    """What has come goes through the buffer's port."""
    w.port(rows, w.a(rows, 2))


def _barrier(w: _CostTable, rows: NDArray) -> None:
    """As long as it takes to meet."""
    w.take(rows, _across(w.chip))


def meeting(chip: Chip) -> int:
    """Return how long it takes all cores to meet, ps: from corner to corner of the mesh and back."""
    return round(_across(chip) * PICO)


def _across(c: Chip) -> float:
    return 2 * ((c["mesh.columns"] - 1) * c["network.hop_time_x"] + (c["mesh.rows"] - 1) * c["network.hop_time_y"])


RULES = {
    ChipOp.PROG: _prog,
    ChipOp.SETIN: _setin,
    ChipOp.MVM: _mvm,
    **dict.fromkeys(THERMAL, _thermal),
    ChipOp.VOP: _vop,
    ChipOp.LD: _move,
    ChipOp.ST: _move,
    ChipOp.SEND: _send,
    ChipOp.RECV: _recv,
    ChipOp.BARRIER: _barrier,
}


def _channels(code: NDArray[np.int64], core: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Number the triples (source, destination, tag)."""
    channel = np.full(len(code), -1, np.int64)
    rows = np.flatnonzero((code[:, 0] == ChipOp.SEND) | (code[:, 0] == ChipOp.RECV))
    if not len(rows):
        return channel, 0
    sends, partner = code[rows, 0] == ChipOp.SEND, code[rows, 2]
    # both ends are written from source to target, so that a SEND and its RECV get one number
    source, target = np.where(sends, core[rows], partner), np.where(sends, partner, core[rows])
    _, channel[rows] = np.unique(np.stack([source, target, code[rows, 3]], 1), axis=0, return_inverse=True)
    return channel, int(channel.max()) + 1
