"""Every instruction, by its opcode and by its name: collected from the files beside this one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from thermoc.simulator import instructions
from thermoc.simulator.instructions.declaration import Instruction, Trait
from thermoc.support.announced import INSTRUCTIONS as ANNOUNCED
from thermoc.support.announced import loaded, refuse


def _declared() -> Iterator[Instruction]:
    for module in pkgutil.iter_modules(instructions.__path__):
        # this file is being imported: its names are not all there yet
        if module.name != "registry":
            declared = vars(importlib.import_module(f"{instructions.__name__}.{module.name}"))
            yield from (value for value in declared.values() if isinstance(value, Instruction))


FOREIGN = 10_000
"""Opcodes of other packages' instructions begin here."""


def _foreign(known: Mapping[int, Instruction]) -> Iterator[Instruction]:
    """Yield the instructions of other packages (docs/plugins.md); one whose opcode or name is taken is left out."""
    opcodes, names = {*known}, {instruction.name for instruction in known.values()}
    for point, module in loaded(ANNOUNCED):
        for instruction in vars(module).values():
            if not isinstance(instruction, Instruction) or known.get(instruction.opcode) is instruction:
                continue
            if (
                instruction.opcode < FOREIGN
                or instruction.opcode in opcodes
                or instruction.name in names
                or not instruction.name.isidentifier()
            ):
                refuse(point, f"{instruction.name}, opcode {instruction.opcode}: taken, no name, or below {FOREIGN}")
                continue
            opcodes.add(instruction.opcode)
            names.add(instruction.name)
            yield instruction


def _by_opcode() -> dict[int, Instruction]:
    table = dict[int, Instruction]()
    for instruction in sorted(_declared(), key=int):
        if table.setdefault(instruction.opcode, instruction) is not instruction:
            raise TypeError(f"{instruction.name} and {table[instruction.opcode].name} have the same opcode")
    return table | {one.opcode: one for one in _foreign(table)}


INSTRUCTIONS: Mapping[int, Instruction] = MappingProxyType(_by_opcode())
BY_NAME: Mapping[str, Instruction] = MappingProxyType({one.name: one for one in INSTRUCTIONS.values()})


def opcodes(*traits: Trait) -> tuple[int, ...]:
    """Return the opcodes of the instructions that have one of some traits."""
    return tuple(opcode for opcode, instruction in INSTRUCTIONS.items() if instruction.traits & {*traits})
