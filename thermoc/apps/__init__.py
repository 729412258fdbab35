"""Applications: problems that are solved, memories, machines that generate, policies, experiments."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thermoc.apps.optimisation.dimod_sampler import ThermocSampler

_HOMES = {"ThermocSampler": "thermoc.apps.optimisation.dimod_sampler"}
"""Where each name is: imported when it is used, for some need packages that only an extra brings."""

__all__ = ["ThermocSampler"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'thermoc.apps' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
