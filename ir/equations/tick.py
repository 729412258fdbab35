"""One tick of units that equations describe: the step, then threshold, reset and refractory time."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from thermoc.ir.equations.expressions import Expression, evaluate
from thermoc.ir.equations.methods import METHODS
from thermoc.ir.equations.motion import Motion, State

CHANGES: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda a, b: a / b,
}
"""What a statement such as v += 1 does, by its sign."""


@dataclass(frozen=True, kw_only=True)
class TickExpressions:
    """States after the tick, which units fired (None without a threshold), and the ticks each stays refractory.

    margin: what had to exceed what, where the threshold is one comparison.
    """

    x: list[Any]
    fired: Any = None
    held: Any = None
    margin: tuple[Any, Any] | None = None


def tick(m: Motion, method: str, x: State, held: Any = None, ticks: int = 0) -> TickExpressions:
    """Return what a tick makes of states x. held: ticks for which units stay refractory; a spike makes them ``ticks``.

    Variables flagged "unless refractory" keep their value in refractory units: their step is undone, and what others
    took from them within it is not.
    """
    choose = m.algebra.functions["where"]
    moved: list[Any] = METHODS[method].step(m, x)
    if held is not None:
        resting = m.algebra.compare(">", held, 0.0)
        holds = [line.held for line in m.system.slopes.values()]
        moved = [choose(resting, old, new) if keep else new for old, new, keep in zip(x, moved, holds)]
    if m.system.threshold is None:
        return TickExpressions(x=moved)
    fired, margin = _value(m, m.system.threshold, moved), _margin(m, m.system.threshold, moved)
    if held is None:
        return TickExpressions(x=_reset(m, fired, moved), fired=fired, margin=margin)
    fired = m.algebra.both(fired, m.algebra.compare("==", held, 0.0))
    waited = m.algebra.functions["max"](held - 1.0, 0.0)
    after = _reset(m, fired, moved)
    return TickExpressions(x=after, fired=fired, held=choose(fired, float(ticks), waited), margin=margin)


def _value(m: Motion, expression: Expression, x: State) -> Any:
    names = m.with_derived(m.environment(x, 1.0), [expression])
    return evaluate(expression, names, m.algebra)


def _margin(m: Motion, threshold: Expression, x: State) -> tuple[Any, Any] | None:
    """Return both sides of a comparison, the one that is to be greater first; only gradients ask."""
    sides = threshold.sides
    return None if sides is None or not m.margin else (_value(m, sides[0], x), _value(m, sides[1], x))


def _reset(m: Motion, fired: Any, x: list[Any]) -> list[Any]:
    """Return the states after the statements of the reset, one after the other."""
    after = list(x)
    for line in m.system.reset:
        index = m.system.variables.index(line.name)
        value = _value(m, line.expression, after)
        if line.operator:
            value = CHANGES[line.operator](after[index], value)
        after[index] = value
    choose = m.algebra.functions["where"]
    changed = {line.name for line in m.system.reset}
    variables = m.system.variables
    return [choose(fired, new, old) if name in changed else old for name, new, old in zip(variables, after, x)]
