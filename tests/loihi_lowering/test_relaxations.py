"""Schedules, modes of OU networks and probabilities as units of Loihi: how far they are off, and what they feed."""

from __future__ import annotations

import numpy as np
import pytest
from cases import stiff
from loihi_lowering.lowering import bound, changes, emulated, lowered, reference
from numpy.typing import NDArray

import thermoc as tc
from thermoc.ir.dialects import loihi, thermo
from thermoc.support.errors import ThermocError

LAWS = {"exponential": 9.0, "linear": 40.0}


def cooling(kind: str, parameter: float, *, T_min: float = 0.05, n: int = 4) -> tc.Network:
    """Return p-bits that cool."""
    with tc.Network("cooling") as net:
        T = tc.schedule(kind=kind, T0=2.0, parameter=parameter, T_min=T_min)
        tc.output("y", T)
        tc.output("s", tc.sample_binary(tc.affine(tc.input("x", (n,)), np.eye(n)), T=T))
    return net


@pytest.mark.parametrize("kind", LAWS)
def test_a_schedule_is_within_its_bound_down_to_its_floor(kind: str):
    net = cooling(kind, LAWS[kind])
    result, x = lowered(net), {"x": np.zeros((120, 1, 4))}
    assert result.graph.of(loihi.LoihiRelaxation) and not result.graph.of(thermo.Schedule)
    exact, found = reference(net.graph, x)["y"], reference(result.graph, x)["y"]
    assert 0 < np.abs(found - exact).max() <= bound(result) < 1e-5
    np.testing.assert_array_equal(emulated(result.graph, x)["y"], found)


@pytest.mark.parametrize("kind", LAWS)
def test_a_slow_schedule_loses_nothing_to_rounding(kind: str):
    """A tick of it is less than a step of what is sent: without bits below, it would stand still or fall too fast."""
    with tc.Network("slow") as net:
        tc.output("y", tc.schedule(kind=kind, T0=2.0, parameter=1e7, T_min=0.05))
    result = lowered(net)
    exact, found = (reference(graph, {}, ticks=4000)["y"] for graph in (net.graph, result.graph))
    assert exact[0] - exact[-1] > 500e-6
    assert np.abs(found - exact).max() <= bound(result) < 2e-6


@pytest.mark.parametrize("kind", LAWS)
def test_p_bits_follow_a_schedule(kind: str):
    """P(up) = 1 / (1 + exp(-x / T(t))) at every tick: 25 ticks of 4 units within 5 standard errors, a false alarm in
    17,000 runs."""
    drive, batch, ticks = np.linspace(-1.5, 1.0, 4), 20_000, 25
    net = cooling(kind, LAWS[kind], T_min=0.3)
    x = {"x": np.broadcast_to(drive, (batch, 4))}
    T = reference(net.graph, {"x": drive[np.newaxis]}, ticks=ticks)["y"]
    up = emulated(lowered(net).graph, x, ticks=ticks, seed=5)["s"].mean(axis=1)

    def deviates(temperature: NDArray) -> float:
        p = 1 / (1 + np.exp(-drive / temperature))
        return float((np.abs(up - p) / np.sqrt(p * (1 - p) / batch)).max())

    assert deviates(T) < 5
    assert deviates(np.roll(T, 1, axis=0)) > 5  # a tick late is seen


def test_a_network_sampled_in_turns_cools_by_a_schedule():
    J = np.array([[0, 1.0, -0.6, 0], [1.0, 0, 0, 0.8], [-0.6, 0, 0, 0.5], [0, 0.8, 0.5, 0]])
    with tc.Network("annealed") as net:
        T = tc.schedule(kind="exponential", T0=3.0, parameter=6.0, T_min=0.2)
        tc.output("y", tc.gibbs(T, J, 0.1, colors=np.array([0, 1, 1, 0]), sweeps=2, initial=1.0))
        tc.output("T", T)
    result = lowered(net)
    (unit,) = result.graph.of(loihi.LoihiRelaxation)
    assert unit.every == 4
    exact, found = (reference(graph, {}, ticks=20, batch=200) for graph in (net.graph, result.graph))
    assert np.abs(exact["T"] - found["T"]).max() <= bound(result, "T")
    # One seed, one trajectory, but for spins within rounding of their threshold and those that follow from them.
    assert (exact["y"] != found["y"]).mean() < 0.05
    np.testing.assert_array_equal(emulated(result.graph, {}, ticks=20, batch=200)["y"], found["y"])


def test_an_adaptive_schedule_of_a_known_heat_capacity_is_one_too():
    with tc.Network("adaptive") as net:
        tc.output("y", tc.adaptive_schedule(4.0, T0=2.0, T_min=0.1, speed=0.3, relaxation=1.5))
    result = lowered(net)
    assert result.graph.of(loihi.LoihiRelaxation)
    exact, found = (reference(graph, {}, ticks=60)["y"] for graph in (net.graph, result.graph))
    assert 0 < np.abs(found - exact).max() <= bound(result) < 1e-5


def test_a_certificate_holds_a_schedule_to_what_its_pass_declares():
    """The formula within the bound of the report; a temperature 5 % off is noticed by the certificate's own controls."""
    exe = tc.compile(cooling("exponential", 9.0), "lava", runtime="reference")
    found = tc.certify(exe.run({"x": np.zeros((60, 3, 4))}, seed=3))
    (law,) = [law for law in found.laws if law.op.startswith("thermo.schedule")]
    assert 1e-10 < law.measured <= law.bound < 1e-3 and law.verdict == "holds"


def test_a_schedule_that_the_host_reads_or_whose_ratio_changes_is_the_hosts():
    with tc.Network("host") as net:
        T = tc.schedule(kind="linear", T0=1.0, parameter=50.0, T_min=0.1)
        x = tc.sqrt(T) * tc.input("f", (2,))
        tc.output("y", tc.sample_binary(tc.affine(x, np.eye(2)), T=T))
        power = tc.schedule(kind="power", T0=1.0, parameter=0.5, T_min=0.1)
        tc.output("s", tc.sample_binary(tc.affine(tc.input("z", (2,)), np.eye(2)), T=power))
    result = lowered(net)
    assert result.graph.of(loihi.LoihiFermiDirac) and not result.graph.of(loihi.LoihiRelaxation)


def test_a_temperature_is_never_too_fine_for_those_it_heats():
    """Weights of the temperature would round to 0 where drives leave no room for a finer one of the p-bits."""
    with tc.Network("large") as net:
        T = tc.schedule(kind="linear", T0=900.0, parameter=50.0, T_min=400.0)
        tc.output("y", tc.sample_binary(tc.affine(tc.input("x", (2,)), 2e5 * np.eye(2)), T=T))
    graph = lowered(net, input_range=(-4.0, 4.0)).graph
    heating = [op for op in graph.of(loihi.LoihiSparse) if op.y.name == graph.of(loihi.LoihiFermiDirac)[0].T.name]
    assert all((graph.producers[op.values.name].value.numpy != 0).all() for op in heating) and heating


def test_a_hosts_temperature_is_not_clipped_by_its_sign():
    with tc.Network("hot") as net:
        T = tc.abs(tc.input("T", ())) + 0.2
        tc.output("y", tc.sample_binary(tc.affine(tc.input("x", (2,)), 1e-3 * np.eye(2)), T=T))
    graph = lowered(net, input_range=(-1.0, 1.0)).graph
    scales = [op.scale for op in graph.of(loihi.LoihiEncode) if op.bits == 24]
    assert scales and max(scales) * 1.2 < 2**23


# ---------------------------------------------------------------------------------------------------- OU networks


def diffusing(n: int, T: float | None, *, driven: bool) -> tc.Network:
    with tc.Network("diffusing") as net:
        kT = tc.abs(tc.input("T", ())) + 0.2 if T is None else T
        b = tc.input("b", (n,)) if driven else 0.3
        tc.output("y", tc.ou_network(stiff(n), kT, b, mobility=0.3, initial=np.linspace(-1, 1, n)))
    return net


@pytest.mark.parametrize("T", [0.5, None])
def test_an_ou_network_is_within_its_bound_word_for_word(T: float | None):
    """The same words, so the trajectory of the network: its error is that of the chip's normals."""
    net, rng = diffusing(6, T, driven=True), np.random.default_rng(0)
    x = {"b": rng.uniform(-1, 1, (150, 3, 6))} | ({} if T else {"T": rng.uniform(-1, 1, (150, 3))})
    result = lowered(net, input_range=(-1.0, 1.0))
    exact, found = reference(net.graph, x, seed=3)["y"], reference(result.graph, x, seed=3)["y"]
    assert 0 < np.abs(found - exact).max() <= bound(result) < np.std(exact)
    np.testing.assert_allclose(emulated(result.graph, x, seed=3)["y"], found, rtol=0, atol=1e-12)
    options = {"lava": {"runtime": "reference", "input_range": (-1.0, 1.0)}}
    assert tc.verify(net, ["lava"], inputs=x, options=options).ok


def test_an_ou_network_settles_to_its_gaussian():
    """Covariance T K^-1 of 40,000 samples: each of 10 elements within 5 standard errors (Isserlis) and the 0.4 % that
    the variance of the chip's normal and its weights are off, a false alarm in 170,000 runs."""
    net, batch = diffusing(4, 0.5, driven=False), 40_000
    y = emulated(lowered(net).graph, {}, ticks=40, batch=batch, seed=9)["y"][-1]
    law = tc.physics.gaussian_network(stiff(4), 0.3, 0.5)
    found, d = np.cov(y.T), np.diag(law.cov)
    error = np.sqrt((np.outer(d, d) + law.cov**2) / batch)
    assert (np.abs(found - law.cov) < 5 * error + 0.004 * np.sqrt(np.outer(d, d))).all()
    assert (np.abs(y.mean(axis=0) - law.mean) < 5 * np.sqrt(d / batch) + 0.002).all()


def test_an_ou_network_in_a_bath_of_loihi_is_the_hosts():
    """As it is where its temperature is a multiple of a schedule: the host takes the root, and has the schedule."""
    with tc.Network("bath") as net:
        T = tc.heat_network(0.0, [4.0, 60.0], [[0.0, 0.5], [0.5, 0.0]], [3.0, 0.4])[0]
        tc.output("y", tc.ou_network(stiff(3), tc.reshape(T[0:1], shape=()), 0.3))
    assert lowered(net).graph.of(loihi.LoihiHeatNode) and not lowered(net).graph.of(loihi.LoihiRelaxation)
    with tc.Network("twice") as net:
        T = tc.schedule(kind="linear", T0=1.0, parameter=50.0, T_min=0.1)
        tc.output("y", tc.ou_network(stiff(3), 2.0 * T, 0.3))
        tc.output("z", tc.ou_network(stiff(3), T, 0.3))
    result = lowered(net)
    for name in ("y", "z"):
        exact, found = (reference(graph, {}, ticks=20, seed=1)[name] for graph in (net.graph, result.graph))
        assert np.abs(exact - found).max() <= bound(result, name)


def test_modes_take_a_tick_of_the_network_beside_units_sampled_in_turns():
    with tc.Network("beside") as net:
        tc.output("s", tc.gibbs(1.0, np.array([[0, 1.0], [1.0, 0]]), sweeps=3))
        tc.output("y", tc.ou_network(stiff(3), 0.5, tc.input("b", (3,)), mobility=0.3))
    result, x = lowered(net), {"b": np.random.default_rng(0).uniform(-1, 1, (40, 2, 3))}
    (unit,) = result.graph.of(loihi.LoihiRelaxation)
    assert unit.every == 6
    exact, found = reference(net.graph, x, seed=3)["y"], reference(result.graph, x, seed=3)["y"]
    assert 0 < np.abs(found - exact).max() <= bound(result)
    np.testing.assert_allclose(emulated(result.graph, x, seed=3)["y"], found, rtol=0, atol=1e-12)


def test_units_sampled_in_turns_drive_no_mode():
    with tc.Network("turns") as net:
        s = tc.gibbs(1.0, np.array([[0, 1.0], [1.0, 0]]))
        tc.output("y", tc.ou_network(stiff(2), 0.5, tc.affine(s, np.eye(2))))
    with pytest.raises(ThermocError, match=r"T205.*sampled in turns"):
        lowered(net)


# ------------------------------------------------------------------------------------ probabilities, and extrema


def test_maxima_and_minima_between_two_parts_of_loihi_are_graded_units():
    rng = np.random.default_rng(0)
    with tc.Network("extrema") as net:
        x = tc.input("x", (4,))
        a, b = (tc.affine(x, rng.normal(size=(5, 4))) for _ in range(2))
        tc.output("y", tc.affine(tc.minimum(0.7, tc.maximum(tc.maximum(-0.3, a), b)), rng.normal(size=(3, 5))))
    x = {"x": rng.uniform(-1, 1, (30, 3, 4))}
    result = lowered(net, input_range=(-1.0, 1.0))
    assert not any("by a process" in str(change.new) for change in changes(result))
    exact, found = reference(net.graph, x)["y"], reference(result.graph, x)["y"]
    assert 0 < np.abs(found - exact).max() <= bound(result)
    np.testing.assert_allclose(emulated(result.graph, x)["y"], found, rtol=0, atol=1e-12)


def attending(T: float | str) -> tc.Network:
    rng = np.random.default_rng(0)
    with tc.Network("attending") as net:
        cools = tc.schedule(kind="exponential", T0=2.0, parameter=9.0, T_min=0.3) if T == "cools" else T
        p = tc.boltzmann(tc.affine(tc.input("x", (4,)), rng.normal(size=(5, 4))), cools)
        tc.output("p", p)
        tc.output("y", tc.affine(p, rng.normal(size=(3, 5))))
    return net


@pytest.mark.parametrize("T", [0.3, "cools"])
def test_probabilities_between_two_parts_of_loihi_are_units(T: float | str):
    net = attending(T)
    x = {"x": np.random.default_rng(1).uniform(-1, 1, (30, 3, 4))}
    result = lowered(net, input_range=(-1.0, 1.0))
    (unit,) = result.graph.of(loihi.LoihiBoltzmann)
    exact, found, other = reference(net.graph, x), reference(result.graph, x), emulated(result.graph, x)
    for name in ("p", "y"):
        assert 0 < np.abs(found[name] - exact[name]).max() <= bound(result, name)
        np.testing.assert_allclose(other[name], found[name], rtol=0, atol=1e-12)
    assert np.abs(found["p"].sum(axis=-1) - 1).max() <= 5 * 0.5 ** (unit.fraction + 1)
    options = {"lava": {"runtime": "reference", "input_range": (-1.0, 1.0)}}
    assert tc.verify(net, ["lava"], inputs=x, options=options).ok


def test_probabilities_at_the_end_are_the_hosts():
    with tc.Network("end") as net:
        tc.output("y", tc.boltzmann(tc.affine(tc.input("x", (4,)), np.eye(4)), 0.5))
    graph = lowered(net).graph
    assert graph.of(thermo.Boltzmann) and not graph.of(loihi.LoihiBoltzmann)


@pytest.mark.parametrize(
    ("op", "make"),
    [
        ("thermo.schedule", lambda: cooling("linear", 9.0)),
        ("thermo.ou_network", lambda: diffusing(3, 0.5, driven=False)),
        ("thermo.boltzmann", lambda: attending(0.3)),
    ],
)
def test_stock_units_have_none_of_these(op: str, make):
    def kept():
        with tc.Network("drive") as net:
            T = tc.schedule(kind="linear", T0=1.0, parameter=9.0, T_min=0.1)
            tc.output("y", tc.lif(tc.affine(tc.broadcast(T, shape=(2,)), np.eye(2)), 2.0, method="euler")[0])
        return net

    with pytest.raises(ThermocError, match=rf"T205.*{op} .* has no form in stock units"):
        lowered(kept() if op == "thermo.schedule" else make(), stock_only=True)
