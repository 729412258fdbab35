"""A device: a model with the values of its data file, in its circuit and on its heat path; values may vary.

The data file states the range of each value; those of the file that comes with thermoc are the model's domain and hold
for other files too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thermoc.simulator.arrays import numbers
from thermoc.simulator.data.quantities import Quantities, read
from thermoc.simulator.data.value_ranges import Violation, violations
from thermoc.simulator.devices.loops import DeviceRows
from thermoc.simulator.devices.model import MEMORY, DeviceModel
from thermoc.simulator.devices.models import MODELS, NUMBERS, data_file
from thermoc.simulator.devices.records import CAPACITY, Cell, DeviceCircuit, Domain
from thermoc.support.errors import Finding, ThermocError, error
from thermoc.support.suggestions import near

CIRCUIT = {"circuit.load": "ohm", "circuit.inner": "ohm", "circuit.capacitance": "F"}
HEAT = {"heat.resistance": "K/W", "heat.capacity": "J/K"}
AMBIENT = {"heat.ambient": "K", "heat.limit": "K"}
SLACK = 1e-3
"""A solution may pass the ends of its state by this share of the range, where its rate has fallen to zero."""


@dataclass(frozen=True, kw_only=True)
class Device:
    """One device or n that differ: rows of numbers that the kernels read, and where they come from.

    parameters: (1 or n, :) in the model's order; circuit: (1 or n, 5), ``records.DeviceCircuit``; start: (1 or n, 3)
    temperature, internal state, node voltage; scale: (3,) what errors are measured by, 0 where a state stands still.
    domain: (1 or n, 3) the highest temperature, the least and the greatest internal state that a run may reach.
    """

    name: str
    model: DeviceModel
    quantities: Quantities
    parameters: NDArray[np.float64]
    circuit: NDArray[np.float64]
    start: NDArray[np.float64]
    scale: NDArray[np.float64]
    ambient: NDArray[np.float64]
    domain: NDArray[np.float64]

    @property
    def limit(self) -> float:
        """The highest temperature in K of the device that bears most."""
        return float(self.domain[:, 0].max())

    @property
    def count(self) -> int:
        """How many devices the values tell apart; 1 where none differ."""
        return max(len(rows) for rows in (self.parameters, self.circuit, self.start, self.ambient, self.domain))

    @property
    def number(self) -> int:
        """The number by which kernels know the model."""
        return NUMBERS[self.name]

    @property
    def rows(self) -> DeviceRows:
        """All devices, as kernels read them."""
        return DeviceRows(self.number, self.parameters, self.circuit, self.domain, self.scale)

    def record(self, k: int = 0) -> Any:
        """Return the parameters of device k by name, as the rules of its model take them."""
        return self.model.parameters(*self.parameters[min(k, len(self.parameters) - 1)])

    def cell(self, k: int = 0) -> Cell:
        """Return device k, as kernels read it."""
        parameters, circuit, domain = (
            rows[min(k, len(rows) - 1)] for rows in (self.parameters, self.circuit, self.domain)
        )
        return Cell(self.number, parameters, DeviceCircuit(*circuit.tolist()), self.scale, Domain(*domain.tolist()))

    @property
    def heated(self) -> bool:
        """Whether the temperature is a state."""
        return bool((self.circuit[:, CAPACITY] > 0).any())


def names() -> tuple[str, ...]:
    """Return the devices that have a model and a data file here."""
    return tuple(MODELS)


def model_of(name: str) -> DeviceModel:
    """Return the model of a device. Errors: T404 for an unknown device."""
    if name not in MODELS:
        hint = near(name, names(), f"there are {', '.join(names())}")
        raise error("T404", f"there is no device {name!r}", hint=hint)
    return MODELS[name]


def expected(name: str) -> dict[str, str]:
    """Return what a device's data file must hold, and in which units. Errors: T404 for an unknown device."""
    model = model_of(name)
    start = {"start.state": model.state.unit} if model.state else {}
    return {**model.units, **CIRCUIT, **(HEAT if model.heated else {}), **AMBIENT, **start}


@lru_cache(maxsize=64)
def values(name: str, path: str | None = None) -> Quantities:
    """Return a device's quantities from its data file, or from another of the same names. Errors: T404, T501, T513."""
    units = expected(name)
    return read(Path(path) if path else data_file(name), units)


def load(name: str, *, path: str | None = None, **changed: ArrayLike) -> Device:
    """Return a device with its data file's values; ``changed`` replaces some by name, in SI, a number or (n,) of them.

    Names are those of the file with ``_`` for ``.``: ``load("nbo2", circuit_load=6e3)``. With ``circuit_capacitance=0``
    no capacitor hangs on the node. Errors: T404 (no such device or value), T405 (values not finite, or out of the range
    that the data file states), T501, T513.
    """
    quantities = values(name, path)
    chosen: dict[str, NDArray] = {key: np.atleast_1d(np.float64(quantities[key])) for key in quantities}
    by_keyword = {key.replace(".", "_"): key for key in chosen}
    for key, value in changed.items():
        if key not in by_keyword:
            hint = near(key, by_keyword, f"it has {', '.join(by_keyword)}")
            raise error("T404", f"{name} has no value {key!r}", hint=hint)
        chosen[by_keyword[key]] = _finite(name, key, value)
    _rows(list(chosen.values()))
    _in_range(name, quantities, chosen)
    return _built(name, quantities, chosen)


def _in_range(name: str, quantities: Quantities, chosen: Mapping[str, NDArray]) -> None:
    """Refuse values out of the model's domain, or out of a narrower range that the file states. Errors: T405."""
    wrong: dict[tuple[str, str], Violation] = {}
    # a file of the user's may narrow a range, but the model's equations bound it whatever the file says
    for source in (values(name), quantities):
        limits = {key: source.quantity(key).limits for key in source}
        wrong |= {(v.name, v.rule): v for v in violations(chosen, limits)}
    findings = [out_of_range(name, v, quantities.quantity(v.name).unit) for v in wrong.values()]
    if findings:
        raise ThermocError(findings)


def out_of_range(name: str, violation: Violation, unit: str) -> Finding:
    """Return the finding of one value that breaks its range."""
    v = violation
    what = f"{name}: {v.name.replace('.', '_')} is {v.value:g} {unit}".rstrip()
    notes = [f"the model asks for {v.rule}" + (f", which is {v.bound:g} {unit}" if v.limit.bound != v.bound else "")]
    notes += [f"value {v.index}"] if v.index else []
    return Finding(code="T405", what=what, notes=tuple(notes), hint="give a value within the range of the model")


def _finite(name: str, key: str, value: ArrayLike) -> NDArray:
    """Return new values as a row; an infinite load or thermal resistance leaves that path open."""
    open_path = key in ("circuit_load", "heat_resistance")
    array = np.atleast_1d(numbers(f"{name}: {key}", value, code="T405"))
    if array.ndim != 1 or not array.size or np.isnan(array).any() or (not open_path and np.isinf(array).any()):
        raise error("T405", f"{name}: {key} is no number or row of numbers", notes=[f"got {value!r}"])
    return array


def _built(name: str, quantities: Quantities, chosen: Mapping[str, NDArray]) -> Device:
    model, zero = MODELS[name], np.zeros(1)
    conductance = 1 / chosen["heat.resistance"] if model.heated else zero
    capacity = chosen.get("heat.capacity", zero)
    circuit = [*(chosen[key] for key in CIRCUIT), conductance, capacity]
    ambient = chosen["heat.ambient"]
    heated, charged = bool((capacity > 0).any()), bool((chosen["circuit.capacitance"] > 0).any())
    # a source straight on a capacitor would charge it by an infinite current
    if charged and (chosen["circuit.load"] == 0).any():
        hint = "give circuit_load in ohm, or circuit_capacitance=0"
        raise error("T405", f"{name}: a capacitor hangs on a source without a load", hint=hint)
    size = float(chosen[model.state.size].max()) if model.state else 0.0
    return Device(
        name=name,
        model=model,
        quantities=quantities,
        parameters=_rows([chosen[key] for key in model.units]),
        circuit=_rows(circuit),
        start=_rows([ambient, chosen.get("start.state", zero), zero]),
        # a scale of zero takes the state out of Newton's steps and of the error
        scale=np.array([float(ambient.max()) if heated else 0.0, size, 1.0 if charged else 0.0]),
        ambient=ambient,
        domain=_rows([chosen["heat.limit"], *_ends(model, chosen)]),
    )


def _ends(model: DeviceModel, chosen: Mapping[str, NDArray]) -> list[NDArray]:
    """Return the least and the greatest internal state that a run may reach."""
    if model.state is None:
        return [np.full(1, -np.inf), np.full(1, np.inf)]
    least, greatest = chosen[model.state.least], chosen[model.state.greatest]
    slack = SLACK * (greatest - least)
    return [least - slack, greatest + slack]


def _rows(columns: list[NDArray]) -> NDArray[np.float64]:
    """Return columns side by side, those of one number spread over the devices. Errors: T402."""
    n = max(len(column) for column in columns)
    wrong = [len(column) for column in columns if len(column) not in (1, n)]
    if wrong:
        raise error("T402", "values of devices differ in number", notes=[f"some have {n}, some {wrong[0]}"])
    return np.ascontiguousarray(np.stack([np.broadcast_to(column, n) for column in columns], axis=1))


def starting(
    device: Device, *, T: ArrayLike | None = None, state: ArrayLike | None = None, node: ArrayLike | None = None
) -> Device:
    """Return the device with other starting values, numbers or (n,): temperature K, internal state, node voltage V.

    Errors: T402 (rows that differ in number), T403 (no numbers), T405 (out of the model's domain), T410 (too hot).
    """
    columns = []
    for k, (what, value) in enumerate((("T", T), ("state", state), ("node", node))):
        column = device.start[:, k] if value is None else np.atleast_1d(numbers(f"{device.name}: start {what}", value))
        if column.ndim != 1 or not np.isfinite(column).all():
            raise error("T403", f"{device.name}: the starting {what} is no finite number or row of them")
        columns.append(column)
    started = replace(device, start=_rows(columns))
    check_state(device, columns[0], columns[1])
    return started


def check_ambient(device: Device, around: NDArray) -> None:
    """Refuse ambient temperatures (n_t or 1, n or 1) out of the model's domain. Errors: T405, T410."""
    q = device.quantities
    chosen = {key: device.parameters[:, k] for k, key in enumerate(device.model.units)}
    limits = {key: q.quantity(key).limits for key in q if key != "heat.limit"}
    limits = {
        key: [x for x in ends if key == "heat.ambient" or x.bound == "heat.ambient"] for key, ends in limits.items()
    }
    for row in (around.min(axis=0), around.max(axis=0)):
        findings = [
            out_of_range(device.name, v, q.quantity(v.name).unit)
            for v in violations({**chosen, "heat.ambient": row}, limits)
        ]
        if findings:
            raise ThermocError(findings)
    check_state(device, around.max(axis=0), device.start[:, 1])


def check_state(device: Device, T: NDArray, state: NDArray) -> None:
    """Refuse temperatures and internal states out of the model's domain, each (1 or n,). Errors: T405, T410."""
    top, low, high = device.domain.T
    if not (T > 0).all():
        raise error("T405", f"{device.name}: a temperature is {T[~(T > 0)][0]:g} K", notes=["it must be above 0 K"])
    hot = np.flatnonzero(top < T)
    if hot.size:
        k = int(hot[0])
        notes = [f"{T[min(k, T.size - 1)]:g} K, limit {top[min(k, top.size - 1)]:g} K"]
        raise error("T410", f"{device.name}: the device is hotter than its limit", notes=notes)
    wrong = np.flatnonzero(~((state >= low) & (state <= high)))
    if wrong.size:
        k = int(wrong[0])
        x = device.model.state
        assert x is not None  # without one every state is within its range
        unit = x.unit
        ends = f"{low[min(k, low.size - 1)]:g} to {high[min(k, high.size - 1)]:g}"
        notes = [f"{x.least} to {x.greatest}: {ends} {unit}"]
        what = f"{device.name}: the internal state {state[min(k, state.size - 1)]:g} {unit} is out of the model's range"
        raise error("T405", what, notes=notes)


def memories(device: Device, n: int) -> NDArray[np.float64]:
    """Return the memory (n, 5) with which n devices start: a hysteretic model's is where its temperature begins."""
    memory = np.zeros((n, MEMORY))
    if device.model.hysteresis:
        device.model.hysteresis.begin(memory, device.start[:, 0])
    return memory
