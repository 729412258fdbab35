"""The runs that tests of reports show: a glass of spins on the simulator and on a chip."""

from __future__ import annotations

from functools import cache

import numpy as np

import thermoc as tc

UGLY = "glass </script><img src=x onerror=alert(1)>"
"""A name that would be markup where it is not escaped."""


@cache
def glass(name: str = "glass", T: float = 1.5) -> tc.Network:
    """Eight spins, their energy, and four units that they drive."""
    rng = np.random.default_rng(0)
    J = rng.normal(size=(8, 8)) / 4
    J = np.triu(J, 1) + np.triu(J, 1).T
    with tc.Network(name, dt=0.5) as net:
        s = tc.gibbs(T, J)
        tc.output("s", s)
        tc.output("E", tc.ising_energy(s, J))
        tc.output("b", tc.sample_binary(tc.affine(s, rng.normal(size=(4, 8))), 1.0))
    return net


@cache
def ran(T: float = 1.5, seed: int = 1, ticks: int = 300) -> tc.Run:
    """A run of it on the simulator."""
    return tc.compile(glass(T=T)).run(ticks=ticks, batch=4, seed=seed)


@cache
def on_chip() -> tc.Run:
    """A short run of it on thermo-1, whose name is ugly."""
    return tc.compile(glass(UGLY), "chip", chip="thermo-1").run(ticks=10, batch=2, seed=1)
