"""A chip of memristor crossbars, samplers and thermal elements as a target: cycles, joules and kelvins of a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from thermoc.backends.base import Backend, BackendSession, NoisePosition
from thermoc.backends.chip.build import ChipArtefact, build
from thermoc.backends.chip.lower import lower
from thermoc.backends.chip.options import ChipOptions
from thermoc.backends.chip.target import TARGET
from thermoc.ir.target import TargetDescription
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Lowered


class ChipBackend(Backend):
    """A simulated crossbar chip: a simulator's program computes the numbers, events count what they take."""

    name: ClassVar[str] = "chip"
    Options: ClassVar[type] = ChipOptions
    own_passes: ClassVar[str] = "the network is laid out on the chip as its own passes leave it"

    def target(self) -> TargetDescription:
        """Return what the chip holds."""
        return TARGET

    def lower(self, options: ChipOptions, *, dt: float) -> Sequence[Pass]:
        """Return the chip's whole way: layout, then numbers. Errors: T208."""
        return lower(options, dt=dt)

    def emit(self, lowered: Lowered, options: ChipOptions) -> ChipArtefact:
        """Return the layout, the machine's program and the simulator's."""
        return build(lowered, options)

    def start(self, artefact: ChipArtefact, *, batch: int, position: NoisePosition) -> BackendSession:
        """Start the chip, its cells programmed. Errors: T306, T404, T410, T411, T414, T415."""
        from thermoc.backends.chip.run import ChipSession

        return ChipSession(artefact, batch=batch, position=position)
