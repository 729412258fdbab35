"""The pass ``harden-units``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from thermoc.ir.dialects.core import Constant
from thermoc.passes.base import Pass
from thermoc.passes.rewriting import rewrite
from thermoc_twolevel.ops import FreeEnergy


@dataclass(frozen=True, kw_only=True)
class HardenUnits(Pass):
    """Write units that are colder than ``below`` as max(x, 0), off by at most T ln 2."""

    name: ClassVar[str] = "harden-units"

    below: float = 0.1

    def run(self, graph, log):
        numbers = {op.y.name: op.value.numpy for op in graph.of(Constant)}
        cold = {
            op.y.name
            for op in graph.of(FreeEnergy)
            if op.T.name in numbers and float(numbers[op.T.name].max()) < self.below
        }

        def hard(op, w):
            if op.y.name not in cold:
                return w(FreeEnergy, x=op.x, T=op.T)
            T = float(numbers[op.T.name].max())
            log.changed(f"{op.y.name}: unit", old=f"T = {T:g}", new="max(x, 0)", bound=T * math.log(2))
            return w.maximum(w[op.x], 0.0)

        return rewrite(graph, {FreeEnergy: hard}) if cold else graph
