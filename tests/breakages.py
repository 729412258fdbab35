"""Ways to break what quantising has written, each a rewrite of the lowered graph, and random networks to break.

Every network has spiking units with a current, a membrane, a bias, a recurrent delay and p-bits, so that each of the
breakages has something to break; inputs fire often, so that no broken number is out of use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

import thermoc as tc
from thermoc.backends.lava import LavaBackend
from thermoc.backends.lava import Options as LavaOptions
from thermoc.ir.dialects import loihi
from thermoc.ir.dialects.core import Constant
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.types import DType, Type
from thermoc.ir.values import Array, Value
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log
from thermoc.passes.loihi.quantize import Quantize

Break = Callable[[Graph], Graph]
TICKS, BATCH = 32, 3


def constant(graph: Graph, name: str, change: Callable[[np.ndarray], Any]) -> Graph:
    """Return a graph with one constant changed."""
    op: Any = graph.producers[name]
    array = np.asarray(change(op.value.numpy.copy())).astype(op.value.numpy.dtype)
    return graph.with_ops(old.with_(value=Array(array)) if old is op else old for old in graph.ops)


def attribute(graph: Graph, kind: type[Op], **changes: Callable[[Any], Any]) -> Graph:
    """Return a graph with attributes of the first op of a kind changed."""
    first = graph.of(kind)[0]
    made = first.with_(**{name: change(getattr(first, name)) for name, change in changes.items()})
    return graph.with_ops(made if op is first else op for op in graph.ops)


def synapse(graph: Graph) -> Any:
    """Return the first synapse of the chip: that of the inputs."""
    return graph.of(loihi.Dense)[0]


def weights(change: Callable[[np.ndarray], Any]) -> Break:
    return lambda graph: constant(graph, synapse(graph).weight.name, change)


def _one_sign(W: np.ndarray) -> np.ndarray:
    at = np.unravel_index(np.abs(W).argmax(), W.shape)
    W[at] = -W[at] if W[at] > -256 else 254
    return W


def _swapped(W: np.ndarray) -> np.ndarray:
    return W[[1, 0, *range(2, len(W))]]


def _later(graph: Graph) -> Graph:
    """Every spike of the inputs arrives a tick too late."""
    op = synapse(graph)
    name = f"{op.y.name}.delays"
    ones = np.ones(graph.producers[op.weight.name].value.numpy.shape, np.int32)  # type: ignore[attr-defined]
    delays = Value(name, Type(ones.shape, DType.i32))
    made = [Constant(value=Array(ones), y=delays), op.with_(delays=delays, longest=1)]
    return graph.with_ops(new for old in graph.ops for new in (made if old is op else [old]))


def _temperature(graph: Graph) -> Graph:
    return constant(graph, graph.of(loihi.FermiDirac)[0].T.name, lambda T: T * 1.5)


def _bias(graph: Graph) -> Graph:
    return constant(graph, graph.of(loihi.Lif)[0].bias_mant.name, lambda bias: bias // 2)


BREAKAGES: dict[str, Break] = {
    "weights 0": weights(np.zeros_like),
    "a sign": weights(_one_sign),
    "a threshold": lambda graph: attribute(graph, loihi.Lif, vth=lambda vth: vth * 5 // 4),
    "a delay": _later,
    "a decay": lambda graph: attribute(graph, loihi.Lif, dv=lambda dv: dv + 400),
    "a bias": _bias,
    "a scale": lambda graph: attribute(graph, loihi.Dense, weight_exp=lambda exponent: exponent + 1),
    "a reset": lambda graph: attribute(graph, loihi.Lif, reset=lambda r: "zero" if r == "subtract" else "subtract"),
    "swapped units": weights(_swapped),
    "a temperature": _temperature,
}


def _table(graph: Graph) -> Graph:
    return constant(graph, graph.of(loihi.Lut)[0].table.name, lambda table: table[::-1])


OTHERS: dict[str, Break] = {
    "a reading": lambda graph: attribute(graph, loihi.Decode, scale=lambda scale: 1.01 * scale),
    "a message": lambda graph: attribute(graph, loihi.Encode, scale=lambda scale: 1.2 * scale),
    "a table": _table,
    "a gain": lambda graph: attribute(graph, loihi.Memory, gain=lambda gain: 2 * gain),
}
"""Of units that the random networks do not have."""


@dataclass(frozen=True, kw_only=True)
class BrokenQuantize(Quantize):
    """Quantises, and then breaks what it has written; it tells the same of it."""

    fault: str = ""

    def run(self, graph: Graph, log: Log) -> Graph:
        return (BREAKAGES | OTHERS)[self.fault](super().run(graph, log))


@dataclass(frozen=True, kw_only=True)
class BreakAfter(Pass):
    """Breaks the graph as a pass of its own."""

    name: ClassVar[str] = "break"
    fault: str

    def run(self, graph: Graph, log: Log) -> Graph:
        return BREAKAGES[self.fault](graph)


@dataclass(frozen=True, kw_only=True)
class Options(LavaOptions):
    """fault: which of the breakages, none if empty; after: as a pass of its own behind all others."""

    fault: str = ""
    after: bool = False


class BreakingLava(LavaBackend):
    """Lava with a fault in its lowering."""

    name: ClassVar[str] = "breaking-lava"
    Options: ClassVar[type] = Options

    def lower(self, options: Any, *, dt: float) -> Sequence[Pass]:
        passes = list(super().lower(options, dt=dt))
        if not options.fault:
            return passes
        if options.after:
            return [*passes, BreakAfter(fault=options.fault)]
        return [_broken(one, options.fault) if isinstance(one, Quantize) else one for one in passes]


def _broken(one: Quantize, fault: str) -> BrokenQuantize:
    held = {item.name: getattr(one, item.name) for item in fields(one)}
    return BrokenQuantize(fault=fault, **held)


def random_network(number: int) -> tc.Network:
    """A recurrent layer of spiking units, p-bits and a readout behind it; sizes, constants and kinds by the number."""
    rng = np.random.default_rng(1000 + number)
    n_in, n, n_out = (int(rng.integers(low, high)) for low, high in ((4, 9), (5, 12), (3, 7)))
    tau, reset = float(rng.uniform(3, 20)), str(rng.choice(["subtract", "zero"]))
    kind = ["lif", "cuba"][number % 2]
    with tc.Network(f"random-{number}") as net:
        x, back = tc.input("x", (n_in,), role="spike"), tc.placeholder((n,))
        late = tc.delay(back, ticks=int(rng.integers(1, 4)))
        drive = tc.affine(x, rng.normal(size=(n, n_in)) + 0.3, rng.uniform(0.1, 0.5, size=n))
        drive = drive + tc.affine(late, 0.5 * rng.normal(size=(n, n)) / np.sqrt(n))
        if kind == "lif":
            s = tc.lif(tau * 0.4 * drive, tau=tau, v_threshold=float(rng.uniform(0.5, 1.0)), reset=reset)[0]
        else:
            form: Any = {"tau_syn": float(rng.uniform(1.5, 4)), "tau_mem": tau, "method": "semi_implicit"}
            s = tc.cuba_lif(drive, v_threshold=float(rng.uniform(0.2, 0.5)), reset=reset, **form)[0]
        tc.connect(back, s)
        tc.output("p", tc.sample_binary(tc.affine(s, rng.normal(size=(n_out, n))), T=float(rng.uniform(0.3, 1.0))))
        tc.output("y", tc.lif(tc.affine(s, 2 * rng.normal(size=(n_out, n)) + 1.0), tau=5.0, v_threshold=0.5)[0])
    return net


def inputs(net: tc.Network, number: int) -> dict[str, np.ndarray]:
    """Spikes for a network."""
    shape = (TICKS, BATCH, *net.graph.inputs["x"].shape)
    return {"x": (np.random.default_rng(number).random(shape) < 0.4).astype(float)}
