"""The dynamic exponent z of the two-dimensional Ising model, from how order decays at its critical point (P34).

    python examples/critical_dynamics.py [FIGURE]      default critical_dynamics.png

Lattices of 512 x 512 spins start in full order at T_c, and are updated by heat bath, 64 spins at a time. Their
magnetisation falls as t^(-1 / (8 z)). Large simulations give z = 2.1667(5) (Nightingale and Bloete 1996).
"""

from __future__ import annotations

import sys

import numpy as np

from thermoc.apps.nonequilibrium.critical import Z_MODEL_A, DynamicExponent, OrderDecay, dynamic_exponent, order_decay

SIDE, SAMPLES, SWEEPS, LEAST = 512, 64, (10, 800), 20


def draw(decay: OrderDecay, exponent: DynamicExponent, path: str) -> None:
    """Write a figure: the decay, and z from a decade of sweeps at a time."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    t, mean = decay.sweeps, decay.m.mean(axis=1)
    error = decay.m.std(axis=1, ddof=1) / np.sqrt(decay.m.shape[1])
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    left.errorbar(t, mean, error, fmt="o", ms=3, label=f"{decay.m.shape[1]} lattices of side {decay.side}")
    late = t >= LEAST
    level = np.exp(np.average(np.log(mean[late]) - exponent.slope * np.log(t[late]), weights=1 / error[late] ** 2))
    left.plot(t, level * t**exponent.slope, color="black", lw=0.8, label=f"slope {exponent.slope:.4f}")
    left.set(xscale="log", yscale="log", xlabel="sweeps", ylabel="magnetisation a site", title="Order decays at T_c")
    left.legend(frameon=False)
    starts = [k for k in range(len(t)) if t[-1] >= 10 * t[k]]
    for k in starts:
        inside = (t >= t[k]) & (t <= 10 * t[k])
        local = dynamic_exponent(t[inside], decay.m[inside], least=0)
        right.errorbar(t[k] * np.sqrt(10), local.z, local.error, fmt="o", ms=3, color="C0")
    right.axhline(Z_MODEL_A, color="black", lw=0.8, ls="--", label="2.1667")
    right.axhspan(exponent.z - exponent.error, exponent.z + exponent.error, color="C1", alpha=0.3, lw=0)
    right.set(
        xscale="log",
        xlabel="sweeps, middle of a decade",
        ylabel="z",
        title=f"z = {exponent.z:.3f} ± {exponent.error:.3f}",
    )
    right.legend(frameon=False)
    figure.savefig(path, dpi=150)


def main() -> None:
    """Let order decay, say what z is, and write the figure."""
    path = sys.argv[1] if len(sys.argv) > 1 else "critical_dynamics.png"
    decay = order_decay(SIDE, samples=SAMPLES, sweeps=SWEEPS, seed=2)
    exponent = dynamic_exponent(decay.sweeps, decay.m, least=LEAST)
    away = (exponent.z - Z_MODEL_A) / exponent.error
    print(f"z = {exponent.z:.3f} +- {exponent.error:.3f}, {away:+.1f} standard errors from {Z_MODEL_A}")
    assert exponent.error < 0.1 and abs(away) < 3
    draw(decay, exponent, path)
    print(f"figure: {path}")


if __name__ == "__main__":
    main()
