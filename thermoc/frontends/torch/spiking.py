"""Modules of snnTorch and Norse as NIR: the dataflow of one run, a node a module, resets as their units have them.

A tick of the network is a call of a module without time (``Leaky``, ``LIFBoxCell``), or a step of a sequence of one
with it (``LIF``). Which module reads what another gave is seen in a run on the example.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from thermoc.frontends.nir.construction import Conventions
from thermoc.frontends.nir.nodes import NirModel, NirNode, repair
from thermoc.frontends.nir.read import graph_of
from thermoc.frontends.nir.repairs import named
from thermoc.frontends.torch import norse, snntorch
from thermoc.frontends.torch.export import evaluating, source_of
from thermoc.frontends.torch.layers import Made, Shape, plain
from thermoc.ir.graph import Graph
from thermoc.support.errors import Finding, Location, error
from thermoc.support.loading import cut

PACKAGES = ("snntorch", "norse")


def spikes(module: Any) -> bool:
    """Tell whether a module holds units of snnTorch or Norse."""
    return any(type(child).__module__.partition(".")[0] in PACKAGES for child in module.modules())


@dataclass(kw_only=True)
class _ModuleRun:
    """What a run of the module did: nodes and edges, and which tensor is whose result."""

    source: str
    dt: float
    nodes: dict[str, NirNode] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    given: list[tuple[str, Any]] = field(default_factory=list)
    timed: bool = False

    def giver(self, tensor: Any, reader: str) -> str:
        """Return the node whose result a tensor is, or a view of it. Errors: T507."""
        for name, other in reversed(self.given):
            if tensor is other or (tensor.data_ptr() == other.data_ptr() and tensor.numel() == other.numel()):
                return name
        why = f"{reader} reads what no module gives: sums, activations and the like of its forward"
        raise self.refused(why, reader, "write it as a module, or export it by NIR")

    def refused(self, why: str, path: str, hint: str = "") -> Exception:
        """Return the error of a module that is not read."""
        where = Location.of_node(self.source, f"module {path!r}")
        return error("T507", f"{self.source}: {why}", where=where, hint=hint)


def from_spiking(module: Any, given: Sequence[Any], dt: float | None, name: str | None) -> tuple[Graph, list[Finding]]:
    """Return the graph of a module of spiking units. Errors: T303, T507, T508, and those of the reader of NIR."""
    import torch

    source = source_of(module)
    if len(given) != 1:
        raise error("T303", f"{source}: a network of spiking units takes one input", notes=[f"given {len(given)}"])
    steps = norse.steps(module)
    if len(steps) > 1:
        notes = [f"its units have dt = {', '.join(map(str, sorted(steps)))}"]
        raise error("T507", f"{source}: its units differ in their time step", notes=notes)
    run = _ModuleRun(source=source, dt=dt or next(iter(steps), snntorch.DT))
    # States are left as they are: the run is one of a copy.
    twin = copy.deepcopy(module)
    run.timed = any(_timed(child) for child in twin.modules())
    hooks = [child.register_forward_hook(_hook(run, path or "unit")) for path, child in _leaves(twin)]
    try:
        with torch.no_grad(), evaluating(twin) as training:
            snntorch.forget(twin)
            run.given.append(("input", given[0]))
            result = twin(given[0])
    except Exception as reason:
        if hasattr(reason, "findings"):
            raise
        notes = [f"the example has shape {list(given[0].shape)}", cut(str(reason), 300)]
        hint = "the example is one tick (batch, ...), or a sequence (ticks, batch, ...) where the modules take one"
        raise error("T508", f"{source} does not run on the example", notes=notes, hint=hint) from None
    finally:
        for hook in hooks:
            hook.remove()
    graph, found = _graph(run, given[0], _first(result), name)
    norms = any("Norm" in type(child).__name__ or "Dropout" in type(child).__name__ for child in module.modules())
    repairs = [repair("the module was in training: it is read as in evaluation, as after module.eval()")]
    return graph, [*(repairs if training and norms else ()), *found]


def _leaves(module: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """Return the modules that become nodes, with their paths."""
    if _is_leaf(module):
        return [(prefix, module)]
    return [
        leaf
        for name, child in module.named_children()
        for leaf in _leaves(child, f"{prefix}.{name}" if prefix else name)
    ]


def _package(module: Any) -> str:
    return type(module).__module__.partition(".")[0]


def _is_leaf(module: Any) -> bool:
    """Tell whether a module becomes nodes as a whole."""
    if _package(module) == "norse":
        return type(module).__name__ not in ("SequentialState", "RecurrentSequential")
    return _package(module) == "snntorch" or not any(True for _ in module.children())


def _timed(module: Any) -> bool:
    """Tell whether a module takes a sequence, ticks first."""
    return _package(module) == "norse" and type(module).__name__ in (*norse.TIMED, "Lift")


def _node(module: Any, dt: float, shape: Shape) -> Made | str | None:
    """Return what a module becomes, why it is refused, or None where nobody knows it. shape: of what it gives."""
    if _package(module) == "snntorch":
        return snntorch.node(module, dt, shape)
    if hasattr(module, "lifted_module"):
        return _node(module.lifted_module, dt, shape)
    return norse.node(module, dt, shape) if _package(module) == "norse" else plain(module, shape)


def _first(result: Any) -> Any:
    while isinstance(result, tuple | list):
        result = result[0]
    return result


def _hook(run: _ModuleRun, path: str) -> Any:
    def seen(part: Any, args: tuple[Any, ...], result: Any) -> None:
        if path in run.nodes or any(name == path for name, _ in run.given):
            hint = "give it the module of one tick, and an example of one tick"
            raise run.refused(f"{path} is called more than once in a run", path, hint)
        x, y = _first(args), _first(result)
        source = run.giver(x, path)
        shape = tuple(y.shape[2:] if run.timed else y.shape[1:])
        made = _node(part, run.dt, shape)
        if made is None:
            raise run.refused(f"{type(part).__module__}.{type(part).__name__} is not read", path, "docs/torch-in.md")
        if isinstance(made, str):
            raise run.refused(made, path)
        for label, node in made.nodes.items():
            run.nodes[path + label] = node
        run.edges += [(path + a, path + b) for a, b in made.edges]
        run.edges += [(source, path + made.first)]
        run.given.append((path + made.last, y))

    return seen


def _graph(run: _ModuleRun, example: Any, result: Any, name: str | None) -> tuple[Graph, list[Finding]]:
    shape = np.array(example.shape[2:] if run.timed else example.shape[1:], np.int64)
    run.nodes["input"] = NirNode(kind="Input", fields={"shape": shape})
    run.nodes["output"] = NirNode(kind="Output")
    run.edges.append((run.giver(result, "output"), "output"))
    model = named(NirModel(source=run.source, nodes=run.nodes, edges=tuple(run.edges)))
    graph, found = graph_of(model, name or run.source, run.dt, Conventions())
    notes = [repair(f"a tick is {run.dt:g} s, by which the times of its units count")]
    return graph, [*notes, *found]
