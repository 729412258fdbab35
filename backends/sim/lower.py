"""The simulator's passes, read top to bottom."""

from __future__ import annotations

from collections.abc import Sequence

from thermoc.backends.sim.target import TARGET
from thermoc.ir.types import DType
from thermoc.passes import stages
from thermoc.passes.base import Pass
from thermoc.passes.canonicalize import Canonicalize
from thermoc.passes.explicit_broadcast import ExplicitBroadcast
from thermoc.passes.freeze_parameters import FreezeParameters
from thermoc.passes.legalize import Legalize

NEEDED = FreezeParameters(needed=True, starts=False, couplings=False)
"""The simulator asks for the numbers of structure alone: which units are coupled, and not how much."""


def lower(
    precision: str, *, dt: float, crossbars: Sequence[Pass] = (), freeze: FreezeParameters = NEEDED
) -> Sequence[Pass]:
    """Return the passes that bring a graph to the simulator; ``crossbars`` put products on cells first."""
    dtype = DType.f64 if precision == "float64" else DType.f32
    return (
        *stages.discrete(dt=dt, dtype=dtype, freeze=freeze),
        *crossbars,
        Legalize(target=TARGET),
        ExplicitBroadcast(),
        # Expansions of many ops write the same constants and terms again: they are folded and merged once more.
        Canonicalize(),
    )
