"""NIR files: each node's meaning, recurrence, units and time steps, against loops and the official package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
from frontends.models import RNG, chain, cuba, drawn, everything, full, lif, trajectory, written

import thermoc as tc

X = RNG.normal(size=(30, 4)) + 0.3
IMAGE = RNG.normal(size=(3, 4, 7, 8))


def loop(x: np.ndarray, dt: float, leak: Any, *, spikes: bool) -> np.ndarray:
    v, found = np.zeros_like(x[0]), []
    for drive in x:
        v = leak(v, drive)
        s = v > 0.5
        found.append(s if spikes else v)
        v = np.where(s & spikes, 0.1, v)
    return np.array(found)


def conv(x: np.ndarray, w: np.ndarray, b: np.ndarray, *, stride: tuple[int, int], pad: Any, dilation: tuple[int, int], groups: int) -> np.ndarray:  # fmt: skip
    """Loops over places, channels and taps."""
    x = np.pad(x, ((0, 0), (0, 0), *pad))
    rows = (x.shape[2] - dilation[0] * (w.shape[2] - 1) - 1) // stride[0] + 1
    columns = (x.shape[3] - dilation[1] * (w.shape[3] - 1) - 1) // stride[1] + 1
    y = np.zeros((len(x), len(w), rows, columns)) + b[:, None, None]
    for o in range(len(w)):
        first = o // (len(w) // groups) * w.shape[1]
        for c in range(w.shape[1]):
            for i in range(w.shape[2]):
                for j in range(w.shape[3]):
                    view = x[:, first + c, i * dilation[0] :: stride[0], j * dilation[1] :: stride[1]]
                    y[:, o] += w[o, c, i, j] * view[:, :rows, :columns]
    return y


W, B, K, G = drawn(3, 4), drawn(3), drawn(6, 2, 3, 2), drawn(6)
V = {"v_threshold": full(0.5, 4), "v_reset": full(0.1, 4)}
DT = 1e-4
pooled = IMAGE[:, :, :6].reshape(3, 4, 3, 2, 4, 2)
NODES: dict[str, tuple[Any, np.ndarray, np.ndarray]] = {
    "Affine": (nir.Affine(W, B), X, X @ W.T + B),
    "Linear": (nir.Linear(W), X, X @ W.T),
    "Scale": (nir.Scale(B.repeat(2)[:4]), X, X * B.repeat(2)[:4]),
    "Threshold": (nir.Threshold(full(0.3, 4)), X, X > 0.3),
    "Delay": (nir.Delay(full(3 * DT, 4)), X, np.concatenate([np.zeros((3, 4)), X[:-3]])),
    "Delay, one a unit": (nir.Delay(np.array([0, 1, 1, 4]) * DT), X, np.stack([np.concatenate([np.zeros(n), X[: len(X) - n, i]]) for i, n in enumerate((0, 1, 1, 4))], 1)),
    "I": (nir.I(full(1e3, 4)), X, np.cumsum(0.1 * X, axis=0)),
    "IF": (nir.IF(full(1e3, 4), **V), X, loop(X, DT, lambda v, x: v + 0.1 * x, spikes=True)),
    "LI": (nir.LI(full(1e-3, 4), full(2.0, 4), full(0.2, 4)), X, loop(X, DT, lambda v, x: v + 0.1 * (0.2 - v + 2 * x), spikes=False)),
    "LIF": (nir.LIF(full(1e-3, 4), full(2.0, 4), full(0.2, 4), **V), X, loop(X, DT, lambda v, x: v + 0.1 * (0.2 - v + 2 * x), spikes=True)),
    "Conv1d": (nir.Conv1d(8, K[:, :, 0], 2, 1, 2, 2, G), IMAGE[:, :, 0], conv(IMAGE[:, :, :1], K[:, :, :1], G, stride=(1, 2), pad=((0, 0), (1, 1)), dilation=(1, 2), groups=2)[:, :, 0]),
    "Conv2d": (nir.Conv2d((7, 8), K, np.array([2, 1]), np.array([1, 2]), np.array([1, 2]), 2, G), IMAGE, conv(IMAGE, K, G, stride=(2, 1), pad=((1, 1), (2, 2)), dilation=(1, 2), groups=2)),
    "Conv2d, same": (nir.Conv2d((7, 8), K, 1, "same", 1, 2, G), IMAGE, conv(IMAGE, K, G, stride=(1, 1), pad=((1, 1), (0, 1)), dilation=(1, 1), groups=2)),
    "Conv2d, valid": (nir.Conv2d((7, 8), K, 1, "valid", 1, 2, G), IMAGE, conv(IMAGE, K, G, stride=(1, 1), pad=((0, 0), (0, 0)), dilation=(1, 1), groups=2)),
    "SumPool2d": (nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])), IMAGE, pooled.sum((3, 5))),
    "AvgPool2d": (nir.AvgPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])), IMAGE, pooled.mean((3, 5))),
    "Flatten": (nir.Flatten({"input": np.array([4, 7, 8])}, 0, -1), IMAGE, IMAGE.reshape(3, -1)),
    "Flatten, some axes": (nir.Flatten({"input": np.array([4, 7, 8])}, 1, -1), IMAGE, IMAGE.reshape(3, 4, -1)),
}  # fmt: skip


@pytest.mark.parametrize("name", NODES)
def test_a_node_means_what_nir_says(tmp_path: Path, name: str):
    node, x, expected = NODES[name]
    path = written(tmp_path / "n.nir", *chain(node, shape=x.shape[1:], out=expected.shape[1:]))
    found = trajectory(tc.load(path, dt=DT), x)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
    assert len(np.unique(found)) > 1


@pytest.mark.parametrize("spikes", [True, False])
def test_units_with_a_current_step_as_snntorch_does(tmp_path: Path, spikes: bool):
    """syn = alpha syn + x; mem = beta mem + syn: tau = dt / (1 - decay), w_in = tau_syn / dt, r = tau_mem / dt."""
    alpha, beta, syn, mem, expected = 0.55, 0.9, 0.0, np.zeros(4), []
    common = {"tau_syn": full(DT / (1 - alpha), 4), "tau_mem": full(DT / (1 - beta), 4), "r": full(1 / (1 - beta), 4), "v_leak": full(0.0, 4), "w_in": full(1 / (1 - alpha), 4)}  # fmt: skip
    for x in X:
        syn = alpha * syn + x
        mem = beta * mem + syn
        fired = (mem > 0.5) & spikes
        expected.append(fired if spikes else mem)
        mem = np.where(fired, 0.1, mem)
    node = nir.CubaLIF(**common, **V) if spikes else nir.CubaLI(**common)
    path = written(tmp_path / "n.nir", *chain(node, shape=(4,), out=(4,)))
    np.testing.assert_allclose(trajectory(tc.load(path), X), expected, rtol=1e-11)


def test_the_spikes_of_a_cycle_are_those_of_the_tick_before(tmp_path: Path):
    """snnTorch's recurrent unit, the weights' bias included: syn = alpha syn + x + V s(t - 1) + b."""
    back, bias, (syn, mem, s), expected = 0.8 * drawn(4, 4), drawn(4), np.zeros((3, 4)), []
    for x in X:
        syn = (1 - 0.5) * syn + 0.5 * 2 * (x + back @ s + bias)
        mem = mem + 0.1 * (10 * syn - mem)
        s = (mem > 1.0) * 1.0
        mem = np.where(s, 0.0, mem)
        expected.append(s)
    nodes, edges = chain(cuba(4), shape=(4,), out=(4,))
    path = written(
        tmp_path / "n.nir", nodes | {"back": nir.Affine(back, bias)}, [*edges, ("n0", "back"), ("back", "n0")]
    )
    net = tc.load(path)
    np.testing.assert_array_equal(trajectory(net, X), expected)
    assert 10 < np.sum(expected) < 110
    assert "a cycle: 'back' reads 'n0' of the tick before" in [repair.what for repair in net.repairs]


def test_a_unit_that_feeds_itself_waits_a_tick(tmp_path: Path):
    nodes, edges = chain(nir.I(full(1e4, 4)), shape=(4,), out=(4,))
    found = trajectory(tc.load(written(tmp_path / "n.nir", nodes, [*edges, ("n0", "n0")]), dt=DT), X)
    v, before = np.zeros(4), np.zeros(4)
    for tick, x in enumerate(X):
        v, before = v + x + before, v + x + before
        np.testing.assert_allclose(found[tick], v, rtol=1e-12)


def test_a_delay_node_in_a_cycle_is_all_the_delay_there_is(tmp_path: Path):
    nodes, edges = chain(nir.I(full(1e4, 4)), nir.Delay(full(2 * DT, 4)), shape=(4,), out=(4,))
    found = trajectory(tc.load(written(tmp_path / "n.nir", nodes, [*edges, ("n1", "n0")])), X)
    v = np.zeros((len(X) + 2, 4))
    for tick, x in enumerate(X):
        v[tick + 2] = v[tick + 1] + x + v[tick]
    np.testing.assert_allclose(found, v[:-2], rtol=1e-12)


def test_only_what_goes_back_waits(tmp_path: Path):
    """input -> a -> b -> output with b -> a: a reads b's spikes of the tick before, b reads a's of its own tick."""
    nodes, edges = chain(lif(4), nir.Linear(3 * drawn(4, 4)), lif(4), shape=(4,), out=(4,))
    net = tc.load(written(tmp_path / "n.nir", nodes | {"back": nir.Linear(drawn(4, 4))}, [*edges, ("n2", "back"), ("back", "n0")]))  # fmt: skip
    (delay,) = net.graph.of(tc.ir.dialects.core.Delay)
    assert (delay.x.name, delay.ticks) == ("n2.s", 1)


def test_a_graph_in_a_graph_is_its_parts(tmp_path: Path):
    """The recurrent part inside, and its nodes in the open: one trajectory."""
    back, bias = drawn(4, 4), drawn(4) + 1
    part = {"unit": cuba(4), "back": nir.Affine(back, bias)}
    ring = [("unit", "back"), ("back", "unit")]
    ends = {"input": nir.Input({"input": np.array([4])}), "output": nir.Output({"output": np.array([4])})}
    inner = nir.NIRGraph(ends | part, [*ring, ("input", "unit"), ("unit", "output")], type_check=False)
    twice = nir.NIRGraph(ends | {"in": inner}, [("input", "in"), ("in", "output")], type_check=False)
    nested = written(tmp_path / "a.nir", ends | {"n": twice}, [("input", "n"), ("n", "output")])
    flat = written(tmp_path / "b.nir", ends | part, [*ring, ("input", "unit"), ("unit", "output")])
    found = trajectory(tc.load(nested), X)
    np.testing.assert_array_equal(found, trajectory(tc.load(flat), X))
    assert 10 < found.sum() < 120


def test_what_goes_through_a_graph_and_past_it_counts_twice(tmp_path: Path):
    ends = {"input": nir.Input({"input": np.array([4])}), "output": nir.Output({"output": np.array([4])})}
    inner = nir.NIRGraph(ends, [("input", "output")], type_check=False)
    path = written(tmp_path / "a.nir", ends | {"n": inner}, [("input", "n"), ("n", "output"), ("input", "output")])
    net = tc.load(path)
    np.testing.assert_array_equal(trajectory(net, X), 2 * X)
    net.save(tmp_path / "b.nir")
    assert tc.load(tmp_path / "b.nir").graph == net.graph


def test_edges_that_meet_add_up(tmp_path: Path):
    nodes, edges = chain(nir.Linear(W), shape=(4,), out=(3,))
    nodes |= {"other": nir.Input({"input": np.array([4])}), "m": nir.Linear(2 * W), "second": nir.Output({"output": np.array([3])})}  # fmt: skip
    net = tc.load(written(tmp_path / "n.nir", nodes, [*edges, ("input", "m"), ("other", "m"), ("m", "output"), ("m", "second")]))  # fmt: skip
    run = tc.compile(net, "sim").run({"input": X[:, None], "other": 3 * X[:, None]})
    np.testing.assert_allclose(run["output"][:, 0], X @ W.T + 4 * X @ (2 * W).T, rtol=1e-12)
    np.testing.assert_allclose(run["second"][:, 0], 4 * X @ (2 * W).T, rtol=1e-12)


def test_time_steps(tmp_path: Path):
    """Told, or noted by net.save, or 1e-4 s; and 1 where nothing in the file has a time."""
    timed = written(tmp_path / "a.nir", *chain(lif(4), shape=(4,), out=(4,)))
    untimed = written(tmp_path / "b.nir", *chain(nir.IF(full(1.0, 4), full(1.0, 4)), shape=(4,), out=(4,)))
    assert (tc.load(timed).graph.dt, tc.load(untimed).graph.dt) == (1e-4, 1.0)
    assert all("no time step" in str(tc.load(path).repairs) for path in (timed, untimed))
    net = tc.load(timed, dt=2e-3, reset="value")
    net.save(tmp_path / "c.nir")
    again = tc.load(tmp_path / "c.nir")
    assert (net.graph.dt, again.graph.dt, net.repairs, again.repairs) == (2e-3, 2e-3, (), ())


def test_methods(tmp_path: Path):
    path = written(tmp_path / "a.nir", *chain(lif(4), cuba(4), shape=(4,), out=(4,)))
    for asked, found in (None, ["euler", "semi_implicit"]), ("exact", ["exact"] * 2), ("semi_implicit", ["euler", "semi_implicit"]):  # fmt: skip
        net = tc.load(path, method=asked)
        assert [op.method for op in net.graph.ops if hasattr(op, "method")] == found  # pyright: ignore[reportAttributeAccessIssue]
        net.save(tmp_path / "b.nir")
        assert tc.load(tmp_path / "b.nir").graph.ops == net.graph.ops


def test_the_official_package_writes_deflated_by_default(tmp_path: Path):
    nodes, edges = everything()
    plain = written(tmp_path / "a.nir", nodes, edges, compression=None)
    deflated = written(tmp_path / "b.nir", nodes, edges)
    assert tc.load(plain).graph.ops == tc.load(deflated).graph.ops


BAD: dict[str, tuple[Any, str, str]] = {
    "tau": (lif(4, tau=np.array([1e-3, 0, 1, 1])), "T508", "tau must be > 0, the least is 0.0"),
    "not finite": (nir.Affine(np.array([[np.nan]]), full(0, 1)), "T508", "weight holds a number that is not finite"),
    "rank": (nir.Linear(drawn(2, 3, 4)), "T508", "its weight has shape [2, 3, 4], not 2 axes"),
    "shape": (nir.Linear(drawn(2, 5)), "T103", "node 'n0' does not fit"),
    "parameter": (nir.Scale(drawn(3)), "T508", "a parameter has shape [3], the input [4]"),
    "window": (nir.Conv1d(4, drawn(2, 1, 9), 1, 0, 1, 1, drawn(2)), "T508", "its windows do not fit an input of [1, 4]"),
    "stride": (nir.Conv1d(4, drawn(2, 1, 2), -1, 0, 1, 1, drawn(2)), "T508", "sizes, strides and dilations are at least 1"),
    "axes": (nir.Flatten({"input": np.array([4, 1, 1, 1, 1, 1, 1])}, 1, 5), "T508", "axes 1 to 5 of an input with 1"),
    "delay": (nir.Delay(full(1.5e-4, 4)), "T204", "delay = 0.00015"),
    "negative delay": (nir.Delay(full(-1e-4, 4)), "T508", "or less than 0"),
    "a long delay": (nir.Delay(full(1e4, 4)), "T504", "100000000 ticks of 4 elements"),
    "wide": (nir.Scale(full(1.0)), "T504", "the limit is 16777216 elements"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_node_that_makes_no_sense_is_named(tmp_path: Path, name: str):
    node, code, fact = BAD[name]
    path = written(
        tmp_path / "n.nir", *chain(node, shape=(2**30, 2**30) if name == "wide" else (4,), out=(4,)), compression=None
    )
    with pytest.raises(tc.ThermocError) as caught:
        tc.load(path)
    assert caught.value.code == code, str(caught.value)
    assert fact in str(caught.value)
    assert "'n0'" in str(caught.value) or name == "wide"


def test_options_and_suffixes(tmp_path: Path):
    path = written(tmp_path / "n.nir", *chain(lif(4), shape=(4,), out=(4,)))
    cases = {"T303": {"dt": -1.0}, "T111": {"step": 1.0}}
    for code, options in cases.items():
        with pytest.raises(tc.ThermocError) as caught:
            tc.load(path, **options)
        assert caught.value.code == code
    for name, code in (("n.thermo", "T111"), ("n.chip", "T506"), ("absent.nir", "T501")):
        with pytest.raises(tc.ThermocError) as caught:
            tc.load(tmp_path / name, **({} if code != "T111" else {"dt": 1.0}))
        assert caught.value.code == code
    with pytest.raises(tc.ThermocError) as caught:
        tc.load(path, method="rk4")
    assert caught.value.code == "T303"
