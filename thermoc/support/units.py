"""The one place where reduced and SI quantities meet.

A network is reduced: k_B = 1, energies and temperatures share one unit. A device is in SI. Choose the energy that
one reduced unit stands for, and the rest follows.
"""

from __future__ import annotations

from dataclasses import dataclass

K_B = 1.380649e-23
"""Boltzmann's constant in J/K, exact by the SI of 2019."""
ELEMENTARY_CHARGE = 1.602176634e-19
"""The charge of a proton in C, exact by the SI of 2019."""


@dataclass(frozen=True, kw_only=True)
class ReducedUnits:
    """The SI size of the reduced units: ``energy`` in J, ``time`` in s."""

    energy: float
    time: float

    def kelvin(self, temperature: float) -> float:
        """Return a reduced temperature in K: T = temperature * energy / k_B."""
        return temperature * self.energy / K_B

    def reduced_temperature(self, kelvin: float) -> float:
        """Return a temperature in K as a reduced one."""
        return kelvin * K_B / self.energy

    def joules(self, energy: float) -> float:
        """Return a reduced energy in J."""
        return energy * self.energy

    def seconds(self, time: float) -> float:
        """Return a reduced time in s."""
        return time * self.time
