"""The elements of a dataset (HDF5 format 3.0, IV.A.2): their space, and where they lie."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.hdf5.chunks import chunked, single_chunk
from thermoc.frontends.hdf5.content import UNDEFINED, Hdf5Content
from thermoc.frontends.hdf5.datatypes import Element, element
from thermoc.frontends.hdf5.filters import pipeline
from thermoc.frontends.hdf5.headers import DATASPACE, DATATYPE, EXTERNAL, FILTERS, LAYOUT, Message
from thermoc.frontends.hdf5.heap import decoded, pooled
from thermoc.support.errors import error

COMPACT, CONTIGUOUS, CHUNKED, VIRTUAL = 0, 1, 2, 3
LONGEST = 2**40 - 1


def dataset(content: Hdf5Content, header: dict[int, list[Message]]) -> NDArray | str:
    """Return a dataset's numbers, its text, or an object array of texts. Errors: T502, T504, T507."""
    # External storage names other files: a hostile model could have any file of this machine read as its weights.
    if EXTERNAL in header:
        raise content.refused("external storage", hint="copy the data into the file")
    space, kind, layout = (_one(content, header, message_kind) for message_kind in (DATASPACE, DATATYPE, LAYOUT))
    shape, item = _shape(content, space), element(content, kind.at)
    # An axis of length 0 counts as 1: the lengths beside it may be too large for NumPy all the same.
    content.spend("arrays", math.prod(max(length, 1) for length in shape) * item.dtype.itemsize)
    array = _stored(content, header, layout, shape, item.dtype)
    if not item.text:
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    texts = _texts(content, array, item)
    return texts[0] if not shape else _object_array(texts, shape)


def _one(content: Hdf5Content, header: dict[int, list[Message]], kind: int) -> Message:
    if len(header.get(kind, ())) != 1:
        raise content.damaged(f"a dataset has {len(header.get(kind, ()))} messages of kind {kind}, not one")
    return header[kind][0]


def _shape(content: Hdf5Content, message: Message) -> tuple[int, ...]:
    version, rank = content.number(message.at, 1), content.number(message.at + 1, 1)
    # Version 2 has a byte for scalar (0), simple (1) and null (2); a null dataspace has no elements at all.
    if version not in (1, 2) or (version == 2 and content.number(message.at + 3, 1) > 1):
        raise content.refused("a dataset without a shape")
    if rank > content.limits.rank:
        raise content.damaged(f"a dataset has {rank} axes, the limit is {content.limits.rank}")
    first = message.at + (8 if version == 1 else 4)
    shape = tuple(content.number(first + 8 * axis) for axis in range(rank))
    # The file's lengths are unsigned numbers of 64 bits, NumPy's are signed.
    if max(shape, default=0) > LONGEST:
        raise error("T504", f"{content.source} asks for too much", notes=[f"a dataset has shape {list(shape)}"])
    return shape


def _stored(
    content: Hdf5Content, header: dict[int, list[Message]], layout: Message, shape: tuple[int, ...], dtype: np.dtype
) -> NDArray:
    version, kind = content.number(layout.at, 1), content.number(layout.at + 1, 1)
    # Versions 1 and 2 are of HDF5 before 1.6.3.
    if version not in (3, 4) or kind not in (COMPACT, CONTIGUOUS, CHUNKED):
        raise content.refused("a virtual dataset" if kind == VIRTUAL else f"data layout version {version}")
    filters = [step for message in header.get(FILTERS, ()) for step in pipeline(content, message)]
    if kind == CHUNKED:
        return (chunked if version == 3 else single_chunk)(content, layout.at, shape, dtype, filters)
    # HDF5 filters chunks alone: data in one piece would be returned as it lies, still packed.
    if filters:
        raise content.damaged("a filter stands on data that is not in chunks")
    need = math.prod(shape) * dtype.itemsize
    if kind == COMPACT:
        at, size = layout.at + 4, content.number(layout.at + 2, 2)
    else:
        at, size = content.number(layout.at + 2), content.number(layout.at + 10)
    if need == 0:
        return np.empty(shape, dtype)
    if at == UNDEFINED or size < need:
        raise content.damaged(f"a dataset of {need} bytes has {0 if at == UNDEFINED else size} bytes of data")
    return np.frombuffer(content.take(at, need), dtype).reshape(shape)


def _texts(content: Hdf5Content, array: NDArray, item: Element) -> list[str]:
    content.spend("objects", array.size)
    names = [bytes(raw) for raw in array.reshape(-1)]
    read = pooled if item.variable else decoded
    # Each distinct text is decoded once: lists of edges repeat the names of nodes.
    texts = {name: read(content, name) for name in dict.fromkeys(names)}
    return [texts[name] for name in names]


def _object_array(texts: list[str], shape: tuple[int, ...]) -> NDArray:
    array = np.empty(len(texts), object)
    array[:] = texts
    return array.reshape(shape)
