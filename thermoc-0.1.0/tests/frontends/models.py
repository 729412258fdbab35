"""NIR graphs by the official package, and networks of ours that have a NIR form."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nir
import numpy as np

import thermoc as tc
from thermoc.ir.feed import feed
from thermoc.ir.graph import Graph
from thermoc.ir.reference import interpret

RNG = np.random.default_rng(11)


def full(value: float, *shape: int) -> np.ndarray:
    return np.full(shape, value)


def drawn(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape)


def trajectory(net: tc.Network | Graph, x: np.ndarray, name: str = "input") -> np.ndarray:
    """The first output, (ticks, *shape), for one sample (ticks, *shape) of one input."""
    graph = net.graph if isinstance(net, tc.Network) else net
    run = interpret(graph, feed(graph, {name: x[:, np.newaxis]}))
    return next(iter(run.outputs.values()))[:, 0]


def written(path: Path, nodes: dict[str, Any], edges: list[tuple[str, str]], **more: Any) -> Path:
    """A file by the official package, unchecked."""
    graph = nir.NIRGraph(nodes=nodes, edges=edges, type_check=False)
    nir.write(path, graph, **more)
    return path


def chain(*nodes: Any, shape: tuple[int, ...], out: tuple[int, ...]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Nodes n0, n1, ... between an input and an output."""
    named = {"input": nir.Input({"input": np.array(shape)})}
    named |= {f"n{index}": node for index, node in enumerate(nodes)}
    named["output"] = nir.Output({"output": np.array(out)})
    names = list(named)
    return named, list(itertools.pairwise(names))


def lif(n: int, **changes: Any) -> nir.LIF:
    fields = {"tau": full(2e-3, n), "r": full(1.0, n), "v_leak": full(0.0, n), "v_threshold": full(0.5, n), "v_reset": full(0.0, n)}  # fmt: skip
    return nir.LIF(**(fields | changes))


def cuba(n: int, **changes: Any) -> nir.CubaLIF:
    fields = {"tau_syn": full(2e-4, n), "tau_mem": full(1e-3, n), "r": full(10.0, n), "v_leak": full(0.0, n)}
    return nir.CubaLIF(
        **(fields | {"v_threshold": full(1.0, n), "v_reset": full(0.0, n), "w_in": full(2.0, n)} | changes)
    )


def everything() -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Every node of NIR 1.0, a graph in a graph, a cycle, two inputs, two outputs, and edges that meet."""
    rec = {
        "input": nir.Input({"input": np.array([4])}),
        "unit": cuba(4),
        "back": nir.Affine(drawn(4, 4), drawn(4)),
        "output": nir.Output({"output": np.array([4])}),
    }
    inner = nir.NIRGraph(
        rec, [("input", "unit"), ("unit", "back"), ("back", "unit"), ("unit", "output")], type_check=False
    )
    nodes = {
        "image": nir.Input({"input": np.array([2, 8, 8])}),
        "conv": nir.Conv2d(
            (8, 8), drawn(4, 1, 3, 3), np.array([1, 2]), np.array([1, 1]), np.array([1, 1]), 2, drawn(4)
        ),
        "if": nir.IF(full(0.5, 4, 8, 4), full(0.3, 4, 8, 4), full(0.0, 4, 8, 4)),
        "sum": nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        "mean": nir.AvgPool2d(np.array([2, 1]), np.array([2, 1]), np.array([0, 0])),
        "part": nir.Flatten({"input": np.array([4, 2, 2])}, 1, 2),
        "line": nir.Conv1d(4, drawn(3, 4, 2), 1, 0, 1, 1, drawn(3)),
        "flat": nir.Flatten({"input": np.array([3, 3])}, 0, -1),
        "fc": nir.Linear(drawn(4, 9)),
        "late": nir.Delay(full(3e-4, 4)),
        "scale": nir.Scale(drawn(4)),
        "side": nir.Input({"input": np.array([4])}),
        "rec": inner,
        "lif": lif(4),
        "li": nir.LI(full(1e-3, 4), full(1.0, 4), full(0.1, 4)),
        "cuba_li": nir.CubaLI(full(1e-3, 4), full(2e-3, 4), full(1.0, 4), full(0.0, 4), full(1.0, 4)),
        "i": nir.I(full(1e3, 4)),
        "step": nir.Threshold(full(0.05, 4)),
        "spikes": nir.Output({"output": np.array([4])}),
        "trace": nir.Output({"output": np.array([4])}),
    }
    line = ["image", "conv", "if", "sum", "mean", "part", "line", "flat", "fc", "scale", "rec", "lif", "spikes"]
    edges = [
        *itertools.pairwise(line),
        ("side", "late"),
        ("late", "rec"),
        ("lif", "li"),
        ("rec", "cuba_li"),
        ("li", "i"),
    ]
    return nodes, [*edges, ("cuba_li", "i"), ("i", "step"), ("step", "trace"), ("li", "trace")]


NETWORKS: dict[str, Callable[[], tc.Network]] = {}


def network(build: Callable[[tc.Network], None]) -> Callable[[tc.Network], None]:
    """Register a network of 3 inputs named by its function."""

    def make() -> tc.Network:
        with tc.Network(build.__name__, dt=1e-3) as net:
            build(net)
        return net

    NETWORKS[build.__name__] = make
    return build


@network
def units(net: tc.Network) -> None:
    x = tc.input("input", (3,))
    s, _ = tc.lif(tc.affine(x, drawn(4, 3), drawn(4)), [2e-3, 3e-3, 4e-3, 5e-3], v_threshold=0.1, method="exponential")
    i, _, _ = tc.cuba_lif(tc.affine(s, drawn(2, 4)), 1e-3, 2e-3, r=3.0, v_threshold=0.2, reset="zero", v_reset=9.0)
    tc.output("y", tc.li(i, 0.01, v_leak=0.5))


@network
def sums_and_products(net: tc.Network) -> None:
    x = tc.input("input", (3,))
    a, b = tc.affine(x, drawn(3, 3)), tc.delay(x, ticks=4)
    tc.output("y", tc.i(a + (b + x) * [1.0, 2.0, 3.0], r=10.0) + tc.threshold(x, 0.5))


@network
def two_in_a_ring(net: tc.Network) -> None:
    x = tc.input("input", (3,))
    back = tc.placeholder((3,), role="spike")
    first = tc.lif(x + tc.affine(tc.delay(back), 2 * drawn(3, 3), drawn(3)), 3e-3, v_threshold=0.2)[0]
    second = tc.lif(tc.affine(first, 5 * drawn(3, 3)), 3e-3, v_threshold=0.2)[0]
    tc.connect(back, second)
    tc.output("y", second)


@network
def a_delay_that_reading_would_not_put_there(net: tc.Network) -> None:
    x = tc.input("input", (3,))
    back = tc.placeholder((3,))
    unit = tc.lif(x + tc.delay(tc.affine(back, 3 * drawn(3, 3), drawn(3))), 3e-3, v_threshold=0.2)[0]
    tc.connect(back, unit)
    tc.output("y", unit)


@network
def now_and_a_tick_ago(net: tc.Network) -> None:
    x = tc.input("input", (3,))
    back = tc.placeholder((3,), role="spike")
    first = tc.lif(x + tc.affine(tc.delay(back), drawn(3, 3)), 3e-3, v_threshold=0.2)[0]
    second = tc.lif(first + tc.delay(first), 3e-3, v_threshold=0.5)[0]
    tc.connect(back, second)
    tc.output("y", second)


@network
def input_and_output_of_one_name(net: tc.Network) -> None:
    tc.output("input", tc.scale(tc.input("input", (3,)), 2.0))
