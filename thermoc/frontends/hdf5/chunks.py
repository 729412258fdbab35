"""Data in chunks: a tree of them, or one alone (HDF5 format 3.0, III.A.1 and IV.A.2.i)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.hdf5.content import UNDEFINED, Hdf5Content
from thermoc.frontends.hdf5.filters import undo

Shape = tuple[int, ...]


def chunked(content: Hdf5Content, at: int, shape: Shape, dtype: np.dtype, filters: Sequence[int]) -> NDArray:
    """Return the array behind a layout message of version 3. Every chunk must be there. Errors: T502, T504."""
    # The message counts an axis more than the array has: the bytes of an element.
    rank, root = content.number(at + 2, 1) - 1, content.number(at + 3)
    sizes = tuple(content.number(at + 11 + 4 * axis, 4) for axis in range(max(rank, 0)))
    _check(content, sizes, shape)
    if 0 in shape:
        return np.empty(shape, dtype)
    chunk_bytes = math.prod(sizes) * dtype.itemsize
    content.spend("arrays", chunk_bytes)
    array, missing = np.empty(shape, dtype), math.prod(-(-n // size) for n, size in zip(shape, sizes))
    # The array is not cleared, so each chunk must come exactly once: a gap would return what memory held before.
    corners: set[Shape] = set()
    if root == UNDEFINED:
        raise content.damaged("a dataset in chunks has none")
    for corner, size, mask, address in _leaves(content, root, rank, None):
        if corner in corners or any(c % s or c >= n for c, s, n in zip(corner, sizes, shape)):
            raise content.damaged(f"a chunk at {corner} has no place in shape {shape}")
        corners.add(corner)
        # A bit of the mask says that its filter was skipped for this chunk (HDF5 format 3.0, III.A.1).
        if mask:
            raise content.refused("a chunk that skips filters")
        content.spend("unpacked", chunk_bytes)
        raw = undo(content, content.take(address, size), filters, chunk_bytes, dtype.itemsize)
        inside = tuple(slice(c, min(c + s, n)) for c, s, n in zip(corner, sizes, shape))
        chunk = np.frombuffer(raw, dtype).reshape(sizes)
        # Chunks at the rim are stored at full size, although they reach beyond the array.
        array[inside] = chunk[tuple(slice(cut.stop - cut.start) for cut in inside)]
    if len(corners) != missing:
        raise content.damaged(f"{missing - len(corners)} of {missing} chunks are missing")
    return array


def single_chunk(content: Hdf5Content, at: int, shape: Shape, dtype: np.dtype, filters: Sequence[int]) -> NDArray:
    """Return the array behind a layout message of version 4 whose one chunk is the whole. Errors: T502, T504, T507."""
    flags, rank, width = (content.number(at + offset, 1) for offset in (2, 3, 4))
    if not 1 <= width <= 8:
        raise content.damaged(f"sizes of {width} bytes")
    sizes = tuple(content.number(at + 5 + width * axis, width) for axis in range(max(rank - 1, 0)))
    after = at + 5 + width * rank
    # Index 1 is a single chunk; implicit, fixed and extensible arrays and B-trees of version 2 are 2 to 5.
    if content.number(after, 1) != 1:
        raise content.refused("an index of chunks of the newest format", hint="save it with libver='earliest'")
    _check(content, sizes, shape)
    if 0 in shape:
        return np.empty(shape, dtype)
    chunk_bytes = math.prod(sizes) * dtype.itemsize
    content.spend("arrays", chunk_bytes)
    # Flag bit 1: the chunk is filtered, and its stored size (8 bytes) and filter mask (4) stand before the address.
    if flags & 2 and content.number(after + 9, 4):
        raise content.refused("a chunk that skips filters")
    size, address = (content.number(after + 1), after + 13) if flags & 2 else (chunk_bytes, after + 1)
    raw = undo(
        content, content.take(content.number(address), size), filters if flags & 2 else (), chunk_bytes, dtype.itemsize
    )
    return np.frombuffer(raw, dtype).reshape(sizes)[tuple(slice(n) for n in shape)]


def _check(content: Hdf5Content, sizes: Shape, shape: Shape) -> None:
    if len(sizes) != len(shape) or any(size < 1 for size in sizes):
        raise content.damaged(f"chunks of shape {sizes} do not tile shape {shape}")


def _leaves(content: Hdf5Content, at: int, rank: int, level: int | None) -> Iterator[tuple[Shape, int, int, int]]:
    """Yield (corner, stored bytes, filter mask, place) of every chunk."""
    content.claim(at)
    content.expect(at, b"TREE")
    kind, depth, count = content.number(at + 4, 1), content.number(at + 5, 1), content.number(at + 6, 2)
    # Each child lies one level below its parent and no tree has more than 16, which bounds the recursion.
    if kind != 1 or (level is not None and depth != level) or depth > 16:
        raise content.damaged(f"the node at {at} does not belong to its tree")
    # A key: stored bytes, filter mask, and an offset for each axis and for the bytes of an element.
    key = 8 + 8 * (rank + 1)
    for index in range(count):
        first = at + 24 + index * (key + 8)
        address = content.number(first + key)
        if depth:
            yield from _leaves(content, address, rank, depth - 1)
            continue
        corner = tuple(content.number(first + 8 + 8 * axis) for axis in range(rank))
        yield corner, content.number(first, 4), content.number(first + 4, 4), address
