"""Learning: gradients, and local rules that run in the simulator."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

# For type checkers; torch is an extra, and is loaded where it is first used.
if TYPE_CHECKING:
    from thermoc.learning.losses import free_energy, temperature_regulariser
    from thermoc.learning.torch_module import ModuleRun, NetworkModule, to_torch

_FROM = {
    "thermoc.learning.losses": ("free_energy", "temperature_regulariser"),
    "thermoc.learning.torch_module": ("ModuleRun", "NetworkModule", "to_torch"),
}
_HOMES = {name: module for module, names in _FROM.items() for name in names}

__all__ = ["ModuleRun", "NetworkModule", "free_energy", "temperature_regulariser", "to_torch"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'thermoc.learning' has no attribute {name!r}")
    from thermoc.support.extras import need

    need("torch", "learn", "gradients")
    return getattr(importlib.import_module(_HOMES[name]), name)
