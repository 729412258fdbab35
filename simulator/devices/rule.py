"""What turns a scalar rule of plain Python into a device function: Numba compiles it for the caller, CPU or CUDA."""

from __future__ import annotations

from typing import Any

from numba import njit

rule: Any = njit(error_model="numpy", nogil=True)
"""Compiled when first called; ``rule(f).py_func`` is the Python it was made of."""

inner: Any = njit(error_model="numpy", nogil=True, inline="always")
"""The same for the inside of loops that vectorise: a call would keep them from it."""
