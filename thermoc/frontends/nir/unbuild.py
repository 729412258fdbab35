"""From ops back to nodes and edges: sums become edges that meet, a tick of delay that reading puts back vanishes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.nir.cycles import late_edges
from thermoc.frontends.nir.nodes import Model, Node
from thermoc.ir.dialects import core, spiking
from thermoc.ir.graph import Graph, NameSource
from thermoc.ir.ops import Op
from thermoc.ir.values import Value
from thermoc.support.errors import ThermocError, error

Edge = tuple[str, str]
UNIT_FIELDS = {
    spiking.I: ("I", ("r",)),
    spiking.If: ("IF", ("r", "v_threshold", "v_reset")),
    spiking.Li: ("LI", ("tau", "r", "v_leak")),
    spiking.Lif: ("LIF", ("tau", "r", "v_leak", "v_threshold", "v_reset")),
    spiking.CubaLi: ("CubaLI", ("tau_syn", "tau_mem", "r", "v_leak", "w_in")),
    spiking.CubaLif: ("CubaLIF", ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in")),
}


@dataclass(kw_only=True)
class _Site:
    graph: Graph
    names: dict[str, str] = field(default_factory=dict)  # of the node behind a value
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)


def model_of(graph: Graph) -> Model:
    """Return the nodes and edges of a graph. Errors: T509, every op without a node at once."""
    site = _Site(graph=graph)
    findings = [finding for op in graph.ops for finding in _problems(site, op)]
    if findings:
        raise ThermocError([found for problem in findings for found in problem.findings])
    _name(site)
    waits = _recurrent(site)
    for op in graph.ops:
        if isinstance(op, core.Constant | core.Add) or op in waits:
            continue
        _place(site, op, waits)
    return Model(source=graph.name, nodes=dict(sorted(site.nodes.items())), edges=tuple(sorted(site.edges)))


def _no(op: Op, fact: str, hint: str = "") -> ThermocError:
    name = f" ({op.results[0]})" if op.results else ""
    return error("T509", f"NIR has no node for {op.opname}{name}", where=op.location, notes=[fact], hint=hint)


def _problems(site: _Site, op: Op) -> list[ThermocError]:
    """Return why an op has no node."""
    if isinstance(op, core.Constant):
        return []
    if type(op) not in {core.Input, core.Output, core.Add, *NODES, *UNIT_FIELDS}:
        return [_no(op, "its nodes are linear maps, pooling, delays and NIR's own units")]
    try:
        for value in op.results[1:]:
            if site.graph.consumers.get(value.name):
                raise _no(op, f"its result {value} is read; a node has one output, the first result")
        for name, spec in op.operand_specs.items():
            held = getattr(op, name)
            if spec.uniform and held is not None:
                _number(site, op, name)
            elif isinstance(held, Value) and isinstance(site.graph.producers[held.name], core.Constant):
                if not (isinstance(op, core.Mul) and name in "ab"):
                    raise _no(op, f"{name} is a constant, which no node gives")
        _suits(site, op)
    except ThermocError as problem:
        return [problem]
    return []


def _suits(site: _Site, op: Any) -> None:
    """Raise T509 where an op means more than its node."""
    if type(op) in UNIT_FIELDS:
        for name in ("initial", "i_initial"):
            if name in op.operand_specs and np.any(_number(site, op, name)):
                raise _no(op, f"{name} is not 0, where NIR's units start")
        if getattr(op, "reset", "value") == "subtract":
            raise _no(op, "its reset subtracts the threshold; NIR's sets v_reset", 'use reset="value"')
        if getattr(op, "refractory", 0.0):
            raise _no(op, f"refractory = {op.refractory!r}, which NIR's units do not have")
    if getattr(op, "compare", "greater") != "greater":
        raise _no(op, "it spikes at its threshold; NIR's units spike above it", 'use compare="greater"')
    if isinstance(op, core.Affine) and len(_shape(op.x)) != 1:
        raise _no(op, f"x has shape {list(_shape(op.x))}; NIR's Affine takes a vector")
    if isinstance(op, core.Delay) and np.any(_number(site, op, "initial")):
        raise _no(op, "initial is not 0, what NIR's Delay starts with")
    if isinstance(op, core.Mul):
        _factor(site, op)
    if isinstance(op, core.Reshape):
        _joined(op)
    if isinstance(op, core.Pool) and (op.kind == "max" or len(_shape(op.x)) != 3):
        raise _no(op, f"it takes the {op.kind} over {len(_shape(op.x)) - 1} axes; NIR has sums and means over two")
    if isinstance(op, core.Pool | core.Conv) and any(a != b for a, b in op.padding):
        raise _no(op, f"padding {op.padding} is not the same on both sides")
    if isinstance(op, core.Add):
        sources = _sources(site, op.y)
        if len(set(sources)) != len(sources) or _shape(op.a) != _shape(op.b):
            raise _no(op, "it adds a value to itself, or of another shape; edges that meet add different ones")


def _shape(value: Value) -> tuple[int, ...]:
    assert value.type is not None
    return value.type.shape


def _number(site: _Site, op: Op, name: str) -> NDArray:
    """Return a constant operand. Errors: T509 where it is computed."""
    value = getattr(op, name)
    source = site.graph.producers[value.name]
    if not isinstance(source, core.Constant):
        raise _no(op, f"{name} is computed by {source.opname}; a node holds numbers")
    return source.value.numpy


def _factor(site: _Site, op: core.Mul) -> tuple[Value, NDArray]:
    """Return (x, s) of a product with a constant."""
    for x, s in ((op.a, op.b), (op.b, op.a)):
        source = site.graph.producers[s.name]
        if isinstance(source, core.Constant) and _shape(x) == _shape(op.y):
            return x, source.value.numpy
    raise _no(op, "neither factor is a constant; NIR's Scale holds one")


def _joined(op: core.Reshape) -> tuple[int, int]:
    """Return the first and last axis that a reshape joins."""
    before, after = _shape(op.x), op.shape
    spare = len(before) - len(after)
    for first in range(len(after)):
        if (
            spare >= 0
            and (*before[:first], int(np.prod(before[first : first + spare + 1])), *before[first + spare + 1 :])
            == after
        ):
            return first, first + spare
    raise _no(op, f"from {list(before)} to {list(after)}; NIR's Flatten joins neighbouring axes")


def _sources(site: _Site, value: Value) -> list[Value]:
    """Return the values that a value sums, through every add; itself where it is no sum."""
    found, stack = [], [value]
    while stack:
        held = stack.pop()
        op = site.graph.producers[held.name]
        if isinstance(op, core.Add):
            stack += [op.b, op.a]
        else:
            found.append(held)
    return found


def _name(site: _Site) -> None:
    """Name nodes: inputs and outputs first, as they are; then each op by its first result, without the result's name."""
    fresh = NameSource()
    for op in (*site.graph.of(core.Input), *site.graph.of(core.Output)):
        site.names[op.results[0].name if op.results else f"output {op.name}"] = fresh(op.name)
    for op in site.graph.ops:
        if isinstance(op, core.Constant | core.Input | core.Output | core.Add):
            continue
        first = op.results[0].name
        suffix = f".{next(iter(op.result_specs))}"
        site.names[first] = fresh(first.removesuffix(suffix) if len(op.results) > 1 else first)


def _recurrent(site: _Site) -> list[Op]:
    """Return the delays of one tick that reading puts back: without them, it finds these very edges late."""
    waits = [op for op in site.graph.of(core.Delay) if op.ticks == 1 and _on_cycle(site.graph, op)]
    bare = _skeleton(site, waits)
    late = {(site.names[_through(site, op.x, waits)[0].name], b) for op in waits for b in _readers(site, op, waits)}
    return list(waits) if waits and set(late_edges(bare, _breaking(site, waits))) == late else []


def _on_cycle(graph: Graph, op: Op) -> bool:
    import networkx

    flow = graph.to_networkx()
    place = graph.ops.index(op)
    return any(place in networkx.descendants(flow, reader) or reader == place for reader in flow.successors(place))


def _breaking(site: _Site, waits: list[Op]) -> set[str]:
    return {site.names[op.y.name] for op in site.graph.of(core.Delay) if op not in waits}


def _readers(site: _Site, op: Op, waits: list[Op]) -> list[str]:
    """Return the nodes that read an op's result, through sums."""
    found, stack = [], [op.results[0]]
    while stack:
        for reader in site.graph.consumers.get(stack.pop().name, ()):
            if isinstance(reader, core.Add):
                stack.append(reader.y)
            elif reader not in waits:
                found.append(site.names[reader.results[0].name if reader.results else f"output {reader.name}"])  # pyright: ignore[reportAttributeAccessIssue]
    return found


def _through(site: _Site, value: Value, waits: list[Op]) -> list[Value]:
    """Return the values behind an operand, through sums and delays that vanish."""
    found = []
    for held in _sources(site, value):
        op = site.graph.producers[held.name]
        found += _through(site, op.x, waits) if op in waits else [held]  # pyright: ignore[reportAttributeAccessIssue]
    return found


def _skeleton(site: _Site, waits: list[Op]) -> Model:
    """Return the model with the kinds of its nodes and its edges alone."""
    nodes, edges = {}, []
    for op in site.graph.ops:
        if isinstance(op, core.Constant | core.Add) or op in waits:
            continue
        name = site.names[op.results[0].name if op.results else f"output {op.name}"]  # pyright: ignore[reportAttributeAccessIssue]
        nodes[name] = Node(kind=_kind(op))
        edges += [(site.names[value.name], name) for value in _read(site, op, waits)]
    return Model(source=site.graph.name, nodes=nodes, edges=tuple(edges))


def _kind(op: Op) -> str:
    if type(op) in UNIT_FIELDS:
        return UNIT_FIELDS[type(op)][0]
    return {core.Input: "Input", core.Output: "Output", core.Delay: "Delay"}.get(type(op), "Scale")  # pyright: ignore[reportCallIssue, reportArgumentType]


def _read(site: _Site, op: Op, waits: list[Op]) -> list[Value]:
    """Return the values that a node reads: what stands behind its first operand."""
    if isinstance(op, core.Input):
        return []
    x = _factor(site, op)[0] if isinstance(op, core.Mul) else getattr(op, "x")  # noqa: B009
    return _through(site, x, waits)


def _place(site: _Site, op: Any, waits: list[Op]) -> None:
    if isinstance(op, core.Output):
        name = site.names[f"output {op.name}"]
        metadata = {} if name == op.name else {"name": op.name}
        site.nodes[name] = Node(kind="Output", fields={"shape": _whole(_shape(op.x))}, metadata=metadata)
    elif isinstance(op, core.Input):
        name = site.names[op.y.name]
        site.nodes[name] = Node(kind="Input", fields={"shape": _whole(op.shape)})
    elif type(op) in UNIT_FIELDS:
        name = site.names[op.results[0].name]
        site.nodes[name] = _unit(site, op)
    else:
        name = site.names[op.y.name if "y" in op.result_specs else op.s.name]
        site.nodes[name] = NODES[type(op)](site, op)
    site.edges += [(site.names[value.name], name) for value in _read(site, op, waits)]


def _unit(site: _Site, op: Any) -> Node:
    kind, names = UNIT_FIELDS[type(op)]
    fields = {name: _full(_number(site, op, name), op.x) for name in names}
    if getattr(op, "reset", "value") == "zero":
        fields["v_reset"] = np.zeros_like(fields["v_reset"])
    return Node(kind=kind, fields=fields, metadata={"method": op.method} if "method" in op.attr_specs else {})


def _full(array: NDArray, like: Value) -> NDArray:
    return np.array(np.broadcast_to(array, _shape(like)))


def _whole(numbers: Any) -> NDArray:
    return np.array(numbers, np.int64)


def _matrix(site: _Site, op: core.Affine) -> Node:
    weight = _number(site, op, "weight")
    if op.bias is None:
        return Node(kind="Linear", fields={"weight": weight})
    return Node(kind="Affine", fields={"weight": weight, "bias": _number(site, op, "bias")})


def _conv(site: _Site, op: core.Conv) -> Node:
    weight, space = _number(site, op, "weight"), _shape(op.x)[1:]
    bias = np.zeros(weight.shape[0], weight.dtype) if op.bias is None else _number(site, op, "bias")
    one = len(space) == 1
    window = {"stride": op.stride, "padding": tuple(a for a, _ in op.padding), "dilation": op.dilation}
    fields = {key: _whole(numbers[0] if one else numbers) for key, numbers in window.items()}
    shape = _whole(space[0] if one else space)
    more = {"weight": weight, "bias": bias, "groups": _whole(op.groups), "input_shape": shape}
    return Node(kind="Conv1d" if one else "Conv2d", fields=fields | more)


def _pool(site: _Site, op: core.Pool) -> Node:
    padding = _whole([a for a, _ in op.padding])
    fields = {"kernel_size": _whole(op.window), "stride": _whole(op.stride), "padding": padding}
    return Node(kind="SumPool2d" if op.kind == "sum" else "AvgPool2d", fields=fields)


def _flatten(site: _Site, op: core.Flatten | core.Reshape) -> Node:
    first, last = (0, -1) if isinstance(op, core.Flatten) else _joined(op)
    fields = {"start_dim": _whole(first), "end_dim": _whole(last), "input_type": _whole(_shape(op.x))}
    return Node(kind="Flatten", fields=fields)


def _delay(site: _Site, op: core.Delay) -> Node:
    return Node(kind="Delay", fields={"delay": np.full(_shape(op.x), op.ticks * site.graph.dt)})


def _scale(site: _Site, op: spiking.Scale | core.Mul) -> Node:
    x, s = _factor(site, op) if isinstance(op, core.Mul) else (op.x, _number(site, op, "s"))
    return Node(kind="Scale", fields={"scale": _full(s, x)})


def _threshold(site: _Site, op: spiking.Threshold) -> Node:
    return Node(kind="Threshold", fields={"threshold": _full(_number(site, op, "threshold"), op.x)})


NODES: dict[type[Op], Callable[[_Site, Any], Node]] = {
    core.Affine: _matrix,
    core.Conv: _conv,
    core.Pool: _pool,
    core.Flatten: _flatten,
    core.Reshape: _flatten,
    core.Delay: _delay,
    core.Mul: _scale,
    spiking.Scale: _scale,
    spiking.Threshold: _threshold,
}
