"""What a rule or a kernel is handed in the text of a GPU's kernel, by the names of its arguments.

Of a rule of points: ``r x y z``, a sample's elements each; ``xi yi zi``, the elements at the point (that of an operand
of one element for all points); ``x_given`` and so on, whether there is one; ``i`` the point, ``s`` the sample in the
batch, ``phase``; ``float_scratch``, ``int_scratch``; ``float_states``, ``int_states``, a sample's. Of both, what
``kernels.adapter`` names: the parameters, ``table``, ``constants``, ``position``, ``tick``, ``turn``, ``batch``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from thermoc.simulator.instructions.declaration import Instruction
from thermoc.simulator.kernels.adapter import kernel_of, named


def function_of(instruction: Instruction) -> Callable[..., Any]:
    """Return what is called at a point: the rule of an element, that of a point, or the kernel for a whole sample."""
    if instruction.rule is not None:
        return instruction.rule
    return named(instruction.points.rule) if instruction.points else kernel_of(instruction)


def asks(instruction: Instruction) -> tuple[str, ...]:
    """Return the names of what a row's function is handed."""
    names = tuple(inspect.signature(function_of(instruction)).parameters)
    # the rule of an element is handed the elements of its operands in their order, whatever it calls them
    return tuple(f"{operand}i" for operand in "xyz"[: len(names)]) if instruction.rule is not None else names
