"""What passes must know of the ops beyond their traits."""

from __future__ import annotations

from thermoc.passes.analysis.error_bounds import ErrorRule
from thermoc_twolevel.ops import FreeEnergy


def carried(op, inexact, constants):
    """The slope in x is at most 1; a temperature that is off is not asked here."""
    return inexact[op.x.name] if set(inexact) == {op.x.name} else None


ERRORS = {FreeEnergy: ErrorRule(carry=carried)}
VECTOR = {FreeEnergy: 4}
