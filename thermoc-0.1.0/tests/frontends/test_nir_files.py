"""The graphs of NIR's paper: loaded, written, compiled, verified; the published trace of a unit, from its file."""

from __future__ import annotations

from pathlib import Path

import nir
import numpy as np
import pytest
from frontends.models import trajectory

import thermoc as tc

FILES = {
    "lif_norse": "01_lif/lif_norse.nir",
    "lif_rockpool": "01_lif/lif_rockpool.nir",
    "cnn": "02_cnn/cnn_sinabs.nir",
    "braille": "03_rnn/braille_noDelay_bias_zero.nir",
    "braille_subgraph": "03_rnn/extras/braille_noDelay_bias_zero_subgraph.nir",
}
REFUSED_BY_NIR = {"lif_rockpool", "braille_subgraph"}


@pytest.fixture
def paper(shared: Path) -> Path:
    return shared / "nir" / "paper"


def inputs(net: tc.Network, ticks: int, batch: int = 1) -> np.ndarray:
    rng = np.random.default_rng(1)
    return (rng.random((ticks, batch, *net.graph.inputs["input"].shape)) < 0.3) * 1.0


@pytest.mark.parametrize("name", FILES)
def test_a_file_round_trips(paper: Path, tmp_path: Path, name: str):
    """Equal graphs and bytes; the official reader reads ours, where it refuses two of the originals."""
    net = tc.load(paper / FILES[name])
    net.save(tmp_path / "a.nir")
    again = tc.load(tmp_path / "a.nir")
    assert again.graph == net.graph
    again.save(tmp_path / "b.nir")
    assert (tmp_path / "a.nir").read_bytes() == (tmp_path / "b.nir").read_bytes()
    nir.read(tmp_path / "a.nir")
    if name in REFUSED_BY_NIR:
        with pytest.raises(ValueError):
            nir.read(paper / FILES[name])
    else:
        nir.read(paper / FILES[name])


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_the_same_on_every_target(paper: Path, name: str):
    net = tc.load(paper / FILES[name])
    x = inputs(net, 12 if name == "cnn" else 60, 2)
    assert trajectory(net, x[:, 0]).sum() > 0
    found = tc.verify(net, ["sim", "onnx", "brian2"], inputs={"input": x}, options={"brian2": {"codegen": "numpy"}})
    assert found.ok, str(found)


def test_norses_unit_spikes_when_norse_says(paper: Path):
    """Spikes at 460, 510, 710, 760; also where the ODE is stepped exactly, as the closed form does."""
    trace = np.loadtxt(paper / "01_lif/lif_norse.csv", delimiter=",")
    for method in (None, "exact"):
        spikes = trajectory(tc.load(paper / FILES["lif_norse"], method=method), trace[:, :1])
        assert np.flatnonzero(spikes).tolist() == [460, 510, 710, 760] == np.flatnonzero(trace[:, 2]).tolist()


def test_the_subgraph_is_the_flat_graph(paper: Path):
    """Its edges name a node ``lif`` that is called ``lif1``: mended, it gives the flat file's 60 spikes and more."""
    flat, nested = tc.load(paper / FILES["braille"]), tc.load(paper / FILES["braille_subgraph"])
    x = inputs(flat, 200)[:, 0]
    found = trajectory(nested, x)
    np.testing.assert_array_equal(found, trajectory(flat, x))
    assert found.sum() > 60
    assert "edges of graph 'lif1' name a node 'lif' that is not there: 'lif1'" in [r.what for r in nested.repairs]


def test_the_braille_network_is_snntorchs_loop(paper: Path):
    """Its file by the official reader, run as snnTorch's RSynaptic and Synaptic do."""
    nodes = nir.read(paper / FILES["braille"]).nodes
    fc1, rec, fc2, hidden, last = (nodes[name] for name in ("fc1", "lif1.w_rec", "fc2", "lif1.lif", "lif2"))
    x = inputs(tc.load(paper / FILES["braille"]), 150)[:, 0]
    state = {id(unit): (np.zeros(unit.r.shape), np.zeros(unit.r.shape)) for unit in (hidden, last)}
    spikes, expected = np.zeros(38), []

    def step(unit: nir.CubaLIF, drive: np.ndarray) -> np.ndarray:
        syn, mem = state[id(unit)]
        syn = syn + 1e-4 / unit.tau_syn * (unit.w_in * drive - syn)
        mem = mem + 1e-4 / unit.tau_mem * (unit.r * syn - mem)
        fired = mem > unit.v_threshold
        state[id(unit)] = syn, np.where(fired, 0.0, mem)
        return fired * 1.0

    for frame in x:
        spikes = step(hidden, fc1.weight @ frame + fc1.bias + rec.weight @ spikes + rec.bias)
        expected.append(step(last, fc2.weight @ spikes + fc2.bias))
    np.testing.assert_array_equal(trajectory(tc.load(paper / FILES["braille"]), x), expected)
    assert np.sum(expected) > 40
