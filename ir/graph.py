"""A graph is a tuple of ops that name each other's results; it is one tick of the network."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from thermoc.ir.dialects.core import Input, Output, Parameter, Probe
from thermoc.ir.ops import STOCHASTIC, Op
from thermoc.ir.printer import print_graph
from thermoc.ir.types import Shape
from thermoc.ir.values import Array, Value

if TYPE_CHECKING:
    import networkx

_O = TypeVar("_O", bound=Op)


@dataclass(frozen=True, kw_only=True)
class Graph:
    """One tick of a network: (state, inputs, tick, seed) -> (state', outputs). ``dt`` is the time a tick takes.

    Equality is of names, types, attributes and order of the ops; locations do not count. ``hash`` also forgets
    internal names and the order of ops.
    """

    name: str
    dt: float = 1.0
    ops: tuple[Op, ...] = ()

    def with_ops(self, ops: Iterable[Op]) -> Graph:
        """Return this graph with other ops."""
        return dataclasses.replace(self, ops=tuple(ops))

    def of(self, kind: type[_O]) -> tuple[_O, ...]:
        """Return the ops of one class, in order."""
        return tuple(op for op in self.ops if isinstance(op, kind))

    @cached_property
    def inputs(self) -> dict[str, Input]:
        """Input ops by name."""
        return {op.name: op for op in self.of(Input)}

    @cached_property
    def outputs(self) -> dict[str, Output]:
        """Output ops by name, probes among them."""
        return {op.name: op for op in self.of(Output)}

    @cached_property
    def probes(self) -> frozenset[str]:
        """Names of the outputs that are returned only where a run asks for them."""
        return frozenset(op.name for op in self.of(Probe))

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """Parameter ops by name."""
        return {op.name: op for op in self.of(Parameter)}

    @property
    def states(self) -> dict[str, Shape]:
        """Shape of every state of one sample, by ``result.state``."""
        return {f"{op.results[0].name}.{name}": shape for op in self.ops for name, shape in op.states().items()}

    @cached_property
    def producers(self) -> Mapping[str, Op]:
        """The op behind each value, by the value's name."""
        return {value.name: op for op in self.ops for value in op.results}

    @cached_property
    def consumers(self) -> Mapping[str, tuple[Op, ...]]:
        """The ops that read each value, by the value's name."""
        readers: dict[str, list[Op]] = {name: [] for name in self.producers}
        for op in self.ops:
            # An op that reads a value twice is one reader.
            for value in dict.fromkeys(op.inputs):
                readers.setdefault(value.name, []).append(op)
        return {name: tuple(ops) for name, ops in readers.items()}

    def to_networkx(self, *, instant: bool = False) -> networkx.DiGraph[int]:
        """Return op positions as nodes and dataflow as edges; ``instant`` keeps the edges that act within a tick."""
        import networkx

        producer = {value.name: index for index, op in enumerate(self.ops) for value in op.results}
        graph: networkx.DiGraph[int] = networkx.DiGraph()
        graph.add_nodes_from(range(len(self.ops)))
        for index, op in enumerate(self.ops):
            values = op.instant_inputs if instant else op.inputs
            graph.add_edges_from((producer[value.name], index) for value in values if value.name in producer)
        return graph

    @cached_property
    def listed_in_order(self) -> bool:
        """Whether each op follows, as they are listed, what acts on it within the tick: there is no cycle then."""
        position = {value.name: index for index, op in enumerate(self.ops) for value in op.results}
        return all(position.get(v.name, -1) < index for index, op in enumerate(self.ops) for v in op.instant_inputs)

    @cached_property
    def order(self) -> tuple[Op, ...]:
        """The ops in an order in which each follows what acts on it within the tick. The graph must be verified."""
        if self.listed_in_order:
            return self.ops
        import networkx

        # Of all possible orders the one nearest to the order of writing: nothing may depend on how names hash.
        order: Iterable[int] = networkx.lexicographical_topological_sort(self.to_networkx(instant=True))
        return tuple(self.ops[index] for index in order)

    @cached_property
    def uniform(self) -> frozenset[str]:
        """Names of the values that are the same for every sample: they depend on no input and no noise."""
        varying = [v for op in self.ops if isinstance(op, Input) or STOCHASTIC in op.traits for v in op.results]
        varied = {value.name for value in varying}
        while varying:
            for reader in self.consumers.get(varying.pop().name, ()):
                fresh = [value for value in reader.results if value.name not in varied]
                varied.update(value.name for value in fresh)
                varying += fresh
        return frozenset(self.producers.keys() - varied)

    @cached_property
    def noise_units(self) -> int:
        """The most units that draw from one stream; 0 without noise."""
        sizes = (v.size for op in self.ops if STOCHASTIC in op.traits for v in op.results)
        return max(sizes, default=0)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the meaning: equal for graphs that differ only in internal names, op order or locations."""
        return _content_hash(self)

    def __str__(self) -> str:
        return print_graph(self)


def _content_hash(graph: Graph) -> str:
    numbers: dict[str, int] = {}
    lines = [f"dt {graph.dt!r}"]
    # What no output needs is no part of the meaning; inputs are, for a run must be given them.
    roots = sorted((op for op in graph.ops if not op.results), key=lambda op: (op.opname, getattr(op, "name", "")))
    for root in [*roots, *sorted(graph.of(Input), key=lambda op: op.name)]:
        _number(graph, root, numbers)
    placed = {numbers[op.results[0].name]: op for op in graph.ops if op.results and op.results[0].name in numbers}
    for op in [*(placed[number] for number in sorted(placed)), *roots]:
        lines.append(_canonical(op, numbers))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _number(graph: Graph, root: Op, numbers: dict[str, int]) -> None:
    """Number the results that ``root`` needs, depth first in operand order; without recursion, for deep graphs."""
    stack = [root]
    while stack:
        op = stack.pop()
        if op.results and op.results[0].name in numbers:
            continue
        for value in op.results:
            numbers[value.name] = len(numbers)
        # Reversed, for a stack gives back the last first: the first operand is to be numbered first.
        stack += [graph.producers[value.name] for value in reversed(op.inputs) if value.name in graph.producers]


def _canonical(op: Op, numbers: dict[str, int]) -> str:
    operands = [f"{name}={numbers.get(value.name, -1)}" for name, value in op.operand_values]
    attrs = [f"{name}={_plain(value)}" for name, value in op.attrs.items()]
    results = [f"{numbers[value.name]}:{value.type}" for value in op.results]
    return f"{op.opname} ({','.join(operands)}) [{','.join(attrs)}] -> {','.join(results)}"


def _plain(attribute: Any) -> str:
    if isinstance(attribute, Array):
        return attribute.digest
    return str(attribute) if isinstance(attribute, str) else repr(attribute)  # an enum of texts counts as its text


def exposed(graph: Graph, names: Iterable[str], prefix: str) -> Graph:
    """Return the graph with each of these values also an output, under the value's name behind ``prefix``."""
    values = {value.name: value for op in graph.ops for value in op.results}
    return graph.with_ops([*graph.ops, *(Output(x=values[name], name=prefix + name) for name in dict.fromkeys(names))])


def fresh_names(graph: Graph) -> NameSource:
    """Return a source of value names that the graph does not use."""
    return NameSource(graph.producers)


class NameSource:
    """Returns names that are not taken: the one wanted, or it with a number."""

    def __init__(self, taken: Iterable[str] = ()):
        self._taken = set(taken)
        self._next: dict[str, int] = {}

    def __call__(self, base: str) -> str:
        name = base
        while name in self._taken:
            # Counted on from the last: searching from 1 each time would be quadratic in equal names.
            self._next[base] = self._next.get(base, 0) + 1
            name = f"{base}_{self._next[base]}"
        self._taken.add(name)
        return name

    def claim(self, name: str) -> bool:
        """Take exactly this name; False if it is taken."""
        if name in self._taken:
            return False
        self._taken.add(name)
        return True


def replaced(values: Mapping[str, Value], op: Op) -> Op:
    """Return the op with its operands replaced as the mapping (by name) says."""
    if not any(value.name in values for value in op.inputs):
        return op
    return op.renamed(lambda value: values.get(value.name, value))
