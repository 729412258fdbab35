"""What a run takes of memory, foretold before it starts, and refused where there is not so much."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from thermoc.ir.graph import Graph
from thermoc.support import memory
from thermoc.support.errors import ThermocError, error
from thermoc.support.plurals import counted
from thermoc.support.tables import table

NUMBER = 8
"""Bytes of a number on its way through a target; narrower formats are made of it at the end."""
CHUNK_BYTES = 2**26
"""Outputs come from a target at most this much at a time."""
LITTLE = 2**24
"""A run that holds less is not held against what is free."""
CHUNK, INPUTS, STATES = "a chunk of outputs", "a chunk of packed inputs", "states, before and after a chunk"
ONCE = (CHUNK, INPUTS, STATES)
"""What takes as much however many ticks there are."""


@dataclass(frozen=True, kw_only=True)
class DeviceMemory:
    """What a run holds of a GPU's memory, in bytes: of the network, and of the samples.

    name: the GPU's. available: all the memory it has.
    """

    name: str
    network: int
    samples: int
    available: int

    @property
    def total(self) -> int:
        """Bytes in all."""
        return self.network + self.samples

    @property
    def fits(self) -> bool:
        """Whether the GPU has so much."""
        return self.total <= self.available

    def error(self, network: str, batch: int) -> ThermocError:
        """Return the error of a GPU that is too small, T408."""
        parts = f"the network {memory.readable(self.network)}, samples {memory.readable(self.samples)}"
        notes = [
            f"{counted(batch, 'sample')} need {memory.readable(self.total)}: {parts}",
            f"{self.name} has {memory.readable(self.available)}",
        ]
        fit = batch * max(0, self.available - self.network) // max(self.samples, 1)
        split = f"split the batch: {fit} samples at a time fit, first_sample goes on in the noise; or "
        hint = f'{split if fit else ""}device="cpu", which gives the same bits'
        return error("T408", f"a run of {network!r} does not fit in the GPU's memory", notes=notes, hint=hint)

    def rows(self) -> list[dict[str, object]]:
        """Return a row for each part, then the total and what there is."""
        sizes = {"the network, on the GPU": self.network, "samples, on the GPU": self.samples}
        sizes |= {"total, on the GPU": self.total, f"memory of {self.name}": self.available}
        return [{"what": name, "bytes": size, "is": memory.readable(size)} for name, size in sizes.items()]


@dataclass(frozen=True, kw_only=True)
class MemoryEstimate:
    """What a run holds at most, in bytes by what holds it; it prints as a table.

    recorded: bytes of what is kept, by output. passing: of what else it holds. network_parts: of what does not grow
    with the run. held: of these, what is held already. chunk: ticks that run at a time at most.
    asked: what it may take; None is what is free. device: what it holds of a GPU's memory besides.
    """

    network: str
    ticks: int
    batch: int
    recorded: Mapping[str, int]
    passing: Mapping[str, int]
    network_parts: Mapping[str, int]
    held: int = 0
    chunk: int
    asked: int | None = None
    device: DeviceMemory | None = None

    @property
    def parts(self) -> dict[str, int]:
        """Bytes by what takes them."""
        recorded = {f"recorded {name}": size for name, size in self.recorded.items()}
        return {name: size for name, size in {**recorded, **self.passing, **self.network_parts}.items() if size}

    @property
    def total(self) -> int:
        """Bytes in all."""
        return sum(self.parts.values())

    @cached_property
    def limit(self) -> int | None:
        """What it may take with what is held already; None where the system does not tell what is free."""
        if self.asked is not None:
            return self.asked
        # Linux grants memory that it has not got and kills whoever touches it: no MemoryError would come.
        free = memory.available()
        return None if free is None else free + self.held

    @property
    def fits(self) -> bool:
        """Whether it is within the limit; of little no system is asked, for that takes longer than a short run."""
        allowed = (self.asked is None and self.total < LITTLE) or self.limit is None or self.total <= self.limit
        return allowed and (self.device is None or self.device.fits)

    @property
    def length(self) -> str:
        """How long the run is, and for how many samples."""
        return f"{counted(self.ticks, 'tick')} of {counted(self.batch, 'sample')}"

    def check(self) -> None:
        """Refuse a run that does not fit. Errors: T408."""
        if self.device is not None and not self.device.fits:
            raise self.device.error(self.network, self.batch)
        if not self.fits:
            raise self._error()

    def _error(self) -> ThermocError:
        assert self.limit is not None
        parts = ", ".join(f"{name} {memory.readable(size)}" for name, size in self.parts.items())
        return error(
            "T408",
            f"a run of {self.network!r} does not fit in memory",
            notes=[
                f"{self.length} need {memory.readable(self.total)}: {parts}",
                f"{memory.readable(self.limit)} are available",
            ],
            hint=self._cure(self.limit),
        )

    def _cure(self, limit: int) -> str:
        """Return what would fit: fewer ticks, else fewer samples."""
        network = sum(self.network_parts.values())
        once = network + sum(size for name, size in self.passing.items() if name in ONCE)
        per_tick = (self.total - once) / self.ticks
        fixed = self.total - per_tick * self.ticks
        ticks = int((limit - fixed) // per_tick) if per_tick else 0
        if ticks >= 1:
            fewer = 'keep less: record={"name": tc.mean()} or tc.every(k); or stream it: to="run.zarr"'
            return f"{fewer}; or run {counted(ticks, 'tick')} at a time: a session goes on"
        samples = self.batch * (limit - network) // (self.total - network) if self.total > network else 0
        if samples >= 1:
            return f"split the batch: {counted(samples, 'sample')} at a time fit, first_sample goes on in the noise"
        return "one sample is more than fits: take a machine with more memory, or a smaller network"

    def rows(self) -> list[dict[str, object]]:
        """Return a row for each part, then the total and what is free; the same of a GPU's memory."""
        parts: list[dict[str, object]] = [
            {"what": name, "bytes": size, "is": memory.readable(size)} for name, size in self.parts.items()
        ]
        total: dict[str, object] = {"what": "total", "bytes": self.total, "is": memory.readable(self.total)}
        rows = [*parts, total]
        if self.limit is not None:
            rows.append({"what": "available", "bytes": self.limit, "is": memory.readable(self.limit)})
        return rows + (self.device.rows() if self.device is not None else [])

    def __str__(self) -> str:
        return table(f"{self.network}: memory of {self.length}", self.rows())


def foretold(
    graph: Graph,
    *,
    ticks: int,
    batch: int,
    timed: int,
    recorded: Mapping[str, int],
    limit: int | None = None,
    saved: bool = False,
    packed: bool = False,
    network: Mapping[str, int] | None = None,
    held: int = 0,
) -> MemoryEstimate:
    """Return what a run will hold.

    timed: elements of a sample of the inputs that change over the ticks. recorded: bytes kept, by output. limit: what
    it may take, by default what is free. saved: whether checkpoints are written of it. packed: whether all that is
    recorded is packed into a file in the end. network: bytes that do not grow with the run, by what holds them; of
    these, held already.
    """
    # Probes too: a target may compute all of them.
    tick = NUMBER * batch * sum(op.x.size for op in graph.outputs.values())
    chunk_bytes = CHUNK_BYTES if limit is None else min(CHUNK_BYTES, limit // 8)
    chunk = min(ticks, max(1, chunk_bytes // max(tick, 1)))
    states = NUMBER * batch * sum(math.prod(shape) for shape in graph.states.values())
    passing = {
        CHUNK: chunk * tick,
        INPUTS: NUMBER * chunk * batch * timed,
        STATES: 2 * states,
        "a checkpoint on its way": sum(recorded.values()) + states if saved else 0,
        "the file it is packed into": 2 * sum(recorded.values()) if packed else 0,
    }
    return MemoryEstimate(
        network=graph.name,
        ticks=ticks,
        batch=batch,
        recorded=recorded,
        passing=passing,
        network_parts=network or {},
        held=held,
        chunk=chunk,
        asked=limit,
    )


def check_memory(graph: Graph, *, ticks: int, batch: int, timed: int) -> None:
    """Refuse a run whose every output of every tick is kept. Errors: T408."""
    recorded = {
        name: NUMBER * ticks * batch * op.x.size for name, op in graph.outputs.items() if name not in graph.probes
    }
    foretold(graph, ticks=ticks, batch=batch, timed=timed, recorded=recorded).check()
