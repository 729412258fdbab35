"""The node of each op."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.nir.nodes import NOTED, NirNode
from thermoc.frontends.nir.ops import PRODUCT, UNIT_FIELDS, NodeSite, factor, joined, number, uneven
from thermoc.ir.dialects import core, spiking
from thermoc.ir.ops import Op
from thermoc.ir.values import Value


def node_of(site: NodeSite, op: Any) -> NirNode:
    """Return the node of an op that ``refusals`` let pass."""
    return _unit(site, op) if type(op) in UNIT_FIELDS else FORMS[type(op)](site, op)


def _unit(site: NodeSite, op: Any) -> NirNode:
    kind, names = UNIT_FIELDS[type(op)]
    fields = {name: _full(number(site, op, name), op.x) for name in names}
    metadata = {"method": op.method} if "method" in op.attr_specs else {}
    metadata |= _conventions(op)
    if getattr(op, "reset", "value") == "zero":
        # NIR has no field for the kind of reset: one to zero is one to the value 0.
        fields["v_reset"] = np.zeros_like(fields["v_reset"])
    # NIR states equations, not how they are stepped; other readers pass over the metadata.
    starts = {name: _full(number(site, op, name), op.x) for name in NOTED & op.operand_specs.keys()}
    noted = {name: array for name, array in sorted(starts.items()) if np.any(array)}
    return NirNode(kind=kind, fields=fields, metadata=metadata, noted=noted)


def _conventions(op: Any) -> dict[str, str]:
    """Return what NIR has no field for and its units do not do by themselves."""
    conventions: dict[str, str] = {}
    if getattr(op, "reset", "value") == "subtract":
        conventions["reset"] = "subtract"
    if getattr(op, "compare", "greater") != "greater":
        conventions["compare"] = op.compare
    if getattr(op, "refractory", 0.0):
        conventions["refractory"] = repr(op.refractory)
    return conventions


def _full(array: NDArray, like: Value) -> NDArray:
    return np.array(np.broadcast_to(array, like.shape))


def _whole(numbers: Any) -> NDArray:
    return np.array(numbers, np.int64)


def _input(site: NodeSite, op: core.Input) -> NirNode:
    return NirNode(kind="Input", fields={"shape": _whole(op.shape)})


def _output(site: NodeSite, op: core.Output) -> NirNode:
    metadata = {} if site.name(op) == op.name else {"name": op.name}
    metadata |= {"probe": "true"} if isinstance(op, core.Probe) else {}
    return NirNode(kind="Output", fields={"shape": _whole(op.x.shape)}, metadata=metadata)


def _matrix(site: NodeSite, op: core.Affine) -> NirNode:
    weight = number(site, op, "weight")
    if op.bias is None:
        return NirNode(kind="Linear", fields={"weight": weight})
    return NirNode(kind="Affine", fields={"weight": weight, "bias": number(site, op, "bias")})


def _conv(site: NodeSite, op: core.Conv) -> NirNode:
    weight, space = number(site, op, "weight"), op.x.shape[1:]
    # In NIR 1.0 a convolution without a bias cannot be written.
    bias = np.zeros(weight.shape[0], weight.dtype) if op.bias is None else number(site, op, "bias")
    one_axis = len(space) == 1
    same = uneven(op)
    even = {} if same else {"padding": tuple(a for a, _ in op.padding)}
    window = {"stride": op.stride, "dilation": op.dilation} | even
    fields = {key: _whole(numbers[0] if one_axis else numbers) for key, numbers in window.items()}
    size = _whole(space[0] if one_axis else space)
    operands = {"weight": apart(weight, op.groups), "bias": bias, "groups": _whole(1), "input_shape": size}
    metadata = {"groups": str(op.groups)} if op.groups > 1 else {}
    texts = {"padding": "same"} if same else {}
    return NirNode(kind="Conv1d" if one_axis else "Conv2d", fields=fields | operands, texts=texts, metadata=metadata)


def apart(weight: NDArray, groups: int) -> NDArray:
    """Return the weight of one group that does what several do, zero between them.

    The official reader takes a convolution in groups for one of too few channels, so none is written.
    """
    out, channels, *window = weight.shape
    # Zeros between the groups cost memory, and keep the file readable by every reader of NIR 1.0.
    ungrouped = np.zeros((groups, out // groups, groups, channels, *window), weight.dtype)
    for group, rows in enumerate(np.split(weight, groups)):
        ungrouped[group, :, group] = rows
    return ungrouped.reshape(out, groups * channels, *window)


def together(weight: NDArray, groups: int) -> NDArray | None:
    """Return the weight in groups that ``apart`` made this one of; None where it cannot be."""
    out, channels, *window = weight.shape
    if groups < 2 or out % groups or channels % groups:
        return None
    parts = weight.reshape(groups, out // groups, groups, channels // groups, *window)
    rows = np.concatenate([parts[group, :, group] for group in range(groups)])
    return rows if np.array_equal(apart(rows, groups), weight) else None


def _pool(site: NodeSite, op: core.Pool) -> NirNode:
    padding = _whole([a for a, _ in op.padding])
    fields = {"kernel_size": _whole(op.window), "stride": _whole(op.stride), "padding": padding}
    return NirNode(kind="SumPool2d" if op.kind == "sum" else "AvgPool2d", fields=fields)


def _flatten(site: NodeSite, op: core.Flatten | core.Reshape) -> NirNode:
    first, last = (0, -1) if isinstance(op, core.Flatten) else joined(op)
    fields = {"start_dim": _whole(first), "end_dim": _whole(last), "input_type": _whole(op.x.shape)}
    return NirNode(kind="Flatten", fields=fields)


def _delay(site: NodeSite, op: core.Delay) -> NirNode:
    return NirNode(kind="Delay", fields={"delay": np.full(op.x.shape, op.ticks * site.graph.dt)})


def _scale(site: NodeSite, op: Any) -> NirNode:
    x, s = factor(site, op) if type(op) is PRODUCT else (op.x, number(site, op, "s"))
    return NirNode(kind="Scale", fields={"scale": _full(s, x)})


def _threshold(site: NodeSite, op: spiking.Threshold) -> NirNode:
    level = _full(number(site, op, "threshold"), op.x)
    return NirNode(kind="Threshold", fields={"threshold": level}, metadata=_conventions(op))


FORMS: dict[type[Op], Callable[[NodeSite, Any], NirNode]] = {
    core.Input: _input,
    core.Output: _output,
    core.Probe: _output,
    core.Affine: _matrix,
    core.Conv: _conv,
    core.Pool: _pool,
    core.Flatten: _flatten,
    core.Reshape: _flatten,
    core.Delay: _delay,
    PRODUCT: _scale,
    spiking.Scale: _scale,
    spiking.Threshold: _threshold,
}
