"""Networks with heat on Loihi, and with the host between parts of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import thermoc as tc


def links(n: int, seed: int = 0) -> NDArray:
    """Return conductances between some pairs of nodes, each node to its neighbour in a ring too."""
    rng = np.random.default_rng(seed)
    G = np.triu(rng.random((n, n)) * (rng.random((n, n)) < 0.08), 1) + np.diag(np.full(n - 1, 0.3), 1)
    return G + G.T


def warm(n: int, **more) -> tc.Network:
    rng = np.random.default_rng(1)
    C, T0 = rng.uniform(1, 3, n), rng.uniform(0.5, 2.0, n)
    with tc.Network("warm") as net:
        T, given, _ = tc.heat_network(more.pop("power", 0.0), C, links(n), T0, **more)
        tc.output("y", T)
        tc.output("heat", given)
    return net


def middle() -> tc.Network:
    rng = np.random.default_rng(2)
    with tc.Network("middle") as net:
        h = tc.thermal_relu(tc.affine(tc.input("x", (6,)), rng.normal(size=(8, 6))), T=0.1)
        p = tc.boltzmann(h, T=1.0) * h
        tc.output("y", tc.thermal_relu(tc.affine(p, rng.normal(size=(3, 8))), T=0.05))
    return net


def arithmetic() -> tc.Network:
    """Every kind of core op without a state, each between two parts of Loihi."""
    rng = np.random.default_rng(2)
    with tc.Network("arithmetic") as net:
        inputs = [tc.input(name, (6,)) for name in ("x", "z")]
        a, b = (tc.thermal_relu(tc.affine(x, rng.normal(size=(4, 6))), T=0.1) for x in inputs)
        parts = [
            *(a * b, a / (b + 0.5), tc.pow(a + 0.1, b), tc.sqrt(a), tc.log(b + 1.0), tc.exp(-a * b)),
            *(tc.minimum(a, b), tc.maximum(a, b), tc.select(a > b, a, 0.5 * b), tc.boltzmann(a, T=b + 0.2)),
            *(tc.cast(a >= b, dtype="f64"), tc.cast(tc.and_(a > 0.1, tc.not_(b > 0.2)), dtype="f64")),
            *(tc.sign(a * b), tc.floor(3 * a * b), tc.fermi_dirac(a, T=b + 0.3), tc.tanh(a * b), tc.abs(a * b - 1.0)),
            *(tc.reshape(tc.reduce(a, kind=kind, axes=(0,)), shape=(1,)) for kind in ("mean", "max", "min")),
            tc.flatten(tc.matmul(tc.reshape(a, shape=(2, 2)), tc.reshape(b, shape=(2, 2)))),
            tc.flatten(tc.transpose(tc.reshape(a * b, shape=(2, 2)), axes=(1, 0))),
        ]
        for number, part in enumerate(parts):
            tc.output(f"y{number}", tc.thermal_relu(tc.affine(part, rng.normal(size=(2, part.shape[0]))), T=0.05))
    return net
