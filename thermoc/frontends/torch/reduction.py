"""Reductions, order, softmax and norms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from thermoc.frontends.onnx.tensor import Tensor, known
from thermoc.frontends.torch.aten import Aten, aten
from thermoc.frontends.torch.elementwise import truth


def _reduced(kind: str) -> Any:
    def read(t: Aten, self: Tensor, dim: Any = None, keepdim: bool = False, **_: Any) -> Tensor:
        return reduced(t, kind, t.cast(self, t.elem), dim, keepdim)

    return read


def reduced(t: Aten, kind: str, x: Tensor, dim: Any, keep: bool) -> Tensor:
    """Return a reduction over some axes; all where none are named."""
    return t(kind, x, t.axes(x, dim), keepdims=int(keep)) if x.rank else x


for _names, _kind in {
    ("sum", "nansum"): "ReduceSum",
    ("mean",): "ReduceMean",
    ("prod",): "ReduceProd",
    ("amax",): "ReduceMax",
    ("amin",): "ReduceMin",
    ("logsumexp",): "ReduceLogSumExp",
}.items():
    aten(*_names)(_reduced(_kind))


def _extreme(kind: str) -> Any:
    def read(t: Aten, self: Tensor, dim: Any = None, keepdim: bool = False, other: Any = None) -> Any:
        if other is not None:
            return t(kind[:3].capitalize(), self, other)
        if dim is None:
            return reduced(t, f"Reduce{kind}", self, None, keepdim)
        index = t(f"Arg{kind}", self, axis=int(dim), keepdims=int(keepdim))
        return reduced(t, f"Reduce{kind}", self, dim, keepdim), index

    return read


aten("max")(_extreme("Max"))
aten("min")(_extreme("Min"))


def _place(kind: str) -> Any:
    def read(t: Aten, self: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
        x = self if dim is not None else t.reshape(self, (math.prod(self.shape),))
        return t(kind, x, axis=int(dim or 0), keepdims=int(keepdim and dim is not None))

    return read


aten("argmax")(_place("ArgMax"))
aten("argmin")(_place("ArgMin"))


@aten("any", "all")
def any_all(t: Aten, self: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Whether some, or all, are not 0."""
    kind = "ReduceMax" if t.name == "any" else "ReduceMin"
    return t.cast(reduced(t, kind, t.cast(truth(t, self), np.int32), dim, keepdim), np.bool_)


@aten("var", "std")
def var(
    t: Aten, self: Tensor, dim: Any = None, unbiased: bool = True, keepdim: bool = False, correction: Any = None
) -> Tensor:
    """The variance, or its root."""
    over = t.axes(self, dim)
    count = math.prod(self.shape[axis] for axis in over)
    off = t("Sub", self, reduced(t, "ReduceMean", self, over, True))
    less = (1 if unbiased else 0) if correction is None else correction
    total = reduced(t, "ReduceSum", t("Mul", off, off), over, keepdim)
    y = t("Div", total, t.number(max(count - less, 0)))
    return t("Sqrt", y) if t.name == "std" else y


@aten("var_mean", "std_mean")
def var_mean(t: Aten, self: Tensor, dim: Any = None, keepdim: bool = False, **named: Any) -> Any:
    """Both."""
    y = var(t, self, dim, keepdim=keepdim, **named)
    y = t("Sqrt", y) if t.name == "std_mean" else y
    return y, reduced(t, "ReduceMean", self, dim, keepdim)


@aten("linalg_vector_norm", "norm")
def norm(t: Aten, self: Tensor, ord: Any = 2, dim: Any = None, keepdim: bool = False, p: Any = None, **_: Any):
    """The norm of vectors, of any order above 0."""
    order = ord if p is None else p
    if order in (1, 2):
        return reduced(t, f"ReduceL{int(order)}", self, dim, keepdim)
    size = t("Abs", self)
    if math.isinf(order):
        return reduced(t, "ReduceMax" if order > 0 else "ReduceMin", size, dim, keepdim)
    total = reduced(t, "ReduceSum", t("Pow", size, t.number(order)), dim, keepdim)
    return t("Pow", total, t.number(1 / order))


@aten("cumsum")
def cumsum(t: Aten, self: Tensor, dim: int, **_: Any) -> Tensor:
    """Sums so far."""
    return t("CumSum", t.cast(self, t.elem), known(np.int64(dim)))


@aten("topk")
def topk(t: Aten, self: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The largest, and their places."""
    return t("TopK", self, [int(k)], outputs=2, axis=int(dim), largest=int(largest), sorted=int(sorted))


@aten("sort")
def sort(t: Aten, self: Tensor, dim: int = -1, descending: bool = False, stable: Any = None) -> Any:
    """In order, and their places."""
    (axis,) = t.axes(self, dim)
    return topk(t, self, self.shape[axis], axis, descending)


@aten("softmax", "_softmax", "_safe_softmax")
def softmax(t: Aten, self: Tensor, dim: int, *_: Any, **__: Any) -> Tensor:
    """exp(x) over its sum."""
    return t("Softmax", t.cast(self, t.elem), axis=int(dim))


@aten("log_softmax", "_log_softmax")
def log_softmax(t: Aten, self: Tensor, dim: int, *_: Any, **__: Any) -> Tensor:
    """Its logarithm."""
    return t("LogSoftmax", t.cast(self, t.elem), axis=int(dim))


# --------------------------------------------------------------------------------------------------------------- norms


@aten("layer_norm", "native_layer_norm")
def layer_norm(
    t: Aten,
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> Any:
    """Standardised over the last axes."""
    over = list(range(input.rank - len(normalized_shape), input.rank))
    y = _standardised(t, input, over, eps)
    y = y if weight is None else t("Mul", y, weight)
    y = y if bias is None else t("Add", y, bias)
    return (y, None, None) if len(t.elems) > 1 else y


def _standardised(t: Aten, x: Tensor, over: list[int], eps: float) -> Tensor:
    off = t("Sub", x, reduced(t, "ReduceMean", x, over, True))
    variance = reduced(t, "ReduceMean", t("Mul", off, off), over, True)
    return t("Div", off, t("Sqrt", t("Add", variance, t.number(eps))))


@aten("rms_norm", "_fused_rms_norm")
def rms_norm(
    t: Aten, input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Any:
    """Over the root of the mean square of the last axes."""
    over = list(range(input.rank - len(normalized_shape), input.rank))
    epsilon = float(np.finfo(input.elem).eps) if eps is None else eps
    mean = reduced(t, "ReduceMean", t("Mul", input, input), over, True)
    y = t("Div", input, t("Sqrt", t("Add", mean, t.number(epsilon))))
    y = y if weight is None else t("Mul", y, weight)
    return (y, None) if len(t.elems) > 1 else y


@aten("group_norm", "native_group_norm")
def group_norm(
    t: Aten,
    input: Tensor,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    N: Any = None,
    C: Any = None,
    HxW: Any = None,
    group: int = 0,
    eps: float = 1e-5,
    num_groups: int = 0,
    cudnn_enabled: bool = True,
) -> Any:
    """Standardised over groups of channels."""
    groups, channels = int(group or num_groups), input.shape[1]
    parted = t.reshape(input, (input.shape[0], groups, channels // groups, *input.shape[2:]))
    y = t.reshape(_standardised(t, parted, list(range(2, parted.rank)), eps), input.shape)
    y = _affine(t, y, weight, bias)
    return (y, None, None) if len(t.elems) > 1 else y


def _affine(t: Aten, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """Return weight x + bias, a number a channel each."""
    per_channel = (x.shape[1], *(1,) * (x.rank - 2))
    x = x if weight is None else t("Mul", x, t.reshape(weight, per_channel))
    return x if bias is None else t("Add", x, t.reshape(bias, per_channel))


@aten("instance_norm")
def instance_norm(t: Aten, input: Tensor, weight: Any, bias: Any, running_mean: Any, running_var: Any,
                  use_input_stats: bool, momentum: float, eps: float, cudnn_enabled: bool) -> Tensor:  # fmt: skip
    """Standardised over space, by the sample's own or by known statistics."""
    if use_input_stats:
        return _affine(t, _standardised(t, input, list(range(2, input.rank)), eps), weight, bias)
    return _by_statistics(t, input, weight, bias, running_mean, running_var, eps)


@aten("batch_norm", "_native_batch_norm_legit_no_training", "native_batch_norm")
def batch_norm(
    t: Aten,
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> Any:
    """Standardised by known statistics."""
    if training or running_mean is None or running_var is None:
        hint = "let it track running statistics, and call module.eval()"
        raise t.site.refuse(
            "its statistics are the batch's own: samples of a network never meet", code="T507", hint=hint
        )
    y = _by_statistics(t, input, weight, bias, running_mean, running_var, eps)
    return (y, None, None) if len(t.elems) > 1 else y


def _by_statistics(t: Aten, x: Tensor, weight: Any, bias: Any, mean: Tensor, variance: Tensor, eps: float) -> Tensor:
    per_channel = (x.shape[1], *(1,) * (x.rank - 2))
    spread = t("Sqrt", t("Add", t.reshape(variance, per_channel), t.number(eps)))
    y = t("Div", t("Sub", x, t.reshape(mean, per_channel)), spread)
    return _affine(t, y, weight, bias)


@aten("local_response_norm")
def local_response_norm(t: Aten, input: Tensor, size: int, alpha: float, beta: float, k: float) -> Tensor:
    """Over neighbouring channels."""
    return t("LRN", input, size=int(size), alpha=float(alpha), beta=float(beta), bias=float(k))


@aten("cosine_similarity")
def cosine_similarity(t: Aten, x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine between vectors."""
    lengths = [t("Max", reduced(t, "ReduceL2", x, dim, True), t.number(eps)) for x in (x1, x2)]
    return reduced(t, "ReduceSum", t("Mul", *(t("Div", x, n) for x, n in zip((x1, x2), lengths))), dim, False)
