"""Backends that run the reference on their lowered graph, right or with one fault, to see that faults are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from thermoc.backends.base import Artefact, Backend, Outcome, Place
from thermoc.ir.dialects import core, thermo
from thermoc.ir.feed import Feed
from thermoc.ir.graph import Graph
from thermoc.ir.ops import REGISTRY, Op
from thermoc.ir.reference import interpret
from thermoc.ir.target import TargetDescription
from thermoc.ir.types import DType
from thermoc.ir.values import Array
from thermoc.passes import stages
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Lowered
from thermoc.passes.legalize import Legalize

TARGET = TargetDescription(name="double", summary="the reference in the place of a target", ops=frozenset(REGISTRY))


@dataclass(frozen=True, kw_only=True)
class Options:
    """extra: a pass to run before the others."""

    extra: Pass | None = None


@dataclass(frozen=True, kw_only=True)
class Held(Artefact):
    graph: Graph
    suffix: ClassVar[str] = ".txt"

    def to_bytes(self) -> bytes:
        return str(self.graph).encode()


class Right(Backend):
    """No fault."""

    name: ClassVar[str] = "right"
    Options: ClassVar[type] = Options
    fault: ClassVar[Callable[[Op], Op]] = staticmethod(lambda op: op)

    def target(self) -> TargetDescription:
        return TARGET

    def lower(self, options: Options, *, dt: float) -> Sequence[Pass]:
        passes = list(stages.discrete(dt=dt, dtype=DType.f64))
        return passes if options.extra is None else [*passes, options.extra]

    def emit(self, lowered: Lowered, options: Any) -> Held:
        return Held(graph=lowered.graph.with_ops(type(self).fault(op) for op in lowered.graph.ops))

    def run(self, artefact: Held, feed: Feed, place: Place) -> Outcome:
        with np.errstate(all="ignore"):
            trace = interpret(artefact.graph, feed, seed=place.seed)
        return Outcome(outputs=trace.outputs, states=trace.states)


class WrongSign(Right):
    """a - b comes out as b - a."""

    name = "wrong-sign"
    fault = staticmethod(lambda op: op.with_(a=op.b, b=op.a) if isinstance(op, core.Sub) else op)


class WrongStream(Right):
    """Normals come from the stream of another op."""

    name = "wrong-stream"
    fault = staticmethod(lambda op: op.with_(stream=op.stream + 1) if isinstance(op, thermo.Normal) else op)


class LateDelay(Right):
    """Delays longer than a tick take one too many."""

    name = "late-delay"
    fault = staticmethod(lambda op: op.with_(ticks=op.ticks + 1) if getattr(op, "ticks", 1) > 1 else op)


def _one_weight(op: Op) -> Op:
    if not isinstance(op, core.Constant) or op.value.numpy.ndim != 2:
        return op
    array = op.value.numpy.copy()
    array[-1, 0] *= 1 + 1e-6
    return op.with_(value=Array(array))


class OneWeight(Right):
    """One entry of each matrix is a millionth too large: the last row, first column."""

    name = "one-weight"
    fault = staticmethod(_one_weight)


class Strict(Right):
    """> comes out as >=."""

    name = "strict"
    fault = staticmethod(
        lambda op: (
            core.GreaterEqual(a=op.a, b=op.b, y=op.y, location=op.location) if isinstance(op, core.Greater) else op
        )
    )


class Never(Right):
    """Nothing is greater than anything."""

    name = "never"
    fault = staticmethod(lambda op: op.with_(b=op.a) if isinstance(op, core.Greater) else op)


class Absent(Right):
    """Its runtime is not installed."""

    name = "absent"

    def run(self, artefact: Held, feed: Feed, place: Place) -> Outcome:
        from thermoc.support.errors import error

        raise error("T302", "running this needs nothing that exists", hint="pip install nothing")


class Modest(Right):
    """Cannot hold a sine, and says so."""

    name = "modest"

    def target(self) -> TargetDescription:
        return replace(TARGET, name=self.name, refused={"core.sin": "it has no sine"}, ops=TARGET.ops - {"core.sin"})

    def lower(self, options: Options, *, dt: float) -> Sequence[Pass]:
        return [*super().lower(options, dt=dt), Legalize(target=self.target())]


@dataclass(frozen=True, kw_only=True)
class Broken(Pass):
    """Turns tanh into sin."""

    name: ClassVar[str] = "broken"

    def run(self, graph: Graph, log: Any) -> Graph:
        sin = REGISTRY["core.sin"]
        return graph.with_ops(
            sin(x=op.inputs[0], y=op.results[0]) if op.opname == "core.tanh" else op for op in graph.ops
        )


@dataclass(frozen=True, kw_only=True)
class LosesSigns(Pass):
    """Drops a sign where a product stands before it: wrong in context alone."""

    name: ClassVar[str] = "loses-signs"

    def run(self, graph: Graph, log: Any) -> Graph:
        def right(op: Op) -> Op:
            if op.opname != "core.neg" or not isinstance(graph.producers[op.inputs[0].name], core.Matmul):
                return op
            return REGISTRY["core.abs"](x=op.inputs[0], y=op.results[0])

        return graph.with_ops(right(op) for op in graph.ops)


class LeftBehind(Right):
    """Outputs are right, but the state it leaves is not."""

    name = "left-behind"

    def run(self, artefact: Held, feed: Feed, place: Place) -> Outcome:
        right = super().run(artefact, feed, place)
        return Outcome(outputs=right.outputs, states={name: array + 1 for name, array in right.states.items()})


ALL = (Right, WrongSign, WrongStream, LateDelay, OneWeight, Strict, Never, Absent, LeftBehind, Modest)
DOUBLES = {cls.name: f"doubles:{cls.__name__}" for cls in ALL}
