"""Lists of the units that fired, in rising order: how many, then which. Units are marked by bits, then written out.

Phases of a list: bits are cleared, units are marked, the bits of ``SPAN`` words are counted, each word is written
behind what comes before it.
"""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

import numpy as np

from thermoc.simulator.instructions.lists import LIST_PHASES, SPAN
from thermoc.simulator.kernels.scalar.formats import scalar
from thermoc.simulator.kernels.words import atomic_add, bit_count, first_bit

CLEAR, MARK, COUNT, WRITE = range(LIST_PHASES)
ONE, NONE = np.int64(1), np.int64(0)


@scalar
def mark(bits, i):
    """Mark unit i, which nobody has marked."""
    atomic_add(bits, i // 64, ONE << np.int64(i % 64))


@scalar
def build(phase, bits, fired, i):
    """Do point i's part in the phases but ``MARK``."""
    units = fired.size - 1
    words = (units + 63) // 64
    if phase == CLEAR:
        if i < words:
            bits[i] = 0
        if i == 0 and units == 0:
            fired[0] = 0
    elif phase == COUNT:
        if i * SPAN < words:
            total = NONE
            for k in range(i * SPAN, min(words, (i + 1) * SPAN)):
                total += bit_count(bits[k])
            bits[words + i] = total
    elif phase == WRITE and i < words:
        position = NONE
        for k in range(i // SPAN):
            position += bits[words + k]
        for k in range(i // SPAN * SPAN, i):
            position += bit_count(bits[k])
        word = bits[i]
        while word != 0:
            position += 1
            fired[position] = 64 * i + first_bit(word)
            word &= word - ONE
        if i == words - 1:
            fired[0] = position


def spread(r, x, phase, i):
    """r[i] = 1 where the list x holds i, else 0: cleared first, then set entry by entry."""
    if phase == 0:
        r[i] = 0
    elif i < min(x[0], r.size):
        unit = x[1 + i]
        if 0 <= unit < r.size:
            r[unit] = 1
