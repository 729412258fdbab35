"""The energy balance of a step: what entered, what left through each face, what the cells gained (P45)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Ledger:
    """Energies of one step in J. Heat out is summed from the fluxes through the faces; stored is C dT of the cells.

    The two are found apart, so ``gap`` is a check and not a definition.
    """

    dt: float
    work: float
    heat_top: float
    heat_bottom: float
    stored: float

    @property
    def heat(self) -> float:
        """All heat that left, in J."""
        return self.heat_top + self.heat_bottom

    @property
    def gap(self) -> float:
        """Stored energy less what came in and did not leave, in J: zero but for rounding."""
        return self.stored - (self.work - self.heat)

    def __add__(self, other: Ledger) -> Ledger:
        return Ledger(
            dt=self.dt + other.dt,
            work=self.work + other.work,
            heat_top=self.heat_top + other.heat_top,
            heat_bottom=self.heat_bottom + other.heat_bottom,
            stored=self.stored + other.stored,
        )


NOTHING = Ledger(dt=0.0, work=0.0, heat_top=0.0, heat_bottom=0.0, stored=0.0)
