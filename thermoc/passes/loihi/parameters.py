"""Parameters of an op as numbers that Loihi can hold, and the error where they are not: T205."""

from __future__ import annotations

from typing import Any

import numpy as np

from thermoc.ir.ops import Op
from thermoc.ir.types import Shape
from thermoc.ir.values import Value
from thermoc.passes.loihi.drives import Drives
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import ThermocError, error


def relaxation(method: str, rate: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the decay of a variable over a tick, and the fraction of its target that is added.

    method: "euler" and "semi_implicit" take 1 - rate, "exact" exp(-rate), where rate is dt / tau.
    """
    # expm1 keeps the digits of a short step, which 1 - exp(-rate) would lose.
    return (1 - rate, rate) if method in ("euler", "semi_implicit") else (np.exp(-rate), -np.expm1(-rate))


def parameter(op: Any, name: str, drives: Drives) -> FloatArray:
    """Return an operand's numbers. Errors: T205 where they are not known when the network is compiled."""
    value: Value = getattr(op, name)
    numbers = drives.constants.get(value.name)
    if numbers is None:
        raise no_loihi_form(op, op.results[0], f"{name} ({value}) is no constant")
    return numbers.astype(float)


def per_unit(numbers: Any, shape: Shape) -> FloatArray:
    """Return numbers broadcast to one for each unit, flat."""
    return np.broadcast_to(np.asarray(numbers, float), shape).reshape(-1)


def no_loihi_form(op: Op, value: Value | str, *notes: str, hint: str = "") -> ThermocError:
    """Return the error that a population cannot be written for Loihi."""
    return error("T205", f"{op.opname} ({value}) has no Loihi form", where=op.location, notes=notes, hint=hint)
