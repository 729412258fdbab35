"""What a guard band is: operating points of a chip that were measured, and the fastest that keeps to the law."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any

from thermoc.guard.figure import figure
from thermoc.plot import save
from thermoc.support.tables import table

COLUMNS = ("placement", "reference K", "distance", "peak K", "W")


@dataclass(frozen=True, kw_only=True)
class GuardPoint:
    """How a chip was run, and what came of it.

    placement: "wire" or "thermal". reference: K that drives are calibrated at and heaters hold. period: s that were
    asked for from tick to tick, 0 for none. seconds: what a tick took. rate: sweeps a second, of all samples. distance:
    the largest total variation of any draw from what was asked for, infinite where the chip cannot run so, for
    ``reason``. off: the relative temperature error behind it. kelvin: the die's peak. watts: mean power.
    """

    placement: str
    reference: float
    period: float
    seconds: float
    rate: float
    distance: float
    off: float
    kelvin: float
    watts: float
    reason: str = ""


@dataclass(frozen=True, kw_only=True, repr=False)
class GuardBand:
    """The largest sweep rate of a chip at which each draw stays within epsilon of its law; prints, and draws itself.

    as_is: with the chip's own reference, placed by wires. retuned: with placement and reference chosen. Either is None
    where no rate will do. points: all that were measured. limit: what keeps the retuned chip from going faster.
    """

    network: str
    chip: str
    epsilon: float
    as_is: GuardPoint | None
    retuned: GuardPoint | None
    points: tuple[GuardPoint, ...]
    limit: str

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values; a distance that is infinite is null."""
        return {
            "network": self.network,
            "chip": self.chip,
            "epsilon": self.epsilon,
            "as_is": _json(self.as_is),
            "retuned": _json(self.retuned),
            "limit": self.limit,
            "points": [_json(point) for point in self.points],
        }

    def __str__(self) -> str:
        title = f"{self.network} on {self.chip}: sweeps a second with each draw within {self.epsilon:g} of its law"
        rows = [_row(name, point) for name, point in (("as it is", self.as_is), ("retuned", self.retuned))]
        return f"{table(title, rows)}\nlimit: {self.limit}"

    def plot(self, path: str | os.PathLike[str]) -> None:
        """Draw distance against rate for each way to run it. Errors: T302, T404 (the suffix), T505."""
        save(figure(self.points, self.epsilon, f"{self.network} on {self.chip}"), path)


def _json(point: GuardPoint | None) -> dict[str, Any] | None:
    if point is None:
        return None
    return {name: None if value in (float("inf"),) else value for name, value in asdict(point).items()}


def _row(name: str, point: GuardPoint | None) -> dict[str, Any]:
    if point is None:
        return {
            "": name,
            "sweeps/s": "none",
            **dict.fromkeys(("placement", "reference K", "distance", "peak K", "W"), ""),
        }
    return {
        "": name,
        "sweeps/s": point.rate,
        "placement": point.placement,
        "reference K": point.reference,
        "distance": point.distance,
        "peak K": point.kelvin,
        "W": point.watts,
    }
