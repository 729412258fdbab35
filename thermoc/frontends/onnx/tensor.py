"""What a tensor of an ONNX model is while the model is read: known numbers, or a value of the network.

A tensor has the axes that ONNX gives it; one of them may be the batch, which is no axis of the network's values. Its
length stands in shapes as ``BATCH``, a number that no axis has; k samples side by side in one axis are ``k * BATCH``.
Integers are carried as float64, which holds every whole number up to 2^53.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.handle import Handle
from thermoc.ir.types import DType

Shape = tuple[int, ...]
BATCH = 2147483629
"""The length of the batch in shapes: a prime, beyond every length that the limits allow."""
OTHER_BATCH = 2147483526
"""A second length, even: what is computed alike from both does not depend on the batch."""
FLOATS = {"float32": DType.f32, "float64": DType.f64}
WIDTHS = {"int8": 8, "int16": 16, "int32": 32, "int64": 64, "uint8": 8, "uint16": 16, "uint32": 32, "uint64": 64}
NARROW = {"int4": 4, "uint4": 4, "int2": 2, "uint2": 2}
"""Integers of quantised models that NumPy has no dtype for."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Tensor:
    """A tensor: its ONNX element type (as NumPy's dtype), its axes, and its numbers or its value.

    other: what ``numbers`` are where the batch is ``OTHER_BATCH`` long, for those that depend on it.
    """

    elem: np.dtype[Any]
    shape: Shape
    numbers: NDArray | None = None
    other: NDArray | None = None
    handle: Handle | None = None

    @property
    def rank(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def batch(self) -> int | None:
        """The axis that is the batch, or holds it."""
        return next((axis for axis, length in enumerate(self.shape) if length >= BATCH), None)

    @property
    def sample(self) -> Shape:
        """Shape of one sample: without the batch."""
        return sample_shape(self.shape)

    @property
    def integral(self) -> bool:
        """Whether it holds integers."""
        return is_integer(self.elem)


def known(numbers: Any, other: Any = None) -> Tensor:
    """Return a tensor of known numbers."""
    array = np.asarray(numbers)
    same = other is None or (np.shape(other) == array.shape and np.array_equal(array, other))
    return Tensor(elem=array.dtype, shape=array.shape, numbers=array, other=None if same else np.asarray(other))


def sample_shape(shape: Shape) -> Shape:
    """Return the axes of one sample: the batch is none, and k samples in one axis are an axis of k."""
    return tuple(length if length < BATCH else length // BATCH for length in shape if length != BATCH)


def is_integer(elem: np.dtype[Any]) -> bool:
    """Tell whether an element type is one of integers."""
    return elem.name in WIDTHS or elem.name in NARROW


def carrier(elem: np.dtype[Any]) -> DType | None:
    """Return the format in which the network carries an element type, None where it has none."""
    if elem.name in FLOATS:
        return FLOATS[elem.name]
    if elem.name == "bool":
        return DType.bool
    return DType.f64 if is_integer(elem) else None


def limits(elem: np.dtype[Any]) -> tuple[int, int]:
    """Return the least and the greatest integer of a type."""
    bits = WIDTHS.get(elem.name) or NARROW[elem.name]
    return (0, 2**bits - 1) if elem.name.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
