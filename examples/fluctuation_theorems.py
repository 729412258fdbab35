"""Work of driven networks against free energies: Jarzynski's equality, Crooks' theorem, entropy production (P30, P46).

    python examples/fluctuation_theorems.py [FIGURE]      default fluctuation_theorems.png

A particle is dragged in a trap that stiffens, and a ring of twelve spins is turned over by a field, both faster than
they follow. Work and heat are measured in every trajectory. Their free energies are known: T ln(k1 / k0) / 2, and by
the transfer matrix. Last, a trap is dragged on and on: its heat over T is the entropy production, whose closed form is
known.
"""

from __future__ import annotations

import sys

import numpy as np

import thermoc as tc
from thermoc.apps.nonequilibrium import (
    FluctuationTest,
    drive,
    driven_ring,
    fluctuation_test,
    moved_trap,
    ring_free_energy,
    trap_free_energy,
)

SAMPLES = 20_000
TRAP_T, RING_T, SPINS = 0.8, 2.0, 12
SPEED, DT = 0.5, 0.1


def trap() -> FluctuationTest:
    """Drag a particle by 1.5 while its trap stiffens threefold, in 40 ticks of a tenth of its relaxation time."""
    u = np.linspace(0, 1, 41)
    exe = tc.compile(moved_trap(T=TRAP_T, dt=DT))
    dF = trap_free_energy(3.0, T=TRAP_T) - trap_free_energy(1.0, T=TRAP_T)
    course = {"stiffness": 1 + 2 * u, "centre": 1.5 * u}
    return fluctuation_test((exe, exe), course, T=TRAP_T, dF=dF, samples=SAMPLES, settle=200, seed=3)


def ring() -> FluctuationTest:
    """Turn over a ring by a field that rises from -0.5 to 1 in 20 sweeps."""
    pair = tc.compile(driven_ring(SPINS, T=RING_T)), tc.compile(driven_ring(SPINS, T=RING_T, reverse=True))
    first, last = (ring_free_energy(SPINS, field, T=RING_T) for field in (-0.5, 1.0))
    course = {"field": np.linspace(-0.5, 1.0, 21)}
    return fluctuation_test(pair, course, T=RING_T, dF=last - first, samples=SAMPLES, settle=100, seed=4)


def dragged(ticks: int = 200, lead: int = 100) -> tuple[np.ndarray, float]:
    """Return heat given to the bath over T (samples,), a tick in the steady state, and its closed form.

    Within a tick the centre moves by v dt, then the particle relaxes by a = e^(-mu k dt): it lags by
    y = a v dt / (1 - a), and the work of a tick is k (y v dt + (v dt)^2 / 2), all of which becomes heat.
    """
    exe = tc.compile(moved_trap(T=TRAP_T, dt=DT))
    course = {"stiffness": np.ones(ticks + 1), "centre": SPEED * DT * np.arange(ticks + 1)}
    run = drive(exe, course, samples=SAMPLES // 4, settle=200, seed=5)
    step, a = SPEED * DT, np.exp(-DT)
    exact = (a / (1 - a) + 0.5) * step**2 / TRAP_T
    return -run.heat[lead:].mean(axis=0) / TRAP_T, exact


def check(name: str, test: FluctuationTest) -> None:
    """Print what was measured, and hold it against the exact free energy at four standard errors."""
    print(f"--- {name}\n{test}\nfirst law to           {test.forward.imbalance:.1e}\n")
    jarzynski, crooks, T = test.jarzynski, test.crooks, TRAP_T if name == "trap" else RING_T
    assert abs(jarzynski.dF - test.dF) < 4 * jarzynski.error
    assert abs(crooks.dF - test.dF) < 4 * crooks.error
    assert abs(crooks.crossing - test.dF) < 4 * crooks.crossing_error
    assert abs(crooks.slope - 1 / T) < 4 * crooks.slope_error
    assert abs(test.integral[0] - 1) < 4 * test.integral[1] and test.production[0] > 0
    assert test.forward.imbalance < 1e-10 and test.backward.imbalance < 1e-10


def draw(tests: dict[str, FluctuationTest], path: str) -> None:
    """Write a figure: the works of both directions, and the logarithm of their quotient.

    Works of the ring are whole multiples of 0.15: a bin holds four of them.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(10, 7), layout="constrained")
    for (name, test), (left, right), T, width in zip(tests.items(), axes, (TRAP_T, RING_T), (0.2, 0.6)):
        forward, backward = test.forward.total_work, -test.backward.total_work
        both = np.concatenate([forward, backward])
        bins = np.arange(both.min() - width / 8, both.max() + width, width)
        counts = [left.hist(W, bins, histtype="step")[0] for W in (forward, backward)]
        left.axvline(test.dF, color="black", lw=0.8, ls="--")
        left.set(xlabel="work", ylabel="trajectories", title=name)
        left.legend(["forward", "reverse, negated", "exact dF"], frameon=False)
        many = (counts[0] > 20) & (counts[1] > 20)
        middle = (bins[1:] + bins[:-1])[many] / 2
        ratio, spread = np.log(counts[0][many] / counts[1][many]), np.sqrt(1 / counts[0][many] + 1 / counts[1][many])
        right.errorbar(middle, ratio, spread, fmt="o", ms=3, label="measured")
        right.plot(middle, (middle - test.dF) / T, color="black", lw=0.8, label="(W - dF) / T")
        right.set(xlabel="work", ylabel="ln P forward / P reverse", title="Crooks' theorem")
        right.legend(frameon=False)
    figure.savefig(path, dpi=150)


def main() -> None:
    """Drive both networks, check them, and write the figure."""
    path = sys.argv[1] if len(sys.argv) > 1 else "fluctuation_theorems.png"
    tests = {"trap": trap(), "ring": ring()}
    for name, test in tests.items():
        check(name, test)
    rates, exact = dragged()
    error = rates.std(ddof=1) / np.sqrt(len(rates))
    print(f"dragged trap: entropy production a tick {rates.mean():.5f} +- {error:.5f}, exactly {exact:.5f}")
    assert abs(rates.mean() - exact) < 4 * error
    draw(tests, path)
    print(f"figure: {path}")


if __name__ == "__main__":
    main()
