"""The networks that these tests record."""

from __future__ import annotations

from functools import cache

import numpy as np

import thermoc as tc
from thermoc.api import Executable

J = np.array([[0.0, 0.8, -0.3], [0.8, 0.0, 0.5], [-0.3, 0.5, 0.0]])
DRIVE = np.random.default_rng(1).uniform(0, 3, (60, 2, 4))


@cache
def spin_glass() -> Executable:
    """Three spins, their energy, and a probe of the field on each."""
    with tc.Network("spins", dt=0.5) as net:
        s = tc.gibbs(T=2.0, J=J)
        tc.output("s", s)
        tc.output("E", tc.ising_energy(s, J=J))
        tc.probe("field", tc.affine(s, J))
    return tc.compile(net)


@cache
def spiking() -> Executable:
    """Four units that spike, with their membranes."""
    with tc.Network("units", dt=0.5) as net:
        units = tc.lif(tc.input("x", (4,)), tau=3.0)
        tc.output("spikes", units[0])
        tc.output("v", units[1])
    return tc.compile(net)
