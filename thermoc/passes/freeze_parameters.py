"""Parameters become constants where a target has to know their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from thermoc.ir.dialects import core, crossbar
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.parameters import behind, frozen
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log

STRUCTURE: dict[type[Op], tuple[str, ...]] = {core.SparseAffine: ("columns", "offsets"), crossbar.Mvm: ("scale",)}
"""Operands that say how an op is laid out, beside those of which the op itself says so."""
STARTS = ("initial", "i_initial", "velocity")
"""Operands that are initial values of states."""


@dataclass(frozen=True, kw_only=True)
class FrozenParameters:
    """Why parameters are constants of what was compiled, by name."""

    reasons: Mapping[str, str] = field(default_factory=dict[str, str])

    def __str__(self) -> str:
        return "\n".join(f"parameter {name} is frozen: {reason}" for name, reason in self.reasons.items())


@dataclass(frozen=True, kw_only=True)
class FreezeParameters(Pass):
    """Make constants of parameters: of all, or of those (``needed``) whose numbers an op needs when it is compiled.

    Such ops ask for constants; ``starts`` counts the initial values of states among them.
    """

    name: ClassVar[str] = "freeze-parameters"

    needed: bool = False
    starts: bool = True

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
        return [name for name, spec in op.operand_specs.items() if spec.constant or name in places]
