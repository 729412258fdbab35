"""A network that was brought to Loihi, in the simulator: host and chip are programs, each with a clock of its own."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from numpy.typing import NDArray

from thermoc.backends.base import Artefact, NoisePosition, Outcome
from thermoc.backends.sim.emit import emit
from thermoc.backends.sim.run import run as run_program
from thermoc.ir.feed import Feed
from thermoc.ir.graph import Graph
from thermoc.ir.host_device import run_split, split_graph
from thermoc.simulator import Program


@dataclass(frozen=True, kw_only=True)
class ClockedArtefact(Artefact):
    """Programs of the host before the chip, of the chip, and of the host after it, with the graph each is of."""

    suffix: ClassVar[str] = ".zip"

    graph: Graph
    programs: tuple[tuple[str, Graph, Program], ...]
    threads: int | None

    def to_bytes(self) -> bytes:
        """Return a .zip of the programs."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, _, program in self.programs:
                # A fixed date, or the same programs would give other bytes each day.
                archive.writestr(zipfile.ZipInfo(f"{name}.program", (1980, 1, 1, 0, 0, 0)), program.to_bytes())
        return buffer.getvalue()


def build(graph: Graph, threads: int | None) -> ClockedArtefact:
    """Return the programs of a graph whose chip has ticks of its own."""
    split = split_graph(graph)
    named = (("before", split.before), ("chip", split.loihi), ("after", split.after))
    # A side without outputs has no work to do.
    programs = tuple((name, program_part, emit(program_part)) for name, program_part in named if program_part.outputs)
    return ClockedArtefact(graph=graph, programs=programs, threads=threads)


def run(artefact: ClockedArtefact, feed: Feed, position: NoisePosition) -> Outcome:
    """Run host and chip in turn. Errors: T404 for a first tick other than 0."""
    programs = {program_part.hash: program for _, program_part, program in artefact.programs}

    def run_part(graph: Graph, inputs: Feed, first_tick: int) -> tuple[Mapping[str, NDArray], Mapping[str, NDArray]]:
        where = NoisePosition(seed=position.seed, first_sample=position.first_sample, first_tick=first_tick)
        return run_program(programs[graph.hash], inputs, where, artefact.threads)

    outputs, states = run_split(artefact.graph, feed, run_part, first_tick=position.first_tick)
    return Outcome(outputs=outputs, states=states)
