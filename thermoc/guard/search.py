"""``tc.guard_band``: a chip is run at several rates, placements and references until the fastest that will do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc import api
from thermoc.guard.band import GuardBand, GuardPoint
from thermoc.guard.draw_distance import draw_distance
from thermoc.ir.dialects.sampling import Gibbs
from thermoc.ir.graph import Graph
from thermoc.network import Network, graph_of
from thermoc.simulator.chips import Chip, load_chip
from thermoc.simulator.chips.variants import path_of, text_of, with_numbers
from thermoc.support.errors import ThermocError, error

PLACEMENTS = ("wire", "thermal")
CHOSEN = frozenset({"chip", "temperature", "placement", "period", "start"})
"""Options of target chip that are not the user's here."""
TOO_HOT = ("T410", "T411", "T415")
"""Codes by which a chip says that it cannot run at a rate: a runaway, a step that has no solution, a die too hot."""
SLOWEST = 64
"""Ticks that are apart by so many times what one takes are the slowest that is looked at."""
RESOLUTION = 1.02
"""The rate is found to this factor."""
MARGIN, TRIES = 1.0, 4
"""K by which a new reference lies above the hottest place that was seen, and how often it is raised."""


def guard_band(
    network: Network | Graph,
    chip: str = "thermo-1",
    *,
    epsilon: float = 0.01,
    inputs: Mapping[str, ArrayLike] | None = None,
    ticks: int = 16,
    batch: int | None = None,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
) -> GuardBand:
    """Return the largest sweep rate of a chip at which each draw stays within epsilon of the law that was asked for.

    A draw's law depends on the temperature of its place, which the chip's own work warms; nothing cools a unit below
    its die. epsilon: the largest total variation of any draw in ``ticks`` ticks, of a run that has gone on for ever. A
    slower rate lets the chip rest between ticks. First the chip is run as it is, placed by wires; then retuned: placed
    by temperature too, and with drives calibrated at, and heaters holding, a reference above the hottest place.
    inputs, batch, seed: the run, as of ``Executable.run``. options: others of target chip. Errors: T303,
    T404 (epsilon, ticks; a network that draws at no temperature), those of compiling for the chip.
    """
    _check(epsilon, ticks, options or {})
    bench = _Bench(
        graph=graph_of(network),
        chip=load_chip(chip),
        text=text_of(chip),
        run={"inputs": inputs, "ticks": ticks, "batch": batch, "seed": seed},
        options=dict(options or {}),
    )
    own = bench.number("sampler.reference", 0.0)
    as_is = bench.fastest("wire", own, epsilon)
    best = as_is
    for placement in PLACEMENTS:
        for reference in bench.references(placement, own, epsilon):
            fastest = bench.fastest(placement, reference, epsilon)
            best = _better(best, fastest)
    return GuardBand(
        network=bench.graph.name,
        chip=bench.chip.name,
        epsilon=epsilon,
        as_is=as_is,
        retuned=best,
        points=tuple(bench.measured.values()),
        limit=_limit(best, bench),
    )


def _check(epsilon: float, ticks: int, options: Mapping[str, Any]) -> None:
    if isinstance(epsilon, bool) or not isinstance(epsilon, int | float) or not 0 < epsilon < 1:
        raise error("T404", "epsilon is a distance of laws, above 0 and below 1", notes=[f"epsilon = {epsilon!r}"])
    if isinstance(ticks, bool) or not isinstance(ticks, int) or ticks < 1:
        raise error("T404", "ticks is a whole number, 1 at least", notes=[f"ticks = {ticks!r}"])
    if chosen := CHOSEN & options.keys():
        raise error("T303", f"{min(chosen)} is chosen by the search", hint="leave it away")


def _better(a: GuardPoint | None, b: GuardPoint | None) -> GuardPoint | None:
    """Return the faster of two, of two as fast the one that takes less power."""
    points = [point for point in (a, b) if point is not None]
    return max(points, key=lambda point: (round(np.log(point.rate), 2), -point.watts), default=None)


def _limit(best: GuardPoint | None, bench: _Bench) -> str:
    if best is None:
        return "at no rate that was looked at do draws keep to their law"
    if best.period == 0.0:
        return "the chip's own speed: ticks follow each other without rest"
    faster = [p for p in bench.measured.values() if (p.placement, p.reference) == (best.placement, best.reference)]
    beyond = min((p for p in faster if p.rate > best.rate), key=lambda p: p.rate)
    return beyond.reason or f"heat: at {beyond.rate:.4g} sweeps a second a draw is {beyond.distance:.3g} off its law"


def _impossible(placement: str, reference: float, period: float, reason: str) -> GuardPoint:
    nothing = dict.fromkeys(("seconds", "rate"), 0.0) | dict.fromkeys(("distance", "off", "kelvin", "watts"), np.inf)
    return GuardPoint(placement=placement, reference=reference, period=period, **nothing, reason=reason)


@dataclass(kw_only=True)
class _Bench:
    """A network on variants of a chip, each run once."""

    graph: Graph
    chip: Chip
    text: str
    run: Mapping[str, Any]
    options: Mapping[str, Any]
    measured: dict[tuple[str, float, float], GuardPoint] = field(default_factory=dict)
    compiled: dict[tuple[str, float], api.Executable] = field(default_factory=dict)

    def number(self, name: str, default: float) -> float:
        """Return a number of the chip, or another where it has none of that name: one without samplers."""
        return self.chip[name] if name in self.chip else default  # noqa: SIM401  (it is no mapping)

    def fastest(self, placement: str, reference: float, epsilon: float) -> GuardPoint | None:
        """Return the fastest point of a placement and reference that keeps to the law, None where none does."""
        first = self.at(placement, reference, 0.0)
        if first.distance <= epsilon:
            return first
        fast = first.seconds or self._bearable(placement, reference)
        slow, slowest = 2 * fast, SLOWEST * fast
        while (best := self.at(placement, reference, slow)).distance > epsilon:
            fast, slow = slow, 2 * slow
            if slow > slowest:
                return None
        while slow / fast > RESOLUTION:
            middle = float(np.sqrt(slow * fast))
            point = self.at(placement, reference, middle)
            slow, fast, best = (middle, fast, point) if point.distance <= epsilon else (slow, middle, best)
        return best

    def _bearable(self, placement: str, reference: float) -> float:
        """Return s between ticks at which the chip runs, however wrong: it does not where ticks follow each other."""
        period = 1e-6
        while period < 1e-3 and self.at(placement, reference, period).reason:
            period *= 4
        return period

    def references(self, placement: str, own: float, epsilon: float) -> list[float]:
        """Return references to try: the chip's own, then above the hottest place that it led to, as often as needed."""
        tried, hottest = [own], self.number("sampler.hottest", own)
        for _ in range(TRIES):
            point = self.at(placement, tried[-1], 0.0)
            if point.distance <= epsilon or point.reason or point.off <= 0:
                break
            hotter = tried[-1] * (1 + point.off) + MARGIN
            if hotter > hottest:
                break
            tried.append(hotter)
        return tried

    def at(self, placement: str, reference: float, period: float) -> GuardPoint:
        """Return what comes of running it so."""
        key = (placement, reference, period)
        if key not in self.measured:
            self.measured[key] = self._measure(*key)
        return self.measured[key]

    def _measure(self, placement: str, reference: float, period: float) -> GuardPoint:
        exe = self._executable(placement, reference, period)
        try:
            report = exe.run(**self.run).chip
        except ThermocError as problem:
            if problem.code not in TOO_HOT:
                raise
            return _impossible(placement, reference, period, problem.findings[0].what)
        if not report.sampling:
            raise error("T404", f"{self.graph.name!r} draws at no temperature, so no heat spoils it")
        worst = [(draw_distance(exe.source.producers[s.op], s.worst), s.worst) for s in report.sampling]
        distance, off = max(worst)
        seconds = max(period, report.seconds / report.ticks)
        return GuardPoint(
            placement=placement,
            reference=reference,
            period=period,
            seconds=seconds,
            rate=report.samples * self._sweeps / seconds,
            distance=distance,
            off=off,
            kelvin=report.peak_kelvin,
            watts=report.mean_watts,
        )

    def _executable(self, placement: str, reference: float, period: float) -> api.Executable:
        """Return the network on a variant of the chip: compiled once, for only a session looks at the period."""
        key = (placement, reference)
        if key not in self.compiled:
            numbers = {"sampler.reference": reference, "sampler.coldest": reference} if reference else {}
            chip = path_of(with_numbers(self.text, numbers))
            options = {**self.options, "chip": chip, "temperature": "die", "placement": placement}
            self.compiled[key] = api.compile(self.graph, "chip", **options)
        exe = self.compiled[key]
        changed = replace(exe, options=replace(exe.options, period=period))
        # A cached property lives in the dictionary: to set it is to have computed it.
        artefact: Any = exe.artefact
        changed.__dict__["artefact"] = replace(artefact, options=changed.options)
        return changed

    @cached_property
    def _sweeps(self) -> int:
        """Sweeps of a tick."""
        return max((op.sweeps for op in self.graph.of(Gibbs)), default=1)
