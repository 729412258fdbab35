"""The dialect ``twolevel``: its ops, each stated once."""

from __future__ import annotations

from typing import ClassVar

from thermoc.ir.ops import COMPOUND, CURVED, RISING, Op, op, operand, result
from thermoc.ir.types import Role
from thermoc.ir.values import Value


@op("twolevel.free_energy")
class FreeEnergy(Op):
    """y = T ln(1 + e^(x / T)): minus the free energy of a unit with the levels 0 and -x. It rises with x and with T."""

    x: Value = operand("*s")
    T: Value = operand("~s", role=Role.temperature)
    y: Value = result("*s")

    traits: ClassVar = frozenset({COMPOUND, RISING, CURVED})
