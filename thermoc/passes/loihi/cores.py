"""Cores of a network: the pieces of populations on each, and how much of every limit they use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np

from thermoc.ir.target import Limit
from thermoc.passes.loihi.pieces import Piece
from thermoc.support.array_types import IntArray
from thermoc.support.tables import table


@dataclass(frozen=True, kw_only=True)
class Core:
    """One core's pieces. ``use`` tells (used, limit) of each limit."""

    pieces: tuple[Piece, ...]
    limits: Mapping[str, Limit]

    @property
    def use(self) -> dict[str, tuple[int, int]]:
        """(used, limit) by name. A unit that several pieces read comes by one axon."""
        used = {name: sum(getattr(piece, name) for piece in self.pieces) for name in self.limits}
        # Two pieces that read the same unit share its axon, so axons do not add up.
        used |= {"axons_in": sum(map(len, self.reads.values()))}
        return {name: (used[name], limit.value) for name, limit in self.limits.items()}

    @property
    def reads(self) -> dict[str, IntArray]:
        """Whom its units read: by the sender's name, its elements in rising order."""
        names = dict.fromkeys(name for piece in self.pieces for name in piece.reads)
        return {
            name: reduce(np.union1d, [piece.reads[name] for piece in self.pieces if name in piece.reads])
            for name in names
        }

    @property
    def fits(self) -> bool:
        """Whether no limit is exceeded."""
        return all(used <= limit for used, limit in self.use.values())


@dataclass(frozen=True, kw_only=True)
class Cores:
    """Every core of a network; prints as a table."""

    network: str
    cores: tuple[Core, ...]

    def __str__(self) -> str:
        rows: list[dict[str, object]] = []
        for number, core in enumerate(self.cores):
            use = {name: f"{used} / {limit}" for name, (used, limit) in core.use.items()}
            rows.append({"core": number, "holds": ", ".join(map(str, core.pieces)), **use})
        return table(f"{self.network}: {len(self.cores)} cores", rows)
