"""What a sampler of low energies returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermoc.support.array_types import FloatArray
from thermoc.support.plurals import counted


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Spins (m, n) of -1 and 1, int8, with their energies (m,), lowest first; how they were drawn, and what it took."""

    spins: NDArray[np.int8]
    energies: FloatArray
    method: str
    seed: int
    sweeps: int
    """Updates of each spin that each sample took."""
    seconds: float
    device: str = "cpu"
    proven: bool = False
    """Whether all states were looked at, so that none is lower than the first."""


class SamplingInterrupted(KeyboardInterrupt):
    """Ctrl-C ended a sampler: ``samples`` are its lowest states until then."""

    def __init__(self, samples: Samples):
        self.samples = samples
        super().__init__(
            f"after {counted(samples.sweeps, 'sweep')}; the lowest states until then are the exception's .samples"
        )
