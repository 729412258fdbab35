"""Values: names with types, and the constant arrays behind some of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from thermoc.ir.types import DType, Role, Shape, Type
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import error

HASHED = 16
"""Elements of an array that its hash is made of, or up to twice as many."""


@dataclass(frozen=True, slots=True)
class Value:
    """A result of an op, known by its name, unique in its graph; ``type`` is None until inferred."""

    name: str
    type: Type | None = None

    @property
    def inferred(self) -> Type:
        """The type, which is known once ``infer-shapes`` has run. Errors: T203 where it has not."""
        if self.type is None:
            raise error("T203", f"{self} has no type yet", hint="run infer-shapes first")
        return self.type

    @property
    def shape(self) -> Shape:
        """Lengths of the axes of one sample. Errors: T203."""
        return self.inferred.shape

    @property
    def dtype(self) -> DType:
        """Number format. Errors: T203."""
        return self.inferred.dtype

    @property
    def size(self) -> int:
        """Number of elements of one sample. Errors: T203."""
        return self.inferred.size

    @property
    def role(self) -> Role:
        """What the numbers mean. Errors: T203."""
        return self.inferred.role

    def __str__(self) -> str:
        return f"%{self.name}"


class Array:
    """A read-only NumPy array that compares and hashes by content (dtype, shape, bytes)."""

    def __init__(self, data: ArrayLike):
        # A view, so that the caller's own array stays writeable.
        array: AnyArray = np.array(data) if not isinstance(data, np.ndarray) else cast("AnyArray", data).view()
        array.flags.writeable = False
        self.numpy: AnyArray = array

    @cached_property
    def digest(self) -> str:
        """SHA-256 of dtype, shape and little-endian content."""
        array = np.ascontiguousarray(self.numpy)
        # The digest names the content in files, so it must not depend on the machine that wrote them.
        if array.dtype.byteorder == ">":
            array = array.astype(array.dtype.newbyteorder("<"))
        digest = hashlib.sha256(f"{array.dtype.name} {self.numpy.shape}\n".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
        return digest.hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Array) and self.digest == other.digest

    def __hash__(self) -> int:
        # Of some elements: to tell large arrays apart none is read whole, and equal ones are compared by digest.
        some = self.numpy.flat[:: max(1, self.numpy.size // HASHED)]
        return hash((self.numpy.dtype.name, self.numpy.shape, some.tobytes()))

    def __repr__(self) -> str:
        return f"Array({self.numpy.dtype.name}{list(self.numpy.shape)})"
