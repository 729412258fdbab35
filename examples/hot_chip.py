"""A chip that heats up samples wrong, and placing its samplers by temperature mends it.

A network of dense layers keeps a part of the chip busy and drives 1,024 p-bits at T = 1. Placed by the length of wires
alone, the p-bits lie beside what drives them, some eight kelvins above where they are calibrated, and draw as if T were
larger. Placed by temperature they lie where the die is cool, and heaters hold them at their reference.

The temperature that they really draw at is measured from the draws: the T for which 1 / (1 + exp(-drive / T)) makes
the spikes likeliest. Pictures go to the folder given, by default ``hot_chip``. A number of ticks may follow it.
Runs start as if they had gone on for ever; the frames are of one that starts cold, and heats up by nearly a kelvin.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import thermoc as tc
from thermoc.reports.chip_picture import floorplan, frames, thermal_map
from thermoc.reports.chip_trace import trace

WIDTH, UNITS, TICKS, BATCH = 1024, 1024, 20, 20


def network() -> tc.Network:
    """Dense layers, and p-bits that they drive."""
    rng = np.random.default_rng(0)
    weights = [rng.normal(0, 1.4 / np.sqrt(WIDTH), (WIDTH, WIDTH)) for _ in range(4)]
    with tc.Network("hot") as net:
        h = tc.input("x", (WIDTH,))
        for W in weights[:3]:
            h = tc.tanh(tc.affine(h, W))
        drive = tc.affine(h, 2 * weights[3])
        tc.output("drive", drive)
        tc.output("spikes", tc.sample_binary(drive, 1.0))
    return net


def likeliest(drive: NDArray[np.float64], spikes: NDArray[np.float64]) -> tuple[float, float]:
    """Return the temperature that p-bits drew at and its standard error, by Newton's method on the likelihood."""
    beta = 1.0
    for _ in range(20):
        p = 1 / (1 + np.exp(-beta * drive))
        beta += float((drive * (spikes - p)).sum() / (drive**2 * p * (1 - p)).sum())
    p = 1 / (1 + np.exp(-beta * drive))
    return 1 / beta, float(1 / np.sqrt((drive**2 * p * (1 - p)).sum())) / beta**2


def sampled(temperature: str, placement: str, ticks: int, start: str = "steady") -> Any:
    """Run the network on the chip; return the run."""
    exe = tc.compile(network(), "chip", chip="thermo-1", temperature=temperature, placement=placement, start=start)
    x = np.random.default_rng(1).normal(size=(BATCH, WIDTH))
    return exe.run({"x": x}, ticks=ticks, seed=7)


def main(folder: Path, ticks: int = TICKS) -> dict[str, tuple[float, float]]:
    """Print what each placement gives, write the pictures; return the temperatures drawn at and their errors."""
    folder.mkdir(parents=True, exist_ok=True)
    draws_at = {}
    for name, temperature, placement in (
        ("asked for", "model", "wire"),
        ("placed by wire", "die", "wire"),
        ("placed by temperature", "die", "thermal"),
    ):
        run = sampled(temperature, placement, ticks)
        draws_at[name] = likeliest(run["drive"], run["spikes"])
        off = run.chip.sampling[0]
        print(f"{name:22s} draws at T = {draws_at[name][0]:.4f} +- {draws_at[name][1]:.4f}", end="")
        print(f"  (their places: {100 * off.mean:+.2f}% on the mean, {100 * off.worst:+.2f}% at worst)")
        if temperature == "die":
            floorplan(run.chip, folder / f"floorplan-{placement}.png")
            thermal_map(run.chip, folder / f"heat-{placement}.png")
            trace(run.chip, folder / f"trace-{placement}.json", most=20_000)
            print(run.chip)
    frames(sampled("die", "wire", ticks, start="ambient").chip, folder / "frames", count=8)
    print(f"pictures are in {folder}; open the traces with ui.perfetto.dev")
    return draws_at


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "hot_chip"), *map(int, sys.argv[2:]))
