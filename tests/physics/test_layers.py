"""P39 to P42: layers are ops that compute what the formula says, on every target alike."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest

import thermoc as tc
from thermoc import physics
from thermoc.ir.handle import Handle
from thermoc.layers import ACTIVATIONS
from thermoc.support.array_types import FloatArray

Make = Callable[[Handle], Handle]

RNG = np.random.default_rng(0)
W, B, X = RNG.normal(size=(4, 3)), RNG.normal(size=4), RNG.normal(size=(5, 3))
RING = np.roll(np.eye(4), 1, 0) + np.roll(np.eye(4), -1, 0)


def run(
    make: Make,
    x: FloatArray = X,
    *,
    ticks: int = 1,
    target: str = "sim",
    dt: float = 1.0,
    seed: int = 0,
    **options: Any,
) -> tc.Run:
    with tc.Network("layers", dt=dt) as net:
        tc.output("y", make(tc.input("x", x.shape[1:])))
    return tc.compile(net, target, **options).run({"x": x}, ticks=ticks, seed=seed)


FORMULAS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "boltzmann": lambda z: physics.boltzmann(-z, 0.7),
    "fermi_dirac": lambda z: physics.fermi_dirac(-z, 0.7),
    "thermal_relu": lambda z: physics.thermal_relu(z, 0.7),
    "maxwell_boltzmann": lambda z: physics.maxwell_boltzmann(z, 0.7),
}


@pytest.mark.parametrize("activation", FORMULAS)
def test_feed_forward(activation: str):
    y = run(lambda x: tc.layers.feed_forward(x, W, B, T=0.7, activation=activation))["y"][0]
    np.testing.assert_allclose(y, FORMULAS[activation](X @ W.T + B), rtol=1e-12)


@pytest.mark.parametrize("activation", ["binary", "categorical"])
def test_sampled_units_switch_on_with_drive(activation: str):
    y = run(lambda x: tc.layers.feed_forward(x, 50 * W, T=0.1, activation=activation))["y"][0]
    z = X @ W.T
    expected = z > 0 if activation == "binary" else z == z.max(axis=1, keepdims=True)
    np.testing.assert_array_equal(y, expected)
    assert set(FORMULAS) | {"binary", "categorical"} == set(ACTIVATIONS)


def test_recurrent():
    U = RNG.normal(size=(4, 4)) / 2
    y = run(lambda x: tc.layers.recurrent(x, W, U, B, T=0.1, initial=0.3), ticks=4)["y"]
    h = np.full((5, 4), 0.3)
    for tick in range(4):
        h = physics.thermal_relu(h @ U.T + X @ W.T + B, 0.1)
        np.testing.assert_allclose(y[tick], h, rtol=1e-12, atol=1e-14)


def test_convolution():
    x, w = RNG.normal(size=(2, 1, 6, 6)), RNG.normal(size=(3, 1, 3, 3))
    y = run(lambda v: tc.layers.convolution(v, w, T=0.2, activation=None, padding=1, stride=2), x)["y"][0]
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    axes = cast(Any, (2, 3))  # NumPy's stubs know single axes only
    windows: FloatArray = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axes)[:, :, ::2, ::2]
    np.testing.assert_allclose(y, np.einsum("bcijkl,ockl->boij", windows, w), rtol=1e-12)


def test_attention():
    x = RNG.normal(size=(2, 5, 3))
    Q, K, V = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3)), RNG.normal(size=(2, 3))
    y = run(lambda v: tc.layers.attention(v, Q, K, V, T=0.6), x)["y"][0]
    score = (x @ Q.T) @ np.swapaxes(x @ K.T, 1, 2) / 2 / 0.6
    alpha = np.exp(score - score.max(axis=-1, keepdims=True))
    alpha /= alpha.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(y, alpha @ (x @ V.T), rtol=1e-11)


def test_a_relaxing_layer_settles_at_its_drive_with_thermal_noise():
    found = run(
        lambda x: tc.layers.feed_forward(x, W, B, T=0.7, activation=None, rate=0.5, noise=0.2),
        np.repeat(X[:1], 400, 0),
        ticks=120,
    )["y"][60:]
    z = X[0] @ W.T + B
    spread = found.mean(axis=0).std(axis=0, ddof=1) / 20
    assert (np.abs(found.mean(axis=(0, 1)) - z) < 4.5 * spread).all()
    square = ((found - z) ** 2).mean(axis=(0, 2))
    assert abs(square.mean() - 0.2) < 4 * square.std(ddof=1) / 20
    quiet = run(lambda x: tc.layers.feed_forward(x, W, B, T=0.7, activation=None, rate=0.5), ticks=3)["y"]
    np.testing.assert_allclose(quiet, np.stack([(X @ W.T + B) * (1 - np.exp(-0.5 * k)) for k in (1, 2, 3)]), rtol=1e-12)


def test_noise_without_relaxation_is_white():
    found = run(lambda x: tc.layers.feed_forward(x, W, T=1.0, activation=None, noise=0.09), ticks=4000)["y"]
    z = (found - X @ W.T) / 0.3
    assert abs(z.mean()) < 4 / np.sqrt(z.size) and abs(z.var() - 1) < 4 * np.sqrt(2 / z.size)
    assert abs((z[1:] * z[:-1]).mean()) < 4 / np.sqrt(z.size)


def test_coupled_units_have_temperatures_of_their_own_and_probes_show_them():
    start = np.array([1.0, 2.0, 3.0, 2.0])

    def make(x: Handle) -> Handle:
        how: dict[str, Any] = {"coupling": RING, "gamma": 0.5, "initial_T": start, "probes": True, "name": "hot"}
        return tc.layers.feed_forward(x, W, B, T=0.7, activation="fermi_dirac", **how)

    found = run(make, ticks=40, dt=0.5)
    np.testing.assert_array_equal(found["hot.T"][0], np.tile(start, (5, 1)))
    np.testing.assert_allclose(found["hot.T"][-1], 0.7, atol=1e-3)
    z = X @ W.T + B
    np.testing.assert_allclose(found["y"][0], physics.fermi_dirac(-z, start), rtol=1e-12)
    for name, value in zip("USF", physics.layer_observables(z, np.full(5, 0.7))):
        np.testing.assert_allclose(found[f"hot.{name}"][0], value, rtol=1e-12)


def test_layers_agree_on_onnx():
    def make(x: Handle) -> Handle:
        h = tc.layers.recurrent(x, W, RING / 3, B, T=0.4, noise=0.1, coupling=RING, probes=True)
        return tc.layers.feed_forward(h, W.T, T=0.5, activation="categorical", name="out")

    ours, theirs = (run(make, ticks=5, target=target, precision="float64") for target in ("sim", "onnx"))
    for name in ours.outputs:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-12, atol=1e-13)


WRONG: list[tuple[Make, str]] = [
    (lambda x: tc.layers.feed_forward(x, W, T=1.0, activation="relu"), "'relu'"),
    (lambda x: tc.layers.feed_forward(x, W, T=1.0, coupling=np.zeros((3, 3))), "coupling is of 3 units"),
    (lambda x: tc.layers.attention(x, W, W, W, T=1.0, energy=tc.constant(np.eye(2))), "energy has shape [2, 2]"),
]


@pytest.mark.parametrize(("call", "fact"), WRONG)
def test_wrong_layers_are_refused(call: Make, fact: str):
    with pytest.raises(tc.ThermocError) as caught:
        run(call, RNG.normal(size=(1, 5, 3)) if "energy" in fact else X)
    assert fact in str(caught.value)
