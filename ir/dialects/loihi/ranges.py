"""Ranges of Loihi's integers (measured against lava-nc 0.10.0), and the findings where a number leaves them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from thermoc.ir.ops import Check, Problem, one_of
from thermoc.ir.types import Shape
from thermoc.ir.values import Value
from thermoc.support.array_types import AnyArray

LIMIT = 2**23 - 1
"""The largest state of 24 bits."""
LONGEST_DELAY = 63
"""Of a synapse, in ticks: 6 bits."""


def between(low: int, high: int) -> Check:
    """Return the check of an attribute that is an integer in a range."""
    return Check(f"an integer from {low} to {high}", lambda value: type(value) is int and low <= value <= high)


# A fraction of 2^12, so 4096 is all of a state.
DECAY = between(0, 4096)
# A signed number of 4 bits.
EXPONENT = between(-8, 7)
SIGN = one_of("mixed", "excitatory", "inhibitory")
WEIGHT_BITS = between(1, 8)
MESSAGE_BITS = between(0, 24)
TRUTH = Check("True or False", lambda value: type(value) is bool)


def weight_range(sign_mode: str, weight_bits: int) -> tuple[int, int, int]:
    """Return (least, greatest, step) of a weight: mixed signs give one bit away, so 8 bits are even in [-256, 254]."""
    step = 2 ** (8 - weight_bits + (sign_mode == "mixed"))
    top = 256 - step
    # The sign of mixed weights takes their lowest bit: steps are twice as long, and the ends uneven.
    return {"mixed": (-256, top, step), "excitatory": (0, top, step), "inhibitory": (-top, 0, step)}[sign_mode]


def weight_problems(op: Any, name: str, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
    """Yield the finding that weights are not among those of their bits and signs."""
    weights = numbers.get(name)
    if weights is None or not weights.size:
        return
    low, high, step = weight_range(op.sign_mode, op.weight_bits)
    wrong = (weights < low) | (weights > high) | (weights % step != 0)
    if wrong.any():
        first = tuple(int(i) for i in np.argwhere(wrong)[0])
        yield Problem(
            "T105",
            f"{int(wrong.sum())} weights are not among those of {op.weight_bits} bits, {op.sign_mode} signs",
            (
                f"{name}[{', '.join(map(str, first))}] = {int(weights[first])}",
                f"these are {low} to {high} in steps of {step}",
            ),
            "scale the weights, or choose another sign_mode, weight_bits or weight_exp",
        )


def range_problems(op: Any, numbers: Mapping[str, AnyArray], **ranges: tuple[int, int]) -> Iterator[Problem]:
    """Yield a finding for each operand outside its range; for delays it is ``longest`` that can be changed."""
    for name, (low, high) in ranges.items():
        array = numbers.get(name)
        if array is None or not array.size:
            continue
        wrong = (array < low) | (array > high)
        if wrong.any():
            first = tuple(int(i) for i in np.argwhere(wrong)[0])
            element = f"[{', '.join(map(str, first))}]" if first else ""
            notes = (f"{name}{element} = {int(array[first])}", f"it must be {low} to {high}")
            hint = f"longest says how many there may be, up to {LONGEST_DELAY}" if name == "delays" else ""
            yield Problem("T105", f"{name} is out of range", notes, hint)


def threshold_problems(op: Any) -> Iterator[Problem]:
    """Yield the finding that a delta encoder's threshold is larger than the state it is compared with."""
    # The state it is compared with has 32 bits: a larger threshold would wrap to a negative one.
    if op.vth << (op.spike_exp + op.state_exp) >= 2**31:
        notes = (f"vth << (spike_exp + state_exp) = {op.vth << (op.spike_exp + op.state_exp)}", "it must be below 2^31")
        yield Problem("T105", "the threshold does not fit its state", notes)


def known_shape(value: Value) -> Shape:
    """Return the shape of a value, that of one number where its type is not inferred yet."""
    return value.type.shape if value.type is not None else ()
