"""Networks trained through what a target does: the forward pass is the target's, the slopes the network's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import thermoc as tc
from thermoc.learning.torch_module import to_torch
from thermoc.passes.loihi.weights import quantised

X = np.random.default_rng(4).random((30, 20))
RANGES: list[dict[str, Any]] = [
    {"input_range": (0.0, 1.0)},
    {"calibrate": {"x": X[:20]}},
    {"calibrate": {"x": X[:20]}, "adc": "reached"},
]


def two_layers(seed: int = 0, hidden: int = 12) -> tc.Network:
    rng = np.random.default_rng(seed)
    with tc.Network("two layers") as net:
        W, b = tc.parameter("W", rng.normal(0, 0.3, (hidden, 20))), tc.parameter("b", rng.normal(0, 0.1, hidden))
        h = tc.thermal_relu(tc.affine(tc.input("x", (20,)), W, b), T=0.05)
        tc.output("z", -tc.affine(h, tc.parameter("V", rng.normal(0, 0.3, (5, hidden))), np.zeros(5)))
    return net


@pytest.mark.parametrize("ranges", RANGES, ids=["proven", "calibrated", "reached"])
def test_the_chip_computes_what_the_module_does(ranges: dict[str, Any]):
    net = two_layers()
    module = to_torch(net, precision="float64", target="chip", chip="thermo-1", **ranges)
    with torch.no_grad():
        module.W *= 1.5  # type: ignore[operator]
    module.calibrate()
    now = module.to_network()
    expected = tc.compile(now, "chip", chip="thermo-1", cells="chip", **ranges).run({"x": X})["z"]
    np.testing.assert_allclose(module({"x": X})["z"].detach().numpy(), expected, rtol=0, atol=1e-12)
    exact = tc.compile(now, "sim").run({"x": X})["z"]
    assert np.abs(exact - expected).max() > 1e-3, "the chip is off, or this tests nothing"


def test_between_calibrations_levels_follow_the_weights():
    module = to_torch(two_layers(), precision="float64", target="chip", input_range=(0.0, 1.0))
    before = module({"x": X})["z"]
    with torch.no_grad():
        module.V *= 2.0  # type: ignore[operator]
    assert torch.allclose(module({"x": X})["z"], 2 * before, atol=1e-12)


def test_reach_is_what_can_come_of_products_over_what_does():
    module = to_torch(two_layers(), precision="float64", target="chip", input_range=(0.0, 1.0))
    W, V, b = (module.network.parameters[name] for name in "WVb")
    run = module({"x": X})
    hidden = np.maximum(np.maximum(W, 0).sum(axis=1) + b - 0.05, 0)  # the most that intervals leave
    products = X @ W.T, -run["z"][0].detach().numpy()
    most = np.abs(W).sum(axis=1).max(), (np.abs(V) @ hidden).max()
    expected = sum(np.log(m / np.sqrt(np.mean(y**2))) for m, y in zip(most, products))
    assert abs(run.reach.item() - expected) < 0.02, "levels and steps are off by less"
    weights: Any = module.V
    (again,) = torch.autograd.grad(module({"x": X}, ticks=3, checkpoint_every=1).reach, weights)
    (once,) = torch.autograd.grad(run.reach, weights)
    assert torch.allclose(once, again) and once.abs().max() > 0
    assert float(to_torch(two_layers())({"x": X}).reach) == 0


def test_converters_that_lose_nothing_make_one_product():
    """8 rows of 2-bit levels stay below the 127 codes: the sum of all readings, one by one, is that product."""
    rng = np.random.default_rng(5)
    with tc.Network("few rows") as net:
        tc.output("y", tc.affine(tc.input("x", (8,)), tc.parameter("W", rng.normal(size=(6, 8)))))
    module = to_torch(net, precision="float64", target="chip", input_range=(0.0, 1.0))
    (product,) = module._products.values()
    cells_of: Any = product.step.__self__  # type: ignore[union-attr]
    assert cells_of.op.adc_range == cells_of.op.codes
    expected = tc.compile(net, "chip", cells="chip", input_range=(0.0, 1.0)).run({"x": X[:, :8]})["y"]
    np.testing.assert_allclose(module({"x": X[:, :8]})["y"].detach().numpy(), expected, rtol=0, atol=1e-12)


def test_loihi_holds_the_weights_of_the_module():
    net = two_layers()
    module = to_torch(net, precision="float64", target="lava", input_range=(0.0, 1.0))
    exe = tc.compile(net, "lava", runtime="reference", input_range=(0.0, 1.0))
    expected, exact = (run({"x": X})["z"] for run in (exe.run, tc.compile(net, "sim").run))
    off = np.abs(module({"x": X})["z"].detach().numpy() - expected).max()
    # Rounding of messages and sums is left; that of weights is there.
    assert off < 0.25 * np.abs(exact - expected).max()
    counterpart: Any = exe.records[-4].counterparts[0]
    design = counterpart.design
    W = net.parameters["W"]
    stored = quantised(W * 254 / np.abs(W).max())
    assert stored is not None and (stored.mantissa.ravel() == design.weights[0].mantissa.ravel()).all()


@pytest.mark.parametrize("options", [{"target": "chip"}, {"target": "lava"}])
def test_slopes_are_those_of_the_network(options: dict[str, Any]):
    with tc.Network("one layer") as net:
        W = tc.parameter("W", np.random.default_rng(1).normal(size=(5, 20)))
        tc.output("y", tc.affine(tc.input("x", (20,)), W))
    modules = [to_torch(net, precision="float64"), to_torch(net, precision="float64", input_range=(0, 1), **options)]
    for module in modules:
        module({"x": X})["y"].sum().backward()
    assert torch.equal(modules[0].W.grad, modules[1].W.grad)  # type: ignore[arg-type]


def test_spikes_have_the_mean_and_the_slopes_of_activations():
    """The mean over n ticks is off by at most sigma / sqrt(n) a unit; 5 SE of 150 numbers fail once in 10^4."""
    ticks, net = 400, two_layers()
    spikes = to_torch(net, precision="float64", target="lava", coding="thermal", calibrate={"x": 1.5 * X})
    graded = to_torch(net, precision="float64", target="lava", input_range=(0.0, 1.0))
    of_spikes, numbers = spikes({"x": X}, ticks=ticks, seed=1)["z"], graded({"x": X})["z"]
    most = np.maximum(net.parameters["W"], 0).sum(axis=1) + net.parameters["b"]
    spread = np.sqrt((net.parameters["V"] ** 2) @ most**2) / 2
    assert ((of_spikes[-1] - numbers[-1]).abs().detach().numpy() < 5 * spread / np.sqrt(ticks)).all()
    of_spikes[-1].sum().backward()
    numbers[-1].sum().backward()
    assert torch.allclose(spikes.W.grad, graded.W.grad, rtol=1e-9)  # type: ignore[arg-type]


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"target": "onnx"}, "T302", "onnx"),
    ({"target": "chip"}, "T303", "how large"),
    ({"target": "chip", "adc": "reached", "input_range": (0, 1)}, "T303", "worst, reached"),
    ({"target": "chip", "coding": "rate", "input_range": (0, 1)}, "T303", "coding"),
    ({"target": "chip", "chip": "isaac", "input_range": (0, 1)}, "T303", "pairs"),
    ({"target": "lava", "coding": "rate", "input_range": (0, 1)}, "T303", "graded and thermal"),
    ({"target": "lava", "coding": "thermal", "input_range": (0, 1)}, "T303", "runs of samples"),
    ({"input_range": (0, 1)}, "T303", "target="),
]


@pytest.mark.parametrize(("options", "code", "says"), WRONG)
def test_a_target_that_cannot_be_trained_for(options: dict[str, Any], code: str, says: str):
    with pytest.raises(tc.ThermocError, match=says) as caught:
        to_torch(two_layers(), **options)
    assert caught.value.code == code


def test_a_convolution_is_refused_by_name():
    with tc.Network("conv") as net:
        K = tc.parameter("K", np.ones((1, 1, 3)))
        tc.output("y", tc.conv(tc.input("x", (1, 9)), K, stride=(1,), padding=((0, 0),), dilation=(1,)))
    with pytest.raises(tc.ThermocError, match=r"T221: core\.conv"):
        to_torch(net, target="chip", input_range=(0, 1))
