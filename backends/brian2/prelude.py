"""Noise as a function, and functions that Brian2 lacks. This text opens each script; states and simulation follow."""

# ruff: noqa: F401
# pyright: reportUndefinedVariable=false, reportOptionalMemberAccess=false, reportCallIssue=false, reportArgumentType=false
# --- prelude
from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from brian2 import (
    Clock,
    EventMonitor,
    Network,
    NetworkOperation,
    NeuronGroup,
    StateMonitor,
    Synapses,
    get_device,
    linked_var,
    ms,
    prefs,
    second,
    us,
)
from brian2.core.functions import Function
from brian2.devices.device import runtime_device

# ------------------------------------------------------------------------------------------------- noise
# Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011) at counter (element, tick, draw, stream), keyed by the seed: the
# same numbers in NumPy, Cython and C++, whatever the order in which they are asked for.


def philox(element, tick, draw, stream, k0, k1):
    """Return the four words of a block, each below 2^32."""
    c0, c1, c2, c3, a, b = (np.asarray(word).astype(np.uint64) for word in (element, tick, draw, stream, k0, k1))
    half, low = np.uint64(32), np.uint64(0xFFFFFFFF)
    for _ in range(10):
        p0, p1 = c0 * np.uint64(0xD2511F53), c2 * np.uint64(0xCD9E8D57)
        c0, c1, c2, c3 = (p1 >> half) ^ c1 ^ a, p1 & low, (p0 >> half) ^ c3 ^ b, p0 & low
        a, b = (a + np.uint64(0x9E3779B9)) & low, (b + np.uint64(0xBB67AE85)) & low
    return c0, c1, c2, c3


def unit_interval(high, low):
    """Return ((high << 20 | low >> 12) + 1/2) / 2^52, in (0, 1)."""
    return (((high << np.uint64(20)) | (low >> np.uint64(12))).astype(float) + 0.5) * 2.0**-52


def philox_uniform(element, tick, draw, stream, k0, k1):
    """Return uniform numbers in (0, 1)."""
    words = philox(element, tick, draw, stream, k0, k1)
    return unit_interval(*words[:2])


def philox_normal(element, tick, draw, stream, k0, k1):
    """Return standard normal numbers, by Box and Muller."""
    words = philox(element, tick, draw, stream, k0, k1)
    return np.sqrt(-2 * np.log(unit_interval(*words[:2]))) * np.cos(2 * np.pi * unit_interval(*words[2:]))


CPP = """
static inline double NAME(double element, double tick, double draw, double stream, double k0, double k1) {
    typedef unsigned long long word;
    word c0 = (word)element, c1 = (word)tick, c2 = (word)draw, c3 = (word)stream, a = (word)k0, b = (word)k1;
    const word low = 0xFFFFFFFFULL;
    for (int round = 0; round < 10; round++) {
        const word p0 = c0 * 0xD2511F53ULL, p1 = c2 * 0xCD9E8D57ULL;
        c0 = (p1 >> 32) ^ c1 ^ a; c1 = p1 & low; c2 = (p0 >> 32) ^ c3 ^ b; c3 = p0 & low;
        a = (a + 0x9E3779B9ULL) & low; b = (b + 0xBB67AE85ULL) & low;
    }
    const double u = ((double)((c0 << 20) | (c1 >> 12)) + 0.5) * 2.220446049250313e-16;
    const double v = ((double)((c2 << 20) | (c3 >> 12)) + 0.5) * 2.220446049250313e-16;
    return RESULT;
}
"""
CYTHON = """
cdef double NAME(double element, double tick, double draw, double stream, double k0, double k1):
    cdef unsigned long long c0 = <unsigned long long>element, c1 = <unsigned long long>tick
    cdef unsigned long long c2 = <unsigned long long>draw, c3 = <unsigned long long>stream
    cdef unsigned long long a = <unsigned long long>k0, b = <unsigned long long>k1
    cdef unsigned long long low = 0xFFFFFFFFULL, p0, p1
    cdef int r
    for r in range(10):
        p0 = c0 * 0xD2511F53ULL
        p1 = c2 * 0xCD9E8D57ULL
        c0 = (p1 >> 32) ^ c1 ^ a
        c1 = p1 & low
        c2 = (p0 >> 32) ^ c3 ^ b
        c3 = p0 & low
        a = (a + 0x9E3779B9ULL) & low
        b = (b + 0xBB67AE85ULL) & low
    cdef double u = (<double>((c0 << 20) | (c1 >> 12)) + 0.5) * 2.220446049250313e-16
    cdef double v = (<double>((c2 << 20) | (c3 >> 12)) + 0.5) * 2.220446049250313e-16
    return RESULT
"""
NORMAL = "sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v)"


def user_function(python, arguments, cpp, cython):
    """Return a function of numbers (the first may be a truth value) with a body for each code generator."""
    function = Function(python, arg_units=[1] * len(arguments), return_unit=1, arg_types=arguments, return_type="float")
    function.implementations.add_implementation("cpp", cpp.replace("NAME", python.__name__), name=python.__name__)
    function.implementations.add_implementation("cython", cython.replace("NAME", python.__name__), name=python.__name__)
    return function


def choose(condition, a, b):
    """Return a where the condition holds, else b."""
    return np.where(condition, a, b)


def minimum(a, b):
    """Return the smaller; NaN where either is."""
    return np.minimum(a, b)


def maximum(a, b):
    """Return the larger; NaN where either is."""
    return np.maximum(a, b)


def _plain(python, arguments, cpp, cython):
    kinds = ["bint" if kind == "boolean" else "double" for kind in arguments]
    names = ["c", "a", "b"][-len(kinds) :]
    listed = ", ".join(f"{kind} {name}" for kind, name in zip(kinds, names))
    head = listed.replace("bint", "bool")
    cpp = f"static inline double NAME({head}) {{ return {cpp}; }}"
    return user_function(python, arguments, cpp, f"cdef double NAME({listed}):\n    return {cython}\n")


FUNCTIONS = {
    "philox_uniform": user_function(
        philox_uniform, ["float"] * 6, CPP.replace("RESULT", "u"), CYTHON.replace("RESULT", "u")
    ),
    "philox_normal": user_function(
        philox_normal, ["float"] * 6, CPP.replace("RESULT", NORMAL), CYTHON.replace("RESULT", NORMAL)
    ),
    "choose": _plain(choose, ["boolean", "float", "float"], "c ? a : b", "a if c else b"),
    "minimum": _plain(minimum, ["float"] * 2, "(a < b || a != a) ? a : b", "a if (a < b or a != a) else b"),
    "maximum": _plain(maximum, ["float"] * 2, "(a > b || a != a) ? a : b", "a if (a > b or a != a) else b"),
}
