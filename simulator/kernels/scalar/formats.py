"""How a scalar function is declared: plain Python, which Numba compiles into whatever calls it, on any processor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import types
from numba.extending import overload

Function = TypeVar("Function", bound=Callable[..., Any])
OPTIONS: Any = {"error_model": "numpy", "forceinline": True}


def scalar(function: Function) -> Function:
    """Let compiled code call a plain function."""

    @overload(function, jit_options=OPTIONS, strict=False)
    def chosen(*args):
        return function

    return function


def by_format(name: str, meaning: str, double: Callable[..., Any], single: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function that is ``double``, or ``single`` where its first argument is a float32."""

    def function(x, *others):
        return single(x, *others) if type(x) is np.float32 else double(x, *others)

    @overload(function, jit_options=OPTIONS, strict=False)
    def chosen(x, *others):
        return single if x == types.float32 else double

    function.__name__ = function.__qualname__ = name
    function.__doc__ = meaning
    return function
