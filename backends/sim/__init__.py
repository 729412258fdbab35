"""Our simulator as a target: the graph becomes a ``simulator.Program``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from thermoc.backends.base import Artefact, Backend, Outcome, Place
from thermoc.backends.sim.emit import emit
from thermoc.backends.sim.lower import lower
from thermoc.backends.sim.run import run
from thermoc.backends.sim.target import TARGET
from thermoc.ir.feed import Feed
from thermoc.ir.graph import Graph
from thermoc.ir.target import TargetDescription
from thermoc.passes.base import Pass
from thermoc.simulator import Program
from thermoc.support.errors import error

PRECISIONS = ("float64", "float32")


@dataclass(frozen=True, kw_only=True)
class Options:
    """precision: float64 or float32. threads: at most so many, default one a core. Errors: T303."""

    precision: str = "float64"
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            notes = [f"precision = {self.precision!r}"]
            raise error("T303", f"precision must be one of {', '.join(PRECISIONS)}", notes=notes)
        if self.threads is not None and (type(self.threads) is not int or self.threads < 1):
            raise error("T303", "threads must be an integer >= 1", notes=[f"threads = {self.threads!r}"])


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
        return lower(options.precision, dt=dt)

    def emit(self, graph: Graph, options: Options) -> ProgramArtefact:
        """Return the program of a lowered graph."""
        return ProgramArtefact(program=emit(graph), threads=options.threads)

    def run(self, artefact: ProgramArtefact, feed: Feed, place: Place) -> Outcome:
        """Run the program."""
        return run(artefact.program, feed, place, artefact.threads)
