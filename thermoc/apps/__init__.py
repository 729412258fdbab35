"""Applications: problems that are solved, memories, machines that generate, policies, experiments."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thermoc.apps.optimisation.answers import answers
    from thermoc.apps.optimisation.dimod_sampler import ThermocSampler
    from thermoc.apps.optimisation.minimise import minimise
    from thermoc.frontends.problems.formats import read as read_problem

_HOMES = {
    "ThermocSampler": ("thermoc.apps.optimisation.dimod_sampler", "ThermocSampler"),
    "answers": ("thermoc.apps.optimisation.answers", "answers"),
    "minimise": ("thermoc.apps.optimisation.minimise", "minimise"),
    "read_problem": ("thermoc.frontends.problems.formats", "read"),
}
"""Where each name is: imported when it is used, for some need packages that only an extra brings."""

__all__ = ["ThermocSampler", "answers", "minimise", "read_problem"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'thermoc.apps' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(importlib.import_module(module), attribute)
