"""Networks for a GPU, each in three sizes: what the goals name, a tenth of it, and a few units to hold bits against."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

import thermoc as tc
from thermoc import physics

FULL, QUICK, TINY = range(3)


class Subject(NamedTuple):
    """A network, how it is run, and how many updates a tick of all samples makes."""

    net: tc.Network
    precision: str
    batch: int
    updates: int


def ising(size: int) -> Subject:
    """A square lattice at T = 3 whose units share words of noise."""
    side, sweeps = (4096, 1024, 128)[size], (100, 100, 2)[size]
    with tc.Network("ising") as net:
        tc.output("s", tc.gibbs(3.0, physics.square_lattice(side), initial=1.0, sweeps=sweeps, draws="word"))
    return Subject(net, "float32", 1, side * side * sweeps)


def glass(size: int) -> Subject:
    """Couplings of -1 and +1 on a periodic lattice, by heat bath; replicas share words of noise."""
    side, replicas, sweeps = (512, 128, 8)[size], (1024, 1024, 64)[size], (20, 20, 2)[size]
    place = np.arange(side * side).reshape(side, side)
    rng, ends, values = np.random.default_rng(7), [], []
    for axis in (0, 1):
        J = rng.choice([-1.0, 1.0], place.size)
        other = np.roll(place, -1, axis)
        ends += [(place.reshape(-1), other.reshape(-1)), (other.reshape(-1), place.reshape(-1))]
        values += [J, J]
    rows, columns = (np.concatenate(part) for part in zip(*ends))
    J = csr_array((np.concatenate(values), (rows, columns)), shape=(side * side,) * 2)
    with tc.Network("glass") as net:
        tc.output("s", tc.gibbs(1.0, J, initial=1.0, sweeps=sweeps, draws="replica"))
    return Subject(net, "float32", replicas, side * side * replicas * sweeps)


def lif(size: int) -> Subject:
    """Integrating units, each with a drive of its own, which spike and are reset."""
    n = (10**6, 10**5, 50)[size]
    with tc.Network("lif", dt=1.0) as net:
        spikes, _ = tc.lif(tc.constant(np.random.default_rng(0).random(n) * 2), 20.0, v_threshold=1.0)
        tc.output("s", spikes)
    return Subject(net, "float32", 1, n)


def small_lif(size: int) -> Subject:
    """A thousand integrating units: what a tick takes that has little to do."""
    return Subject(lif(TINY).net, "float32", 1, 1)


def synapses(size: int) -> Subject:
    """Integrating units with random synapses, their currents decaying; an update is a synapse's, whether it is spiked
    through or not."""
    n, fan = ((10**6, 100), (10**5, 100), (60, 10))[size]
    rng = np.random.default_rng(0)
    columns = rng.integers(0, n, (n, fan), dtype=np.int32)
    columns.sort(axis=1)
    weights = rng.standard_normal(n * fan, dtype=np.float32) * np.float32(0.02)
    with tc.Network("synapses") as net:
        before = tc.placeholder((n,), role="spike", dtype="f32")
        arriving = tc.sparse_affine(tc.delay(before), weights, columns.reshape(-1), np.arange(n + 1) * fan)
        spikes, _ = tc.lif(tc.trace(arriving, 5.0) + 1.05, 20.0, v_threshold=1.0, initial=rng.random(n, np.float32))
        tc.connect(before, spikes)
        tc.output("s", spikes)
    return Subject(net, "float32", 1, n * fan)


def heat(size: int) -> Subject:
    """Heat that spreads on a square with cold walls, explicit Euler: a convolution a tick."""
    side, a = (4096, 1024, 12)[size], 0.2
    stencil = np.array([[0, a, 0], [a, 1 - 4 * a, a], [0, a, 0]])
    with tc.Network("heat") as net:
        hole = tc.placeholder((1, side, side))
        before = tc.delay(hole, np.random.default_rng(0).random((1, side, side)))
        spread = {"stride": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1)}
        after = tc.conv(before, stencil[np.newaxis, np.newaxis], **spread)
        tc.connect(hole, after)
        tc.output("T", after)
    return Subject(net, "float32", 1, side * side)


def rbm(size: int) -> Subject:
    """A restricted Boltzmann machine, 784 x 500, 128 chains."""
    visible, hidden, chains = ((784, 500, 128), (784, 500, 128), (20, 16, 3))[size]
    rng, sweeps = np.random.default_rng(0), (50, 50, 2)[size]
    J = np.zeros((visible + hidden,) * 2)
    J[:hidden, hidden:] = 0.08 * rng.normal(size=(hidden, visible))
    J[hidden:, :hidden] = J[:hidden, hidden:].T
    bias = 0.3 * rng.normal(size=visible + hidden)
    with tc.Network("rbm") as net:
        tc.output("s", tc.gibbs(1.0, J, bias, levels="binary", initial=0.0, sweeps=sweeps))
    return Subject(net, "float32", chains, sweeps)


def ou(size: int) -> Subject:
    """Coupled units, exact in law."""
    d = (1000, 1000, 12)[size]
    G = np.random.default_rng(0).normal(size=(d, d))
    with tc.Network("ou", dt=0.1) as net:
        tc.output("x", tc.ou_network(np.eye(d) + G @ G.T / d, 1.0))
    return Subject(net, "float32", 1, 1)


SUBJECTS: dict[str, Callable[[int], Subject]] = {
    function.__name__: function for function in (lif, heat, ou, rbm, glass, ising, synapses, small_lif)
}


def program_of(subject: Subject) -> Any:
    """Return the simulator's program."""
    exe: Any = tc.compile(subject.net, precision=subject.precision)
    return exe.artefact.program
