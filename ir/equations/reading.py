"""The system of an op, read once, and whether method, names and noise fit it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from thermoc.ir.equations import dimensions
from thermoc.ir.equations.expressions import CONSTANTS
from thermoc.ir.equations.methods import METHODS
from thermoc.ir.equations.problems import EquationProblem
from thermoc.ir.equations.symbolic import analysis
from thermoc.ir.equations.system import STEP, System, read


def system_of(op: Any) -> System:
    """Return the system of an op. Raises EquationProblem."""
    return read(op.equations, op.threshold, op.reset)


def numbers_of(op: Any) -> dict[str, float]:
    """Return the constants of an op by name, units among them."""
    free = system_of(op).free
    scales = {name: size for name in free if (size := dimensions.scale(name)) is not None}
    return scales | {name: float(number) for name, number in op.constants}


def checked(op: Any) -> System:
    """Return the system of an op that fits its attributes. Raises EquationProblem."""
    system = system_of(op)
    if op.variables != system.variables:
        facts = (f"the equations are of {', '.join(system.variables)}", f"variables = {op.variables}")
        raise EquationProblem("variables and equations disagree", facts=facts)
    known_names(system, [*op.names, *(name for name, _ in op.constants)])
    if bool(system.noises) != op.noisy:
        raise EquationProblem("noise stands in the equations of thermo.sde, and in no others")
    fits(system, op.method)
    return system


def known_names(system: System, given: list[str]) -> None:
    """Raise EquationProblem at the first name that is neither given nor a unit."""
    names = {*given, *(name for name in system.free if dimensions.scale(name) is not None)}
    for expression in system.expressions:
        for node in expression.names:
            if node.id in system.free and node.id not in names:
                hint = f"pass it: inputs={{{node.id!r}: value}} or constants={{{node.id!r}: 1.0}}"
                raise expression.problem(node, f"the name {node.id!r} is unknown", hint=hint)


def default_method(system: System, known: Iterable[str]) -> str:
    """Return the method where none is asked for: exact for linear equations, else rk4, with constant noise euler.

    known: names whose numbers are known when the network is compiled.
    """
    properties = analysis(system)
    if properties.curved is None and not properties.timed and properties.additive and _known_matrix(system, known):
        return "exact"
    if not system.noises:
        return "rk4"
    if properties.additive:
        return "euler"
    name = system.noises[0]
    expression, node = _reader(system, name)
    hint = 'say which is meant: method="milstein" or "euler" (Ito), "stochastic_heun" (Stratonovich)'
    raise expression.problem(node, f"{name} is multiplied by a variable, and has two senses", hint=hint)


def fits(system: System, method: str) -> None:
    """Raise EquationProblem where a method cannot step a system."""
    if system.noises and not METHODS[method].NOISE:
        expression, node = _reader(system, system.noises[0])
        names = [name for name, module in METHODS.items() if module.NOISE]
        raise expression.problem(node, f"{method} takes no noise", hint=f"{', '.join(names)} do")
    if method == "exact":
        _linear(system)
    elif method == "exponential_euler":
        curved = analysis(system).curved_alone
        if curved is not None:
            _refuse(system, curved, curved, "exponential_euler", "in its own variable")
    elif method == "milstein":
        _ = analysis(system).milstein


def known_matrix(system: System, known: Iterable[str]) -> None:
    """Raise EquationProblem where exact couples variables by names that are not known when a network is compiled."""
    properties = analysis(system)
    if properties.diagonal and properties.separate:
        return
    settled = {*known, *CONSTANTS, STEP, *(name for name in system.free if dimensions.scale(name) is not None)}
    for entry in (*properties.jacobian.values(), *properties.diffusion.values()):
        for name in sorted(entry.reads() - settled):
            expression, node = _reader(system, name)
            hint = "pass numbers, or take rk4, or euler where there is noise"
            what = f"exact: {name} couples variables, and must be known when the network is compiled"
            raise expression.problem(node, what, hint=hint)


def _known_matrix(system: System, known: Iterable[str]) -> bool:
    try:
        known_matrix(system, known)
    except EquationProblem:
        return False
    return True


def _reader(system: System, name: str) -> Any:
    for line in (*system.slopes.values(), *system.derived):
        for node in line.expression.names if line.expression else ():
            if node.id == name:
                return line.expression, node
    raise AssertionError(name)


def _linear(system: System) -> None:
    properties = analysis(system)
    if properties.curved is not None:
        _refuse(system, *properties.curved, "exact", f"in {system.variables[properties.curved[1]]}")
    for wrong, what in (
        (properties.timed, "depends on the time"),
        (not properties.additive, "has noise that a variable scales"),
    ):
        if wrong:
            expression = next(iter(system.slopes.values())).expression
            assert expression is not None
            raise expression.problem(
                expression.tree, f"exact: the system {what}", hint="take rk4, or a method for noise"
            )


def _refuse(system: System, row: int, column: int, method: str, where: str) -> None:
    name, variable = system.variables[row], system.variables[column]
    expression = system.slopes[name].expression
    assert expression is not None
    node = next((node for node in expression.names if node.id == variable), expression.tree)
    raise expression.problem(node, f"{method}: the equation of {name} is not linear {where}", hint="take rk4 or euler")
