"""Ops whose meaning the array API standard cannot say, or says with a gradient that is wrong: torch's own forms."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from thermoc.ir.dialects import core, crossbar, thermo
from thermoc.ir.ops import Op
from thermoc.ir.reference.meaning import MEANINGS, Delayed, Pure, Stateful, aligned
from thermoc.learning.surrogates import with_gradient_of
from thermoc.support.announced import of_table

Tensor = torch.Tensor
CONVOLUTIONS: dict[int, Any] = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}


def _padded(x: Tensor, padding: Any, fill: float) -> Tensor:
    # torch counts the last axis first
    return functional.pad(x, [length for pair in reversed(padding) for length in pair], value=fill)


def conv(op: core.Conv, ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A window's product; torch has no array API for it."""
    y = CONVOLUTIONS[x.ndim - 2](
        _padded(x, op.padding, 0.0), weight[0], stride=op.stride, dilation=op.dilation, groups=op.groups
    )
    return y if bias is None else y + bias.reshape(1, -1, *(1,) * (x.ndim - 2))


def pool(op: core.Pool, ctx: Any, x: Tensor) -> Tensor:
    """A window's largest, sum or mean; of several that are largest each takes an equal share of the gradient."""
    views = _padded(x, op.padding, -torch.inf if op.kind == "max" else 0.0)
    for axis, (size, step) in enumerate(zip(op.window, op.stride), 2):
        views = views.unfold(axis, size, step)
    axes = tuple(range(x.ndim, views.ndim))
    return {"max": torch.amax, "sum": torch.sum, "mean": torch.mean}[op.kind](views, dim=axes)


def fermi_dirac(op: thermo.FermiDirac, ctx: Any, x: Tensor, T: Tensor, mu: Tensor) -> Tensor:
    """The logistic function: the reference's |x - mu| has no slope at mu."""
    x, T, mu = aligned(x, T, mu)  # pyright: ignore[reportArgumentType, reportAssignmentType]
    return torch.sigmoid((mu - x) / T)


def floor(op: Any, ctx: Any, x: Tensor) -> Tensor:
    """Rounding, with the slope of what is rounded where that is chosen."""
    rounded = torch.floor(x)
    return with_gradient_of(rounded, x) if ctx.choices.rounding == "straight_through" else rounded


def mvm(op: crossbar.Mvm, ctx: Any, x: Tensor, plus: Tensor, minus: Tensor, scale: Tensor, *others: Any) -> Tensor:
    """What converters and cells make of x, with the slope of the product that they stand for."""
    ones = torch.ones_like(scale)
    with torch.no_grad():
        reference: Any = MEANINGS[crossbar.Mvm]
        hard = reference.step(op, ctx, x, plus, minus, ones, *others)
    places = 2.0 ** (op.cell_bits * torch.arange(plus.shape[1], device=x.device, dtype=x.dtype))
    weights = torch.einsum("p,pnm->nm", places, plus[0] - minus[0])
    steps = x.clamp(-op.x_max, op.x_max) * (op.steps / op.x_max) if op.input_bits else x
    return with_gradient_of(hard, (steps @ weights).expand(hard.shape)) * scale


FORMS: dict[type[Op], Pure | Stateful | Delayed] = {
    core.Conv: Pure(step=conv),
    core.Pool: Pure(step=pool),
    core.Floor: Pure(step=floor),
    crossbar.Mvm: Pure(step=mvm),
    thermo.FermiDirac: Pure(step=fermi_dirac),
}
FORMS.update({cls: form for cls, form in of_table("torch").items() if cls not in FORMS})
