"""Arrays in NumPy's files, .npz and .npy: read without pickle and within limits, written as the same bytes."""

from __future__ import annotations

import io
import math
import os
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

import numpy as np

from thermoc.support.array_types import AnyArray
from thermoc.support.errors import error
from thermoc.support.limits import MEMBERS, MIB, MODEL_BYTES, NAME_LENGTH, inflated, shape_problem
from thermoc.support.loading import cut, damaged, read_bytes, reading, shown

NPZ, NPY = "a .npz file of arrays", "a .npy file"
_MAGIC = b"\x93NUMPY"
# NumPy reads the head as a Python literal; here the three fields of the format are matched, each of bounded length.
_ENTRY = re.compile(rb"\s*'(descr|fortran_order|shape)'\s*:\s*('[^']{1,40}'|True|False|\([\d,\sL]{0,400}\))\s*,?")
_NUMBERS = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248]|c8|c16)")
# The first date of the zip format: with the time of writing, equal arrays would be unequal bytes.
_FIXED_DATE = (1980, 1, 1, 0, 0, 0)
_PIECE = MIB
_END, _END64 = b"PK\x05\x06", b"PK\x06\x06"


def read_npz(path: str | os.PathLike[str]) -> dict[str, AnyArray]:
    """Return the arrays of a .npz file by name.

    What it unpacks to is bounded before it is unpacked (``limits.inflated``). Errors: T501, T502 (not such a file),
    T504 (beyond a limit), T507 (objects, which would have to be unpickled; encryption; other compressions).
    """
    return parse_npz(read_bytes(path, most=MODEL_BYTES), path)


def parse_npz(data: bytes, source: object) -> dict[str, AnyArray]:
    """Return the arrays in the bytes of a .npz file. Errors: T502, T504, T507."""
    if data.startswith(_MAGIC):
        fact = "it is a .npy file: a single array, not named ones"
        raise error("T502", f"{shown(source)} is not {NPZ}", notes=[fact], hint="numpy.savez(path, name=array)")
    if not data.startswith(b"PK"):
        fact = "it does not begin as a zip archive does"
        raise error("T502", f"{shown(source)} is not {NPZ}", notes=[fact], hint="numpy.savez(path, name=array)")
    # zipfile reads a whole directory as it opens an archive, so its size is checked before.
    _check_directory(data, source)
    with reading(source, NPZ):
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                return _members(archive, source, inflated(len(data)))
        # What zipfile raises for methods of compression that it lacks, and for encryption.
        except (NotImplementedError, RuntimeError) as reason:
            what = f"{shown(source)} is packed in a way that is refused"
            raise error("T507", what, notes=[cut(str(reason))], hint="save it with numpy.savez") from None


def read_npy(path: str | os.PathLike[str]) -> AnyArray:
    """Return the array of a .npy file. Errors: T501, T502 (not such a file), T504 (beyond a limit), T507 (objects)."""
    return _parse_npy(read_bytes(path, most=MODEL_BYTES), path)


def _parse_npy(data: bytes, source: object) -> AnyArray:
    with reading(source, NPY):
        stream = io.BytesIO(data)
        return _array(stream, _described(stream, source, NPY), len(data) - stream.tell(), source, NPY)


def read_arrays(path: str | os.PathLike[str]) -> dict[str, AnyArray] | AnyArray:
    """Return the arrays of a .npz file by name, or the one of a .npy file. Errors: those of either reader."""
    data = read_bytes(path, most=MODEL_BYTES)
    return _parse_npy(data, path) if data.startswith(_MAGIC) else parse_npz(data, path)


def npz_bytes(arrays: Mapping[str, AnyArray], *, compress: bool = False) -> bytes:
    """Return the content of a .npz file: the same arrays by the same names give the same bytes.

    Any name may be used (``numpy.savez`` takes some for its own arguments).
    Errors: T505 for two names that NumPy cannot tell apart (``x`` and ``x.npy``).
    """
    buffer = io.BytesIO()
    write_npz(buffer, arrays, compress=compress)
    return buffer.getvalue()


def write_npz(stream: IO[bytes], arrays: Mapping[str, AnyArray], *, compress: bool = False) -> None:
    """Write into a stream what ``npz_bytes`` returns, without a second copy of it in memory. Errors: T505."""
    for name in arrays:
        if f"{name}.npy" in arrays:
            notes = [f"NumPy takes {name + '.npy'!r} for the entry of {name!r}"]
            raise error("T505", f"{name!r} and '{name}.npy' cannot stand in one .npz", notes=notes, hint="rename one")
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, array in sorted(arrays.items()):
            entry = zipfile.ZipInfo(f"{name}.npy", _FIXED_DATE)
            entry.compress_type = method
            # zipfile has to be told beforehand that an entry may exceed 2 GiB.
            with archive.open(entry, "w", force_zip64=True) as member:
                plain = np.asanyarray(array)
                np.lib.format.write_array(member, plain, allow_pickle=False)  # pyright: ignore[reportUnknownMemberType]


@dataclass(frozen=True)
class _Description:
    """What the head of a .npy file says of its array."""

    dtype: np.dtype
    fortran: bool
    shape: tuple[int, ...]


def _check_directory(data: bytes, source: object) -> None:
    """Refuse an archive whose directory is larger than that of ``MEMBERS`` arrays, before all of it is read."""
    end = len(data) - 22
    if not (data[end : end + 4] == _END and data.endswith(b"\0\0")):  # a comment follows it
        end = max(data.rfind(_END, max(len(data) - 2**16 - 22, 0)), 0)
    size, before = int.from_bytes(data[end + 12 : end + 16], "little"), end - 76
    # The zip64 record (56 bytes) and its locator (20) stand before the end record.
    large = before >= 0 and data[before : before + 4] == _END64
    size64 = int.from_bytes(data[before + 40 : before + 48], "little") if large else 0
    # All bits set refers to the zip64 record (APPNOTE 4.4.1.4).
    limit = max(size if size < 2**32 - 1 else 0, size64)
    # An entry of the directory has 46 bytes, then its name and extra fields.
    if limit > MEMBERS * 100:
        raise error("T504", f"{shown(source)} holds too many arrays", notes=[f"the limit is {MEMBERS}"])


def _members(archive: zipfile.ZipFile, source: object, most: int) -> dict[str, AnyArray]:
    members = archive.infolist()
    if len(members) > MEMBERS:
        raise error("T504", f"{shown(source)} holds {len(members)} arrays", notes=[f"the limit is {MEMBERS}"])
    # The directory's word; a member that unpacks to more than its own entry says is refused when it is read.
    total = sum(member.file_size for member in members)
    if total > most:
        notes = [f"it unpacks to {total / MIB:,.0f} MiB", f"the limit for a file of its size is {most / MIB:,.0f} MiB"]
        hint = "if it is yours, save it without compression: numpy.savez"
        raise error("T504", f"{shown(source)} asks for too much", notes=notes, hint=hint)
    arrays: dict[str, AnyArray] = {}
    for member in members:
        name = member.filename.removesuffix(".npy")
        if name in arrays or not 0 < len(name) <= NAME_LENGTH:
            raise damaged(source, NPZ, f"the name {cut(name, 80)!r} stands twice, or is none")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise NotImplementedError(f"array {cut(name, 80)!r} has compression method {member.compress_type}")
        arrays[name] = _member(archive, member, source, name)
    return arrays


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, source: object, name: str) -> AnyArray:
    label = f"{shown(source)}: array {cut(name, 80)!r}"
    try:
        with archive.open(member) as stream:
            described = _described(stream, label, NPY)
            return _array(stream, described, member.file_size - stream.tell(), label, NPY)
    except (zipfile.BadZipFile, zlib.error, EOFError) as reason:
        raise damaged(label, NPY, str(reason) or "it ends early") from None


def _described(stream: IO[bytes], source: object, format: str) -> _Description:
    """Return what a .npy file says of its array. The text is matched, never evaluated."""
    head = stream.read(8)
    if head[:6] != _MAGIC or len(head) < 8 or head[6] not in (1, 2, 3):
        raise damaged(source, format, "its magic is not that of NumPy's arrays")
    length = int.from_bytes(stream.read(2 if head[6] == 1 else 4), "little")
    # Versions 2 and 3 of the format have room for heads of 4 GiB.
    if length > 2**16:
        raise damaged(source, format, f"its head has {length} bytes")
    text = stream.read(length).strip()
    fields = dict(_ENTRY.findall(text[1:-1]))
    if not (text[:1] == b"{" and text[-1:] == b"}" and set(fields) == {b"descr", b"fortran_order", b"shape"}):
        if b"descr" in text and b"[(" in text:
            raise error("T507", f"{shown(source)} holds records", hint="save each field as an array of its own")
        raise damaged(source, format, "its head does not describe an array")
    descr = fields[b"descr"].decode("ascii", "replace").strip("'")
    if not _NUMBERS.fullmatch(descr):
        what = f"{shown(source)} holds elements of type {descr!r}, which are no numbers"
        raise error("T507", what, hint="objects are never unpickled: save numbers or booleans")
    shape = tuple(int(field.strip(b" L\n\t\r")) for field in fields[b"shape"].strip(b"()").split(b",") if field.strip())
    if problem := shape_problem(shape):
        raise error("T504", f"{shown(source)} is too large", notes=[problem])
    return _Description(np.dtype(descr), fields[b"fortran_order"] == b"True", shape)


def _array(stream: IO[bytes], described: _Description, left: int, source: object, format: str) -> AnyArray:
    """Return the array that follows, in the machine's byte order; ``left``: the bytes that are there for it."""
    need = math.prod(described.shape) * described.dtype.itemsize
    # Before anything is allocated, for the shape is the file's word alone.
    if need != left:
        raise damaged(source, format, f"its array takes {need} bytes, {left} are there")
    content = np.empty(need, np.uint8)
    filled = 0
    # In pieces, so that an array is never in memory twice.
    while chunk := stream.read(min(_PIECE, need - filled)):
        content[filled : filled + len(chunk)] = np.frombuffer(chunk, np.uint8)
        filled += len(chunk)
    if filled != need or stream.read(1):
        raise damaged(source, format, f"its array takes {need} bytes, {filled} could be read")
    array = content.view(described.dtype).reshape(described.shape, order="F" if described.fortran else "C")
    return array.astype(described.dtype.newbyteorder("="), copy=False)
