"""Deflate and shuffle, undone by our own hand with the size known beforehand; every other filter is refused."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

import numpy as np

from thermoc.frontends.hdf5.content import Hdf5Content
from thermoc.frontends.hdf5.headers import Message

DEFLATE, SHUFFLE = 1, 2
NAMES = {3: "fletcher32", 4: "szip", 5: "nbit", 6: "scaleoffset", 32000: "lzf"}


def pipeline(content: Hdf5Content, message: Message) -> Iterator[int]:
    """Yield the filters of a dataset as they were applied. Errors: T507 for any but deflate and shuffle."""
    version, count = content.number(message.at, 1), content.number(message.at + 1, 1)
    if version not in (1, 2) or count > 8:
        raise content.damaged(f"a pipeline of {count} filters, version {version}")
    at = message.at + (8 if version == 1 else 2)
    for _ in range(count):
        kind = content.number(at, 2)
        if kind not in (DEFLATE, SHUFFLE):
            raise content.refused(f"the filter {NAMES.get(kind, kind)}", hint="save it plain, or with gzip alone")
        # Version 2 leaves out the name of the library's own filters, which are those below 256.
        named = version == 1 or kind >= 256
        length = content.number(at + 2, 2) if named else 0
        values = content.number(at + (6 if named else 4), 2)
        # Version 1 pads names to 8 bytes, and an odd number of values by one more.
        at += (8 if named else 6) + (-(-length // 8) * 8 if version == 1 else length)
        at += 4 * (values + (values % 2 if version == 1 else 0))
        yield kind


def undo(content: Hdf5Content, raw: bytes, filters: Sequence[int], size: int, width: int) -> bytes:
    """Return a chunk of exactly ``size`` bytes, elements of ``width``; never inflates beyond. Errors: T502."""
    # They are listed in the order of writing.
    for kind in reversed(filters):
        raw = _inflated(content, raw, size) if kind == DEFLATE else _unshuffled(raw, width)
    if len(raw) != size:
        raise content.damaged(f"a chunk holds {len(raw)} bytes, not {size}")
    return raw


def _inflated(content: Hdf5Content, raw: bytes, size: int) -> bytes:
    stream = zlib.decompressobj()
    try:
        # One byte more than is due: a bomb shows before it is unpacked.
        inflated = stream.decompress(raw, size + 1)
    except zlib.error as reason:
        raise content.damaged(f"a chunk does not inflate: {reason}") from None
    # A stream without an end was cut short, even where as many bytes as are due have come.
    if len(inflated) > size or not stream.eof:
        raise content.damaged(f"a chunk does not inflate to its {size} bytes")
    return inflated


def _unshuffled(raw: bytes, width: int) -> bytes:
    if width < 2 or len(raw) % width:
        return raw
    # Shuffled data hold the first byte of every element, then every second one, and so on.
    return np.frombuffer(raw, np.uint8).reshape(width, -1).T.tobytes()
