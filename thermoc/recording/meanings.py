"""What the numbers of each output mean: axes, roles, levels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thermoc.ir.dialects.core import Input
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.types import Role, Shape
from thermoc.ir.values import Value
from thermoc.recording.levels import Levels, levels

UNITS = {
    Role.energy: "energy, k_B = 1",
    Role.temperature: "energy, k_B = 1",
    Role.probability: "1",
    Role.spike: "1",
    Role.index: "1",
}


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """Of one output: names of its own axes, its role, and the two levels of its units, None where they have others."""

    axes: tuple[str, ...]
    role: str = "signal"
    levels: Levels | None = None

    @property
    def attrs(self) -> dict[str, Any]:
        """What a file says of it."""
        units = UNITS.get(Role(self.role))
        pair = {} if self.levels is None else {"levels": list(self.levels)}
        return {"role": self.role, **({"units": units} if units else {}), **pair}

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"axes": list(self.axes), "role": self.role, "levels": self.levels and list(self.levels)}

    @staticmethod
    def of(document: Mapping[str, Any]) -> Meaning:
        """Return what ``to_json`` wrote."""
        pair = document["levels"]
        return Meaning(axes=tuple(document["axes"]), role=document["role"], levels=pair and (pair[0], pair[1]))


def meanings(source: Graph) -> dict[str, Meaning]:
    """Return the meaning of each output and probe. Outputs of one population share their axes."""
    population, named = _populations(source), dict[tuple[int, Shape], tuple[str, ...]]()
    by_name: dict[str, Meaning] = {}
    for name, op in source.outputs.items():
        shape = op.x.shape
        axes = named.setdefault((population[op.x.name], shape), _axes(name, len(shape)))
        by_name[name] = Meaning(axes=axes, role=str(op.x.role), levels=levels(source, op.x))
    return by_name


def _axes(name: str, rank: int) -> tuple[str, ...]:
    return (f"{name}_unit",) if rank == 1 else tuple(f"{name}_{axis}" for axis in range(rank))


def _populations(graph: Graph) -> dict[str, int]:
    """Return the number of each value's population: of the values whose units correspond one by one."""
    # not networkx, whose import takes longer than a first result
    number = {name: k for k, name in enumerate(graph.producers)}
    members = {k: [name] for name, k in number.items()}
    for op in graph.ops:
        for value in op.inputs:
            for result in op.results:
                few, many = sorted((number[value.name], number[result.name]), key=lambda k: len(members[k]))
                if few != many and _unit_by_unit(graph, op, value, result):
                    number |= dict.fromkeys(members[few], many)
                    members[many] += members.pop(few)
    return number


def _unit_by_unit(graph: Graph, op: Op, value: Value, result: Value) -> bool:
    """Tell whether the dimensions of an operand and a result have the same letters in the op's own signature."""
    # What is stored may serve several populations: only what comes from units tells which they are.
    source = graph.producers[value.name]
    if not value.shape or value.shape != result.shape or not (source.inputs or isinstance(source, Input)):
        return False
    letters = {name.name: spec.shape for name, spec in zip(op.results, op.result_specs.values())}
    of = next(name.split("[")[0] for name, operand in op.operand_values if operand == value)
    return op.operand_specs[of].shape.lstrip("*~") == letters[result.name].lstrip("*~")
