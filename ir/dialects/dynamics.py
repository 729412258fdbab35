"""Units by their differential equations, in Brian2's syntax: ordinary ones, and with noise.

The text is kept as it was written; ``ir/equations`` reads it, and steps it by a named method
(``ir/equations/methods``). ``tc.dynamics`` writes these ops, with names for their variables.

A unit's tick: the step with its inputs held, the threshold, the reset. So x is that after the tick, and a connection
back to the unit needs a ``core.delay``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, cast

from thermoc.ir.equations.methods import METHODS
from thermoc.ir.equations.problems import EquationProblem
from thermoc.ir.equations.reading import checked
from thermoc.ir.ops import (
    CONTINUOUS,
    STATEFUL,
    STOCHASTIC,
    Check,
    Op,
    Problem,
    attr,
    integers,
    non_negative,
    one_of,
    op,
    operand,
    operands,
    result,
)
from thermoc.ir.types import Role, Shape
from thermoc.ir.values import Value
from thermoc.support.array_types import AnyArray

_TEXT = Check("a text", lambda value: isinstance(value, str))
_TIME = Check("a time >= 0", lambda value: isinstance(value, int | float) and 0 <= value < float("inf"))
_NAMES = Check(
    "a tuple of names",
    lambda value: isinstance(value, tuple) and all(isinstance(name, str) for name in cast("tuple[Any, ...]", value)),
)
_NUMBERS = Check(
    "pairs (name, number)",
    lambda value: isinstance(value, tuple) and all(_named_number(pair) for pair in cast("tuple[Any, ...]", value)),
)


def _named_number(pair: Any) -> bool:
    if not (isinstance(pair, tuple) and len(cast("tuple[Any, ...]", pair)) == 2):
        return False
    name, number = cast("tuple[Any, Any]", pair)
    return isinstance(name, str) and isinstance(number, int | float) and abs(number) < float("inf")


@op("thermo.ode")
class Ode(Op):
    """dx/dt = f(x, given, t) as ``equations`` say it, one line a variable; a spike where ``threshold`` holds.

    x[k] is variable k, in the order of the lines. ``given`` are the values that ``names`` name, held over the tick;
    ``constants`` are numbers by name. method: the order and the demands of each stand in ``ir/equations/methods``.
    After a spike, variables flagged (unless refractory) keep their values for ``refractory / dt`` ticks, in which the
    unit does not spike. Errors: T113, T204 for ``refractory``, T214.
    """

    initial: Value = operand("?", uniform=True)
    given: tuple[Value, ...] = operands("?")
    equations: str = attr(check=_TEXT)
    variables: tuple[str, ...] = attr(check=_NAMES)
    names: tuple[str, ...] = attr(default=(), check=_NAMES)
    constants: tuple[tuple[str, float], ...] = attr(default=(), check=_NUMBERS)
    shape: Shape = attr(default=(), check=integers)
    threshold: str = attr(default="", check=_TEXT)
    reset: str = attr(default="", check=_TEXT)
    refractory: float = attr(default=0.0, check=_TIME, unit="time")
    method: str = attr(check=one_of(*METHODS))
    s: Value = result("*s", role=Role.spike)
    x: Value = result("*t")

    traits: ClassVar = frozenset({STATEFUL, CONTINUOUS})
    noisy: ClassVar = False

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        try:
            checked(self)
        except EquationProblem as problem:
            yield Problem(code="T113", what=problem.what, notes=problem.notes, hint=problem.hint)

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        return {"s": self.shape, "x": (len(self.variables), *self.shape)}

    def states(self) -> dict[str, Shape]:
        counters: dict[str, Shape] = {"held": self.s.shape} if self.refractory else {}
        return {"x": self.x.shape, **counters}


@op("thermo.sde")
class Sde(Ode):
    """dx = f(x, given, t) dt + sum_j b_j(x, t) dW_j: ``thermo.ode`` with noise xi, xi_a, ... in its equations.

    b_j is what stands before xi_j; the sense of noise that depends on a variable is that of the method. Noise j is draw
    j of ``stream``. Errors: as ``thermo.ode``.
    """

    stream: int = attr(check=non_negative)

    traits: ClassVar = frozenset({STATEFUL, STOCHASTIC, CONTINUOUS})
    noisy: ClassVar = True
