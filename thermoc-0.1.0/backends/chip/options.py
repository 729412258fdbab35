"""What ``tc.compile(net, "chip", ...)`` takes, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import ArrayLike

from thermoc.backends.sim.options import check_engine
from thermoc.passes.base import Pass
from thermoc.support.errors import error

CHOICES: Mapping[str, tuple[str, ...]] = {
    "temperature": ("model", "die"),
    "placement": ("wire", "thermal"),
    "start": ("steady", "ambient"),
    "cells": ("exact", "chip"),
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """chip: a chip by name or file, on which the network is laid out, timed, paid for and heated. Errors: T303.

    temperature: what noise is drawn at, the "model"'s or that of its place on the "die". placement: "wire" or
    "thermal". slot: s between steps of the die. start: the die begins "steady", as if the run repeated for ever, or at
    "ambient". cells: products are "exact", or go through the "chip"'s cells and converters; ``map-crossbars`` says what
    input_range, calibrate and adc are. precision: float64 or float32. threads: at most so many, default one a core.
    """

    chip: str = "thermo-1"
    temperature: str = "model"
    placement: str = "wire"
    slot: float = 1e-6
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


def _check(options: Options) -> None:
    for name, known in CHOICES.items():
        if getattr(options, name) not in known:
            notes = [f"{name} = {getattr(options, name)!r}"]
            raise error("T303", f"{name} must be one of {', '.join(known)}", notes=notes)
    if isinstance(options.slot, bool) or not isinstance(options.slot, int | float) or not 1e-9 <= options.slot <= 1.0:
        raise error("T303", "slot must be a time from 1e-9 to 1 s", notes=[f"slot = {options.slot!r}"])
    _known(options.chip)
    ranged = options.input_range is not None or options.calibrate is not None or options.adc != "worst"
    if options.cells == "exact" and ranged:
        raise error("T303", "input_range, calibrate and adc are for converters", hint='ask for cells="chip"')


def _known(name: Any) -> None:
    """Read the chip and its sampler's device, so that a wrong name or file is told before anything is built.

    Errors: T305, T404 (the device), T501, T513, T515.
    """
    from thermoc.backends.chip.layout import shape_of
    from thermoc.simulator.chips import load_chip
    from thermoc.simulator.devices.device import expected

    chip = load_chip(name)
    shape_of(chip)
    if "sampler.units" in chip:
        expected(chip.quantities.text("sampler.device"))


def crossbars(options: Options) -> Sequence[Pass]:
    """Return the pass that puts products on the chip's cells, where that is asked for. Errors: T305, T303."""
    if options.cells == "exact":
        return ()
    from thermoc.passes.crossbar.map_crossbars import MapCrossbars
    from thermoc.passes.crossbar.spec import CrossbarSpec
    from thermoc.simulator.chips import load_chip

    chip = load_chip(options.chip)
    spec = CrossbarSpec(
        rows=chip.whole("crossbar.rows"),
        columns=chip.whole("crossbar.columns"),
        cell_bits=chip.whole("crossbar.cell_bits"),
        weight_bits=chip.whole("crossbar.weight_bits"),
        input_bits=chip.whole("input.bits"),
        dac_bits=chip.whole("input.dac_bits"),
        adc_bits=chip.whole("adc.bits"),
        g_min=chip["crossbar.least_conductance"],
        g_max=chip["crossbar.most_conductance"],
        r_word=chip["crossbar.wire"],
        r_bit=chip["crossbar.wire"],
        arrays_a_sign=chip.whole("crossbar.arrays_a_sign"),
    )
    given = {"input_range": options.input_range, "calibrate": options.calibrate, "adc": options.adc}
    if chip["crossbar.wire"]:
        from thermoc.simulator.crossbar.circuit import transfer  # Numba loads where there are wires to solve

        given["wires"] = transfer
    return (MapCrossbars(spec=spec, **given),)
