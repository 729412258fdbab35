"""A network on a chip: from the cleaned graph to groups, cores, links and a program of instructions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.base import Artefact
from thermoc.backends.chip.capacities import ChipShape
from thermoc.backends.chip.partition import Partition, needs, partition
from thermoc.backends.chip.placement import Placement, Warmth, place
from thermoc.backends.chip.routes import Routes, route
from thermoc.backends.chip.schedule import Streams, schedule
from thermoc.backends.chip.work import Kind, Work, work
from thermoc.ir.graph import Graph
from thermoc.simulator import Program
from thermoc.simulator.chips import Chip
from thermoc.simulator.machine import ChipProgram, Op, assemble, costs, run_events
from thermoc.simulator.machine.account import account, awake
from thermoc.simulator.machine.electrothermal import ElectroThermal
from thermoc.support.errors import error
from thermoc.support.tables import table

TRIAL = 32
"""Ticks that are run to find each group's mean power, which thermal placement goes by."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a network lies on a chip: its work in parts, groups, cores, links, and the machine's program."""

    chip: Chip
    shape: ChipShape
    work: Work
    partition: Partition
    placement: Placement
    routes: Routes
    program: ChipProgram

    @property
    def sites(self) -> dict[str, NDArray[np.int64]]:
        """The core of each unit of every op that draws at its place's temperature, by the op's result."""
        core = self.placement.core[self.partition.group]
        return {
            name: np.concatenate([np.full(self.work.parts[p].size, core[p]) for p in parts])
            for name, parts in self.work.sites.items()
        }

    @property
    def utilisation(self) -> dict[str, tuple[int, int]]:
        """What is used of what there is, by name: (used, limit)."""
        tile = self.placement.core // self.chip.whole("mesh.cores")
        busiest = int(np.bincount(tile, self.partition.bytes, minlength=1).max())
        used = {"cores": (self.partition.groups, self.chip.cores), **needs(self.work, self.shape)}
        return used | {"buffer bytes of a tile": (busiest, self.shape.buffer)}

    def summary(self) -> str:
        """Return utilisation and links as tables to read."""
        rows = [
            {"part": name, "used": used, "limit": limit, "share": f"{100 * used / limit:.3g}%" if limit else "-"}
            for name, (used, limit) in self.utilisation.items()
        ]
        tile, way, load = self.routes.busiest
        side = ("east", "west", "down", "up")[way]
        busiest = (
            f"the busiest link, {side} of tile {tile}, carries {load} bytes" if load else "no messages leave a tile"
        )
        links = f"wires: {self.placement.wire} byte hops a tick; {busiest}"
        return f"{table(f'on chip {self.chip.name}', rows)}\n{links}"


@dataclass(frozen=True, kw_only=True)
class ChipArtefact(Artefact):
    """A network compiled to a chip: what it computes (``program``) and what the machine does (``mapping.program``)."""

    suffix: ClassVar[str] = ".chip"

    program: Program
    mapping: Layout
    graph: Graph
    """The cleaned graph, whose ops the machine's instructions serve."""
    options: Any
    factors: Mapping[str, str]
    """Inputs of the program that are temperatures of places over those asked for, by the op's result."""
    warmths: Mapping[str, str]
    """Inputs of the program that are conductances of cells over those programmed, by the product's result."""
    fused: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of the network's ops that an op of the graph holds, itself last, where it holds more than itself."""

    @property
    def threads(self) -> int | None:
        """At most so many threads."""
        return self.options.threads

    def to_bytes(self) -> bytes:
        """Return the machine's program as a file."""
        return self.mapping.program.to_bytes()

    def __str__(self) -> str:
        return f"{self.mapping.summary()}\n\n{self.mapping.program}"


def shape_of(chip: Chip) -> ChipShape:
    """Return what the passes need to know of a chip. Errors: T305 for one without crossbars."""
    if chip.kind != "crossbar":
        hint = "take thermo-1, isaac or puma; thermoc.simulator.machine.spikes accounts for spiking runs"
        raise error("T305", f"chip {chip.name!r} has no crossbars", notes=[f"it is a {chip.kind} chip"], hint=hint)
    held = chip.whole("crossbar.per_core") // chip.slices
    if held < 1:
        notes = [f"a matrix of weights takes {chip.slices} arrays", f"a core has {chip.whole('crossbar.per_core')}"]
        raise error("T515", f"a core of chip {chip.name!r} holds no matrix", notes=notes)
    where = {
        "arrays": "crossbar.per_core",
        "p-bits": "sampler.units",
        "cores": "mesh.cores",
        "buffer": "buffer.size",
    }
    return ChipShape(
        name=chip.name,
        columns=chip.whole("mesh.columns"),
        rows=chip.whole("mesh.rows"),
        cores_a_tile=chip.whole("mesh.cores"),
        matrices=held,
        arrays=chip.slices,
        array_rows=chip.whole("crossbar.rows"),
        array_columns=chip.whole("crossbar.columns"),
        samplers=chip.whole("sampler.units") if "sampler.units" in chip else 0,
        buffer=chip.whole("buffer.size"),
        value_bytes=max(1, round(chip["input.bits"] / 8)),
        positions=tuple(chip.position(core) for core in range(chip.cores)),
        sources={what: chip.quantities.quantity(name).source for what, name in where.items() if name in chip},
    )


def mapped(graph: Graph, chip: Chip, placement: str) -> Layout:
    """Return a cleaned graph on a chip. Errors: T305, T306."""
    shape = shape_of(chip)
    parts = work(graph, shape)
    groups = partition(parts, shape, apart=placement == "thermal")
    found = _placed(graph.name, chip, shape, parts, groups, place(parts, groups, shape))
    if placement == "thermal" and parts.sites:  # without units that sample there is nothing to keep cool
        warmth = _warmth(found)
        found = _placed(graph.name, chip, shape, parts, groups, place(parts, groups, shape, warmth))
    return found


def _placed(name: str, chip: Chip, shape: ChipShape, parts: Work, groups: Partition, where: Placement) -> Layout:
    return Layout(
        chip=chip,
        shape=shape,
        work=parts,
        partition=groups,
        placement=where,
        routes=route(parts, groups, where, shape),
        program=machine_program(name, chip, parts, schedule(parts, groups, where, shape)),
    )


def machine_program(name: str, chip: Chip, parts: Work, streams: Streams) -> ChipProgram:
    """Return the machine's program of the passes' streams."""

    def rows(found: Sequence[tuple[str, int, tuple[int, ...]]]) -> list[tuple[int, ...]]:
        return [(Op[opcode], served, *operands) for opcode, served, operands in found]

    last = max([*streams.setup, *streams.tick], default=-1)
    both = [(rows(streams.setup.get(core, ())), rows(streams.tick.get(core, ()))) for core in range(last + 1)]
    return assemble(name, chip.name, both, parts.ops)


def _warmth(found: Layout) -> Warmth:
    """Return mean powers of groups in a trial run, and how places warm each other."""
    chip, heat = found.chip, ElectroThermal(found.chip)
    price = costs(found.program, chip)
    sums = account(run_events(found.program, chip, rounds=TRIAL, price=price), found.program, price, chip)
    watts = sums.by_core.sum(axis=0) / sums.seconds
    sampling = np.zeros(found.partition.groups, np.int64)
    for number, part in enumerate(found.work.parts):
        if part.kind in (Kind.sample, Kind.step):
            sampling[found.partition.group[number]] += part.size
    on = awake(found.program, chip)
    ambient = np.full(chip.cores, chip["package.ambient"])
    warm = heat.steady(heat.leakage(ambient, on))
    return Warmth(
        influence=heat.influence(),
        ambient=float(heat.steady(heat.leakage(warm, on)).mean()),
        power=watts[found.placement.core],
        sampling=sampling,
        reference=chip["sampler.reference"],
    )
