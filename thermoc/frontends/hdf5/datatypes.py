"""What one element is: an integer, a float, a text (HDF5 format 3.0, IV.A.2.d)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thermoc.frontends.hdf5.content import Hdf5Content

INTEGER, FLOAT, STRING, REFERENCE, ENUM, VARIABLE = 0, 1, 3, 7, 8, 9
NAMES = {2: "a time", 4: "a bit field", 5: "an opaque type", 6: "a compound", 7: "an object reference", 10: "an array"}
# Bit offset, precision, exponent (place, width), mantissa (place, width) and bias of IEEE 754's binary16, 32 and 64.
FLOATS = {2: (0, 16, 10, 5, 0, 10, 15), 4: (0, 32, 23, 8, 0, 23, 127), 8: (0, 64, 52, 11, 0, 52, 1023)}


@dataclass(frozen=True)
class Element:
    """``dtype`` as it lies in the file; variable: a text elsewhere in the file, named by 16 bytes."""

    dtype: np.dtype
    text: bool = False
    variable: bool = False


def element(content: Hdf5Content, at: int, *, nested: bool = False) -> Element:
    """Return an element's type. Errors: T502, T507 for compounds, references and the like."""
    kind, bits, size = content.number(at, 1) & 15, content.number(at + 1, 3), content.number(at + 4, 4)
    if kind == INTEGER:
        return Element(_integer(content, at, bits, size))
    if kind == FLOAT:
        return Element(_float(content, at, bits, size))
    if kind == STRING:
        # The size is a field of 32 bits: without a bound one element could ask for 4 GiB.
        if not 0 < size <= 2**16:
            raise content.damaged(f"a text of {size} bytes is declared at {at}")
        return Element(np.dtype(f"S{size}"), text=True)
    # h5py stores booleans as an enumeration over int8. One of enumerations would recurse as deep as the file likes.
    if kind == ENUM and not nested:
        return element(content, at + 8, nested=True)
    # Type 1 is a text, 0 a sequence; an element is a length of 4 bytes, a heap's address of 8 and an index of 4.
    if kind == VARIABLE and bits & 15 == 1 and size == 16:
        return Element(np.dtype("V16"), text=True, variable=True)
    what = "a sequence of variable length" if kind == VARIABLE else NAMES.get(kind, "a foreign type")
    raise content.refused(f"{what} as an element")


def _integer(content: Hdf5Content, at: int, bits: int, size: int) -> np.dtype:
    offset, precision = content.number(at + 8, 2), content.number(at + 10, 2)
    # HDF5 can store integers in some bits of their bytes, which NumPy cannot read.
    if size not in (1, 2, 4, 8) or offset or precision != 8 * size:
        raise content.refused(f"an integer of {precision} bits in {size} bytes")
    return np.dtype(f"{'>' if bits & 1 else '<'}{'i' if bits & 8 else 'u'}{size}")


def _float(content: Hdf5Content, at: int, bits: int, size: int) -> np.dtype:
    first = at + 8
    fields = [content.number(first + start, width) for start, width in ((0, 2), (2, 2), (4, 1), (5, 1), (6, 1), (7, 1))]
    # Bit 6 is set for the byte order of VAX alone (HDF5 format 3.0, IV.A.2.d).
    if (*fields, content.number(first + 8, 4)) != FLOATS.get(size) or bits & 0x40:
        raise content.refused(f"a float of {size} bytes that is not IEEE 754")
    return np.dtype(f"{'>' if bits & 1 else '<'}f{size}")
