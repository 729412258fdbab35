"""How wide the vectors of a loop are that LLVM vectorises by itself."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic


def _full_width(typingctx):
    """Ask for vectors of 512 bits.

    LLVM takes half of them on processors that once slowed down for the others; a loop that is bound by loads and stores
    then takes up to twice as long. It says nothing of a function that is inlined before its loops are vectorised.
    """

    def codegen(context, builder, signature, args):
        # llvmlite knows this attribute by no name, so it is added as the text that it prints
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), codegen


full_width: Any = intrinsic(_full_width)
"""``full_width()``: loops of the function that calls it use the processor's widest vectors."""
