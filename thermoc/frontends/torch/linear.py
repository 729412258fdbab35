"""Products, convolutions and pools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thermoc.frontends.onnx import axes
from thermoc.frontends.onnx.tensor import Tensor
from thermoc.frontends.torch.aten import Aten, Joined, aten
from thermoc.frontends.torch.elementwise import add
from thermoc.ir.functions import call


@aten("linear")
def linear(t: Aten, input: Any, weight: Tensor, bias: Tensor | None = None) -> Any:
    """input weight^T + bias."""
    s = t.site
    if isinstance(input, Joined):
        y = linear(t, input.tensor, weight, bias)
        return Joined(tensor=y, shape=(*input.shape[:-1], y.shape[-1]))
    values = [s.value(x) for x in (weight, bias) if x is not None]
    if weight.rank != 2 or not all(map(s.uniform, values)):
        y = t("MatMul", input, axes.swapped(s, weight, weight.rank - 2, weight.rank - 1) if weight.rank > 1 else weight)
        return y if bias is None else t("Add", y, bias)
    y = call("core.affine", s.value(input), *values)
    return Tensor(elem=input.elem, shape=(*input.shape[:-1], weight.shape[0]), handle=y)


@aten("matmul", "mm", "bmm", "mv", "dot")
def matmul(t: Aten, self: Tensor, other: Tensor | None = None, **named: Tensor) -> Tensor:
    """The product of matrices, or of a matrix and a vector."""
    second = other if other is not None else next(iter(named.values()))
    return t("MatMul", self, second)


@aten("addmm", "addmv", "baddbmm")
def addmm(t: Aten, self: Tensor, *, beta: Any = 1, alpha: Any = 1, **named: Tensor) -> Tensor:
    """beta self + alpha a b."""
    a, b = named.values()
    y = t("MatMul", a, b)
    y = y if alpha == 1 else t("Mul", y, t.number(alpha))
    return y if beta == 0 else add(t, y, self, beta)


@aten("einsum")
def einsum(t: Aten, equation: str, tensors: Sequence[Tensor], path: Any = None) -> Tensor:
    """Sums of products over named axes."""
    return t("Einsum", *tensors, equation=equation)


# -------------------------------------------------------------------------------------------------------- convolutions


def _each(value: Any, rank: int) -> list[int]:
    values = [value] if isinstance(value, int) else list(value)
    return [int(x) for x in (values * rank if len(values) == 1 else values)]


@aten("conv1d", "conv2d", "conv3d")
def conv(
    t: Aten,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation of a batch, or of one sample."""
    rank = weight.rank - 2
    steps, spread = _each(stride, rank), _each(dilation, rank)
    if isinstance(padding, str):
        spans = [d * (n - 1) if padding == "same" else 0 for d, n in zip(spread, weight.shape[2:])]
        pads = [n // 2 for n in spans] + [n - n // 2 for n in spans]
    else:
        pads = _each(padding, rank) * 2
    attrs = {"strides": steps, "pads": pads, "dilations": spread, "group": int(groups)}
    return _batched(t, input, rank, lambda x: t("Conv", x, weight, bias, **attrs))


def _batched(t: Aten, x: Tensor, rank: int, f: Any) -> Tensor:
    """Return f of a batch; one sample without its axis becomes a batch of one."""
    if x.rank == rank + 2:
        return f(x)
    return axes.squeeze(t.site, f(axes.unsqueeze(t.site, x, 0)), 0)


@aten("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def conv_transpose(
    t: Aten,
    input: Tensor,
    weight: Any,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """The transposed convolution."""
    rank, weight, bias = weight.rank - 2, t.frozen(weight), t.frozen(bias)
    attrs = {
        "strides": _each(stride, rank),
        "pads": _each(padding, rank) * 2,
        "output_padding": _each(output_padding, rank),
        "dilations": _each(dilation, rank),
        "group": int(groups),
    }
    return _batched(t, input, rank, lambda x: t("ConvTranspose", x, weight, bias, **attrs))


@aten("convolution")
def convolution(
    t: Aten,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    output_padding: Any,
    groups: int,
) -> Tensor:
    """Either."""
    if transposed:
        return conv_transpose(t, input, weight, bias, stride, padding, output_padding, groups, dilation)
    return conv(t, input, weight, bias, stride, padding, dilation, groups)


# --------------------------------------------------------------------------------------------------------------- pools


def _window(kernel_size: Any, stride: Any, padding: Any, rank: int) -> dict[str, Any]:
    size = _each(kernel_size, rank)
    steps = _each(stride, rank) if stride not in (None, []) else size
    return {"kernel_shape": size, "strides": steps, "pads": _each(padding, rank) * 2}


def _rank(t: Aten) -> int:
    return int(t.name.partition("pool")[2][:1])


@aten("max_pool1d", "max_pool2d", "max_pool3d")
def max_pool(
    t: Aten,
    self: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The largest in each window."""
    rank = _rank(t)
    attrs: dict[str, Any] = _window(kernel_size, stride, padding, rank) | {"dilations": _each(dilation, rank)}
    return _batched(t, self, rank, lambda x: t("MaxPool", x, ceil_mode=int(ceil_mode), **attrs))


@aten("max_pool2d_with_indices", "max_pool3d_with_indices")
def max_pool_with_indices(t: Aten, self: Tensor, *args: Any, **named: Any) -> tuple[Tensor, None]:
    """The largest in each window; where they stand is refused where it is read."""
    return max_pool(t, self, *args, **named), None


@aten("avg_pool1d", "avg_pool2d", "avg_pool3d")
def avg_pool(
    t: Aten,
    self: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window."""
    rank = _rank(t)
    attrs = _window(kernel_size, stride, padding, rank)
    attrs |= {"ceil_mode": int(ceil_mode), "count_include_pad": int(count_include_pad)}
    y = _batched(t, self, rank, lambda x: t("AveragePool", x, **attrs))
    if divisor_override:
        count = 1
        for n in attrs["kernel_shape"]:
            count *= n
        y = t("Mul", y, t.number(count / divisor_override))
    return y


def _adaptive(kind: str) -> Any:
    def read(t: Aten, self: Tensor, output_size: Any) -> Any:
        rank = _rank(t)
        space, size = self.shape[-rank:], _each(output_size, rank)
        if any(n % m for n, m in zip(space, size)):
            why = f"{list(space)} places into {size}: windows of unequal sizes are not read"
            raise t.site.refuse(why, code="T507", hint="choose sizes that divide the input's")
        window = [n // m for n, m in zip(space, size)]
        y = _batched(t, self, rank, lambda x: t(kind, x, kernel_shape=window, strides=window))
        return (y, None) if kind == "MaxPool" else y

    return read


aten("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d")(_adaptive("AveragePool"))
aten("_adaptive_avg_pool2d", "_adaptive_avg_pool3d")(_adaptive("AveragePool"))
aten("adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d")(_adaptive("MaxPool"))
