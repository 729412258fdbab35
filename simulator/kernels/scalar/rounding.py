"""Whole numbers next to a float, as floats: of both formats, the same on every processor, infinities included."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import lower_builtin, type_callable


def floor(x: Any) -> Any:
    """The greatest whole number not above x."""
    return np.floor(x) if isinstance(x, np.floating) else float(math.floor(x)) if math.isfinite(x) else x


def ceil(x: Any) -> Any:
    """The least whole number not below x."""
    return -floor(-x)


def _same(context: Any) -> Callable[..., Any]:
    return lambda x: x if isinstance(x, types.Float) else None


def _intrinsic(name: str) -> Callable[..., Any]:
    def lower(context, builder, signature, args):
        kind = args[0].type
        width = signature.args[0].bitwidth
        function = ir.FunctionType(kind, [kind])
        return builder.call(cgutils.get_or_insert_function(builder.module, function, f"llvm.{name}.f{width}"), args)

    return lower


for _function in (floor, ceil):
    type_callable(_function)(_same)
    lower_builtin(_function, types.Float)(_intrinsic(_function.__name__))
