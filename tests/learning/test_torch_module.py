"""A network as a module of torch: its numbers, its parameters, time, and what stands for slopes that are not there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from cases import BATCH, CASES, SEED, TICKS, VARYING, inputs, network

import thermoc as tc
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret
from thermoc.learning.surrogates import SURROGATES
from thermoc.learning.torch_module import NetworkModule, to_torch

BOUNDS = {"float64": 1e-12, "float32": 1e-6}
RUNNING = [case for case in CASES if not case.startswith("loihi.")]


@pytest.mark.parametrize("precision", BOUNDS)
@pytest.mark.parametrize("case", RUNNING)
def test_it_computes_what_the_reference_does(case: str, precision: str):
    """Noise included: words are equal bit for bit."""
    for varying in VARYING if precision == "float64" else ("all vary",):
        net = network(case, varying)
        module, arrays = to_torch(net, precision=precision), inputs(net)
        expected = interpret(module.graph, feed(module.graph, arrays, ticks=TICKS, batch=BATCH), seed=SEED).outputs
        run = module(arrays, ticks=TICKS, batch=BATCH, seed=SEED)
        assert run.keys() == expected.keys()
        for name, array in expected.items():
            numbers = run[name].detach().numpy()
            assert (numbers.shape, numbers.dtype) == (array.shape, array.dtype)
            bound = BOUNDS[precision] * max(1.0, np.abs(array).max(initial=0)) if array.dtype.kind == "f" else 0
            np.testing.assert_allclose(numbers, array, rtol=0, atol=bound)


@pytest.mark.parametrize("case", [case for case in CASES if case.startswith("loihi.")])
def test_integers_of_loihi_are_refused_by_name(case: str):
    with pytest.raises(tc.ThermocError, match=case.split(",")[0]) as caught:
        to_torch(network(case, "all vary"))
    assert caught.value.code == "T221"


def spiking() -> tc.Network:
    rng = np.random.default_rng(1)
    with tc.Network("recurrent spikes") as net:
        hole = tc.placeholder((5,))
        W = tc.parameter("layer0.W", rng.normal(size=(5, 4)))
        s, v = tc.lif_step(tc.affine(tc.input("x", (4,)), W) + tc.affine(hole, rng.normal(size=(5, 5))), 0.9)
        tc.connect(hole, tc.delay(s))
        tc.output("s", s)
        tc.output("v", v)
    return net


def x_of(ticks: int, batch: int = 3) -> torch.Tensor:
    return torch.tensor(np.random.default_rng(2).normal(size=(ticks, batch, 4)))


def slope(module: NetworkModule, **how: Any) -> torch.Tensor:
    module.zero_grad()
    run = module({"x": x_of(12)}, **how)
    (run["s"].sum() + (run["v"] ** 2).sum()).backward()
    gradient = module.layer0_W.grad
    assert isinstance(gradient, torch.Tensor)
    return gradient.clone()


def test_parameters_go_there_and_back():
    net = spiking()
    module = to_torch(net)
    assert module.torch_names == {"layer0.W": "layer0_W"}
    assert [name for name, _ in module.named_parameters()] == ["layer0_W"]
    with torch.no_grad():
        module.layer0_W += 1.0  # type: ignore[operator]
    back = module.to_network()
    assert back.parameters["layer0.W"].dtype == np.float64
    np.testing.assert_allclose(back.parameters["layer0.W"], net.parameters["layer0.W"] + 1, atol=1e-6)
    assert set(module.state_dict()) == {"layer0_W"}


def test_names_that_torch_has_itself_and_fixed_parameters():
    with tc.Network("names") as net:
        W = tc.parameter("forward", np.eye(2)) + tc.parameter("a.b", np.eye(2)) + tc.parameter("a_b", np.eye(2))
        tc.output("y", tc.affine(tc.input("x", (2,)), W, tc.parameter("bias", np.zeros(2), trainable=False)))
    module = to_torch(net)
    assert module.torch_names == {"forward": "forward_", "a.b": "a_b", "a_b": "a_b_", "bias": "bias"}
    assert "bias" not in dict(module.named_parameters()) and "bias" in dict(module.named_buffers())
    assert module({"x": torch.ones(1, 2)})["y"].tolist() == [[[3.0, 3.0]]]


def test_ticks_run_in_pieces_are_those_run_at_once():
    module, x = to_torch(spiking(), precision="float64"), x_of(12)
    whole = module({"x": x})
    first = module({"x": x[:5]})
    rest = module({"x": x[5:]}, state=first.state, tick=first.tick)
    assert rest.tick == 12
    assert torch.equal(torch.cat([first["v"], rest["v"]]), whole["v"])


@pytest.mark.slow  # torch loads its compiler at the first checkpoint
def test_checkpoints_change_no_gradient_and_truncation_cuts_it():
    module = to_torch(spiking(), precision="float64")
    full = slope(module)
    assert torch.equal(slope(module, checkpoint_every=5), full)
    assert torch.equal(slope(module, detach_every=12), full)
    truncated = slope(module, detach_every=4)
    assert not torch.allclose(truncated, full)
    assert torch.equal(slope(module, detach_every=4, checkpoint_every=2), truncated)


def test_truncation_is_a_state_that_is_detached():
    module, x = to_torch(spiking(), precision="float64"), x_of(12)
    module.zero_grad()
    state: Any = None
    for first in range(0, 12, 4):
        run = module({"x": x[first : first + 4]}, state=state, tick=first)
        (run["s"].sum() + (run["v"] ** 2).sum()).backward()
        state = {key: {name: value.detach() for name, value in one.items()} for key, one in run.state.items()}
    assert torch.allclose(module.layer0_W.grad, slope(module, detach_every=4), rtol=1e-12)  # type: ignore[arg-type]


def graph_of(op: str, **options: Any) -> NetworkModule:
    with tc.Network("step") as net:
        x = tc.input("x", (3,))
        tc.output("y", {"threshold": lambda: tc.threshold(x, 0.25), "floor": lambda: tc.floor(x)}[op]())
    return to_torch(net, precision="float64", **options)


@pytest.mark.parametrize("surrogate", SURROGATES)
def test_a_spike_has_the_slope_of_its_surrogate(surrogate: str):
    x = torch.tensor([[0.1, 0.25, 0.6]], dtype=torch.float64, requires_grad=True)
    y = graph_of("threshold", surrogate=surrogate, surrogate_slope=3.0)({"x": x})["y"]
    assert y.tolist() == [[[0.0, 0.0, 1.0]]]
    (gradient,) = torch.autograd.grad(y.sum(), x)
    assert torch.equal(gradient, SURROGATES[surrogate](x - 0.25, 3.0))


@pytest.mark.parametrize("surrogate", ["sigmoid", "arctan", "gaussian", "triangle"])
def test_surrogates_are_slopes_of_steps(surrogate: str):
    """Their integral is 1, as a step's is; only that of ``fast_sigmoid`` is 2 / k."""
    x = torch.linspace(-400, 400, 800_001, dtype=torch.float64)
    k = 1.0 if surrogate == "triangle" else 2.0
    assert abs(torch.trapezoid(SURROGATES[surrogate](x, k), x).item() - 1) < 2e-3


def test_a_surrogate_of_ones_own_and_rounding():
    x = torch.tensor([[0.5, 1.5, -0.5]], dtype=torch.float64, requires_grad=True)
    run = graph_of("threshold", surrogate=lambda distance: distance * 0 + 7)({"x": x})
    assert torch.autograd.grad(run["y"].sum(), x)[0].tolist() == [[7.0, 7.0, 7.0]]
    run = graph_of("floor")({"x": x})
    assert run["y"].tolist() == [[[0.0, 1.0, -1.0]]]
    assert torch.autograd.grad(run["y"].sum(), x)[0].tolist() == [[1.0] * 3]
    run = graph_of("floor", rounding="zero")({"x": x})
    assert torch.autograd.grad(run["y"].sum(), x)[0].tolist() == [[0.0] * 3]


def sampler(kind: str, **options: Any) -> NetworkModule:
    with tc.Network("sampler") as net:
        x = tc.input("x", (4,))
        if kind == "gibbs":
            J = np.ones((4, 4)) - np.eye(4)
            tc.output("y", tc.gibbs_sweeps(tc.constant(np.zeros(4)), 0.7, 0.1 * J, x, levels="binary", sweeps=2))
        else:
            tc.output("y", (tc.sample_binary if kind == "binary" else tc.sample_categorical)(x, T=0.7))
    return to_torch(net, precision="float64", **options)


@pytest.mark.parametrize("kind", ["binary", "categorical"])
def test_a_sample_has_the_slope_of_its_mean(kind: str):
    """Straight through: the forward pass is the sample, the slope that of the mean, which ``mean_field`` returns."""
    x = torch.tensor([[0.5, -0.2, 0.1, 0.9]], dtype=torch.float64, requires_grad=True)
    weights = torch.tensor([1.0, 2.0, -1.0, 0.5], dtype=torch.float64)
    sample, mean = (sampler(kind, estimator=name)({"x": x}, seed=3)["y"] for name in ("straight_through", "mean_field"))
    assert set(sample.flatten().tolist()) <= {0.0, 1.0}
    expected = torch.sigmoid(x / 0.7) if kind == "binary" else torch.softmax(-x / 0.7, -1)
    assert torch.allclose(mean, expected[None], atol=1e-15)
    slopes = [torch.autograd.grad((y * weights).sum(), x)[0] for y in (sample, mean)]
    assert torch.allclose(slopes[0], slopes[1], atol=1e-15)


@pytest.mark.parametrize("kind", ["binary", "categorical"])
def test_a_relaxed_sample_has_the_slope_of_what_it_is_relaxed_to(kind: str):
    """As the relaxation goes to 0, the relaxed form of the noise that was drawn is the sample itself."""
    x = torch.tensor([[0.5, -0.2, 0.1, 0.9]], dtype=torch.float64, requires_grad=True)
    y = sampler(kind, estimator="gumbel_softmax", relaxation=0.5)({"x": x}, seed=3)["y"]
    assert torch.equal(y, sampler(kind)({"x": x}, seed=3)["y"])
    far = sampler(kind, estimator="gumbel_softmax", relaxation=1e-3)({"x": x}, seed=3)["y"]
    assert torch.autograd.grad(far.sum(), x)[0].abs().max() < 1e-9
    assert torch.autograd.grad((y * torch.arange(4)).sum(), x)[0].abs().max() > 1e-3


@pytest.mark.parametrize("estimator", ["straight_through", "gumbel_softmax", "mean_field"])
def test_sweeps_of_coupled_units_have_slopes_in_their_fields(estimator: str):
    x = torch.tensor([[0.5, -0.2, 0.1, 0.9]], dtype=torch.float64, requires_grad=True)
    y = sampler("gibbs", estimator=estimator)({"x": x}, seed=3)["y"]
    gradient = torch.autograd.grad(y.sum(), x)[0]
    assert (gradient > 0).all()


def test_mean_field_is_differentiable_as_it_stands():
    module = sampler("gibbs", estimator="mean_field")
    x = torch.tensor([[0.5, -0.2, 0.1, 0.9]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: module({"x": x})["y"], (x,))


def test_autocast_computes_products_in_half_precision():
    rng = np.random.default_rng(0)
    with tc.Network("layers") as net:
        h = tc.thermal_relu(tc.affine(tc.input("x", (64,)), tc.parameter("W", rng.normal(size=(32, 64)) / 8)), T=0.05)
        tc.output("p", tc.boltzmann(tc.affine(h, tc.parameter("V", rng.normal(size=(10, 32)) / 6)), T=0.5))
    module, x = to_torch(net), torch.tensor(rng.random((50, 64)), dtype=torch.float32)
    plain = module({"x": x})["p"]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = module({"x": x})["p"]
    assert 1e-6 < (plain - mixed).abs().max() < 0.03
    mixed.square().sum().backward()
    assert torch.isfinite(module.W.grad).all()  # type: ignore[arg-type]


def test_free_energy_and_temperatures():
    z = torch.tensor(np.random.default_rng(0).normal(size=(3, 5)), requires_grad=True)
    _, _, F = tc.physics.layer_observables(z.detach().numpy(), np.full(3, 0.7))
    loss = tc.learning.free_energy(z, 0.7)
    assert abs(loss.item() - F.mean()) < 1e-12
    assert torch.autograd.gradcheck(lambda z: tc.learning.free_energy(z, 0.7), (z,))
    T = torch.tensor([1.0, 2.0], requires_grad=True)
    loss = tc.learning.temperature_regulariser(T, 1.5, strength=2.0)
    loss.backward()
    assert loss.item() == 2.0 and T.grad is not None and T.grad.tolist() == [-2.0, 2.0]
    with pytest.raises(tc.ThermocError, match="T405"):
        tc.learning.free_energy(z, 0.0)


def blocked(how: str) -> tc.Network:
    with tc.Network("blocked") as net:
        x, W = tc.input("x", (2,)), tc.parameter("W", np.ones(2))
        if how == "compared":
            tc.output("y", tc.cast(x > W, dtype="f64"))
        elif how == "unused":
            tc.output("y", x)
            tc.reduce(W, kind="sum", axes=(0,))
        else:
            tc.output("y", tc.cast(tc.reduce(x * W, kind="argmax", axes=(0,)), dtype="f64"))
    return net


@pytest.mark.parametrize(
    ("how", "says"), [("compared", "core.greater"), ("unused", "no output depends"), ("largest", "core.reduce")]
)
def test_a_parameter_without_a_gradient_names_what_stops_it(how: str, says: str):
    with pytest.raises(tc.ThermocError, match=says) as caught:
        to_torch(blocked(how))
    assert caught.value.code == "T221"


WRONG: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {}, "T401"),
    ({"x": torch.ones(1, 4), "z": torch.ones(1)}, {}, "T401"),
    ({"x": torch.ones(1, 3)}, {}, "T402"),
    ({"x": torch.ones(2, 3, 4)}, {"ticks": 3}, "T402"),
    ({"x": torch.ones(3, 4)}, {"batch": 2}, "T402"),
    ({"x": ["a", "b"]}, {}, "T403"),
    ({"x": torch.ones(1, 4)}, {"ticks": 0}, "T404"),
    ({"x": torch.ones(1, 4)}, {"detach_every": 0}, "T404"),
    ({"x": torch.ones(1, 4)}, {"ticks": 9, "detach_every": 2, "checkpoint_every": 3}, "T404"),
]


@pytest.mark.parametrize(("arrays", "options", "code"), WRONG)
def test_what_a_module_cannot_take(arrays: dict[str, Any], options: dict[str, Any], code: str):
    with pytest.raises(tc.ThermocError) as caught:
        to_torch(spiking())(arrays, **options)
    assert caught.value.code == code


@pytest.mark.parametrize("wrong", [{"precision": "float16"}, {"surrogate": "x"}, {"estimator": "x"}, {"rounding": "x"}])
def test_a_keyword_that_is_none(wrong: dict[str, Any]):
    with pytest.raises(tc.ThermocError, match="T404"):
        to_torch(spiking(), **wrong)
