"""One law checked: what was measured, what it must be, within what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIGMAS = 4.0
"""Statistical laws are checked at four standard errors: a true law is called false once in 16,000 times."""


@dataclass(frozen=True, kw_only=True)
class Law:
    """A law of physics.md (P45 to P49) at one op. It holds where |measured - expected| <= bound.

    side "above" lets measured be larger by any amount, "below" smaller. samples: numbers it was measured on.
    """

    law: str
    op: str
    statement: str
    measured: float
    expected: float
    bound: float
    side: str = "both"
    samples: int
    details: Mapping[str, float] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether the measured value is within its bound; a value that is not a number is not."""
        gap = self.measured - self.expected
        if self.side == "above":
            return gap >= -self.bound
        return gap <= self.bound if self.side == "below" else abs(gap) <= self.bound

    def to_json(self) -> dict[str, Any]:
        """Return the law as JSON values, with its verdict."""
        plain = asdict(self)
        plain |= {name: json_number(plain[name]) for name in ("measured", "expected", "bound")}
        plain["details"] = {name: json_number(value) for name, value in self.details.items()}
        return {**plain, "holds": self.holds}

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Law:
        """Return the law in a JSON entry; its verdict is computed anew. Raises TypeError or ValueError."""
        fields: dict[str, Any] = {name: value for name, value in entry.items() if name != "holds"}
        fields |= {name: float(fields[name]) for name in ("measured", "expected", "bound")}
        return cls(**fields)


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A law that was not checked, and why."""

    law: str
    op: str
    reason: str


def json_number(value: float) -> float | str:
    """JSON has no infinities."""
    return float(value) if np.isfinite(value) else str(float(value))


def standard_score(law: str, op: str, statement: str, score: float, samples: int, **details: float) -> Law:
    """Return the law that a score which should be standard normal is within four."""
    return Law(
        law=law,
        op=op,
        statement=statement,
        measured=float(score),
        expected=0.0,
        bound=SIGMAS,
        samples=samples,
        details=details,
    )


def standard_normals(law: str, op: str, what: str, z: NDArray, **related: NDArray) -> Iterator[Law]:
    """Yield the laws that z (ticks, ...) is standard normal, white, and tells nothing of what stood before it.

    Scores of the mean, of the variance, of the product with the next tick's, and of the product with each of
    ``related`` (arrays like z that were known before z was drawn).
    """
    count = z.size
    yield standard_score(law, op, f"{what} has mean 0", z.mean() * np.sqrt(count), count)
    variance = float((z * z).mean())
    # The mean of n squares of normals has the variance 2 / n.
    score = (variance - 1) * np.sqrt(count / 2)
    yield standard_score(law, op, f"{what} has variance 1", score, count, variance=variance)
    if len(z) > 1:
        product = z[1:] * z[:-1]
        # Products of independent standard normals have variance 1, so their mean scales the same way.
        score = product.mean() * np.sqrt(product.size)
        yield standard_score(law, op, f"{what} is white", score, product.size, correlation=float(product.mean()))
    for name, array in related.items():
        earlier = np.broadcast_to(array, z.shape)
        size = np.sqrt((earlier * earlier).sum())
        if size > 0:
            score = (z * earlier).sum() / size
            yield standard_score(law, op, f"{what} does not depend on {name}", score, count)
