"""The way of a network onto a crossbar chip, read top to bottom."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from thermoc.backends.chip.capacities import capacities_of, crossbars_of
from thermoc.backends.chip.cooling import CoolSamplers
from thermoc.backends.chip.die_temperature import AtDieTemperature
from thermoc.backends.chip.options import ChipOptions
from thermoc.backends.chip.partition import PartitionWork
from thermoc.backends.chip.placement import PlaceGroups
from thermoc.backends.chip.routes import RouteMessages
from thermoc.backends.chip.schedule import ScheduleInstructions
from thermoc.backends.chip.target import TARGET
from thermoc.backends.chip.trial import TrialRun
from thermoc.backends.chip.work import SplitWork
from thermoc.ir.types import DType
from thermoc.passes import stages
from thermoc.passes.base import Pass
from thermoc.passes.canonicalize import Canonicalize
from thermoc.passes.crossbar.map_crossbars import MapCrossbars
from thermoc.passes.discretize import Discretize
from thermoc.passes.explicit_broadcast import ExplicitBroadcast
from thermoc.passes.legalize import Legalize
from thermoc.passes.set_precision import SetPrecision
from thermoc.simulator.chips import Chip


def lower(options: ChipOptions, *, dt: float) -> Sequence[Pass]:
    """Return the whole way: the layout of the network's own ops, then the program that computes their numbers.

    Errors: T208 for a chip whose converters do not fit its cells.
    """
    chip = options.machine
    holds = capacities_of(chip)
    thermal, at_die = options.placement == "thermal", options.temperature == "die"
    return (
        # Types and constants known, linear maps fused: the ops that the chip is charged for, by the network's names.
        *stages.cleaned(),
        # What each core does, and when. These passes read the graph and leave it as it is.
        SplitWork(chip=holds),
        PartitionWork(chip=holds, apart=thermal),
        PlaceGroups(chip=holds),
        *((ScheduleInstructions(chip=holds), TrialRun(chip=chip), CoolSamplers(chip=holds)) if thermal else ()),
        RouteMessages(chip=holds),
        ScheduleInstructions(chip=holds),
        # The numbers, as the simulator computes them.
        *numbers(options, dt=dt),
        # The same once more from the network's ops, with the die's temperature as an input.
        *((AtDieTemperature(numbers=partial(numbers, options, dt=dt)),) if at_die else ()),
    )


def numbers(options: ChipOptions, *, dt: float, warm: Sequence[Pass] = ()) -> Sequence[Pass]:
    """Return the passes from the network's ops to those of the simulator; ``warm`` follows the mapping to cells."""
    on_cells = (crossbars(options, options.machine), *warm) if options.cells == "chip" else ()
    return (
        Discretize(dt=dt),
        Canonicalize(),
        SetPrecision(dtype=DType.f64 if options.precision == "float64" else DType.f32),
        *on_cells,
        Legalize(target=TARGET),
        ExplicitBroadcast(),
        Canonicalize(),
    )


def crossbars(options: ChipOptions, chip: Chip) -> MapCrossbars:
    """Return the pass that puts products on the chip's cells, between its converters. Errors: T208."""
    settings: dict[str, Any] = {"input_range": options.input_range, "calibrate": options.calibrate, "adc": options.adc}
    if chip["crossbar.wire"]:
        from thermoc.simulator.crossbar.circuit import transfer  # Numba loads where there are wires to solve

        settings["wires"] = transfer
    return MapCrossbars(spec=crossbars_of(chip), **settings)
