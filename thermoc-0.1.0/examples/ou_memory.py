"""A bank of Ornstein-Uhlenbeck memories (P25), held to its law: variance T, autocorrelation exp(-gamma t).

python examples/ou_memory.py
thermoc run examples/ou_memory.py:net --ticks 100 --batch 4 --seed 7
"""

from __future__ import annotations

import numpy as np

import thermoc as tc

UNITS, KT, GAMMA, DT = 64, 0.25, 2.0, 0.1

with tc.Network("ou_memory", dt=DT) as net:
    drive = tc.constant(np.zeros(UNITS))
    tc.output("m", tc.memory(drive, T=KT, gamma=GAMMA))


def main() -> None:
    """Run 64 units x 64 samples for 2,000 ticks and compare with the closed forms."""
    m = tc.compile(net, target="sim").run(ticks=2000, batch=64, seed=7)["m"][200:]
    lag = round(0.5 / (GAMMA * DT)) * 2
    measured = float(np.mean(m[lag:] * m[:-lag]) / np.mean(m * m))
    print(f"variance          {np.var(m):.4f}   exact {KT}")
    print(f"correlation at {lag * DT:.1f} {measured:.4f}   exact {np.exp(-GAMMA * lag * DT):.4f}")


if __name__ == "__main__":
    main()
