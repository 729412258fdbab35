"""Dialects that other packages bring (docs/plugins.md): each may name ops of its own dialect alone."""

from __future__ import annotations

from thermoc.ir.ops import REGISTRY
from thermoc.support.announced import OPS, announced, loaded, refuse


def register_announced() -> None:
    """Register the ops of every dialect that is announced; what names ops of another is left out."""
    ours = {name.partition(".")[0] for name in REGISTRY}
    for point in announced(OPS):
        if point.name in ours:
            refuse(point, f"the dialect {point.name!r} is thermoc's own")
    before = set(REGISTRY)
    for point, _ in loaded(OPS):
        new = [name for name in REGISTRY if name not in before]
        strange = [name for name in new if name.partition(".")[0] != point.name or point.name in ours]
        for name in strange:
            del REGISTRY[name]
        if strange and point.name not in ours:
            refuse(point, f"{', '.join(strange)} are of another dialect than {point.name!r}")
        before = set(REGISTRY)
