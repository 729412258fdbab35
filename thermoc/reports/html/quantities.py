"""Numbers with units, as the page's cards write them: 64.8 nJ, never 6.48e-08 J."""

from __future__ import annotations

PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}


def quantity(value: float, unit: str) -> str:
    """Return a value in three digits with its unit and the prefix that fits."""
    if not value:
        return f"0 {unit}"
    rounded = f"{abs(value):.2e}"
    power = max(-15, min(9, int(rounded.partition("e")[2]) // 3 * 3))
    return f"{value / 10.0**power:.3g} {PREFIXES[power]}{unit}"
