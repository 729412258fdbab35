"""Brian2's passes, read top to bottom."""

from __future__ import annotations

from typing import Literal

from thermoc.backends.brian2.equations import as_they_are
from thermoc.backends.brian2.target import TARGET
from thermoc.backends.brian2.units import integrated
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.types import DType
from thermoc.passes import stages
from thermoc.passes.base import Pass
from thermoc.passes.canonicalize import Canonicalize
from thermoc.passes.freeze_parameters import FreezeParameters
from thermoc.passes.legalize import Legalize
from thermoc.passes.spike_encode import Inputs, SpikeEncode


def lower(
    coding: Literal["graded", "thermal", "rate"],
    input_range: tuple[float, float] | None,
    calibrate: Inputs | None,
    *,
    dt: float,
) -> list[Pass]:
    """Return the passes that bring a graph to Brian2; units keep their differential equations."""
    encode = (
        ()
        if coding == "graded"
        else (*stages.cleaned(), SpikeEncode(coding=coding, input_range=input_range, calibrate=calibrate))
    )
    freeze = FreezeParameters(needed=True)
    discrete = stages.discrete(dt=dt, dtype=DType.f64, keep=_kept, freeze=freeze)
    return [*encode, *discrete, Legalize(target=TARGET), Canonicalize()]


def _kept(op: Op, graph: Graph) -> bool:
    return integrated(op, graph) or as_they_are(op, graph)
