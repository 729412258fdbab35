"""Every op in small networks, with operands that vary over the batch or are uniform: one table for every target."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

import thermoc as tc
from thermoc.ir.handle import Handle

TICKS, BATCH, SEED = 3, 2, 2**40 + 7
RNG = np.random.default_rng(0)


class Givens:
    """Operands: named inputs, or values that depend on the tick alone (the same for every sample)."""

    def __init__(self, varying: Callable[[int], bool]):
        self.varying, self.count = varying, 0

    def __call__(self, *shape: int, dtype: str = "f64") -> Handle:
        self.count += 1
        if self.varying(self.count):
            return tc.input(f"x{self.count}", shape, dtype=dtype)
        clock = tc.sin(tc.cast(tc.tick(), dtype="f64") + RNG.normal(size=shape) * 2)
        return clock if dtype == "f64" else tc.cast(clock * 3, dtype=dtype)

    def positive(self, *shape: int) -> Handle:
        """An operand of at least 0.2."""
        return tc.abs(self(*shape)) + 0.2


VARYING = {
    "all vary": lambda number: True,
    "first is uniform": lambda number: number > 1,
    "last is uniform": lambda number: number == 1,
    "all uniform": lambda number: False,
}


def weights(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).normal(size=shape)


def unary(function: Callable[..., Handle]) -> Callable[[Givens], Handle]:
    return lambda x: function(x(2, 3))


def binary(function: Callable[..., Handle]) -> Callable[[Givens], Handle]:
    return lambda x: function(x(2, 3), x(3))


def raised(function: Callable[..., Handle]) -> Callable[[Givens], Handle]:
    """The operand of lower rank comes first."""
    return lambda x: function(x(3), x(2, 3))


def sparse(x: Handle, **more: Any) -> Handle:
    return tc.sparse_affine(x, weights(5), np.array([1, 3, 0, 3, 3]), np.array([0, 2, 2, 4, 5]), **more)


def fired(x: Givens) -> Handle:
    return tc.lif_step(5 * x(4), 0.9)[0]


def coupled(n: int) -> np.ndarray:
    J = weights(n, n)
    return (J + J.T) * (1 - np.eye(n))


def stiff(n: int) -> np.ndarray:
    G = weights(n, n)
    return np.eye(n) + G @ G.T / n


def even(*shape: int, top: int = 120) -> np.ndarray:
    """Weights of Loihi's synapses: even numbers."""
    return 2 * np.random.default_rng(shape).integers(-top // 2, top // 2, shape)


def delays(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).integers(0, 2, shape, endpoint=True)


def compressed(x: Handle, **more: Any) -> Handle:
    return tc.loihi.sparse(x, even(5), np.array([1, 3, 0, 3, 3]), np.array([0, 2, 2, 4, 5]), **more)


def whole(x: Givens, *shape: int) -> Handle:
    return x(*shape, dtype="i32")


def driven(x: Givens) -> Handle:
    """Integer units of which some fire."""
    return tc.loihi.lif(whole(x, 4), [100, 3, -9, 0], vth=1, bias_exp=1)[0]


def integer_loop(x: Givens) -> Handle:
    hole = tc.placeholder((4,), dtype="i32", role="spike")
    back = tc.loihi.dense(hole, even(4, 4), weight_exp=1)
    s = tc.loihi.lif(tc.loihi.dendrite((whole(x, 4), back)), du=400, dv=100, vth=3)[0]
    tc.connect(hole, s)
    return s


def ring(n: int) -> np.ndarray:
    return np.roll(np.eye(n), 1, 0) + np.roll(np.eye(n), -1, 0)


CORNERS = np.array([[0.0, 0.0, 0.0], [1.2, 0.0, 0.0], [0.0, 1.2, 0.0], [0.0, 0.0, 2.6]])


def conv(x: Handle, weight: np.ndarray, bias: Any = None, **attrs: Any) -> Handle:
    rank = weight.ndim - 2
    plain = {"stride": (1,) * rank, "padding": ((0, 0),) * rank, "dilation": (1,) * rank}
    return tc.conv(x, weight, bias, **plain | attrs)


def pool(kind: str, *, rank: int = 2) -> Callable[[Givens], Handle]:
    attrs = {"window": (3, 2), "stride": (2, 1), "padding": ((1, 0), (0, 1))}
    cut = {name: value[:rank] for name, value in attrs.items()}
    return lambda x: tc.pool(x(3, 6, 5) if rank == 2 else x(3, 6), kind=kind, **cut)


def placeholder_loop(x: Givens) -> Handle:
    hole = tc.placeholder((3,))
    y = tc.tanh(x(3) + tc.delay(hole, np.array([0.1, 0.2, 0.3])))
    tc.connect(hole, y)
    return y


def levels(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).integers(0, 4, shape).astype(float)


def product(x: Handle, **attrs: Any) -> Handle:
    """A product through pairs of memristors: two slices, arrays of three inputs and two outputs."""
    n, m = x.shape[-1], 5
    given = {"rows": 3, "columns": 2, "cell_bits": 2, "g_min": 1e-6, "g_max": 1e-4}
    return tc.mvm(x, levels(2, n, m), levels(2, n, m)[:, ::-1], **given | attrs)


PAIR = "dv/dt = (v_rest - v + r*x)/tau : 1\ndT/dt = (P*v - G*(T - T0))/C : 1"
FUNCTIONS = """
dv/dt = exp(-x*x) + expm1(x)/9 + exprel(x) + log(1 + x**2) + sqrt(abs(x)) + sin(x)*cos(x) + tan(x/9) : 1
du/dt = sinh(x/3) - cosh(x/3) - tanh(v) : 1
dw/dt = sign(x) + floor(3*x) - ceil(2*x) + clip(x, -0.5, 0.5) + int(x > 0 and v < 1 or not (w >= 0)) - w : 1
"""
PAIR_NUMBERS = {"v_rest": 0.2, "r": 2.0, "tau": 1.5, "P": 0.7, "G": 0.5, "T0": 1.0, "C": 2.0}


def units(equations: str, **how: Any) -> tuple[Handle, ...]:
    return tuple(tc.dynamics(equations, **how).values())


def device(model: str, voltage: Handle, **how: Any) -> tuple[Handle, ...]:
    return tuple(tc.device(model, voltage, **how).values())


def device_step(x: Handle) -> Handle:
    """A tick of three heaters, at 300 K before."""
    now = np.zeros((3, 9))
    now[:, 0] = 300.0
    rows = {"parameters": [[1e-3]], "circuit": [[0, 0, 0, 1e-5, 1e-13]], "domain": [[2000.0, -1e38, 1e38]]}
    rows |= {"scale": [300.0, 0, 0], "ends": [[0, 1]], "link": [2e-6]}
    arrays = {name: np.array(row, int if name == "ends" else float) for name, row in rows.items()}
    how = {"model": "rc", "method": "euler", "h": 1e-9, "steps": 2, "tolerance": 1e-8}
    return tc.device_step(now, x, np.full(3, 300.0), **arrays, **how)


DIGITAL = {"input_bits": 7, "dac_bits": 2, "adc_bits": 5, "x_max": 2.0, "adc_range": 20.0}


CASES: dict[str, Callable[[Givens], Any]] = {
    "core.input": lambda x: x(3),
    "core.output": lambda x: tc.output("again", x(3)),
    "core.probe": lambda x: tc.probe("again", x(3)),
    "core.parameter": lambda x: tc.affine(x(4), tc.parameter("W", weights(3, 4)), tc.parameter("b", weights(3))),
    "core.parameter, of an energy": lambda x: tc.boltzmann(-tc.affine(x(4), tc.parameter("W", weights(3, 4))), 0.5),
    "core.constant": lambda x: tc.constant(weights(2, 3)),
    "core.constant, next to an input": lambda x: (x(3), tc.constant(weights(2))),
    "core.tick": lambda x: tc.tick(),
    "core.delay": lambda x: tc.delay(x(3)),
    "core.delay, by three": lambda x: tc.delay(x(2, 3), weights(3), ticks=3),
    "core.delay, of truth": lambda x: tc.delay(x(3) < 0.0, False, ticks=2),
    "core.delay, in a cycle": placeholder_loop,
    "core.affine": lambda x: tc.affine(x(4), weights(3, 4), weights(3)),
    "core.affine, no bias": lambda x: tc.affine(x(4), weights(3, 4)),
    "core.affine, rank 3": lambda x: tc.affine(x(2, 3, 4), weights(5, 4), weights(5)),
    "core.affine, computed weights": lambda x: tc.affine(x(4), weights(3, 4) * tc.cast(tc.tick(), dtype="f64")),
    "core.sparse_affine": lambda x: sparse(x(4), bias=weights(4)),
    "core.sparse_affine, no bias": lambda x: sparse(x(4)),
    "core.matmul": lambda x: tc.matmul(x(2, 3, 4), x(2, 4, 5)),
    "core.conv": lambda x: conv(x(4, 5, 6), weights(6, 4, 3, 2), weights(6)),
    "core.conv, 1d": lambda x: conv(x(2, 7), weights(3, 2, 3), padding=((2, 0),), stride=(2,)),
    "core.conv, all options": lambda x: conv(
        x(4, 7, 6),
        weights(6, 2, 3, 2),
        weights(6),
        stride=(2, 1),
        padding=((2, 1), (0, 3)),
        dilation=(2, 3),
        groups=2,
    ),
    "crossbar.mvm": lambda x: product(x(7), scale=0.1, **DIGITAL),
    "crossbar.mvm, exact": lambda x: product(x(2, 7), scale=weights(5)),
    "crossbar.mvm, one reading": lambda x: product(x(7), **DIGITAL | {"dac_bits": 0}),
    "crossbar.mvm, exact conversion": lambda x: product(x(7), **DIGITAL | {"adc_bits": 0}),
    "crossbar.mvm, resistive wires": lambda x: product(x(7), r_word=50.0, r_bit=20.0, **DIGITAL),
    "crossbar.mvm, noise and warmth": lambda x: product(
        x(2, 7), z=x(2, 3, 4, 2, 5), gain=x.positive(), read_noise=0.05, **DIGITAL
    ),
    "crossbar.mvm, warmth of each array": lambda x: product(x(2, 7), gain=x.positive(3, 5), **DIGITAL),
    "crossbar.mvm, warmth of each output": lambda x: product(x(7), gain=x.positive(5), adc_bits=4, adc_range=9.0),
    "crossbar.mvm, noise of analogue inputs": lambda x: product(
        x(4), z=tc.normal(shape=(2, 1, 2, 5)), read_noise=0.05, r_bit=20.0
    ),
    "core.pool, max": pool("max"),
    "core.pool, mean": pool("mean"),
    "core.pool, sum": pool("sum"),
    "core.pool, max 1d": pool("max", rank=1),
    "core.pool, mean 1d": pool("mean", rank=1),
    "core.pool, sum 1d": pool("sum", rank=1),
    "core.reshape": lambda x: tc.reshape(x(2, 6), shape=(3, 4)),
    "core.reshape, from one element": lambda x: tc.reshape(x(1, 1), shape=()),
    "core.flatten": lambda x: tc.flatten(x(2, 3)),
    "core.transpose": lambda x: tc.transpose(x(2, 3, 4), axes=(2, 0, 1)),
    "core.broadcast": lambda x: tc.broadcast(x(1, 3), shape=(2, 4, 3)),
    "core.concat": lambda x: tc.concat((x(2, 3), x(2, 1), x(2, 2)), axis=-1),
    "core.slice": lambda x: tc.slice(x(5, 6), starts=(1, 0), stops=(5, 6), steps=(2, 1)),
    "core.neg": unary(tc.neg),
    "core.abs": unary(tc.abs),
    "core.sign": lambda x: tc.sign(tc.floor(x(7))),
    "core.exp": unary(tc.exp),
    "core.expm1": lambda x: tc.expm1(x(7) * np.array([1e-9, 1e-3, 0.1, 1.0, 3.0, 10.0, 30.0])),
    "core.log": lambda x: tc.log(x.positive(3)),
    "core.sqrt": lambda x: tc.sqrt(x.positive(3)),
    "core.sin": unary(tc.sin),
    "core.cos": unary(tc.cos),
    "core.tanh": unary(tc.tanh),
    "core.floor": lambda x: tc.floor(3 * x(4)),
    "core.add": binary(tc.add),
    "core.add, raised": raised(tc.add),
    "core.sub": binary(tc.sub),
    "core.sub, raised": raised(tc.sub),
    "core.mul": binary(tc.mul),
    "core.div": lambda x: tc.div(x(2, 3), x.positive(3)),
    "core.pow": lambda x: tc.pow(x.positive(2, 3), x(3)),
    "core.minimum, between two sums": lambda x: tc.affine(
        tc.minimum(tc.maximum(tc.affine(x(5), weights(4, 5)), tc.affine(x(5), weights(4, 5) ** 2)), 0.7), weights(2, 4)
    ),
    "core.minimum": binary(tc.minimum),
    "core.maximum": raised(tc.maximum),
    "core.less": binary(tc.less),
    "core.less, of integers": lambda x: tc.less(x(3, dtype="i64"), x(3, dtype="i32")),
    "core.less_equal": binary(tc.less_equal),
    "core.greater": raised(tc.greater),
    "core.greater_equal": lambda x: tc.greater_equal(x(3), x(3, dtype="i32")),
    "core.equal": lambda x: tc.equal(tc.floor(x(5)), tc.floor(x(5))),
    "core.and": lambda x: tc.and_(x(2, 3) > 0.0, x(3) > 0.0),
    "core.or": lambda x: tc.or_(x(3) > 0.0, x(2, 3) > 0.0),
    "core.not": lambda x: tc.not_(x(3) > 0.0),
    "core.select": lambda x: tc.select(x(3) > 0.0, x(2, 1), x(2, 3)),
    "core.cast": lambda x: tc.cast(3 * x(5), dtype="i32"),
    "core.cast, of truth": lambda x: tc.cast(x(5) > 0.0, dtype="f64"),
    "core.cast, to truth": lambda x: tc.cast(tc.floor(x(5)), dtype="bool"),
    "core.reduce, sum": lambda x: tc.reduce(x(2, 3, 4), kind="sum", axes=(0, 2)),
    "core.reduce, mean": lambda x: tc.reduce(x(2, 3), kind="mean", axes=(0, 1)),
    "core.reduce, max": lambda x: tc.reduce(x(2, 3), kind="max", axes=(1,)),
    "core.reduce, min": lambda x: tc.reduce(x(2, 3), kind="min", axes=(0,)),
    "core.reduce, argmax": lambda x: tc.reduce(tc.floor(3 * x(2, 9)), kind="argmax", axes=(1,)),
    "core.reduce, argmin": lambda x: tc.reduce(tc.floor(3 * x(2, 9)), kind="argmin", axes=(1,)),
    "core.reduce, nothing": lambda x: tc.reduce(x(2, 3), kind="sum", axes=()),
    "thermo.boltzmann": lambda x: tc.boltzmann(x(2, 5), T=0.2),
    "thermo.boltzmann, between two sums": lambda x: tc.affine(
        tc.boltzmann(tc.affine(x(5), weights(4, 5)), T=0.4), weights(2, 4)
    ),
    "thermo.boltzmann, T varies": lambda x: tc.boltzmann(x(2, 5), T=x.positive(2, 1)),
    "thermo.fermi_dirac": lambda x: tc.fermi_dirac(30 * x(2, 5), T=0.2, mu=0.1),
    "thermo.fermi_dirac, T varies": lambda x: tc.fermi_dirac(x(2, 5), T=x.positive(5), mu=x(2, 1)),
    "thermo.thermal_relu": lambda x: tc.thermal_relu(x(5), T=0.2),
    "thermo.thermal_relu, T varies": lambda x: tc.thermal_relu(x(2, 5), T=x.positive()),
    "thermo.maxwell_boltzmann": lambda x: tc.maxwell_boltzmann(x(5), T=0.2),
    "thermo.normal": lambda x: tc.normal(shape=(3,), stream=2**20),
    "thermo.normal, of a scalar": lambda x: x(3) + tc.normal(shape=()),
    "thermo.uniform": lambda x: tc.uniform(shape=(2, 3)),
    "thermo.sample_binary": lambda x: tc.sample_binary(x(4), T=0.5),
    "thermo.sample_binary, spins": lambda x: tc.sample_binary(x(2, 3), T=x.positive(3), levels="spin"),
    "thermo.sample_categorical": lambda x: tc.sample_categorical(x(5), T=0.5),
    "thermo.sample_categorical, T varies": lambda x: tc.sample_categorical(x(2, 5), T=x.positive(2, 1)),
    "thermo.gibbs": lambda x: tc.gibbs(x.positive(), coupled(4), x(4)),
    "thermo.gibbs, of bits, T a unit": lambda x: tc.gibbs(x.positive(4), coupled(4), levels="binary", initial=0.0),
    "thermo.gibbs, sparse, T a sweep": lambda x: tc.gibbs(x.positive(3, 1), csr_array(ring(6)), 0.1, sweeps=3),
    "thermo.gibbs, at once": lambda x: tc.gibbs(x.positive(), coupled(4), order="parallel", sweeps=2),
    "thermo.gibbs, words shared by units": lambda x: tc.gibbs(x.positive(), csr_array(ring(6)), draws="word"),
    "thermo.gibbs, words shared by samples": lambda x: tc.gibbs(x.positive(), coupled(3), draws="replica"),
    "thermo.gibbs_sweeps": lambda x: tc.gibbs_sweeps(tc.sign(x(6)), x.positive(), ring(6), sweeps=2),
    "thermo.ising_energy": lambda x: tc.ising_energy(tc.sign(x(4)), coupled(4), x(4)),
    "thermo.ising_energy, sparse": lambda x: tc.ising_energy(tc.sign(x(6)), csr_array(ring(6))),
    "thermo.heat_exchange": lambda x: tc.heat_exchange(ring(4), weights(4) ** 2 + 0.1, gamma=x.positive()),
    "thermo.heat_exchange, to a layer": lambda x: tc.heat_exchange(ring(4), 1.0, T_layer=x.positive()),
    "thermo.heat_network": lambda x: tc.heat_network(x(4), 2.0, ring(4), 1.0),
    "thermo.heat_network, noise and ripple": lambda x: tc.heat_network(
        x(4),
        weights(4) ** 2 + 0.5,
        ring(4),
        2.0,
        ambient=np.array([0.0, 0.3, 0.0, 0.1]),
        T_ambient=x.positive(),
        ripple=x(4),
        frequency=0.3,
        k_B=0.01,
    ),
    "thermo.diffusion": lambda x: tc.diffusion(weights(5) ** 2 + 0.1, D=0.3),
    "thermo.diffusion, fixed": lambda x: tc.diffusion(
        weights(3, 4) ** 2 + 0.1, x(3, 4), x.positive(), D=0.3, boundary="fixed", spacing=0.7
    ),
    "thermo.diffusion, periodic": lambda x: tc.diffusion(weights(3, 2, 2) ** 2 + 0.1, x(2), D=0.3, boundary="periodic"),
    "thermo.entropy_production": lambda x: tc.entropy_production(x.positive(4), ring(4)),
    "thermo.order_parameter": lambda x: tc.order_parameter(x(2, 3)),
    "thermo.clamp": lambda x: tc.clamp(x.positive(4), x.positive(4), T_min=0.5, T_max=1.5),
    "thermo.reservoir": lambda x: tc.reservoir(x(2, 3), temperature=2.0),
    "thermo.noise": lambda x: tc.noise(T=x.positive(3), shape=(2, 3)),
    "thermo.memory": lambda x: tc.memory(x(3), T=0.5, gamma=2.0, initial=weights(3)),
    "thermo.ou_network": lambda x: tc.ou_network(stiff(3), x.positive(), x(3), mobility=0.7, initial=weights(3)),
    "thermo.ou_network, at rest": lambda x: tc.ou_network(stiff(12), 0.5),
    "thermo.schedule, exponential": lambda x: tc.schedule(kind="exponential", T0=1.0, parameter=2.0, T_min=0.01),
    "thermo.schedule, linear": lambda x: tc.schedule(kind="linear", T0=1.0, parameter=9.0, T_min=0.01),
    "thermo.schedule, power": lambda x: tc.schedule(kind="power", T0=1.0, parameter=0.5, T_min=0.01),
    "thermo.adaptive_schedule": lambda x: tc.adaptive_schedule(x.positive(), T0=2.0, T_min=0.1),
    "thermo.adaptive_schedule, of a known capacity": lambda x: tc.adaptive_schedule(4.0, T0=2.0, T_min=0.1),
    "thermo.adaptive_schedule, measured": lambda x: tc.adaptive_schedule(energy=x() * 3, T0=2.0, T_min=0.1, window=2.0),
    "thermo.brownian": lambda x: tc.brownian(x(3), 0.5, x.positive(3)),
    "thermo.brownian, with stiffness": lambda x: tc.brownian(x(3), x.positive(), 2.0, np.array([0.5, 1.0, 3.0])),
    "thermo.langevin": lambda x: tc.langevin(x(3, 2), x.positive(), np.array([[1.0], [2.0], [0.5]]), velocity=0.3),
    "thermo.langevin, no friction": lambda x: tc.langevin(x(3), 1.0, friction=0.0, initial=weights(3)),
    "thermo.velocity": lambda x: tc.velocity(x(3), x(3), 2.0),
    "thermo.kinetic_energy": lambda x: tc.kinetic_energy(x(3, 2), x.positive(3, 1)),
    "thermo.pair_force": lambda x: tc.pair_force(CORNERS + 0.1 * tc.tanh(x(4, 3)), 0.5, 1.1, kind="lennard_jones"),
    "thermo.pair_force, harmonic": lambda x: tc.pair_force(x(3, 2), x.positive(), kind="harmonic"),
    "thermo.pair_force, coulomb": lambda x: tc.pair_force(x(3, 2), charge=x(3), kind="coulomb", softening=0.3),
    "thermo.pair_force, in a box": lambda x: tc.pair_force(
        CORNERS + 0.1 * tc.tanh(x(4, 3)), kind="lennard_jones", cutoff=1.4, shift=True, box=(3.0, 3.0, 4.0)
    ),
    "thermo.pair_force, table": lambda x: tc.pair_force(
        x(4, 2), grid=np.array([0.1, 0.5, 2.0, 3.0]), energies=np.array([3.0, 1.0, -1.0, 0.0]), kind="table"
    ),
    "thermo.pair_force, of a state": lambda x: tc.pair_force(tc.trace_step(x(3, 2), 0.5), kind="harmonic"),
    "thermo.bond_force": lambda x: tc.bond_force(x(4, 3), [0, 1, 3], [1, 2, 0], 2.0, [0.5, 0.0, 1.0], box=(2.0,) * 3),
    "thermo.bonds": lambda x: tc.bonds(x(4, 3), [0, 1, 3], [1, 2, 0], -1.5, r_form=1.5, r_break=2.5),
    "thermo.observables": lambda x: tc.observables(x(2, 3), T=x.positive()),
    "thermo.ode": lambda x: units(PAIR, n=3, inputs={"x": x(3)}, constants=PAIR_NUMBERS),
    "thermo.ode, spiking": lambda x: units(
        "dv/dt = (3*x - v)/tau : 1 (unless refractory)\ndw/dt = -w : 1",
        inputs={"x": x(4), "tau": weights(4) ** 2 + 1},
        initial={"v": weights(4)},
        threshold="v > 0.3 + w",
        reset="v = 0; w += 0.1",
        refractory=0.5,
        method="euler",
    ),
    "thermo.ode, rk4": lambda x: units(
        "dv/dt = v - v**3/3 - w + x : 1\ndw/dt = 0.08*(v + 0.7 - 0.8*w) : 1", inputs={"x": x(2, 3)}, method="rk4"
    ),
    "thermo.ode, midpoint, in time": lambda x: units(
        "dv/dt = sin(t) - tanh(v) + x : 1", inputs={"x": x(3)}, method="rk2"
    ),
    "thermo.ode, heun": lambda x: units("dv/dt = clip(x, -1, 1) - v*abs(v) : 1", inputs={"x": x(3)}, method="heun"),
    "thermo.ode, exponential euler": lambda x: units(
        "a = exp(-abs(x)) : 1\ndm/dt = a*(1 - m) - m*(1 + int(x > 0)) : 1",
        inputs={"x": x(3)},
        method="exponential_euler",
    ),
    "thermo.ode, functions": lambda x: units(FUNCTIONS, inputs={"x": x(5)}, method="euler"),
    "thermo.ode, choices": lambda x: units(
        "dv/dt = where(x > v, min(x, 0.5), max(x, -0.5)) - abs(v)**1.5 + (2 + x**2)**-3 : 1",
        inputs={"x": x(5)},
        method="rk2",
    ),
    "thermo.sde": lambda x: units("dv/dt = x - v + sqrt(2*kT)*xi : 1", inputs={"x": x(3), "kT": x.positive()}),
    "thermo.sde, exact of two": lambda x: units(
        "dq/dt = p : 1\ndp/dt = x - q - 0.5*p + sqrt(kT)*xi : 1", inputs={"x": x(3)}, constants={"kT": 0.5}
    ),
    "thermo.sde, euler": lambda x: units("dv/dt = v - v**3 + x + 0.3*xi : 1", inputs={"x": x(3)}, method="euler"),
    "thermo.sde, milstein": lambda x: units(
        "dv/dt = x - v + 0.4*v*xi : 1", inputs={"x": x(3)}, initial={"v": 1.0}, method="milstein"
    ),
    "thermo.sde, heun, two noises": lambda x: units(
        "dv/dt = x - w + 0.2*w*xi_a : 1\ndw/dt = v - w + 0.3*xi_a + 0.1*xi_b : 1",
        inputs={"x": x(3)},
        method="stochastic_heun",
    ),
    "thermo.device": lambda x: device("vo2", 10 + x(3), seconds=2e-8, method="euler"),
    "thermo.device, free steps": lambda x: device("nbo2", 0.5 + 0.1 * tc.tanh(x(3)), seconds=2e-11),
    "thermo.device, midpoint, warmed": lambda x: device(
        "stanford", 0.4 * tc.tanh(x(2)), T_ambient=300 + 20 * x.positive(), seconds=2e-10, method="midpoint"
    ),
    "thermo.device, coupled, with noise": lambda x: device(
        "vo2", 10 + x(3), seconds=2e-8, method="euler", steps=2, noise=True, conductance=1e-5 * ring(3), T=335.0
    ),
    "thermo.device, of a position": lambda x: device("vteam", 0.3 * tc.tanh(x(3)), seconds=2e-12, method="euler"),
    "thermo.device, of a fraction": lambda x: device(
        "pickett", 0.5 + 0.1 * x(2), seconds=2e-11, method="euler", circuit_load=1e3, circuit_capacitance=1e-12
    ),
    "thermo.device_step": lambda x: device_step(x(3)),
    "spiking.lif": lambda x: tc.lif(5 * x(4), 2.0, v_threshold=0.3, reset="subtract"),
    "spiking.lif, refractory": lambda x: tc.lif(9 * x(4), weights(4) ** 2 + 1, v_threshold=0.3, refractory=1.0),
    "spiking.if": lambda x: tc.if_(5 * x(4), v_threshold=0.3),
    "spiking.if, refractory": lambda x: tc.if_(5 * x(2, 3), v_threshold=0.3, refractory=0.5, reset="subtract"),
    "spiking.cuba_lif": lambda x: tc.cuba_lif(9 * x(4), np.array([0.5, 1.0, 2.0, 3.0]), 2.0, v_threshold=0.3),
    "spiking.cuba_lif, euler": lambda x: tc.cuba_lif(
        9 * x(4), 1.0, 2.0, r=3.0, v_threshold=0.3, method="euler", refractory=0.5, i_initial=weights(4)
    ),
    "spiking.cuba_lif, exponential": lambda x: tc.cuba_lif(
        9 * x(4), 1.0, 2.0, 2.0, v_threshold=0.3, compare="greater_equal", method="exponential", reset="zero"
    ),
    "spiking.cuba_li": lambda x: tc.cuba_li(x(4), 1.0, 2.0, 1.5, 0.5, 0.1, initial=weights(4)),
    "spiking.cuba_li, semi-implicit": lambda x: tc.cuba_li(x(4), 1.0, 2.0, method="semi_implicit"),
    "spiking.li": lambda x: tc.li(x(4), 2.0, method="euler"),
    "spiking.li, exponential": lambda x: tc.li(x(4), 2.0, method="exponential"),
    "spiking.i": lambda x: tc.i(x(4), np.array([0.5, 1.0, 2.0, 3.0]), initial=0.1),
    "spiking.trace": lambda x: tc.trace(x(4), 2.0, initial=weights(4)),
    "spiking.lif_step": lambda x: tc.lif_step(x(2, 3), weights(3), 3.0, weights(2, 1), 0.3, held=1, reset="subtract"),
    "spiking.lif_step, of equals": lambda x: tc.lif_step(
        tc.floor(3 * x(5)), 0.5, compare="greater_equal", reset="zero"
    ),
    "spiking.lif_step, of a sum": lambda x: tc.lif_step(x(9) + x(9), weights(9) ** 2, 5.0, held=2)[0],
    "spiking.lif_step, of many": lambda x: tc.lif_step(5 * x(700), 0.9, held=2, initial=weights(700)),
    "spiking.lif_step, of many, each its own": lambda x: tc.lif_step(
        5 * x(300), weights(300) ** 2, v_reset=weights(300)
    ),
    "spiking.lif_step, computed": lambda x: tc.lif_step(5 * x(300), tc.cast(tc.tick(), dtype="f64") / 9.0),
    "spiking.trace_step": lambda x: tc.trace_step(x(2, 3), weights(3)),
    "spiking.trace_step, of a product": lambda x: tc.trace_step(sparse(fired(x)), 0.5),
    "core.sparse_affine, of spikes": lambda x: sparse(fired(x), bias=weights(4)),
    "core.sparse_affine, of delayed spikes": lambda x: sparse(tc.delay(fired(x), ticks=2, initial=np.eye(4)[1])),
    "core.sparse_affine, of given spikes": lambda x: sparse(tc.cast(x(4), dtype="f64", role="spike"), bias=weights(4)),
    "loihi.encode": lambda x: tc.loihi.encode(x(2, 3), scale=64.0),
    "loihi.encode, clipped": lambda x: tc.loihi.encode(x(9), scale=2.5, bits=3),
    "loihi.decode": lambda x: tc.loihi.decode(whole(x, 2, 3), scale=3.0),
    "loihi.dense": lambda x: tc.loihi.dense(whole(x, 4), even(3, 4), message_bits=8),
    "loihi.dense, shifted down": lambda x: tc.loihi.dense(whole(x, 4), even(3, 4), weight_exp=-3, message_bits=8),
    "loihi.dense, delayed": lambda x: tc.loihi.dense(whole(x, 4), even(3, 4), delays(3, 4), longest=2, weight_exp=2),
    "loihi.dense, longer than its delays": lambda x: tc.loihi.dense(whole(x, 4), even(3, 4), longest=1, weight_exp=-1),
    "loihi.dense, of spikes": lambda x: tc.loihi.dense(driven(x), even(3, 4)),
    "loihi.dense, in a loop": integer_loop,
    "loihi.sparse": lambda x: compressed(whole(x, 4), message_bits=8, weight_exp=1),
    "loihi.sparse, delayed": lambda x: compressed(whole(x, 4), delays=delays(5), longest=3, weight_exp=-2),
    "loihi.sparse, of spikes": lambda x: compressed(driven(x), delays=delays(5), longest=2),
    "loihi.sparse, of delayed spikes": lambda x: compressed(tc.delay(driven(x), np.array([0, 1, 0, 1], np.int32))),
    "loihi.conv": lambda x: tc.loihi.conv(whole(x, 2, 4, 5), even(3, 2, 2, 3)),
    "loihi.conv, all options": lambda x: tc.loihi.conv(
        whole(x, 4, 7, 6),
        even(6, 2, 3, 2),
        stride=(2, 1),
        padding=((2, 1), (0, 3)),
        dilation=(2, 3),
        groups=2,
        weight_exp=-2,
        message_bits=24,
    ),
    "loihi.dendrite": lambda x: tc.loihi.dendrite((whole(x, 3), whole(x, 3))),
    "loihi.dendrite, of five": lambda x: tc.loihi.dendrite(tuple(whole(x, 2, 2) for _ in range(5))),
    "loihi.dendrite, of one": lambda x: tc.loihi.dendrite((whole(x, 3),)),
    "loihi.lif": lambda x: tc.loihi.lif(whole(x, 4), 40, du=2048, dv=409, vth=2),
    "loihi.lif, all options": lambda x: tc.loihi.lif(
        whole(x, 2, 3),
        even(3),
        even(2, 1),
        even(2, 3),
        du=0,
        dv=1,
        vth=1,
        bias_exp=3,
        compare="greater_equal",
        reset="subtract",
        lag=1,
    ),
    "loihi.lif, of many": lambda x: tc.loihi.lif(whole(x, 300), even(300), vth=1)[0],
    "loihi.graded": lambda x: tc.loihi.graded(whole(x, 2, 3), vth=1),
    "loihi.graded, of magnitudes": lambda x: tc.loihi.graded(whole(x, 5), even(5), vth=9, shift=1, rule="abs"),
    "loihi.lut": lambda x: tc.loihi.lut(whole(x, 2, 3), even(7), even(3), shift=4),
    "loihi.sigma": lambda x: tc.loihi.sigma(whole(x, 2, 3)),
    "loihi.delta": lambda x: tc.loihi.delta(whole(x, 5), vth=2, spike_exp=2, state_exp=1),
    "loihi.delta, of summed errors": lambda x: tc.loihi.delta(whole(x, 5), vth=4, spike_exp=1, cum_error=True),
    "loihi.sigma_delta": lambda x: tc.loihi.sigma_delta(whole(x, 5), even(5), vth=2, state_exp=2),
    "loihi.sigma_delta, of summed errors": lambda x: tc.loihi.sigma_delta(
        whole(x, 2, 3), even(3), vth=9, activation="unit", spike_exp=1, cum_error=True
    ),
    "loihi.fermi_dirac": lambda x: tc.loihi.fermi_dirac(whole(x, 2, 3), 300),
    "loihi.fermi_dirac, in turns": lambda x: tc.loihi.fermi_dirac(
        whole(x, 6),
        tc.loihi.heat(whole(x, 6)),
        even(6, top=4),
        np.arange(6) % 2,
        1,
        levels="spin",
        turns=2,
        sweeps=2,
        lag=1,
    ),
    "loihi.categorical": lambda x: tc.loihi.categorical(whole(x, 2, 5), 500, even(5, top=4)),
    "loihi.categorical, T varies": lambda x: tc.loihi.categorical(whole(x, 5), tc.loihi.heat(whole(x, 5)), lag=1),
    "loihi.boltzmann": lambda x: tc.loihi.boltzmann(whole(x, 2, 3), 300),
    "loihi.boltzmann, all options": lambda x: tc.loihi.boltzmann(
        whole(x, 2, 4), whole(x, 2, 1), even(4), even(4), fraction=22, lag=1
    ),
    "loihi.memory": lambda x: tc.loihi.memory(whole(x, 2, 3), 1000, dm=409, gain=8192),
    "loihi.memory, noise varies": lambda x: tc.loihi.memory(
        whole(x, 4), whole(x, 4), dm=4096, initial=even(4, top=2**20), lag=1
    ),
    "loihi.heat": lambda x: tc.loihi.heat(whole(x, 2, 3), loss=409),
    "loihi.heat, all options": lambda x: tc.loihi.heat(
        whole(x, 4), even(4) ** 2 + 1, even(4) ** 2 + 1, loss=4096, gain=2**16, floor=20, lag=1
    ),
    "loihi.relaxation": lambda x: tc.loihi.relaxation(whole(x, 2, 3), loss=2**23, shift=2),
    "loihi.relaxation, with noise": lambda x: tc.loihi.relaxation(
        whole(x, 4), whole(x, 4), 2**24, [0, 1, 9, 63], even(4, top=2**20), 2**24 - 1, lift=20, spread=14
    ),
    "loihi.relaxation, that cools": lambda x: tc.loihi.relaxation(
        whole(x, 4), 0, 2**24, 0, 100, floor=-3, lift=31, spread=0, every=2, lag=1
    ),
    "loihi.heat_node": lambda x: tc.loihi.heat_node(whole(x, 2, 3), 3),
    "loihi.heat_node, all options": lambda x: tc.loihi.heat_node(
        whole(x, 4), even(4) ** 2 + 1, even(4), even(4) ** 2, every=2, lag=1
    ),
    "spiking.threshold": lambda x: tc.threshold(x(2, 3), weights(3)),
    "spiking.threshold, of a count": lambda x: tc.threshold(tc.floor(x(9)), 0.0, compare="greater_equal"),
    "spiking.decode": lambda x: tc.decode(x(2, 3)),
    "spiking.scale": lambda x: tc.scale(x(2, 3), weights(3)),
}


def network(case: str, varying: str) -> tc.Network:
    with tc.Network("case", dt=0.5) as net:
        made = CASES[case](Givens(VARYING[varying]))
        for number, handle in enumerate(made if isinstance(made, tuple) else (made,)):
            if handle is not None:
                tc.output(f"y{number}", handle)
    return net


def inputs(net: tc.Network) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {
        name: (rng.normal(size=(TICKS, BATCH, *op.shape)) * (3 if op.dtype.numpy.kind == "i" else 1)).astype(
            op.dtype.numpy
        )
        for name, op in net.graph.inputs.items()
    }


@cache
def variants() -> tuple[Any, ...]:
    """Return (case, what varies, precision) as pytest parameters, without those that are another's network."""
    params = []
    for case in CASES:
        params.append(pytest.param(case, "all vary", "float32", id=f"{case}-float32"))
        seen = set()
        for varying in VARYING:
            text = str(network(case, varying).graph)
            if text not in seen:
                params.append(pytest.param(case, varying, "float64", id=f"{case}-{varying}-float64"))
            seen.add(text)
    return tuple(params)


def check(run: tc.Run, trace: Any, precision: str) -> None:
    assert run.call is not None
    assert run.outputs.keys() == trace.outputs.keys() - run.call.executable.graph.probes
    assert run.states.keys() == trace.states.keys()
    for name in (*run.outputs, *trace.states):
        expected = trace.outputs.get(name, trace.states.get(name))
        found = run.outputs.get(name, run.states.get(name))
        assert found is not None
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype), name
        room = 64 * np.finfo(precision).eps * max(1.0, np.abs(expected).max()) if expected.dtype.kind == "f" else 0
        np.testing.assert_allclose(found, expected, rtol=0, atol=room, err_msg=name)
