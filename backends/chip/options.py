"""What ``tc.compile(net, "chip", ...)`` takes, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from numpy.typing import ArrayLike

from thermoc.backends.sim.options import check_engine
from thermoc.simulator.chips import Chip, load_chip
from thermoc.support.errors import error
from thermoc.support.suggestions import near

CHOICES: Mapping[str, tuple[str, ...]] = {
    "temperature": ("model", "die"),
    "placement": ("wire", "thermal"),
    "start": ("steady", "ambient"),
    "cells": ("exact", "chip"),
}


@dataclass(frozen=True, kw_only=True)
class ChipOptions:
    """chip: a chip by name or file, on which the network is laid out, timed, paid for and heated. Errors: T303.

    temperature: what noise is drawn at, the "model"'s or that of its place on the "die". placement: "wire" or
    "thermal". slot: s between steps of the die. period: s from the beginning of a tick to that of the next, where the
    chip is done sooner; 0: none is waited for. start: the die begins "steady", as if the run repeated for ever, or at
    "ambient". cells: products are "exact", or go through the "chip"'s cells and converters; ``map-crossbars`` says what
    input_range, calibrate and adc are. precision: float64 or float32. threads: at most so many, default one a core.
    """

    chip: str = "thermo-1"
    temperature: str = "model"
    placement: str = "wire"
    slot: float = 1e-6
    period: float = 0.0
    start: str = "steady"
    cells: str = "exact"
    input_range: tuple[float, float] | None = None
    calibrate: Mapping[str, ArrayLike] | None = field(default=None, repr=False)
    adc: str = "worst"
    precision: str = "float64"
    threads: int | None = None

    def __post_init__(self) -> None:
        check_engine(self.precision, self.threads)
        _check(self)

    @cached_property
    def machine(self) -> Chip:
        """The chip that the name or file says. Errors: T305, T501, T513, T515."""
        return load_chip(self.chip)


def _check(options: ChipOptions) -> None:
    for name, choices in CHOICES.items():
        if getattr(options, name) not in choices:
            notes = [f"{name} = {getattr(options, name)!r}"]
            hint = near(getattr(options, name), choices)
            raise error("T303", f"{name} must be one of {', '.join(choices)}", notes=notes, hint=hint)
    # True is an int in Python, and would be a slot of 1 s.
    if isinstance(options.slot, bool) or not isinstance(options.slot, int | float) or not 1e-9 <= options.slot <= 1.0:
        raise error("T303", "slot must be a time from 1e-9 to 1 s", notes=[f"slot = {options.slot!r}"])
    if isinstance(options.period, bool) or not isinstance(options.period, int | float) or not 0 <= options.period <= 1:
        raise error("T303", "period must be a time from 0 to 1 s", notes=[f"period = {options.period!r}"])
    _check_chip(options.machine)
    ranged = options.input_range is not None or options.calibrate is not None or options.adc != "worst"
    if options.cells == "exact" and ranged:
        raise error("T303", "input_range, calibrate and adc are for converters", hint='ask for cells="chip"')


def _check_chip(chip: Chip) -> None:
    """Read what the chip holds and its sampler's device, so that what is wrong is told before anything is built.

    Errors: T305, T404 (the device), T513, T515.
    """
    from thermoc.backends.chip.capacities import capacities_of
    from thermoc.simulator.devices.device import expected

    capacities_of(chip)
    if "sampler.units" in chip:
        expected(chip.quantities.text("sampler.device"))
