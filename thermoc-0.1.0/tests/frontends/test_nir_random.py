"""Random NIR graphs, cycles included: reading, writing and reading gives equal graphs and trajectories."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
from frontends.models import RNG, cuba, drawn, full, lif, trajectory, written

import thermoc as tc
from thermoc.ir.dialects.core import Delay

MAKE: list[Any] = [
    lambda n: lif(n, v_threshold=full(0.1, n)),
    lambda n: cuba(n, v_threshold=full(0.3, n)),
    lambda n: nir.LI(full(1e-3, n), full(1.0, n), full(0.1, n)),
    lambda n: nir.IF(full(5e3, n), full(0.5, n), full(-0.1, n)),
    lambda n: nir.Affine(drawn(n, n), drawn(n)),
    lambda n: nir.Linear(drawn(n, n)),
    lambda n: nir.Scale(drawn(n)),
    lambda n: nir.Threshold(full(0.2, n)),
    lambda n: nir.Delay(1e-4 * RNG.integers(0, 4, n)),
]


def model(seed: int) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Up to 9 nodes of 3 units, each behind an earlier one, and up to 4 edges anywhere."""
    rng = np.random.default_rng(seed)
    RNG.bit_generator.state = rng.bit_generator.state
    names = [f"{'abc'[index % 3]}{index}" for index in rng.permutation(rng.integers(2, 10))]
    nodes: dict[str, Any] = {name: MAKE[rng.integers(len(MAKE))](3) for name in names}
    edges = {(["input", *names][rng.integers(index + 1)], name) for index, name in enumerate(names)}
    edges |= {(str(rng.choice(names)), str(rng.choice(names))) for _ in range(rng.integers(5))}
    edges |= {(names[-1], "output"), ("input", names[0])}
    ends = {"input": nir.Input({"input": np.array([3])}), "output": nir.Output({"output": np.array([3])})}
    return ends | nodes, sorted(edges)


@pytest.mark.parametrize("seed", range(60))
def test_a_random_graph_comes_back(tmp_path: Path, seed: int):
    net = tc.load(written(tmp_path / "a.nir", *model(seed)))
    net.save(tmp_path / "b.nir")
    again = tc.load(tmp_path / "b.nir")
    assert again.graph == net.graph
    nir.read(tmp_path / "b.nir")
    again.save(tmp_path / "c.nir")
    assert (tmp_path / "b.nir").read_bytes() == (tmp_path / "c.nir").read_bytes()


def test_the_random_graphs_have_cycles_and_delays(tmp_path: Path):
    nets = [tc.load(written(tmp_path / "a.nir", *model(seed))) for seed in range(60)]
    assert sum("a cycle" in str(net.repairs) for net in nets) > 20
    assert sum(bool(net.graph.of(Delay)) for net in nets) > 30
    assert sum(len(np.unique(trajectory(net, 3 * RNG.normal(size=(40, 3))))) > 1 for net in nets) > 40


@pytest.mark.parametrize("seed", range(0, 60, 6))
def test_a_random_graph_is_the_same_on_the_simulator(tmp_path: Path, seed: int):
    net = tc.load(written(tmp_path / "a.nir", *model(seed)))
    x = RNG.normal(size=(25, 2, 3))
    found = tc.verify(net, ["sim", "onnx"], inputs={"input": x})
    assert found.ok, str(found)
