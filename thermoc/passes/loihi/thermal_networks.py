"""The pass that brings heat of every kind to one form: a network of heat capacities, its ledger beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from thermoc import physics
from thermoc.ir.dialects import core, heat
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.values import Value
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log
from thermoc.passes.rewriting import Expression, Rewriter, rewrite
from thermoc.support.array_types import AnyArray, FloatArray

NETWORKS = (heat.HeatNetwork, heat.HeatExchange, heat.Diffusion)
MOST_NODES = 1024
"""Of a network that goes on Loihi: the exact step joins each node to each, before small weights round to 0."""


def has_nodes(op: Op, graph: Graph) -> bool:
    """Tell whether Loihi has nodes for an op of heat: no noise, no ripple, its rates and its start known beforehand."""
    if isinstance(op, heat.HeatNetwork):
        return not op.k_B and not op.frequency and _known(op.initial, graph) and op.T.size <= MOST_NODES
    if isinstance(op, heat.HeatExchange):
        return _known(op.gamma, graph) and _known(op.initial, graph) and op.T.size <= MOST_NODES
    return isinstance(op, heat.Diffusion) and _known(op.initial, graph) and op.T.size <= MOST_NODES


def _known(value: Value, graph: Graph) -> bool:
    return isinstance(graph.producers[value.name], core.Constant)


@dataclass(frozen=True, kw_only=True)
class ThermalNetworks(Pass):
    """Write heat exchange and diffusion as thermal networks (P3, P17, P19), and heat and work as sums of the host.

    Exact: an exchange with the mean of n units is a conductance gamma / n between any two; one with a layer, a
    reservoir; a grid of cells is a network of conductances D / spacing^2, twice that to a wall.
    """

    name: ClassVar[str] = "thermal-networks"

    def run(self, graph: Graph, log: Log) -> Graph:
        done, stream = set[str](), max((getattr(op, "stream", -1) for op in graph.ops), default=-1)

        def network(w: Rewriter, **fields: Any) -> Expression:
            nonlocal stream
            stream += 1
            T, heat_, _ = w(heat.HeatNetwork, stream=stream, **fields)
            done.add(heat_.name)
            return T

        forms: dict[type[Op], Callable[[Any, Rewriter], Any]] = {
            heat.HeatNetwork: lambda op, w: _with_ledger(op, w, network),
            heat.HeatExchange: lambda op, w: _exchange(op, w, network),
            heat.Diffusion: lambda op, w: _diffusion(op, w, network),
        }

        def keep(op: Op) -> bool:
            return not has_nodes(op, graph) if not isinstance(op, heat.HeatNetwork) else op.heat.name in done

        for op in (*graph.of(heat.HeatExchange), *graph.of(heat.Diffusion)):
            if has_nodes(op, graph):
                new = "a network of capacities and conductances"
                log.changed(f"{op.T}", old=op.opname, new=new, bound="none: the same equation")
        return rewrite(graph, forms, keep=keep)


Network = Callable[..., Expression]


def _with_ledger(op: heat.HeatNetwork, w: Rewriter, network: Network) -> tuple[Value, Value, Value]:
    """The temperatures, and what they gave the reservoir in the tick before, from the temperatures themselves."""
    T = network(w, **dict(op.operand_values))
    (n,), numbers = op.T.shape, [w.numbers(value) for value in (op.capacity, op.conductance, op.ambient)]
    work, power = w.delay(op.work, w.constant(0.0)), w.broadcast(op.power, (n,))
    w.feed(work, power * w.dt)
    return T, _given(w, T, numbers, power, op.T_ambient), work


def _given(w: Rewriter, T: Expression, numbers: list[AnyArray], power: Expression, reservoir: Value) -> Expression:
    """Return the heat that each node gave the reservoir in the tick before."""
    (n,), (capacity, conductance, ambient) = T.shape, numbers
    ambient = np.broadcast_to(ambient, n)
    heat_ = w.delay(power, w.constant(0.0))
    if not ambient.any():
        w.feed(heat_, power * 0.0)
        return heat_
    step = physics.heat_step(capacity, conductance, ambient, w.dt)
    T_ambient = w.broadcast(reservoir, (n,))
    dissipated = w.affine(T, ambient[:, np.newaxis] * step.decay_sum)
    dissipated = dissipated + w.affine(power, ambient[:, np.newaxis] * step.gain_sum)
    back = ambient[:, np.newaxis] * (step.gain_sum * ambient - w.dt * np.eye(n))
    w.feed(heat_, dissipated + w.affine(T_ambient, back))
    return heat_


def _exchange(op: heat.HeatExchange, w: Rewriter, network: Network) -> Value:
    (n,), gamma = op.T.shape, float(w.numbers(op.gamma))
    J = w.numbers(op.J)
    form: dict[str, Any] = {"power": np.zeros(1), "capacity": np.ones(1), "initial": op.initial}
    if op.T_layer is not None:
        return network(w, **form, conductance=J, ambient=np.full(n, gamma), T_ambient=op.T_layer)
    # To be drawn to the mean is to be drawn to each unit alike.
    return network(w, **form, conductance=J + gamma / n * (1 - np.eye(n)))


def _diffusion(op: heat.Diffusion, w: Rewriter, network: Network) -> tuple[Value, Value]:
    shape, n = op.T.shape, op.T.size
    rate = op.D / op.spacing**2
    conductance, walls = _grid(shape, op.boundary)
    power = w.reshape(w.broadcast(op.source, shape), (n,))
    flat: dict[str, Any] = {
        "power": power,
        "initial": w.constant(np.broadcast_to(w.numbers(op.initial), shape).reshape(-1)),
        "capacity": np.ones(1),
        "conductance": rate * conductance,
    }
    ambient = rate * walls if op.boundary == "fixed" else np.zeros(1)
    T = network(w, **flat, ambient=ambient, T_ambient=op.T_boundary)
    dissipated = _given(w, T, [np.ones(1), flat["conductance"], ambient], power, op.T_boundary)
    return w.reshape(T, shape), w.sum(dissipated, 0)


def _grid(shape: tuple[int, ...], boundary: str) -> tuple[FloatArray, FloatArray]:
    """Return the conductances between neighbours of a grid of cells, and those to its walls, in units of one link."""
    n = int(np.prod(shape))
    index, links, walls = np.arange(n).reshape(shape), np.zeros((n, n)), np.zeros(n)
    for axis, length in enumerate(shape):
        rows = np.moveaxis(index, axis, 0)
        pairs = [(rows[k], rows[k + 1]) for k in range(length - 1)]
        # A ring of two cells meets itself twice; a ring of one has no neighbour.
        pairs += [(rows[-1], rows[0])] if boundary == "periodic" and length > 1 else []
        for a, b in pairs:
            np.add.at(links, (a.ravel(), b.ravel()), 1.0)
            np.add.at(links, (b.ravel(), a.ravel()), 1.0)
        for end in (rows[0], rows[-1]):
            np.add.at(walls, end.ravel(), 2.0)  # a wall lies half a cell from the last node
    return links, walls
