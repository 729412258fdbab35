"""x y + z rounded once: with it a sum is the same from every loop, however the loop was compiled."""

from __future__ import annotations

from numba import types
from numba.extending import intrinsic


@intrinsic
def fma(typingctx, x, y, z):
    """x y + z, rounded once."""
    # None lets typing fail: operands of mixed formats would be cast, and so rounded twice
    if not (isinstance(x, types.Float) and x == y == z):
        return None

    def codegen(context, builder, signature, args):
        return builder.fma(*args)

    return x(x, x, x), codegen
