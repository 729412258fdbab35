"""The current-based network of Vogels and Abbott (2005), benchmark 2 of Brette et al. (2007).

    python examples/cuba.py [FIGURE]      default cuba.png: the spikes of every tenth unit over 200 ms
    thermoc run examples/cuba.py:net --ticks 10000

Four units of five excite, one inhibits; each pair is connected with probability 80 / n. Potentials in mV, times in ms.
"""

from __future__ import annotations

import sys

import numpy as np

import thermoc as tc

DT = 0.1
E_WEIGHT, I_WEIGHT = 60 * 0.27 / 10, -20 * 4.5 / 10


def connectivity(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the sources of each unit, unit by unit and rising, and where each unit's begin (compressed rows)."""
    rng = np.random.default_rng(seed)
    sources = [np.flatnonzero(rng.random(n) < 80 / n) for _ in range(n)]
    return np.concatenate(sources), np.cumsum([0, *map(len, sources)])


def first_potentials(n: int, seed: int) -> np.ndarray:
    """Return uniform numbers between reset and threshold."""
    return -60 + 10 * np.random.default_rng((seed, 1)).random(n)


def part(sources: np.ndarray, offsets: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the compressed rows of the chosen entries alone."""
    return sources[chosen], np.concatenate([[0], np.cumsum(chosen)])[offsets]


def network(n: int = 4000, seed: int = 0, first: np.ndarray | None = None, every: int = 0) -> tc.Network:
    """Return the network, from ``first`` potentials; its output counts the spikes of both populations in each tick.

    every: hand out the spikes of every so many-th unit too, as ``raster``.
    """
    sources, offsets = connectivity(n, seed)
    excites = 4 * n // 5
    with tc.Network("cuba", dt=DT) as net:
        before = tc.placeholder((n,), role="spike")
        arriving = tc.delay(before)
        conductances = []
        for chosen, weight, tau in ((sources < excites, E_WEIGHT, 5.0), (sources >= excites, I_WEIGHT, 10.0)):
            columns, rows = part(sources, offsets, chosen)
            jumps = tc.sparse_affine(arriving, np.full(len(columns), weight), columns, rows)
            conductances.append(tc.trace(jumps, tau))
        spikes, _ = tc.lif(
            conductances[0] + conductances[1],
            20.0,
            v_leak=-49.0,
            v_threshold=-50.0,
            v_reset=-60.0,
            initial=first_potentials(n, seed) if first is None else first,
            refractory=5.0,
        )
        tc.connect(before, spikes)
        tc.output("spikes", tc.sparse_affine(spikes, np.ones(n), np.arange(n), [0, excites, n]))
        if every:
            tc.output("raster", tc.slice(spikes, starts=(0,), stops=(n,), steps=(every,)))
    return net


net = network()


def draw(raster: np.ndarray, every: int, path: str) -> None:
    """Write the figure of a raster (ticks, units): a dot a spike, inhibitory units in red."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    ticks, units = np.nonzero(raster)
    colours = np.where(units < 0.8 * raster.shape[1], "black", "C3")
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    axes.scatter(ticks * DT, units * every, s=1, c=colours, linewidths=0)
    axes.set(xlabel="time (ms)", ylabel="unit", title="spikes: excitatory black, inhibitory red")
    figure.savefig(path, dpi=150)


def main(path: str = "cuba.png") -> None:
    """Run one second; print the rates and draw the spikes of its first 200 ms."""
    every, drawn = 10, round(200 / DT)
    run = tc.compile(network(every=every), "sim", precision="float32").run(ticks=10_000)
    counts = run["spikes"][:, 0].sum(axis=0)
    print(f"one second: {counts[0] / 3200:.2f} Hz excitatory, {counts[1] / 800:.2f} Hz inhibitory")
    draw(run["raster"][:drawn, 0], every, path)
    print(f"figure: {path}")


if __name__ == "__main__":
    main(*sys.argv[1:])
