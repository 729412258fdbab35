"""Small Brian2 networks, each of a kind of model that Brian2's own examples hold; the example is named.

Each function returns the names that the equations need and the objects of the network.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Objects = dict[str, Any]
MODELS: dict[str, Callable[[], Objects]] = {}
TICKS = {"hodgkin_huxley": 1500}
"""Ticks that show spikes, where 400 do not."""


def model(function: Callable[[], Objects]) -> Callable[[], Objects]:
    """Enter a model by its name."""
    MODELS[function.__name__] = function
    return function


def built(function: Callable[[], Objects]) -> tuple[Any, Objects]:
    """Return the network of a model, and the names it knows."""
    import brian2

    brian2.start_scope()
    brian2.seed(5)
    np.random.seed(5)
    names = function()
    return brian2.Network([value for value in names.values() if isinstance(value, brian2.BrianObject)]), names
