"""Random networks of the ``loihi`` dialect, a pure function of a seed: signs, exponents, overflow edges, every unit.

Each holds a few units of several kinds; what it is made of stands in its flags, so that a target that has no form for
one of them knows which networks are its own. A bound on every activation is kept along the way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import thermoc as tc
from thermoc.ir.dialects.core import Input, Output
from thermoc.ir.dialects.loihi import LIMIT, weight_range
from thermoc.ir.graph import Graph
from thermoc.ir.handle import Handle
from thermoc.ir.values import Value

TICKS = 12
STOCK = frozenset({"dense", "sparse", "conv", "delays", "dendrite", "recurrent", "lif", "graded", "sigma", "delta"}) | {
    "sigma_delta",
    "cum_error",
}
"""Flags of what Lava's own processes do; every other flag asks for a process made for it.

Not among them: ``shifted`` (graded units with a bias or a shift), ``subtract``, ``greater_equal``, ``lag``, ``started``
(u or v do not start at 0); ``deep`` (an activation so large that Lava, which wraps a current once,
may not bring it back into 24 bits); ``wide`` (a sum may pass 32 bits); and the units ``lut``, ``fermi_dirac``,
``categorical``, ``boltzmann``, ``memory``, ``relaxation``, ``heat``, ``heat_node``.
"""
DEEP = 2**18
WIDE = 2**31


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A network, inputs (TICKS, batch, *shape) of i32, and what it is made of."""

    seed: int
    net: tc.Network
    inputs: dict[str, NDArray[np.int32]]
    flags: frozenset[str]

    @property
    def stock(self) -> bool:
        """True where Lava's own processes do all of it."""
        return self.flags <= STOCK


@dataclass(frozen=True)
class Signal:
    """A value of the network and the largest magnitude it can have."""

    x: Handle
    bound: int

    @property
    def size(self) -> int:
        return int(np.prod(self.x.shape))


class Maker:
    """Draws parts of a network and notes what they are."""

    def __init__(self, seed: int):
        self.rng = np.random.default_rng([2024, seed])
        self.flags: set[str] = set()
        self.plain = self.chance(0.5)

    def chance(self, probability: float, flag: str = "") -> bool:
        """Return True with this probability, and then note the flag; plain networks have no flags but the stock ones."""
        came = bool(self.rng.random() < probability)
        if flag and self.plain and flag not in STOCK:
            return False
        if came and flag:
            self.flags.add(flag)
        return came

    def pick(self, *choices: Any) -> Any:
        return choices[int(self.rng.integers(len(choices)))]

    def between(self, low: int, high: int, *edges: int) -> int:
        """Return an integer of a range, its ends and the edges more often than the others."""
        if self.chance(0.3):
            return int(self.pick(low, high, *edges))
        return int(self.rng.integers(low, high, endpoint=True))

    def many(self, shape: tuple[int, ...], *choices: int) -> NDArray[np.int64]:
        return self.rng.choice(np.array(choices, np.int64), shape)

    def weights(self, shape: tuple[int, ...]) -> tuple[NDArray[np.int64], dict[str, Any]]:
        """Return weights that their attributes allow, the extremes among them, some of them 0."""
        sign, bits = self.pick("mixed", "mixed", "excitatory", "inhibitory"), self.pick(8, 8, 8, 7, 6, 4, 2, 1)
        low, high, step = weight_range(sign, bits)
        steps = self.rng.integers(low // step, high // step, shape, endpoint=True)
        steps = np.where(self.rng.random(shape) < 0.1, self.many(shape, low // step, high // step, 0), steps)
        if self.chance(0.5):  # small ones, so that units are not always saturated
            steps = np.clip(steps, -3, 3)
        exponent = self.pick(0, 0, 0, -1, -3, 1, 2, -8, 0 if self.plain else 7)
        return steps * step, {"sign_mode": sign, "weight_bits": bits, "weight_exp": exponent}

    def message(self, x: Signal) -> tuple[int, int]:
        """Return message_bits that hold the signal, or 0, and the largest magnitude of a message."""
        bits = int(x.bound).bit_length() + 1
        if (bits <= 2 and self.chance(0.7)) or bits > 24 or self.chance(0.2):
            return 0, 1
        return self.pick(bits, 24), x.bound

    def sent(self, weights: NDArray, fan: int, message: int, exponent: int) -> int:
        """Return the bound of what a synapse sends, and note where sums pass 32 bits."""
        total = int(np.abs(weights).max(initial=0)) * fan * message
        bound = total << exponent if exponent >= 0 else (total >> -exponent) + 1
        if max(total, bound) >= WIDE:
            self.flags.add("wide")
        return min(bound, WIDE)

    # ------------------------------------------------------------------------------------------------- synapses

    def flat(self, x: Signal) -> Signal:
        return x if len(x.x.shape) == 1 else Signal(tc.flatten(x.x), x.bound)

    def delays(self, shape: tuple[int, ...]) -> dict[str, Any]:
        if not self.chance(0.25, "delays"):
            return {}
        longest = self.pick(1, 2, 3, 5, 63)
        most = min(longest, TICKS)
        return {"delays": self.rng.integers(0, most, shape, endpoint=True), "longest": longest}

    def dense(self, x: Signal, m: int) -> Signal:
        self.flags.add("dense")
        x = self.flat(x)
        bits, message = self.message(x)
        W, attrs = self.weights((m, x.size))
        delayed = self.delays((m, x.size))
        y = tc.loihi.dense(x.x, W, message_bits=bits, **attrs, **delayed)
        return Signal(y, self.sent(W, x.size, message, attrs["weight_exp"]) * (1 + delayed.get("longest", 0)))

    def sparse(self, x: Signal, m: int) -> Signal:
        self.flags.add("sparse")
        x = self.flat(x)
        bits, message = self.message(x)
        rows = [np.flatnonzero(self.rng.random(x.size) < 0.5) for _ in range(m)]
        columns = np.concatenate(rows).astype(np.int64)
        offsets = np.cumsum([0, *map(len, rows)])
        W, attrs = self.weights(columns.shape)
        delayed = self.delays(columns.shape)
        y = tc.loihi.sparse(x.x, W, columns, offsets, message_bits=bits, **attrs, **delayed)
        return Signal(y, self.sent(W, x.size, message, attrs["weight_exp"]) * (1 + delayed.get("longest", 0)))

    def conv(self, x: Signal) -> Signal:
        self.flags.add("conv")
        channels, height, width = x.x.shape
        groups = self.pick(*(g for g in (1, 2) if channels % g == 0))
        padding, stride = (self.pick(0, 1), self.pick(0, 1)), (self.pick(1, 2), self.pick(1, 2))
        room = (height + 2 * padding[0], width + 2 * padding[1])
        window = (int(self.pick(1, 2, 3)), int(self.pick(1, 2)))
        window = (min(window[0], room[0]), min(window[1], room[1]))
        dilation = tuple(self.pick(1, 2) if 2 * (size - 1) < whole else 1 for size, whole in zip(window, room))
        bits, message = self.message(x)
        W, attrs = self.weights((groups * self.pick(1, 2), channels // groups, *window))
        y = tc.loihi.conv(
            x.x,
            W,
            padding=tuple((p, p) for p in padding),
            stride=stride,
            dilation=dilation,
            groups=groups,
            message_bits=bits,
            **attrs,
        )
        return Signal(y, min(self.sent(W, int(np.prod(W.shape[1:])), message, attrs["weight_exp"]), LIMIT + 1))

    def synapse(self, x: Signal, m: int) -> Signal:
        return self.pick(self.dense, self.sparse)(x, m)

    # ---------------------------------------------------------------------------------------------------- units

    def bias(self, shape: tuple[int, ...], low: int, high: int) -> Any:
        if self.chance(0.4):
            return 0
        if self.chance(0.3):
            return self.between(low, high, 0)
        return np.where(self.rng.random(shape) < 0.2, self.many(shape, low, high), self.rng.integers(low, high, shape))

    def lag(self) -> dict[str, int]:
        return {"lag": self.pick(1, 2, 3)} if self.chance(0.15, "lag") else {}

    def lif(self, a: Signal) -> Signal:
        self.flags.update({"lif"} | ({"deep"} if a.bound > DEEP else set()))
        shape, attrs = a.x.shape, dict[str, Any](self.lag())
        if self.chance(0.15, "subtract"):
            attrs["reset"] = "subtract"
        if self.chance(0.15, "greater_equal"):
            attrs["compare"] = "greater_equal"
        if self.chance(0.15, "started"):
            attrs |= {name: self.bias(shape, -LIMIT, LIMIT) for name in ("v_initial", "u_initial")}
        s, v, u = tc.loihi.lif(
            a.x,
            self.bias(shape, -4096, 4095),
            du=self.between(0, 4095, 4094, 409),
            dv=self.between(0, 4095, 4094, 128),
            vth=self.pick(0, 1, 64, 1000, 2**17 - 1, self.between(0, 4096)),
            bias_exp=self.between(0, 7, 0),
            **attrs,
        )
        tc.output(f"v_{s.value.name.replace('.', '_')}", v)
        tc.output(f"u_{s.value.name.replace('.', '_')}", u)
        return Signal(s, 1)

    def graded(self, a: Signal) -> Signal:
        self.flags.add("graded")
        rule, vth = self.pick("relu", "abs"), self.pick(0, 1, 100, 2**12, self.between(0, LIMIT))
        if not self.chance(0.4, "shifted"):
            if a.bound > LIMIT:
                self.flags.add("deep")
            return Signal(tc.loihi.graded(a.x, vth=vth, rule=rule), min(a.bound, LIMIT))
        shift, bias = self.between(0, 23), self.bias(a.x.shape, -LIMIT, LIMIT)
        y = tc.loihi.graded(a.x, bias, vth=vth >> min(shift, 8), shift=shift, rule=rule)
        return Signal(y, min(((a.bound + LIMIT) >> shift) + 1, LIMIT))

    def lut(self, a: Signal) -> Signal:
        self.flags.add("lut")
        table = self.rng.integers(-LIMIT, LIMIT, self.pick(1, 2, 17, 256), endpoint=True) >> self.pick(0, 10, 20)
        bias, shift = self.bias(a.x.shape, -LIMIT, LIMIT), self.between(0, 31, 12)
        return Signal(tc.loihi.lut(a.x, table, bias, shift=shift), int(np.abs(table).max()))

    def sigma(self, a: Signal) -> Signal:
        self.flags.add("sigma")
        if a.bound * TICKS >= WIDE:
            self.flags.add("wide")
        return Signal(tc.loihi.sigma(a.x), min(a.bound * TICKS, WIDE))

    def threshold(self, bound: int) -> dict[str, Any]:
        attrs = {"vth": self.pick(0, 1, min(bound, LIMIT), self.between(0, LIMIT)), "spike_exp": self.between(0, 7, 0)}
        attrs |= {"state_exp": self.between(0, 7, 0), "cum_error": self.chance(0.4, "cum_error")}
        attrs["vth"] = min(attrs["vth"], WIDE - 1 >> attrs["spike_exp"] + attrs["state_exp"])
        return attrs

    def difference(self, bound: int, attrs: dict[str, Any], scaled: int) -> int:
        """Return the bound of a message of a delta encoder of values below ``bound``; its states lie scaled up."""
        most = bound << scaled
        if max(most * 4 * TICKS, attrs["vth"] << (attrs["spike_exp"] + attrs["state_exp"])) >= WIDE:
            self.flags.add("wide")
        return min((most * 4 >> attrs["state_exp"]) + 1, WIDE)

    def delta(self, a: Signal) -> Signal:
        self.flags.add("delta")
        attrs = self.threshold(a.bound)
        y = tc.loihi.delta(a.x, **attrs)
        return Signal(y, self.difference(a.bound, attrs, attrs["spike_exp"] + attrs["state_exp"]))

    def sigma_delta(self, a: Signal) -> Signal:
        self.flags.add("sigma_delta")
        attrs = self.threshold(a.bound)
        most = 2 ** self.pick(0, 8, 15)
        bias = self.bias(a.x.shape, -most, most)
        y = tc.loihi.sigma_delta(a.x, bias, activation=self.pick("unit", "relu"), **attrs)
        reach = a.bound * TICKS + (most << (attrs["spike_exp"] + attrs["state_exp"]))
        return Signal(y, self.difference(reach, attrs, 0))

    def temperature(self, a: Signal) -> Any:
        shape = a.x.shape
        if self.chance(0.2, "heat"):
            return tc.loihi.heat(a.x, **self.warm(shape))
        scale = 2 ** self.pick(1, 8, 16, 23)
        return self.rng.integers(1, 2 * scale, shape) if self.chance(0.5) else self.pick(1, 2**24 - 1, scale)

    def fermi_dirac(self, a: Signal) -> Signal:
        self.flags.add("fermi_dirac")
        shape, turns, levels = a.x.shape, self.pick(1, 1, 2, 3), self.pick("binary", "spin")
        low = -1 if levels == "spin" else 0
        s = tc.loihi.fermi_dirac(
            a.x,
            self.temperature(a),
            self.bias(shape, -(2**12), 2**12),
            self.rng.integers(0, turns, shape),
            self.many(shape, low, 1),
            levels=levels,
            turns=turns,
            sweeps=self.pick(1, 2),
            **self.lag(),
        )
        return Signal(s, 1)

    def categorical(self, a: Signal) -> Signal:
        self.flags.add("categorical")
        bias = self.bias(a.x.shape, -(2**12), 2**12)
        return Signal(tc.loihi.categorical(a.x, self.temperature(a), bias, **self.lag()), 1)

    def boltzmann(self, a: Signal) -> Signal:
        self.flags.add("boltzmann")
        shape, fraction = a.x.shape, self.pick(1, 8, 15, 22)
        operands = self.temperature(a), self.bias(shape, -(2**12), 2**12), self.bias(shape, 0, 2**fraction)
        return Signal(tc.loihi.boltzmann(a.x, *operands, fraction=fraction, **self.lag()), 2**fraction)

    def memory(self, a: Signal) -> Signal:
        self.flags.add("memory")
        shape = a.x.shape
        sigma = self.rng.integers(0, 2 ** self.pick(1, 10, 23), shape)
        m = tc.loihi.memory(
            a.x,
            sigma,
            gain=self.pick(0, 1, 4096, self.between(0, 2**17 - 1)),
            dm=self.between(0, 4096, 41),
            initial=self.bias(shape, -LIMIT, LIMIT),
            **self.lag(),
        )
        return Signal(m, LIMIT)

    def relaxation(self, a: Signal) -> Signal:
        self.flags.add("relaxation")
        shape = a.x.shape
        floor = self.pick(-LIMIT, -9, 100)
        m = tc.loihi.relaxation(
            a.x,
            self.rng.integers(0, 2 ** self.pick(1, 10, 23), shape),
            self.rng.integers(0, 2**24, shape, endpoint=True),
            self.rng.integers(0, self.pick(1, 12, 63), shape, endpoint=True),
            self.rng.integers(floor, LIMIT, shape, endpoint=True) >> (0 if floor > 0 else 8),
            self.rng.integers(0, 2**24, shape),
            floor=floor,
            lift=self.pick(0, 24, 31),
            spread=self.pick(0, 12, 23),
            every=self.pick(1, 1, 2, 3),
            **self.lag(),
        )
        return Signal(m, LIMIT)

    def warm(self, shape: tuple[int, ...]) -> dict[str, Any]:
        return {
            "ambient": self.rng.integers(1, 2 ** self.pick(4, 12, 24), shape),
            "initial": self.rng.integers(1, 2 ** self.pick(4, 12, 24), shape),
            "loss": self.between(0, 4096, 1),
            "gain": self.pick(0, 4096, self.between(0, 2**17 - 1)),
            "floor": self.pick(1, 64, 2**24 - 1),
        }

    def heat(self, a: Signal) -> Signal:
        self.flags.add("heat")
        return Signal(tc.loihi.heat(a.x, **self.warm(a.x.shape), **self.lag()), 2**24)

    def heat_node(self, a: Signal) -> Signal:
        self.flags.add("heat_node")
        shape = a.x.shape
        capacity = self.rng.integers(1, 2 ** self.pick(1, 8, 22), shape)
        start = self.bias(shape, -LIMIT, LIMIT), self.rng.integers(0, capacity)
        T = tc.loihi.heat_node(a.x, capacity, *start, every=self.pick(1, 1, 2, 3), **self.lag())
        return Signal(T, LIMIT)

    def unit(self, a: Signal) -> Signal:
        kinds: list[Callable[[Signal], Signal]] = [self.graded, self.sigma, self.delta, self.sigma_delta]
        others = [
            self.lut,
            self.fermi_dirac,
            self.categorical,
            self.boltzmann,
            self.memory,
            self.relaxation,
            self.heat,
            self.heat_node,
            self.graded,
            self.graded,
        ]
        made = self.pick(*[self.lif] * 5, *kinds, *([] if self.plain else others))(a)
        tc.output(f"y_{made.x.value.name.replace('.', '_')}", made.x)
        return made

    # --------------------------------------------------------------------------------------------------- layers

    def layer(self, sources: list[Signal]) -> Signal:
        """Units behind one synapse, or behind several that a dendrite adds up, one of them from the units themselves."""
        m, x = int(self.rng.integers(1, 7)), sources[-1]
        parts = [self.conv(x) if len(x.x.shape) == 3 and self.chance(0.8) else self.synapse(x, m)]
        shape = parts[0].x.shape
        while len(shape) == 1 and len(parts) < 3 and self.chance(0.25):
            parts.append(self.synapse(self.pick(*sources), shape[0]))
        hole = None
        if len(shape) == 1 and self.chance(0.25, "recurrent"):
            hole = tc.placeholder(shape, dtype="i32", role="spike")
            parts.append(self.synapse(Signal(hole, 1), shape[0]))
        if len(parts) > 1:
            self.flags.add("dendrite")
            bound = sum(part.bound for part in parts)
            parts = [Signal(tc.loihi.dendrite(tuple(part.x for part in parts)), min(bound, WIDE))]
            if bound >= WIDE:
                self.flags.add("wide")
        if hole is None:
            return self.unit(parts[0])
        made = self.lif(parts[0]) if self.plain or self.chance(0.7) else self.fermi_dirac(parts[0])
        tc.output(f"y_{made.x.value.name.replace('.', '_')}", made.x)
        tc.connect(hole, made.x)
        return made


def given(maker: Maker, shape: tuple[int, ...], batch: int) -> tuple[NDArray[np.int32], int]:
    """Return an input (TICKS, batch, *shape) and its bound: spikes, small or large messages, the edges of 24 bits."""
    most = maker.pick(1, 1, 1, 127, 127, 2**11 if maker.plain else 2**15, 2**15 if maker.plain else LIMIT)
    low, density = maker.pick(0, -most), maker.pick(0.2, 0.5, 1.0)
    arrays, first = [], int(maker.rng.integers(2**31))
    for number in range(batch):
        rng = np.random.default_rng([first, number])
        x = rng.integers(low, most, (TICKS, *shape), endpoint=True)
        x = np.where(rng.random(x.shape) < 0.1, rng.choice([low, most], x.shape), x)
        arrays.append(np.where(rng.random(x.shape) < density, x, 0))
    return np.stack(arrays, axis=1).astype(np.int32), most


def network(seed: int, *, batch: int = 1) -> Sample:
    """Return the network of a seed, and inputs of which the first sample does not depend on ``batch``."""
    maker, inputs = Maker(seed), {}
    with tc.Network(f"random{seed}") as net:
        shape = maker.pick((4,), (6,), (1, 4, 3), (2, 4, 3))
        inputs["x"], bound = given(maker, shape, batch)
        signals = [Signal(tc.input("x", shape, dtype="i32"), bound)]
        if maker.chance(0.1):  # a unit is given its activation directly
            signals.append(maker.unit(signals[0]))
        for _ in range(int(maker.rng.integers(1, 4))):
            signals.append(maker.layer(signals))
    return Sample(seed=seed, net=net, inputs=inputs, flags=frozenset(maker.flags))


def beside(samples: list[Sample]) -> tuple[Graph, dict[str, NDArray]]:
    """Return the graph that holds all networks, with noise of their own, and its inputs."""
    ops, inputs = [], {}
    for place, sample in enumerate(samples):
        prefix = f"n{sample.seed}."

        def named(value: Value, prefix: str = prefix) -> Value:
            return Value(prefix + value.name, value.type)

        for op in sample.net.graph.ops:
            fields = {name: named(getattr(op, name)) for name in op.result_specs}
            if isinstance(op, Input | Output):
                fields["name"] = prefix + op.name
            if "stream" in op.attr_specs:
                fields["stream"] = op.stream + 1000 * place
            ops.append(op.renamed(named).with_(**fields))
        inputs |= {prefix + name: array for name, array in sample.inputs.items()}
    return Graph(name="beside", ops=tuple(ops)), inputs
