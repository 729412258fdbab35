"""Lava's passes, read top to bottom."""

from __future__ import annotations

from collections.abc import Sequence

from thermoc.backends.lava.target import TARGET
from thermoc.passes import stages
from thermoc.passes.base import Pass
from thermoc.passes.legalize import Legalize


def lower(*, dt: float) -> Sequence[Pass]:
    """Return the passes that bring a graph to Lava."""
    return (*stages.cleaned(), Legalize(target=TARGET))
