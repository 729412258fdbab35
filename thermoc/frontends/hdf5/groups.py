"""The members of a group: symbol tables and compact links (HDF5 format 3.0, III and IV.A.2)."""

from __future__ import annotations

from collections.abc import Iterator

from thermoc.frontends.hdf5.content import UNDEFINED, Hdf5Content
from thermoc.frontends.hdf5.headers import LINK, LINK_INFO, SYMBOL_TABLE, Message
from thermoc.support.limits import NAME_LENGTH

SOFT_ENTRY = 2
HARD, SOFT, OUTSIDE = 0, 1, 64


def members(content: Hdf5Content, header: dict[int, list[Message]]) -> dict[str, int]:
    """Return where each member's header lies, by name. Errors: T502, T504, T507 for links that are not hard."""
    headers: dict[str, int] = {}
    for name, at in _entries(content, header):
        content.spend("texts", len(name))
        try:
            text = name.decode()
        except UnicodeDecodeError:
            raise content.damaged(f"the name {name[:40]!r} is no text") from None
        # In a dictionary the later one would win silently, and another reader might take the first.
        if text in headers:
            raise content.damaged(f"the name {text[:40]!r} stands twice in a group")
        headers[text] = at
    return headers


def _entries(content: Hdf5Content, header: dict[int, list[Message]]) -> Iterator[tuple[bytes, int]]:
    for message in header.get(SYMBOL_TABLE, ()):
        if message.size < 16:
            raise content.damaged(f"a symbol table at {message.at} is cut short")
        heap = _segment(content, content.number(message.at + 8))
        yield from _tree(content, content.number(message.at), heap, level=None)
    for message in header.get(LINK_INFO, ()):
        flags = content.number(message.at + 1, 1)
        # Flag bit 0: a creation index of 8 bytes comes before the address of the heap.
        if content.number(message.at + 2 + 8 * (flags & 1)) != UNDEFINED:
            raise content.refused("a dense group (a fractal heap)", hint="save it again with track_order=False")
    for message in header.get(LINK, ()):
        yield _link(content, message)


def _segment(content: Hdf5Content, at: int) -> range:
    """Return where the segment of a local heap lies, which holds a group's names."""
    content.expect(at, b"HEAP")
    start, size = content.number(at + 24), content.number(at + 8)
    content.check(start, size)
    return range(start, start + size)


def _tree(content: Hdf5Content, at: int, heap: range, level: int | None) -> Iterator[tuple[bytes, int]]:
    content.claim(at)
    content.expect(at, b"TREE")
    kind, depth, count = content.number(at + 4, 1), content.number(at + 5, 1), content.number(at + 6, 2)
    if kind != 0 or (level is not None and depth != level) or depth > 16:
        raise content.damaged(f"the node at {at} does not belong to its tree")
    for index in range(count):
        # Keys and children alternate behind a head of 24 bytes, a key first (HDF5 format 3.0, III.A.1).
        child = content.number(at + 24 + 8 + 16 * index)
        if depth:
            yield from _tree(content, child, heap, depth - 1)
        else:
            yield from _symbols(content, child, heap)


def _symbols(content: Hdf5Content, at: int, heap: range) -> Iterator[tuple[bytes, int]]:
    content.claim(at)
    content.expect(at, b"SNOD")
    for index in range(content.number(at + 6, 2)):
        entry = at + 8 + 40 * index
        start = heap.start + content.number(entry)
        # The search has an end: a name without a zero byte must not cost a scan of the file.
        stop = content.data.find(b"\0", start, min(heap.stop, start + NAME_LENGTH + 1))
        if start >= heap.stop or stop < 0:
            raise content.damaged(f"the name of the entry at {entry} lies outside its heap, or is too long")
        if content.number(entry + 16, 4) == SOFT_ENTRY:
            name = content.data[start:stop][:40]
            raise content.refused(f"a soft link ({name!r})", hint="copy what it points to")
        yield content.data[start:stop], content.number(entry + 8)


def _link(content: Hdf5Content, message: Message) -> tuple[bytes, int]:
    at, flags = message.at + 2, content.number(message.at + 1, 1)
    # A link without a type is hard; creation order (bit 2, 8 bytes) and character set (bit 4, 1 byte) may follow.
    kind = content.number(at, 1) if flags & 0x08 else HARD
    at += bool(flags & 0x08) + 8 * bool(flags & 0x04) + bool(flags & 0x10)
    width = 1 << (flags & 3)
    length = content.number(at, width)
    if at + width + length > message.at + message.size or length > NAME_LENGTH:
        raise content.damaged(f"the link at {message.at} is cut short, or its name is too long")
    name = content.take(at + width, length)
    # External links lead into other files of this machine; no link that is a path is ever followed.
    if kind != HARD:
        what = {SOFT: "a soft link", OUTSIDE: "an external link"}.get(kind, "a link of a foreign kind")
        raise content.refused(f"{what} ({name[:40]!r})", hint="copy what it points to")
    return name, content.number(at + width + length)
