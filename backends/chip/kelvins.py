"""Temperatures at which units have drawn, tick by tick, of a session that goes on for as long as it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.chip.temperatures import Kelvins
from thermoc.simulator.machine.records import Chain, chained, stride

MOST_KELVINS = 8_000_000
"""Temperatures that a record keeps, of ticks, samples and units; those of one tick it always keeps."""


@dataclass(frozen=True, kw_only=True)
class UnitKelvins:
    """Of some ticks, (ticks,) counted from the session's start: what units draw at, and what was asked for, by op.

    kelvin: (ticks * batch, units). targets: (ticks,).
    """

    ticks: NDArray[np.int64]
    kelvin: Kelvins
    targets: Kelvins

    def each(self, first: int, every: int) -> UnitKelvins:
        """Return those of ticks ``first``, ``first + every``, and so on."""
        hit = (self.ticks - first) % every == 0
        kelvin = {
            name: a.reshape(len(hit), -1, a.shape[-1])[hit].reshape(-1, a.shape[-1]) for name, a in self.kelvin.items()
        }
        return UnitKelvins(
            ticks=self.ticks[hit], kelvin=kelvin, targets={name: a[hit] for name, a in self.targets.items()}
        )


@dataclass(frozen=True, kw_only=True)
class KelvinRecord:
    """What units have drawn at from tick ``first`` on: in every tick, or beyond ``MOST_KELVINS`` in every 2nd, 4th, ...

    Which ticks these are follows from how many there are, never from when they came. A record does not change: ``plus``
    returns the next one.
    """

    first: int = 0
    parts: Chain[UnitKelvins] = None
    ticks: int = 0
    every: int = 1

    def plus(self, added: UnitKelvins) -> KelvinRecord:
        """Return it with those of the ticks that follow."""
        count = self.ticks + len(added.ticks)
        numbers = sum(a.size for a in added.kelvin.values()) // len(added.ticks)
        step, parts = stride(count, numbers, MOST_KELVINS), self.parts
        if step > self.every and parts is not None:
            parts = None, self.kelvins.each(self.first, step)
        if step > 1:
            added = added.each(self.first, step)
        if len(added.ticks):
            parts = parts, added
        return replace(self, parts=parts, ticks=count, every=step)

    @property
    def kelvins(self) -> UnitKelvins:
        """All that is here, put together."""
        return _joined(chained(self.parts))


def _joined(parts: Sequence[UnitKelvins]) -> UnitKelvins:
    if not parts:
        return UnitKelvins(ticks=np.zeros(0, np.int64), kelvin={}, targets={})
    return UnitKelvins(
        ticks=np.concatenate([added.ticks for added in parts]),
        kelvin={name: np.concatenate([added.kelvin[name] for added in parts]) for name in parts[0].kelvin},
        targets={name: np.concatenate([added.targets[name] for added in parts]) for name in parts[0].targets},
    )
