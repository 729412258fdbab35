"""Networks of every kind on the chip's integers, held against the network itself, the emulator against the reference."""

from __future__ import annotations

import numpy as np
import pytest

import thermoc as tc
from tests.loihi_lowering.lowering import bound, changes, emulated, lowered, reference, spikes
from thermoc import demo
from thermoc.ir.dialects import core, loihi, sampling
from thermoc.ir.host_device import parts
from thermoc.physics import all_states


def test_digits_keep_their_labels():
    """Within a point of the float network's accuracy; emulator and reference agree in every number."""
    net, data = demo.network(), demo.digits()
    result = lowered(net, input_range=(0.0, 1.0))
    images = {"pixels": data.test_images}
    exact, found = reference(net.graph, images)["probs"][0], reference(result.graph, images)["probs"][0]
    right = [float(np.mean(p.argmax(axis=1) == data.test_labels)) for p in (exact, found)]
    assert right[0] > 0.97
    assert abs(right[1] - right[0]) <= 0.01
    np.testing.assert_allclose(emulated(result.graph, images)["probs"][0], found, rtol=0, atol=1e-12)


def boltzmann_machine(n: int, levels: str, sweeps: int = 1) -> tc.Network:
    rng = np.random.default_rng(7)
    J = np.triu(rng.normal(size=(n, n)), 1) * 0.6
    with tc.Network("machine") as net:
        tc.output("s", tc.gibbs(T=1.0, J=J + J.T, h=0.3 * rng.normal(size=n), levels=levels, sweeps=sweeps))
    return net


@pytest.mark.parametrize("levels", ["binary", "spin"])
def test_a_boltzmann_machine_of_ten_units_settles_to_the_law_of_its_integers(levels: str):
    """Total variation to the exact law within its mean plus 4 standard errors: sd <= 1 / (2 sqrt(N)) (McDiarmid)."""
    net, batch, ticks = boltzmann_machine(10, levels), 20_000, 40
    result = lowered(net)
    q = law(result.graph, levels)
    last = emulated(result.graph, {}, seed=5, ticks=ticks, batch=batch)["s"][-1]
    up = (last > 0).astype(int)
    counts = np.bincount(up @ (1 << np.arange(9, -1, -1)), minlength=1024)
    tv = np.abs(counts / batch - q).sum() / 2
    mean = np.sqrt(q * (1 - q) / batch).sum() / 2
    assert tv < mean + 4 / (2 * np.sqrt(batch))
    uniform = np.abs(np.full(1024, 1 / 1024) - q).sum() / 2
    assert uniform > 2 * (mean + 4 / (2 * np.sqrt(batch)))  # the test could see another law


def law(graph, levels: str):
    """Return exp(-E / T) of the integers in a lowered machine."""
    (unit,), (synapse,) = graph.of(loihi.FermiDirac), graph.of(loihi.Dense)
    held = {name: graph.producers[getattr(unit, name).name].value.numpy for name in ("T", "bias")}
    W = graph.producers[synapse.weight.name].value.numpy * 2.0**synapse.weight_exp
    T = float(held["T"].flat[0]) / 256
    factor = 2.0 if levels == "spin" else 1.0
    states = all_states(10, levels)
    E = -((states @ W / 2 + held["bias"]) * states).sum(axis=1) / factor / T
    weight = np.exp(-(E - E.min()))
    return weight / weight.sum()


def test_the_predicted_divergence_is_that_of_the_two_laws():
    net = boltzmann_machine(10, "binary")
    result = lowered(net)
    (told,) = [change for change in changes(result) if change.what.startswith("law of")]
    (op,) = net.graph.of(sampling.Gibbs)
    numbers = {c.y.name: c.value.numpy for c in net.graph.of(core.Constant)}
    J, h = (numbers[getattr(op, name).name] for name in ("J", "h"))
    states = all_states(10, "binary")
    E = -((states @ J / 2 + h) * states).sum(axis=1)
    p = np.exp(-E) / np.exp(-E).sum()
    q = law(result.graph, "binary")
    tv, kl = np.abs(p - q).sum() / 2, float(np.sum(p * np.log(p / q)))
    assert told.bound == f"KL {kl:.3g} nats, total variation {tv:.3g}"
    assert tv < 0.01


def test_a_sampled_network_draws_what_it_would_have_drawn():
    """The same words, so the same trajectory but where a drive lies within rounding of its threshold."""
    net = boltzmann_machine(8, "spin", sweeps=2)
    result = lowered(net)
    assert parts(result.graph).every == 16
    size = {"ticks": 200, "batch": 4}
    exact, found = reference(net.graph, {}, seed=3, **size)["s"], reference(result.graph, {}, seed=3, **size)["s"]
    np.testing.assert_array_equal(found[0], exact[0])
    assert np.mean(found != exact) < 0.1  # half of them, were the noise another
    np.testing.assert_array_equal(emulated(result.graph, {}, seed=3, **size)["s"], found)


def lif_network(rng):
    x = tc.input("x", (6,), role="spike")
    s, v = tc.lif(tc.affine(x, rng.normal(size=(16, 6))), tau=5.0, v_threshold=0.3)
    tc.output("y", s)
    tc.output("v", v)


def cuba_network(rng):
    """Recurrent, current-based, as the braille readers of NIR."""
    x, back = tc.input("x", (12,), role="spike"), tc.placeholder((20,))
    drive = tc.affine(x, rng.normal(size=(20, 12))) + tc.affine(back, 0.5 * rng.normal(size=(20, 20)))
    form = {"tau_syn": 3.0, "tau_mem": 10.0, "v_threshold": 0.4, "method": "semi_implicit"}
    s = tc.cuba_lif(drive, reset="subtract", **form)[0]
    tc.connect(back, tc.delay(s))
    tc.output("y", tc.cuba_lif(tc.affine(s, rng.normal(size=(7, 20))), reset="subtract", **form)[0])


def conv_network(rng):
    x = tc.input("x", (2, 12, 12), role="spike")
    h = tc.if_(tc.conv(x, rng.normal(size=(4, 2, 3, 3)), padding=1), v_threshold=1.0)[0]
    s = tc.if_(tc.conv(tc.pool(h, kind="sum", window=2), rng.normal(size=(6, 4, 3, 3))), v_threshold=1.0)[0]
    tc.output("y", tc.if_(tc.affine(tc.flatten(s), 0.3 * rng.normal(size=(5, 96))), v_threshold=1.0)[0])


@pytest.mark.parametrize(
    ("build", "shape", "apart"),
    [(lif_network, (6,), 0.02), (cuba_network, (12,), 0.1), (conv_network, (2, 12, 12), 0.1)],
)
def test_spiking_networks_fire_as_often(build, shape, apart):
    with tc.Network("net") as net:
        build(np.random.default_rng(3))
    result = lowered(net)
    x = {"x": spikes((100, 4, *shape), 0.3)}
    exact, found = reference(net.graph, x), reference(result.graph, x)
    assert exact["y"].mean() > 0.02
    assert abs(found["y"].mean() - exact["y"].mean()) < apart * exact["y"].mean()
    for name, array in emulated(result.graph, x).items():
        np.testing.assert_array_equal(array, found[name])


def test_temperatures_of_a_schedule_are_the_hosts():
    rng = np.random.default_rng(1)
    J = np.triu(rng.normal(size=(6, 6)), 1)
    with tc.Network("cooled") as net:
        T = tc.schedule(kind="exponential", T0=4.0, parameter=20.0, T_min=0.05)
        tc.output("y", tc.gibbs(T=T, J=J + J.T))
    result = lowered(net)
    exact = reference(net.graph, {}, ticks=150, batch=16, seed=2)["y"]
    found = reference(result.graph, {}, ticks=150, batch=16, seed=2)["y"]
    energy = [float(-(s[-1] @ (J + J.T) * s[-1]).sum(axis=1).mean() / 2) for s in (exact, found)]
    assert energy[1] == pytest.approx(energy[0], abs=0.3)
    assert not np.array_equal(found[-1], found[0])


def test_an_ou_memory_keeps_its_variance():
    """Stationary variance T to 4 standard errors of correlated samples: 2 tau variances of T (2 / n)."""
    with tc.Network("memory") as net:
        tc.output("y", tc.memory(0.0 * tc.input("x", (50,)), T=0.5, gamma=0.2))
    result = lowered(net)
    y = emulated(result.graph, {"x": np.zeros((1, 50))}, ticks=4000, seed=1)["y"][200:]
    n = y.size / (1 / 0.2)
    assert abs(y.var() - 0.5) < 4 * 0.5 * np.sqrt(2 / n)


def test_graded_networks_stay_within_their_bound():
    rng = np.random.default_rng(0)
    with tc.Network("net") as net:
        x = tc.input("x", (6,))
        h = tc.tanh(tc.affine(x, 0.3 * rng.normal(size=(8, 6))))
        g = tc.thermal_relu(tc.affine(h, rng.normal(size=(7, 8))) + tc.affine(x, rng.normal(size=(7, 6))), T=0.1)
        tc.output("y", tc.affine(g, rng.normal(size=(3, 7))))
    result = lowered(net, input_range=(-1.0, 1.0))
    x = {"x": rng.uniform(-1, 1, size=(200, 6))}
    exact = reference(net.graph, x)["y"]
    off = np.abs(exact - reference(result.graph, x)["y"]).max()
    assert 0 < off <= bound(result) < 0.15 * np.ptp(exact)
