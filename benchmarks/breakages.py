"""Networks, and what may be wrong with their runs: a run is of a broken one, its certificate of the right one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import thermoc as tc
from thermoc import physics
from thermoc.certificates import Certificate, certificate
from thermoc.ir.dialects import core, diffusive, heat, langevin, sampling, thermo
from thermoc.ir.graph import Graph
from thermoc.ir.values import Array
from thermoc.passes import discretize
from thermoc.session import run_again

RING = np.roll(np.eye(6), 1, 0) + np.roll(np.eye(6), -1, 0)
Broken = Callable[[Graph], Graph]


# ------------------------------------------------------------------------------------------------------ networks


def ornstein_uhlenbeck() -> tc.Network:
    """Sixteen memories."""
    with tc.Network("memories", dt=0.3) as net:
        tc.output("m", tc.memory(np.linspace(-1, 1, 16), 0.7, 1.3))
    return net


def springs() -> tc.Network:
    """Three coupled springs."""
    with tc.Network("springs", dt=0.4) as net:
        tc.output("x", tc.ou_network(np.array([[2.0, 0.5, 0], [0.5, 1.0, 0], [0, 0, 3.0]]), 0.6, [0.3, 0.0, -1.0]))
    return net


def ring() -> tc.Network:
    """Six spins on a ring."""
    with tc.Network("ring") as net:
        tc.output("s", tc.gibbs(2.0, RING, 0.1))
    return net


def lattice() -> tc.Network:
    """An Ising lattice of 16 x 16."""
    with tc.Network("lattice") as net:
        tc.output("s", tc.gibbs(3.0, physics.square_lattice(16)))
    return net


def small_lattice() -> tc.Network:
    """An Ising lattice of 6 x 6."""
    with tc.Network("small lattice") as net:
        tc.output("s", tc.gibbs(3.0, physics.square_lattice(6)))
    return net


def p_bits() -> tc.Network:
    """Sixteen p-bits."""
    with tc.Network("p-bits") as net:
        tc.output("s", tc.sample_binary(np.linspace(-2, 2, 16), 0.7))
    return net


def categories() -> tc.Network:
    """Four units of five categories each, whose energies change from tick to tick."""
    with tc.Network("categories") as net:
        tc.output("s", tc.sample_categorical(tc.normal(shape=(4, 5)), 0.7))
    return net


def noises() -> tc.Network:
    """Noise, normals and uniforms."""
    with tc.Network("noises", dt=0.2) as net:
        tc.output("n", tc.noise(0.3, 2.0, shape=(8,)))
        tc.output("u", tc.uniform(shape=(8,)))
    return net


def nodes() -> tc.Network:
    """A thermal network of three nodes that one source heats."""
    with tc.Network("nodes", dt=0.3) as net:
        G = np.array([[0, 1.0, 0.2], [1.0, 0, 0.7], [0.2, 0.7, 0]])
        tc.output("T", tc.heat_network([0.3, 0.0, 0.0], [1.0, 2.0, 0.5], G, 1.5, 0.3, 1.0)[0])
    return net


def trembling() -> tc.Network:
    """Six nodes on a ring in equilibrium with their reservoir, whose temperatures fluctuate."""
    with tc.Network("trembling", dt=0.3) as net:
        tc.output("T", tc.heat_network(0.0, [1.0, 2.0, 0.5, 1.0, 1.5, 1.0], RING, 1.0, 0.1, 1.0, k_B=1e-4)[0])
    return net


def exchange() -> tc.Network:
    """Units that exchange heat on a ring."""
    with tc.Network("exchange", dt=0.2) as net:
        tc.output("T", tc.heat_exchange(RING, np.arange(1.0, 7.0), 0.1))
    return net


def rod() -> tc.Network:
    """A rod between fixed walls."""
    with tc.Network("rod", dt=0.2) as net:
        tc.output("T", tc.diffusion(np.arange(1.0, 17.0), 0.3, D=0.7, boundary="fixed")[0])
    return net


def scheduled() -> tc.Network:
    """Spins on a ring that cool to a floor."""
    with tc.Network("scheduled") as net:
        T = tc.schedule(kind="exponential", T0=3.0, parameter=60.0, T_min=2.0)
        tc.output("s", tc.gibbs(T, RING))
    return net


def oscillator(dt: float = 0.1) -> tc.Network:
    """A particle on a spring, by BAOAB; omega = 1."""
    with tc.Network("oscillator", dt=dt) as net:
        f = tc.placeholder((4,))
        x, w = tc.langevin(f, 0.6, friction=1.5)
        tc.connect(f, -x)
        tc.output("x", x)
        tc.output("v", tc.velocity(w, -x))
    return net


def brownian() -> tc.Network:
    """Brownian particles that a force confines."""
    with tc.Network("brownian", dt=0.1) as net:
        f = tc.placeholder((4,))
        x = tc.brownian(f, 0.4)
        tc.connect(f, -x)
        tc.output("x", x)
    return net


def gas(dt: float = 0.01) -> tc.Network:
    """Eight atoms in a box without friction; too long a step makes their energy drift."""
    x0 = np.stack(np.meshgrid([1.0, 3.0], [1.0, 3.0], [1.0, 3.0]), axis=-1).reshape(8, 3)
    with tc.Network("gas", dt=dt) as net:
        f = tc.placeholder((8, 3))
        velocity = 0.5 * np.random.default_rng(0).normal(size=(8, 3))
        x, _ = tc.langevin(f, 1.0, friction=0.0, initial=x0, velocity=velocity)
        tc.connect(f, tc.pair_force(x, kind="lennard_jones", cutoff=2.0, shift=True, box=(4.0, 4.0, 4.0))[0])
        tc.output("x", x)
    return net


def free() -> tc.Network:
    """Brownian particles that nothing holds."""
    with tc.Network("free", dt=0.1) as net:
        tc.output("x", tc.brownian(tc.constant(np.zeros(4)), 0.4))
    return net


def equations() -> tc.Network:
    """Units by their stochastic differential equation."""
    with tc.Network("equations", dt=0.1) as net:
        units = tc.dynamics("dx/dt = -0.5 * x + 0.7 * xi : 1", n=4, method="euler")
        tc.output("x", units["x"])
    return net


# ----------------------------------------------------------------------------------------------------- breakages


def scaled(cls: type, name: str, factor: float) -> Broken:
    """Return what multiplies an operand that is a constant, or an attribute, of every op of a class."""

    def broken(graph: Graph) -> Graph:
        ops = {op.results[0].name: op for op in graph.ops if op.results}
        for op in [op for op in graph.ops if type(op) is cls]:
            value: Any = getattr(op, name)
            if isinstance(value, float):
                ops[op.results[0].name] = op.with_(**{name: value * factor})
            else:
                constant: Any = graph.producers[value.name]
                ops[value.name] = constant.with_(value=Array(constant.value.numpy * factor))
        return graph.with_ops(ops[op.results[0].name] if op.results else op for op in graph.ops)

    return broken


@contextmanager
def noise_of_memories(noise: Callable[..., Any]) -> Iterator[None]:
    """Give memories another noise: ``noise(op, w)`` in the place of standard normals."""
    right = discretize.STEPS.entries[thermo.Memory]

    def memory(op: thermo.Memory, w: Any) -> Any:
        m, decay = w.delay(op.m, op.initial), -w[op.gamma] * w.dt
        gain, spread = -w.expm1(decay) / op.gamma, w.sqrt(w[op.T] * -w.expm1(decay * 2.0))
        w.feed(m, w.exp(decay) * m + gain * op.x + spread * noise(op, w))
        return m

    discretize.STEPS.entries[thermo.Memory] = memory
    try:
        yield
    finally:
        discretize.STEPS.entries[thermo.Memory] = right


def uniform_noise(op: thermo.Memory, w: Any) -> Any:
    """Uniform numbers of mean 0 and variance 1."""
    return (w(thermo.Uniform, shape=op.m.shape, stream=op.stream, dtype=w.dtype) - 0.5) * np.sqrt(12.0)


def paired_noise(op: thermo.Memory, w: Any, sign: float = 1.0) -> Any:
    """Normals that two units share."""
    half = w(thermo.Normal, shape=(op.m.shape[0] // 2,), stream=op.stream, dtype=w.dtype)
    return w(core.Concat, xs=(half, half * sign), axis=0)


def opposite_noise(op: thermo.Memory, w: Any) -> Any:
    """Normals of which each has its opposite."""
    return paired_noise(op, w, -1.0)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A network, what is wrong with its run, and how long the run is."""

    what: str
    network: Callable[[], tc.Network]
    broken: Broken = lambda graph: graph
    noise: Callable[..., Any] | None = None

    def certified(self, *, ticks: int, batch: int, seed: int) -> Certificate:
        """Return the certificate of the right network, of a run of the broken one."""
        if self.noise is not None:
            with noise_of_memories(self.noise):
                return tc.certify(tc.compile(self.network()).run(ticks=ticks, batch=batch, seed=seed))
        right = tc.compile(self.network())
        with _repeating(self.broken):
            wrong = tc.compile(self.broken(right.source)).run(ticks=ticks, batch=batch, seed=seed)
            assert wrong.call is not None
            return tc.certify(replace(wrong, call=replace(wrong.call, executable=right)))


@contextmanager
def _repeating(broken: Broken) -> Iterator[None]:
    """Let certificates repeat their runs of the broken network."""
    right = certificate._repeated

    def repeated(compiled: Any, call: Any) -> Any:
        return run_again(compiled.recompiled(broken(compiled.source)), call).outputs

    certificate._repeated = repeated
    try:
        yield
    finally:
        certificate._repeated = right


CASES = (
    Case(what="noise uniform instead of normal", network=ornstein_uhlenbeck, noise=uniform_noise),
    Case(what="draws shared by pairs of units", network=ornstein_uhlenbeck, noise=paired_noise),
    Case(what="draws opposite by pairs of units", network=ornstein_uhlenbeck, noise=opposite_noise),
    Case(what="memory: temperature x1.05", network=ornstein_uhlenbeck, broken=scaled(thermo.Memory, "T", 1.05)),
    Case(what="memory: gamma x1.05", network=ornstein_uhlenbeck, broken=scaled(thermo.Memory, "gamma", 1.05)),
    Case(what="springs: temperature x1.05", network=springs, broken=scaled(diffusive.OuNetwork, "T", 1.05)),
    Case(what="springs: K x1.05", network=springs, broken=scaled(diffusive.OuNetwork, "K", 1.05)),
    Case(what="Gibbs, ring: temperature x1.05", network=ring, broken=scaled(sampling.Gibbs, "T", 1.05)),
    Case(what="Gibbs, lattice: temperature x1.005", network=lattice, broken=scaled(sampling.Gibbs, "T", 1.005)),
    Case(what="p-bits: temperature x1.05", network=p_bits, broken=scaled(thermo.SampleBinary, "T", 1.05)),
    Case(what="categorical: temperature x1.05", network=categories, broken=scaled(thermo.SampleCategorical, "T", 1.05)),
    Case(what="categorical: temperature x100", network=categories, broken=scaled(thermo.SampleCategorical, "T", 100.0)),
    Case(what="categorical: drives reversed", network=categories, broken=lambda graph: _reversed(graph)),
    Case(what="noise: temperature x1.05", network=noises, broken=scaled(thermo.Noise, "T", 1.05)),
    Case(what="heat network: conductances x1.05", network=nodes, broken=scaled(heat.HeatNetwork, "conductance", 1.05)),
    Case(
        what="fluctuating heat network: conductances x1.05",
        network=trembling,
        broken=scaled(heat.HeatNetwork, "conductance", 1.05),
    ),
    Case(what="diffusion: D x1.05", network=rod, broken=scaled(heat.Diffusion, "D", 1.05)),
    Case(what="heat exchange: gamma x1.05", network=exchange, broken=scaled(heat.HeatExchange, "gamma", 1.05)),
    Case(what="heat exchange: J x1.05", network=exchange, broken=scaled(heat.HeatExchange, "J", 1.05)),
    Case(what="schedule: T0 x1.05", network=scheduled, broken=scaled(thermo.Schedule, "T0", 1.05)),
    Case(what="schedule: its time x1.05", network=scheduled, broken=scaled(thermo.Schedule, "parameter", 1.05)),
    Case(what="spring at omega dt = 1", network=lambda: oscillator(1.0)),
    Case(what="gas without friction: energy drifts", network=lambda: gas(0.04)),
    Case(what="Langevin: friction x1.1", network=oscillator, broken=scaled(langevin.Langevin, "friction", 1.1)),
    Case(what="Langevin: temperature x1.05", network=oscillator, broken=scaled(langevin.Langevin, "T", 1.05)),
    Case(what="Brownian: temperature x1.05", network=brownian, broken=scaled(langevin.Brownian, "T", 1.05)),
)
"""What must not pass."""
HONEST = (
    *(ornstein_uhlenbeck, springs, ring, small_lattice, p_bits, categories, noises, nodes, trembling),
    *(brownian, oscillator, scheduled),
)
"""Twelve networks, of which every run must pass."""


def _reversed(graph: Graph) -> Graph:
    """Return the graph in which categories are drawn by their energies times -1."""
    (op,) = (op for op in graph.ops if isinstance(op, thermo.SampleCategorical))
    turned: Any = op.x.__class__(f"{op.x.name}.turned", op.x.type)
    ops = [*(one for one in graph.ops if one is not op)]
    neg: Any = core.Neg
    negated = neg(x=op.x, y=turned)
    place = max(k for k, one in enumerate(ops) if any(result.name == op.x.name for result in one.results))
    ops[place + 1 : place + 1] = [negated, op.with_(x=turned)]
    return graph.with_ops(ops)
