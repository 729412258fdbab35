"""What a shell offers where an option's value begins; each is looked for when it is asked."""

from __future__ import annotations


def targets(incomplete: str) -> list[str]:
    """Return the targets whose names begin so."""
    from thermoc import plugins

    return [name for name in plugins.names() if name.startswith(incomplete)]


def chips(incomplete: str) -> list[str]:
    """Return the crossbar chips whose names begin so."""
    from thermoc.simulator.chips import load_chip, names

    return [name for name in names() if name.startswith(incomplete) and load_chip(name).kind == "crossbar"]
