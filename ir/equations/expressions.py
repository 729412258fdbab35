"""Expressions of equations: a subset of Python's, read without evaluating anything, and computed in any algebra.

An algebra says what functions and comparisons are for its kind of value: NumPy's arrays, values of a graph, SymPy's
expressions, physical dimensions. So an expression means the same in each, operation by operation, as it was written.
"""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# (small functions in tables take what their callers take)

from __future__ import annotations

import ast
import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from thermoc.ir.equations.problems import EquationProblem
from thermoc.support.plurals import counted
from thermoc.support.suggestions import near

LONGEST = 4000
"""Letters of a line."""
DEEPEST = 150
"""Operations within each other; a sum of n terms is n deep."""
LARGEST_POWER = 8
"""Whole powers up to this are products."""


def _exprel(x: float) -> float:
    return math.expm1(x) / x if x else 1.0


FUNCTIONS: dict[str, tuple[int, Callable[..., float]]] = {
    "exp": (1, math.exp),
    "expm1": (1, math.expm1),
    "exprel": (1, _exprel),
    "log": (1, math.log),
    "sqrt": (1, math.sqrt),
    "sin": (1, math.sin),
    "cos": (1, math.cos),
    "tan": (1, math.tan),
    "sinh": (1, math.sinh),
    "cosh": (1, math.cosh),
    "tanh": (1, math.tanh),
    "abs": (1, math.fabs),
    "sign": (1, lambda x: float((x > 0) - (x < 0))),
    "floor": (1, math.floor),
    "ceil": (1, math.ceil),
    "int": (1, float),
    "clip": (3, lambda x, low, high: min(max(x, low), high)),
    "min": (2, min),
    "max": (2, max),
    "where": (3, lambda condition, a, b: a if condition else b),
}
"""Functions by name: how many arguments, and what they are of Python's numbers. min, max and where are not Brian2's."""
CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf, "True": True, "False": False}
_COMPARISONS: dict[type[ast.cmpop], str] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "=="}
_HINTS: dict[type[ast.AST], str] = {
    ast.BitXor: "a power is written **",
    ast.Mod: "write x - m*floor(x/m)",
    ast.FloorDiv: "write floor(a/b)",
    ast.NotEq: "write not (a == b)",
}
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)


@dataclass(frozen=True, eq=False)
class Expression:
    """A checked expression: its tree, its text, and where it stands in its line."""

    tree: ast.expr
    text: str
    line: str
    start: int

    def problem(self, node: ast.AST, what: str, *, facts: tuple[str, ...] = (), hint: str = "") -> EquationProblem:
        """Return the problem at a node."""
        column = self.start + len(self.text.encode()[: getattr(node, "col_offset", 0)].decode(errors="ignore"))
        return EquationProblem(what, self.line, column, facts=facts, hint=hint)

    @cached_property
    def names(self) -> tuple[ast.Name, ...]:
        """The names it reads, in order; not those of functions."""
        functions = {id(node.func) for node in ast.walk(self.tree) if isinstance(node, ast.Call)}
        nodes = (node for node in ast.walk(self.tree) if isinstance(node, ast.Name) and id(node) not in functions)
        return tuple(sorted(nodes, key=lambda node: node.col_offset))

    @cached_property
    def sides(self) -> tuple[Expression, Expression] | None:
        """Both sides of a comparison, the one that is to be greater first; None for any other expression."""
        node = self.tree
        if not isinstance(node, ast.Compare) or isinstance(node.ops[0], ast.Eq):
            return None
        left, right = (dataclasses.replace(self, tree=side) for side in (node.left, node.comparators[0]))
        return (left, right) if isinstance(node.ops[0], (ast.Gt, ast.GtE)) else (right, left)

    @cached_property
    def _read(self) -> frozenset[str]:
        return frozenset(node.id for node in self.names)

    def reads(self) -> frozenset[str]:
        """Return the names it reads."""
        return self._read


def parse(text: str, line: str = "", start: int = 0) -> Expression:
    """Return the expression of a text that stands in ``line`` from column ``start``. Raises EquationProblem."""
    line = line or text
    if len(text) > LONGEST:
        raise EquationProblem(f"an expression has {len(text)} letters, at most {LONGEST}")
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as reason:
        column = start + min(max((reason.offset or 1) - 1, 0), len(text))
        raise EquationProblem(f"this cannot be read: {reason.msg}", line, column) from None
    except (ValueError, RecursionError, MemoryError) as reason:
        raise EquationProblem(f"this cannot be read: {type(reason).__name__}", line, start) from None
    expression = Expression(tree, text, line, start)
    _check_depth(expression)
    for node in ast.walk(tree):
        _check(expression, node)
    return expression


def _check_depth(expression: Expression) -> None:
    waiting: list[tuple[ast.AST, int]] = [(expression.tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > DEEPEST:
            hint = "give parts of it names: a = ... : 1"
            raise expression.problem(node, f"more than {DEEPEST} operations stand within each other", hint=hint)
        waiting += [(child, depth + 1) for child in ast.iter_child_nodes(node)]


def _check(expression: Expression, node: ast.AST) -> None:
    if isinstance(node, (ast.operator, ast.unaryop, ast.cmpop, ast.boolop, ast.expr_context, ast.Name)):
        return
    if isinstance(node, ast.Constant):
        _check_number(expression, node)
    elif isinstance(node, ast.BinOp):
        if not isinstance(node.op, _OPERATORS):
            location = _operator(expression, node)
            raise expression.problem(location, "there is no such operator", hint=_HINTS.get(type(node.op), ""))
    elif isinstance(node, ast.UnaryOp):
        if not isinstance(node.op, (ast.USub, ast.UAdd, ast.Not)):
            raise expression.problem(node, "there is no such operator")
    elif isinstance(node, ast.Compare):
        if len(node.ops) > 1 or type(node.ops[0]) not in _COMPARISONS:
            hint = _HINTS.get(type(node.ops[0]), "compare two at a time: a < b and b < c")
            raise expression.problem(node, "there is no such comparison", hint=hint)
    elif isinstance(node, ast.Call):
        _check_call(expression, node)
    elif not isinstance(node, ast.BoolOp):
        raise expression.problem(node, "an equation has numbers, names, + - * / **, comparisons and functions")


def _operator(expression: Expression, node: ast.BinOp) -> ast.AST:
    """Return a place at the operator, which a tree does not tell."""
    end = node.left.end_col_offset or 0
    between = expression.text[end : node.right.col_offset]
    return ast.Pass(lineno=1, col_offset=end + len(between) - len(between.lstrip(" )")))


def _check_number(expression: Expression, node: ast.Constant) -> None:
    if not isinstance(node.value, (int, float)):
        raise expression.problem(node, "this is no number")
    if not isinstance(node.value, bool) and not abs(node.value) < 1e300:
        raise expression.problem(node, "this number is too large")


def _check_call(expression: Expression, node: ast.Call) -> None:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name not in FUNCTIONS:
        hint = near(name, FUNCTIONS, f"there are {', '.join(FUNCTIONS)}")
        raise expression.problem(node, f"there is no function {name!r}", hint=hint)
    expected = FUNCTIONS[name][0]
    if node.keywords or len(node.args) != expected:
        raise expression.problem(node, f"{name} takes {counted(expected, 'argument')}")


@dataclass(frozen=True, kw_only=True)
class Algebra:
    """What an expression is computed with; operators + - * / and unary - are the values' own.

    functions: those of ``FUNCTIONS``. compare: (text, a, b). power: (a, b). both, either, negated: of truth values.
    """

    functions: Mapping[str, Callable[..., Any]]
    compare: Callable[[str, Any, Any], Any]
    power: Callable[[Any, Any], Any]
    both: Callable[[Any, Any], Any]
    either: Callable[[Any, Any], Any]
    negated: Callable[[Any], Any]
    symbolic: bool = False
    """Numbers are kept, so that 2**(1/2) stays what it is."""


def evaluate(expression: Expression, names: Mapping[str, Any], algebra: Algebra) -> Any:
    """Return what an expression is for these values of its names. Raises EquationProblem where numbers have none."""
    return _Evaluation(expression, names, algebra).of(expression.tree)


class _Evaluation:
    def __init__(self, expression: Expression, names: Mapping[str, Any], algebra: Algebra):
        self.expression, self.names, self.algebra = expression, names, algebra

    def of(self, node: ast.AST) -> Any:
        try:
            return self._of(node)
        except (ZeroDivisionError, OverflowError, ValueError) as reason:
            raise self.expression.problem(node, f"these numbers give none: {reason}") from None

    def _of(self, node: ast.AST) -> Any:
        a = self.algebra
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return self.names[node.id] if node.id in self.names else CONSTANTS[node.id]
        if isinstance(node, ast.UnaryOp):
            return self._unary(node)
        if isinstance(node, ast.BinOp):
            return self._binary(node)
        if isinstance(node, ast.BoolOp):
            first, *operands = (self.of(value) for value in node.values)
            for operand in operands:
                first = (a.both if isinstance(node.op, ast.And) else a.either)(first, operand)
            return first
        if isinstance(node, ast.Compare):
            left, right = self.of(node.left), self.of(node.comparators[0])
            return a.compare(_COMPARISONS[type(node.ops[0])], left, right)
        assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        arguments = [self.of(argument) for argument in node.args]
        if all(map(_is_number, arguments)):
            return float(FUNCTIONS[node.func.id][1](*arguments))
        return a.functions[node.func.id](*arguments)

    def _unary(self, node: ast.UnaryOp) -> Any:
        x = self.of(node.operand)
        if isinstance(node.op, ast.Not):
            return self.algebra.negated(x)
        return -x if isinstance(node.op, ast.USub) else x

    def _binary(self, node: ast.BinOp) -> Any:
        x, y = self.of(node.left), self.of(node.right)
        if isinstance(node.op, ast.Pow):
            return self._power(x, y)
        if isinstance(node.op, ast.Add):
            return x + y
        if isinstance(node.op, ast.Sub):
            return x - y
        return x * y if isinstance(node.op, ast.Mult) else x / y

    def _power(self, x: Any, y: Any) -> Any:
        if self.algebra.symbolic:
            return self.algebra.power(x, y)
        if _is_number(x) and _is_number(y):
            power = float(x) ** float(y)
            if isinstance(power, complex):
                raise ValueError("a power of a negative number")
            return power
        # Products round alike on every target, where their powers may not.
        exponent = int(y) if _is_number(y) and float(y).is_integer() else 0
        if 0 < abs(exponent) <= LARGEST_POWER:
            product = x
            for _ in range(abs(exponent) - 1):
                product = product * x
            return product if exponent > 0 else 1.0 / product
        return self.algebra.power(x, y)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not hasattr(value, "dtype")
