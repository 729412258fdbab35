"""Random well-typed networks over ops of every dialect, for hypothesis: small, and shrinking to smaller ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

import thermoc as tc
from thermoc.ir.builder import Handle

LENGTHS = st.integers(1, 4)
NUMBERS = st.floats(-2, 2, width=16)


def _weights(draw: Any, *shape: int) -> np.ndarray:
    return np.random.default_rng(draw(st.integers(0, 2**16))).normal(size=shape)


def _same(function: Callable[..., Handle]) -> Callable[[Any, Handle, Handle], Handle]:
    return lambda draw, x, other: function(x)


def _spatial(x: Handle) -> Handle:
    return tc.reshape(x, shape=(1, int(np.prod(x.shape))))


def _conv(draw: Any, x: Handle, other: Handle) -> Handle:
    return tc.conv(
        _spatial(x), _weights(draw, 2, 1, 2), stride=(1,), padding=((1, draw(st.integers(0, 2))),), dilation=(1,)
    )


def _sparse(draw: Any, x: Handle, other: Handle) -> Handle:
    flat = tc.flatten(x)
    columns = draw(st.lists(st.integers(0, flat.shape[0] - 1), min_size=1, max_size=5))
    return tc.sparse_affine(flat, _weights(draw, len(columns)), np.array(columns), np.array([0, 1, len(columns)]))


def _recurrent(draw: Any, x: Handle, other: Handle) -> Handle:
    hole = tc.placeholder(x.shape, role="signal")
    state = tc.delay(hole, ticks=draw(st.integers(1, 3)), initial=draw(NUMBERS))
    new = tc.tanh(x + 0.5 * state)
    tc.connect(hole, new)
    return new


STEPS: dict[str, Callable[[Any, Handle, Handle], Handle]] = {
    "tanh": _same(lambda x: tc.tanh(x)),
    "sin": _same(lambda x: tc.sin(x)),
    "neg": _same(lambda x: -x),
    "abs": _same(lambda x: tc.sqrt(tc.abs(x))),
    "floor": _same(lambda x: tc.floor(3 * x)),
    "add": lambda draw, x, other: tc.add(x, other) if x.shape == other.shape else x + draw(NUMBERS),
    "scale": lambda draw, x, other: draw(NUMBERS) * x,
    "shift": lambda draw, x, other: x - draw(NUMBERS),
    "divide": lambda draw, x, other: x / (1.0 + tc.abs(x)),
    "affine": lambda draw, x, other: tc.affine(tc.flatten(x), _weights(draw, draw(LENGTHS), int(np.prod(x.shape)))),
    "biased": lambda draw, x, other: tc.affine(tc.flatten(x), _weights(draw, 2, int(np.prod(x.shape)))) + np.ones(2),
    "sparse": _sparse,
    "conv": _conv,
    "pool": lambda draw, x, other: tc.pool(
        _spatial(x), kind=draw(st.sampled_from(["max", "mean", "sum"])), window=(2,), stride=(1,), padding=((1, 0),)
    ),
    "concat": lambda draw, x, other: tc.concat((tc.flatten(x), tc.flatten(other))),
    "slice": lambda draw, x, other: tc.slice(tc.flatten(x), starts=(0,), stops=(1,), steps=(1,)),
    "outer": lambda draw, x, other: tc.matmul(
        tc.reshape(x, shape=(int(np.prod(x.shape)), 1)), tc.reshape(other, shape=(1, int(np.prod(other.shape))))
    ),
    "transpose": lambda draw, x, other: tc.transpose(x, axes=tuple(reversed(range(len(x.shape))))),
    "reduce": lambda draw, x, other: tc.reduce(
        tc.flatten(x), kind=draw(st.sampled_from(["sum", "mean", "max", "min"])), axes=(0,)
    ),
    "broadcast": lambda draw, x, other: tc.broadcast(x, shape=(2, *x.shape)),
    "select": lambda draw, x, other: tc.select(x > draw(NUMBERS), x, 0.5),
    "boltzmann": lambda draw, x, other: tc.boltzmann(tc.flatten(x), T=draw(st.sampled_from([0.3, 1.0]))),
    "fermi": lambda draw, x, other: tc.fermi_dirac(x, T=0.5, mu=draw(NUMBERS)),
    "relu": lambda draw, x, other: tc.thermal_relu(x, T=tc.schedule(kind="linear", T0=1.0, parameter=9.0, T_min=0.1)),
    "maxwell": lambda draw, x, other: tc.maxwell_boltzmann(x, T=0.7),
    "memory": lambda draw, x, other: tc.memory(x, kT=0.2, gamma=1.5, initial=draw(NUMBERS)),
    "noise": lambda draw, x, other: x + tc.noise(kT=0.1, shape=x.shape),
    "uniform": lambda draw, x, other: x * tc.uniform(shape=x.shape),
    "p-bit": lambda draw, x, other: tc.sample_binary(x, T=0.5, levels=draw(st.sampled_from(["binary", "spin"]))),
    "one of many": lambda draw, x, other: tc.sample_categorical(tc.flatten(x), T=0.5),
    "free energy": lambda draw, x, other: tc.observables(x, T=1.0)[2],
    "lif": lambda draw, x, other: tc.lif(x, 0.8, method=draw(st.sampled_from(["exact", "euler"])))[1],
    "if": lambda draw, x, other: tc.if_(x, reset="subtract")[0],
    "li": lambda draw, x, other: tc.li(x, 0.8),
    "recurrent": _recurrent,
}


@st.composite
def networks(draw: Any, most: int = 7) -> tc.Network:
    """Return a network of one to ``most`` steps over one or two inputs, every value of at most a few elements."""
    with tc.Network("random", dt=draw(st.sampled_from([0.1, 0.5]))) as net:
        values = [tc.input("x", tuple(draw(st.lists(LENGTHS, max_size=2))))]
        if draw(st.booleans()):
            values.append(tc.input("z", (draw(LENGTHS),)))
        for name in draw(st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=most)):
            x, other = draw(st.sampled_from(values)), draw(st.sampled_from(values))
            made = STEPS[name](draw, x, other)
            if int(np.prod(made.shape)) <= 64 and len(made.shape) <= 4:
                values.append(made)
        for number, value in enumerate(values[-3:]):
            tc.output(f"y{number}", value)
    return net


def given_inputs(net: tc.Network, *, ticks: int = 4, batch: int = 3) -> dict[str, np.ndarray]:
    """Return inputs (ticks, batch, *shape) from a fixed seed."""
    rng = np.random.default_rng(7)
    return {name: rng.normal(size=(ticks, batch, *op.shape)) for name, op in net.graph.inputs.items()}
