"""A chip of memristor crossbars, samplers and thermal elements as a target: cycles, joules and kelvins of a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from thermoc.backends.base import Backend, NoisePosition, Outcome
from thermoc.backends.chip.build import build
from thermoc.backends.chip.layout import ChipArtefact
from thermoc.backends.chip.options import Options, crossbars
from thermoc.backends.chip.target import TARGET
from thermoc.backends.sim.lower import lower
from thermoc.ir.feed import Feed
from thermoc.ir.graph import Graph
from thermoc.ir.target import TargetDescription
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Lowered


class ChipBackend(Backend):
    """A simulated chip: what it computes is a simulator's program, what it takes is counted event by event."""

    name: ClassVar[str] = "chip"
    Options: ClassVar[type] = Options
    own_passes: ClassVar[str] = "the network is laid out on the chip as its own passes leave it"

    def target(self) -> TargetDescription:
        """Return what the chip holds."""
        return TARGET

    def lower(self, options: Options, *, dt: float) -> Sequence[Pass]:
        """Return the simulator's passes, products on the chip's cells where that is asked for."""
        return lower(options.precision, dt=dt, crossbars=crossbars(options))

    def emit(self, graph: Graph, options: Options) -> ChipArtefact:
        """A chip needs more than the last graph: see ``build``."""
        raise NotImplementedError

    def build(self, lowered: Lowered, options: Options) -> ChipArtefact:
        """Return the layout, the machine's program and the simulator's."""
        return build(lowered, options, self)

    def run(self, artefact: ChipArtefact, feed: Feed, position: NoisePosition) -> Outcome:
        """Run the network on the chip."""
        from thermoc.backends.chip.run import run

        return run(artefact, feed, position)
