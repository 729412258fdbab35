"""Files opened with suspicion and written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.support.errors import error

MAX_HEADER = 256 * 2**20
MAX_TENSOR = 2**40
_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "I64": "<i8",
    "I32": "<i4",
    "U64": "<u8",
    "U32": "<u4",
    "U8": "|u1",
    "BOOL": "|b1",
}


def cache_root() -> Path:
    """Return the folder that holds caches: $THERMOC_CACHE, else the platform's place for them."""
    named = os.environ.get("THERMOC_CACHE")
    if named:
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "thermoc"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "thermoc"


def write_atomic(path: str | os.PathLike[str], data: bytes) -> None:
    """Write ``data`` so that ``path`` holds either the old content or all of the new (temporary file, fsync, rename).

    A device or a pipe (``/dev/null``) is written into, never replaced. Errors: T505 where the folder is missing or
    cannot be written.
    """
    target = Path(path)
    if _is_special(target):
        _write_into(target, data)
        return
    handle, name = _beside(target)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, target)
    except BaseException as reason:
        with suppress(OSError):
            os.unlink(name)
        if isinstance(reason, OSError):
            raise _unwritable(target, reason) from None
        raise


def can_write(path: str | os.PathLike[str]) -> None:
    """Refuse, before work is done, a path that could not be written after it; nothing is left there. Errors: T505."""
    if _is_special(Path(path)):
        return
    handle, name = _beside(Path(path))
    os.close(handle)
    os.unlink(name)


def _is_special(target: Path) -> bool:
    """Tell whether something stands there that is neither a file nor a folder: a device, a pipe."""
    return target.exists() and not target.is_file() and not target.is_dir()


def _write_into(target: Path, data: bytes) -> None:
    try:
        with open(target, "wb") as stream:
            stream.write(data)
    except OSError as reason:
        raise _unwritable(target, reason) from None


def _beside(target: Path) -> tuple[int, str]:
    """Return an open temporary file in the target's folder, and its name. Errors: T505."""
    if target.is_dir():
        raise error("T505", f"{target} cannot be written", notes=["it is a folder"], hint="name a file in it")
    try:
        return tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as reason:
        raise _unwritable(target, reason) from None


def make_folder(path: Path) -> None:
    """Make a folder and those above it, where they are not there. Errors: T505."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as reason:
        raise _unwritable(path, reason) from None


def _unwritable(path: Path, reason: OSError):
    hint = "create the folder first, or choose another path"
    return error("T505", f"{path} cannot be written", notes=[str(reason.strerror or reason)], hint=hint)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What a safetensors file of ours holds: named arrays (mapped read-only) and a JSON document."""

    document: dict[str, Any]
    arrays: Mapping[str, NDArray]


def bundle_bytes(*, kind: str, version: int, document: Any, arrays: Mapping[str, NDArray]) -> bytes:
    """Return arrays and a JSON document as the content of one safetensors file.

    The metadata carries ``kind``, ``version`` and a SHA-256 over the document and every array, so that a flipped bit
    anywhere is noticed.
    """
    from safetensors.numpy import save

    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    whole = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    metadata = {"kind": kind, "version": str(version), "document": text, "sha256": _digest(kind, text, whole)}
    return save(whole, metadata=metadata)


def read_bundle(path: str | os.PathLike[str], *, kind: str, version: int) -> Bundle:
    """Read a file of ``write_bundle``, checking every size before anything is allocated.

    Errors: T501 (missing or unreadable), T502 (truncated, altered or not such a file), T503 (a newer version),
    T504 (sizes beyond the limits).
    """
    source = Path(path)
    header, start, size = _read_header(source)
    metadata = header.pop("__metadata__", None)
    if not isinstance(metadata, dict) or metadata.get("kind") != kind:
        found = metadata.get("kind") if isinstance(metadata, dict) else None
        raise error("T502", f"{source} is not a {kind} file", notes=[f"its metadata names the kind {found!r}"])
    _check_version(source, metadata.get("version"), version)
    content = np.asarray(np.memmap(source, np.uint8, "r", start)) if size > start else np.empty(0, np.uint8)
    arrays = {name: _view(source, name, entry, content) for name, entry in header.items()}
    text = metadata.get("document")
    if not isinstance(text, str) or metadata.get("sha256") != _digest(kind, text, arrays):
        raise _damaged(source, "the SHA-256 of its content is not the one it records")
    try:
        return Bundle(document=json.loads(text), arrays=arrays)
    except ValueError as reason:
        raise _damaged(source, f"its document is not JSON: {reason}") from None


def _read_header(source: Path) -> tuple[dict[str, Any], int, int]:
    try:
        size = source.stat().st_size
        with open(source, "rb") as stream:
            length = int.from_bytes(stream.read(8), "little") if size >= 8 else -1
            if length < 0 or length > size - 8:
                raise _damaged(source, f"its header declares {length} bytes, the file holds {size}")
            if length > MAX_HEADER:
                raise error("T504", f"{source}: header of {length} bytes", notes=[f"the limit is {MAX_HEADER} bytes"])
            raw = stream.read(length)
    except OSError as reason:
        raise error(
            "T501", f"{source} cannot be read", notes=[str(reason.strerror or reason)], hint="check the path"
        ) from None
    try:
        header = json.loads(raw)
    except (ValueError, RecursionError) as reason:
        raise _damaged(source, f"its header is not JSON: {reason}") from None
    if not isinstance(header, dict):
        raise _damaged(source, "its header is not a JSON object")
    return header, 8 + length, size


def _check_version(source: Path, found: object, known: int) -> None:
    if not isinstance(found, str) or not found.isdecimal():
        raise _damaged(source, f"its version is {found!r}")
    if int(found) > known:
        raise error(
            "T503",
            f"{source} was written by a newer thermoc",
            notes=[f"its format version is {found}", f"this thermoc reads up to version {known}"],
            hint="upgrade: pip install --upgrade thermoc",
        )


def _view(source: Path, name: str, entry: Any, content: NDArray[np.uint8]) -> NDArray:
    try:
        dtype = np.dtype(_DTYPES[entry["dtype"]])
        shape = tuple(entry["shape"])
        first, last = entry["data_offsets"]
        if not all(type(number) is int and number >= 0 for number in (*shape, first, last)):
            raise ValueError("negative or fractional sizes")
    except (KeyError, TypeError, ValueError) as reason:
        raise _damaged(source, f"tensor {name!r} is not described as one: {reason}") from None
    need = math.prod(shape) * dtype.itemsize
    if need > MAX_TENSOR:
        raise error(
            "T504", f"{source}: tensor {name!r} declares {need} bytes", notes=[f"the limit is {MAX_TENSOR} bytes"]
        )
    if last - first != need or last > len(content):
        raise _damaged(source, f"tensor {name!r} declares {need} bytes at {first}, the file has {len(content)} in all")
    return content[first:last].view(dtype).reshape(shape)


def _damaged(source: Path, fact: str):
    return error("T502", f"{source} is damaged or not of this kind", notes=[fact], hint="save or download it again")


def _digest(kind: str, text: str, arrays: Mapping[str, NDArray]) -> str:
    digest = hashlib.sha256(f"{kind}\n{text}\n".encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.reshape(-1).view(np.uint8).data if array.size else b"")
    return digest.hexdigest()
