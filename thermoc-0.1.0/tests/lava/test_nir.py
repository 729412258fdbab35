"""The NIR paper's files in Lava: what was lowered is what runs, and the lowering holds what it declares."""

from pathlib import Path

import numpy as np
import pytest

import thermoc as tc

FILES = ("01_lif/lif_norse.nir", "02_cnn/cnn_sinabs.nir", "03_rnn/braille_noDelay_bias_zero.nir")


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_the_paper_passes_verify(name: str, shared: Path):
    net = tc.load(shared / "nir/paper" / name)
    rng = np.random.default_rng(0)
    given = {key: (rng.random((20, 2, *op.shape)) < 0.3).astype(float) for key, op in net.graph.inputs.items()}
    found = tc.verify(net, ["lava"], inputs=given, ticks=20, seed=1, options={"lava": {"input_range": (0.0, 1.0)}})
    assert found.ok, str(found)


def test_rates_of_the_braille_network_follow_those_of_floats(shared: Path):
    """200 ticks, eight samples: the rates of the outputs correlate, so that the network still says what it said."""
    net = tc.load(shared / "nir/paper/03_rnn/braille_noDelay_bias_zero.nir")
    rng = np.random.default_rng(4)
    name = next(iter(net.graph.inputs))
    given = (rng.random((200, 8, *net.graph.inputs[name].shape)) < 0.25).astype(float)
    outputs = [
        tc.compile(net, target=target, **options).run({name: given}, ticks=200)["output"].mean(axis=0).ravel()
        for target, options in (("sim", {}), ("lava", {"input_range": (0.0, 1.0)}))
    ]
    assert outputs[0].std() > 0.01
    assert np.corrcoef(*outputs)[0, 1] > 0.9
