"""Layers without a state as nodes of NIR."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.nir.nodes import NirNode

Shape = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a module became: nodes by label, the edges between them, the one that reads and the one that gives."""

    nodes: dict[str, NirNode]
    edges: tuple[tuple[str, str], ...] = ()
    first: str = ""
    last: str = ""


def array(tensor: Any) -> NDArray[np.float64]:
    """Return a tensor's numbers."""
    return np.asarray(tensor.detach().cpu().numpy() if hasattr(tensor, "detach") else tensor, np.float64)


def one(kind: str, texts: dict[str, str] | None = None, **fields: Any) -> Made:
    """Return a module that is one node."""
    arrays = {key: value for key, value in fields.items() if value is not None}
    return Made(nodes={"": NirNode(kind=kind, fields=arrays, texts=texts or {})})


def plain(module: Any, shape: Shape) -> Made | str | None:
    """Return a layer of torch itself."""
    kind = type(module).__name__
    if kind == "Linear":
        return matrix(module.weight, module.bias)
    if kind in ("Conv1d", "Conv2d"):
        return _conv(module, kind)
    if kind in ("AvgPool2d", "MaxPool2d"):
        return _pool(module, kind)
    if kind == "Flatten":
        if module.start_dim == 0:
            return "it flattens the batch away"
        last = module.end_dim if module.end_dim < 0 else module.end_dim - 1
        start = module.start_dim if module.start_dim < 0 else module.start_dim - 1
        return one("Flatten", start_dim=np.array(start), end_dim=np.array(last))
    if kind in ("BatchNorm1d", "BatchNorm2d"):
        return _norm(module, shape)
    if kind in ("Identity", "Dropout", "Dropout1d", "Dropout2d"):
        return one("Scale", scale=np.ones(shape))
    return None


def matrix(weight: Any, bias: Any = None) -> Made:
    """Return weight x + bias."""
    if bias is None:
        return one("Linear", weight=array(weight))
    return one("Affine", weight=array(weight), bias=array(bias))


def _conv(module: Any, kind: str) -> Made | str:
    if module.padding_mode != "zeros":
        return f"padding mode {module.padding_mode!r} is not NIR's"
    padding = module.padding
    fields = {"stride": module.stride, "dilation": module.dilation, "groups": module.groups}
    arrays: dict[str, Any] = {key: np.array(value) for key, value in fields.items()}
    texts = {"padding": padding} if isinstance(padding, str) else {}
    if not texts:
        arrays["padding"] = np.array(padding)
    bias = None if module.bias is None else array(module.bias)
    return one(kind, texts, weight=array(module.weight), bias=bias, **arrays)


def _pool(module: Any, kind: str) -> Made | str:
    if module.ceil_mode or getattr(module, "return_indices", False) or getattr(module, "divisor_override", None):
        return "windows beyond the edge, places of maxima and divisors are not NIR's"
    if kind == "AvgPool2d" and not module.count_include_pad and np.any(module.padding):
        return "means that leave padding out are not NIR's"
    if kind == "MaxPool2d" and np.max(module.dilation) > 1:
        return "windows with gaps are not read"
    stride = module.kernel_size if module.stride is None else module.stride
    window = {"kernel_size": module.kernel_size, "stride": stride, "padding": module.padding}
    return one(kind, None, **{key: np.array(value) for key, value in window.items()})


def _norm(module: Any, shape: Shape) -> Made | str:
    """Return a batch norm in evaluation: a factor and a constant a channel, as a convolution or a matrix."""
    if module.running_mean is None:
        return "its statistics are the batch's own: samples of a network never meet"
    ones = np.ones(module.num_features)
    weight, bias = (ones if x is None else array(x) for x in (module.weight, module.bias))
    weight = weight / np.sqrt(array(module.running_var) + module.eps)
    bias = (0 * ones if module.bias is None else bias) - weight * array(module.running_mean)
    if len(shape) == 1:
        return one("Affine", weight=np.diag(weight), bias=bias)
    if len(shape) != 3:
        return f"a batch norm over {list(shape)} is not read"
    return one("Conv2d", weight=weight.reshape(-1, 1, 1, 1), bias=bias, groups=np.array(module.num_features))


def recurrent(unit: NirNode, weight: NirNode, dt: float, shape: Shape, after: dict[str, NirNode] | None = None) -> Made:
    """Return a unit whose spikes of the tick before come back through weights; ``after`` stands behind the unit."""
    late = NirNode(kind="Delay", fields={"delay": np.full(shape, dt)})
    chain = list(after or {})
    last = chain[-1] if chain else ""
    ends = ["", *chain]
    edges = [*pairwise(ends), (last, ".late"), (".late", ".w_rec"), (".w_rec", "")]
    nodes = {"": unit, **(after or {}), ".late": late, ".w_rec": weight}
    return Made(nodes=nodes, edges=tuple(edges), last=last)
