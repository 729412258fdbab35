"""A thermal network by its modes: what a step of it leads to, and steps of a run to hold against it (P17, P18, P27)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST_ROWS, MOST_WORK = 4096, 2 * 10**8
"""Steps (a tick of a sample) that are looked at, evenly spaced, and numbers that are computed for it."""
FEW_LINKS = 16
"""Links that are named one by one."""


class HeatModes:
    """C dT/dt = -L T + p by its modes: what a step of dt does to temperatures, held powers and kicks."""

    def __init__(self, C: NDArray, L: NDArray, dt: float):
        self.root = np.sqrt(C)
        self.rates, self.V = np.linalg.eigh(L / self.root[:, np.newaxis] / self.root)
        self.rates, self.dt = np.maximum(self.rates, 0.0), dt
        self.decay = np.exp(-self.rates * dt)
        self.gain = held_share(self.rates, dt)

    def step(self, T: NDArray, p: NDArray) -> NDArray:
        """Return the temperatures (rows, n) after a step from ``T`` at powers ``p``."""
        return self._through(self.decay, T * self.root) + self._through(self.gain, p / self.root)

    def _through(self, share: NDArray, y: NDArray) -> NDArray:
        return ((y @ self.V) * share) @ self.V.T / self.root

    def kicks(self, off: NDArray) -> NDArray:
        """Return the noise heat (rows, n) that took the temperatures ``off`` from where they would have gone."""
        factor = np.sqrt(held_share(2 * self.rates, self.dt) / self.dt)
        return (((off * self.root) @ self.V) / factor) @ self.V.T * self.root

    def kicked(self, heat: NDArray) -> NDArray:
        """Return the temperatures (rows, n) that noise heat of a tick adds."""
        factor = np.sqrt(held_share(2 * self.rates, self.dt) / self.dt)
        return self._through(factor, heat / self.root)

    def slopes(self, T: NDArray, p: NDArray, link: NDArray) -> NDArray:
        """Return what the temperatures (rows, n) after a step change by for a conductance larger by a share of 1.

        link (n,): its ends, 1 and -1, times the root of its conductance (Daleckii and Krein 1965).
        """
        w = self.V.T @ (link / self.root)
        outer = np.outer(w, w)
        y, q = (T * self.root) @ self.V, (p / self.root) @ self.V
        gap = self.rates[:, np.newaxis] - self.rates
        same = np.abs(gap) < 1e-9 * max(float(self.rates.max()), 1e-300)
        safe = np.where(same, 1.0, gap)

        def divided(values: NDArray, slope: NDArray) -> NDArray:
            return np.where(same, slope[:, np.newaxis], (values[:, np.newaxis] - values) / safe)

        decays = divided(self.decay, -self.dt * self.decay)
        slow = self.rates * self.dt < 1e-4
        rate = np.where(slow, 1.0, self.rates)
        gains = divided(self.gain, np.where(slow, -(self.dt**2) / 2, (self.dt * self.decay - self.gain) / rate))
        return (y @ (decays * outer) + q @ (gains * outer)) @ self.V.T / self.root


def held_share(rates: NDArray, dt: float) -> NDArray:
    """Return the integral of e^(-rate s) over dt: what a power held over the tick adds."""
    safe = np.where(rates == 0, 1.0, rates)
    return np.where(rates == 0, dt, -np.expm1(-safe * dt) / safe)


def laplacian(G: NDArray, ground: NDArray | float = 0.0) -> NDArray:
    """Return L with L T the heat that leaves each node by Fourier's law (P18)."""
    off = G - np.diag(np.diag(G))
    return np.diag(off.sum(axis=1) + ground) - off


class ThermalSteps:
    """Steps of a run: temperatures before and after, and the powers held between, each (rows, n)."""

    def __init__(self, T: NDArray, power: NDArray, *, most: int = MOST_ROWS, fluctuating: bool = False):
        ticks, samples, n = len(T) - 1, T.shape[1], T.shape[2]
        if fluctuating:
            most = max(MOST_WORK // (16 * FEW_LINKS * n * n), 64)
        # Whole ticks, evenly spaced, and as many samples as still fit.
        size = min(samples, max(most, 1))
        count = max(1, min(ticks, most // size))
        self.ticks = np.unique(np.linspace(0, ticks - 1, count).astype(int))
        self.samples = np.unique(np.linspace(0, samples - 1, size).astype(int))
        self.T, self.after = self.picked(T), self.picked(T, 1)
        self.power = self.picked(power)

    def picked(self, array: NDArray, shift: int = 0) -> NDArray:
        """Return the rows of an array (ticks, samples, n)."""
        return array[np.ix_(self.ticks + shift, self.samples)].reshape(-1, array.shape[-1])

    def few(self, work: int) -> ThermalSteps:
        """Return fewer rows, evenly spaced, for ``work`` numbers a row."""
        count = int(np.clip(MOST_WORK // max(work, 1), 8, 64))
        chosen = np.unique(np.linspace(0, len(self.ticks) - 1, count).astype(int))
        less = object.__new__(ThermalSteps)
        less.ticks, less.samples = self.ticks[chosen], self.samples[:1]
        pick = (chosen * len(self.samples)).astype(int)
        less.T, less.after, less.power = self.T[pick], self.after[pick], self.power[pick]
        return less


def some(links: list[tuple[int, int, float]], nodes: int) -> list[tuple[int, int, float]]:
    """Return links, evenly spaced, of which each can be looked at; all of a network of some hundred nodes."""
    limit = max(MOST_WORK // (8 * 10 * nodes**2), FEW_LINKS)
    return links[:: -(-len(links) // limit) or 1]


def links_of(G: NDArray, g: NDArray) -> list[tuple[int, int, float]]:
    """Return (i, j, conductance) of each link, j = -1 for the reservoir."""
    ends = np.argwhere(np.triu(G, 1) > 0)
    inner = [(int(i), int(j), float(G[i, j])) for i, j in ends]
    return [*inner, *((int(i), -1, float(g[i])) for i in np.flatnonzero(g > 0))]
