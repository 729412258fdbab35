"""Brian2's passes, read top to bottom."""

from __future__ import annotations

from collections.abc import Sequence

from thermoc.backends.brian2.target import TARGET
from thermoc.backends.brian2.units import integrated
from thermoc.ir.types import DType
from thermoc.passes import stages
from thermoc.passes.base import Pass
from thermoc.passes.canonicalize import Canonicalize
from thermoc.passes.legalize import Legalize


def lower(*, dt: float) -> Sequence[Pass]:
    """Return the passes that bring a graph to Brian2; units keep their differential equations."""
    return (*stages.discrete(dt=dt, dtype=DType.f64, keep=integrated), Legalize(target=TARGET), Canonicalize())
