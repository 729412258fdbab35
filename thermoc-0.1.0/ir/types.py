"""The type of a value: a shape (the batch axis is implicit and leading), a dtype and a role."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

Shape = tuple[int, ...]


class DType(StrEnum):
    """Number formats a value can have."""

    f64 = "f64"
    f32 = "f32"
    i64 = "i64"
    i32 = "i32"
    bool = "bool"

    @property
    def numpy(self) -> np.dtype:
        """The NumPy dtype, e.g. float64 for ``f64``."""
        return np.dtype(_NUMPY[self])

    @property
    def is_float(self) -> bool:
        """True for ``f64`` and ``f32``."""
        return self in (DType.f64, DType.f32)

    @staticmethod
    def of(dtype: np.dtype) -> DType | None:
        """Return the DType of a NumPy dtype, None where there is none."""
        return _OF.get(np.dtype(dtype).name)


_NUMPY = {DType.f64: "float64", DType.f32: "float32", DType.i64: "int64", DType.i32: "int32", DType.bool: "bool"}
_OF = {name: dtype for dtype, name in _NUMPY.items()}


class Role(StrEnum):
    """What a number means. ``signal`` is the neutral one and fits every operand."""

    signal = "signal"
    spike = "spike"
    energy = "energy"
    temperature = "temperature"
    probability = "probability"
    index = "index"  # pyright: ignore[reportAssignmentType]  (str has a method of that name)


@dataclass(frozen=True)
class Type:
    """Shape of one sample, dtype, role. Prints as ``energy f64[64]``."""

    shape: Shape
    dtype: DType = DType.f64
    role: Role = Role.signal

    def __str__(self) -> str:
        return f"{self.role} {self.dtype}[{','.join(map(str, self.shape))}]"

    @property
    def size(self) -> int:
        """Number of elements of one sample."""
        size = 1
        for length in self.shape:
            size *= length
        return size

    def with_(self, **changes: object) -> Type:
        """Return this type with some fields changed."""
        return replace(self, **changes)
