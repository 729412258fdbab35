"""Numbers become the chip's integers: populations, their synapses, and when each acts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thermoc.ir.dialects import core
from thermoc.ir.feed import Feed
from thermoc.ir.graph import Graph
from thermoc.ir.infer import retyped
from thermoc.ir.ops import Op
from thermoc.ir.reference import interpret
from thermoc.ir.types import DType, Role
from thermoc.ir.values import Value
from thermoc.passes.analysis.intervals import Range
from thermoc.passes.base import Pass
from thermoc.passes.canonicalize import drop_dead
from thermoc.passes.change_log import Log
from thermoc.passes.counterparts import Population
from thermoc.passes.loihi import latency, value_ranges
from thermoc.passes.loihi.drives import Drives, Term, is_unit
from thermoc.passes.loihi.emit_ops import Writer
from thermoc.passes.loihi.error_bounds import of_populations, through_host
from thermoc.passes.loihi.regions import Regions, regions
from thermoc.passes.loihi.report import tell
from thermoc.passes.loihi.scales import Design, Source, arriving, designed, limit
from thermoc.passes.loihi.units import LifUnit, MemoryUnit, NoisyUnit, Unit, relay, units_of
from thermoc.passes.option_checks import check_range
from thermoc.support.errors import error

MOST_BITS, LEAST_BITS = 15, 4
ROUNDS = 6
SPIKES = (LifUnit, NoisyUnit)


@dataclass(frozen=True, kw_only=True)
class Quantize(Pass):
    """Replace what the chip can do by ops of ``loihi``; the host keeps what stands before and after.

    input_range: between what the network's inputs lie; beyond, they are clipped. calibrate: inputs by name, whose runs
    say how large each value is, which is sharper than what can be proven. Errors: T205 (an op has no form on the chip),
    T206 (a number is out of its range), T209 (a cycle has fewer delays than synapses).
    """

    name: ClassVar[str] = "quantize"

    input_range: tuple[float, float] = (-4.0, 4.0)
    calibrate: Mapping[str, ArrayLike] | None = field(default=None, repr=False)
    stock_only: bool = field(default=False, repr=False)
    """Only populations of LIF units; a sum is read where it arrives. Errors: T205 for any other."""

    def __post_init__(self) -> None:
        check_range(self.name, self.input_range)

    def run(self, graph: Graph, log: Log) -> Graph:
        return _Quantizer(graph, self, log).graph()


class _Quantizer:
    def __init__(self, graph: Graph, options: Quantize, log: Log):
        self.source, self.options, self.log = graph, options, log
        self.regions: Regions = regions(graph)
        self.drives = Drives(graph, self.regions.chip, self.regions.constants)
        self.ranges = value_ranges.proven(graph, options.input_range)
        if options.calibrate is not None:
            self.ranges |= value_ranges.seen(graph, options.calibrate)
        self.units: dict[str, Unit] = {}
        self.stream = max((getattr(op, "stream", -1) for op in graph.ops), default=-1)
        self.owner: dict[str, tuple[str, Any]] = {}
        """For each value that a population holds: its name, and the reading where it is a state."""

    def graph(self) -> Graph:
        """Return the graph with the chip's ops in place of the network's."""
        self._collect()
        self.read = self._borders()
        if not self.units:
            return self.source
        if self.options.stock_only:
            self._only_stock()
        every = self._every()
        lags = self._lags()
        sources = self._sources()
        designs, sources = self._designs(sources)
        bare = frozenset(name for name in self.units if self.options.stock_only and self._is_bare(name))
        writer = Writer(self.source, lags, every, sources, bare)
        for design in designs:
            writer.announce(design.unit)
        for design in designs:
            writer.write(design)
        self._hand_over(writer, {design.unit.name: design for design in designs})
        kept = [op for op in self.source.ops if not self._on_chip(op)]
        made = retyped(drop_dead(self.source.with_ops([*kept, *writer.ops])))
        errors = self._errors(designs, sources)
        tell(self.log, designs, sources, errors, lags=lags, every=every, constants=self.regions.constants)
        self._tell_outputs(errors, {d.unit.name: d for d in designs})
        self.log.counterparts += [self._counterpart(design, sources, writer, every) for design in designs]
        return made

    def _counterpart(self, design: Design, sources: Mapping[str, Source], writer: Writer, every: int) -> Population:
        name, sender = design.unit.name, writer.senders[design.unit.name]
        return Population(
            design=design,
            sources={term.source: sources[term.source] for term in design.unit.drive.terms},
            sender=sender.value.name,
            lag=sender.lag,
            start=writer.lags[name],
            every=every,
            states={state: runs for (unit, state), runs in writer.runs.items() if unit == name},
            shift=design.bias / design.sent if name in writer.bare else np.zeros(1),
        )

    # -------------------------------------------------------------------------------------------- populations

    def _on_chip(self, op: Op) -> bool:
        return any(value.name in self.regions.chip for value in op.results)

    def _collect(self) -> None:
        for op in self.source.ops:
            if self._on_chip(op) and is_unit(op) and not self._unread(op):
                for unit in units_of(op, self.drives, self.source.dt):
                    self._add(unit)

    def _unread(self, op: Op) -> bool:
        return isinstance(op, core.Cast) and isinstance(self.source.producers[op.x.name], core.Constant)

    def _add(self, unit: Unit) -> None:
        if isinstance(unit, MemoryUnit) and unit.stream < 0:  # without noise, and yet no other op's
            self.stream += 1
            unit = replace(unit, stream=self.stream)
        self.units[unit.name] = unit
        self.owner[unit.name] = (unit.name, None)
        for reading in getattr(unit, "readings", ()):
            self.owner[reading.name] = (unit.name, reading)

    def _borders(self) -> list[Value]:
        """Return the values of the chip that the host reads; sums get relays."""
        read: dict[str, Value] = {}
        for op in self.source.ops:
            if not self._on_chip(op):
                read |= {v.name: v for v in op.inputs if v.name in self.regions.chip}
        for value in read.values():
            if value.name not in self.owner:
                self.drives.relayed(value)
        while len(done := [name for name in self.drives.relays if name in self.units]) < len(self.drives.relays):
            for name, drive in list(self.drives.relays.items()):
                if name not in done:
                    op = self.source.producers[name]
                    self._add(relay(next(v for v in op.results if v.name == name), op, drive))
        self._check_sources()
        return list(read.values())

    def _is_bare(self, name: str) -> bool:
        """Tell whether a population is a sum that the host alone reads: its synapses' result will do."""
        read = any(term.source == name for unit in self.units.values() for term in unit.drive.terms)
        return getattr(self.units[name], "rule", "") == "abs" and not read and bool(self.units[name].drive.terms)

    def _only_stock(self) -> None:
        for unit in self.units.values():
            if not isinstance(unit, LifUnit) and not self._is_bare(unit.name):
                notes = ["Lava's own units are LIF alone: what they do is spike"]
                hint = 'leave stock_only out, or carry activations by spikes: coding="thermal"'
                what = f"{unit.op.opname} (%{unit.name}) has no form in stock units"
                raise error("T205", what, where=unit.op.location, notes=notes, hint=hint)

    def _check_sources(self) -> None:
        for unit in self.units.values():
            for term in unit.drive.terms:
                if term.source in self.regions.chip and term.source not in self.units:
                    op = self.source.producers[term.source]
                    what = f"{op.opname}: %{term.source} is read by {unit.op.opname} (%{unit.name})"
                    notes = ["a synapse carries what a population sends, not its membrane"]
                    raise error("T205", what, where=unit.op.location, notes=notes)

    # --------------------------------------------------------------------------------------------------- clock

    def _every(self) -> int:
        """Return how many ticks of the chip one of the network takes: colours times sweeps."""
        found = {u.turns * u.sweeps: u for u in self.units.values() if isinstance(u, NoisyUnit) and u.turn is not None}
        if not found:
            return 1
        every = max(found)
        for unit in self.units.values():
            own = unit.turns * unit.sweeps if isinstance(unit, NoisyUnit) and unit.turn is not None else 1
            steps = isinstance(unit, LifUnit | MemoryUnit) or (isinstance(unit, NoisyUnit) and unit.categorical)
            if own != every and (own > 1 or steps):
                notes = [
                    f"{found[every].op.opname} (%{found[every].name}) takes {every} ticks of the chip for one",
                    f"{unit.op.opname} (%{unit.name}) takes {own}",
                ]
                raise error("T205", "two clocks have no Loihi form", where=unit.op.location, notes=notes)
        return every

    def _lags(self) -> dict[str, int]:
        least: dict[str, int] = {}
        edges: list[latency.Edge] = []
        for unit in self.units.values():
            least[unit.name] = unit.least
            for term in unit.drive.terms:
                if _is_own(unit, term):
                    continue
                if term.source not in self.units:
                    least[unit.name] = max(least[unit.name], 1 - term.delay)
                    continue
                offset = self.units[term.source].offset
                edges.append(latency.Edge(term.source, unit.name, 1 - term.delay + offset))
        for unit in self.units.values():
            for term in unit.drive.terms:
                if term.delay and term.source in self.units and not _is_own(unit, term):
                    self._starts(unit, term, least)
        return latency.lags(least, edges)

    def _starts(self, unit: Unit, term: Term, least: dict[str, int]) -> None:
        """Before the first tick a delay says its initial number: what its source says then must be that."""
        source = self.units[term.source]
        free = isinstance(source, NoisyUnit) and not source.categorical and source.turn is None
        if isinstance(source, NoisyUnit) and free and term.start and not source.initial.any():
            initial = np.full(source.size, term.start)
            self.units[term.source] = source = replace(source, initial=initial)
        says = self._says_first(source)
        if says is None or not np.allclose(says, term.start, atol=1e-9):
            notes = [f"the delay starts from {term.start:.6g}", f"%{term.source} says something else before its start"]
            what = f"a delay behind {source.op.opname} (%{term.source}) has no Loihi form"
            raise error("T205", what, where=unit.op.location, notes=notes)
        if term.start:
            least[term.source] = max(least[term.source], term.delay - source.offset)

    def _says_first(self, unit: Unit, above: frozenset[str] = frozenset()) -> NDArray | None:
        """Return what a population says before its lag is over; None where that is not one number a unit."""
        if isinstance(unit, LifUnit):
            return np.zeros(unit.size)
        if isinstance(unit, NoisyUnit):
            return np.broadcast_to(unit.initial, unit.size)
        if isinstance(unit, MemoryUnit):
            return unit.initial
        for term in unit.drive.terms:
            if term.source in self.units and term.source not in above:
                says = self._says_first(self.units[term.source], above | {unit.name})
                if says is None or says.any():
                    return None
        curve = getattr(unit, "curve", None)
        if curve is not None:
            return curve(unit.drive.bias)
        return np.maximum(unit.drive.bias, 0) if getattr(unit, "rule", "") == "relu" else unit.drive.bias

    # --------------------------------------------------------------------------------------------------- scales

    def _sources(self) -> dict[str, Source]:
        """Return what everything sends, before populations are designed: graded ones by what their readers can bear."""
        found: dict[str, Source] = {}
        for name in dict.fromkeys(t.source for unit in self.units.values() for t in unit.drive.terms):
            unit = self.units.get(name)
            if isinstance(unit, SPIKES):
                binary = getattr(unit, "levels", "binary") == "binary"
                ones = np.ones(unit.size)
                found[name] = Source(scale=1.0, real=ones, bound=ones, bits=0 if binary else 2)
                continue
            real = self._largest(name, unit)
            scale = self._cap(name, real)
            spike = unit is None and self._binary(name)
            found[name] = _source(scale, real, host=unit is None, spike=spike)
        return found

    def _binary(self, name: str) -> bool:
        """Whether a value of the host is 0 or 1: a spike, and none that a number was merely called."""
        op = self.source.producers[name]
        value = next(v for v in op.results if v.name == name)
        if value.type is None or value.type.role is not Role.spike:
            return False
        if isinstance(op, core.Cast):
            return op.x.type is not None and (op.x.type.dtype is DType.bool or self._binary(op.x.name))
        return self._binary(op.x.name) if isinstance(op, core.Delay) else True

    def _largest(self, name: str, unit: Unit | None) -> NDArray:
        found: Range | None = self.ranges.get(name)
        if found is None and unit is None and name in self.source.uniform:
            first = self._first(name)
            found = Range(-2 * np.abs(first), 2 * np.abs(first))
        if found is None and isinstance(unit, MemoryUnit):
            found = Range(-np.ones(unit.size), np.ones(unit.size))
        if found is None or not (np.isfinite(found.low) & np.isfinite(found.high)).all():
            op = self.source.producers[name]
            notes = ["it follows from the range of the inputs, or from runs of some of them"]
            hint = 'give calibrate={"input": samples}'
            what = f"how large {op.opname} (%{name}) can be is not known"
            raise error("T206", what, where=op.location, notes=notes, hint=hint)
        most = np.maximum(np.abs(found.low), np.abs(found.high)).reshape(-1).astype(float)
        size = unit.size if unit is not None else self._value(name).size
        return np.broadcast_to(most, size)

    def _value(self, name: str) -> Value:
        return next(v for v in self.source.producers[name].results if v.name == name)

    def _first(self, name: str) -> NDArray:
        """Return the first tick's value of what depends on no input."""
        silent = drop_dead(self.source.with_ops([*_plain(self.source), core.Output(name="first", x=self._value(name))]))
        silent = silent.with_ops(op for op in silent.ops if not isinstance(op, core.Input))
        return interpret(silent, Feed(arrays={}, ticks=1, batch=1)).outputs["first"][0, 0]

    def _cap(self, name: str, real: NDArray) -> float:
        """Return the largest power of two at which every reader keeps headroom with all bits of its weights."""
        most = float(real.max(initial=0.0)) or 1.0
        bits = float(MOST_BITS)
        for unit in self.units.values():
            mine = [term for term in unit.drive.terms if term.source == name]
            for term in mine:
                sizes = np.abs(term.map.weights)
                heaviest = float(sizes.max(initial=0.0))
                if not heaviest:
                    continue
                row = float(term.map.with_weights(sizes).apply(real).max()) / heaviest / most
                room = limit(unit) / (256 * max(row, 1e-9) * len(unit.drive.terms))
                bits = min(bits, math.log2(room))
        whole = math.floor(max(bits, LEAST_BITS) - math.log2(most))
        return 2.0**whole

    def _designs(self, sources: dict[str, Source]) -> tuple[list[Design], dict[str, Source]]:
        """Design every population; what it then sends at most is what its readers must bear, so go round again."""
        for _ in range(ROUNDS + len(self.units)):
            designs, moved = [], False
            for unit in self.units.values():
                sent = sources[unit.name].scale if unit.name in sources else None
                design = designed(unit, sources, sent, self._first_T(unit))
                designs.append(design)
                if unit.name not in sources or isinstance(unit, SPIKES):
                    continue
                old = sources[unit.name]
                bound = old.bound if self.options.calibrate is not None else np.maximum(old.bound, design.outcome)
                if design.sent != old.scale or (bound > old.bound).any():
                    moved = True
                    if design.sent != old.scale:
                        bound = np.maximum(old.real * design.sent, design.outcome)
                    sources[unit.name] = Source(scale=design.sent, real=old.real, bound=bound, bits=_bits(bound))
            if not moved:
                self._prove(designs, sources)
                return designs, sources
        unit = next(iter(self.units.values()))
        notes = ["what its populations send grows with every round of its loops"]
        hint = 'give calibrate={"input": samples}'
        raise error(
            "T206",
            f"network {self.source.name!r} has no proven headroom",
            where=unit.op.location,
            notes=notes,
            hint=hint,
        )

    def _prove(self, designs: list[Design], sources: Mapping[str, Source]) -> None:
        """Check once more, from the integers themselves, that nothing leaves 24 bits."""
        for design in designs:
            found = arriving(design.unit, sources, design.scale)
            most = found[1].max(initial=0.0) if found is not None else math.inf
            if not most < limit(design.unit):
                notes = [f"|a| can be {most:.6g}", f"it must stay below {limit(design.unit):.6g}"]
                what = f"the drive of {design.unit.op.opname} (%{design.unit.name}) leaves the chip's 24 bits"
                raise error("T206", what, where=design.unit.op.location, notes=notes)

    def _first_T(self, unit: Unit) -> float:
        if not isinstance(unit, NoisyUnit) or not isinstance(unit.T, Value):
            return 1.0
        known = self.ranges.get(unit.T.name)
        if known is not None:
            return float(known.high.max())
        if unit.T.name in self.source.uniform:
            return float(np.max(self._first(unit.T.name)))
        return max(abs(end) for end in self.options.input_range)

    # ---------------------------------------------------------------------------------------------------- borders

    def _hand_over(self, writer: Writer, designs: Mapping[str, Design]) -> None:
        for value in self.read:
            name, reading = self.owner[value.name]
            if reading is None:
                writer.host(value, designs[name], value.name)
            else:
                writer.reading(value, designs[name], reading)

    def _errors(self, designs: list[Design], sources: Mapping[str, Source]) -> dict[str, NDArray]:
        hosts = {}
        for name, source in sources.items():
            if name not in self.units:
                hosts[name] = 0.0 if source.bits == 0 else 0.5 / source.scale
        return of_populations(designs, sources, hosts)

    def _tell_outputs(self, errors: Mapping[str, NDArray], designs: Mapping[str, Design]) -> None:
        given: dict[str, NDArray] = {}
        for value in self.read:
            name, reading = self.owner[value.name]
            shape = designs[name].unit.shape
            exact = not errors[name].any()
            given[value.name] = (
                errors[name].reshape(shape) if reading is None else np.full(shape, 0.0 if exact else np.inf)
            )
        host = [op for op in self.source.ops if not self._on_chip(op)]
        inputs = [core.Input(name=f"chip.{v.name}", shape=v.type.shape, y=v) for v in self.read if v.type is not None]
        for name, bound in through_host(self.source.with_ops([*host, *inputs]), given).items():
            if bound:
                self.log.changed(
                    f"output {name!r}",
                    old="numbers",
                    new="integers of the chip",
                    bound=f"off by at most {bound:.4g}" if math.isfinite(bound) else "no bound: units may part",
                    offset=bound,
                )


def _is_own(unit: Unit, term: Term) -> bool:
    return isinstance(unit, NoisyUnit) and unit.turn is not None and term.source == unit.name


def _plain(graph: Graph) -> list[Op]:
    return [op for op in graph.ops if not isinstance(op, core.Output)]


def _source(scale: float, real: NDArray, *, host: bool, spike: bool) -> Source:
    if spike:
        return Source(scale=1.0, real=real, bound=np.ones(len(real)), bits=0)
    bound = np.ceil(real * scale)
    if host:  # what an encode clips to
        bound = np.full(len(real), 2.0 ** _bits(bound) - 1)
    return Source(scale=scale, real=real, bound=bound, bits=_bits(bound) + 1)


def _bits(bound: NDArray) -> int:
    return max(1, min(23, math.ceil(math.log2(float(bound.max(initial=1.0)) + 1))))
