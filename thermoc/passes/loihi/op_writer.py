"""Writes ops of Loihi into a graph: names, constants, inferred types, and what each population sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from thermoc.ir.dialects import core
from thermoc.ir.graph import Graph, fresh_names
from thermoc.ir.infer import infer
from thermoc.ir.ops import Op
from thermoc.ir.types import DType, Role, Shape, Type
from thermoc.ir.values import Array, Value
from thermoc.passes.loihi.clocks import Clocks
from thermoc.passes.loihi.design_types import MessageFormat
from thermoc.passes.loihi.population_types import SPIKING, Population
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import Location


class Sender(NamedTuple):
    """What a population sends: the value on Loihi, and at what lag."""

    value: Value
    lag: int


class LoihiWriter:
    """Collects the ops of Loihi; names of the network's values are kept.

    formats: of what each source sends. read_sums: populations that the host reads where their synapses' sum arrives.
    """

    def __init__(
        self,
        graph: Graph,
        clocks: Clocks,
        formats: Mapping[str, MessageFormat],
        read_sums: frozenset[str] = frozenset(),
    ):
        self.graph, self.clocks, self.formats, self.read_sums = graph, clocks, formats, read_sums
        self.ops: list[Op] = []
        self.senders: dict[str, Sender] = {}
        self.states: dict[tuple[str, str], Value] = {}
        self.runs: dict[tuple[str, str], tuple[str, ...]] = {}
        """Of each state the values that hold it, one for each run of units with the same decays."""
        self.encodes: dict[tuple[object, ...], Value] = {}
        self.location: Location | None = None
        self._names = fresh_names(graph)

    def announce(self, population: Population) -> None:
        """Name what a population will send, so that others may read it before it is written."""
        role = Role.spike if isinstance(population, SPIKING) else Role.signal
        value = Value(self._names(f"{population.name}.n"), Type(population.shape, DType.i32, role))
        self.senders[population.name] = Sender(value, self.clocks.lags[population.name] + population.offset)

    def __call__(self, cls: type[Op], **fields: Any) -> Any:
        """Add an op; return its first result."""
        untyped = {key: Value("?") for key in cls.result_specs if key not in fields}
        op = cls(**fields, **untyped, location=self.location)
        # Designs are checked before: what does not fit here is a defect of the pass, not of the network.
        types, findings = infer(op)
        assert not findings, f"{op.opname} does not fit: {findings}"
        results = {key: Value(self._names(_base(op)), kind) for key, kind in types.items() if key not in fields}
        op = op.with_(**results)
        self.ops.append(op)
        return op.results[0]

    def copied(self, op: Op, named: dict[str, Value]) -> None:
        """Add an op of the network under names of its own; ``named`` says which values it reads, and learns its own."""
        fresh = {value.name: Value(self._names(f"{value.name}.host"), value.type) for value in op.results}
        results = {key: fresh[getattr(op, key).name] for key in op.result_specs}
        self.ops.append(op.renamed(lambda value: named.get(value.name, value)).with_(**results))
        named |= fresh

    def sent(self, population: Population, cls: type[Op], **fields: Any) -> Op:
        """Add the op of a population under the name announced for it."""
        first_result = next(iter(cls.result_specs))
        self(cls, **fields, **{first_result: self.senders[population.name].value})
        return self.ops[-1]

    def rename_last(self, value: Value) -> None:
        """Let the last op give a value of the network under its own name."""
        self.ops[-1] = self.ops[-1].with_(y=value)

    def integers(self, numbers: Any) -> Value:
        """Add a constant of integers."""
        return self._constant(np.asarray(numbers).astype(np.int32))

    def scalar(self, number: int) -> Value:
        """Add a constant that is one integer, without an axis."""
        return self._constant(np.array([number], np.int32), ())

    def floats(self, numbers: AnyArray) -> Value:
        """Add a constant of floats."""
        return self._constant(np.asarray(numbers, np.float64))

    def broadcast(self, numbers: AnyArray, shape: Shape) -> Value:
        """Add a constant of integers, one for each unit; one number stands for equal ones."""
        numbers = np.asarray(numbers)
        same = numbers.size and (numbers == numbers.flat[0]).all()
        return self.integers(numbers.flat[0] if same else numbers.reshape(shape))

    def shaped(self, x: Value, shape: Shape) -> Value:
        """Return a value in another shape."""
        return x if x.shape == shape else self(core.Reshape, x=x, shape=shape)

    def _constant(self, array: AnyArray, shape: Shape | None = None) -> Value:
        # ascontiguousarray gives a single number one axis: such constants have shape (1,) where nothing else is said.
        array = np.ascontiguousarray(array)
        array = array if shape is None else array.reshape(shape)
        value = Value(self._names("n.c"), Type(array.shape, DType.of(array.dtype) or DType.i32))
        self.ops.append(core.Constant(value=Array(array), y=value, location=self.location))
        return value


def _base(op: Op) -> str:
    return f"{op.inputs[0].name.split('.')[0]}.{op.opname.split('.')[1]}" if op.inputs else "n"
