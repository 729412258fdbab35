"""Physical dimensions of equations: units by Brian2's names, and what disagrees with them.

Once a unit other than 1 stands anywhere, everything is in SI: numbers are in base units, and time in seconds.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from thermoc.ir.equations.arrays import ARRAYS
from thermoc.ir.equations.expressions import CONSTANTS, Expression, evaluate, parse
from thermoc.ir.equations.system import STEP, TIME, System

Dimension = tuple[Fraction, ...]
"""Powers of meter, kilogram, second, ampere, kelvin, mole."""
BASE = ("meter", "kilogram", "second", "amp", "kelvin", "mole")
NONE: Dimension = (Fraction(0),) * len(BASE)


def _of(*powers: int) -> Dimension:
    return tuple(map(Fraction, powers))


_UNITS: dict[tuple[str, ...], tuple[float, Dimension]] = {
    ("meter", "metre"): (1.0, _of(1, 0, 0, 0, 0, 0)),
    ("gram",): (1e-3, _of(0, 1, 0, 0, 0, 0)),
    ("second", "s"): (1.0, _of(0, 0, 1, 0, 0, 0)),
    ("amp", "ampere", "A"): (1.0, _of(0, 0, 0, 1, 0, 0)),
    ("kelvin",): (1.0, _of(0, 0, 0, 0, 1, 0)),
    ("mole", "mol"): (1.0, _of(0, 0, 0, 0, 0, 1)),
    ("volt", "V"): (1.0, _of(2, 1, -3, -1, 0, 0)),
    ("ohm",): (1.0, _of(2, 1, -3, -2, 0, 0)),
    ("siemens", "S"): (1.0, _of(-2, -1, 3, 2, 0, 0)),
    ("farad", "F"): (1.0, _of(-2, -1, 4, 2, 0, 0)),
    ("coulomb", "C"): (1.0, _of(0, 0, 1, 1, 0, 0)),
    ("joule", "J"): (1.0, _of(2, 1, -2, 0, 0, 0)),
    ("watt", "W"): (1.0, _of(2, 1, -3, 0, 0, 0)),
    ("newton", "N"): (1.0, _of(1, 1, -2, 0, 0, 0)),
    ("pascal",): (1.0, _of(-1, 1, -2, 0, 0, 0)),
    ("hertz", "Hz"): (1.0, _of(0, 0, -1, 0, 0, 0)),
    ("molar",): (1e3, _of(-3, 0, 0, 0, 0, 1)),
}
_PREFIXES = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}


@cache
def units() -> Mapping[str, tuple[float, Dimension]]:
    """Return units by name: factor to SI, dimension. As in Brian2 none is a single letter: m and h are variables."""
    table = {
        prefix + name: (factor * size, dimension)
        for names, (size, dimension) in _UNITS.items()
        for name in names
        for prefix, factor in _PREFIXES.items()
        if len(prefix + name) > 1
    }
    lengths = {"cm": (1e-2, "meter"), "cmeter": (1e-2, "meter"), "mm": (1e-3, "meter"), "um": (1e-6, "meter")}
    table |= {name: (factor, table[base][1]) for name, (factor, base) in lengths.items()}
    return table


def scale(name: str) -> float | None:
    """Return how large a unit is in SI; None where a name is no unit."""
    unit = units().get(name)
    return None if unit is None else unit[0]


def text_of(dimension: Dimension) -> str:
    """Return a dimension as a unit: the named one where there is one, or one a second, else base units."""
    if dimension == NONE:
        return "1"
    named = {known: names[0] for names, (_, known) in _UNITS.items() if names[0] != "gram"}
    if dimension in named:
        return named[dimension]
    # What a slope has: a named unit in each second.
    if (whole := _times(dimension, BASE_TIME, 1)) in named:
        return f"{named[whole]}/second"
    parts = [f"{name}**{power}" if power != 1 else name for name, power in zip(BASE, dimension) if power]
    return "*".join(factor.replace("**-", "**-") for factor in parts)


def unit_of(expression: Expression) -> tuple[float, Dimension]:
    """Return size and dimension of a unit that is written: ``mV``, ``amp/meter**2``, ``1``. Raises EquationProblem."""
    for node in expression.names:
        if node.id not in units():
            hint = "there are volt, amp, second, ..., with prefixes: mV, nA, ms; and 1"
            raise expression.problem(node, f"there is no unit {node.id!r}", hint=hint)
    size = evaluate(expression, {name: factor for name, (factor, _) in units().items()}, ARRAYS)
    return float(size), _Dimensions(expression, {}).of(expression.tree)


def quantity(text: str) -> tuple[float, Dimension]:
    """Return a number with its unit as SI has it: ``"10*ms"`` is 0.01 and a time. Raises EquationProblem."""
    return unit_of(parse(text))


def given(system: System) -> bool:
    """Tell whether units are given: one other than 1 stands in a line, or in an expression."""
    lines = (*system.slopes.values(), *system.derived, *system.declared.values())
    return any(unit_of(line.unit) != (1.0, NONE) for line in lines) or any(name in units() for name in system.free)


def check(system: System, known: Mapping[str, Dimension]) -> None:
    """Raise EquationProblem at the first place where dimensions disagree. known: those of inputs and constants."""
    names = {TIME: BASE_TIME, STEP: BASE_TIME, **dict.fromkeys(CONSTANTS, NONE)}
    names |= {name: dimension for name, (_, dimension) in units().items()}
    names |= known
    names |= dict.fromkeys(system.noises, tuple(power * Fraction(-1, 2) for power in BASE_TIME))
    for line in (*system.slopes.values(), *system.derived, *system.declared.values()):
        names[line.name] = unit_of(line.unit)[1]
    for line in system.derived:
        _agree(line.expression, names, names[line.name], f"{line.name} is declared as", known)
    for line in system.slopes.values():
        _agree(line.expression, names, _times(names[line.name], BASE_TIME, -1), f"d{line.name}/dt is", known)
    if system.threshold is not None:
        _Dimensions(system.threshold, names).of(system.threshold.tree)
    for statement in system.reset:
        expected = NONE if statement.operator and statement.operator in "*/" else names[statement.name]
        _agree(statement.expression, names, expected, f"{statement.name} is", known)


BASE_TIME: Dimension = _of(0, 0, 1, 0, 0, 0)


def _agree(
    expression: Expression | None,
    names: Mapping[str, Dimension],
    wanted: Dimension,
    who: str,
    known: Mapping[str, Dimension],
) -> None:
    if expression is None:
        return
    dimension = _Dimensions(expression, names).of(expression.tree)
    if dimension not in (wanted, None):
        facts = (f"{who} {text_of(wanted)}", f"the expression is {text_of(dimension)}")
        plain = next((name for name in sorted(expression.reads()) if known.get(name) == NONE), None)
        hint = f'{plain} is given without a unit: {plain}="10*ms" has one' if plain else ""
        raise expression.problem(expression.tree, "units disagree", facts=facts, hint=hint)


def _times(a: Dimension, b: Dimension, power: Fraction | int) -> Dimension:
    return tuple(p + q * power for p, q in zip(a, b))


@dataclass(frozen=True)
class _Dimensions:
    """Dimensions of the nodes of an expression; None is a zero, which has any."""

    expression: Expression
    names: Mapping[str, Dimension]

    def of(self, node: ast.AST) -> Dimension:
        dimension = self._of(node)
        return NONE if dimension is None else dimension

    def _of(self, node: ast.AST) -> Dimension | None:
        if isinstance(node, ast.Constant):
            return None if node.value == 0 else NONE
        if isinstance(node, ast.Name):
            return self.names[node.id] if node.id in self.names else units().get(node.id, (1.0, NONE))[1]
        if isinstance(node, ast.UnaryOp):
            return self._of(node.operand)
        if isinstance(node, ast.BinOp):
            return self._binary(node)
        if isinstance(node, ast.Compare):
            self._same(node, [node.left, node.comparators[0]])
            return NONE
        if isinstance(node, ast.BoolOp):
            for value in node.values:
                self._of(value)
            return NONE
        assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        return self._call(node, node.func.id)

    def _binary(self, node: ast.BinOp) -> Dimension | None:
        if isinstance(node.op, (ast.Add, ast.Sub)):
            return self._same(node, [node.left, node.right])
        left, right = self.of(node.left), self.of(node.right)
        if isinstance(node.op, ast.Pow):
            return self._power(node, left, right)
        return _times(left, right, 1 if isinstance(node.op, ast.Mult) else -1)

    def _power(self, node: ast.BinOp, base: Dimension, exponent: Dimension) -> Dimension:
        if exponent != NONE:
            raise self.expression.problem(node.right, f"an exponent has the unit {text_of(exponent)}")
        if base == NONE:
            return NONE
        try:
            power = float(ast.literal_eval(node.right))
        except (ValueError, TypeError):
            what = f"a quantity in {text_of(base)} takes a number as its exponent"
            raise self.expression.problem(node.right, what) from None
        return tuple(p * Fraction(power).limit_denominator(64) for p in base)

    def _same(self, node: ast.AST, members: list[ast.expr]) -> Dimension | None:
        pairs = [(member, self._of(member)) for member in members]
        dimensioned = [(member, dimension) for member, dimension in pairs if dimension is not None]
        for member, dimension in dimensioned[1:]:
            if dimension != dimensioned[0][1]:
                first, second = text_of(dimensioned[0][1]), text_of(dimension)
                facts = (f"what stands before is {first}", f"this is {second}")
                raise self.expression.problem(member, f"{first} and {second} do not go together", facts=facts)
        return dimensioned[0][1] if dimensioned else None

    def _call(self, node: ast.Call, name: str) -> Dimension | None:
        if name in ("abs", "floor", "ceil"):
            return self._of(node.args[0])
        if name == "sqrt":
            return tuple(power / 2 for power in self.of(node.args[0]))
        if name in ("min", "max", "clip"):
            return self._same(node, node.args)
        if name == "where":
            self._of(node.args[0])
            return self._same(node, node.args[1:])
        dimension = self.of(node.args[0])
        if name not in ("sign", "int") and dimension != NONE:
            what = f"{name} takes a number without a unit, and this is {text_of(dimension)}"
            raise self.expression.problem(node.args[0], what)
        return NONE
