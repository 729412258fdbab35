"""One leaky unit on many platforms: the traces published with NIR beside ours, and when each of them spikes.

    python examples/lif_platforms.py [FIGURE]      default lif_platforms.png

tau 2.5 ms, threshold 0.1, tick 0.1 ms, Euler. The traces (input, membrane, spike; one line a tick) are those of the NIR
paper (github.com/neuromorphs/NIR, paper/01_lif), looked for in ``../shared/data/nir`` or in ``data/nir`` of the folder
THERMOC_SHARED. Where they are not, the unit runs on pulses made here, on our targets and by its closed form alone.
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


def published() -> dict[str, NDArray]:
    """Return the published (ticks, 3) arrays of input, membrane and spike by platform; none where they are absent."""
    shared = Path(os.environ.get("THERMOC_SHARED", Path(__file__).parents[2] / "shared"))
    folder = shared / "data/nir/paper/01_lif"
    if not folder.is_dir():
        print(f"the published traces are absent (no folder {folder}): other platforms are left out")
        return {}
    return {name: np.loadtxt(folder / f"lif_{key}.csv", delimiter=",") for key, name in PLATFORMS.items()}


def pulses() -> NDArray:
    """Return an input of our own, (ticks,): two bursts, one pulse a millisecond."""
    x = np.zeros(1000)
    x[300:540:10] = x[650:800:10] = 1
    return x


def network(method: str) -> tc.Network:
    """Return the unit."""
    with tc.Network("lif", dt=1e-4) as net:
        spike, v = tc.lif(tc.input("x", (1,)), 2.5e-3, v_threshold=0.1, method=method)
        tc.output("spike", spike)
        tc.output("v", v)
    return net


def trace(x: NDArray, target: str, method: str, **options: str) -> NDArray:
    """Return the same array of a run of ours."""
    run = tc.compile(network(method), target, **options).run({"x": x.reshape(-1, 1, 1)})
    return np.stack([x, run["v"].ravel(), run["spike"].ravel()], axis=1)


def row(name: str, platform: NDArray, exact: NDArray) -> dict[str, object]:
    """Return when a platform spikes, and how many ticks from the closed form."""
    spikes, expected = (np.flatnonzero(array[:, 2]) for array in (platform, exact))
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
    for axis, (name, platform) in zip(axes[1:], runs.items()):
        axis.plot(platform[:, 1] / np.abs(platform[:, 1]).max(), linewidth=0.8)
        axis.eventplot(np.flatnonzero(platform[:, 2]), lineoffsets=1.2, linelengths=0.3, colors="C3")
        axis.set_ylabel(name, rotation=0, ha="right")
    for axis in axes:
        axis.set_yticks([])
    axes[-1].set_xlabel("tick (0.1 ms)")
    figure.savefig(path, dpi=150)


def main() -> None:
    """Print the table and write the figure."""
    path = sys.argv[1] if len(sys.argv) > 1 else "lif_platforms.png"
    others = published()
    x = others["closed form"][:, 0] if others else pulses()
    runs = {f"thermoc, {target}": trace(x, target, "euler", **options) for target, options in TARGETS.items()}
    runs |= others or {"closed form": trace(x, "sim", "exact")}
    rows = [row(name, platform, runs["closed form"]) for name, platform in runs.items()]
    print(table("one LIF unit", rows))
    draw(runs, path)
    print(f"figure: {path}")


if __name__ == "__main__":
    main()
