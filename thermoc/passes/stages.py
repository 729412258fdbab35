"""Named lists of passes, read top to bottom. A backend's ``lower.py`` puts its own after them."""

from __future__ import annotations

from thermoc.ir.types import DType
from thermoc.passes.base import Pass
from thermoc.passes.canonicalize import Canonicalize
from thermoc.passes.discretize import Discretize, Keep, keep_none
from thermoc.passes.freeze_parameters import FreezeParameters
from thermoc.passes.fuse import Fuse
from thermoc.passes.infer_shapes import InferShapes
from thermoc.passes.set_precision import SetPrecision

FROZEN = FreezeParameters()


def cleaned(freeze: FreezeParameters = FROZEN) -> tuple[Pass, ...]:
    """Types known, constants folded, nothing dead, linear maps fused. freeze: which parameters become constants."""
    return (InferShapes(), freeze, Canonicalize(), Fuse())


def discrete(*, dt: float, dtype: DType, keep: Keep = keep_none, freeze: FreezeParameters = FROZEN) -> tuple[Pass, ...]:
    """One tick of length dt in one float format: what a clocked target starts from.

    keep: which ops stay as the differential equations they are, because the target integrates them itself.
    freeze: which parameters become constants.
    """
    return (*cleaned(freeze), Discretize(dt=dt, keep=keep), Canonicalize(), SetPrecision(dtype=dtype))
