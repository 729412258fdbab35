"""Activations as spikes (``spike-encode``): exact in the mean, noise that falls as stated, and the digits."""

from __future__ import annotations

import numpy as np
import pytest

import thermoc as tc
from thermoc import demo
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret

RNG = np.random.default_rng(2)
W, B = RNG.normal(size=(12, 6)) / 2, RNG.normal(size=12) / 4
V = RNG.normal(size=(4, 12)) / 3
KINDS = {
    "thermal_relu": lambda x: tc.thermal_relu(x, T=0.1),
    "fermi_dirac": lambda x: tc.fermi_dirac(-x, T=0.7, mu=0.1),
    "maxwell_boltzmann": lambda x: tc.maxwell_boltzmann(x, T=0.8),
    "boltzmann": lambda x: tc.boltzmann(x, T=0.6),
}


def layers(kind: str, then: str | None = None) -> tc.Network:
    with tc.Network("layers") as net:
        h = KINDS[kind](tc.affine(tc.input("x", (6,)), W, B))
        y = tc.affine(h, V)
        tc.output("y", y if then is None else KINDS[then](y))
    return net


def runs(
    net: tc.Network, coding: str, ticks: int, batch: int, **options
) -> tuple[np.ndarray, np.ndarray, tc.Executable]:
    """Return the outputs of the coded graph (ticks, batch, n) and the exact ones (batch, n), one input for all."""
    exe = tc.compile(net, "brian2", coding=coding, **options or {"input_range": (0.0, 1.0)})
    x = np.broadcast_to(np.random.default_rng(4).random(6), (batch, 6))
    coded = interpret(exe.graph, feed(exe.graph, {"x": x}, ticks=ticks), seed=5).outputs["y"]
    return coded, interpret(net.graph, feed(net.graph, {"x": x})).outputs["y"][0], exe


@pytest.mark.parametrize("kind", KINDS)
def test_the_mean_of_thermal_spikes_is_the_activation(kind: str):
    """400 independent samples of 40 ticks; 4 standard errors for each of 4 outputs: false alarm 3e-4."""
    coded, exact, _ = runs(layers(kind), "thermal", 40, 400)
    z = (coded[-1].mean(0) - exact[0]) / (coded[-1].std(0, ddof=1) / np.sqrt(400))
    assert (np.abs(z) < 4).all() and coded[-1].std() > 0


@pytest.mark.parametrize("kind", KINDS)
def test_thermal_error_falls_as_one_over_the_root_of_ticks(kind: str):
    """Root mean square errors at 16 and 256 ticks differ by 4, within a fifth (some 5 standard errors of 400 samples)."""
    coded, exact, exe = runs(layers(kind), "thermal", 256, 400)
    rms = [np.sqrt(np.mean((coded[n - 1] - exact) ** 2)) for n in (16, 256)]
    assert 3.2 < rms[0] / rms[1] < 4.8
    (told,) = (change for change in exe.report().changes if change.what == "output 'y'")
    assert rms[1] * np.sqrt(256) < told.sampling  # the report's bound holds


@pytest.mark.parametrize("kind", KINDS)
def test_rate_coding_is_off_by_less_than_one_spike_over_ticks(kind: str):
    coded, exact, exe = runs(layers(kind), "rate", 200, 1)
    ceiling = 1.0 if kind in ("fermi_dirac", "boltzmann") else None
    most = np.abs(V).sum(1) * (ceiling or 0) if ceiling else None
    off = np.abs(coded[199] - exact)[0]
    if most is not None:
        assert (off < most / 200 + 1e-12).all()
    assert off.max() < 0.05 and exe.report().changes


def test_two_layers_converge_and_verify_knows_their_bound():
    net = layers("thermal_relu", "boltzmann")
    coded, exact, _ = runs(net, "thermal", 1024, 50)
    rms = [np.sqrt(np.mean((coded[n - 1] - exact) ** 2)) for n in (64, 1024)]
    assert rms[1] < rms[0] / 3
    options = {"brian2": {"coding": "thermal", "input_range": (0.0, 1.0), "codegen": "numpy"}}
    x = np.random.default_rng(4).random((2, 6))
    found = tc.verify(net, ["brian2"], inputs={"x": x}, ticks=20, options=options)
    assert found.ok and [row.error for row in found.rows if row.largest] != []


def test_spikes_meet_their_weights_as_spikes():
    """The ceiling goes into the weights, so that synapses carry events."""
    exe = tc.compile(layers("thermal_relu"), "brian2", coding="thermal", input_range=(0.0, 1.0))
    assert "threshold=" in exe.artefact.text and "on_pre=" in exe.artefact.text


def test_the_most_that_units_reach_comes_from_calibration():
    x = np.random.default_rng(4).random((30, 6))
    loose = tc.compile(layers("thermal_relu"), "brian2", coding="thermal", input_range=(0.0, 1.0)).report()
    tight = tc.compile(layers("thermal_relu"), "brian2", coding="thermal", calibrate={"x": x}).report()
    bounds = [next(c.sampling for c in report.changes if c.sampling) for report in (loose, tight)]
    assert bounds[1] < 0.9 * bounds[0]
    assert any("calibration" in change.new for change in tight.changes)


def test_without_a_range_the_most_is_not_guessed():
    with pytest.raises(tc.ThermocError, match="how large") as caught:
        tc.compile(layers("thermal_relu"), "brian2", coding="thermal")
    assert caught.value.code == "T303"
    tc.compile(layers("fermi_dirac"), "brian2", coding="thermal")  # a probability is at most one


def test_what_moves_with_time_is_not_averaged():
    with tc.Network("cooling") as net:
        T = tc.schedule(kind="exponential", T0=1.0, parameter=5.0, T_min=0.1)
        tc.output("y", tc.fermi_dirac(tc.input("x", (3,)), T=T))
    with pytest.raises(tc.ThermocError, match="depends on") as caught:
        tc.compile(net, "brian2", coding="thermal")
    assert caught.value.code == "T201"


@pytest.mark.parametrize(("coding", "ticks"), [("thermal", 128), ("rate", 16)])
def test_digits_of_spiking_units(coding: str, ticks: int):
    """Within one point of the float network's accuracy, on Brian2 itself."""
    data, net = demo.digits(), demo.network()
    exe = tc.compile(net, "brian2", coding=coding, calibrate={"pixels": data.train_images}, codegen="numpy")
    probs = exe.run({"pixels": data.test_images}, ticks=ticks, seed=3)["probs"][-1]
    exact = interpret(net.graph, feed(net.graph, {"pixels": data.test_images})).outputs["probs"][0]
    accuracy, best = (np.mean(p.argmax(1) == data.test_labels) for p in (probs, exact))
    assert accuracy >= best - 0.01
