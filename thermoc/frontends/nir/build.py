"""From nodes and edges to ops: one op a node, sums where edges meet, a tick of delay where a cycle closes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import networkx
import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.nir.cycles import late_edges, looping
from thermoc.frontends.nir.forms import together
from thermoc.frontends.nir.nodes import BEFORE, Model, Node, repair, unreadable
from thermoc.frontends.nir.shapes import Shape, flat_axes, per_axis, shapes, window_of
from thermoc.ir.builder import Builder, Handle
from thermoc.ir.dialects import core, spiking
from thermoc.ir.graph import Graph, NameSource
from thermoc.ir.types import DType, Role
from thermoc.support.errors import Finding, Location, ThermocError, error

UNITS = {
    "I": spiking.I,
    "IF": spiking.If,
    "LI": spiking.Li,
    "LIF": spiking.Lif,
    "CubaLI": spiking.CubaLi,
    "CubaLIF": spiking.CubaLif,
}
ONE_VARIABLE, TWO_VARIABLES = ("exact", "euler", "exponential"), ("exact", "euler", "exponential", "semi_implicit")


@dataclass(kw_only=True)
class _Site:
    model: Model
    builder: Builder
    method: str | None
    wants: dict[str, Shape]
    gives: dict[str, Shape]
    fresh: NameSource
    handles: dict[str, Handle] = field(default_factory=dict)
    repairs: list[Finding] = field(default_factory=list)


def build(model: Model, name: str, dt: float, method: str | None) -> tuple[Graph, list[Finding]]:
    """Return the verified graph and what was mended or assumed. Errors: T1xx, T204, T504, T508."""
    wants, gives = shapes(model)
    fresh = NameSource([*model.nodes, *(f"{node}.{result}" for node in model.nodes for result in "svi")])
    site = _Site(model=model, builder=Builder(name, dt), method=method, wants=wants, gives=gives, fresh=fresh)
    breaking = {name for name, node in model.nodes.items() if node.kind == "Delay" and node["delay"].min() >= dt / 2}
    late = late_edges(model, breaking)
    waiting = _placeholders(site, sorted({source for source, _ in late}))
    later = _placeholders(site, sorted(breaking & looping(networkx.DiGraph(model.edges))))
    order = networkx.DiGraph([edge for edge in model.edges if edge not in late and edge[1] not in later])
    order.add_nodes_from(model.nodes)
    into = model.into()
    for node in networkx.lexicographical_topological_sort(order):
        if node in later:
            site.handles[node] = later[node]
            continue
        site.builder.place = Location.of_node(model.source, f"node {node!r}")
        _placed(site, node, [waiting[a] if (a, node) in late else site.handles[a] for a in into[node]])
    for node, hole in later.items():
        site.builder.place = Location.of_node(model.source, f"node {node!r}")
        made = _made(site, node, _sum(site, node, [site.handles[a] for a in into[node]]))
        site.builder.connect(hole, made)
    for node, hole in waiting.items():
        site.builder.place = Location.of_node(model.source, f"node {node!r}")
        made = site.builder.add(core.Delay, {"x": site.handles[node]}, {"ticks": 1}, site.fresh(f"{node}{BEFORE}"))[0]
        site.builder.connect(hole, made)
        targets = ", ".join(repr(b) for a, b in late if a == node)
        site.repairs.append(repair(f"a cycle: {targets} reads {node!r} of the tick before"))
    return site.builder.graph(), site.repairs


def _placeholders(site: _Site, names: list[str]) -> dict[str, Handle]:
    for name in names:
        if name not in site.gives:
            raise unreadable(site.model.source, name, "its shape cannot be told, and a cycle goes through it")
    return {
        name: site.builder.placeholder(site.gives[name], DType.f64, _role(site.model.nodes[name])) for name in names
    }


def _role(node: Node) -> Role:
    return Role.spike if node.kind in ("IF", "LIF", "CubaLIF", "Threshold") else Role.signal


def _placed(site: _Site, name: str, read: list[Handle]) -> None:
    node = site.model.nodes[name]
    if node.kind == "Input":
        if read:
            raise unreadable(site.model.source, name, "it is an Input, and an edge leads into it")
        if name not in site.wants:
            raise unreadable(site.model.source, name, "its shape is not stated and does not follow")
        if node.whole("shape") is None:
            site.repairs.append(repair(f"input {name!r} states no shape: {list(site.wants[name])} follows"))
        attrs = {"name": name, "shape": site.wants[name], "dtype": DType.f64, "role": Role.signal}
        site.handles[name] = site.builder.add(core.Input, {}, attrs, name)[0]
        return
    x = _sum(site, name, read)
    if node.kind == "Output":
        stated = node.whole("shape")
        if stated is not None and stated != x.shape:
            site.repairs.append(repair(f"output {name!r} states shape {list(stated)}: it is {list(x.shape)}"))
        site.builder.add(core.Output, {"x": x}, {"name": node.metadata.get("name", name)})
        site.handles[name] = x
        return
    site.handles[name] = _made(site, name, x)


def _sum(site: _Site, name: str, read: list[Handle]) -> Handle:
    if not read:
        raise unreadable(site.model.source, name, "nothing leads into it")
    total = _fitted(site, name, read[0])
    for other in read[1:]:
        total = site.builder.add(core.Add, {"a": total, "b": _fitted(site, name, other)}, {})[0]
    return total


def _fitted(site: _Site, name: str, x: Handle) -> Handle:
    """Return x in the shape that the node reads, where it has as many elements."""
    want = site.wants.get(name)
    if want is None or want == x.shape or np.prod(want) != np.prod(x.shape) or site.model.nodes[name].kind == "Output":
        return x
    site.repairs.append(repair(f"node {name!r} reads {list(want)}, it is given {list(x.shape)}: reshaped"))
    return _add(site, name, core.Reshape, {"x": x}, {"shape": want}, label=site.fresh(f"{name}.in"))


def _made(site: _Site, name: str, x: Handle) -> Handle:
    node = site.model.nodes[name]
    if node.kind in UNITS:
        return _unit(site, name, node, x)
    return MAKERS[node.kind](site, name, node, x)


def _add(site: _Site, name: str, cls: Any, operands: dict[str, Any], attrs: dict[str, Any], label: str = "") -> Handle:
    """Append a node's op; what it finds wrong names the node."""
    try:
        return site.builder.add(cls, operands, attrs, label or name)[0]
    except ThermocError as problem:
        notes = [note for finding in problem.findings for note in (finding.what, *finding.notes)]
        first = problem.findings[0]
        what = f"{site.model.source}: node {name!r} does not fit"
        raise error(first.code, what, notes=notes, hint=first.hint) from None


def _unit(site: _Site, name: str, node: Node, x: Handle) -> Handle:
    cls = UNITS[node.kind]
    values = {"v_reset": np.zeros(()), "w_in": np.ones(())} | dict(node.fields)
    operands = {key: _full(site, name, values[key], x.shape) for key in cls.operand_specs if key in values}
    attrs: dict[str, Any] = {}
    if "method" in cls.attr_specs:
        attrs["method"] = _method(site, node, TWO_VARIABLES if "Cuba" in node.kind else ONE_VARIABLE)
    return _add(site, name, cls, {"x": x} | operands, attrs)


def _method(site: _Site, node: Node, known: tuple[str, ...]) -> str:
    asked = site.method or node.metadata.get("method", "")
    if asked in known:
        return asked
    return "semi_implicit" if "semi_implicit" in known else "euler"


def _full(site: _Site, name: str, array: NDArray, shape: Shape) -> NDArray:
    """Return a parameter with an element for each unit."""
    if array.shape == shape:
        return array
    if array.size == np.prod(shape):
        return array.reshape(shape)
    try:
        return np.broadcast_to(array, shape)
    except ValueError:
        fact = f"a parameter has shape {list(array.shape)}, the input {list(shape)}"
        raise unreadable(site.model.source, name, fact) from None


def _matrix(site: _Site, name: str, node: Node, x: Handle) -> Handle:
    bias = node.fields.get("bias") if node.kind == "Affine" else None
    if node.kind == "Affine" and bias is None:
        site.repairs.append(repair(f"node {name!r} is an Affine without a bias: a Linear"))
    return _add(site, name, core.Affine, {"x": x, "weight": node["weight"], "bias": bias}, {})


def _conv(site: _Site, name: str, node: Node, x: Handle) -> Handle:
    axes = 1 if node.kind == "Conv1d" else 2
    stride, padding, dilation = window_of(node, axes)
    weight, groups = _grouped(node)
    attrs = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    operands = {"x": x, "weight": weight, "bias": node.fields.get("bias")}
    return _add(site, name, core.Conv, operands, attrs)


def _grouped(node: Node) -> tuple[NDArray, int]:
    """Return a convolution's weight and groups; those that writing noted."""
    groups, noted = (node.whole("groups") or (1,))[0], node.metadata.get("groups", "")
    if groups == 1 and noted.isdecimal() and len(noted) < 8:
        rows = together(node["weight"], int(noted))
        if rows is not None:
            return rows, int(noted)
    return node["weight"], groups


def _pool(site: _Site, name: str, node: Node, x: Handle) -> Handle:
    stride, padding, _ = window_of(node, 2)
    kind = "sum" if node.kind == "SumPool2d" else "mean"
    window = per_axis(node.whole("kernel_size"), 2, None)
    return _add(site, name, core.Pool, {"x": x}, {"kind": kind, "window": window, "stride": stride, "padding": padding})


def _flatten(site: _Site, name: str, node: Node, x: Handle) -> Handle:
    first, last = flat_axes(site.model, name, node, len(x.shape))
    if last - first + 1 == len(x.shape):
        return _add(site, name, core.Flatten, {"x": x}, {})
    joined = int(np.prod(x.shape[first : last + 1]))
    return _add(site, name, core.Reshape, {"x": x}, {"shape": (*x.shape[:first], joined, *x.shape[last + 1 :])})


def _delay(site: _Site, name: str, node: Node, x: Handle) -> Handle:
    times, dt = np.unique(node["delay"]), site.builder.dt
    if len(times) != 1 or times[0] < 0:
        raise unreadable(site.model.source, name, f"its units wait for {len(times)} different times, or less than 0")
    ticks = round(float(times[0] / dt)) if times[0] / dt < 2**31 else -1
    if ticks < 0 or abs(ticks * dt - times[0]) > 1e-6 * max(times[0], dt):
        what = f"{site.model.source}: node {name!r}: the delay is no whole number of ticks"
        raise error("T204", what, notes=[f"delay = {times[0]:.12g}", f"dt = {dt!r}"], hint="load it with another dt")
    if ticks * np.prod(x.shape) > 2**26:
        notes = [f"{ticks} ticks of {int(np.prod(x.shape))} elements", f"the limit is {2**26} numbers"]
        raise error("T504", f"{site.model.source}: node {name!r} keeps too much", notes=notes)
    return _add(site, name, core.Delay, {"x": x}, {"ticks": ticks}) if ticks else x


def _scale(site: _Site, name: str, node: Node, x: Handle) -> Handle:
    return _add(site, name, spiking.Scale, {"x": x, "s": _full(site, name, node["scale"], x.shape)}, {})


def _threshold(site: _Site, name: str, node: Node, x: Handle) -> Handle:
    level = _full(site, name, node["threshold"], x.shape)
    return _add(site, name, spiking.Threshold, {"x": x, "threshold": level}, {})


MAKERS: dict[str, Callable[[_Site, str, Node, Handle], Handle]] = {
    "Affine": _matrix,
    "Linear": _matrix,
    "Conv1d": _conv,
    "Conv2d": _conv,
    "SumPool2d": _pool,
    "AvgPool2d": _pool,
    "Flatten": _flatten,
    "Delay": _delay,
    "Scale": _scale,
    "Threshold": _threshold,
}
