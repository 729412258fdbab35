"""Lattices of VO2 neuristors: a step of ours against that of the model's authors, written again in torch (goal: 10x).

    python benchmarks/neuristor.py [SIDE ...]      default 8 16 64; pip install torch==2.13.0

Both take explicit Euler steps of 10 ns of the same lattice from the same start, without noise and on one thread; ours
in float64 and with the energy ledger, torch in float32, as its authors run it, and in float64. The trajectories of the
two in float64 are compared first. A round is STEPS steps; rounds alternate and the median counts.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from timing import compare, report, show

from thermoc.simulator.devices import load
from thermoc.simulator.devices.lattice import lattice

STEPS, DT, VOLTS, COUPLING = 200, 1e-8, 9.96, 0.02


class Torch:
    """The lattice in torch, in the authors' units: V, mW, kohm, pF, ns."""

    def __init__(self, torch: Any, side: int, dtype: Any, start: np.ndarray):
        q = load("vo2").quantities
        self.torch, self.side = torch, side
        self.R, self.C = q["circuit.load"] / 1e3, q["circuit.capacitance"] * 1e12
        self.S, self.Cth = 1e3 / q["heat.resistance"], q["heat.capacity"] * 1e12
        self.base = q["heat.ambient"]
        self.R0, self.Rm = q["insulator_resistance"] / 1e3, q["metal_resistance"] / 1e3
        self.Ea, self.w, self.Tc = q["activation_temperature"], q["hysteresis_width"], q["critical_temperature"]
        self.b, self.ripple, self.tick = q["steepness"], q["ripple"], q["reversal_step"]
        self.low, self.high, self.offset = q["fit_from"], q["fit_to"], q["proximity_offset"]
        self.V, self.T = torch.tensor(start, dtype=dtype), torch.full((side * side,), self.base, dtype=dtype)
        self.direction, self.turned = torch.ones_like(self.T), torch.zeros_like(self.T)
        self.at, self.proximity, self.last = self.T.clone(), torch.ones_like(self.T), self.T.clone()

    def fraction(self, T: Any) -> Any:
        """The insulating fraction on each node's branch."""
        torch, y = self.torch, (T - self.at) / (self.proximity + self.offset)
        blend = 0.5 * (1 - torch.sin(self.ripple * y)) * (1 + torch.tanh(math.pi**2 - 2 * math.pi * y))
        shift = self.proximity * blend * self.turned
        return 0.5 + 0.5 * torch.tanh(self.b * (self.direction * self.w / 2 + self.Tc - (T + shift)))

    def look(self, held: Any) -> None:
        """Turn the nodes that went back, once any has moved far enough."""
        torch, moved = self.torch, held - self.last
        if moved.abs().max() <= self.tick:
            return
        turns = moved * self.direction < 0
        if turns.any():
            g = self.fraction(held)[turns]
            self.direction[turns] *= -1
            self.turned[turns], self.at[turns] = 1.0, held[turns]
            edge = self.direction[turns] * self.w / 2 + self.Tc - held[turns]
            self.proximity[turns] = edge - torch.arctanh(2 * g - 1) / self.b
        self.last = held

    def step(self, dt: float) -> None:
        """One explicit Euler step of dt in ns."""
        torch, n, T, V = self.torch, self.side, self.T, self.V
        held = T.clamp(self.low, self.high)
        self.look(held)
        R = self.R0 * torch.exp(self.Ea / held) * self.fraction(held) + self.Rm
        square = T.view(1, n, n)
        p = torch.nn.functional.pad(square, (1, 1, 1, 1), mode="replicate")
        lap = (p[:, :-2, 1:-1] + p[:, 2:, 1:-1] + p[:, 1:-1, :-2] + p[:, 1:-1, 2:] - 4 * square).view(-1)
        i = V / R
        out = self.S * (1 - 4 * COUPLING) * (T - self.base)
        self.T = T + dt / self.Cth * (i * V - out + self.S * COUPLING * lap)
        self.V = V + dt / self.C * ((VOLTS - V) / self.R - i)

    def steps(self, count: int) -> None:
        """Take steps."""
        with self.torch.no_grad():
            for _ in range(count):
                self.step(DT * 1e9)


def ours(side: int, start: np.ndarray) -> Callable[[], Any]:
    """Return a call that takes STEPS steps of ours."""
    device, t = load("vo2"), np.array([0.0, STEPS * DT])
    return lambda: lattice(device, VOLTS, t, shape=(side, side), coupling=COUPLING, dt=DT, node=start)


def main(sides: list[int]) -> None:
    try:
        import torch  # pyright: ignore[reportMissingImports]
    except ImportError:
        row = {"work": "neuristors", "anchor": "torch f64", "ratio": math.nan, "goal": 1.0, "better": "higher"}
        report([row | {"note": "torch is not installed (pip install torch==2.13.0)"}])
        return
    torch.set_num_threads(1)
    rows = []
    for side in sides:
        start = np.random.default_rng(5).uniform(0, 8, side * side)
        theirs = Torch(torch, side, torch.float64, start)
        theirs.steps(STEPS)
        mine = ours(side, start)()
        gap = np.abs(mine.node[-1, 0] - theirs.V.numpy()).max(), np.abs(mine.T[-1, 0] - theirs.T.numpy()).max()
        print(f"{side}x{side}: after {STEPS} steps the two differ by {gap[0]:.1e} V and {gap[1]:.1e} K")
        works: dict[str, Callable[[], object]] = {"thermoc": ours(side, start)}
        for name, dtype in (("torch f32", torch.float32), ("torch f64", torch.float64)):
            model = Torch(torch, side, dtype, start)
            works[name] = lambda model=model: model.steps(STEPS)
        row = compare(f"{side}x{side}", "thermoc", works, repeat=1)
        times = {k: v / STEPS for k, v in row.items() if k.endswith(" us")}  # pyright: ignore
        speedups = {f"{k.split(' / ')[1]} x": 1 / v for k, v in row.items() if " / " in k}  # pyright: ignore
        rows.append({"lattice": row["case"], **times, **speedups})
    show(f"one step, us (medians of alternating rounds of {STEPS}), and times as fast", rows)
    report(
        [
            {
                "work": f"neuristors {row['lattice']}, a step",
                "anchor": "torch f64",
                "ratio": row["torch f64 x"],
                "goal": 1.0,
                "better": "higher",
            }
            for row in rows
        ]
    )


if __name__ == "__main__":
    sides = [int(argument) for argument in sys.argv[1:] if argument != "--quick"]
    main(sides or ([8] if "--quick" in sys.argv else [8, 16, 64]))
