"""Devices as units: memristors and cells of ``simulator/devices``, in their circuit and on their heat path.

A model's equations stand with its data in the device library, and each of its numbers is an operand here, so that a
network says all of its devices. ``tc.device`` writes these ops, with names for their results. All numbers are SI.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from thermoc.ir.device_library import SHOWS, STATES, library
from thermoc.ir.ops import (
    COMPOUND,
    CONTINUOUS,
    STATEFUL,
    STOCHASTIC,
    Check,
    Op,
    Problem,
    ShapeProblem,
    at_least_one,
    attr,
    boolean,
    non_negative,
    one_of,
    op,
    operand,
    positive,
    result,
)
from thermoc.ir.types import Role, Shape
from thermoc.ir.values import Value
from thermoc.support.array_types import AnyArray
from thermoc.support.suggestions import near

METHODS = ("sdirk", "midpoint", "euler")
CIRCUIT, DOMAIN = 5, 3
_NAME = Check("the name of a device model", lambda value: isinstance(value, str))


def _units(shapes: Mapping[str, Shape], n: int) -> None:
    """Refuse rows that are neither one for all units nor one a unit."""
    for name, width in (("parameters", 0), ("circuit", CIRCUIT), ("domain", DOMAIN)):
        shape = shapes[name]
        if len(shape) != 2 or shape[0] not in (1, n) or (width and shape[1] != width):
            raise ShapeProblem(f"{name} has one row for all units, or one a unit", f"{list(shape)} of {n} units")
    ends = shapes["ends"]
    if len(ends) != 2 or ends[1] != 2 or shapes["link"] != ends[:1]:
        raise ShapeProblem("a link has two ends and a conductance", f"{list(ends)} and {list(shapes['link'])}")


def _wrong(op: Any, numbers: Mapping[str, AnyArray], n: int) -> Iterator[Problem]:
    """Yield what is wrong with the numbers of devices: an unknown model, its parameters, links that lead nowhere."""
    columns, models = library().columns(op.model), library().names()
    if columns is None:
        notes = (f"there are {', '.join(models)}",)
        yield Problem("T404", f"there is no device {op.model!r}", notes, near(op.model, models))
    elif "parameters" in numbers and numbers["parameters"].shape[1] != columns:
        width = numbers["parameters"].shape[1]
        yield Problem("T405", f"{op.model} has {columns} parameters", (f"{width} are given",), "write it by tc.device")
    ends, link = numbers.get("ends"), numbers.get("link")
    if ends is not None and ends.size and not (ends.min() >= 0 and ends.max() < n and (ends[:, 0] != ends[:, 1]).all()):
        yield Problem("T405", "a link joins two units", (f"units are numbered 0 to {n - 1}",), "give each its two ends")
    if link is not None and not ((link >= 0) & np.isfinite(link)).all():
        yield Problem("T405", "a link's conductance is a number >= 0", (), "heat flows from hot to cold")


@op("thermo.device")
class DeviceDynamics(Op):
    """C_th dT/dt = v i - (T - T_amb) / R_th + sum_j G_ij (T_j - T_i), i and dx/dt by ``model`` (docs/devices.md).

    n devices of one model: a source at ``source`` V feeds a node through circuit[:, 0] ohm, on which circuit[:, 2] F
    and, behind circuit[:, 1] ohm, the device hang; circuit[:, 3:] are W/K to the ambient temperature and J/K. source,
    T_ambient are held over the tick, which is ``steps`` steps of ``method``: sdirk (order 4 to ``tolerance``, steps of
    its own), midpoint (2, Stratonovich), euler (1, Ito). Links are of first order, with each step's temperatures at its
    start. noise: P27 on every thermal path and link, P28 on load and device. ``seconds`` a unit of the network's time.

    Results are those after the tick, so that a connection back needs a ``core.delay``: T (K), x the internal state,
    node (V), current (A) through and v (V) across the device; work (J) from the source and heat (J) to the ambient in
    the tick: sum work - sum heat is what the states store (P45). Errors: T404, T405, T214; T410, T411 in a run.
    """

    source: Value = operand("~n")
    T_ambient: Value = operand("~n", role=Role.temperature)
    initial: Value = operand("n m", uniform=True, constant=True)
    parameters: Value = operand("?", constant=True)
    circuit: Value = operand("?", constant=True)
    domain: Value = operand("?", constant=True)
    scale: Value = operand("three", constant=True)
    ends: Value = operand("?", kind="int", constant=True)
    link: Value = operand("?", constant=True)
    model: str = attr(check=_NAME)
    method: str = attr(default="sdirk", check=one_of(*METHODS))
    steps: int = attr(default=1, check=at_least_one)
    tolerance: float = attr(default=1e-8, check=positive)
    seconds: float = attr(default=1.0, check=positive, unit="s/time")
    noise: bool = attr(default=False, check=boolean)
    stream: int = attr(check=non_negative)
    T: Value = result("n", role=Role.temperature)
    x: Value = result("n")
    node: Value = result("n")
    current: Value = result("n")
    v: Value = result("n")
    work: Value = result("n", role=Role.energy)
    heat: Value = result("n", role=Role.energy)

    traits: ClassVar = frozenset({STATEFUL, STOCHASTIC, CONTINUOUS})

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        n, width = shapes["initial"]
        if width != STATES:
            raise ShapeProblem(f"a unit starts from {STATES} numbers", f"initial has {width} a unit")
        _units(shapes, n)
        for name in ("source", "T_ambient"):
            if shapes[name] not in ((), (1,), (n,)):
                raise ShapeProblem(f"{name} is one for all units, or one a unit", f"{list(shapes[name])} of {n} units")
        return dict.fromkeys(self.result_specs, (n,))

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        n = numbers["initial"].shape[0] if "initial" in numbers else 0
        yield from _wrong(self, numbers, n)
        if self.noise and self.method == "sdirk":
            hint = "choose method='midpoint' (Stratonovich) or 'euler' (Ito)"
            yield Problem("T404", "sdirk takes no noise", (), hint)

    def states(self) -> dict[str, Shape]:
        return {"now": (*self.T.shape, STATES)}


@op("thermo.device_step")
class DeviceStep(Op):
    """A tick of h = dt seconds / steps each of the units of ``thermo.device``: what ``discretize`` makes of it.

    now (n, 9): temperature, internal state, node voltage, five numbers of memory, the step to try next. z: normals, of
    heat, load and device for each step and unit, then of each step and link. after (n, 14): now, then current, voltage,
    temperature, work and heat of the tick. Errors: T410, T411.
    """

    now: Value = operand("n m")
    source: Value = operand("n")
    T_ambient: Value = operand("n", role=Role.temperature)
    parameters: Value = operand("?", constant=True)
    circuit: Value = operand("?", constant=True)
    domain: Value = operand("?", constant=True)
    scale: Value = operand("three", constant=True)
    ends: Value = operand("?", kind="int", constant=True)
    link: Value = operand("?", constant=True)
    z: Value | None = operand("k", optional=True)
    model: str = attr(check=_NAME)
    method: str = attr(check=one_of(*METHODS))
    h: float = attr(check=positive, unit="s")
    steps: int = attr(check=at_least_one)
    tolerance: float = attr(check=positive)
    after: Value = result("n w")

    traits: ClassVar = frozenset({COMPOUND})

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        n, width = shapes["now"]
        _units(shapes, n)
        normals = self.steps * (3 * n + shapes["link"][0])
        if width != STATES or (self.z is not None and shapes["z"] != (normals,)):
            raise ShapeProblem(f"a unit has {STATES} numbers, a tick {normals} normals", f"now has {width} a unit")
        return {"after": (n, STATES + SHOWS)}

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from _wrong(self, numbers, self.now.shape[0])
