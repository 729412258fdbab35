"""Our simulator as a target: the graph becomes a ``simulator.Program``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from thermoc.backends.base import Artefact, Backend, NoisePosition, Outcome
from thermoc.backends.sim import host_and_loihi
from thermoc.backends.sim.emit import emit
from thermoc.backends.sim.host_and_loihi import ClockedArtefact
from thermoc.backends.sim.lower import lower
from thermoc.backends.sim.options import SimOptions
from thermoc.backends.sim.run import ProgramSession
from thermoc.backends.sim.target import TARGET
from thermoc.ir.feed import Feed
from thermoc.ir.host_device import is_clocked
from thermoc.ir.target import TargetDescription
from thermoc.passes.base import Pass, Property
from thermoc.passes.change_log import Lowered
from thermoc.passes.explicit_broadcast import EXPLICIT
from thermoc.passes.legalize import held_by
from thermoc.simulator import Program
from thermoc.simulator.wanted_outputs import Wanted, with_outputs


@dataclass(frozen=True, kw_only=True)
class ProgramArtefact(Artefact):
    """A program and the number of threads it may use. probes: names of outputs that are in no file of it."""

    suffix: ClassVar[str] = ".program"

    program: Program
    threads: int | None
    probes: frozenset[str] = frozenset()

    def to_bytes(self) -> bytes:
        """Return the file of the program without probes."""
        outputs = frozenset(port.name for port in self.program.outputs) - self.probes
        return with_outputs(self.program, Wanted(outputs)).to_bytes()


class SimBackend(Backend):
    """Numba on the CPU, parallel over the batch; the same bits for any number of threads."""

    name: ClassVar[str] = "sim"
    Options: ClassVar[type] = SimOptions
    pass_options: ClassVar[tuple[str, ...]] = ("precision",)

    def target(self) -> TargetDescription:
        """Return what the simulator holds."""
        return TARGET

    def lower(self, options: SimOptions, *, dt: float) -> Sequence[Pass]:
        """Return the simulator's passes."""
        return lower(options.precision, dt=dt)

    def takes(self, options: SimOptions) -> tuple[Property, ...]:
        """Kernels know only equal shapes and single elements, so broadcasts must be ops."""
        return (held_by(TARGET), EXPLICIT)

    def emit(self, lowered: Lowered, options: SimOptions) -> ProgramArtefact | ClockedArtefact:
        """Return the program of a lowered graph; three where a chip within it has ticks of its own."""
        # Where Loihi takes several ticks for one of the network a single program has no clock for both.
        if is_clocked(lowered.graph):
            return host_and_loihi.build(lowered.graph, options.threads)
        return ProgramArtefact(program=emit(lowered.graph), threads=options.threads, probes=lowered.graph.probes)

    def start(self, artefact: ProgramArtefact, *, batch: int, position: NoisePosition) -> ProgramSession:
        """Start the program."""
        return ProgramSession(artefact.program, batch=batch, position=position, threads=artefact.threads)

    def run(self, artefact: ProgramArtefact | ClockedArtefact, feed: Feed, position: NoisePosition) -> Outcome:
        """Run the program."""
        if isinstance(artefact, ClockedArtefact):
            return host_and_loihi.run(artefact, feed, position)
        return super().run(artefact, feed, position)
