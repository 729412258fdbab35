"""Texts of variable length: they lie in the file's global heap (HDF5 format 3.0, III.E)."""

from __future__ import annotations

from thermoc.frontends.hdf5.content import Content


def pooled(content: Content, name: bytes) -> str:
    """Return a text from the heap; name: its length (4 bytes), its collection's place (8), its number there (4).

    Errors: T502, T504.
    """
    length, at, number = (int.from_bytes(name[a:b], "little") for a, b in ((0, 4), (4, 12), (12, 16)))
    if length == 0:
        return ""
    if at not in content.heaps:
        content.heaps[at] = _collection(content, at)
    place, size = content.heaps[at].get(number, (0, -1))
    if length > size:
        raise content.damaged(f"a text of {length} bytes stands for object {number} of the heap at {at}")
    content.spend("texts", length)
    return decoded(content, content.take(place, length))


def _collection(content: Content, at: int) -> dict[int, tuple[int, int]]:
    """Return (place, size) of a collection's objects by number."""
    content.expect(at, b"GCOL")
    end, place = at + content.number(at + 8), at + 16
    found: dict[int, tuple[int, int]] = {}
    while place + 16 <= end and (number := content.number(place, 2)):
        content.spend("objects", 1)
        size = content.number(place + 8)
        found[number] = place + 16, size
        place += 16 + -(-size // 8) * 8
    return found


def decoded(content: Content, raw: bytes) -> str:
    """Return bytes as text, up to a zero. Errors: T502."""
    try:
        return raw.split(b"\0")[0].decode()
    except UnicodeDecodeError:
        raise content.damaged("a text is not UTF-8") from None
