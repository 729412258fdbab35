"""Targets with one fault, to see that faults are found: the reference as a target, and Lava with a broken lowering."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

import thermoc as tc
from thermoc.backends.base import Artefact, Backend, BackendSession, NoisePosition
from thermoc.backends.interpreted import InterpretedSession
from thermoc.backends.lava import LavaBackend, LavaOptions
from thermoc.ir.dialects import core, loihi, thermo
from thermoc.ir.dialects.core import Constant
from thermoc.ir.feed import Feed
from thermoc.ir.graph import Graph
from thermoc.ir.ops import REGISTRY, Op
from thermoc.ir.target import TargetDescription
from thermoc.ir.types import DType, Type
from thermoc.ir.values import Array, Value
from thermoc.passes import stages
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log, Lowered
from thermoc.passes.legalize import Legalize
from thermoc.passes.loihi.quantize import Quantize

TARGET = TargetDescription(name="double", summary="the reference in the place of a target", ops=frozenset(REGISTRY))


@dataclass(frozen=True, kw_only=True)
class Options:
    """extra: a pass to run before the others."""

    extra: Pass | None = None


@dataclass(frozen=True, kw_only=True)
class GraphText(Artefact):
    graph: Graph
    suffix: ClassVar[str] = ".txt"

    def to_bytes(self) -> bytes:
        return str(self.graph).encode()


class QuietSession(InterpretedSession):
    """What overflows does so without a warning, as on other targets."""

    def advance(self, feed: Feed, names: Collection[str] | None = None) -> dict[str, NDArray]:
        with np.errstate(all="ignore"):
            return super().advance(feed, names)


class Right(Backend):
    """No fault."""

    name: ClassVar[str] = "right"
    Options: ClassVar[type] = Options
    fault: ClassVar[Callable[[Op], Op]] = staticmethod(lambda op: op)

    def target(self) -> TargetDescription:
        return TARGET

    def lower(self, options: Options, *, dt: float) -> Sequence[Pass]:
        passes = list(stages.discrete(dt=dt, dtype=DType.f64))
        return passes if options.extra is None else [*passes, options.extra]

    def emit(self, lowered: Lowered, options: Any) -> GraphText:
        return GraphText(graph=lowered.graph.with_ops(type(self).fault(op) for op in lowered.graph.ops))

    def start(self, artefact: GraphText, *, batch: int, position: NoisePosition) -> BackendSession:
        return QuietSession(artefact.graph, batch=batch, position=position)


class WrongSign(Right):
    """a - b comes out as b - a."""

    name = "wrong-sign"
    fault = staticmethod(lambda op: op.with_(a=op.b, b=op.a) if isinstance(op, core.Sub) else op)


class WrongStream(Right):
    """Normals come from the stream of another op."""

    name = "wrong-stream"
    fault = staticmethod(lambda op: op.with_(stream=op.stream + 1) if isinstance(op, thermo.Normal) else op)


class LateDelay(Right):
    """Delays longer than a tick take one too many."""

    name = "late-delay"
    fault = staticmethod(lambda op: op.with_(ticks=op.ticks + 1) if getattr(op, "ticks", 1) > 1 else op)


def _one_weight(op: Op) -> Op:
    if not isinstance(op, core.Constant) or op.value.numpy.ndim != 2:
        return op
    array = op.value.numpy.copy()
    array[-1, 0] *= 1 + 1e-6
    return op.with_(value=Array(array))


class OneWeight(Right):
    """One entry of each matrix is a millionth too large: the last row, first column."""

    name = "one-weight"
    fault = staticmethod(_one_weight)


class Strict(Right):
    """> comes out as >=."""

    name = "strict"
    fault = staticmethod(
        lambda op: (
            core.GreaterEqual(a=op.a, b=op.b, y=op.y, location=op.location) if isinstance(op, core.Greater) else op
        )
    )


class Never(Right):
    """Nothing is greater than anything."""

    name = "never"
    fault = staticmethod(lambda op: op.with_(b=op.a) if isinstance(op, core.Greater) else op)


class Absent(Right):
    """Its runtime is not installed."""

    name = "absent"

    def start(self, artefact: GraphText, *, batch: int, position: NoisePosition) -> BackendSession:
        from thermoc.support.errors import error

        raise error("T302", "running this needs nothing that exists", hint="pip install nothing")


class Modest(Right):
    """Cannot hold a sine, and says so."""

    name = "modest"

    def target(self) -> TargetDescription:
        return replace(TARGET, name=self.name, refused={"core.sin": "it has no sine"}, ops=TARGET.ops - {"core.sin"})

    def lower(self, options: Options, *, dt: float) -> Sequence[Pass]:
        return [*super().lower(options, dt=dt), Legalize(target=self.target())]


@dataclass(frozen=True, kw_only=True)
class Broken(Pass):
    """Turns tanh into sin."""

    name: ClassVar[str] = "broken"

    def run(self, graph: Graph, log: Any) -> Graph:
        sin = REGISTRY["core.sin"]
        return graph.with_ops(
            sin(x=op.inputs[0], y=op.results[0]) if op.opname == "core.tanh" else op for op in graph.ops
        )


@dataclass(frozen=True, kw_only=True)
class LosesSigns(Pass):
    """Drops a sign where a product stands before it: wrong in context alone."""

    name: ClassVar[str] = "loses-signs"

    def run(self, graph: Graph, log: Any) -> Graph:
        def right(op: Op) -> Op:
            if op.opname != "core.neg" or not isinstance(graph.producers[op.inputs[0].name], core.Matmul):
                return op
            return REGISTRY["core.abs"](x=op.inputs[0], y=op.results[0])

        return graph.with_ops(right(op) for op in graph.ops)


class LeavesOneMore(InterpretedSession):
    """Its states are one too many."""

    @property
    def states(self) -> dict[str, NDArray]:
        return {name: array + 1 for name, array in super().states.items()}


class LeftBehind(Right):
    """Outputs are right, but the state it leaves is not."""

    name = "left-behind"

    def start(self, artefact: GraphText, *, batch: int, position: NoisePosition) -> BackendSession:
        return LeavesOneMore(artefact.graph, batch=batch, position=position)


ALL = (Right, WrongSign, WrongStream, LateDelay, OneWeight, Strict, Never, Absent, LeftBehind, Modest)
DOUBLES = {cls.name: f"verification.faulty_targets:{cls.__name__}" for cls in ALL}

# ------------------------------------------------------------------------ Lava with one number wrong
# Ways to break what quantising has written, each a rewrite of the lowered graph, and random networks to break. Every
# network has spiking units with a current, a membrane, a bias, a recurrent delay and p-bits, so that each of the
# breakages has something to break; inputs fire often, so that no broken number is out of use.

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
    return graph.of(loihi.LoihiDense)[0]


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
    return constant(graph, graph.of(loihi.LoihiFermiDirac)[0].T.name, lambda T: T * 1.5)


def _bias(graph: Graph) -> Graph:
    return constant(graph, graph.of(loihi.LoihiLif)[0].bias_mant.name, lambda bias: bias // 2)


BREAKAGES: dict[str, Break] = {
    "weights 0": weights(np.zeros_like),
    "a sign": weights(_one_sign),
    "a threshold": lambda graph: attribute(graph, loihi.LoihiLif, vth=lambda vth: vth * 5 // 4),
    "a delay": _later,
    "a decay": lambda graph: attribute(graph, loihi.LoihiLif, dv=lambda dv: dv + 400),
    "a bias": _bias,
    "a scale": lambda graph: attribute(graph, loihi.LoihiDense, weight_exp=lambda exponent: exponent + 1),
    "a reset": lambda graph: attribute(
        graph, loihi.LoihiLif, reset=lambda r: "zero" if r == "subtract" else "subtract"
    ),
    "swapped units": weights(_swapped),
    "a temperature": _temperature,
}


def _table(graph: Graph) -> Graph:
    return constant(graph, graph.of(loihi.LoihiLut)[0].table.name, lambda table: table[::-1])


OTHERS: dict[str, Break] = {
    "a reading": lambda graph: attribute(graph, loihi.LoihiDecode, scale=lambda scale: 1.01 * scale),
    "a message": lambda graph: attribute(graph, loihi.LoihiEncode, scale=lambda scale: 1.2 * scale),
    "a table": _table,
    "a loss": lambda graph: constant(graph, graph.of(loihi.LoihiRelaxation)[0].loss.name, lambda loss: loss * 9 // 10),
    "a floor": lambda graph: attribute(graph, loihi.LoihiRelaxation, floor=lambda floor: floor * 5 // 4),
    "a noise": lambda graph: attribute(graph, loihi.LoihiRelaxation, spread=lambda spread: spread + 1),
    "a probability": lambda graph: attribute(graph, loihi.LoihiBoltzmann, fraction=lambda fraction: fraction - 1),
    "a gain": lambda graph: attribute(graph, loihi.LoihiMemory, gain=lambda gain: 2 * gain),
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
class BreakingOptions(LavaOptions):
    """fault: which of the breakages, none if empty; after: as a pass of its own behind all others."""

    fault: str = ""
    after: bool = False


class BreakingLava(LavaBackend):
    """Lava with a fault in its lowering."""

    name: ClassVar[str] = "breaking-lava"
    Options: ClassVar[type] = BreakingOptions

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


def random_spikes(net: tc.Network, number: int) -> dict[str, np.ndarray]:
    """Spikes for a network."""
    shape = (TICKS, BATCH, *net.graph.inputs["x"].shape)
    return {"x": (np.random.default_rng(number).random(shape) < 0.4).astype(float)}
