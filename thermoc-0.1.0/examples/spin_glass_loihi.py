"""Thirty spin glasses cooled by the integers of Loihi 2, in Lava, beside plain simulated annealing in NumPy.

    python examples/spin_glass_loihi.py [SWEEPS]      default 1000

Each is a periodic 10 x 10 lattice with couplings +1 or -1 at random. They stand beside each other in one network of
3,000 p-bits, which takes two ticks of the chip for a sweep: the lattice has two colours. All annealers share couplings,
first spins, temperatures and the number of sweeps. Lava has a Python of its own (thermoc doctor --install lava); where
it is not installed, the emulator runs the same integers, which gives the same spins.

A p-bit is a heat bath: a flip that costs c is taken with 1 / (1 + exp(c / T)), so one that costs nothing every second
time. Metropolis takes that one always, and on these lattices a tenth of all sites has such flips when it is cold. That
alone sets the two apart: mean energies after 100 sweeps, of 48 seeds, all by colours:

    heat bath                                   -136.29 +- 0.08      the chip's integers -136.22 +- 0.13 (24 seeds)
    Metropolis, a free flip every second time   -136.42 +- 0.06
    heat bath, a free flip always               -137.72 +- 0.06
    Metropolis                                  -137.77 +- 0.06

So the chip loses nothing to its own rule in NumPy, and 1.4 to Metropolis at equal sweeps; 400 sweeps of the heat bath
end where 100 of Metropolis do (-137.72 +- 0.06). After 1,000 sweeps the two are 0.2 apart.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import block_diag, csr_array, triu

import thermoc as tc
from thermoc import physics
from thermoc.physics import schedules
from thermoc.support.tables import table

L, GLASSES, SEED = 10, 30, 1
HOT, COLD = 1.5, 0.3
COLOURS = np.indices((L, L)).sum(axis=0).ravel() % 2
Rule = Callable[[NDArray, float], NDArray]


def glass(seed: int) -> csr_array:
    """Return the couplings (L^2, L^2) of one lattice."""
    upper = triu(physics.square_lattice(L), 1).tocsr()
    upper.data = np.random.default_rng(seed).choice([-1.0, 1.0], upper.nnz)
    return csr_array(upper + upper.T)


def couplings() -> NDArray:
    """Return those of all lattices, (glasses, L^2, L^2)."""
    return np.stack([glass(seed).toarray() for seed in range(GLASSES)])


def first_spins() -> NDArray:
    """Return the spins (glasses, L^2) that every annealer starts from."""
    return np.random.default_rng(1000).choice([-1.0, 1.0], (GLASSES, L * L))


def reach(sweeps: int) -> float:
    """Return the tick at which a temperature that falls evenly from HOT to COLD in so many sweeps would be 0."""
    return sweeps / (1 - COLD / HOT)


def network(sweeps: int) -> tc.Network:
    """Return all lattices as one network; its spins of tick k have seen k sweeps."""
    with tc.Network("spin_glasses") as net:
        T = tc.schedule(kind="linear", T0=HOT, parameter=reach(sweeps), T_min=COLD)
        J = block_diag([glass(seed) for seed in range(GLASSES)], format="csr")
        tc.output("s", tc.gibbs(T, J, initial=first_spins().ravel()))
    return net


def temperatures(sweeps: int) -> NDArray:
    """Return the same temperatures, sweep by sweep."""
    return schedules.linear(np.arange(sweeps), HOT, reach(sweeps), COLD)


def metropolis(cost: NDArray, T: float) -> NDArray:
    """Return the chance of a flip that costs so much."""
    return np.exp(-np.maximum(cost, 0) / T)


def heat_bath(cost: NDArray, T: float) -> NDArray:
    """Return the chance of a flip that costs so much."""
    return 1 / (1 + np.exp(cost / T))


def free_heat_bath(cost: NDArray, T: float) -> NDArray:
    """Return the heat bath's chance of a flip, but 1 where it costs nothing, as Metropolis has it."""
    return np.where(cost == 0, 1.0, heat_bath(cost, T))


def one_by_one(W: NDArray, sweeps: int, rng: np.random.Generator) -> NDArray:
    """Return spins after Metropolis steps at sites drawn at random, L^2 to a sweep. W: (glasses, L^2, L^2)."""
    s, every, n = first_spins(), np.arange(len(W)), W.shape[1]
    for T in temperatures(sweeps):
        for site, u in zip(rng.integers(0, n, (n, len(W))), rng.random((n, len(W)))):
            cost = 2 * s[every, site] * np.einsum("ij,ij->i", W[every, site], s)
            s[every, site] *= np.where(u < metropolis(cost, T), -1, 1)
    return s


def by_colours(W: NDArray, sweeps: int, rng: np.random.Generator, rule: Rule) -> NDArray:
    """Return spins after sweeps that try all sites of a colour at once. W: (glasses, L^2, L^2)."""
    s = first_spins()
    for T in temperatures(sweeps):
        for colour in (0, 1):
            chance = rule(2 * s * np.einsum("nij,nj->ni", W, s), T)
            s *= np.where((colour == COLOURS) & (rng.random(s.shape) < chance), -1, 1)
    return s


def energies(W: NDArray, s: NDArray) -> NDArray:
    """Return those of all lattices (P12)."""
    return np.array([physics.ising_energy(spins, J) for spins, J in zip(s, W)])


def on_chip(sweeps: int) -> tuple[str, NDArray]:
    """Return who ran the chip's integers, Lava or the emulator, and the spins (glasses, L^2) after the last sweep."""
    exe, name = tc.compile(network(sweeps), target="lava"), "Lava"
    try:
        run = exe.run(ticks=sweeps + 1, seed=SEED)
    except tc.ThermocError as reason:
        if reason.code != "T302":  # Lava is not installed
            raise
        run, name = tc.compile(exe.graph, target="sim").run(ticks=sweeps + 1, seed=SEED), "emulator"
    return name, run["s"][-1].reshape(GLASSES, -1)


def in_numpy(W: NDArray, sweeps: int) -> dict[str, NDArray]:
    """Return the last spins (glasses, L^2) of each way to anneal."""
    rng = np.random.default_rng(SEED)
    return {
        "heat bath by colours": by_colours(W, sweeps, rng, heat_bath),
        "Metropolis one by one": one_by_one(W, sweeps, rng),
        "Metropolis by colours": by_colours(W, sweeps, rng, metropolis),
        "heat bath by colours, free flips always": by_colours(W, sweeps, rng, free_heat_bath),
    }


def paired(ours: NDArray, theirs: NDArray) -> tuple[float, float]:
    """Return the mean of ours - theirs over the lattices, and its standard error."""
    difference = ours - theirs
    return float(difference.mean()), float(difference.std(ddof=1) / np.sqrt(len(difference)))


def rows(E: dict[str, NDArray]) -> list[dict[str, object]]:
    """Return a line for each annealer, ours first."""
    ours, lowest = next(iter(E.values())), np.min(list(E.values()), axis=0)
    made: list[dict[str, object]] = []
    for name, found in E.items():
        mean, error = paired(ours, found)
        less = "" if found is ours else f"{mean:+.2f} +- {error:.2f}"
        hits = f"{(found == lowest).sum()} of {len(found)}"
        made.append({"annealer": name, "mean energy": found.mean(), "ours less theirs": less, "lowest found": hits})
    return made


def main() -> None:
    """Cool the lattices, and print mean energies and the paired differences."""
    parser = argparse.ArgumentParser(description="Cool spin glasses on Loihi 2 (Lava or the emulator) and in NumPy.")
    parser.add_argument("sweeps", nargs="?", type=int, default=1000)
    sweeps = parser.parse_args().sweeps
    if sweeps < 1:
        parser.error(f"sweeps must be > 0, not {sweeps}")
    W = couplings()
    try:
        name, spins = on_chip(sweeps)
    except tc.ThermocError as reason:
        sys.exit(str(reason))
    E = {f"{name}, fixed point": energies(W, spins)}
    E |= {f"NumPy, {way}": energies(W, s) for way, s in in_numpy(W, sweeps).items()}
    print(table(f"{GLASSES} spin glasses, {sweeps} sweeps from T = {HOT} to {COLD}", rows(E)))
    print("The chip's p-bits are a heat bath. Metropolis takes every free flip, a heat bath every second one.")


if __name__ == "__main__":
    main()
