"""Units written as their differential equations: ``tc.dynamics``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc.ir.dialects.core import Constant
from thermoc.ir.dialects.dynamics import Ode, Sde
from thermoc.ir.equations import dimensions, stability
from thermoc.ir.equations.methods import METHODS
from thermoc.ir.equations.problems import EquationProblem
from thermoc.ir.equations.reading import default_method, fits, known_matrix, known_names
from thermoc.ir.equations.system import SPIKES, System, canonical, read
from thermoc.ir.functions import FUNCTIONS as OPS
from thermoc.ir.functions import current
from thermoc.ir.handle import Handle
from thermoc.support.errors import ThermocError, caller, error
from thermoc.support.suggestions import near

Given = Handle | ArrayLike | str
"""A value of the network, numbers, or a number with its unit: ``"10*ms"``."""


def dynamics(
    equations: str,
    *,
    n: int | tuple[int, ...] | None = None,
    inputs: Mapping[str, Given] | None = None,
    constants: Mapping[str, Given] | None = None,
    initial: Mapping[str, ArrayLike | str] | None = None,
    threshold: str = "",
    reset: str = "",
    refractory: float | str = 0.0,
    method: str | None = None,
    name: str | None = None,
) -> dict[str, Handle]:
    """Add units that follow differential equations in Brian2's syntax; return their variables and ``spikes`` by name.

    equations: a line a variable, "dv/dt = (v_rest - v + r*x)/tau : 1", with noise as ``b*xi``; "name = expression : 1"
    for what stands in several; "tau : second" for the unit of what is given. n: how many units, or their shape; by
    default that of what is given. inputs: what the names in the equations are; they are held over the tick. constants:
    the same, where a reader wants them apart. initial: of variables, by default 0. threshold, reset: "v > 1", "v = 0";
    without a threshold there are no ``spikes``. refractory: for how long after a spike a unit cannot spike; variables
    flagged "(unless refractory)" keep their values so long. method: exact, euler, heun, exponential_euler, rk2, rk4,
    milstein or stochastic_heun (``thermoc/ir/equations/methods`` has the order and sense of each); by default exact for
    linear equations, else rk4, or euler where there is noise.

    Once a unit other than 1 stands in them all numbers are SI, the network's dt seconds, and units are checked.
    Errors: T113 (an equation, with the place), T214 (a step too long for its method), T103, T111.
    """
    network = current("dynamics")
    for what, text in {"equations": equations, "threshold": threshold, "reset": reset}.items():
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]  (users pass anything)
            notes, hint = [f"it was given {text!r}"], 'tc.dynamics("dv/dt = -v/tau : 1", constants={"tau": 10.0})'
            raise error("T111", f"dynamics: {what} is a text", where=caller(), notes=notes, hint=hint)
    try:
        system = read(equations, threshold, reset)
        with_units = dimensions.given(system)
        quantities = _given(system, {**(inputs or {}), **(constants or {})}, with_units)
        settled = _settled(network, quantities)
        method = _method(system, method, settled)
        fits(system, method)
        if method == "exact":
            known_matrix(system, settled)
    except EquationProblem as problem:
        raise _wrong(problem) from None
    shape = _shape(n, quantities, initial)
    start = _start(system, initial or {}, shape, with_units)
    numbers = {key: item for key, item in quantities.items() if isinstance(item, float)}
    values = {key: item for key, item in quantities.items() if key not in numbers}
    attrs = {
        "equations": canonical(equations),
        "variables": system.variables,
        "names": tuple(values),
        "constants": tuple(numbers.items()),
        "shape": shape,
        "threshold": canonical(threshold),
        "reset": canonical(reset),
        "refractory": _time(refractory),
        "method": method,
    }
    _short_enough(system, method, start, {**numbers, **values}, getattr(network, "dt", None))
    op = Sde if system.noises else Ode
    s, x = OPS[op.opname](start, list(values.values()), **attrs, name=name)
    rows = {key: _row(x, k, shape) for k, key in enumerate(system.variables)}
    return {**rows, SPIKES: s} if threshold else rows


def _settled(network: Any, given: Mapping[str, Any]) -> set[str]:
    """Return the names of what is known when the network is compiled."""
    constants = {op.y.name for op in getattr(network, "ops", ()) if isinstance(op, Constant)}
    return {name for name, item in given.items() if not isinstance(item, Handle) or item.value.name in constants}


def _wrong(problem: EquationProblem) -> ThermocError:
    return error(problem.code, f"dynamics: {problem.what}", where=caller(), notes=problem.notes, hint=problem.hint)


def _method(system: System, method: str | None, settled: set[str]) -> str:
    if method is None:
        return default_method(system, settled)
    if method not in METHODS:
        raise EquationProblem(
            f"there is no method {method!r}", hint=near(method, METHODS), facts=[f"there are {', '.join(METHODS)}"]
        )
    return method


def _given(system: System, items: dict[str, Given], with_units: bool) -> dict[str, Any]:
    """Return what is given for the names of the equations: values, arrays, and numbers as floats."""
    by_name: dict[str, dimensions.Dimension] = {}
    quantities: dict[str, Any] = {}
    for name, item in items.items():
        if name not in system.free:
            facts = (f"they read {', '.join(sorted(system.free)) or 'nothing from outside'}",)
            raise EquationProblem(f"{name!r} stands in no equation", facts=facts)
        if isinstance(item, str):
            quantities[name], by_name[name] = dimensions.quantity(item)
        else:
            by_name[name] = dimensions.NONE
            quantities[name] = item if isinstance(item, Handle) or np.ndim(item) else float(item)  # type: ignore[arg-type]
    known_names(system, list(quantities))
    if with_units:
        for name, line in system.declared.items():
            by_name[name] = _declared(line, by_name.get(name, dimensions.NONE), items.get(name))
        dimensions.check(system, by_name)
    return quantities


def _declared(line: Any, found: dimensions.Dimension, item: Any) -> dimensions.Dimension:
    """Return the declared dimension of a name; a text with another unit contradicts it."""
    expected = dimensions.unit_of(line.unit)[1]
    if isinstance(item, str) and found != expected:
        facts = (f"it is declared as {dimensions.text_of(expected)}", f"{item!r} is {dimensions.text_of(found)}")
        raise line.unit.problem(line.unit.tree, f"units of {line.name} disagree", facts=facts)
    return expected


def _shape(n: Any, given: Mapping[str, Any], initial: Mapping[str, Any] | None) -> tuple[int, ...]:
    if n is not None:
        return (int(n),) if isinstance(n, (int, np.integer)) else tuple(int(length) for length in n)
    starts = {f"initial {name}": item for name, item in (initial or {}).items() if not isinstance(item, str)}
    shapes = {
        name: item.shape if isinstance(item, Handle) else np.shape(item) for name, item in {**given, **starts}.items()
    }
    try:
        return np.broadcast_shapes(*shapes.values())
    except ValueError:
        notes = [f"{name} has shape {list(shape)}" for name, shape in shapes.items() if shape]
        what = "dynamics: what is given does not broadcast to one shape"
        hint = "give each one number a unit, or one number for all"
        raise error("T103", what, where=caller(), notes=notes, hint=hint) from None


def _start(system: System, initial: Mapping[str, Any], shape: tuple[int, ...], with_units: bool) -> np.ndarray:
    """Return the initial values (variables, *shape)."""
    for name in initial:
        if name not in system.slopes:
            notes = [f"the variables are {', '.join(system.variables)}"]
            raise error("T111", f"dynamics: initial names {name!r}, which is no variable", where=caller(), notes=notes)
    rows = [_number(initial.get(name, 0.0), name) for name in system.variables]
    try:
        return np.stack([np.broadcast_to(row, shape) for row in rows]).astype(float)
    except ValueError:
        notes = [f"the units have the shape {list(shape)}", f"initial has {[np.shape(row) for row in rows]}"]
        raise error("T103", "dynamics: initial does not fit the units", where=caller(), notes=notes) from None


def _number(item: Any, who: str) -> Any:
    if not isinstance(item, str):
        return np.asarray(item, float)
    try:
        return dimensions.quantity(item)[0]
    except EquationProblem as problem:
        raise _wrong(problem) from None


def _time(refractory: float | str) -> float:
    return float(_number(refractory, "refractory"))


def _short_enough(system: System, method: str, start: np.ndarray, given: Mapping[str, Any], dt: float | None) -> None:
    numbers = {name: item for name, item in given.items() if not isinstance(item, Handle)}
    scales = {name: size for name in system.free if (size := dimensions.scale(name)) is not None}
    try:
        if dt is not None:
            stability.check(system, method, start, {**scales, **numbers}, dt)
    except EquationProblem as problem:
        raise _wrong(problem) from None


def _row(x: Handle, k: int, shape: tuple[int, ...]) -> Handle:
    row = OPS["core.slice"](x, starts=(k, *(0 for _ in shape)), stops=(k + 1, *shape), steps=(1,) * (len(shape) + 1))
    return OPS["core.reshape"](row, shape=shape)
