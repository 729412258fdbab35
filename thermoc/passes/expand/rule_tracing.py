"""Scalar rules of plain Python as core ops: what a rule does to one number, written for all units at once.

A rule is read as Python's syntax tree and walked with values of the graph in the place of numbers. A choice by a value
of the graph walks both ways and selects; what is known when it is compiled is decided there and then.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, cast

import numpy as np

from thermoc.ir.dialects import core
from thermoc.passes.rewriting import Expression, Rewriter

Names = dict[str, Any]
_COMPARISONS: dict[type[ast.cmpop], tuple[Any, Callable[[Any, Any], Any]]] = {
    ast.Gt: (core.Greater, np.greater),
    ast.Lt: (core.Less, np.less),
    ast.GtE: (core.GreaterEqual, np.greater_equal),
    ast.LtE: (core.LessEqual, np.less_equal),
    ast.Eq: (core.Equal, np.equal),
}
_NUMPY: dict[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in ("exp", "expm1", "log", "sqrt", "sin", "cos", "tanh", "sinh", "cosh")},
    "abs": np.abs,
    "min": np.minimum,
    "max": np.maximum,
    "power": np.power,
    "pow": np.power,
}
"""What functions of one or two numbers are on numbers that are known."""


class Untraceable(Exception):
    """A rule holds what core ops cannot say: the reason, in words."""


@cache
def _tree(function: Any) -> ast.FunctionDef:
    """Return the syntax tree of a function."""
    try:
        text = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        raise Untraceable(f"{function.__name__} has no text") from None
    return cast("ast.FunctionDef", ast.parse(text).body[0])


def _returns(statements: Sequence[ast.stmt]) -> bool:
    return any(isinstance(node, ast.Return) for statement in statements for node in ast.walk(statement))


class RuleTracer:
    """Walks rules, writing into ``w``. kept: the lists that rules change. instead: what to call for some functions."""

    def __init__(self, w: Rewriter, kept: Sequence[list[Any]], instead: Mapping[Any, Any]):
        self._w, self._kept, self._instead = w, kept, instead

    def __call__(self, function: Any, *arguments: Any) -> Any:
        """Return what a rule makes of its arguments: numbers, values of the graph, records and lists of them."""
        if function in self._instead:
            # a choice among models, of which one is known: (model, *arguments, row)
            chosen = self._instead[function]
            if chosen.rule is None:
                return chosen.default
            return self(chosen.rule, *arguments[1:-1], chosen.parameters)
        plain = getattr(function, "py_func", function)
        name = getattr(plain, "__name__", "")
        if name in _NUMPY:
            return self._elementary(name, arguments)
        if isinstance(plain, type):
            return plain(*arguments)
        tree = _tree(plain)
        names = dict(zip((argument.arg for argument in tree.args.args), arguments, strict=True))
        return self._block(tree.body, {**names, "": plain.__globals__})[1]

    def _elementary(self, name: str, arguments: Sequence[Any]) -> Any:
        w = self._w
        if not any(isinstance(argument, Expression) for argument in arguments):
            with np.errstate(all="ignore"):
                return _NUMPY[name](*arguments)
        x = arguments[0]
        if name in ("min", "max"):
            return (w.minimum if name == "min" else w.maximum)(*arguments)
        if name in ("power", "pow"):
            return w(core.Pow, a=x, b=arguments[1])
        if name == "cosh":
            return (w.exp(x) + w.exp(-x)) * 0.5
        if name == "sinh":
            above_one = w.expm1(x)
            return (above_one + above_one / (above_one + 1.0)) * 0.5
        classes = {"sin": core.Sin, "cos": core.Cos, "tanh": core.Tanh}
        return w(classes[name], x=x) if name in classes else getattr(w, name)(x)

    # ------------------------------------------------------------------------------------------------- statements

    def _block(self, statements: Sequence[ast.stmt], names: Names) -> tuple[bool, Any]:
        """Run statements; return whether they returned, and what."""
        for number, statement in enumerate(statements):
            if isinstance(statement, ast.Return):
                return True, None if statement.value is None else self._value(statement.value, names)
            if isinstance(statement, ast.If):
                returned, value = self._choice(statement, statements[number + 1 :], names)
                if returned:
                    return True, value
                continue
            self._statement(statement, names)
        return False, None

    def _statement(self, statement: ast.stmt, names: Names) -> None:
        if isinstance(statement, ast.Assign):
            self._assign(statement.targets[0], self._value(statement.value, names), names)
        elif isinstance(statement, ast.AugAssign):
            changed = ast.BinOp(left=_loaded(statement.target), op=statement.op, right=statement.value)
            self._assign(statement.target, self._value(changed, names), names)
        elif isinstance(statement, ast.Expr):
            self._value(statement.value, names)
        else:
            raise Untraceable("it repeats until a number is found")

    def _assign(self, target: ast.expr, value: Any, names: Names) -> None:
        if isinstance(target, ast.Tuple):
            for element, item in zip(target.elts, value, strict=True):
                self._assign(element, item, names)
        elif isinstance(target, ast.Name):
            names[target.id] = value
        elif isinstance(target, ast.Subscript):
            self._value(target.value, names)[self._value(target.slice, names)] = value
        else:
            raise Untraceable("it changes a record")

    def _choice(self, statement: ast.If, rest: Sequence[ast.stmt], names: Names) -> tuple[bool, Any]:
        """Run an ``if``: one way where it is known, else both and what follows where one of them returns."""
        condition = self._truth(self._value(statement.test, names))
        if not isinstance(condition, Expression):
            return self._block(statement.body if condition else statement.orelse, names)
        ends = _returns(statement.body) or _returns(statement.orelse)
        following = list(rest) if ends else []
        before = [list(one) for one in self._kept]
        one, other = dict(names), dict(names)
        _, first = self._block([*statement.body, *following], one)
        after = [list(kept) for kept in self._kept]
        self._restore(before)
        _, second = self._block([*statement.orelse, *following], other)
        self._restore(self._merged(condition, after, [list(kept) for kept in self._kept]))
        if ends:
            return True, self._merged(condition, first, second)
        for name in (one.keys() & other.keys()) - {""}:
            names[name] = self._merged(condition, one[name], other[name])
        return False, None

    def _restore(self, lists: Sequence[list[Any]]) -> None:
        for kept, values in zip(self._kept, lists):
            kept[:] = values

    def _merged(self, condition: Expression, a: Any, b: Any) -> Any:
        """Return a where the condition holds, else b."""
        if a is b or (isinstance(a, float | int) and isinstance(b, float | int) and a == b):
            return a
        if isinstance(a, list | tuple):
            sequence = cast("Sequence[Any]", a)
            parts = [self._merged(condition, *pair) for pair in zip(sequence, cast("Sequence[Any]", b), strict=True)]
            kind: Any = type(sequence)
            return kind(*parts) if hasattr(kind, "_fields") else kind(parts)
        return self._w.select(condition, a, b)

    # ------------------------------------------------------------------------------------------------ expressions

    def _truth(self, value: Any) -> Any:
        """Return a truth of all units, or the condition of the graph."""
        if isinstance(value, Expression):
            return value
        array = np.asarray(value)
        if array.all() == array.any():
            return bool(array.all())
        raise Untraceable("units differ in what they are made of: a capacitor or a heat capacity that some lack")

    def _value(self, node: ast.expr, names: Names) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return self._name(node.id, names)
        if isinstance(node, ast.Attribute):
            return getattr(self._value(node.value, names), node.attr)
        if isinstance(node, ast.Subscript):
            return self._value(node.value, names)[self._value(node.slice, names)]
        if isinstance(node, ast.Tuple):
            return tuple(self._value(item, names) for item in node.elts)
        if isinstance(node, ast.Call):
            arguments = [self._value(item, names) for item in node.args]
            return self(self._value(node.func, names), *arguments)
        if isinstance(node, ast.IfExp):
            condition = self._truth(self._value(node.test, names))
            if not isinstance(condition, Expression):
                return self._value(node.body if condition else node.orelse, names)
            return self._merged(condition, self._value(node.body, names), self._value(node.orelse, names))
        return self._operation(node, names)

    def _name(self, name: str, names: Names) -> Any:
        if name in names:
            return names[name]
        return names[""][name] if name in names[""] else getattr(builtins, name)

    def _operation(self, node: ast.expr, names: Names) -> Any:
        if isinstance(node, ast.BinOp):
            return self._arithmetic(node.op, self._value(node.left, names), self._value(node.right, names))
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self._compared(node.ops[0], self._value(node.left, names), self._value(node.comparators[0], names))
        if isinstance(node, ast.UnaryOp):
            value = self._value(node.operand, names)
            if isinstance(node.op, ast.USub):
                return -value
            return self._w(core.Not, x=value) if isinstance(value, Expression) else not value
        if isinstance(node, ast.BoolOp):
            return self._joined(node, names)
        raise Untraceable(f"it holds {ast.unparse(node)}")

    def _joined(self, node: ast.BoolOp, names: Names) -> Any:
        conjunction = isinstance(node.op, ast.And)
        total: Any = conjunction
        for one in node.values:
            value = self._truth(self._value(one, names))
            if not isinstance(value, Expression):
                if value != conjunction:
                    return value
            elif isinstance(total, Expression):
                total = self._w(core.And if conjunction else core.Or, a=total, b=value)
            else:
                total = value
        return total

    def _compared(self, op: ast.cmpop, a: Any, b: Any) -> Any:
        if isinstance(op, ast.NotEq):
            same = self._compared(ast.Eq(), a, b)
            return self._w(core.Not, x=same) if isinstance(same, Expression) else np.logical_not(same)
        cls, function = _COMPARISONS[type(op)]
        if isinstance(a, Expression) or isinstance(b, Expression):
            return self._w(cls, a=a, b=b)
        return function(a, b)

    def _arithmetic(self, op: ast.operator, a: Any, b: Any) -> Any:
        none = [isinstance(operand, float | int) and operand == 0 for operand in (a, b)]
        if isinstance(op, ast.Mult):
            return 0.0 if any(none) else a * b
        if isinstance(op, ast.Add):
            return b if none[0] else a if none[1] else a + b
        if isinstance(op, ast.Sub):
            return a if none[1] else a - b
        if isinstance(op, ast.Div):
            with np.errstate(all="ignore"):
                return 0.0 if none[0] and isinstance(b, Expression) else np.divide(a, b) if _known(a, b) else a / b
        if isinstance(op, ast.Pow):
            return self._raised(a, b)
        raise Untraceable("it holds an operator that is none of numbers")

    def _raised(self, a: Any, b: Any) -> Any:
        if not isinstance(a, Expression):
            return a**b
        if not (isinstance(b, int) and 1 <= b <= 4):
            return self._w(core.Pow, a=a, b=b)
        return math.prod([a] * (b - 1), start=a)


def _known(*values: Any) -> bool:
    return not any(isinstance(value, Expression) for value in values)


def _loaded(target: ast.expr) -> ast.expr:
    return ast.parse(ast.unparse(target), mode="eval").body
