"""The target ``twolevel-text``: the lowered graph as text, run by the reference interpreter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from thermoc.backends.base import Artefact, Backend
from thermoc.backends.interpreted import InterpretedSession
from thermoc.ir.target import TargetDescription
from thermoc.passes.discretize import Discretize
from thermoc.passes.legalize import Legalize

TARGET = TargetDescription(
    name="twolevel-text",
    summary="two-level units as text",
    ops=frozenset({"core.input", "core.output", "core.probe", "core.constant", "core.neg", "twolevel.free_energy"}),
    refused={"core.sin": "it has no sine"},
)


@dataclass(frozen=True, kw_only=True)
class Options:
    """None."""


@dataclass(frozen=True, kw_only=True)
class Text(Artefact):
    """A graph as its text."""

    suffix: ClassVar[str] = ".txt"

    graph: object

    def to_bytes(self):
        return str(self.graph).encode()


class TextBackend(Backend):
    """The four verbs."""

    name = "twolevel-text"
    Options = Options

    def target(self):
        return TARGET

    def lower(self, options, *, dt):
        return [Discretize(dt=dt), Legalize(target=TARGET)]

    def emit(self, lowered, options):
        return Text(graph=lowered.graph)

    def start(self, artefact, *, batch, position):
        return InterpretedSession(artefact.graph, batch=batch, position=position)
