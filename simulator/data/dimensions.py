"""Units as products of SI's base units: what a symbol measures, and how many of the base it is, exactly.

One table of symbols and one of prefixes; ``W/(m*K)``, ``fF/um^2``, ``J m^-3`` and ``1/s`` are read as they stand. A
factor is a fraction, so that 145.35 pF is the float nearest to 145.35e-12.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

# bit among them: so many bits a second must not pass for a frequency
BASE = ("m", "kg", "s", "A", "K", "bit")
Dimensions = tuple[Fraction, ...]


class UnitOfMeasure(NamedTuple):
    """How many SI units a unit is, and the powers of ``BASE`` that it measures."""

    factor: Fraction
    dimensions: Dimensions


PREFIXES: dict[str, Fraction] = {
    **{p: Fraction(10) ** n for p, n in zip("yzafpnum", (-24, -21, -18, -15, -12, -9, -6, -3))},
    "\N{MICRO SIGN}": Fraction(1, 10**6),
    "\N{GREEK SMALL LETTER MU}": Fraction(1, 10**6),
    "c": Fraction(1, 100),
    "": Fraction(1),
    **{p: Fraction(10) ** n for p, n in zip("kMGTP", (3, 6, 9, 12, 15))},
    **{p: Fraction(1024) ** n for p, n in zip(("Ki", "Mi", "Gi"), (1, 2, 3))},
}
#        factor, powers of m kg s A K bit
_TABLE: dict[str, tuple[str, tuple[int, ...]]] = {
    "1": ("1", (0, 0, 0, 0, 0, 0)),
    "%": ("0.01", (0, 0, 0, 0, 0, 0)),
    "m": ("1", (1, 0, 0, 0, 0, 0)),
    "g": ("0.001", (0, 1, 0, 0, 0, 0)),
    "s": ("1", (0, 0, 1, 0, 0, 0)),
    "min": ("60", (0, 0, 1, 0, 0, 0)),
    "h": ("3600", (0, 0, 1, 0, 0, 0)),
    "A": ("1", (0, 0, 0, 1, 0, 0)),
    "K": ("1", (0, 0, 0, 0, 1, 0)),
    "bit": ("1", (0, 0, 0, 0, 0, 1)),
    "B": ("8", (0, 0, 0, 0, 0, 1)),
    "Hz": ("1", (0, 0, -1, 0, 0, 0)),
    "N": ("1", (1, 1, -2, 0, 0, 0)),
    "J": ("1", (2, 1, -2, 0, 0, 0)),
    "eV": ("1.602176634e-19", (2, 1, -2, 0, 0, 0)),
    "W": ("1", (2, 1, -3, 0, 0, 0)),
    "C": ("1", (0, 0, 1, 1, 0, 0)),
    "V": ("1", (2, 1, -3, -1, 0, 0)),
    "F": ("1", (-2, -1, 4, 2, 0, 0)),
    "ohm": ("1", (2, 1, -3, -2, 0, 0)),
    "S": ("1", (-2, -1, 3, 2, 0, 0)),
    "H": ("1", (2, 1, -2, -2, 0, 0)),
    "T": ("1", (0, 1, -2, -1, 0, 0)),
    "Pa": ("1", (-1, 1, -2, 0, 0, 0)),
}
SYMBOLS = {
    name: UnitOfMeasure(Fraction(factor), tuple(map(Fraction, powers))) for name, (factor, powers) in _TABLE.items()
}
NONE = SYMBOLS["1"]
LONGEST = 100
"""Letters of a unit's text."""
MOST_BITS = 4096
"""Bits of a power, which is checked before it is taken."""
_TOKEN = re.compile(r"\s*(?:(\^)\s*(-?\d{1,2}(?:/\d{1,2})?)|([*/()])|(1|%|[^\W\d_]+))")


@lru_cache(maxsize=512)
def unit_of(text: str) -> UnitOfMeasure | None:
    """Return what a unit's text means, None where it means nothing; '' is a plain number."""
    tokens: list[tuple[str, ...]] = []
    at, text = 0, text.strip()
    if len(text) > LONGEST:
        return None
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            return None
        tokens.append(tuple(group or "" for group in match.groups()))
        at = match.end()
    if not tokens:
        return NONE
    try:
        return _product(tokens)
    except (ValueError, ArithmeticError):
        return None


def _product(tokens: list[tuple[str, ...]]) -> UnitOfMeasure:
    """Read a whole product; ValueError where something is left over or missing."""
    product, remainder = _factors(tokens)
    if remainder:
        raise ValueError
    return product


def _factors(tokens: list[tuple[str, ...]]) -> tuple[UnitOfMeasure, list[tuple[str, ...]]]:
    """Read factors up to a closing bracket or the end; juxtaposed factors multiply."""
    product, tokens = _factor(tokens)
    while tokens and tokens[0][2] != ")":
        sign = -1 if tokens[0][2] == "/" else 1
        factor, tokens = _factor(tokens[1:] if tokens[0][2] in ("*", "/") else tokens)
        product = _times(product, factor, Fraction(sign))
    return product, tokens


def _factor(tokens: list[tuple[str, ...]]) -> tuple[UnitOfMeasure, list[tuple[str, ...]]]:
    """Read a symbol or a bracket, and the power after it."""
    if not tokens:
        raise ValueError
    (_, _, mark, symbol), remainder = tokens[0], tokens[1:]
    if mark == "(":
        product, remainder = _factors(remainder)
        if not remainder:
            raise ValueError
        remainder = remainder[1:]
    else:
        product = _symbol(symbol)
    if remainder and remainder[0][0] == "^":
        return _times(NONE, product, Fraction(remainder[0][1])), remainder[1:]
    return product, remainder


def _symbol(name: str) -> UnitOfMeasure:
    """Return a symbol's meaning: itself, or a prefix and a symbol."""
    if name in SYMBOLS:
        return SYMBOLS[name]
    # every prefix is tried: Mi also begins with M, and ibit is no unit
    for prefix, size in PREFIXES.items():
        remainder = name.removeprefix(prefix)
        if prefix and name.startswith(prefix) and remainder in SYMBOLS and remainder not in ("1", "%", "min", "h"):
            return UnitOfMeasure(size * SYMBOLS[remainder].factor, SYMBOLS[remainder].dimensions)
    raise ValueError


def _times(one: UnitOfMeasure, other: UnitOfMeasure, power: Fraction) -> UnitOfMeasure:
    """Return one * other^power; fractional powers only where the factor stays a fraction. ValueError beyond floats."""
    bits = max(other.factor.numerator.bit_length(), other.factor.denominator.bit_length())
    # checked before it is taken: a short text could ask for a power of millions of digits
    if bits * abs(power) > MOST_BITS:
        raise ValueError
    size = other.factor**power.numerator if power.denominator == 1 else _root(other.factor, power)
    return UnitOfMeasure(one.factor * size, tuple(a + power * b for a, b in zip(one.dimensions, other.dimensions)))


def _root(factor: Fraction, power: Fraction) -> Fraction:
    """Return factor^power as the nearest fraction of a float; 1 stays exact."""
    return factor if factor == 1 else Fraction(float(factor) ** float(power))
