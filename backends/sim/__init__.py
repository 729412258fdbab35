"""Our simulator as a target: the graph becomes a ``simulator.Program``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.base import Artefact, Backend, NoisePosition, holds_constants
from thermoc.backends.sim import host_and_loihi
from thermoc.backends.sim.emit import emit, starts
from thermoc.backends.sim.host_and_loihi import ClockedArtefact, HostAndLoihiSession
from thermoc.backends.sim.lower import lower
from thermoc.backends.sim.options import SimOptions
from thermoc.backends.sim.run import IdleSession, ProgramSession
from thermoc.backends.sim.target import TARGET
from thermoc.ir.host_device import is_clocked
from thermoc.ir.memory import DeviceMemory
from thermoc.ir.parameters import ParameterCone, frozen
from thermoc.ir.target import TargetDescription
from thermoc.passes.base import Pass, Property
from thermoc.passes.change_log import Lowered
from thermoc.passes.explicit_broadcast import EXPLICIT
from thermoc.passes.legalize import held_by
from thermoc.simulator import Program
from thermoc.simulator.wanted_outputs import Wanted, with_outputs


@dataclass(frozen=True, kw_only=True)
class ProgramArtefact(Artefact):
    """A program, and where it runs. probes: names of outputs that are in no file of it."""

    suffix: ClassVar[str] = ".program"

    program: Program
    options: SimOptions
    cone: ParameterCone
    parameters: Mapping[str, NDArray] = field(default_factory=dict)
    """Values other than the initial ones."""
    probes: frozenset[str] = frozenset()
    idle: IdleSession = field(default_factory=IdleSession, init=False, repr=False, compare=False)

    def to_bytes(self) -> bytes:
        """Return the file of the program without probes."""
        outputs = frozenset(port.name for port in self.program.outputs) - self.probes
        return with_outputs(self.program, Wanted(outputs)).to_bytes()


def with_parameters(artefact: ProgramArtefact, parameters: Mapping[str, NDArray]) -> ProgramArtefact:
    """Return the artefact with other values of some parameters. Errors: T418."""
    cone, program = artefact.cone, artefact.program
    changed = {**artefact.parameters, **parameters}
    values = cone.values(changed)
    stretches = {parameter.name for parameter in program.parameters}
    arrays = {cone.title(name): array for name, array in values.items()}
    first = {name: values[source] for name, source in starts(cone.graph, cone).items()}
    shaped = {
        state.name: np.ascontiguousarray(np.broadcast_to(first[state.name], state.initial.shape), state.dtype)
        for state in program.states
        if state.name in first
    }
    numbers = {name: array for name, array in arrays.items() if name in stretches}
    return replace(artefact, program=program.with_parameters(numbers, shaped), parameters=changed)


class SimBackend(Backend):
    """Numba on the CPU or a GPU, parallel over the batch; the same bits for any number of threads."""

    name: ClassVar[str] = "sim"
    Options: ClassVar[type] = SimOptions
    pass_options: ClassVar[tuple[str, ...]] = ("precision",)
    run_options: ClassVar[tuple[str, ...]] = ("threads", "device")

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
            return host_and_loihi.build(frozen(lowered.graph), options)
        graph = lowered.graph
        return ProgramArtefact(program=emit(graph), options=options, cone=ParameterCone(graph), probes=graph.probes)

    def with_parameters(
        self, artefact: ProgramArtefact | ClockedArtefact, parameters: Mapping[str, NDArray]
    ) -> ProgramArtefact | ClockedArtefact:
        """Return the program with other numbers among its constants and where states start. Errors: T418."""
        if isinstance(artefact, ClockedArtefact):
            raise holds_constants()
        return with_parameters(artefact, parameters)

    def device_memory(
        self, artefact: ProgramArtefact | ClockedArtefact, *, batch: int, ticks: int, timed: bool
    ) -> DeviceMemory | None:
        """Return what the programs take of a GPU's memory. Errors: T421."""
        if artefact.options.device == "cpu":
            return None
        from thermoc.simulator.cuda.gpu import device
        from thermoc.simulator.cuda.memory import bytes_taken

        clocked = isinstance(artefact, ClockedArtefact)
        programs = [program for _, _, program in artefact.programs] if clocked else [artefact.program]
        taken = [bytes_taken(program, batch=batch, ticks=ticks, timed=timed) for program in programs]
        network, samples = (sum(sizes) for sizes in zip(*taken))
        return DeviceMemory(name=device().name, network=network, samples=samples, available=device().memory)

    def start(
        self, artefact: ProgramArtefact | ClockedArtefact, *, batch: int, position: NoisePosition
    ) -> ProgramSession | HostAndLoihiSession:
        """Start the program, or host and chip."""
        if isinstance(artefact, ClockedArtefact):
            return HostAndLoihiSession(artefact, batch=batch, position=position)
        options = artefact.options
        where = {"threads": options.threads, "device": options.device, "idle": artefact.idle}
        return ProgramSession(artefact.program, batch=batch, position=position, **where)
