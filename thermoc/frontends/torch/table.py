"""The table of ATen's operators that are read. Families have their own files."""

from __future__ import annotations

import importlib
from typing import Any

from thermoc.frontends.torch.aten import ATEN, Function, find

FAMILIES = ("creation", "elementwise", "linear", "recurrent", "reduction", "shape")


def operators() -> dict[str, Function]:
    """Return every operator that is read by its own function, by name."""
    for family in FAMILIES:
        importlib.import_module(f"thermoc.frontends.torch.{family}")
    return ATEN


def readable(program: Any) -> bool:
    """Tell whether every operator of a program is read as it is, and none writes into its operands."""
    operators()
    targets = {node.target for node in program.graph.nodes if node.op == "call_function"}
    return all(not hasattr(target, "_schema") or _reads(target) for target in targets)


def _reads(target: Any) -> bool:
    supported = find(target) is not None or str(target._name).startswith("aten::sym_")
    return supported and not target._schema.is_mutable


def kept() -> dict[Any, Any]:
    """Return torch's decompositions without those of operators that are read as they are."""
    import torch

    operators()
    rules = torch.export.default_decompositions()
    return {operator: rule for operator, rule in rules.items() if find(operator) is None}
