"""Thermal networks as nodes of Loihi: what they keep, how far they are off, what they heat, and who stands between."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from heat_networks import arithmetic, links, middle, warm
from loihi_lowering.lowering import bound, changes, emulated, lowered, reference
from numpy.typing import NDArray

import thermoc as tc
from thermoc import physics
from thermoc.ir.dialects import core, loihi
from thermoc.ir.types import DType
from thermoc.passes import stages
from thermoc.passes.loihi.thermal_networks import ThermalNetworks, has_nodes
from thermoc.passes.pipeline import run_passes
from thermoc.support.errors import ThermocError


def quanta(graph, states) -> NDArray:
    """Return the heat of a network in quanta, sample by sample."""
    (node,) = graph.of(loihi.LoihiHeatNode)
    capacity = np.broadcast_to(graph.producers[node.capacity.name].value.numpy.astype(np.int64), node.T.shape)
    return (capacity * states[f"{node.T.name}.T"] + states[f"{node.T.name}.rest"]).sum(axis=-1)


def test_fifty_nodes_stay_within_their_bound():
    net = warm(50)
    result = lowered(net)
    exact = reference(net.graph, {}, ticks=300)["y"]
    found = reference(result.graph, {}, ticks=300)["y"]
    off = np.abs(found - exact).max()
    assert 0 < off <= bound(result) < 1e-3 * np.ptp(exact[0])
    np.testing.assert_array_equal(emulated(result.graph, {}, ticks=300)["y"], found)


def test_fifty_nodes_keep_their_heat_to_the_last_quantum():
    exe = tc.compile(warm(50), "lava", runtime="reference")
    with exe.start(batch=2, seed=1) as session:
        start = quanta(exe.graph, session.state)
        for _ in range(40):
            session.run(5)
            np.testing.assert_array_equal(quanta(exe.graph, session.state), start)
    assert (start > 2**28).all()


def test_nodes_at_the_temperature_of_their_reservoir_exchange_nothing():
    with tc.Network("even") as net:
        tc.output("y", tc.heat_network(0.0, [1.0, 3.0, 7.0], links(3), 1.5, ambient=0.2, T_ambient=1.5)[0])
    result = lowered(net)
    y = reference(result.graph, {}, ticks=50)["y"]
    assert (y == 1.5).all()


def test_sources_and_a_reservoir_stay_within_their_bound():
    ambient = np.where(np.arange(12) % 4 == 0, 0.3, 0.0)
    with tc.Network("driven") as net:
        power = tc.input("p", (12,))
        T, given, _ = tc.heat_network(power, 2.0, links(12), 1.0, ambient=ambient, T_ambient=tc.input("a", ()))
        tc.output("y", T)
        tc.output("heat", given)
    result = lowered(net, input_range=(0.0, 1.0))
    rng = np.random.default_rng(3)
    x = {"p": rng.uniform(0, 0.5, (80, 3, 12)), "a": rng.uniform(0.5, 1.0, (80, 3))}
    exact, found = reference(net.graph, x), reference(result.graph, x)
    for name in ("y", "heat"):
        off = np.abs(found[name] - exact[name]).max()
        assert 0 < off <= bound(result, name) < 0.2 * np.ptp(exact[name])
        np.testing.assert_array_equal(emulated(result.graph, x)[name], found[name])


@pytest.mark.parametrize("boundary", ["insulated", "periodic", "fixed"])
def test_a_grid_is_a_network_of_its_cells(boundary: str):
    """To rounding: both are the exact step of one equation."""
    with tc.Network("grid", dt=0.7) as net:
        T, outflow = tc.diffusion(
            np.arange(1.0, 7.0).reshape(2, 3), tc.input("s", (2, 3)), 0.5, D=0.4, boundary=boundary
        )
        tc.output("T", T)
        tc.output("outflow", outflow)
    discrete = stages.discrete(dt=0.7, dtype=DType.f64, keep=has_nodes)
    result = run_passes(net.graph, (*discrete, ThermalNetworks()))
    x = {"s": np.random.default_rng(0).normal(size=(9, 2, 2, 3))}
    exact, found = reference(net.graph, x), reference(result.graph, x)
    for name, array in exact.items():
        np.testing.assert_allclose(found[name], array, rtol=0, atol=1e-12)


def test_an_exchange_with_the_mean_is_a_network():
    with tc.Network("exchange", dt=0.7) as net:
        tc.output("y", tc.heat_exchange(links(5), np.arange(1.0, 6.0), gamma=0.3))
    result = lowered(net)
    assert result.graph.of(loihi.LoihiHeatNode)
    exact, found = reference(net.graph, {}, ticks=60)["y"], reference(result.graph, {}, ticks=60)["y"]
    assert 0 < np.abs(found - exact).max() <= bound(result) < 1e-3


# ------------------------------------------------------------------------------------------- what a network heats


def cooling(n: int = 4) -> tuple[tc.Network, NDArray]:
    """Return p-bits in a bath that cools into a large body, and what drives them."""
    drive = np.linspace(-1.5, 1.0, n)
    with tc.Network("bath") as net:
        T = tc.heat_network(0.0, [4.0, 60.0], [[0.0, 0.5], [0.5, 0.0]], [3.0, 0.4])[0]
        tc.output("T", T)
        tc.output("y", tc.sample_binary(tc.affine(tc.input("x", (n,)), np.eye(n)), T=T[0:1]))
    return net, drive


def test_p_bits_follow_a_bath_that_cools():
    """P(up) = 1 / (1 + exp(-x / T(t))) of the network's own T(t), at every tick: 25 ticks of 4 units within 5 standard
    errors, a false alarm in 17,000 runs."""
    net, drive = cooling()
    result = lowered(net)
    batch, ticks = 20_000, 25
    x = {"x": np.broadcast_to(drive, (batch, 4))}
    T = reference(net.graph, {"x": drive[np.newaxis]}, ticks=ticks)["T"][:, :, :1]
    up = emulated(result.graph, x, ticks=ticks, seed=5)["y"].mean(axis=1)

    def deviates(temperature) -> float:
        p = 1 / (1 + np.exp(-drive / temperature[:, 0]))
        return float((np.abs(up - p) / np.sqrt(p * (1 - p) / batch)).max())

    assert deviates(T) < 5
    assert deviates(np.roll(T, 1, axis=0)) > 5  # a tick late is seen
    assert deviates(np.full_like(T, 3.0)) > 50


def test_a_coupled_network_follows_a_bath_that_cools():
    """The law after every sweep, by its transition matrix at that tick's temperature: total variation within its mean
    and 4 standard errors (McDiarmid), a false alarm in 200 runs of 12 ticks."""
    J = np.array([[0, 1.0, -0.6, 0], [1.0, 0, 0, 0.8], [-0.6, 0, 0, 0.5], [0, 0.8, 0.5, 0]])
    colours = np.array([0, 1, 1, 0])
    with tc.Network("coupled") as net:
        T = tc.heat_network(0.0, [3.0, 60.0], [[0.0, 0.5], [0.5, 0.0]], [3.0, 0.3])[0]
        tc.output("T", T)
        tc.output("y", tc.gibbs(T[0:1], J, 0.1, colors=colours, initial=1.0))
    result, batch, ticks = lowered(net), 20_000, 12
    kT = reference(net.graph, {}, ticks=ticks)["T"][:, 0, 0]
    s = emulated(result.graph, {}, ticks=ticks, batch=batch, seed=3)["y"]
    states = np.array(list(itertools.product([-1, 1], repeat=4)))
    p = (states == 1).all(axis=1).astype(float)
    for tick in range(ticks):
        counts = np.bincount((s[tick] > 0) @ (8, 4, 2, 1), minlength=16)
        tv = np.abs(counts / batch - p).sum() / 2
        assert tv < np.sqrt(p * (1 - p) / batch).sum() / 2 + 4 / (2 * np.sqrt(batch))
        for colour in (0, 1):
            p = p @ _turn(states, J, kT[tick], colours == colour)


def _turn(states: NDArray, J: NDArray, kT: float, mine: NDArray) -> NDArray:
    """Return how each state goes to each other where the units of a colour decide."""
    up = 1 / (1 + np.exp(-2 * (states @ J + 0.1) / kT))
    each = np.where(states[np.newaxis] > 0, up[:, np.newaxis], 1 - up[:, np.newaxis])
    kept = states[:, np.newaxis] == states[np.newaxis]
    return np.where(mine, each, kept).prod(axis=2)


# --------------------------------------------------------------------------------------------------- what is refused


def test_stock_units_have_no_nodes():
    with pytest.raises(ThermocError, match=r"T205.*thermo.heat_network .* has no form in stock units"):
        lowered(warm(3), stock_only=True)


def test_a_noisy_network_is_the_hosts_and_stands_at_an_end():
    with tc.Network("noisy") as net:
        T = tc.heat_network(tc.abs(tc.affine(tc.input("x", (3,)), np.eye(3))), 2.0, links(3), 1.0, k_B=0.01)[0]
        tc.output("y", T)
        tc.output("s", tc.sample_binary(tc.affine(T, np.eye(3)), T=0.5))
    with pytest.raises(ThermocError, match="T205") as caught:
        lowered(net)
    assert "needs no state and no noise" in str(caught.value)


def test_units_sampled_in_turns_heat_no_node():
    with tc.Network("turns") as net:
        s = tc.gibbs(1.0, np.array([[0, 1.0], [1.0, 0]]))
        tc.output("y", tc.heat_network(tc.affine(s, np.eye(2)), 2.0, links(2), 1.0)[0])
    with pytest.raises(ThermocError, match=r"T205.*sampled in turns"):
        lowered(net)


# ------------------------------------------------------------------------------------------------ the host between


def test_the_host_stands_between_two_parts_of_loihi():
    """Every op without a state: what it is given and what it says are messages, so each unit is off by its own step."""
    net = middle()
    x = {"x": np.random.default_rng(0).uniform(-1, 1, (20, 2, 6))}
    result = lowered(net, input_range=(-1.0, 1.0))
    assert any("by a process of the host" in str(change.new) for change in changes(result))
    exact, found = reference(net.graph, x)["y"], reference(result.graph, x)["y"]
    assert 0 < np.abs(exact - found).max() < 0.05 * np.ptp(exact)
    np.testing.assert_allclose(emulated(result.graph, x)["y"], found, rtol=0, atol=1e-12)
    options = {"lava": {"runtime": "reference", "input_range": (-1.0, 1.0)}}
    assert tc.verify(net, ["lava"], inputs=x, options=options).ok


def test_every_op_without_a_state_stands_between_two_parts_of_loihi():
    net, rng = arithmetic(), np.random.default_rng(0)
    x = {name: rng.uniform(-1, 1, (6, 2, 6)) for name in ("x", "z")}
    options = {"lava": {"runtime": "reference", "calibrate": {name: array[:, 0] for name, array in x.items()}}}
    found = tc.verify(net, ["lava"], inputs=x, options=options)
    assert found.ok, str(found)
    (_, outcome) = found.outcomes["lava"]
    assert len(outcome.outputs) == len(net.graph.outputs)


def test_a_process_in_a_loop_says_what_its_delay_starts_from():
    with tc.Network("loop") as net:
        hole = tc.placeholder((2,))
        h = tc.tanh(tc.affine(tc.input("x", (2,)), np.eye(2)) + 0.5 * tc.delay(hole, 0.25, ticks=3))
        tc.connect(hole, tc.sqrt(tc.abs(h) + 0.1))
        tc.output("y", h)
    x = {"x": np.random.default_rng(0).uniform(-1, 1, (12, 2, 2))}
    result = lowered(net, input_range=(-1.0, 1.0))
    exact, found = reference(net.graph, x)["y"], reference(result.graph, x)["y"]
    assert 0 < np.abs(exact - found).max() < 0.05
    np.testing.assert_allclose(emulated(result.graph, x)["y"], found, rtol=0, atol=1e-12)


def test_a_network_of_the_host_alone_runs_there_and_has_no_package(tmp_path):
    with tc.Network("sums") as net:
        tc.output("y", tc.log(tc.abs(tc.input("x", (3,))) + 1.0))
    exe = tc.compile(net, "lava")
    x = {"x": np.random.default_rng(0).normal(size=(4, 2, 3))}
    np.testing.assert_array_equal(exe.run(x)["y"], reference(net.graph, x)["y"])
    assert any(change.what == "the network" for change in changes(exe.lowered))
    with pytest.raises(ThermocError, match=r"T301.*nothing of this network is Loihi's"):
        exe.save(tmp_path / "sums.lava")


def test_the_steps_of_an_equation_are_the_hosts():
    with tc.Network("walk") as net:
        tc.output("y", tc.langevin(tc.input("f", (2,)), 0.5)[0])
    result = lowered(net)
    assert not any(op.opname.startswith("loihi.") for op in result.graph.ops) and result.graph.of(core.Delay)


def test_the_same_temperatures_as_physics_says():
    """At rest: every node at the mean of heat over heat capacity, to a step of the messages and of the capacities."""
    y = reference(lowered(warm(50)).graph, {}, ticks=3000)["y"][-1, 0]
    rng = np.random.default_rng(1)
    C, T0 = rng.uniform(1, 3, 50), rng.uniform(0.5, 2.0, 50)
    assert physics.disconnected(links(50), np.eye(50)[0]) is None
    assert np.abs(y - (C * T0).sum() / C.sum()).max() < 3e-4
