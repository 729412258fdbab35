"""What the IR asks of device models, whose equations stand with the simulator: it knows their face and where they are.

A device has one implementation of its step, which every part of the compiler runs. As with what other packages
announce, the IR imports nothing of it: it is found by its name.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint
from typing import Any, Protocol

from thermoc.support.array_types import AnyArray

LIBRARY = "thermoc.simulator.devices.units:UnitLibrary"
STATES, SHOWS = 9, 5
"""Numbers of a unit: temperature, internal state, node voltage, five of memory, the step to try next; and those that a
tick shows: current, voltage across the device, temperature, work and heat in J."""


class DeviceLibrary(Protocol):
    """The device models."""

    def columns(self, model: str) -> int | None:
        """Return how many parameters a model has, None where there is no such model."""
        ...

    def names(self) -> tuple[str, ...]:
        """Return the models by name."""
        ...

    def stored(self, model: str, parameters: AnyArray, x: AnyArray, T_ambient: AnyArray) -> AnyArray | None:
        """Return J that internal states x (..., n) store of themselves, None where the model has no such store."""
        ...

    def traced(self, model: str, **how: Any) -> Any:
        """Return the rules of Euler's steps with the records they are called with (``units.TracedDevice``)."""
        ...

    def tick(self, now: AnyArray, drive: AnyArray, *, sample: int, tick: int, **how: Any) -> AnyArray:
        """Return (samples, n, 14) after a tick of units now (samples, n, 9). Errors: T410, T411."""
        ...


@cache
def library() -> DeviceLibrary:
    """Return the device models; they are loaded when a network first has a device."""
    return EntryPoint("devices", LIBRARY, "thermoc").load()()
