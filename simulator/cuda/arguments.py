"""What a rule or a kernel is handed in the text of a GPU's kernel, by the names of its arguments.

``r x y z``, a sample's elements each; ``ri xi yi zi``, the elements at the point (that of an operand of one element for
all points); ``x_given`` and so on, whether there is one; ``n`` the elements of a result, or of the first operand where
there is none; ``i`` the point, of ``count``; ``s`` the sample in the batch, ``phase``; ``like``, a float of its format;
``float_scratch``, ``int_scratch``; ``float_states``, ``int_states``, a sample's; ``index``, where in the table the
row's own places start; ``collision``, for each sample a tick and two particles, -1 before. Further, what
``kernels.adapter`` names: the parameters, ``table``, ``constants``, ``position``, ``tick``, ``turn``, ``batch``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from thermoc.simulator.instructions.declaration import Instruction
from thermoc.simulator.kernels.adapter import named


def function_of(instruction: Instruction) -> Callable[..., Any]:
    """Return what is called at a point: the rule of an element, or that of a point."""
    if instruction.rule is not None:
        return instruction.rule
    assert instruction.points is not None, f"{instruction} is not said point by point"
    return named(f"points.{instruction.points.rule}")


def asks(instruction: Instruction) -> tuple[str, ...]:
    """Return the names of what a row's function is handed."""
    names = tuple(inspect.signature(function_of(instruction)).parameters)
    # the rule of an element is handed the elements of its operands in their order, whatever it calls them
    return tuple(f"{operand}i" for operand in "xyz"[: len(names)]) if instruction.rule is not None else names
