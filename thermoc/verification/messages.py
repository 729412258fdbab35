"""What the populations of the chip and the host's values said in a run, in the network's numbers, tick by tick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermoc.passes.loihi.drives import Term
from thermoc.verification.loihi_values import ChipValues
from thermoc.verification.run_settings import RunSettings


@dataclass(frozen=True, kw_only=True)
class Messages:
    """What everything said in a run, by the names of the network's values, each (ticks, batch, units).

    off: of values of the host, how far the chip's messages are from them. probes: of values of the host.
    """

    setting: RunSettings
    chip: ChipValues
    sent: Mapping[str, NDArray]
    probes: Mapping[str, NDArray]
    off: Mapping[str, NDArray]

    def __call__(self, term: Term) -> tuple[NDArray, NDArray]:
        """Return what a term's source said, and how far it is off, (inputs, ticks * batch)."""
        array = self.sent[term.source] if term.source in self.sent else self.probes[term.source]
        off = self.off.get(term.source, np.zeros((1, 1, array.shape[2])))
        return columns(late(array, term)), columns(late(np.broadcast_to(off, array.shape), term, 0.0))


def late(array: NDArray, term: Term, start: float | None = None) -> NDArray:
    """Return x(t - delay)."""
    if not term.delay:
        return array
    # Before its first tick a delay says its start, as the chip's population does.
    before = np.full_like(array[: term.delay], term.start if start is None else start)
    return np.concatenate([before, array])[: len(array)]


def columns(array: NDArray) -> NDArray:
    """Return (ticks, batch, units) as (units, ticks * batch)."""
    return array.reshape(-1, array.shape[2]).T


def rows(array: NDArray, like: NDArray) -> NDArray:
    """Return (units, ticks * batch), or what broadcasts to it, as (ticks, batch, units)."""
    ticks, batch, units = like.shape
    return np.broadcast_to(array, (units, ticks * batch)).T.reshape(like.shape)
