"""Random well-typed networks over every op of every dialect, for hypothesis: small, and shrinking to smaller ones.

A step takes two values of the network and adds an op or a few; ``STEPS`` holds one for each thing an op can do. Values
are f64 and tame: what overflows or divides by nought is the matter of other tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from scipy.sparse import csr_array

import thermoc as tc
from thermoc.ir.functions import current
from thermoc.ir.handle import Handle

LENGTHS = st.integers(1, 4)
NUMBERS = st.floats(-2, 2, width=16)
MOST = 64
"""Elements of a value."""

Step = Callable[[Any, Handle, Handle], Handle]
PLAIN: dict[str, Step] = {}
SHAPES: dict[str, Step] = {}
THERMAL: dict[str, Step] = {}
MOVING: dict[str, Step] = {}


# ------------------------------------------------------------------------------------------------ what steps are made of


def _rng(draw: Any) -> np.random.Generator:
    return np.random.default_rng(draw(st.integers(0, 2**16)))


def _weights(draw: Any, *shape: int) -> np.ndarray:
    return _rng(draw).normal(size=shape)


def _coupling(draw: Any, n: int) -> np.ndarray:
    """Symmetric, no unit with itself."""
    J = _weights(draw, n, n)
    return (J + J.T) * (1 - np.eye(n))


def _ring(n: int) -> np.ndarray:
    """Each with its neighbours, once."""
    near = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    return ((near == 1) | ((near == n - 1) & (n > 2))).astype(float)


def _stiff(draw: Any, n: int) -> np.ndarray:
    G = _weights(draw, n, n)
    return np.eye(n) + G @ G.T / n


def _size(x: Handle) -> int:
    return int(np.prod(x.shape))


def _spatial(x: Handle) -> Handle:
    return tc.reshape(x, shape=(1, _size(x)))


def _plane(x: Handle) -> Handle:
    """The elements in one channel of two rows; the first again where their number is odd."""
    flat = tc.flatten(x)
    even = flat if _size(x) % 2 == 0 else tc.concat((flat, tc.slice(flat, starts=(0,), stops=(1,), steps=(1,))))
    return tc.reshape(even, shape=(1, 2, _size(even) // 2))


def _vector(x: Handle) -> Handle:
    """At most six elements."""
    n = _size(x)
    return tc.flatten(x) if n <= 6 else tc.slice(tc.flatten(x), starts=(0,), stops=(6,), steps=(1,))


def _like(x: Handle, other: Handle) -> Handle:
    """The other value where its shape is the same, else the largest of its elements."""
    return other if other.shape == x.shape else tc.reduce(tc.flatten(other), kind="max", axes=(0,))


def _positive(x: Handle) -> Handle:
    return tc.abs(x) + 0.2


def _fresh(name: str) -> str:
    """A name that no op of the network has: there are more ops each time."""
    return f"{name}{len(current('a network').ops)}"


def _probed(x: Handle) -> Handle:
    tc.probe(_fresh("probe"), x)
    return x


def _one(x: Handle) -> Handle:
    return tc.reduce(tc.flatten(x), kind="mean", axes=(0,))


def _temperature(draw: Any, other: Handle) -> Any:
    """A number, a schedule, or what another value says."""
    kind = draw(st.sampled_from(["number", "exponential", "linear", "power", "computed"]))
    if kind == "number":
        return draw(st.sampled_from([0.3, 1.0]))
    if kind == "computed":
        return _positive(_one(other))
    return tc.schedule(kind=kind, T0=1.0, parameter=draw(st.sampled_from([0.5, 2.0])), T_min=0.1)


def _particles(draw: Any, x: Handle) -> Handle:
    """Places of three particles in the plane, never two at one place."""
    corners = np.array([[0.0, 0.0], [1.2, 0.0], [0.0, 1.2]])
    flat = _vector(x)
    moved = tc.tanh(tc.affine(flat, _weights(draw, 6, _size(flat))))
    return corners + 0.3 * tc.reshape(moved, shape=(3, 2))


def _sum(handles: tuple[Handle, ...]) -> Handle:
    """All results in one value."""
    return tc.concat(tuple(tc.flatten(handle) for handle in handles))


def step(table: dict[str, Step], name: str) -> Callable[[Step], Step]:
    """Record a step."""

    def record(function: Step) -> Step:
        table[name] = function
        return function

    return record


# --------------------------------------------------------------------------------------------------------- arithmetic

PLAIN |= {
    "tanh": lambda draw, x, other: tc.tanh(x),
    "sin": lambda draw, x, other: tc.sin(x),
    "cos": lambda draw, x, other: tc.cos(x),
    "neg": lambda draw, x, other: -x,
    "sqrt": lambda draw, x, other: tc.sqrt(tc.abs(x)),
    "log": lambda draw, x, other: tc.log(_positive(x)),
    "exp": lambda draw, x, other: tc.exp(tc.minimum(x, 2.0)),
    "expm1": lambda draw, x, other: tc.expm1(tc.minimum(x, draw(st.sampled_from([0.1, 2.0])))),
    "floor": lambda draw, x, other: tc.floor(3 * x),
    "sign": lambda draw, x, other: tc.sign(x),
    "add": lambda draw, x, other: tc.add(x, other) if x.shape == other.shape else x + draw(NUMBERS),
    "sub": lambda draw, x, other: _like(x, other) - x,
    "mul": lambda draw, x, other: tc.tanh(x) * _like(x, other),
    "scale": lambda draw, x, other: draw(NUMBERS) * x,
    "shift": lambda draw, x, other: x - draw(NUMBERS),
    "divide": lambda draw, x, other: x / _positive(_like(x, other)),
    "divide by a number": lambda draw, x, other: x / draw(st.sampled_from([0.3, -2.0])),
    "pow": lambda draw, x, other: tc.pow(_positive(tc.tanh(x)), tc.tanh(_like(x, other))),
    "minimum": lambda draw, x, other: tc.minimum(x, _like(x, other)),
    "maximum": lambda draw, x, other: tc.maximum(_like(x, other), x),
    "select": lambda draw, x, other: tc.select(x > draw(NUMBERS), x, _like(x, other)),
    "parameter": lambda draw, x, other: x * tc.parameter(_fresh("gain"), draw(NUMBERS)),
    "probe": lambda draw, x, other: _probed(x),
    "clock": lambda draw, x, other: x * tc.sin(tc.cast(tc.tick(), dtype="f64")),
    "constant": lambda draw, x, other: tc.constant(_weights(draw, draw(LENGTHS))),
    "integers": lambda draw, x, other: tc.cast(
        tc.cast(3 * tc.tanh(x), dtype=draw(st.sampled_from(["i32", "i64"]))), dtype="f64"
    ),
}


@step(PLAIN, "logic")
def _logic(draw: Any, x: Handle, other: Handle) -> Handle:
    """Every comparison, in any order, joined by turns."""
    whole = tc.floor(x)
    found = whole >= draw(st.integers(-1, 1))
    for number, compare in enumerate(
        draw(st.permutations([tc.less, tc.less_equal, tc.greater, tc.greater_equal, tc.equal]))
    ):
        made = compare(x, _like(x, other)) if number % 2 else compare(whole, tc.floor(_like(x, other)))
        found = (tc.or_ if number % 2 else tc.and_)(found, tc.not_(made) if draw(st.booleans()) else made)
    return tc.cast(found, dtype="f64")


# ----------------------------------------------------------------------------------------------- linear maps and shapes

SHAPES |= {
    "affine": lambda draw, x, other: tc.affine(tc.flatten(x), _weights(draw, draw(LENGTHS), _size(x))),
    "biased": lambda draw, x, other: tc.affine(tc.flatten(x), _weights(draw, 2, _size(x))) + np.ones(2),
    "flipped": lambda draw, x, other: (
        draw(st.sampled_from([-1.0, 0.3])) * tc.affine(tc.flatten(x), _weights(draw, 2, _size(x)), np.ones(2))
    ),
    "moving weights": lambda draw, x, other: tc.affine(
        tc.flatten(x), _weights(draw, 2, _size(x)) * tc.cast(tc.tick(), dtype="f64")
    ),
    "conv 1d": lambda draw, x, other: tc.conv(
        _spatial(x), _weights(draw, 2, 1, 2), padding=((1, draw(st.integers(0, 2))),)
    ),
    "conv 2d": lambda draw, x, other: tc.conv(
        _plane(x),
        _weights(draw, 2, 1, 2, 2),
        _weights(draw, 2),
        padding=1,
        stride=draw(st.integers(1, 2)),
        dilation=draw(st.integers(1, 2)),
    ),
    "pool 1d": lambda draw, x, other: tc.pool(
        _spatial(x), kind=draw(st.sampled_from(["max", "mean", "sum"])), window=(2,), stride=(1,), padding=((1, 0),)
    ),
    "pool 2d": lambda draw, x, other: tc.pool(
        _plane(x),
        kind=draw(st.sampled_from(["max", "mean", "sum"])),
        window=(2, 2),
        stride=(1, 2),
        padding=((0, 1), (1, 1)),
    ),
    "concat": lambda draw, x, other: tc.concat((tc.flatten(x), tc.flatten(other))),
    "slice": lambda draw, x, other: tc.slice(
        tc.flatten(x), starts=(draw(st.integers(0, _size(x) - 1)),), stops=(_size(x),), steps=(draw(st.integers(1, 2)),)
    ),
    "outer": lambda draw, x, other: tc.matmul(
        tc.reshape(x, shape=(_size(x), 1)), tc.reshape(other, shape=(1, _size(other)))
    ),
    "product": lambda draw, x, other: tc.matmul(
        tc.reshape(x, shape=(1, _size(x))), tc.reshape(tc.tanh(x), shape=(_size(x), 1))
    ),
    "transpose": lambda draw, x, other: tc.transpose(x, axes=tuple(reversed(range(len(x.shape))))),
    "reduce": lambda draw, x, other: tc.reduce(
        x, kind=draw(st.sampled_from(["sum", "mean", "max", "min"])), axes=draw(st.sampled_from([None, ()]))
    ),
    "reduce an axis": lambda draw, x, other: tc.reduce(
        _plane(x), kind=draw(st.sampled_from(["sum", "mean", "max", "min"])), axes=draw(st.integers(0, 2))
    ),
    "arg": lambda draw, x, other: tc.cast(
        tc.reduce(tc.floor(tc.flatten(x)), kind=draw(st.sampled_from(["argmax", "argmin"])), axes=(0,)), dtype="f64"
    ),
    "broadcast": lambda draw, x, other: tc.broadcast(x, shape=(2, *x.shape)),
}


@step(SHAPES, "crossbar")
def _crossbar(draw: Any, x: Handle, other: Handle) -> Handle:
    """A product through pairs of memristors, with wires and noise or without; halves never decide a code."""
    n, m, bits = x.shape[-1] if x.shape else 1, draw(LENGTHS), draw(st.sampled_from([0, 3]))
    levels = [np.abs(_weights(draw, 1, n, m)), np.abs(_weights(draw, 1, n, m))]
    attrs = {
        "rows": draw(st.integers(1, 3)),
        "columns": 2,
        "cell_bits": 1,
        "input_bits": bits,
        "dac_bits": draw(st.integers(0, bits)),
    }
    attrs |= {"adc_bits": draw(st.sampled_from([0, 4])), "adc_range": 3.7, "r_bit": draw(st.sampled_from([0.0, 0.1]))}
    return tc.mvm(x if x.shape else tc.reshape(x, shape=(1,)), *levels, draw(NUMBERS), **attrs)


@step(SHAPES, "sparse")
def _sparse(draw: Any, x: Handle, other: Handle) -> Handle:
    flat = tc.flatten(x)
    columns = draw(st.lists(st.integers(0, flat.shape[0] - 1), min_size=1, max_size=5))
    bias = draw(st.sampled_from([None, 1.0]))
    offsets = np.array([0, 1, 1, len(columns)])
    return tc.sparse_affine(
        flat, _weights(draw, len(columns)), np.array(columns), offsets, None if bias is None else np.full(3, bias)
    )


# -------------------------------------------------------------------------------------- activations, noise, observables

LEVELS = st.sampled_from(["binary", "spin"])
THERMAL |= {
    "boltzmann": lambda draw, x, other: tc.boltzmann(tc.flatten(x), T=_temperature(draw, other)),
    "fermi": lambda draw, x, other: tc.fermi_dirac(x, T=_temperature(draw, other), mu=draw(NUMBERS)),
    "relu": lambda draw, x, other: tc.thermal_relu(x, T=_temperature(draw, other)),
    "maxwell": lambda draw, x, other: tc.maxwell_boltzmann(x, T=_temperature(draw, other)),
    "noise": lambda draw, x, other: x + tc.noise(T=_temperature(draw, other), shape=x.shape),
    "normal": lambda draw, x, other: x + tc.normal(shape=draw(st.sampled_from([x.shape, ()]))),
    "uniform": lambda draw, x, other: x * tc.uniform(shape=x.shape),
    "p-bit": lambda draw, x, other: tc.sample_binary(x, T=_temperature(draw, other), levels=draw(LEVELS)),
    "one of many": lambda draw, x, other: tc.sample_categorical(tc.flatten(x), T=_temperature(draw, other)),
    "observables": lambda draw, x, other: _sum(tc.observables(x, T=_temperature(draw, other))),
    "order": lambda draw, x, other: tc.order_parameter(x),
    "energy": lambda draw, x, other: tc.ising_energy(
        tc.sign(_vector(x)), _coupling(draw, _size(_vector(x))), draw(NUMBERS)
    ),
    "sparse energy": lambda draw, x, other: tc.ising_energy(tc.sign(_vector(x)), csr_array(_ring(_size(_vector(x))))),
    "entropy": lambda draw, x, other: tc.entropy_production(_positive(_vector(x)), _ring(_size(_vector(x)))),
    "clamp": lambda draw, x, other: _sum(tc.clamp(_positive(x), T_min=0.5, T_max=1.5)),
    "kinetic": lambda draw, x, other: tc.kinetic_energy(x, _positive(_like(x, other))),
    "pairs": lambda draw, x, other: _sum(
        tc.pair_force(
            _particles(draw, x),
            0.5,
            0.9,
            kind=draw(st.sampled_from(["harmonic", "lennard_jones"])),
            cutoff=draw(st.sampled_from([0.0, 1.5])),
        )
    ),
    "charges": lambda draw, x, other: _sum(
        tc.pair_force(_particles(draw, x), charge=np.array([1.0, -1.0, 2.0]), kind="coulomb", softening=0.3)
    ),
    "springs": lambda draw, x, other: _sum(
        tc.bond_force(
            _particles(draw, x), [0, 1], [1, 2], 2.0, _one(other), box=draw(st.sampled_from([(), (3.0, 3.0)]))
        )
    ),
    "sweeps": lambda draw, x, other: tc.gibbs_sweeps(
        tc.sign(_vector(x) + 0.01),
        _temperature(draw, other),
        _coupling(draw, _size(_vector(x))),
        _vector(x),
        sweeps=draw(st.integers(1, 2)),
    ),
}


# ------------------------------------------------------------------------------------------------ what keeps a state

METHODS = st.sampled_from(["exact", "euler", "exponential", "semi_implicit"])
MOVING |= {
    "delay": lambda draw, x, other: tc.delay(x, draw(NUMBERS), ticks=draw(st.integers(1, 3))),
    "memory": lambda draw, x, other: tc.memory(x, T=_temperature(draw, other), gamma=1.5, initial=draw(NUMBERS)),
    "brownian": lambda draw, x, other: tc.brownian(x, _temperature(draw, other), 0.5, draw(st.sampled_from([None, 1.5]))),
    "equations": lambda draw, x, other: tc.dynamics(
        "dv/dt = x - a*v - tanh(v) : 1\ndw/dt = v - w : 1", inputs={"x": x}, constants={"a": draw(st.sampled_from([0.0, 0.7]))},
        threshold="v > 0.3", reset="v -= 0.3", refractory=draw(st.sampled_from([0.0, 0.5])),
        method=draw(st.sampled_from(["euler", "heun", "rk2", "rk4"])),
    )["w"],
    "devices": lambda draw, x, other: tc.device(
        "vo2", 9.0 + tc.tanh(_vector(x)), seconds=1e-8, method=draw(st.sampled_from(["euler", "midpoint", "sdirk"])),
    )["T"] / 300.0,
    "noisy equations": lambda draw, x, other: tc.dynamics(
        "dv/dt = x - v + (0.2 + 0.1*v)*xi : 1", inputs={"x": x}, method=draw(st.sampled_from(["euler", "milstein", "stochastic_heun"])),
    )["v"],
    "ou": lambda draw, x, other: tc.ou_network(_stiff(draw, _size(_vector(x))), _temperature(draw, other), _vector(x)),
    "lif": lambda draw, x, other: _sum(tc.lif(
        x, 0.8, v_threshold=0.3, method=draw(st.sampled_from(["exact", "euler", "exponential"])), reset=draw(st.sampled_from(["zero", "subtract", "value"])),
        compare=draw(st.sampled_from(["greater", "greater_equal"])), refractory=draw(st.sampled_from([0.0, 0.5])),
    )),
    "if": lambda draw, x, other: _sum(tc.if_(x, v_threshold=0.3, reset="subtract")),
    "cuba lif": lambda draw, x, other: _sum(tc.cuba_lif(
        3 * x, 0.7, draw(st.sampled_from([0.7, 1.1])), v_threshold=0.2, method=draw(METHODS), refractory=draw(st.sampled_from([0.0, 1.0])),
    )),
    "cuba li": lambda draw, x, other: _sum(tc.cuba_li(x, draw(st.sampled_from([0.7, 1.1])), 1.1, w_in=draw(NUMBERS), method=draw(METHODS))),
    "integrator": lambda draw, x, other: tc.i(x, 0.5, initial=draw(NUMBERS)),
    "trace": lambda draw, x, other: tc.trace(x, 0.8, initial=draw(NUMBERS)),
    "threshold": lambda draw, x, other: tc.threshold(x, draw(NUMBERS), compare=draw(st.sampled_from(["greater", "greater_equal"]))),
    "scale": lambda draw, x, other: tc.scale(x, _weights(draw, *x.shape)),
    "decode": lambda draw, x, other: tc.decode(x),
    "li": lambda draw, x, other: tc.li(x, 0.8, method=draw(st.sampled_from(["exact", "euler"]))),
    "gibbs": lambda draw, x, other: tc.gibbs(
        _temperature(draw, other), _coupling(draw, _size(_vector(x))), _vector(x), levels=draw(LEVELS), initial=1.0, draws=draw(st.sampled_from(["unit", "word", "replica"]))
    ),
    "sparse gibbs": lambda draw, x, other: tc.gibbs(_temperature(draw, other), csr_array(_ring(4)), _one(x), sweeps=draw(st.integers(1, 2))),
    "exchange": lambda draw, x, other: tc.heat_exchange(_ring(3), np.array([0.5, 1.0, 2.0]), gamma=_positive(_one(x))),
    "heat": lambda draw, x, other: _sum(tc.heat_network(
        tc.tanh(_vector(x)), 2.0, _ring(_size(_vector(x))), 1.0, ambient=0.3, ripple=draw(st.sampled_from([0.0, 0.5])), frequency=0.3,
        k_B=draw(st.sampled_from([0.0, 0.01])),
    )),
    "diffusion": lambda draw, x, other: _sum(tc.diffusion(
        np.array([[0.5, 1.0, 1.5], [1.0, 1.0, 1.0]]), _one(x), D=0.3, boundary=draw(st.sampled_from(["insulated", "periodic", "fixed"]))
    )),
    "reservoir": lambda draw, x, other: tc.reservoir(x, temperature=2.0)[1],
    "adaptive": lambda draw, x, other: tc.adaptive_schedule(_positive(_one(x)), T0=2.0, T_min=0.1),
    "adaptive, measured": lambda draw, x, other: tc.adaptive_schedule(energy=_one(x), T0=2.0, T_min=0.1, window=2.0),
    "bonds": lambda draw, x, other: _sum(tc.bonds(_particles(draw, x), [0, 1], [1, 2], -1.5, r_form=1.3, r_break=1.6)),
}  # fmt: skip


@step(MOVING, "recurrent")
def _recurrent(draw: Any, x: Handle, other: Handle) -> Handle:
    hole = tc.placeholder(x.shape, role="signal")
    state = tc.delay(hole, ticks=draw(st.integers(1, 3)), initial=draw(NUMBERS))
    new = tc.tanh(x + 0.5 * state)
    tc.connect(hole, new)
    return new


@step(MOVING, "recurrent spikes")
def _recurrent_spikes(draw: Any, x: Handle, other: Handle) -> Handle:
    flat = _vector(x)
    hole = tc.placeholder(flat.shape, role="spike")
    back = tc.affine(tc.delay(hole), _weights(draw, _size(flat), _size(flat)))
    spikes, _ = tc.lif(flat + back, 0.8, v_threshold=0.3)
    tc.connect(hole, spikes)
    return spikes


@step(MOVING, "steps of units")
def _steps_of_units(draw: Any, x: Handle, other: Handle) -> Handle:
    """Spikes through a longer delay into a trace that drives the unit, as the steps that ``discretize`` makes."""
    flat = _vector(x)
    hole = tc.placeholder(flat.shape, role="spike")
    jumps = tc.affine(tc.delay(hole, ticks=draw(st.integers(1, 3))), _weights(draw, _size(flat), _size(flat)))
    g = draw(st.sampled_from([lambda: tc.trace_step(jumps, 0.7), lambda: tc.trace(jumps, 1.3)]))()
    spikes, _ = draw(
        st.sampled_from(
            [lambda: tc.lif_step(flat + g, 0.8, 0.4, v_threshold=0.3, held=1), lambda: tc.lif(flat + g, 0.9)]
        )
    )()
    tc.connect(hole, spikes)
    return spikes


@step(MOVING, "particles")
def _moving_particles(draw: Any, x: Handle, other: Handle) -> Handle:
    """A force of the network on particles that make it: the cycle goes through their places."""
    hole = tc.placeholder(x.shape)
    places, w = tc.langevin(
        hole, _temperature(draw, other), 2.0, friction=draw(st.sampled_from([0.0, 1.0])), initial=0.5
    )
    force = tc.tanh(x) - places
    tc.connect(hole, force)
    return _sum((places, tc.velocity(w, force, 2.0)))


def _even(draw: Any, *shape: int) -> np.ndarray:
    return 2 * _rng(draw).integers(-128, 128, shape)


INTEGER_UNITS: dict[str, Callable[[Any, Handle], Handle]] = {
    "lif": lambda draw, a: tc.loihi.lif(
        a,
        draw(st.integers(-4096, 4095)),
        du=draw(st.integers(0, 4095)),
        dv=draw(st.integers(0, 4096)),
        vth=draw(st.sampled_from([0, 5, 1000])),
        reset=draw(st.sampled_from(["zero", "subtract"])),
        compare=draw(st.sampled_from(["greater", "greater_equal"])),
        lag=draw(st.integers(0, 1)),
    )[draw(st.integers(0, 2))],
    "graded": lambda draw, a: tc.loihi.graded(a, shift=draw(st.integers(0, 5)), rule=draw(st.sampled_from(["relu", "abs"]))),
    "lut": lambda draw, a: tc.loihi.lut(a, _even(draw, 5), shift=draw(st.integers(0, 8))),
    "sigma": lambda draw, a: tc.loihi.sigma(a),
    "delta": lambda draw, a: tc.loihi.delta(a, vth=draw(st.integers(0, 99)), cum_error=draw(st.booleans())),
    "sigma delta": lambda draw, a: tc.loihi.sigma_delta(a, 3, vth=draw(st.integers(0, 99)), spike_exp=draw(st.integers(0, 7))),
    "p-bit": lambda draw, a: tc.loihi.fermi_dirac(a, draw(st.sampled_from([1, 9000])), turns=draw(st.integers(1, 2)), levels=draw(LEVELS)),
    "one of many": lambda draw, a: tc.loihi.categorical(a, draw(st.sampled_from([1, 9000]))),
    "probabilities": lambda draw, a: tc.loihi.boltzmann(a, draw(st.sampled_from([1, 9000]))),
    "memory": lambda draw, a: tc.loihi.memory(a, 500, dm=draw(st.integers(0, 4096))),
    "relaxation": lambda draw, a: tc.loihi.relaxation(a, 500, draw(st.integers(0, 2**24)), draw(st.integers(0, 20))),
    "heat": lambda draw, a: tc.loihi.heat(a, loss=draw(st.integers(0, 4096))),
    "heat node": lambda draw, a: tc.loihi.heat_node(a, draw(st.integers(1, 99)), every=draw(st.integers(1, 2))),
}  # fmt: skip


def _activation(draw: Any, messages: Handle, unit: str) -> Handle:
    """What a synapse makes of messages: the window of a convolution for one kind of unit, compressed rows for another."""
    n, m = _size(messages), draw(LENGTHS)
    graded = {"message_bits": draw(st.sampled_from([0, 24])), "weight_exp": draw(st.integers(-8, 7))}
    if unit == "graded":
        return tc.loihi.conv(tc.reshape(messages, shape=(1, 1, n)), _even(draw, 2, 1, 1, 2), padding=1, **graded)
    if unit == "lut":
        columns = draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=5))
        return tc.loihi.sparse(messages, _even(draw, len(columns)), columns, [0, 1, 1, len(columns)], **graded)
    a = tc.loihi.dense(messages, _even(draw, m, n), **graded)
    if not draw(st.booleans()):
        return a
    hole = tc.placeholder((m,), dtype="i32", role="spike")
    a = tc.loihi.dendrite((a, tc.loihi.dense(hole, _even(draw, m, m))))
    tc.connect(hole, tc.loihi.lif(a, 50, du=9, dv=400, vth=60)[0])
    return a


def _integers(unit: str) -> Step:
    """Loihi's units behind a synapse, recurrent or not, between the borders to floats.

    A float that is rounded to an integer would part where it stands within rounding of a half: so signs are encoded.
    """

    def made(draw: Any, x: Handle, other: Handle) -> Handle:
        scale, bits = draw(st.sampled_from([1.0, 100.0])), draw(st.integers(2, 24))
        messages = tc.loihi.encode(tc.sign(_vector(x)), scale=scale, bits=bits)
        return tc.loihi.decode(INTEGER_UNITS[unit](draw, _activation(draw, messages, unit)), scale=256.0)

    return made


MOVING |= {f"integer {unit}": _integers(unit) for unit in INTEGER_UNITS}
STEPS: dict[str, Step] = PLAIN | SHAPES | THERMAL | MOVING


@st.composite
def networks(draw: Any, most: int = 7, last: str | None = None) -> tc.Network:
    """Return a network of one to ``most`` steps over one or two inputs, every value of at most a few elements.

    last: the step that comes last, any if None.
    """
    with tc.Network("random", dt=draw(st.sampled_from([0.1, 0.5]))) as net:
        values = [tc.input("x", tuple(draw(st.lists(LENGTHS, max_size=2))))]
        if draw(st.booleans()):
            values.append(tc.input("z", (draw(LENGTHS),)))
        if draw(st.booleans()):  # the same for every sample
            values.append(tc.sin(tc.cast(tc.tick(), dtype="f64") + _weights(draw, draw(LENGTHS))))
        ends = sorted(STEPS) if last is None else [last]
        names = draw(st.lists(st.sampled_from(sorted(STEPS)), max_size=most - 1))
        for name in [*names, draw(st.sampled_from(ends))]:
            x, other = draw(st.sampled_from(values)), draw(st.sampled_from(values))
            made = STEPS[name](draw, x, other)
            if int(np.prod(made.shape)) <= MOST and len(made.shape) <= 4:
                values.append(made)
        for number, value in enumerate(values[-3:]):
            tc.output(f"y{number}", value)
    return net


def given_inputs(net: tc.Network, *, ticks: int = 4, batch: int = 3) -> dict[str, np.ndarray]:
    """Return inputs (ticks, batch, *shape) from a fixed seed."""
    rng = np.random.default_rng(7)
    return {name: rng.normal(size=(ticks, batch, *op.shape)) for name, op in net.graph.inputs.items()}
