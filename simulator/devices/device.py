"""A device: a model with the values of its data file, in its circuit and on its heat path; values may vary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thermoc.simulator.devices import jart, linear, nbo2, pickett, stanford, vo2, vteam
from thermoc.simulator.devices.equations import CAPACITY, Model
from thermoc.simulator.quantities import Quantities, nearest, read
from thermoc.support.errors import error

HERE = Path(__file__).parent
CIRCUIT = {"circuit.load": "ohm", "circuit.inner": "ohm", "circuit.capacitance": "F"}
HEAT = {"heat.resistance": "K/W", "heat.capacity": "J/K"}
AMBIENT = {"heat.ambient": "K", "heat.limit": "K"}
MODULES = {
    "rc": (Model.LINEAR, linear),
    "ou_cell": (Model.LINEAR, linear),
    "nbo2": (Model.NBO2, nbo2),
    "vo2": (Model.VO2, vo2),
    "stanford": (Model.STANFORD, stanford),
    "pickett": (Model.PICKETT, pickett),
    "vteam": (Model.VTEAM, vteam),
    "jart": (Model.JART, jart),
}
HEATED = ("rc", "nbo2", "vo2", "stanford")
"""Those whose temperature is a state; the others take the ambient one, or one that follows from it at once."""
OPTIONAL = ("circuit.load", "circuit.inner", "circuit.capacitance")


@dataclass(frozen=True, kw_only=True)
class Device:
    """One device or n that differ: rows of numbers that the kernels read, and where they come from.

    parameters: (1 or n, :) in the model's order; circuit: (1 or n, 5), see ``equations``; start: (1 or n, 3)
    temperature, internal state, node voltage; scale: (3,) what errors are measured by, 0 where a state stands still.
    """

    name: str
    model: Model
    quantities: Quantities
    parameters: NDArray[np.float64]
    circuit: NDArray[np.float64]
    start: NDArray[np.float64]
    scale: NDArray[np.float64]
    ambient: NDArray[np.float64]
    limit: float

    @property
    def count(self) -> int:
        """How many devices the values tell apart; 1 where none differ."""
        return max(len(self.parameters), len(self.circuit), len(self.start), len(self.ambient))

    @property
    def heated(self) -> bool:
        """Whether the temperature is a state."""
        return bool((self.circuit[:, CAPACITY] > 0).any())


def names() -> tuple[str, ...]:
    """Return the devices that have a data file here."""
    return tuple(MODULES)


def expected(name: str) -> dict[str, str]:
    """Return what a device's data file must hold, and in which units. Errors: T404 for an unknown device."""
    if name not in MODULES:
        near = nearest(name, names())
        hint = f"did you mean {near}?" if near else f"there are {', '.join(names())}"
        raise error("T404", f"there is no device {name!r}", hint=hint)
    module = MODULES[name][1]
    start = {"start.state": module.STATE} if name not in ("rc", "ou_cell", "nbo2", "vo2") else {}
    return {**module.PARAMETERS, **CIRCUIT, **(HEAT if name in HEATED else {}), **AMBIENT, **start}


@lru_cache(maxsize=64)
def values(name: str, path: str | None = None) -> Quantities:
    """Return a device's quantities from its data file, or from another of the same names. Errors: T404, T501, T513."""
    wanted = expected(name)
    return read(Path(path) if path else HERE / f"{name}.toml", wanted)


def load(name: str, *, path: str | None = None, **changed: ArrayLike) -> Device:
    """Return a device with its data file's values; ``changed`` replaces some by name, in SI, a number or (n,) of them.

    Names are those of the file with ``_`` for ``.``: ``load("nbo2", circuit_load=6e3)``. With ``circuit_capacitance=0``
    no capacitor hangs on the node. Errors: T404 (no such device or value), T405 (values not finite), T501, T513.
    """
    quantities = values(name, path)
    chosen: dict[str, NDArray] = {key: np.atleast_1d(np.float64(quantities[key])) for key in quantities}
    known = {key.replace(".", "_"): key for key in chosen}
    for key, value in changed.items():
        if key not in known:
            near = nearest(key, list(known))
            hint = f"did you mean {near}?" if near else f"it has {', '.join(known)}"
            raise error("T404", f"{name} has no value {key!r}", hint=hint)
        chosen[known[key]] = _finite(name, key, value)
    return _built(name, quantities, chosen)


def _finite(name: str, key: str, value: ArrayLike) -> NDArray:
    """Return new values as a row; an infinite load or thermal resistance leaves that path open."""
    array = np.atleast_1d(np.asarray(value, np.float64))
    open_path = key in ("circuit_load", "heat_resistance")
    if array.ndim != 1 or np.isnan(array).any() or (not open_path and np.isinf(array).any()):
        raise error("T405", f"{name}: {key} is no number or row of numbers", notes=[f"got {value!r}"])
    if key.startswith(("circuit_", "heat_")) and (array < 0).any():
        raise error("T405", f"{name}: {key} must not be negative", notes=[f"got {value!r}"])
    return array


def _built(name: str, quantities: Quantities, chosen: Mapping[str, NDArray]) -> Device:
    model, module = MODULES[name]
    none = np.zeros(1)
    conductance = 1 / chosen["heat.resistance"] if name in HEATED else none
    capacity = chosen.get("heat.capacity", none)
    ways = [chosen[key] for key in CIRCUIT]
    ambient, state = chosen["heat.ambient"], chosen.get("start.state", none)
    moving = name in ("stanford", "pickett", "vteam", "jart")
    heated, charged = bool((capacity > 0).any()), bool((chosen["circuit.capacitance"] > 0).any())
    if charged and (chosen["circuit.load"] == 0).any():
        hint = "give circuit_load in ohm, or circuit_capacitance=0"
        raise error("T405", f"{name}: a capacitor hangs on a source without a load", hint=hint)
    scale = np.array(
        [float(ambient.max()) if heated else 0.0, _size(name, chosen) if moving else 0.0, 1.0 if charged else 0.0]
    )
    return Device(
        name=name,
        model=model,
        quantities=quantities,
        parameters=_rows([chosen[key] for key in module.PARAMETERS]),
        circuit=_rows([*ways, conductance, capacity]),
        start=_rows([ambient, state, none]),
        scale=scale,
        ambient=ambient,
        limit=float(chosen["heat.limit"].max()),
    )


def _size(name: str, chosen: Mapping[str, NDArray]) -> float:
    """Return the size of the internal state that relative errors are measured by."""
    top = {"stanford": "greatest_gap", "pickett": "greatest_fraction", "vteam": "off_position", "jart": "least_density"}
    return float(chosen[top[name]].max())


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
    """Return the device with other starting values, numbers or (n,): temperature K, internal state, node voltage V."""
    given = [
        device.start[:, k] if v is None else np.atleast_1d(np.asarray(v, np.float64))
        for k, v in enumerate((T, state, node))
    ]
    return replace(device, start=_rows(given))
