"""What a file that somebody else wrote may ask for: the limits of every reader, as docs/security.md lists them.

A limit is checked before anything of that size is allocated. Sizes in bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

MIB = 2**20

MODEL_BYTES = 4096 * MIB
"""A model, a program or an archive of arrays on disk."""
CHECKPOINT_BYTES = 2**44
"""A checkpoint, which holds what a run has recorded."""
PROBLEM_BYTES = 256 * MIB
"""A problem of optimisation: some 10^7 couplings."""
SPINS = 4_000_000
"""Variables of a problem, vertices of its graph."""
COUPLINGS = 20_000_000
"""Couplings of the Ising model that a problem is mapped to, where the map adds to those of the file."""
TEXT_BYTES = MIB
"""A TOML file."""
JSON_BYTES = 64 * MIB
"""A JSON document: a certificate, the header of a ``.thermo``."""
JSON_VALUES = 2_000_000
"""Values in a JSON document; each takes about 100 bytes once read."""
DEPTH = 48
"""Levels of a JSON or TOML document."""
DIGITS = 40
"""Digits of an integer in a JSON or TOML document."""
INFLATED_BYTES = 256 * MIB
"""What a compressed file may unpack to, or ``INFLATED_RATIO`` times its own size where that is more."""
INFLATED_RATIO = 4
MEMBERS = 10_000
"""Arrays in one file."""
RANK = 32
"""Axes of an array."""
ELEMENTS = 2**40
"""Elements of an array, axes of length 0 not counted."""
NAME_LENGTH = 1_000
"""Letters of a name."""
FINDINGS = 50
"""Mistakes of one file that are listed; more are counted."""


def inflated(size: int) -> int:
    """Return what a compressed file of ``size`` bytes may unpack to."""
    return max(INFLATED_BYTES, INFLATED_RATIO * size)


def shape_problem(shape: Sequence[int]) -> str:
    """Return what is wrong with the shape that a file declares, or ''.

    An axis of length 0 makes an array empty and not harmless: the others may still be too large for NumPy.
    """
    if len(shape) > RANK:
        return f"it has {len(shape)} axes, the limit is {RANK}"
    if any(length < 0 for length in shape):
        return f"it has shape {list(shape)}"
    if math.prod(max(length, 1) for length in shape) > ELEMENTS:
        return f"it has shape {list(shape)}, the limit is {ELEMENTS} elements"
    return ""
