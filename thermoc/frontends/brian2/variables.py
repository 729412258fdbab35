"""Brian2's state variables: what stands in each at this moment of the tick, and what it starts the next one with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from thermoc.frontends.brian2 import algebra
from thermoc.frontends.brian2.algebra import Term
from thermoc.frontends.brian2.site import ObjectSite
from thermoc.ir.functions import call
from thermoc.ir.handle import Handle
from thermoc.ir.types import DType, Role


@dataclass(kw_only=True)
class Store:
    """The present value of each variable, by the variable itself.

    ``written``: the variables that something in the network writes to; all others are constants.
    """

    site: ObjectSite
    written: dict[int, Any]
    cache: dict[Any, Any] = field(default_factory=dict)
    _now: dict[int, Term] = field(default_factory=dict)
    _open: dict[int, tuple[Handle, Any]] = field(default_factory=dict)

    # ------------------------------------------------------------------------------------------------------- time

    @property
    def ticks(self) -> Handle:
        """The number of the tick as a float."""
        if "ticks" not in self.cache:
            self.cache["ticks"] = call("core.cast", call("core.tick"), dtype=DType.f64)
        return self.cache["ticks"]

    def every(self, clock: Any) -> int:
        """Return of how many ticks a clock's step is. Errors: T204."""
        ratio = float(clock.dt_) / self.site.dt
        if abs(ratio - round(ratio)) > 1e-4 * ratio:
            notes = (f"its dt is {clock.dt_:g} s", f"the network's tick is {self.site.dt:g} s")
            raise self.site.refuse("its clock is no whole number of ticks", *notes, code="T204")
        return round(ratio)

    def steps(self, clock: Any) -> Term:
        """Return the number of a clock's step."""
        period = self.every(clock)
        return self.ticks if period == 1 else algebra.apply("floor", algebra.apply("div", self.ticks, float(period)))

    def active(self, clock: Any) -> Term | None:
        """Return whether a clock's objects run in this tick; None where always."""
        period = self.every(clock)
        key = ("active", period)
        if period > 1 and key not in self.cache:
            ticks = algebra.apply("mul", self.steps(clock), float(period))
            self.cache[key] = algebra.apply("equal", ticks, self.ticks)
        return self.cache.get(key)

    def _time(self, variable: Any) -> Term:
        clock = variable.owner
        if variable.name == "dt":
            return np.float64(clock.dt_)
        key = (variable.name, self.every(clock))
        if key not in self.cache:
            steps = self.steps(clock)
            self.cache[key] = steps if variable.name == "timestep" else algebra.apply("mul", steps, float(clock.dt_))
        return self.cache[key]

    # ---------------------------------------------------------------------------------------------------- contents

    def read(self, variable: Any) -> Term:
        """Return what a variable holds now: one element a unit, or shape () of a shared one."""
        from brian2.core.clocks import Clock  # pyright: ignore[reportMissingTypeStubs]

        if isinstance(variable.owner, Clock):
            return self._time(variable)
        key = id(variable)
        if key not in self._now:
            self._now[key] = self._started(variable) if key in self.written else initial(variable, self.site)
        return self._now[key]

    def write(self, variable: Any, term: Term) -> None:
        """Let a variable hold this from now on."""
        self.read(variable)  # opens its state
        self._now[id(variable)] = term

    def _started(self, variable: Any) -> Handle:
        numbers = initial(variable, self.site)
        dtype = DType.bool if numbers.dtype.kind == "b" else DType.f64
        role = Role.spike if is_events(variable) else Role.signal
        hole = self.site.builder.placeholder(numbers.shape, dtype, role)
        self._open[id(variable)] = (hole, variable)
        start = numbers if numbers.ndim and (numbers != numbers.flat[0]).any() else numbers.flat[0].item()
        return call("core.delay", hole, start)

    def close(self) -> None:
        """Connect each state to what it holds at the end of the tick."""
        for hole, variable in self._open.values():
            shape = hole.shape
            term = self._now[id(variable)]
            self.site.builder.connect(hole, self._stored(term, hole, shape[0] if shape else None))

    def _stored(self, term: Term, hole: Handle, size: int | None) -> Handle:
        of_truth = hole.type.dtype is DType.bool
        term = algebra.truth(term) if of_truth else algebra.number(term)
        return algebra.as_value(term, size)


def is_events(variable: Any) -> bool:
    """Tell whether a variable holds who spiked."""
    return variable.name.startswith("_") and variable.name.endswith("space")


def initial(variable: Any, site: ObjectSite) -> Any:
    """Return a variable's present numbers. Errors: T107 where one is not finite."""
    if is_events(variable):
        return np.zeros(variable.size - 1)
    array = np.array(variable.get_value())
    if array.dtype == np.float32:
        site.assume("variables of float32 are computed in float64", f"the first is {variable.name}")
    numbers = array if array.dtype.kind == "b" else array.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise site.refuse(f"{variable.name} is not finite", code="T107", hint="set it before the run")
    return numbers.reshape(()) if variable.scalar else numbers
