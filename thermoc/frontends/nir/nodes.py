"""The nodes of NIR 1.0 by name: which fields each has, and what a field that may be absent is then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from thermoc.support.errors import Finding, Location, ThermocError, error

MOST_ELEMENTS = 2**24
WIRE = "wire"  # an Input or Output of a graph inside the graph: the sum of what comes

BEFORE = ".before"
"""The name of a unit's spikes of the tick before, behind the unit's own."""


@dataclass(frozen=True, kw_only=True)
class NodeKind:
    """Fields that must be there; fields that may be absent, with their values; whether it keeps a state."""

    needs: tuple[str, ...] = ()
    may: dict[str, float | None] = field(default_factory=dict)
    state: bool = False


_WINDOW = {"stride": 1.0, "padding": 0.0, "dilation": 1.0, "groups": 1.0, "bias": None, "input_shape": None}
KINDS: dict[str, NodeKind] = {
    "Input": NodeKind(may={"shape": None}),
    "Output": NodeKind(may={"shape": None}),
    WIRE: NodeKind(may={"shape": None}),
    "Affine": NodeKind(needs=("weight",), may={"bias": None}),
    "Linear": NodeKind(needs=("weight",)),
    "Scale": NodeKind(needs=("scale",)),
    "Conv1d": NodeKind(needs=("weight",), may=_WINDOW),
    "Conv2d": NodeKind(needs=("weight",), may=_WINDOW),
    "SumPool2d": NodeKind(needs=("kernel_size",), may={"stride": None, "padding": 0.0}),
    "AvgPool2d": NodeKind(needs=("kernel_size",), may={"stride": None, "padding": 0.0}),
    "MaxPool2d": NodeKind(needs=("kernel_size",), may={"stride": None, "padding": 0.0}),
    "Flatten": NodeKind(may={"start_dim": 0.0, "end_dim": -1.0, "input_type": None}),
    "Delay": NodeKind(needs=("delay",), state=True),
    "Threshold": NodeKind(needs=("threshold",)),
    "I": NodeKind(needs=("r",), state=True),
    "IF": NodeKind(needs=("r", "v_threshold"), may={"v_reset": 0.0}, state=True),
    "LI": NodeKind(needs=("tau", "r", "v_leak"), state=True),
    "LIF": NodeKind(needs=("tau", "r", "v_leak", "v_threshold"), may={"v_reset": 0.0}, state=True),
    "CubaLI": NodeKind(needs=("tau_syn", "tau_mem", "r", "v_leak"), may={"w_in": 1.0}, state=True),
    "CubaLIF": NodeKind(
        needs=("tau_syn", "tau_mem", "r", "v_leak", "v_threshold"), may={"v_reset": 0.0, "w_in": 1.0}, state=True
    ),
}
PER_UNIT = frozenset({"Scale", "Threshold", "Delay", "I", "IF", "LI", "LIF", "CubaLI", "CubaLIF"})
OURS = frozenset({WIRE, "MaxPool2d"})
"""Kinds that no file of NIR has: a graph's ends inside another, and maxima, which models in memory may hold."""
RESETS = ("value", "zero", "subtract", "subtract_again", "subtract_delayed", "zero_delayed")
COMPARISONS = ("greater", "greater_equal")
RANKS = {"Affine": 2, "Linear": 2, "Conv1d": 3, "Conv2d": 4}
TIMES = frozenset({"tau", "tau_syn", "tau_mem"})
SPIKING = frozenset({"IF", "LIF", "CubaLIF"})
GAINS = {"tau": "r", "tau_mem": "r", "tau_syn": "w_in"}
"""What a variable's input is multiplied by, for each time: both infinite is the limit v' = v + x."""
NOTED = frozenset({"initial", "i_initial"})
"""Arrays in a node's metadata that other readers pass over."""
ADDED_LATER = frozenset({"v_reset", "w_in"})  # absent in files of older versions


@dataclass(frozen=True, kw_only=True)
class NirNode:
    """A node: what it is, its numbers, its texts (``padding``), and texts of its metadata."""

    kind: str
    fields: dict[str, NDArray] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    noted: dict[str, NDArray] = field(default_factory=dict)
    """Arrays of the metadata that are numbers of ours: states at the start."""

    def whole(self, name: str) -> tuple[int, ...] | None:
        """Return a field as integers, None where it is absent."""
        array = self.fields.get(name)
        return None if array is None else tuple(int(number) for number in np.ravel(array))

    def __getitem__(self, name: str) -> NDArray:
        return self.fields[name]


@dataclass(frozen=True, kw_only=True)
class NirModel:
    """Nodes by name and edges (from, to), with no graph inside another; what was repaired on the way."""

    source: str
    nodes: dict[str, NirNode]
    edges: tuple[tuple[str, str], ...]
    metadata: dict[str, str | float] = field(default_factory=dict)
    repairs: tuple[Finding, ...] = ()

    def into(self) -> dict[str, list[str]]:
        """Return the nodes that each node reads, in the order of their names."""
        sources: dict[str, list[str]] = {name: [] for name in self.nodes}
        for source, target in sorted(self.edges):
            sources[target].append(source)
        return sources


def repair(what: str, *notes: str, where: Location | None = None) -> Finding:
    """Return the note of a change or an assumption."""
    return Finding(code="W501", what=what, where=where, notes=notes)


def at(source: str, name: str) -> Location:
    """Return the place of a node: its file and its name."""
    return Location.of_node(source, f"node {name!r}")


def unreadable(source: str, name: str, fact: str, hint: str = "") -> ThermocError:
    """Return the error of a node that cannot be read."""
    return error("T508", f"node {name!r} cannot be read", where=at(source, name), notes=[fact], hint=hint)


def checked(source: str, name: str, node: NirNode) -> Iterator[str]:
    """Check a node's numbers; yield the fields that an older version left out. Errors: T508."""
    kind = KINDS[node.kind]
    for key in kind.needs:
        if key not in node.fields:
            raise unreadable(source, name, f"{node.kind} needs the field {key!r}")
    rank = RANKS.get(node.kind)
    if rank is not None and (node["weight"].ndim != rank or not node["weight"].size):
        raise unreadable(source, name, f"its weight has shape {list(node['weight'].shape)}, not {rank} axes")
    for key, array in node.fields.items():
        if key in TIMES and not (array > 0).all():
            raise unreadable(source, name, f"{key} must be > 0, the least is {array.min()}")
    limits = frozenset(_limits(source, name, node))
    for key, array in node.fields.items():
        if array.dtype.kind == "f" and not (np.isfinite(array) | (array == np.inf) & (key in limits)).all():
            raise unreadable(source, name, f"{key} holds a number that is not finite")
    yield from (key for key in kind.may if key in ADDED_LATER and key not in node.fields)


def _limits(source: str, name: str, node: NirNode) -> Iterator[str]:
    """Yield the fields that may be infinite: a time and its gain, both for the same units. Errors: T508 for one."""
    for time, gain in GAINS.items():
        if time not in node.fields or gain not in node.fields:
            continue
        try:
            endless, unbounded = np.broadcast_arrays(np.isposinf(node[time]), np.isposinf(node[gain]))
        except ValueError:
            continue
        if not np.array_equal(endless, unbounded):
            raise unreadable(
                source, name, f"{time} or {gain} is infinite where the other is not; both are a limit, v' = v + x"
            )
        if endless.any():
            yield from (time, gain)
