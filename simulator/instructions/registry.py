"""Every instruction, by its opcode and by its name: collected from the files beside this one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from thermoc.simulator import instructions
from thermoc.simulator.instructions.declaration import Instruction, Trait


def _declared() -> Iterator[Instruction]:
    for module in pkgutil.iter_modules(instructions.__path__):
        # this file is being imported: its names are not all there yet
        if module.name != "registry":
            declared = vars(importlib.import_module(f"{instructions.__name__}.{module.name}"))
            yield from (value for value in declared.values() if isinstance(value, Instruction))


def _by_opcode() -> dict[int, Instruction]:
    table = dict[int, Instruction]()
    for instruction in sorted(_declared(), key=int):
        if table.setdefault(instruction.opcode, instruction) is not instruction:
            raise TypeError(f"{instruction.name} and {table[instruction.opcode].name} have the same opcode")
    return table


INSTRUCTIONS: Mapping[int, Instruction] = MappingProxyType(_by_opcode())
BY_NAME: Mapping[str, Instruction] = MappingProxyType({one.name: one for one in INSTRUCTIONS.values()})


def opcodes(*traits: Trait) -> tuple[int, ...]:
    """Return the opcodes of the instructions that have one of some traits."""
    return tuple(opcode for opcode, one in INSTRUCTIONS.items() if one.traits & {*traits})
