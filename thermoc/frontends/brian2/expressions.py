"""Brian2's expressions, as its code generator hands them out: read as trees, never evaluated as Python."""

from __future__ import annotations

import ast
from collections.abc import Callable

import numpy as np

from thermoc.frontends.brian2 import algebra
from thermoc.frontends.brian2.algebra import Term
from thermoc.frontends.brian2.site import ObjectSite

Names = Callable[[str], Term]
Calls = Callable[[str, list[ast.expr], Callable[[ast.expr], Term]], Term]

_BINARY: dict[type[ast.operator], str] = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div"}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
    ast.Eq: "equal",
}


class Reader:
    """Computes an expression: ``names`` and ``calls`` say what its names and functions are. Errors: T508."""

    def __init__(self, site: ObjectSite, names: Names, calls: Calls):
        self.site, self.names, self.calls = site, names, calls

    def read(self, text: str) -> Term:
        """Return the term of a text."""
        return self.of(ast.parse(text.strip(), mode="eval").body)

    def of(self, node: ast.expr) -> Term:
        """Return the term of a node."""
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return node.value
        if isinstance(node, ast.Name):
            return self.names(node.id)
        if isinstance(node, ast.UnaryOp):
            return self._unary(node)
        if isinstance(node, ast.BinOp):
            return self._binary(node)
        if isinstance(node, ast.BoolOp):
            return self._logical(node)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self._compare(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            return self.calls(node.func.id, node.args, self.of)
        raise self.site.refuse(f"{ast.unparse(node)} has no meaning for a network")

    def _unary(self, node: ast.UnaryOp) -> Term:
        term = self.of(node.operand)
        if isinstance(node.op, ast.Not):
            return algebra.apply("not", algebra.truth(term))
        return algebra.apply("neg", term) if isinstance(node.op, ast.USub) else term

    def _binary(self, node: ast.BinOp) -> Term:
        a, b = self.of(node.left), self.of(node.right)
        kind = type(node.op)
        if kind in _BINARY:
            return _plain(_BINARY[kind], a, b)
        if kind is ast.Pow:
            return power(a, b)
        if kind is ast.Mod:
            return modulo(a, b)
        if kind is ast.FloorDiv:
            return (
                algebra.apply("floor", algebra.apply("div", a, b)) if algebra.computed(a, b) else np.floor_divide(a, b)
            )
        raise self.site.refuse(f"{ast.unparse(node)} has no meaning for a network")

    def _logical(self, node: ast.BoolOp) -> Term:
        name = "and" if isinstance(node.op, ast.And) else "or"
        first, *operands = (algebra.truth(self.of(value)) for value in node.values)
        for operand in operands:
            first = algebra.apply(name, first, operand)
        return first

    def _compare(self, node: ast.Compare) -> Term:
        a, b = self.of(node.left), self.of(node.comparators[0])
        if isinstance(node.ops[0], ast.NotEq):
            return algebra.apply("not", algebra.apply("equal", a, b))
        name = _COMPARE.get(type(node.ops[0]))
        if name is None:
            raise self.site.refuse(f"{ast.unparse(node)} has no meaning for a network")
        return algebra.apply(name, a, b)


def _plain(name: str, a: Term, b: Term) -> Term:
    """Return a sum, product, ...; what changes nothing is left out."""
    if name == "mul" and _is(a, 1.0) and algebra.computed(b):
        return algebra.number(b)
    if name in ("mul", "div") and _is(b, 1.0) and algebra.computed(a):
        return algebra.number(a)
    if name == "add" and _is(a, 0.0) and algebra.computed(b):
        return algebra.number(b)
    if name in ("add", "sub") and _is(b, 0.0) and algebra.computed(a):
        return algebra.number(a)
    return algebra.apply(name, a, b)


def _is(term: Term, value: float) -> bool:
    return not algebra.computed(term) and np.ndim(term) == 0 and term == value


def power(a: Term, b: Term) -> Term:
    """Return a^b; squares and roots as NumPy has them, exactly rounded."""
    if not algebra.computed(a, b):
        with np.errstate(all="ignore"):
            return np.power(algebra.number(a), b)
    if _is(b, 1.0):
        return algebra.number(a)
    if _is(b, 2.0):
        return algebra.apply("mul", a, a)
    if _is(b, 0.5):
        return algebra.apply("sqrt", a)
    if _is(b, -1.0):
        return algebra.apply("div", 1.0, a)
    return algebra.apply("pow", a, b)


def modulo(a: Term, b: Term) -> Term:
    """Return the rest of a / b as NumPy has it, without rounding where b is a number.

    b is split into 26 bits and the rest, so that both products with the quotient are exact (below 2^26).
    """
    if not algebra.computed(a, b):
        return np.mod(a, b)
    quotient = algebra.apply("floor", algebra.apply("div", a, b))
    if algebra.computed(b):
        return algebra.apply("sub", a, algebra.apply("mul", quotient, b))
    b = algebra.number(b)
    high = b * 134217729.0 - (b * 134217729.0 - b)
    remainder = algebra.apply("sub", a, algebra.apply("mul", quotient, high))
    if (b != high).any():
        remainder = algebra.apply("sub", remainder, algebra.apply("mul", quotient, b - high))
    below, above = algebra.apply("less", remainder, 0.0), algebra.apply("greater_equal", remainder, b)
    remainder = algebra.select(below, algebra.apply("add", remainder, b), remainder)
    return algebra.select(above, algebra.apply("sub", remainder, b), remainder)
