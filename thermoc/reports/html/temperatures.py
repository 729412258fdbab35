"""Temperatures that units show, as a report draws them."""

from __future__ import annotations

from typing import Any

from thermoc.physics import UnitTemperatures
from thermoc.plot import plane
from thermoc.support.thinning import numbers

MOST_UNITS = 4096
"""Units that a page shows."""


def temperatures(found: UnitTemperatures) -> dict[str, Any]:
    """Return the document of the temperatures of units, of very many the first."""
    rows, columns = plane(found)
    title = found.title if len(found.T) <= MOST_UNITS else f"{found.title}, the first {MOST_UNITS} units"
    arrays = {"T": found.T, "low": found.low, "high": found.high, "stated": found.stated}
    return {
        "title": title,
        "rows": min(rows, -(-MOST_UNITS // columns)),
        "columns": columns,
        **{name: numbers(array[:MOST_UNITS]) for name, array in arrays.items()},
        "predicted": None if found.predicted is None else numbers(found.predicted[:MOST_UNITS]),
        "outside": [unit for unit in found.outside().tolist() if unit < MOST_UNITS],
    }
