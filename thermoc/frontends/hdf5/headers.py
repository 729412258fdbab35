"""Object headers: the list of messages that describes a group or a dataset (HDF5 format 3.0, IV.A)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from thermoc.frontends.hdf5.content import Hdf5Content

DATASPACE, LINK_INFO, DATATYPE, LINK, EXTERNAL, LAYOUT, FILTERS = 0x01, 0x02, 0x03, 0x06, 0x07, 0x08, 0x0B
CONTINUATION, SYMBOL_TABLE = 0x10, 0x11
SHARED = 0x02


@dataclass(frozen=True)
class Message:
    """A header message: what it is, and where its bytes lie."""

    kind: int
    at: int
    size: int


def messages(content: Hdf5Content, at: int) -> dict[int, list[Message]]:
    """Return an object's messages by kind. Errors: T502, T504, T507 (a message shared with another object)."""
    content.claim(at)
    new = content.take(at, 4) == b"OHDR"
    blocks = [_first_new(content, at) if new else _first_old(content, at)]
    # Where the order of creation is tracked, each message has two bytes more.
    order = bool(new and content.number(at + 5, 1) & 0x04)
    by_kind: dict[int, list[Message]] = {}
    count = 0
    while blocks:
        for message in _block(content, *blocks.pop(0), new=new, order=order):
            count += 1
            # Blocks may continue in ever further blocks: the count ends it.
            if count > content.limits.messages:
                raise content.damaged(f"the object at {at} has more than {content.limits.messages} messages")
            if message.kind == CONTINUATION:
                blocks.append(_continued(content, message, new=new))
            by_kind.setdefault(message.kind, []).append(message)
    return by_kind


def _first_old(content: Hdf5Content, at: int) -> tuple[int, int]:
    if content.number(at, 1) != 1:
        raise content.damaged(f"there is no object at {at}")
    # The head of version 1 has 12 bytes and is padded, for messages lie at multiples of 8.
    return at + 16, content.number(at + 8, 4)


def _first_new(content: Hdf5Content, at: int) -> tuple[int, int]:
    if content.number(at + 4, 1) != 2:
        raise content.damaged(f"there is no object at {at}")
    flags = content.number(at + 5, 1)
    # Bit 5: four times of 4 bytes; bit 4: two limits of attributes of 2 bytes; bits 0 and 1: the width of the size.
    start = at + 6 + 16 * bool(flags & 0x20) + 4 * bool(flags & 0x10)
    width = 1 << (flags & 3)
    return start + width, content.number(start, width)


def _continued(content: Hdf5Content, message: Message, *, new: bool) -> tuple[int, int]:
    if message.size < 16:
        raise content.damaged(f"a continuation at {message.at} is cut short")
    at, size = content.number(message.at), content.number(message.at + 8)
    content.claim(at)
    if not new:
        return at, size
    content.expect(at, b"OCHK")
    # Between the signature and the checksum, of 4 bytes each.
    return at + 4, size - 8


def _block(content: Hdf5Content, at: int, size: int, *, new: bool, order: bool) -> Iterator[Message]:
    # A block that reaches beyond the file fails here, before its messages are walked.
    content.take(at, size)
    stop, head = at + size, (4 + 2 * order) if new else 8
    while at + head <= stop:
        kind = content.number(at, 1 if new else 2)
        length = content.number(at + (1 if new else 2), 2)
        flags = content.number(at + (3 if new else 4), 1)
        if at + head + length > stop:
            raise content.damaged(f"the message at {at} is longer than its block")
        # A shared message holds an address where its content would be, and would be read as that content.
        if flags & SHARED and kind in (DATASPACE, DATATYPE, FILTERS, LINK):
            raise content.refused("a message shared between objects (a committed datatype)")
        yield Message(kind, at + head, length)
        at += head + length
