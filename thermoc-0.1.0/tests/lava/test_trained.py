"""Networks that others trained for Loihi, in Lava and in the simulator: every spike that their makers measured."""

from pathlib import Path

import numpy as np
import pytest
from frontends.test_lavadl import bins

import thermoc as tc


@pytest.mark.parametrize("target", ["sim", "lava"])
def test_oxford_spikes_as_slayer_says(target: str, shared: Path):
    folder = shared / "lava-dl/tutorials/lava/lib/dl/netx/oxford"
    given = bins(np.load(folder / "input.npy"))[:, None]
    net = tc.load(folder / "Trained/network.net", compare="greater_equal")  # as files of its time mean it
    found = tc.compile(net, target=target).run({"input": given}, ticks=len(given))["output"]
    expected = bins(np.load(folder / "ground_truth.npy"))
    assert (found[:, 0] != expected).sum() == 0 and expected.sum() == 10_178


@pytest.mark.parametrize("target", ["sim", "lava"])
def test_tinynet_is_exact(target: str, shared: Path):
    folder = shared / "lava-dl/tests/lava/lib/dl/netx"
    golden = np.moveaxis(np.load(folder / "gts/tinynet/output.npy")[0], -1, 0)
    image = (np.load(folder / "gts/tinynet/input_bias.npy").transpose(2, 1, 0) - 34) / 36
    net = tc.load(folder / "tiny.net")
    found = tc.compile(net, target=target).run({"input": image[None]}, ticks=17)["output"][:, 0]
    np.testing.assert_array_equal(found[2:17].reshape(golden[1:].shape), golden[1:])
    assert golden.sum() == 92
