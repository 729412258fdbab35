"""Writes the designs as ops of the chip, and the borders to the host."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects import core, loihi
from thermoc.ir.graph import Graph, fresh_names
from thermoc.ir.infer import infer
from thermoc.ir.ops import Op
from thermoc.ir.types import DType, Role, Shape, Type
from thermoc.ir.values import Array, Value
from thermoc.passes.loihi import linear_maps as maps
from thermoc.passes.loihi.drives import Term
from thermoc.passes.loihi.scales import FRACTION, Design, Source
from thermoc.passes.loihi.units import CurveUnit, GradedUnit, LifUnit, MemoryUnit, NoisyUnit, Unit
from thermoc.passes.loihi.weights import Weights
from thermoc.support.errors import Location, error

MOST_RUNS = 64


@dataclass(frozen=True, kw_only=True)
class Sender:
    """What a population sends: the value on the chip, and at what lag."""

    value: Value
    lag: int


class Writer:
    """Collects the ops. ``lags`` and ``every`` are the chip's clock; names of the network's values are kept."""

    def __init__(
        self, graph: Graph, lags: Mapping[str, int], every: int, sources: Mapping[str, Source], bare: frozenset[str]
    ):
        self.bare = bare
        """Sums that the host reads where they arrive."""
        self.graph, self.lags, self.every, self.sources = graph, lags, every, sources
        self.ops: list[Op] = []
        self.senders: dict[str, Sender] = {}
        self.states: dict[tuple[str, str], Value] = {}
        self.runs: dict[tuple[str, str], tuple[str, ...]] = {}
        """Of each state the values that hold it, one for each run of units with the same decays."""
        self._names = fresh_names(graph)
        self._where: Location | None = None
        self._encodes: dict[Any, Value] = {}

    def announce(self, unit: Unit) -> None:
        """Name what a population will send, so that others may read it before it is written."""
        role = Role.spike if isinstance(unit, LifUnit | NoisyUnit) else Role.signal
        value = Value(self._names(f"{unit.name}.n"), Type(unit.shape, DType.i32, role))
        self.senders[unit.name] = Sender(value=value, lag=self.lags[unit.name] + unit.offset)

    def write(self, design: Design) -> None:
        """Write a population and its synapses."""
        unit = design.unit
        self._where = unit.op.location
        parts = [
            self._synapse(unit, term, weights)
            for term, weights in zip(unit.drive.terms, design.weights)
            if weights.mantissa.any()
        ]
        if not parts:
            a = self.whole(np.zeros(unit.shape))
        else:
            a = parts[0] if len(parts) == 1 else self(loihi.Dendrite, x=tuple(parts))
        if unit.name in self.bare:
            self.senders[unit.name] = Sender(value=a, lag=self.lags[unit.name])
        else:
            WRITERS[type(unit)](self, design, a)

    def host(self, value: Value, design: Design, name: str) -> None:
        """Hand a value the population sends to the host, under its own name."""
        sender = self.senders[design.unit.name]
        clock = {"lag": sender.lag, "every": self.every}
        self._where = design.unit.op.location
        y = self(loihi.Decode, x=sender.value, scale=float(design.sent), **clock)
        if name in self.bare and design.bias.any():
            y = self(core.Add, a=y, b=self.real(design.bias.reshape(design.unit.shape) / design.sent))
        self.ops[-1] = self.ops[-1].with_(y=value)

    def reading(self, value: Value, design: Design, reading: Any) -> None:
        """Hand a state to the host: v and u have six bits more than what arrives."""
        unit = design.unit
        self._where = unit.op.location
        state = self.states[unit.name, reading.state]
        clock = {"lag": self.lags[unit.name], "every": self.every}
        y = self(loihi.Decode, x=state, scale=float(design.scale * FRACTION), **clock)
        if (reading.factor != 1).any():
            y = self(core.Mul, a=y, b=self.real(reading.factor.reshape(unit.shape)))
        if reading.offset.any():
            y = self(core.Add, a=y, b=self.real(reading.offset.reshape(unit.shape)))
        self.ops[-1] = self.ops[-1].with_(y=value)

    # --------------------------------------------------------------------------------------------------- synapses

    def _synapse(self, unit: Unit, term: Term, weights: Weights) -> Value:
        sender, lag = self.senders.get(term.source), self.lags[unit.name]
        if term.source == unit.name and isinstance(unit, NoisyUnit) and unit.turn is not None:
            x, wait = self.senders[term.source].value, 0  # couplings: what a unit reads is a tick of the chip old
        elif sender is None:
            x, wait = self._encoded(term.source, lag + term.delay - 1), 0
        else:
            x, wait = sender.value, lag - sender.lag + term.delay - 1
        bits = self.sources[term.source].bits
        return self._shaped(self._through(term.map, weights, x, wait, bits), unit.shape)

    def _through(self, how: maps.Map, weights: Weights, x: Value, wait: int, bits: int) -> Value:
        form = {"weight_exp": weights.exponent, "sign_mode": weights.sign_mode, "message_bits": bits}
        if isinstance(how, maps.Window):
            return self._window(how, weights, self._waited(x, wait, bits), form)
        x = self._shaped(x, (how.inputs,))
        rows = how.with_weights(weights.mantissa.astype(float)).matrix().rows
        if isinstance(how, maps.Matrix) and how.dense:
            whole = np.rint(rows.toarray())
            if wait:
                form |= {"delays": self.whole(np.full(whole.shape, wait)), "longest": wait}
            return self(loihi.Dense, x=x, weight=self.whole(whole), **form)
        rows.sort_indices()
        rows = rows.copy()
        rows.eliminate_zeros()
        if wait:
            form |= {"delays": self.whole(np.full(rows.nnz, wait)), "longest": wait}
        parts = {"values": rows.data, "columns": rows.indices, "offsets": rows.indptr}
        return self(loihi.Sparse, x=x, **{name: self.whole(np.rint(p)) for name, p in parts.items()}, **form)

    def _window(self, how: maps.Window, weights: Weights, x: Value, form: Mapping[str, Any]) -> Value:
        same = {name: getattr(how, name) for name in ("stride", "padding", "dilation", "groups")}
        x = self._shaped(x, how.shape)
        return self(loihi.Conv, x=x, weight=self.whole(weights.mantissa), **same, **form)

    def _waited(self, x: Value, wait: int, bits: int) -> Value:
        """Return x ``wait`` ticks later, by a relay: a convolution has no delays of its own."""
        if not wait:
            return x
        size = math.prod(x.shape)
        one = Weights(mantissa=np.ones(size, np.int64), exponent=0, sign_mode="excitatory")
        late = self._through(maps.identity(size), one, x, wait - 1, bits)
        return self(loihi.Graded, a=late, bias=self.whole(np.zeros(())), rule="abs")

    def _encoded(self, name: str, lag: int) -> Value:
        """Return the host's value as messages."""
        source = self.sources[name]
        bits = max(2, math.ceil(math.log2(float(source.bound.max()) + 1)) + 1)
        return self.encode(self._host(name), source.scale, bits, lag)

    def encode(self, value: Value, scale: float, bits: int, lag: int) -> Value:
        """Return a host value as messages, each form once."""
        key = (value.name, scale, bits, lag)
        if key not in self._encodes:
            form = {"scale": float(scale), "bits": bits, "lag": lag, "every": self.every}
            self._encodes[key] = self(loihi.Encode, x=value, **form)
        return self._encodes[key]

    def _host(self, name: str) -> Value:
        value = next(v for v in self.graph.producers[name].results if v.name == name)
        if value.type is not None and value.type.dtype.is_float:
            return value
        return self(core.Cast, x=value, dtype=DType.f64)

    # ------------------------------------------------------------------------------------------------- elementary

    def __call__(self, cls: type[Op], **fields: Any) -> Any:
        """Add an op; return its first result."""
        results = dict.fromkeys(cls.result_specs, Value("?"))
        op = cls(**fields, **{key: item for key, item in results.items() if key not in fields}, location=self._where)
        types, found = infer(op)
        assert not found, f"{op.opname} does not fit: {found}"
        made = {key: Value(self._names(self._base(op)), kind) for key, kind in types.items() if key not in fields}
        op = op.with_(**made)
        self.ops.append(op)
        return op.results[0]

    def _base(self, op: Op) -> str:
        return f"{op.inputs[0].name.split('.')[0]}.{op.opname.split('.')[1]}" if op.inputs else "n"

    def whole(self, numbers: Any) -> Value:
        """Add a constant of integers; one number stands for equal ones where it may."""
        return self._constant(np.asarray(numbers).astype(np.int32))

    def real(self, numbers: NDArray) -> Value:
        """Add a constant of floats."""
        return self._constant(np.asarray(numbers, np.float64))

    def _constant(self, array: NDArray) -> Value:
        array = np.ascontiguousarray(array)
        value = Value(self._names("n.c"), Type(array.shape, DType.of(array.dtype) or DType.i32))
        self.ops.append(core.Constant(value=Array(array), y=value, location=self._where))
        return value

    def few(self, numbers: NDArray, shape: Shape) -> Value:
        """Add a constant that broadcasts to the units."""
        numbers = np.asarray(numbers)
        same = numbers.size and (numbers == numbers.flat[0]).all()
        return self.whole(numbers.flat[0] if same else numbers.reshape(shape))

    def _shaped(self, x: Value, shape: Shape) -> Value:
        return x if x.shape == shape else self(core.Reshape, x=x, shape=shape)

    def finished(self, unit: Unit, op: type[Op], **fields: Any) -> Op:
        """Add the op of a population under the name announced for it."""
        sent = next(iter(op.result_specs))
        self(op, **fields, **{sent: self.senders[unit.name].value})
        return self.ops[-1]


def _write_lif(w: Writer, design: Design, a: Value) -> None:
    """A population has one decay: units of other decays, side by side, are populations of their own."""
    unit, n = design.unit, design.numbers
    assert isinstance(unit, LifUnit)
    form = {name: n[name] for name in ("vth", "bias_exp")} | {"compare": unit.compare, "reset": unit.reset}
    form["lag"] = w.lags[unit.name]
    starts = _runs(np.stack([n["du"], n["dv"]]))
    if len(starts) > MOST_RUNS:
        notes = [f"its decays change {len(starts) - 1} times from unit to unit", "a population on the chip has one"]
        hint = "sort the units by their time constants"
        raise error(
            "T205", f"{unit.op.opname} (%{unit.name}) has no Loihi form", where=unit.op.location, notes=notes, hint=hint
        )
    arrays = {"bias_mant": design.bias, "v_initial": n["v_initial"], "u_initial": n["u_initial"]}
    if len(starts) == 1:
        held = {name: w.few(array, unit.shape) for name, array in arrays.items()}
        op: Any = w.finished(unit, loihi.Lif, a=a, du=int(n["du"][0]), dv=int(n["dv"][0]), **held, **form)
        w.states[unit.name, "v"], w.states[unit.name, "u"] = op.v, op.u
        w.runs |= {(unit.name, name): (getattr(op, name).name,) for name in ("v", "u")}
        return
    flat, made = w._shaped(a, (unit.size,)), []
    for start, stop in zip(starts, [*starts[1:], unit.size]):
        part = w(core.Slice, x=flat, starts=(start,), stops=(stop,), steps=(1,))
        held = {name: w.few(array[start:stop], (stop - start,)) for name, array in arrays.items()}
        w(loihi.Lif, a=part, du=int(n["du"][start]), dv=int(n["dv"][start]), **held, **form)
        made.append(w.ops[-1])
    for name in ("s", "v", "u"):
        whole = w(core.Concat, xs=tuple(getattr(op, name) for op in made), axis=0)
        y = {"y": w.senders[unit.name].value} if name == "s" else {}
        w.states[unit.name, name] = w(core.Reshape, x=whole, shape=unit.shape, **y)
        w.runs[unit.name, name] = tuple(getattr(op, name).name for op in made)


def _runs(decays: NDArray) -> list[int]:
    """Return where a run of equal columns begins."""
    return [0, *(np.flatnonzero((decays[:, 1:] != decays[:, :-1]).any(axis=0)) + 1).tolist()]


def _write_graded(w: Writer, design: Design, a: Value) -> None:
    unit = design.unit
    assert isinstance(unit, GradedUnit)
    bias = w.few(design.bias, unit.shape)
    w.finished(unit, loihi.Graded, a=a, bias=bias, shift=design.numbers["shift"], rule=unit.rule)


def _write_curve(w: Writer, design: Design, a: Value) -> None:
    table, bias = w.whole(design.numbers["table"]), w.few(design.bias, design.unit.shape)
    w.finished(design.unit, loihi.Lut, a=a, table=table, bias=bias, shift=design.numbers["shift"])


def _write_noisy(w: Writer, design: Design, a: Value) -> None:
    unit = design.unit
    assert isinstance(unit, NoisyUnit)
    lag, bias = w.lags[unit.name], w.few(design.bias, unit.shape)
    T = (
        w.encode(_row(w, unit.T), 256 * design.scale, 24, lag)
        if isinstance(unit.T, Value)
        else w.few(design.numbers["T"], unit.shape)
    )
    if unit.categorical:
        w.finished(unit, loihi.Categorical, a=a, T=T, bias=bias, lag=lag, stream=unit.stream)
        return
    turn = np.zeros(unit.size) if unit.turn is None else unit.turn
    sweeps = unit.sweeps if unit.turn is not None else w.every
    initial = w.few(np.broadcast_to(unit.initial, unit.size), unit.shape)
    held = {"turn": w.few(turn, unit.shape), "initial": initial, "T": T, "bias": bias}
    clock = {"turns": unit.turns, "sweeps": sweeps, "lag": lag}
    w.finished(unit, loihi.FermiDirac, a=a, **held, levels=unit.levels, stream=unit.stream, **clock)


def _row(w: Writer, T: Value) -> Value:
    """Return temperatures of sweeps that are all alike as a row."""
    shape = T.shape
    return w(core.Reshape, x=T, shape=shape[1:]) if len(shape) == 2 and shape[0] == 1 else T


def _write_memory(w: Writer, design: Design, a: Value) -> None:
    unit, n = design.unit, design.numbers
    assert isinstance(unit, MemoryUnit)
    if design.bias.any():
        a = w(loihi.Dendrite, x=(a, w.whole(design.bias.reshape(unit.shape))))
    held = {"sigma": w.few(n["sigma"], unit.shape), "initial": w.few(n["initial"], unit.shape)}
    form = {"gain": n["gain"], "dm": n["dm"], "lag": w.lags[unit.name], "stream": unit.stream}
    w.finished(unit, loihi.Memory, a=a, **held, **form)


WRITERS = {
    LifUnit: _write_lif,
    GradedUnit: _write_graded,
    CurveUnit: _write_curve,
    NoisyUnit: _write_noisy,
    MemoryUnit: _write_memory,
}
