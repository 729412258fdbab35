"""The bytes of a file, with every access checked against its end, and what reading them may cost at most."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from thermoc.support.errors import ThermocError, error
from thermoc.support.limits import MIB, MODEL_BYTES, inflated
from thermoc.support.loading import read_bytes, shown

# An address that is not there has all its bits set.
UNDEFINED = 2**64 - 1


_SHARE = {"arrays": 1, "unpacked": 2}
"""Chunks at the rim reach beyond their array, so that they unpack to more than it holds."""


@dataclass(frozen=True, kw_only=True)
class ReadingLimits:
    """What a file may ask for. Sizes in bytes; arrays: of all together, by default what ``limits.inflated`` allows."""

    file: int = MODEL_BYTES
    arrays: int | None = None
    unpacked: int | None = None
    texts: int = 16 * MIB
    objects: int = 1_000_000
    messages: int = 256
    depth: int = 32
    rank: int = 8


@dataclass(kw_only=True)
class Hdf5Content:
    """A file's bytes and what was read of them so far."""

    source: str
    data: bytes
    limits: ReadingLimits
    claimed: set[int] = field(default_factory=set)
    spent: dict[str, int] = field(default_factory=dict)
    heaps: dict[int, dict[int, tuple[int, int]]] = field(default_factory=dict)

    def take(self, at: int, length: int) -> bytes:
        """Return ``length`` bytes at ``at``. Errors: T502 beyond the end."""
        self.check(at, length)
        return self.data[at : at + length]

    def check(self, at: int, length: int) -> None:
        """Refuse a place that does not lie within the file. Errors: T502."""
        # A slice alone would not fail: Python cuts it short, and numbers would be read from fewer bytes.
        if at < 0 or length < 0 or at + length > len(self.data):
            raise self.damaged(f"{length} bytes at {at} lie outside the file of {len(self.data)}")

    def number(self, at: int, size: int = 8) -> int:
        """Return an unsigned little-endian number of ``size`` bytes."""
        return int.from_bytes(self.take(at, size), "little")

    def expect(self, at: int, signature: bytes) -> None:
        """Check a signature. Errors: T502."""
        present = self.take(at, len(signature))
        if present != signature:
            raise self.damaged(f"{signature!r} is missing at {at}: there is {present!r}")

    def claim(self, at: int) -> None:
        """Note that a structure is read; each may be read once, so there are no cycles. Errors: T502, T504."""
        if at in self.claimed:
            raise self.damaged(f"the structure at {at} is reached twice: a cycle, or a second hard link")
        self.claimed.add(at)
        self.spend("objects", 1)

    def spend(self, what: str, amount: int) -> None:
        """Count towards a limit before anything is allocated. Errors: T504."""
        total, limit = self.spent.get(what, 0) + amount, getattr(self.limits, what)
        # The bound follows the file's own size: deflate packs 1000 to 1, enough for a bomb.
        limit = inflated(len(self.data)) * _SHARE[what] if limit is None else limit
        if total > limit:
            unit = "" if what == "objects" else " bytes"
            notes = [f"{total}{unit} of {what} are asked for", f"the limit is {limit}{unit}"]
            raise error("T504", f"{self.source} asks for too much", notes=notes)
        self.spent[what] = total

    def damaged(self, fact: str) -> ThermocError:
        """Return the error of a file whose parts do not fit."""
        return error("T502", f"{self.source} is damaged", notes=[fact], hint="save or download it again")

    def refused(self, what: str, hint: str = "save it again with h5py's defaults") -> ThermocError:
        """Return the error of a feature that is never read."""
        return error("T507", f"{self.source} uses {what}, which is refused", hint=hint)


def open_content(path: str | os.PathLike[str], limits: ReadingLimits) -> Hdf5Content:
    """Return a file's bytes. Errors: T501, T504."""
    return Hdf5Content(source=shown(Path(path)), data=read_bytes(path, most=limits.file), limits=limits)
