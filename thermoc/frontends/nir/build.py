"""From nodes and edges to ops: one op a node, sums where edges meet, a tick of delay where a cycle closes."""

from __future__ import annotations

from collections.abc import Callable

import networkx
import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.nir.construction import Construction, Conventions, add, full
from thermoc.frontends.nir.cycles import late_edges, looping
from thermoc.frontends.nir.nodes import BEFORE, SPIKING, NirModel, NirNode, at, unreadable
from thermoc.frontends.nir.op_nodes import together
from thermoc.frontends.nir.shapes import Shape, flat_axes, per_axis, shapes, window_of
from thermoc.frontends.nir.units import OPS, unit
from thermoc.ir.builder import Builder
from thermoc.ir.dialects import core, spiking
from thermoc.ir.graph import Graph, NameSource
from thermoc.ir.handle import Handle
from thermoc.ir.types import DType, Role
from thermoc.support.errors import Finding, error

# Numbers in the buffer of one delay: 512 MiB.
MOST_KEPT = 2**26


def build(model: NirModel, name: str, dt: float, conventions: Conventions) -> tuple[Graph, list[Finding]]:
    """Return the verified graph and what was repaired or assumed. Errors: T1xx, T303, T504, T508."""
    wants, gives = shapes(model)
    fresh = NameSource([*model.nodes, *(f"{node}.{result}" for node in model.nodes for result in "svi")])
    site = Construction(
        model=model, builder=Builder(name, dt), conventions=conventions, wants=wants, gives=gives, fresh=fresh
    )
    # A Delay that rounds to no tick keeps nothing, and so breaks no cycle.
    breaking = {name for name, node in model.nodes.items() if node.kind == "Delay" and node["delay"].min() >= dt / 2}
    waiting_edges = late_edges(model, breaking)
    waiting = _placeholders(site, sorted({source for source, _ in waiting_edges}))
    # What a Delay in a cycle reads comes after it, so a placeholder stands for the Delay until both are there.
    later = _placeholders(site, sorted(breaking & looping(networkx.DiGraph(model.edges))))
    order = networkx.DiGraph([edge for edge in model.edges if edge not in waiting_edges and edge[1] not in later])
    order.add_nodes_from(model.nodes)
    into = model.into()
    # By name among those that are ready: the graph must not depend on the order in which a file lists its edges.
    for node in networkx.lexicographical_topological_sort(order):
        if node in later:
            site.handles[node] = later[node]
            continue
        site.enter(node)
        _placed(site, node, [waiting[a] if (a, node) in waiting_edges else site.handles[a] for a in into[node]])
    for node, hole in later.items():
        site.enter(node)
        value = _made(site, node, _sum(site, node, [site.handles[a] for a in into[node]]))
        site.builder.connect(hole, value)
    for node, hole in waiting.items():
        site.enter(node)
        value = site.builder.add(core.Delay, {"x": site.handles[node]}, {"ticks": 1}, site.fresh(f"{node}{BEFORE}"))[0]
        site.builder.connect(hole, value)
        targets = ", ".join(repr(b) for a, b in waiting_edges if a == node)
        site.repaired(node, f"a cycle: {targets} reads {node!r} of the tick before")
    return site.builder.graph(), site.repairs


def _placeholders(site: Construction, names: list[str]) -> dict[str, Handle]:
    for name in names:
        if name not in site.gives:
            raise unreadable(site.model.source, name, "its shape cannot be told, and a cycle goes through it")
    return {
        name: site.builder.placeholder(site.gives[name], DType.f64, _role(site.model.nodes[name])) for name in names
    }


def _role(node: NirNode) -> Role:
    return Role.spike if node.kind in {*SPIKING, "Threshold"} else Role.signal


def _placed(site: Construction, name: str, read: list[Handle]) -> None:
    node = site.model.nodes[name]
    site.enter(name)
    if node.kind == "Input":
        if read:
            raise unreadable(site.model.source, name, "it is an Input, and an edge leads into it")
        if name not in site.wants:
            raise unreadable(site.model.source, name, "its shape is not stated and does not follow")
        if node.whole("shape") is None:
            site.repaired(name, f"input {name!r} states no shape: {list(site.wants[name])} follows")
        attrs = {"name": name, "shape": site.wants[name], "dtype": DType.f64, "role": Role.signal}
        site.handles[name] = site.builder.add(core.Input, {}, attrs, name)[0]
        return
    x = _sum(site, name, read)
    if node.kind == "Output":
        stated = node.whole("shape")
        if stated is not None and stated != x.shape:
            site.repaired(name, f"output {name!r} states shape {list(stated)}: it is {list(x.shape)}")
        kind = core.Probe if node.metadata.get("probe") == "true" else core.Output
        site.builder.add(kind, {"x": x}, {"name": node.metadata.get("name", name)})
        site.handles[name] = x
        return
    site.handles[name] = _made(site, name, x)


def _sum(site: Construction, name: str, read: list[Handle]) -> Handle:
    if not read:
        raise unreadable(site.model.source, name, "nothing leads into it")
    total = _fitted(site, name, read[0])
    # Edges that meet are summed (NIR 1.0), in the order of names: every reading rounds alike.
    for addend in read[1:]:
        total = site.builder.add(core.Add, {"a": total, "b": _fitted(site, name, addend)}, {})[0]
    return total


def _fitted(site: Construction, name: str, x: Handle) -> Handle:
    """Return x in the shape that the node reads, where it has as many elements."""
    want = site.wants.get(name)
    if want is None or want == x.shape or np.prod(want) != np.prod(x.shape) or site.model.nodes[name].kind == "Output":
        return x
    site.repaired(name, f"node {name!r} reads {list(want)}, it is given {list(x.shape)}: reshaped")
    return add(site, name, core.Reshape, {"x": x}, {"shape": want}, label=site.fresh(f"{name}.in"))


def _made(site: Construction, name: str, x: Handle) -> Handle:
    node = site.model.nodes[name]
    if node.kind in OPS:
        return unit(site, name, node, x)
    return MAKERS[node.kind](site, name, node, x)


def _matrix(site: Construction, name: str, node: NirNode, x: Handle) -> Handle:
    bias = node.fields.get("bias") if node.kind == "Affine" else None
    if node.kind == "Affine" and bias is None:
        site.repaired(name, f"node {name!r} is an Affine without a bias: a Linear")
    return add(site, name, core.Affine, {"x": x, "weight": node["weight"], "bias": bias}, {})


def _conv(site: Construction, name: str, node: NirNode, x: Handle) -> Handle:
    stride, padding, dilation = _window(site, name, node, 1 if node.kind == "Conv1d" else 2)
    stated = node.whole("input_shape")
    if stated and stated != x.shape[1:]:
        site.repaired(name, f"node {name!r} states input_shape {list(stated)}: it is {list(x.shape[1:])}")
    weight, groups = _grouped(node)
    attrs = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    operands = {"x": x, "weight": weight, "bias": node.fields.get("bias")}
    return add(site, name, core.Conv, operands, attrs)


def _window(
    site: Construction, name: str, node: NirNode, axes: int
) -> tuple[Shape, tuple[tuple[int, int], ...], Shape]:
    """Return (stride, padding, dilation). Errors: T508 where they are none."""
    try:
        return window_of(node, axes)
    except ValueError as reason:
        raise unreadable(site.model.source, name, f"its windows are none: {reason}") from None


def _grouped(node: NirNode) -> tuple[NDArray, int]:
    """Return a convolution's weight and groups; those that writing noted."""
    groups, noted = (node.whole("groups") or (1,))[0], node.metadata.get("groups", "")
    # A note is text of the file: it counts only where the weight is zero between the groups it names.
    if groups == 1 and noted.isdecimal() and len(noted) < 8:
        rows = together(node["weight"], int(noted))
        if rows is not None:
            return rows, int(noted)
    return node["weight"], groups


def _pool(site: Construction, name: str, node: NirNode, x: Handle) -> Handle:
    stride, padding, _ = _window(site, name, node, 2)
    kind = {"SumPool2d": "sum", "AvgPool2d": "mean", "MaxPool2d": "max"}[node.kind]
    window = per_axis(node.whole("kernel_size"), 2, None)
    return add(site, name, core.Pool, {"x": x}, {"kind": kind, "window": window, "stride": stride, "padding": padding})


def _flatten(site: Construction, name: str, node: NirNode, x: Handle) -> Handle:
    first, last = flat_axes(site.model, name, node, len(x.shape))
    stated = node.whole("input_type")
    if stated is not None and stated != x.shape:
        site.repaired(name, f"node {name!r} states input_type {list(stated)}: it is {list(x.shape)}")
    if last - first + 1 == len(x.shape):
        return add(site, name, core.Flatten, {"x": x}, {})
    joined = int(np.prod(x.shape[first : last + 1]))
    return add(site, name, core.Reshape, {"x": x}, {"shape": (*x.shape[:first], joined, *x.shape[last + 1 :])})


def _delay(site: Construction, name: str, node: NirNode, x: Handle) -> Handle:
    """Append the Delay of one time that ``even_delays`` left."""
    ticks = round(float(node["delay"].flat[0] / site.builder.dt))
    # A delay is a buffer of ticks times elements: a few bytes of a file could ask for any amount of memory.
    if ticks * np.prod(x.shape) > MOST_KEPT:
        notes = [f"{ticks} ticks of {int(np.prod(x.shape))} elements", f"the limit is {MOST_KEPT} numbers"]
        raise error("T504", f"node {name!r} keeps too much", where=at(site.model.source, name), notes=notes)
    return add(site, name, core.Delay, {"x": x}, {"ticks": ticks}) if ticks else x


def _scale(site: Construction, name: str, node: NirNode, x: Handle) -> Handle:
    return add(site, name, spiking.Scale, {"x": x, "s": full(site, name, node["scale"], x.shape)}, {})


def _threshold(site: Construction, name: str, node: NirNode, x: Handle) -> Handle:
    level = full(site, name, node["threshold"], x.shape)
    return add(
        site, name, spiking.Threshold, {"x": x, "threshold": level}, {"compare": site.conventions.of(node).compare}
    )


MAKERS: dict[str, Callable[[Construction, str, NirNode, Handle], Handle]] = {
    "Affine": _matrix,
    "Linear": _matrix,
    "Conv1d": _conv,
    "Conv2d": _conv,
    "SumPool2d": _pool,
    "AvgPool2d": _pool,
    "MaxPool2d": _pool,
    "Flatten": _flatten,
    "Delay": _delay,
    "Scale": _scale,
    "Threshold": _threshold,
}
