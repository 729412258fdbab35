"""The transition of the two-dimensional Ising model, found by finite-size scaling (P34).

Lattices of three sizes are sampled at nine temperatures; the Binder cumulants of two sizes cross at T_c. Onsager found
2.269185 J. Run it with a path to write the figure there: python ising_phase_transition.py ising.png
"""

from __future__ import annotations

import sys

import numpy as np

import thermoc as tc
from thermoc import physics

SIZES = (8, 16, 32)
TEMPERATURES = np.linspace(2.24, 2.30, 9)
REPLICAS = 512
TICKS, WARMUP, SWEEPS = 60, 20, 100


def magnetisations(L: int, T: float, seed: int) -> np.ndarray:
    """Return the magnetisation a site, (ticks, replicas), of an L x L periodic lattice at temperature T."""
    start = np.random.default_rng(seed).choice([-1.0, 1.0], L * L)
    with tc.Network("ising") as net:
        s = tc.gibbs(T, physics.square_lattice(L), initial=start, sweeps=SWEEPS, draws="replica")
        tc.output("m", tc.reduce(s, kind="mean", axes=(0,)))
    return tc.compile(net, "sim").run(ticks=TICKS, batch=REPLICAS, seed=seed)["m"][WARMUP:]


def sampled() -> dict[int, np.ndarray]:
    """Return magnetisations (temperatures, ticks, replicas) of each size."""
    return {L: np.stack([magnetisations(L, float(T), 100 * L + k) for k, T in enumerate(TEMPERATURES)]) for L in SIZES}


def figure(samples: dict[int, np.ndarray], found: physics.Scaling, path: str) -> None:
    """Draw cumulants and magnetisations against temperature."""
    import matplotlib.pyplot as plt

    _, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    dense = np.linspace(TEMPERATURES[0], TEMPERATURES[-1], 200)
    for color, (L, (U, error)) in zip(("#88a0c8", "#3b6ea8", "#12355b"), found.binder.items()):
        left.errorbar(TEMPERATURES, U, error, fmt="o", ms=3, color=color, label=f"L = {L}")
        left.plot(dense, np.polyval(np.polyfit(TEMPERATURES - 2.27, U, 3), dense - 2.27), lw=1, color=color)
        m = np.abs(samples[L]).mean(axis=(1, 2))
        right.plot(TEMPERATURES, m, "o-", ms=3, lw=1, color=color, label=f"L = {L}")
    left.axvspan(found.tc - found.error, found.tc + found.error, color="#d1495b", alpha=0.3, lw=0)
    left.axvline(physics.ISING_TC, color="black", lw=0.8, ls="--", label="Onsager")
    left.set(xlabel="temperature (J)", ylabel="Binder cumulant", title=f"T_c = {found.tc:.4f} ± {found.error:.4f}")
    right.plot(dense, physics.onsager_magnetisation(dense), color="black", lw=0.8, ls="--", label="Onsager, infinite")
    right.set(xlabel="temperature (J)", ylabel="|magnetisation| a site", title="Order below the transition")
    left.legend(frameon=False)
    right.legend(frameon=False)
    plt.savefig(path, dpi=150)


def main() -> None:
    """Sample, find T_c, and say how far it is from Onsager's."""
    samples = sampled()
    found = physics.finite_size_scaling(samples, TEMPERATURES)
    for (small, large), (T, error) in found.crossings.items():
        print(f"L = {small:2} and {large:2} cross at T = {T:.4f} +- {error:.4f}")
    off = 100 * (found.tc / physics.ISING_TC - 1)
    print(
        f"T_c = {found.tc:.4f} +- {found.error:.4f}, {off:+.2f} % from Onsager's 2.2692; nu = {found.nu:.2f} (exact: 1)"
    )
    if len(sys.argv) > 1:
        figure(samples, found, sys.argv[1])
        print(f"wrote {sys.argv[1]}")


if __name__ == "__main__":
    main()
