"""Our own files: one safetensors file that holds named arrays and a JSON document; equal ones are equal bytes."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from thermoc.support.array_types import AnyArray
from thermoc.support.errors import ThermocError, error
from thermoc.support.json_text import as_object, parse_json
from thermoc.support.limits import JSON_BYTES, MEMBERS, MODEL_BYTES, shape_problem
from thermoc.support.loading import damaged, read_bytes, shown

_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "I64": "<i8",
    "I32": "<i4",
    "U64": "<u8",
    "U32": "<u4",
    "I16": "<i2",
    "U16": "<u2",
    "I8": "|i1",
    "U8": "|u1",
    "BOOL": "|b1",
}
_NAMES = {np.dtype(code): name for name, code in _DTYPES.items()}
_ALIGNMENT = 8


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What such a file holds: named arrays (read-only, in memory) and a JSON document. version: of its format."""

    version: int
    document: Any
    arrays: Mapping[str, AnyArray]


def bundle_bytes(*, kind: str, version: int, document: Any, arrays: Mapping[str, AnyArray]) -> bytes:
    """Return arrays and a JSON document as the content of one safetensors file: equal ones give equal bytes.

    The metadata carries ``kind``, ``version`` and a SHA-256 over the document and every array, so that a flipped bit
    anywhere is noticed.
    """
    plain, metadata = _prepared(kind, version, document, arrays)
    return safetensors_bytes(plain, metadata)


def write_bundle(stream: IO[bytes], *, kind: str, version: int, document: Any, arrays: Mapping[str, AnyArray]) -> None:
    """Write into a stream what ``bundle_bytes`` returns, without a second copy of it in memory."""
    plain, metadata = _prepared(kind, version, document, arrays)
    head, order = _safetensors_head(plain, metadata)
    stream.write(head)
    for name in order:
        stream.write(_bytes_of(plain[name]))


def safetensors_bytes(arrays: Mapping[str, AnyArray], metadata: Mapping[str, str]) -> bytes:
    """Return the content of a safetensors file, in one order: widest elements first, then by name, keys sorted.

    The package of that name writes its metadata in the order of a hash that changes from call to call.
    """
    head, order = _safetensors_head(arrays, metadata)
    return b"".join([head, *(arrays[name].tobytes() for name in order)])


def _prepared(
    kind: str, version: int, document: Any, arrays: Mapping[str, AnyArray]
) -> tuple[dict[str, AnyArray], dict[str, str]]:
    """Return the arrays as they are stored, and the metadata with its SHA-256."""
    # NaN and infinities are no JSON: our own reader would refuse them.
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    plain = {name: _little_endian(array) for name, array in arrays.items()}
    return plain, {"kind": kind, "version": str(version), "document": text, "sha256": digest(kind, text, plain)}


def _safetensors_head(arrays: Mapping[str, AnyArray], metadata: Mapping[str, str]) -> tuple[bytes, list[str]]:
    """Return what stands before the arrays, and their order."""
    header: dict[str, Any] = {"__metadata__": dict(sorted(metadata.items()))}
    # Widest first, so that every array is aligned without gaps, which the format forbids.
    order = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    offset = 0
    for name in order:
        first, offset = offset, offset + arrays[name].nbytes
        shape = list(arrays[name].shape)
        header[name] = {"dtype": _NAMES[arrays[name].dtype], "shape": shape, "data_offsets": [first, offset]}
    text = json.dumps(header, separators=(",", ":")).encode()
    # The format allows spaces behind the header; arrays then begin at a multiple of 8 and are viewed in place.
    text += b" " * (-len(text) % _ALIGNMENT)
    return len(text).to_bytes(8, "little") + text, order


def read_bundle(path: str | os.PathLike[str], *, kind: str, version: int, most: int = MODEL_BYTES) -> Bundle:
    """Read a file of ``bundle_bytes`` into memory, checking every size before anything is allocated.

    Errors: T501 (missing or unreadable), T502 (truncated, altered or not such a file), T503 (a newer version),
    T504 (sizes beyond the limits).
    """
    return parse_bundle(read_bytes(path, most=most), Path(path), kind=kind, version=version)


def parse_bundle(data: bytes, source: object, *, kind: str, version: int) -> Bundle:
    """Return what the bytes of such a file hold. Errors: T502 to T504."""
    header, start = _header(data, source, kind)
    metadata = as_object(header.pop("__metadata__", None)) or {}
    if metadata.get("kind") != kind:
        notes = [f"its metadata names the kind {metadata.get('kind')!r}"]
        raise error("T502", f"{shown(source)} is not a {kind} file", notes=notes)
    stated = _version(source, kind, metadata.get("version"), version)
    arrays = _arrays(header, np.frombuffer(data, np.uint8, offset=start), source, kind)
    text = metadata.get("document")
    if not isinstance(text, str) or metadata.get("sha256") != digest(kind, text, arrays):
        raise damaged(source, f"a {kind}", "the SHA-256 of its content is not the one it records")
    return Bundle(version=stated, document=parse_json(text.encode(), source, f"a {kind}"), arrays=arrays)


def digest(kind: str, text: str, arrays: Mapping[str, AnyArray]) -> str:
    """Return the SHA-256 of a document and arrays."""
    total = hashlib.sha256(f"{kind}\n{text}\n".encode())
    for name in sorted(arrays):
        array = arrays[name]
        # The same bytes under another name, dtype or shape are another array.
        total.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        total.update(_bytes_of(array))
    return total.hexdigest()


def _bytes_of(array: AnyArray) -> memoryview:
    return array.reshape(-1).view(np.uint8).data if array.size else memoryview(b"")


def _little_endian(array: AnyArray) -> AnyArray:
    plain = np.asarray(array, order="C")
    return plain.astype(plain.dtype.newbyteorder("<"), copy=False)


def _header(data: bytes, source: object, kind: str) -> tuple[dict[str, Any], int]:
    """Return the header and where the arrays begin."""
    length = int.from_bytes(data[:8], "little") if len(data) >= 8 else -1
    if length < 0 or length > len(data) - 8:
        raise damaged(source, f"a {kind}", f"its header declares {length} bytes, the file holds {len(data)}")
    if length > JSON_BYTES:
        notes = [f"the limit is {JSON_BYTES} bytes"]
        raise error("T504", f"{shown(source)}: header of {length} bytes", notes=notes)
    header = as_object(parse_json(data[8 : 8 + length], source, f"a {kind}"))
    if header is None:
        raise damaged(source, f"a {kind}", "its header is not a JSON object")
    return header, 8 + length


def _version(source: object, kind: str, stated: Any, known: int) -> int:
    """Return the version that a file states. Errors: T502, T503."""
    # int() also takes signs, spaces, underscores and digits of other scripts.
    number = isinstance(stated, str) and stated.isascii() and stated.isdecimal() and len(stated) < 10
    if not (number and int(stated) > 0):
        raise damaged(source, f"a {kind}", f"its version is {stated!r}")
    if int(stated) > known:
        raise error(
            "T503",
            f"{shown(source)} was written by a newer thermoc",
            notes=[f"its format version is {stated}", f"this thermoc reads up to version {known}"],
            hint="upgrade: pip install --upgrade thermoc",
        )
    return int(stated)


def _arrays(header: Mapping[str, Any], content: NDArray[np.uint8], source: object, kind: str) -> dict[str, AnyArray]:
    """Return every array of a header. No byte may belong to two, so that none costs more than the file."""
    if len(header) > MEMBERS:
        raise error("T504", f"{shown(source)} holds {len(header)} arrays", notes=[f"the limit is {MEMBERS}"])
    arrays = {name: _view(source, kind, name, entry, content) for name, entry in header.items()}
    total = sum(array.nbytes for array in arrays.values())
    if total > len(content):
        raise damaged(source, f"a {kind}", f"its arrays ask for {total} bytes, it holds {len(content)}")
    return arrays


def _view(source: object, kind: str, name: str, entry: Any, content: NDArray[np.uint8]) -> AnyArray:
    try:
        dtype = np.dtype(_DTYPES[entry["dtype"]])
        shape = tuple(entry["shape"])
        first, last = entry["data_offsets"]
        # JSON's true is an int in Python, and is no length.
        if not all(type(number) is int and number >= 0 for number in (*shape, first, last)):
            raise ValueError("negative or fractional sizes")
    except (KeyError, TypeError, ValueError) as reason:
        raise damaged(source, f"a {kind}", f"tensor {name!r} is not described as one: {reason}") from None
    # By itself, for one axis of length 0 makes the number of bytes 0, whatever the others are.
    if problem := shape_problem(shape):
        raise _oversized(source, name, problem)
    need = math.prod(shape) * dtype.itemsize
    if last - first != need or last > len(content):
        fact = f"tensor {name!r} declares {need} bytes at {first}, the file has {len(content)} in all"
        raise damaged(source, f"a {kind}", fact)
    # Other writers may put a tensor at any byte: an unaligned one is copied.
    return np.require(content[first:last].view(dtype).reshape(shape), requirements="A")


def _oversized(source: object, name: str, problem: str) -> ThermocError:
    return error("T504", f"{shown(source)}: tensor {name!r} is too large", notes=[problem])
