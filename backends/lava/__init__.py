"""Loihi 2 through Lava: a package of files that runs by itself, and a runner that keeps Lava out of this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

import thermoc
from thermoc.backends.base import Backend, BackendSession, NoisePosition
from thermoc.backends.interpreted import InterpretedSession
from thermoc.backends.lava import emit, lower
from thermoc.backends.lava.artefact import LavaArtefact
from thermoc.backends.lava.session import HostAndLavaSession, LavaSession
from thermoc.backends.lava.target import TARGET
from thermoc.ir.dialects.core import Input
from thermoc.ir.dialects.loihi import LoihiDecode, LoihiEncode
from thermoc.ir.graph import Graph
from thermoc.ir.host_device import split_graph
from thermoc.ir.ops import Op
from thermoc.ir.target import TargetDescription
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Lowered
from thermoc.support.errors import Finding, ThermocError, error
from thermoc.support.suggestions import near

CHOICES = {"coding": ("graded", "thermal", "rate"), "runtime": ("lava", "reference")}


@dataclass(frozen=True, kw_only=True)
class LavaOptions:
    """What ``tc.compile(net, target="lava", ...)`` takes. Errors: T303.

    input_range: what the network's inputs hold, where ``calibrate``, sample inputs by name, does not say it. chips: how
    many there are. coding: activations as integers ("graded"), or as spikes ("thermal", "rate"). stock_only: nothing
    but Lava's own Dense, Sparse, Conv and LIF on Loihi; p-bits then take their noise from the host. runtime: Lava,
    or the reference interpreter, which says the same where Lava is not installed. build_limit, run_limit: seconds that
    Lava may take to build the processes, and to run them.
    """

    input_range: tuple[float, float] = (-4.0, 4.0)
    calibrate: Mapping[str, ArrayLike] | None = field(default=None, repr=False)
    chips: int = 1
    coding: str = "graded"
    stock_only: bool = False
    runtime: str = "lava"
    build_limit: float = 300.0
    run_limit: float = 3600.0

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                notes = [f"{name} = {getattr(self, name)!r}", f"there are {', '.join(choices)}"]
                raise error(
                    "T303", f"target 'lava' has no such {name}", notes=notes, hint=near(getattr(self, name), choices)
                )
        if type(self.chips) is not int or self.chips < 1:
            raise error("T303", "chips must be an integer >= 1", notes=[f"chips = {self.chips!r}"])
        for name in ("build_limit", "run_limit"):
            if not getattr(self, name) > 0:
                raise error("T303", f"{name} must be > 0", notes=[f"{name} = {getattr(self, name)!r}"])


class LavaBackend(Backend):
    """The target ``lava``."""

    name: ClassVar[str] = "lava"
    Options: ClassVar[type[LavaOptions]] = LavaOptions
    pass_options: ClassVar[tuple[str, ...]] = ("input_range", "calibrate", "chips", "coding")

    def target(self) -> TargetDescription:
        """Return what Lava holds."""
        return TARGET

    def lower(self, options: LavaOptions, *, dt: float) -> Sequence[Pass]:
        """Return the passes that bring a graph to Lava."""
        # runtime and the limits of time are no business of the passes.
        names = ("input_range", "calibrate", "chips", "coding", "stock_only")
        how: dict[str, Any] = {name: getattr(options, name) for name in names}
        return lower.lower(dt=dt, **how)

    def emit(self, lowered: Lowered, options: LavaOptions) -> LavaArtefact:
        """Return the package of a lowered graph. Errors: T301."""
        graph = lowered.graph
        emit.refuse_by_name(graph, TARGET.refused)
        if not any(of_loihi(op) for op in graph.ops):
            # The host does all of it: there is nothing to pack.
            return LavaArtefact(files={}, graph=graph, loihi=graph.with_ops(()), options=options)
        loihi = loihi_ops(graph)
        about = {
            "borders": borders_of(graph),
            "thermoc": thermoc.__version__,
            "lava": "0.10.0",
            "numpy": np.__version__,
            "dt": graph.dt,
        }
        files = emit.files(loihi, about, stock_only=options.stock_only)
        return LavaArtefact(files=files, graph=graph, loihi=loihi, options=options)

    def start(self, artefact: LavaArtefact, *, batch: int, position: NoisePosition) -> BackendSession:
        """Start host and Loihi, in Lava's own Python. Errors: T302, T404 for a first tick other than 0."""
        if artefact.options.runtime == "reference" or not artefact.files:
            return InterpretedSession(artefact.graph, batch=batch, position=position)
        alone = artefact.loihi == artefact.graph
        return (LavaSession if alone else HostAndLavaSession)(artefact, batch=batch, position=position)


def of_loihi(op: Op) -> bool:
    """Tell whether an op is a unit or a synapse of Loihi."""
    return op.opname.startswith("loihi.") and not isinstance(op, LoihiEncode | LoihiDecode)


def loihi_ops(graph: Graph) -> Graph:
    """Return the ops of Loihi as a graph of their own. Errors: T301 where the host would have to do its work."""
    if not any(isinstance(op, LoihiEncode | LoihiDecode) for op in graph.ops):
        return graph
    split = split_graph(graph)
    misplaced = [
        Finding(
            code="T301",
            what=f"{op.opname} ({op.results[0]}) is Loihi's, and stands where the host works",
            where=op.location,
            notes=("Loihi's ops lie between loihi.encode and loihi.decode, and are left once",),
            hint="hand its value out through loihi.decode, or keep host ops out from between Loihi's",
        )
        for op in (*split.before.ops, *split.after.ops)
        if of_loihi(op)
    ]
    if misplaced:
        raise ThermocError(misplaced)
    return split.loihi


def borders_of(graph: Graph) -> dict[str, dict[str, dict[str, object]]]:
    """Return what a border does to numbers, by the names of the inputs and outputs of Loihi's graph.

    An encode names the network's input that it reads, where it reads one.
    """
    split = split_graph(graph)
    encodes = {
        op.y.name: {"scale": op.scale, "bits": op.bits, "lag": op.lag, "every": op.every, "input": _input(graph, op)}
        for op in split.encodes
    }
    decodes = {op.x.name: {"scale": op.scale, "lag": op.lag, "every": op.every} for op in split.decodes}
    return {"encode": encodes, "decode": decodes}


def _input(graph: Graph, op: LoihiEncode) -> str | None:
    source = graph.producers[op.x.name]
    return source.name if isinstance(source, Input) else None
