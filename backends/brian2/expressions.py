"""Elementwise ops as Brian2 expressions. Numbers of every dtype but bool are floats there."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from thermoc.ir.dialects import core, thermo
from thermoc.ir.ops import Op
from thermoc.ir.types import DType, Type

OPERATORS: dict[type[Op], str] = {
    core.Add: "+",
    core.Sub: "-",
    core.Mul: "*",
    core.Div: "/",
    core.Pow: "**",
    core.Less: "<",
    core.LessEqual: "<=",
    core.Greater: ">",
    core.GreaterEqual: ">=",
    core.Equal: "==",
    core.And: "and",
    core.Or: "or",
}
FUNCTIONS: dict[type[Op], str] = {
    core.Abs: "abs",
    core.Sign: "sign",
    core.Exp: "exp",
    core.Expm1: "expm1",
    core.Log: "log",
    core.Sqrt: "sqrt",
    core.Sin: "sin",
    core.Cos: "cos",
    core.Tanh: "tanh",
    core.Floor: "floor",
    core.Minimum: "minimum",
    core.Maximum: "maximum",
    core.Select: "choose",
}


def cast(op: Any, x: str) -> str:
    """Truth to 0 and 1, numbers to whole numbers towards zero, numbers to truth."""
    source, target = _dtype(op.x.type), op.dtype
    if source is DType.bool:
        return x if target is DType.bool else f"1.0 * int({x})"
    if target is DType.bool:
        return f"{x} != 0"
    if target.is_float or not source.is_float:
        return x
    # floor alone takes negative numbers away from zero.
    return f"sign({x}) * floor(abs({x}))"


def noise(op: Any, function: str) -> str:
    """A draw at the block of each unit."""
    units = math.prod(op.shape)
    return f"{function}({units}.0 * sample0 + i, {TICK}, {op.draw}.0, {op.stream}.0, key0, key1)"


TICK = "tick0 + t_in_timesteps"
DRAWS = {thermo.Uniform: "philox_uniform", thermo.Normal: "philox_normal"}
OTHERS: dict[type[Op], Callable[..., str]] = {
    core.Neg: lambda op, x: f"-{x}",
    core.Not: lambda op, x: f"not {x}",
    core.Cast: cast,
    core.Tick: lambda op: TICK,
}
ELEMENTWISE = frozenset({*OPERATORS, *FUNCTIONS, *OTHERS, *DRAWS})


def expression(op: Op, operands: Sequence[str], noise_source: str) -> str:
    """Return the op of these operands, each a name, a number or in brackets."""
    cls = type(op)
    if cls in OPERATORS:
        a, b = operands
        return f"{a} {OPERATORS[cls]} {b}"
    if cls in FUNCTIONS:
        return f"{FUNCTIONS[cls]}({', '.join(operands)})"
    if cls in DRAWS:
        if noise_source == "brian2":
            return {"philox_uniform": "rand()", "philox_normal": "randn()"}[DRAWS[cls]]
        return noise(op, DRAWS[cls])
    return OTHERS[cls](op, *operands)


def atom(text: str) -> str:
    """Return the text in brackets, unless it is a name, a number or a call."""
    plain = text.replace("_", "").replace(".", "").isalnum()
    return text if plain or _is_call(text) else f"({text})"


def _is_call(text: str) -> bool:
    head, bracket, _ = text.partition("(")
    if not bracket or not head.replace("_", "").isalnum() or not text.endswith(")"):
        return False
    depth = 0
    for position, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and letter == ")":
            return position == len(text) - 1
    return False


def number(value: Any) -> str:
    """Return a constant of any dtype as Brian2 reads it; negative ones in brackets."""
    if isinstance(value, bool):
        return str(value)
    # repr is the shortest text that reads back as the same float64.
    text = repr(float(value))
    return f"({text})" if text.startswith("-") else text


def _dtype(kind: Type) -> DType:
    return kind.dtype
