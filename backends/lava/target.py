"""What Lava holds."""

from __future__ import annotations

from thermoc.ir.dialects import core, loihi
from thermoc.ir.ops import REGISTRY
from thermoc.ir.places import MOVES
from thermoc.ir.target import TargetDescription

TARGET = TargetDescription(
    name="lava",
    summary="Loihi 2 through Lava: integers, a package that runs by itself",
    ops=frozenset(name for name in REGISTRY if not name.startswith("crossbar.")),
)
"""Ops that are not the chip's are held by the host, before the chip or after it."""
CHIP = frozenset(cls.opname for cls in (*MOVES, core.Concat)) | {n for n in REGISTRY if n.startswith("loihi.")}
assert loihi
