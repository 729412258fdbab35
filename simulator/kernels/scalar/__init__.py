"""Arithmetic of one number, the same to the bit on every processor: primitives, and functions made of them alone.

Functions are plain Python over floats and NumPy's scalars, which Numba compiles into what calls them, for the CPU and
for CUDA (compiled with ``fma`` off there, or products and sums are contracted). None depends on the width of vectors.
Instructions name them, and are read long before anything is compiled: so Numba is imported where one is first used,
or by ``load``, which whoever compiles calls before: Numba sees only what is there.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thermoc.simulator.kernels.scalar.arcsine import asin as asin
    from thermoc.simulator.kernels.scalar.exponential import cosh as cosh
    from thermoc.simulator.kernels.scalar.exponential import exp as exp
    from thermoc.simulator.kernels.scalar.exponential import expm1 as expm1
    from thermoc.simulator.kernels.scalar.exponential import sinh as sinh
    from thermoc.simulator.kernels.scalar.exponential import tanh as tanh
    from thermoc.simulator.kernels.scalar.logarithm import log as log
    from thermoc.simulator.kernels.scalar.noise import logit as logit
    from thermoc.simulator.kernels.scalar.noise import normal as normal
    from thermoc.simulator.kernels.scalar.powers import power as power
    from thermoc.simulator.kernels.scalar.rounding import ceil as ceil
    from thermoc.simulator.kernels.scalar.rounding import floor as floor
    from thermoc.simulator.kernels.scalar.trigonometric import cos as cos
    from thermoc.simulator.kernels.scalar.trigonometric import sin as sin
    from thermoc.simulator.kernels.scalar.trigonometric import sin_turns as sin_turns

_HOMES = {
    "asin": "arcsine",
    **dict.fromkeys(("exp", "expm1", "tanh", "sinh", "cosh"), "exponential"),
    "log": "logarithm",
    **dict.fromkeys(("logit", "normal"), "noise"),
    "power": "powers",
    **dict.fromkeys(("ceil", "floor"), "rounding"),
    **dict.fromkeys(("cos", "sin", "sin_turns"), "trigonometric"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def load() -> None:
    """Import all of them."""
    for name in _HOMES:
        __getattr__(name)
