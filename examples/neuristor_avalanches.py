"""Avalanches of spikes in arrays of VO2 neuristors, at weak, middling and strong thermal coupling.

    python examples/neuristor_avalanches.py [FIGURE]      default neuristor_avalanches.png

Arrays of 32 x 32 neuristors at 9.96 V start at random voltages. Spikes of neighbours within 150 ns of each other belong
to one avalanche. Weakly coupled nodes spike nearly alone, strongly coupled ones in avalanches of the entire array;
between the two sizes have a heavy tail. Its exponent is fitted by maximum likelihood, and the law is tested (Clauset,
Shalizi and Newman 2009): over these sizes a power law describes the tail far better than an exponential, but among so
many avalanches its small misfit shows, p is below 0.1, and the exponent depends on coupling and window. It is a
description of this drive, and no universal exponent.
"""

from __future__ import annotations

import sys

import numpy as np

from thermoc.apps.nonequilibrium.avalanches import Avalanches, avalanches, neuristor_spikes

VOLTS, WINDOW = 9.96, 150e-9
COUPLINGS = (0.02, 0.04, 0.08)
MIDDLE = 0.04
SEEDS = (0, 1)


def draw(measured: dict[float, Avalanches], path: str) -> None:
    """Write a figure: the share of avalanches of a size or larger, and the law that was fitted."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(6, 4.5), layout="constrained")
    for coupling, result in measured.items():
        sizes, counts = np.unique(result.sizes, return_counts=True)
        axis.plot(sizes, counts[::-1].cumsum()[::-1] / counts.sum(), ".", ms=4, label=f"coupling {coupling}")
    fit, sizes = measured[MIDDLE].fit, measured[MIDDLE].sizes
    assert fit is not None
    k = np.arange(fit.least, fit.most + 1)
    law = k**-fit.exponent / (k**-fit.exponent).sum()
    share = (sizes >= fit.least).mean() * law[::-1].cumsum()[::-1]
    axis.plot(k, share, color="black", lw=0.8, label=f"s^-{fit.exponent:.2f} from {fit.least} on")
    axis.axvline(32 * 32, color="grey", lw=0.8, ls=":", label="nodes of the array")
    axis.set(
        xscale="log", yscale="log", ylim=(1e-5, 1.5), xlabel="size (spikes)", ylabel="share of avalanches as large"
    )
    axis.set_title(f"VO2 neuristors, 32 x 32, {VOLTS} V, window {1e9 * WINDOW:.0f} ns")
    axis.legend(frameon=False)
    figure.savefig(path, dpi=150)


def main() -> None:
    """Run the three arrays, fit their tails, and write the figure."""
    path = sys.argv[1] if len(sys.argv) > 1 else "neuristor_avalanches.png"
    measured = {}
    for coupling in COUPLINGS:
        runs = [neuristor_spikes(volts=VOLTS, coupling=coupling, seed=seed) for seed in SEEDS]
        measured[coupling] = result = avalanches(runs, WINDOW)
        print(
            f"coupling {coupling}: {result.sizes.sum()} spikes in {len(result.sizes)} avalanches, the largest of "
            f"{result.sizes.max()}; {100 * result.spanning:.0f} % of the spikes in avalanches of half the array or more"
        )
        if (fit := result.fit) is not None:
            print(
                f"  {fit.tail} of size {fit.least} or more: exponent {fit.exponent:.2f} +- {fit.error:.2f}, distance "
                f"{fit.distance:.3f}, p = {fit.p:.2f}, {fit.advantage:+.2f} a size above an exponential"
            )
    weak, middle, strong = (measured[coupling] for coupling in COUPLINGS)
    assert weak.spanning == 0 and strong.spanning > 0.5
    assert weak.sizes.mean() < middle.sizes.mean() < strong.sizes.mean()
    # heavy-tailed: e^20 times as likely as an exponential, whatever p says of the power law
    assert middle.fit is not None and middle.fit.advantage * middle.fit.tail > 20
    draw(measured, path)
    print(f"figure: {path}")


if __name__ == "__main__":
    main()
