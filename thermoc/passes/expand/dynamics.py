"""Units by equations as steps in core ops: what the reference does, on values of the graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from thermoc.ir.dialects import core, dynamics, thermo
from thermoc.ir.dialects.spiking import held_ticks
from thermoc.ir.equations import stability
from thermoc.ir.equations.expressions import Algebra
from thermoc.ir.equations.motion import Motion
from thermoc.ir.equations.problems import EquationProblem
from thermoc.ir.equations.reading import checked, known_matrix, numbers_of
from thermoc.ir.equations.system import System
from thermoc.ir.equations.tick import tick
from thermoc.ir.types import Role
from thermoc.passes.rewriting import Expression, Rewriter
from thermoc.support.errors import ThermocError, error


def unit(op: dynamics.Ode, w: Rewriter) -> tuple[Expression, Expression]:
    """Each variable is a delay; the step of the op's method moves it. Errors: T113, T214."""
    try:
        system = checked(op)
        if op.method == "exact":
            known_matrix(system, {*numbers_of(op), *_known(op, w)})
        _short_enough(op, system, w)
        return _unit(op, system, w)
    except EquationProblem as problem:
        raise _refused(op, problem) from None


def _refused(op: dynamics.Ode, problem: EquationProblem) -> ThermocError:
    what = f"{op.opname}: {problem.what}"
    return error(problem.code, what, where=op.location, notes=problem.notes, hint=problem.hint)


def _short_enough(op: dynamics.Ode, system: System, w: Rewriter) -> None:
    start = w.known(op.initial)
    if start is None:
        return
    numbers = numbers_of(op) | _known(op, w)
    rows = np.broadcast_to(start, (len(op.variables), *op.shape))
    stability.check(system, op.method, rows, numbers, w.dt)


def _known(op: dynamics.Ode, w: Rewriter) -> dict[str, Any]:
    """Return the numbers of those inputs that are constants."""
    return {name: constant for name, value in zip(op.names, op.given) if (constant := w.known(value)) is not None}


def _unit(op: dynamics.Ode, system: System, w: Rewriter) -> tuple[Expression, Expression]:
    n, numbers = len(op.variables), numbers_of(op)
    starts = [_row(w, w.broadcast(op.initial, op.x.shape), k, op) for k in range(n)]
    x = [w.delay(starts[0], start) for start in starts]
    counter = w.delay(starts[0], w.constant(0.0)) if op.refractory else None
    motion = Motion(
        system=system,
        algebra=algebra(w),
        names={**numbers, **{name: w[value] for name, value in zip(op.names, op.given)}},
        numbers=numbers | _known(op, w),
        dt=w.dt,
        time=lambda: w.time() * w.dt,
        normal=_draws(op, w),
        sqrt=lambda value: value**0.5 if isinstance(value, float) else w.sqrt(value),
    )
    after = tick(motion, op.method, x, counter, held_ticks(op, w.dt))
    new = [_whole(w, value, op) for value in after.x]
    for delayed, value in zip(x, new):
        w.feed(delayed, value)
    if counter is not None:
        w.feed(counter, _whole(w, after.held, op))
    stacked = w(core.Concat, xs=tuple(w.reshape(value, (1, *op.shape)) for value in new), axis=0)
    zeros = w.broadcast(w.constant(0.0, Role.spike), op.shape)
    return (zeros if after.fired is None else _spikes(op, w, after.fired)), stacked


def _row(w: Rewriter, stacked: Expression, k: int, op: dynamics.Ode) -> Expression:
    starts, stops = (k, *(0 for _ in op.shape)), (k + 1, *op.shape)
    row = w(core.Slice, x=stacked, starts=starts, stops=stops, steps=(1,) * len(stops))
    return w.reshape(row, op.shape)


def _whole(w: Rewriter, value: Any, op: dynamics.Ode) -> Expression:
    """Return a state in full: an equation may have made a number of it, or one for all units."""
    value = value if isinstance(value, Expression) else w.constant(value)
    return value if value.shape == op.shape else w.broadcast(value, op.shape)


def _spikes(op: dynamics.Ode, w: Rewriter, fired: Any) -> Expression:
    if not isinstance(fired, Expression):
        return w.broadcast(w.constant(float(fired), Role.spike), op.shape)
    s = w.number(fired, Role.spike)
    return s if s.shape == op.shape else w.broadcast(s, op.shape)


def _draws(op: dynamics.Ode, w: Rewriter) -> Callable[[int], Expression]:
    drawn: dict[int, Expression] = {}

    def normal(draw: int) -> Expression:
        if draw not in drawn:
            stream = getattr(op, "stream", 0)
            drawn[draw] = w(thermo.Normal, shape=op.shape, stream=stream, draw=draw, dtype=w.dtype)
        return drawn[draw]

    return normal


_SIMPLE: dict[str, Any] = {
    "exp": core.Exp,
    "expm1": core.Expm1,
    "log": core.Log,
    "sqrt": core.Sqrt,
    "sin": core.Sin,
    "cos": core.Cos,
    "tanh": core.Tanh,
    "abs": core.Abs,
    "sign": core.Sign,
    "floor": core.Floor,
}
_COMPARE: dict[str, Any] = {
    "<": core.Less,
    "<=": core.LessEqual,
    ">": core.Greater,
    ">=": core.GreaterEqual,
    "==": core.Equal,
}


@dataclass(frozen=True)
class _Functions:
    """Functions that are more than an op."""

    w: Rewriter

    def truth(self, value: Any) -> Any:
        """Return a truth value as one of the graph."""
        return self.w(core.Greater, a=float(value), b=0.5) if isinstance(value, bool) else value

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        return self.w.select(self.truth(condition), a, b)

    def int(self, truth: Any) -> Any:
        return self.w.number(self.truth(truth))

    def ceil(self, x: Any) -> Any:
        return -self.w.floor(-x)

    def tan(self, x: Any) -> Any:
        return self.w(core.Sin, x=x) / self.w(core.Cos, x=x)

    def sinh(self, x: Any) -> Any:
        grown = self.w.exp(x)
        return (grown - 1.0 / grown) * 0.5

    def cosh(self, x: Any) -> Any:
        grown = self.w.exp(x)
        return (grown + 1.0 / grown) * 0.5

    def exprel(self, x: Any) -> Any:
        at_zero = self.w(core.Equal, a=x, b=0.0)
        safe = self.w.select(at_zero, 1.0, x)
        return self.w.select(at_zero, 1.0, self.w.expm1(safe) / safe)

    def min(self, a: Any, b: Any) -> Any:
        return self.w.minimum(a, b)

    def max(self, a: Any, b: Any) -> Any:
        return self.w.maximum(a, b)

    def clip(self, x: Any, low: Any, high: Any) -> Any:
        return self.w.minimum(self.w.maximum(x, low), high)


def algebra(w: Rewriter) -> Algebra:
    """Return expressions as ops."""

    def op_of(cls: Any) -> Callable[..., Any]:
        def function(x: Any) -> Any:
            return w(cls, x=x)

        return function

    f = _Functions(w)
    further = ("where", "int", "ceil", "tan", "sinh", "cosh", "exprel", "min", "max", "clip")
    return Algebra(
        functions={name: op_of(cls) for name, cls in _SIMPLE.items()} | {name: getattr(f, name) for name in further},
        compare=lambda text, a, b: w(_COMPARE[text], a=a, b=b),
        power=lambda a, b: w(core.Pow, a=a, b=b),
        both=lambda a, b: w(core.And, a=f.truth(a), b=f.truth(b)),
        either=lambda a, b: w(core.Or, a=f.truth(a), b=f.truth(b)),
        negated=lambda a: w(core.Not, x=f.truth(a)),
    )


STEPS: dict[type[dynamics.Ode], Callable[[Any, Rewriter], Any]] = {dynamics.Ode: unit, dynamics.Sde: unit}
