"""A network that was brought to Loihi, in the simulator: host and chip are programs, each with a clock of its own."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import ClassVar

from thermoc.backends.base import Artefact, BackendSession, NoisePosition
from thermoc.backends.sim.emit import emit
from thermoc.backends.sim.options import SimOptions
from thermoc.backends.sim.run import ProgramSession
from thermoc.ir.clocked_session import ClockedSession
from thermoc.ir.graph import Graph
from thermoc.ir.host_device import split_graph
from thermoc.simulator import Program


@dataclass(frozen=True, kw_only=True)
class ClockedArtefact(Artefact):
    """Programs of the host before the chip, of the chip, and of the host after it, with the graph each is of."""

    suffix: ClassVar[str] = ".zip"

    graph: Graph
    programs: tuple[tuple[str, Graph, Program], ...]
    options: SimOptions

    def to_bytes(self) -> bytes:
        """Return a .zip of the programs."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, _, program in self.programs:
                # A fixed date, or the same programs would give other bytes each day.
                archive.writestr(zipfile.ZipInfo(f"{name}.program", (1980, 1, 1, 0, 0, 0)), program.to_bytes())
        return buffer.getvalue()


def build(graph: Graph, options: SimOptions) -> ClockedArtefact:
    """Return the programs of a graph whose chip has ticks of its own."""
    programs = tuple((name, subgraph, emit(subgraph)) for name, subgraph in split_graph(graph).parts.items())
    return ClockedArtefact(graph=graph, programs=programs, options=options)


class HostAndLoihiSession(ClockedSession, BackendSession):
    """Host and chip, which go on each by its own clock. Errors: T404 for a first tick other than 0."""

    def __init__(self, artefact: ClockedArtefact, *, batch: int, position: NoisePosition):
        programs = {part.hash: program for _, part, program in artefact.programs}
        where = {"threads": artefact.options.threads, "device": artefact.options.device}

        def start(part: Graph) -> ProgramSession:
            return ProgramSession(programs[part.hash], batch=batch, position=position, **where)

        BackendSession.__init__(self, batch=batch, position=position)
        ClockedSession.__init__(self, artefact.graph, start, batch=batch, first_tick=position.first_tick)
