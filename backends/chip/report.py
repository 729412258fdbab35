"""What a run on a chip took: cycles, joules, kelvins, and which op they are for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from thermoc.backends.chip.batch import MOST_EVENTS
from thermoc.backends.chip.heat import Standing
from thermoc.backends.chip.kelvins import UnitKelvins
from thermoc.backends.chip.temperatures import Kelvins
from thermoc.simulator.machine import COMPONENTS, Costs, Events
from thermoc.simulator.machine.account import Account
from thermoc.simulator.machine.electrothermal import ElectroThermal
from thermoc.simulator.machine.heat_state import Course, HeatState, joined
from thermoc.simulator.machine.instructions import PICO
from thermoc.simulator.machine.tick import TickRecord
from thermoc.support.plurals import counted
from thermoc.support.tables import table

if TYPE_CHECKING:
    from thermoc.backends.chip.build import ChipArtefact


PLACED = {"wire": "length of wires", "thermal": "temperature"}


@dataclass(frozen=True, kw_only=True)
class ChipRun:
    """Everything that a session on a chip has given so far, for reports and pictures.

    now: the heat after the last tick. ended, last: the same, and the slot at hand, as if that ended with it.
    ``history`` and ``units`` begin where a session goes on from a snapshot, and all else at its start.
    """

    artefact: ChipArtefact
    tick: TickRecord
    heat: ElectroThermal
    now: Standing
    ended: HeatState
    last: Course
    lag: float
    ticks: int
    batch: int

    @property
    def price(self) -> Costs:
        """What each instruction costs."""
        return self.tick.price

    @cached_property
    def sums(self) -> Account:
        """Who spent what in all ticks."""
        return self.tick.sums.repeated(self.ticks, self.tick.period)

    @cached_property
    def events(self) -> Events:
        """What happened, from the setup on; of a long session in the first ticks, of at most ``MOST_EVENTS`` events."""
        return self.tick.repeated(max(1, min(self.ticks, MOST_EVENTS // len(self.tick.events))))

    @cached_property
    def history(self) -> Course:
        """The die's temperatures slot by slot; of a long session, several slots as one."""
        return joined([self.now.record.course, self.last])

    @cached_property
    def units(self) -> UnitKelvins:
        """What units drew at tick by tick; of a long session, in every second, fourth, ... tick."""
        return self.now.drawn.kelvins

    @property
    def kelvin(self) -> Kelvins:
        """Temperatures that units drew at in the ticks of ``units.ticks``, (ticks * batch, units) by op."""
        return self.units.kelvin

    @property
    def targets(self) -> Kelvins:
        """Temperatures that were asked for in these ticks, (ticks,) by op."""
        return self.units.targets

    @property
    def kept(self) -> str:
        """What is kept of temperatures, in words; '' where that is all of them."""
        slots, ticks = self.now.record.every, self.now.drawn.every
        parts = [f"the die's every {slots} slots"] * (slots > 1) + [f"those of units every {ticks} ticks"] * (ticks > 1)
        return ", ".join(parts)


@dataclass(frozen=True, kw_only=True)
class OpCost:
    """What one op costs: joules of the whole run, and by how many kelvins it alone would warm its hottest place."""

    op: str
    joules: float
    share: float
    kelvin: float


@dataclass(frozen=True, kw_only=True)
class TemperatureError:
    """How far the temperatures that an op's units draw at are from those asked for, relative."""

    op: str
    units: int
    mean: float
    worst: float


@dataclass(frozen=True, kw_only=True)
class ChipReport:
    """What a session on a chip has taken since its start; a run that was asked for alone is a session of one call.

    Seconds, joules, kelvins; ``str`` is a summary to read, ``run`` holds all of it.
    latency: of a sample, from its first instruction to its last, mean over samples. throughput: samples a second.
    Programming the cells is not in ``joules``: ``setup_joules`` and ``setup_seconds`` are. lag_error: by how much the
    temperatures move when the thermal slot is halved.
    """

    network: str
    chip: str
    temperature: str
    placement: str
    cycles: int
    seconds: float
    latency: float
    throughput: float
    samples: int
    ticks: int
    joules: float
    joules_a_sample: float
    components: Mapping[str, float]
    ops: tuple[OpCost, ...]
    setup_joules: float
    setup_seconds: float
    utilisation: Mapping[str, tuple[int, int]]
    peak_kelvin: float
    peak_core: int
    peak_tile: int
    peak_seconds: float
    mean_watts: float
    heat_in: float
    heat_out: float
    heat_stored: float
    heat_gap: float
    slot: float
    lag_error: float
    sampling: tuple[TemperatureError, ...]
    run: ChipRun = field(repr=False)

    @property
    def placed(self) -> str:
        """By what places were chosen, in words."""
        return PLACED[self.placement]

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        nested = ("run", "ops", "sampling")
        return {
            **{name: getattr(self, name) for name in self.__dataclass_fields__ if name not in nested},
            "components": dict(self.components),
            "utilisation": {name: list(pair) for name, pair in self.utilisation.items()},
            "ops": [asdict(op) for op in self.ops],
            "sampling": [asdict(entry) for entry in self.sampling],
        }

    def __str__(self) -> str:
        parts = [_lines(self), table("energy by component", _shares(self.components))]
        ops = [{"op": o.op, "joules": o.joules, "share": f"{100 * o.share:.3g}%", "kelvin": o.kelvin} for o in self.ops]
        parts.append(table("energy by op, and by how much it alone warms its hottest place", ops))
        if self.sampling:
            rows = [
                {"op": s.op, "units": s.units, "mean": f"{100 * s.mean:+.3g}%", "worst": f"{100 * s.worst:+.3g}%"}
                for s in self.sampling
            ]
            parts.append(table("temperature that units draw at, off what was asked for", rows))
        limits = [{"part": name, "used": used, "limit": limit} for name, (used, limit) in self.utilisation.items()]
        return "\n\n".join([*parts, table("what is used", limits)])


def _lines(r: ChipReport) -> str:
    speed = f"{r.cycles} cycles, {r.seconds:.4g} s: {r.throughput:.4g} a second"
    ledger = f"{r.heat_in:.4g} J in, {r.heat_out:.4g} J out, {r.heat_stored:.4g} J stored, gap {r.heat_gap:.1g} J"
    hottest = f"core {r.peak_core} (tile {r.peak_tile}) after {r.peak_seconds:.4g} s"
    cells = f"cells programmed in {r.setup_seconds:.4g} s for {r.setup_joules:.4g} J"
    before = cells if r.setup_joules else f"a barrier of {r.setup_seconds:.4g} s"
    note = [f"  temperatures kept: {r.run.kept}"] if r.run.kept else []
    return "\n".join(
        [
            f"{r.network} on chip {r.chip}, sampling as the {r.temperature} says, placed by {r.placed}",
            f"  {counted(r.samples, 'sample')} of {counted(r.ticks, 'tick')} in {speed}",
            f"  latency {r.latency:.4g} s, {r.joules_a_sample:.4g} J a sample, {r.mean_watts:.4g} W on the mean",
            f"  peak {r.peak_kelvin:.5g} K at {hottest}",
            f"  heat: {ledger}",
            f"  thermal slot {r.slot:g} s; halving it moves temperatures by at most {r.lag_error:.3g} K",
            f"  before: {before}",
            *note,
        ]
    )


def _shares(components: Mapping[str, float]) -> list[dict[str, object]]:
    total = sum(components.values()) or 1.0
    return [
        {"component": name, "joules": joules, "share": f"{100 * joules / total:.3g}%"}
        for name, joules in components.items()
        if joules
    ]


def report(run: ChipRun) -> ChipReport:
    """Return the report of a run."""
    sums, ended, layout = run.sums, run.ended, run.artefact.mapping
    components = _components(run)
    joules = sum(components.values())
    peak, core, when = ended.peak
    # The thermal run's own account: heat in and out must close with what is stored.
    ledger = ended.ledger
    return ChipReport(
        network=run.artefact.graph.name,
        chip=layout.chip.name,
        temperature=run.artefact.options.temperature,
        placement=run.artefact.options.placement,
        cycles=round(sums.seconds * layout.chip["clock.frequency"]),
        seconds=sums.seconds,
        latency=float((sums.spans[:, 1] - sums.spans[:, 0]).mean() / PICO) if len(sums.spans) else 0.0,
        throughput=run.batch / sums.seconds if sums.seconds else 0.0,
        samples=run.batch,
        ticks=run.ticks,
        joules=joules,
        joules_a_sample=joules / run.batch,
        components=components,
        ops=_ops(run, joules),
        setup_joules=float(sums.setup_joules.sum()),
        setup_seconds=sums.setup_seconds,
        utilisation=layout.utilisation,
        peak_kelvin=peak,
        peak_core=core,
        peak_tile=core // layout.chip.whole("mesh.cores"),
        peak_seconds=when / PICO,
        mean_watts=float(ended.work.sum() / (ended.time / PICO)),
        heat_in=ledger.work,
        heat_out=ledger.heat,
        heat_stored=ledger.stored,
        heat_gap=ledger.gap,
        slot=run.artefact.options.slot,
        lag_error=run.lag,
        sampling=tuple(
            TemperatureError(op=op, units=len(layout.work.colours[op]), mean=off.total / off.draws, worst=off.worst)
            for op, off in run.now.sampling.items()
        ),
        run=run,
    )


def _components(run: ChipRun) -> dict[str, float]:
    """Return joules by component: of events, and of what takes power all the time."""
    sums = run.sums.joules.sum(axis=0)
    components = {name: float(joules) for name, joules in zip(COMPONENTS, sums)}
    heater, leakage, sampler = (float(joules) for joules in run.ended.joules.sum(axis=1))
    return components | {"sampler": sampler, "heater": heater, "leakage": leakage}


def _ops(run: ChipRun, whole: float) -> tuple[OpCost, ...]:
    """Return each op's cost, the dearest first; heaters and p-bits are those of the op on whose cores they are."""
    layout, seconds = run.artefact.mapping, run.sums.seconds
    heater, leakage, units = run.ended.joules
    sampler = COMPONENTS.index("sampler")
    ambient, costs = layout.chip["package.ambient"], []
    sites = {name: np.unique(cores) for name, cores in layout.sites.items()}
    for number, name in enumerate(layout.work.ops):
        by_core = run.sums.by_core[number].copy()
        # Samplers are accounted for in the thermal run: with the events' share they would count twice.
        joules = float(run.sums.joules[number].sum() - run.sums.joules[number, sampler])
        if name in sites:
            mine = sites[name]
            by_core[mine] += heater[mine] + units[mine] - run.sums.joules[number, sampler] / len(mine)
            joules += float((heater + units)[mine].sum())
        # What was taken away is a mean over the op's cores, so a single core may come out below zero.
        rise = float((run.heat.steady(np.maximum(by_core, 0.0) / seconds) - ambient).max()) if seconds else 0.0
        costs.append(OpCost(op=name, joules=joules, share=joules / whole if whole else 0.0, kelvin=rise))
    # Leakage is of no op: it flows whatever runs, so it has a row of its own.
    leaked = float(leakage.sum())
    rise = float((run.heat.steady(leakage / (run.ended.time / PICO)) - ambient).max())
    costs.append(OpCost(op="(leakage)", joules=leaked, share=leaked / whole, kelvin=rise))
    return tuple(sorted(costs, key=lambda op: -op.joules))
