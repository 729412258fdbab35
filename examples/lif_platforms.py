"""One leaky unit on many platforms: the traces published with NIR beside ours, and when each of them spikes.

    python examples/lif_platforms.py [FIGURE]      default lif_platforms.png

tau 2.5 ms, threshold 0.1, tick 0.1 ms, Euler. The traces (input, membrane, spike; one line a tick) come from the
folder ``nir/paper/01_lif`` of the reference data: ``../shared/data``, or where THERMOC_SHARED says.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import thermoc as tc
from thermoc.support.tables import table

PLATFORMS = {
    "exact": "closed form",
    "norse": "Norse",
    "snntorch": "snnTorch",
    "rockpool": "Rockpool",
    "lava_cpu_float": "Lava, CPU, float",
    "lava_cpu_fixed": "Lava, CPU, fixed point",
    "lava_loihi_fixed": "Loihi 2",
}
TARGETS: dict[str, dict[str, str]] = {"sim": {}, "brian2": {"codegen": "numpy"}}


def traces() -> dict[str, NDArray]:
    """Return the published (ticks, 3) arrays of input, membrane and spike by platform. Exits where there are none."""
    shared = Path(os.environ.get("THERMOC_SHARED", Path(__file__).parents[2] / "shared"))
    folder = shared / "data/nir/paper/01_lif"
    if not folder.is_dir():
        sys.exit(
            f"the published traces are absent: no folder {folder}; set THERMOC_SHARED to the folder that has data/nir"
        )
    return {name: np.loadtxt(folder / f"lif_{key}.csv", delimiter=",") for key, name in PLATFORMS.items()}


def network() -> tc.Network:
    """Return the unit."""
    with tc.Network("lif", dt=1e-4) as net:
        spike, v = tc.lif(tc.input("x", (1,)), 2.5e-3, v_threshold=0.1, method="euler")
        tc.output("spike", spike)
        tc.output("v", v)
    return net


def ours(x: NDArray) -> dict[str, NDArray]:
    """Return the same arrays for each target of ours."""
    found = {}
    for target, options in TARGETS.items():
        run = tc.compile(network(), target, **options).run({"x": x.reshape(-1, 1, 1)})
        found[f"thermoc, {target}"] = np.stack([x, run["v"].ravel(), run["spike"].ravel()], axis=1)
    return found


def row(name: str, trace: NDArray, exact: NDArray) -> dict[str, object]:
    """Return when a platform spikes, and how many ticks from the closed form."""
    spikes, expected = (np.flatnonzero(part[:, 2]) for part in (trace, exact))
    off = spikes - expected if len(spikes) == len(expected) else "another number"
    return {"platform": name, "spikes at": " ".join(map(str, spikes)), "ticks off": str(off).strip("[]")}


def draw(runs: Mapping[str, NDArray], path: str) -> None:
    """Write a figure: input spikes above, then each platform's membrane over its largest value, spikes as ticks."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(len(runs) + 1, 1, sharex=True, figsize=(8, 1 + len(runs)), layout="constrained")
    axes[0].eventplot(np.flatnonzero(next(iter(runs.values()))[:, 0]), colors="black")
    axes[0].set_ylabel("input", rotation=0, ha="right")
    for axis, (name, trace) in zip(axes[1:], runs.items()):
        axis.plot(trace[:, 1] / np.abs(trace[:, 1]).max(), linewidth=0.8)
        axis.eventplot(np.flatnonzero(trace[:, 2]), lineoffsets=1.2, linelengths=0.3, colors="C3")
        axis.set_ylabel(name, rotation=0, ha="right")
    for axis in axes:
        axis.set_yticks([])
    axes[-1].set_xlabel("tick (0.1 ms)")
    figure.savefig(path, dpi=150)


def main() -> None:
    """Print the table and write the figure."""
    path = sys.argv[1] if len(sys.argv) > 1 else "lif_platforms.png"
    published = traces()
    exact = published["closed form"]
    runs = ours(exact[:, 0]) | published
    print(table("one LIF unit", [row(name, trace, exact) for name, trace in runs.items()]))
    draw(runs, path)
    print(f"figure: {path}")


if __name__ == "__main__":
    main()
