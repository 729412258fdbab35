"""Whether a step of a method is short enough: the growth of a mode where the equations say that it decays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from thermoc.ir.equations.arrays import ARRAYS
from thermoc.ir.equations.expressions import evaluate
from thermoc.ir.equations.problems import EquationProblem
from thermoc.ir.equations.symbolic import analysis
from thermoc.ir.equations.system import STEP, TIME, System
from thermoc.support.array_types import AnyArray

GROWTH: dict[str, Callable[[complex], complex]] = {
    "euler": lambda z: 1 + z,
    "heun": lambda z: 1 + z + z * z / 2,
    "rk2": lambda z: 1 + z + z * z / 2,
    "rk4": lambda z: 1 + z + z * z / 2 + z**3 / 6 + z**4 / 24,
    "milstein": lambda z: 1 + z,
    "stochastic_heun": lambda z: 1 + z + z * z / 2,
}
"""By method, what a step of dt makes of x in dx/dt = s x, z = s dt. exact and exponential_euler are not here: they
decay where the equation does."""
ALLOWED = 1 + 1e-6


def check(system: System, method: str, x: AnyArray, numbers: Mapping[str, Any], dt: float) -> None:
    """Raise EquationProblem where a mode that decays at the start would grow: T214. x: (variables, *units).

    numbers: of inputs and constants that are known; where others enter the slopes, nothing is said.
    """
    if method not in GROWTH:
        return
    environment = {**numbers, STEP: dt, TIME: 0.0}
    with np.errstate(all="ignore"):
        J = _jacobian(system, x, environment)  # pyright: ignore[reportConstantRedefinition]
    if J is None or not np.isfinite(J).all():
        return
    rates, modes = np.linalg.eig(J.reshape(-1, *J.shape[-2:]))
    for unit, (values, vectors) in enumerate(zip(rates, modes)):
        for rate, mode in zip(values, vectors.T):
            if rate.real < 0 and abs(GROWTH[method](complex(rate) * dt)) > ALLOWED:
                raise _stiff(system, method, complex(rate), mode, dt, unit)


def _jacobian(system: System, x: AnyArray, known: Mapping[str, Any]) -> AnyArray | None:
    n = len(system.variables)
    names = {**known, **dict(zip(system.variables, x))}
    entries: dict[tuple[int, int], Any] = {}
    for key, entry in analysis(system).jacobian.items():
        if entry.reads() - names.keys() - {"pi", "e"}:
            return None
        entries[key] = evaluate(entry, names, ARRAYS)
    shape = np.broadcast_shapes(*(np.shape(entry) for entry in entries.values()))
    J = np.zeros((*shape, n, n))  # pyright: ignore[reportConstantRedefinition]
    for key, entry in entries.items():
        J[(..., *key)] = entry
    return J


def _stiff(system: System, method: str, rate: complex, mode: AnyArray, dt: float, unit: int) -> EquationProblem:
    name = system.variables[int(np.argmax(np.abs(mode)))]
    expression = system.slopes[name].expression
    assert expression is not None
    # The longest step is on the way from 0 to dt: growth passes 1 once.
    low, high = 0.0, dt
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if abs(GROWTH[method](rate * middle)) <= 1 else (low, middle)
    shown = f"{rate.real:.4g}" if not rate.imag else f"{rate.real:.4g}{rate.imag:+.4g}j"
    facts = (
        f"near its start {name} decays at {shown} per unit of time (unit {unit}), a time of {1 / abs(rate):.4g}",
        f"a step of dt = {dt:g} makes {abs(GROWTH[method](rate * dt)):.3g} of it",
    )
    hint = f"take dt <= {low:.3g}, or exact or exponential_euler where the equation allows it"
    what = f"{method} is unstable: {name} is stiff beyond the step"
    return EquationProblem(what, expression.line, expression.start, facts=facts, hint=hint, code="T214")
