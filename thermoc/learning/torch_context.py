"""A tick of the reference interpreter on torch's tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from thermoc.ir.dialects.core import Parameter
from thermoc.ir.ops import Op
from thermoc.ir.reference.meaning import Context, Delayed, Pure, Stateful
from thermoc.learning.surrogates import SURROGATES, Slope, binary, categorical, with_slope
from thermoc.learning.torch_forms import FORMS

Tensor = torch.Tensor


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What has no gradient of its own is given one: steps of spikes, samples, rounding."""

    surrogate: str | Slope = "arctan"
    slope: float = 2.0
    estimator: str = "straight_through"
    relaxation: float = 0.5
    rounding: str = "straight_through"

    def step_slope(self, distance: Tensor) -> Tensor:
        """Return the slope given to a step at 0."""
        if callable(self.surrogate):
            return self.surrogate(distance)
        return SURROGATES[self.surrogate](distance, self.slope)


@dataclass(frozen=True, kw_only=True)
class TorchContext(Context):
    """What a tick knows, with tensors in the place of arrays. Noise is drawn by NumPy: words are equal bit for bit."""

    parameters: Mapping[str, Tensor]
    device: torch.device
    choices: Choices
    constants: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    products: Mapping[str, Pure] = field(default_factory=dict[str, Pure])
    """By the name of its result, what a target does in the place of an op."""
    log_reach: list[Tensor] = field(default_factory=list[Tensor])
    """Of each product on a target so far, how far what can come of it lies above what does."""

    def meaning(self, op: Op) -> Pure | Stateful | Delayed:
        """Return what an op does: as the target or the reference says, where torch needs no form of its own."""
        if self.products and op.results and op.results[0].name in self.products:
            return self.products[op.results[0].name]
        return FORMS.get(type(op)) or super().meaning(op)

    def array(self, numbers: Any) -> Any:
        """Return numbers as a tensor, without a gradient."""
        return torch.tensor(np.asarray(numbers), device=self.device)

    def stored(self, op: Any) -> Any:
        """Return a constant or a parameter, (1, *shape)."""
        if isinstance(op, Parameter):
            return self.parameters[op.name][None]
        if op.y.name not in self.constants:
            self.constants[op.y.name] = self.array(op.value.numpy)[None]
        return self.constants[op.y.name]

    def decided(self, up: Any, drive: Any, level: Any) -> Any:
        """Return 1 where a unit fires, else 0, with the surrogate's slope in drive - level."""
        distance = drive - level
        return with_slope(up.to(distance.dtype), distance, self.choices.step_slope(distance))

    def sampled(self, up: Any, drive: Any, T: Any, noise: Any) -> Any:
        """Return 1 where a unit goes up, else 0, by the estimator that is chosen."""
        return binary(self.choices.estimator, up, drive, T, noise, self.choices.relaxation)

    def chosen(self, fires: Any, x: Any, T: Any, noise: Any) -> Any:
        """Return 1 for the unit of the last axis that is chosen, else 0, by the estimator that is chosen."""
        return categorical(self.choices.estimator, fires, x, T, noise, self.choices.relaxation)
