"""What stands for the slope of a step: surrogates of spikes, estimators of samples. Tensors in, tensors out."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

Tensor = torch.Tensor
Slope = Callable[[Tensor], Tensor]
"""The slope that a step at 0 is given, of the distance from it."""


def sigmoid(x: Tensor, k: float) -> Tensor:
    """k s (1 - s), s the logistic function of k x (Zenke and Vogels 2021)."""
    s = torch.sigmoid(k * x)
    return k * s * (1 - s)


def fast_sigmoid(x: Tensor, k: float) -> Tensor:
    """1 / (1 + k |x|)^2 (Zenke and Ganguli 2018)."""
    return 1 / (1 + k * x.abs()) ** 2


def triangle(x: Tensor, k: float) -> Tensor:
    """max(0, 1 - k |x|) (Bellec et al. 2018)."""
    return torch.clamp(1 - k * x.abs(), min=0)


def arctan(x: Tensor, k: float) -> Tensor:
    """(k / 2) / (1 + (pi k x / 2)^2) (Fang et al. 2021)."""
    return k / 2 / (1 + (math.pi / 2 * k * x) ** 2)


def gaussian(x: Tensor, k: float) -> Tensor:
    """k / sqrt(2 pi) exp(-(k x)^2 / 2) (Yin et al. 2021)."""
    return k / math.sqrt(2 * math.pi) * torch.exp(-((k * x) ** 2) / 2)


SURROGATES: dict[str, Callable[[Tensor, float], Tensor]] = {
    "sigmoid": sigmoid,
    "fast_sigmoid": fast_sigmoid,
    "triangle": triangle,
    "arctan": arctan,
    "gaussian": gaussian,
}

ESTIMATORS = ("straight_through", "gumbel_softmax", "mean_field")
"""straight_through: the sample, with the slope of its mean (Bengio 2013). gumbel_softmax: the sample, with the slope of
what it is at a relaxation of the noise (Jang 2017, Maddison 2017). mean_field: the mean in the place of the sample."""


def with_gradient_of(hard: Tensor, soft: Tensor) -> Tensor:
    """Return ``hard`` to the bit, with the gradient of ``soft``."""
    # The difference is an exact zero, where soft + (hard - soft) would round.
    return hard + (soft - soft.detach())


def with_slope(hard: Tensor, x: Tensor, slope: Tensor) -> Tensor:
    """Return ``hard`` to the bit, with a slope in x."""
    return with_gradient_of(hard, slope.detach() * x)


def binary(estimator: str, up: Tensor, drive: Tensor, T: Tensor, noise: Tensor, relaxation: float) -> Tensor:
    """Return samples (1 up, else 0) of units with the chance 1 / (1 + exp(-drive / T)), by an estimator."""
    mean = torch.sigmoid(drive / T)
    if estimator == "mean_field":
        return mean
    if estimator == "gumbel_softmax":
        mean = torch.sigmoid((drive / T - noise) / relaxation)
    return with_gradient_of(up.to(mean.dtype), mean)


def categorical(estimator: str, fires: Tensor, x: Tensor, T: Tensor, noise: Tensor, relaxation: float) -> Tensor:
    """Return one-hot samples of the last axis with chances exp(-x / T) / Z, by an estimator."""
    mean = torch.softmax(-x / T, dim=-1)
    if estimator == "mean_field":
        return mean
    if estimator == "gumbel_softmax":
        mean = torch.softmax(-(x / T + noise) / relaxation, dim=-1)
    return with_gradient_of(fires.to(mean.dtype), mean)
