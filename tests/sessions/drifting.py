"""A small network with noise, a delay and a probe, which the tests of sessions run."""

from __future__ import annotations

import numpy as np

import thermoc as tc


def drift(k: float = 1.0) -> tc.Network:
    """Return four noisy units and their delayed values; the probe is their energy."""
    with tc.Network("drift", dt=0.1) as net:
        x = tc.ou_network(k * np.eye(4), 1.0)
        tc.output("x", x)
        tc.output("late", tc.delay(x, ticks=5))
        tc.probe("energy", (0.5 * k * x * x).sum())
    return net
