"""Texts of variable length: they lie in the file's global heap (HDF5 format 3.0, III.E)."""

from __future__ import annotations

from thermoc.frontends.hdf5.content import Hdf5Content


def pooled(content: Hdf5Content, name: bytes) -> str:
    """Return a text from the heap; name: its length (4 bytes), its collection's place (8), its number there (4).

    Errors: T502, T504.
    """
    length, at, number = (int.from_bytes(name[a:b], "little") for a, b in ((0, 4), (4, 12), (12, 16)))
    # An empty text has no object in any heap, and its address means nothing.
    if length == 0:
        return ""
    # One collection holds many texts: its list of objects is read once.
    if at not in content.heaps:
        content.heaps[at] = _collection(content, at)
    address, size = content.heaps[at].get(number, (0, -1))
    if length > size:
        raise content.damaged(f"a text of {length} bytes stands for object {number} of the heap at {at}")
    content.spend("texts", length)
    return decoded(content, content.take(address, length))


def _collection(content: Hdf5Content, at: int) -> dict[int, tuple[int, int]]:
    """Return (place, size) of a collection's objects by number."""
    content.expect(at, b"GCOL")
    stop, address = at + content.number(at + 8), at + 16
    objects: dict[int, tuple[int, int]] = {}
    # Object 0 is the free space at a collection's end.
    while address + 16 <= stop and (number := content.number(address, 2)):
        content.spend("objects", 1)
        size = content.number(address + 8)
        objects[number] = address + 16, size
        # Objects are padded to 8 bytes.
        address += 16 + -(-size // 8) * 8
    return objects


def decoded(content: Hdf5Content, raw: bytes) -> str:
    """Return bytes as text, up to a zero. Errors: T502."""
    try:
        # Texts of fixed length are ended or padded by zeros.
        return raw.split(b"\0")[0].decode()
    except UnicodeDecodeError:
        raise content.damaged("a text is not UTF-8") from None
