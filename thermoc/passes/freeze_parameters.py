"""Parameters become constants where a target has to know their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from thermoc.ir.dialects import core, crossbar, sampling
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.parameters import behind, frozen
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log

STRUCTURE: dict[type[Op], tuple[str, ...]] = {core.SparseAffine: ("columns", "offsets"), crossbar.Mvm: ("scale",)}
"""Operands that say how an op is laid out, beside those of which the op itself says so."""
STARTS = ("initial", "i_initial", "velocity")
"""Operands that are initial values of states."""
COUPLINGS = ("J", "values")
"""Operands of coupled units whose numbers may change where the pairs that are coupled do not."""


@dataclass(frozen=True, kw_only=True)
class FrozenParameters:
    """Why parameters are constants of what was compiled, by name."""

    reasons: Mapping[str, str] = field(default_factory=dict[str, str])

    def __str__(self) -> str:
        return "\n".join(f"parameter {name} is frozen: {reason}" for name, reason in self.reasons.items())


@dataclass(frozen=True, kw_only=True)
class FreezeParameters(Pass):
    """Make constants of parameters: of all, or of those (``needed``) whose numbers an op needs when it is compiled.

    Such ops ask for constants; ``starts`` counts the initial values of states among them, and ``couplings`` the numbers
    of couplings between pairs that stay the same. Units that share words of noise need theirs in any case.
    """

    name: ClassVar[str] = "freeze-parameters"

    needed: bool = False
    starts: bool = True
    couplings: bool = True

    def run(self, graph: Graph, log: Log) -> Graph:
        reasons = self._needed(graph) if self.needed else dict.fromkeys(graph.parameters, "the target holds constants")
        if reasons:
            log.keep(FrozenParameters(reasons=reasons))
        for name, reason in reasons.items():
            log.changed(f"parameter {name}", old="replaceable", new="a constant", bound=f"none; {reason}")
        return frozen(graph, reasons.keys())

    def _needed(self, graph: Graph) -> dict[str, str]:
        """Return the parameters behind operands that have to be known, with the first such operand of each."""
        reasons: dict[str, str] = {}
        for op in graph.ops if graph.parameters else ():
            for name in self._structural(op):
                operand = getattr(op, name)
                for parameter in () if operand is None else behind(graph, operand):
                    reasons.setdefault(parameter, f"{op.opname} needs its {name} when it is compiled")
        return {name: reasons[name] for name in graph.parameters if name in reasons}

    def _structural(self, op: Op) -> list[str]:
        places = (*STRUCTURE.get(type(op), ()), *(STARTS if self.starts else ()))
        free = () if self.couplings or not _reweighed(op) else COUPLINGS
        specs = op.operand_specs.items()
        return [name for name, spec in specs if (spec.constant or name in places) and name not in free]


def _reweighed(op: Op) -> bool:
    """Tell whether an op goes on with other numbers of its couplings: one whose units draw noise one by one."""
    sampled = isinstance(op, sampling.Gibbs | sampling.GibbsSweeps)
    return isinstance(op, sampling.IsingEnergy) or (sampled and op.draws == "unit")
