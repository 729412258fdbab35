"""The passes that bring a graph to ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from thermoc.backends.onnx.target import TARGET
from thermoc.ir.types import DType
from thermoc.passes import stages
from thermoc.passes.base import Pass
from thermoc.passes.freeze_parameters import FreezeParameters
from thermoc.passes.legalize import Legalize
from thermoc.support.errors import error
from thermoc.support.suggestions import near

Precision = Literal["float32", "float64"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What ``tc.compile(net, target="onnx", ...)`` takes. Errors: T303.

    precision: the float format of every number. step: one tick a call, states in and out, instead of a whole run.
    """

    precision: Precision = "float32"
    step: bool = False

    def __post_init__(self) -> None:
        if self.precision not in get_args(Precision):
            notes = [f"it is {self.precision!r}", f"there are {', '.join(get_args(Precision))}"]
            raise error(
                "T303",
                "target 'onnx' has no such precision",
                notes=notes,
                hint=near(self.precision, get_args(Precision)),
            )
        if not isinstance(self.step, bool):
            raise error("T303", "target 'onnx': step is true or false", notes=[f"it is {self.step!r}"])


def lower(options: Options, *, dt: float) -> Sequence[Pass]:
    """Return the passes, the last of which refuses what ONNX cannot hold."""
    dtype = {"float32": DType.f32, "float64": DType.f64}[options.precision]
    freeze = FreezeParameters(needed=True)
    return (*stages.discrete(dt=dt, dtype=dtype, freeze=freeze), Legalize(target=TARGET))
