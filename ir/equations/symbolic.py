"""What SymPy says of a system: its Jacobian, which of it is linear, how noise enters. SymPy is imported when asked.

Every answer is an expression of ``expressions.py`` again, so that it is computed as any other.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false
# (SymPy has no types)

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# (small functions in tables take what their callers take)

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from thermoc.ir.equations.expressions import FUNCTIONS, LARGEST_POWER, Algebra, Expression, evaluate, parse
from thermoc.ir.equations.problems import EquationProblem
from thermoc.ir.equations.system import System

Entries = dict[tuple[int, int], Expression]
"""The entries of a matrix that are not 0, by row and column."""


@cache
def _algebra() -> Algebra:
    import sympy

    def exprel(x: Any) -> Any:
        return _exprel_class()(x)

    def compare(text: str, a: Any, b: Any) -> Any:
        classes = {"<": sympy.Lt, "<=": sympy.Le, ">": sympy.Gt, ">=": sympy.Ge, "==": sympy.Eq}
        return classes[text](a, b)

    def where(condition: Any, a: Any, b: Any) -> Any:
        return sympy.Piecewise((a, condition), (b, True))

    functions = {name: getattr(sympy, name) for name in ("exp", "log", "sqrt", "sin", "cos", "tan")}
    functions |= {name: getattr(sympy, name) for name in ("sinh", "cosh", "tanh")}
    functions |= {name: _flat_class(name) for name in ("sign", "floor", "ceil")}
    functions |= {
        "abs": sympy.Abs,
        "min": sympy.Min,
        "max": sympy.Max,
        "expm1": lambda x: sympy.exp(x) - 1,
        "exprel": exprel,
        "int": lambda truth: where(truth, 1, 0),
        "clip": lambda x, low, high: sympy.Min(sympy.Max(x, low), high),
        "where": where,
    }
    assert functions.keys() == FUNCTIONS.keys()
    return Algebra(
        functions=functions,
        compare=compare,
        power=_power,
        both=sympy.And,
        either=sympy.Or,
        negated=sympy.Not,
        symbolic=True,
    )


def _power(a: Any, b: Any) -> Any:
    """Return a power; of numbers a float, since SymPy would work out every digit of 9**9**9."""
    import sympy

    a, b = sympy.sympify(a), sympy.sympify(b)
    if a.is_number and b.is_number and not (b.is_Rational and abs(b) <= LARGEST_POWER):
        return float(a) ** float(b)
    return sympy.Pow(a, b)


@cache
def _exprel_class() -> Any:
    import sympy

    class exprel(sympy.Function):
        """(e^x - 1) / x."""

        def fdiff(self, argindex: int = 1) -> Any:
            x = self.args[0]
            return sympy.Piecewise((sympy.Rational(1, 2), sympy.Eq(x, 0)), ((sympy.exp(x) - exprel(x)) / x, True))

    return exprel


@cache
def _flat_class(name: str) -> Any:
    """Return a function of steps: its slope is 0 but where it jumps, at which SymPy would have a delta."""
    import sympy

    return type(name, (sympy.Function,), {"fdiff": lambda self, argindex=1: sympy.Integer(0)})


@cache
def _printer() -> Any:
    from sympy.printing.str import StrPrinter

    class Printer(StrPrinter):
        """Texts that ``parse`` reads."""

        # repr reads back as the same float64; SymPy's own text has 15 digits.
        def _print_Float(self, expr: Any) -> str:
            return repr(float(expr))

        def _print_Piecewise(self, expr: Any) -> str:
            *cases, (last, _) = expr.args
            text = self._print(last)
            for value, condition in reversed(cases):
                text = f"where({self._print(condition)}, {self._print(value)}, {text})"
            return text

        def _print_Equality(self, expr: Any) -> str:
            return f"({self._print(expr.lhs)} == {self._print(expr.rhs)})"

        def _print_Relational(self, expr: Any) -> str:
            return f"({self._print(expr.lhs)} {expr.rel_op} {self._print(expr.rhs)})"

        def _print_And(self, expr: Any) -> str:
            return "(" + " and ".join(map(self._print, expr.args)) + ")"

        def _print_Or(self, expr: Any) -> str:
            return "(" + " or ".join(map(self._print, expr.args)) + ")"

        def _print_Not(self, expr: Any) -> str:
            return f"not ({self._print(expr.args[0])})"

        def _print_Abs(self, expr: Any) -> str:
            return f"abs({self._print(expr.args[0])})"

        def _print_Heaviside(self, expr: Any) -> str:
            return f"int({self._print(expr.args[0])} > 0)"

        def _print_Min(self, expr: Any) -> str:
            return self._nested("min", expr)

        def _print_Max(self, expr: Any) -> str:
            return self._nested("max", expr)

        def _nested(self, name: str, expr: Any) -> str:
            first, *terms = map(self._print, expr.args)
            for term in terms:
                first = f"{name}({first}, {term})"
            return first

    return Printer()


@dataclass(frozen=True, eq=False)
class Analysis:
    """Drift f and noise b of dx_i = f_i dt + sum_j b_ij dW_j, and their derivatives."""

    system: System

    @cached_property
    def _symbols(self) -> dict[str, Any]:
        import sympy

        names = {name for expression in self.system.expressions for name in expression.reads()}
        return {name: sympy.Symbol(name, real=True) for name in (*names, *self.system.variables)}

    @cached_property
    def _slopes(self) -> list[Any]:
        import sympy

        values: dict[str, Any] = dict(self._symbols) | {"pi": sympy.pi, "e": sympy.E}
        for line in self.system.derived:
            assert line.expression is not None
            values[line.name] = evaluate(line.expression, values, _algebra())
        slopes = (line.expression for line in self.system.slopes.values())
        return [sympy.sympify(evaluate(slope, values, _algebra())) for slope in slopes if slope is not None]

    @cached_property
    def _drift(self) -> list[Any]:
        return [slope.subs({self._symbols[name]: 0 for name in self.system.noises}) for slope in self._slopes]

    @cached_property
    def _diffusion(self) -> dict[tuple[int, int], Any]:
        noises = [self._symbols[name] for name in self.system.noises]
        entries: dict[tuple[int, int], Any] = {}
        for i, (slope, line) in enumerate(zip(self._slopes, self.system.slopes.values())):
            for j, noise in enumerate(noises):
                b = slope.diff(noise)
                if b.has(*noises):
                    assert line.expression is not None
                    node = next(node for node in line.expression.names if node.id == self.system.noises[j])
                    raise line.expression.problem(node, f"{node.id} must enter linearly", hint="write b*xi")
                if b != 0:
                    entries[i, j] = b
        return entries

    @cached_property
    def drift(self) -> list[Expression]:
        """f_i, as expressions of names alone."""
        return [_back(f) for f in self._drift]

    @cached_property
    def diffusion(self) -> Entries:
        """b_ij: row i is a variable, column j a noise."""
        return {key: _back(b) for key, b in self._diffusion.items()}

    @cached_property
    def _jacobian(self) -> dict[tuple[int, int], Any]:
        x = [self._symbols[name] for name in self.system.variables]
        entries = {(i, j): f.diff(xj) for i, f in enumerate(self._drift) for j, xj in enumerate(x)}
        return {key: self._settled(entry) for key, entry in entries.items() if entry != 0}

    def _settled(self, entry: Any) -> Any:
        """Return an entry, simplified where it seems to depend on variables: v may cancel."""
        x = {self._symbols[name] for name in self.system.variables}
        if not entry.free_symbols & x or entry.count_ops() > 200:
            return entry
        import sympy

        return sympy.cancel(entry) if not entry.has(sympy.Piecewise, sympy.Abs, sympy.Derivative) else entry

    @cached_property
    def jacobian(self) -> Entries:
        """df_i / dx_j."""
        return {key: _back(entry) for key, entry in self._jacobian.items()}

    @cached_property
    def curved(self) -> tuple[int, int] | None:
        """The first place (equation, variable) where the drift is not linear; None where it is linear."""
        x = {self._symbols[name] for name in self.system.variables}
        return next((key for key, entry in self._jacobian.items() if entry.free_symbols & x), None)

    @cached_property
    def curved_alone(self) -> int | None:
        """The first equation that is not linear in its own variable; None where each is."""
        for i, name in enumerate(self.system.variables):
            diagonal = self._jacobian.get((i, i))
            if diagonal is not None and self._symbols[name] in diagonal.free_symbols:
                return i
        return None

    @cached_property
    def diagonal(self) -> bool:
        """Tell whether no variable drives another."""
        return all(i == j for i, j in self._jacobian)

    @cached_property
    def additive(self) -> bool:
        """Tell whether no noise depends on a variable."""
        x = {self._symbols[name] for name in self.system.variables}
        return not any(b.free_symbols & x for b in self._diffusion.values())

    @cached_property
    def separate(self) -> bool:
        """Tell whether each noise enters one equation alone."""
        columns = [j for _, j in self._diffusion]
        return len(columns) == len(set(columns))

    @cached_property
    def milstein(self) -> dict[tuple[int, int, int], Expression]:
        """(L^j b_k)_i = sum_l b_lj db_ik/dx_l by (i, j, k), where not 0. Raises EquationProblem where order matters."""
        x = [self._symbols[name] for name in self.system.variables]
        b, noises = self._diffusion, range(len(self.system.noises))
        terms: dict[tuple[int, int, int], Any] = {}
        for i in range(len(x)):
            for j in noises:
                for k in noises:
                    if (i, k) in b:
                        term = sum(b[i_, j] * b[i, k].diff(x[i_]) for i_ in range(len(x)) if (i_, j) in b)
                        terms[i, j, k] = term
        for (i, j, k), term in terms.items():
            other = terms.get((i, k, j), 0)
            if j < k and (term - other).expand() != 0:
                line = list(self.system.slopes.values())[i].expression
                hint = "take stochastic_heun (order 1/2), or euler"
                raise EquationProblem("milstein needs noises that commute", line.line if line else "", hint=hint)
        return {key: _back(term) for key, term in terms.items() if term != 0}

    @cached_property
    def timed(self) -> bool:
        """Tell whether the drift or the noise depends on the time itself."""
        t = self._symbols.get("t")
        return t is not None and any(entry.has(t) for entry in (*self._drift, *self._diffusion.values()))


def _back(expression: Any) -> Expression:
    text = _printer().doprint(expression)
    try:
        return parse(text)
    except EquationProblem:
        hint = "choose euler or rk4, which need no derivative"
        raise EquationProblem("its derivative has no form here", text[:100], hint=hint) from None


@cache
def _analysis(system: System) -> Analysis:
    return Analysis(system)


def analysis(system: System) -> Analysis:
    """Return what SymPy says of a system; computed when asked, and kept."""
    return _analysis(system)
