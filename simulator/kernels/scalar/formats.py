"""How a scalar function is declared: plain Python, which Numba compiles into whatever calls it, on any processor."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

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


def by_format(double: Callable[..., Any], single: Callable[..., Any]) -> Callable[[Function], Function]:
    """Make of a function without a body the one that is ``double``, or ``single`` where x is a float32."""

    def declare(named: Function) -> Function:
        @wraps(named)
        def function(x, *others):
            return single(x, *others) if type(x) is np.float32 else double(x, *others)

        @overload(function, jit_options=OPTIONS, strict=False)
        def chosen(x, *others):
            return single if x == types.float32 else double

        return cast(Function, function)

    return declare
