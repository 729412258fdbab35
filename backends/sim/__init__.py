"""Our simulator as a target: the graph becomes a ``simulator.Program``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from numpy.typing import ArrayLike

from thermoc.backends.base import Artefact, Backend, Outcome, Place
from thermoc.backends.sim import chip_options, clocked
from thermoc.backends.sim.clocked import ClockedArtefact
from thermoc.backends.sim.emit import emit
from thermoc.backends.sim.lower import lower
from thermoc.backends.sim.run import run
from thermoc.backends.sim.target import TARGET
from thermoc.ir.chip import is_clocked
from thermoc.ir.feed import Feed
from thermoc.ir.graph import Graph
from thermoc.ir.target import TargetDescription
from thermoc.passes.base import Lowered, Pass
from thermoc.simulator import Program
from thermoc.support.errors import error

if TYPE_CHECKING:
    from thermoc.backends.sim.chip import ChipArtefact

PRECISIONS = ("float64", "float32")


@dataclass(frozen=True, kw_only=True)
class Options:
    """precision: float64 or float32. threads: at most so many, default one a core. Errors: T303.

    chip: a chip by name or file, on which the network is laid out, timed, paid for and heated. temperature: what noise
    is drawn at, the "model"'s or that of its place on the "die". placement: "wire" or "thermal". slot: s between steps
    of the die. start: the die begins "steady", as if the run repeated for ever, or at "ambient". cells: products are
    "exact", or go through the "chip"'s cells and converters; ``map-crossbars`` says what input_range, calibrate and adc
    are.
    """

    precision: str = "float64"
    threads: int | None = None
    chip: str | None = None
    temperature: str = "model"
    placement: str = "wire"
    slot: float = 1e-6
    start: str = "steady"
    cells: str = "exact"
    input_range: tuple[float, float] | None = None
    calibrate: Mapping[str, ArrayLike] | None = field(default=None, repr=False)
    adc: str = "worst"

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            notes = [f"precision = {self.precision!r}"]
            raise error("T303", f"precision must be one of {', '.join(PRECISIONS)}", notes=notes)
        if self.threads is not None and (type(self.threads) is not int or self.threads < 1):
            raise error("T303", "threads must be an integer >= 1", notes=[f"threads = {self.threads!r}"])
        chip_options.check(self)


@dataclass(frozen=True, kw_only=True)
class ProgramArtefact(Artefact):
    """A program and the number of threads it may use."""

    suffix: ClassVar[str] = ".program"

    program: Program
    threads: int | None

    def to_bytes(self) -> bytes:
        """Return the program's file."""
        return self.program.to_bytes()


class SimBackend(Backend):
    """Numba on the CPU, parallel over the batch; the same bits for any number of threads."""

    name: ClassVar[str] = "sim"
    Options: ClassVar[type] = Options

    def target(self) -> TargetDescription:
        """Return what the simulator holds."""
        return TARGET

    def lower(self, options: Options, *, dt: float) -> Sequence[Pass]:
        """Return the simulator's passes."""
        return lower(options.precision, dt=dt, crossbars=chip_options.crossbars(options))

    def emit(self, graph: Graph, options: Options) -> ProgramArtefact | ClockedArtefact:
        """Return the program of a lowered graph; three where a chip within it has ticks of its own."""
        if is_clocked(graph):
            return clocked.build(graph, options.threads)
        return ProgramArtefact(program=emit(graph), threads=options.threads)

    def build(self, lowered: Lowered, options: Options) -> Artefact:
        """Return the program, and where a chip is named the machine's too."""
        if options.chip is None:
            return self.emit(lowered.graph, options)
        from thermoc.backends.sim import chip_build

        return chip_build.build(lowered, options, self)

    def run(self, artefact: ProgramArtefact | ClockedArtefact | ChipArtefact, feed: Feed, place: Place) -> Outcome:
        """Run the program."""
        if isinstance(artefact, ClockedArtefact):
            return clocked.run(artefact, feed, place)
        if not isinstance(artefact, ProgramArtefact):
            from thermoc.backends.sim import chip_run

            return chip_run.run(artefact, feed, place)
        return run(artefact.program, feed, place, artefact.threads)
