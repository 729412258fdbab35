"""What arithmetic needs besides ``+ - * / sqrt``: a product that enters a sum unrounded, and the bits of a float.

Each is a plain Python function whose compiled body, stated in LLVM's terms below, serves the CPU and CUDA alike.
Bits are signed integers, so that ``>>`` and literal numbers mean the same in Python, where integers never overflow, as
in compiled code; what makes a float of them looks at the last 64 or 32 bits alone.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import lower_builtin, type_callable

_LIBM = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)
_LIBM.fma.argtypes, _LIBM.fma.restype = [ctypes.c_double] * 3, ctypes.c_double
_LIBM.fmaf.argtypes, _LIBM.fmaf.restype = [ctypes.c_float] * 3, ctypes.c_float


def fma(x: Any, y: Any, z: Any) -> Any:
    """x y + z, rounded once; all of one format."""
    if type(x) is np.float32:
        return np.float32(_LIBM.fmaf(x, y, z))
    return _LIBM.fma(x, y, z)


def polynomial(x: Any, coefficients: tuple[Any, ...]) -> Any:
    """c[0] x^n + ... + c[n], by Horner's rule, each step an ``fma``."""
    total = coefficients[0]
    for c in coefficients[1:]:
        total = fma(total, x, c)
    return total


def bits64(x: Any) -> int:
    """The bits of a float64, as a signed integer."""
    return struct.unpack("<q", struct.pack("<d", x))[0]


def bits32(x: Any) -> int:
    """The bits of a float32, as a signed integer."""
    return struct.unpack("<i", struct.pack("<f", x))[0]


def float64(bits: int) -> float:
    """The float64 of the last 64 bits of an integer."""
    return struct.unpack("<d", struct.pack("<Q", bits & (2**64 - 1)))[0]


def float32(bits: int) -> np.float32:
    """The float32 of the last 32 bits of an integer."""
    return np.uint32(bits & (2**32 - 1)).view(np.float32)


def low32(bits: int) -> int:
    """The last 32 bits of an integer, as a signed integer: compiled code goes on in 32 bits."""
    return (bits + 2**31) % 2**32 - 2**31


def _fma_type(context: Any) -> Callable[..., Any]:
    # None lets typing fail: operands of mixed formats would be cast, and so rounded twice
    return lambda x, y, z: x if isinstance(x, types.Float) and x == y == z else None


def _polynomial_type(context: Any) -> Callable[..., Any]:
    def typer(x, coefficients):
        alike = isinstance(coefficients, types.UniTuple) and coefficients.dtype == x
        return x if alike and isinstance(x, types.Float) else None

    return typer


def _of_float(given: Any, wanted: Any) -> Callable[..., Any]:
    return lambda context: lambda x: wanted if x == given else None


def _of_integer(wanted: Any) -> Callable[..., Any]:
    return lambda context: lambda bits: wanted if isinstance(bits, types.Integer) else None


def _lower_fma(context, builder, signature, args):
    return builder.fma(*args)


def _lower_polynomial(context, builder, signature, args):
    x, coefficients = args
    total = builder.extract_value(coefficients, 0)
    for k in range(1, signature.args[1].count):
        total = builder.fma(total, x, builder.extract_value(coefficients, k))
    return total


def _lower_bits(context, builder, signature, args):
    return builder.bitcast(args[0], ir.IntType(signature.return_type.bitwidth))


def _lower_float(context, builder, signature, args):
    bits = ir.IntType(signature.return_type.bitwidth)
    # shorter integers keep their sign, longer ones lose what comes before the last bits
    resize = builder.sext if args[0].type.width < bits.width else builder.trunc
    value = args[0] if args[0].type == bits else resize(args[0], bits)
    return builder.bitcast(value, context.get_value_type(signature.return_type))


def _lower_low32(context, builder, signature, args):
    return args[0] if args[0].type.width == 32 else builder.trunc(args[0], ir.IntType(32))


BODIES: tuple[tuple[Callable[..., Any], Callable[..., Any], tuple[Any, ...], Callable[..., Any]], ...] = (
    (fma, _fma_type, (types.Float,) * 3, _lower_fma),
    (polynomial, _polynomial_type, (types.Float, types.UniTuple), _lower_polynomial),
    (bits64, _of_float(types.float64, types.int64), (types.float64,), _lower_bits),
    (bits32, _of_float(types.float32, types.int32), (types.float32,), _lower_bits),
    (float64, _of_integer(types.float64), (types.Integer,), _lower_float),
    (float32, _of_integer(types.float32), (types.Integer,), _lower_float),
    (low32, _of_integer(types.int32), (types.Integer,), _lower_low32),
)
"""Of each primitive: its type, the kinds of its arguments, its code in LLVM's terms."""

for _function, _typing, _kinds, _code in BODIES:
    # numba-cuda takes in whatever others register with Numba
    type_callable(_function)(_typing)
    lower_builtin(_function, *_kinds)(_code)
