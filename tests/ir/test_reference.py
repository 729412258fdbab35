"""The meaning of ops against plain loops, closed forms, and a published trace."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc import physics
from thermoc.ir import dialects, reference
from thermoc.ir.feed import feed
from thermoc.ir.handle import Handle
from thermoc.ir.ops import REGISTRY
from thermoc.ir.reference import interpret
from thermoc.ir.reference.meaning import MEANINGS, Delayed
from thermoc.support.array_types import AnyArray, FloatArray

RNG = np.random.default_rng(0)


def run(
    build: Callable[[Handle], Any] | Callable[[], Any], inputs: dict[str, Any] | None = None, **options: Any
) -> AnyArray:
    with tc.Network("n", dt=options.pop("dt", 1.0)) as net:
        tc.output("y", build(*(tc.input(name, np.shape(a)[2:]) for name, a in (inputs or {}).items())))
    seed = options.pop("seed", 0)
    return interpret(net.graph, feed(net.graph, inputs or {}, **options), seed=seed).outputs["y"]


def outputs(run: Any) -> Mapping[str, AnyArray]:
    """Of a run, or of a trace of the reference."""
    return run.outputs


def test_one_obvious_place():
    """An op's meaning stands in the reference's file of the name of the op's own."""
    for name, cls in REGISTRY.items():
        file = cls.__module__.removeprefix("thermoc.ir.dialects.")  # "loihi.units" in a dialect of several files
        dialect = file.partition(".")[0]
        if dialect not in dialects.__all__ or name in ("core.input", "core.output", "core.probe"):
            continue
        meaning = MEANINGS.get(cls)
        assert meaning is not None, f"{name} has no meaning: write it in ir/reference/{file.replace('.', '/')}.py"
        function = meaning.advance if isinstance(meaning, Delayed) else meaning.step
        assert function.__module__ == f"thermoc.ir.reference.{file}", name
        home = getattr(tc, dialect) if dialect == "loihi" else tc
        noun = "dynamics" if dialect == "dynamics" else name.split(".")[1]  # one function writes both of equations
        assert callable(getattr(home, noun + "_" * (noun in ("if", "and", "or", "not"))))


def loop_conv(
    x: FloatArray,
    weight: FloatArray,
    bias: FloatArray,
    stride: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
    dilation: tuple[int, ...],
    groups: int,
) -> FloatArray:
    out, depth, *window = weight.shape
    places: list[int] = []
    padded = np.pad(x, ((0, 0), *padding))
    for axis, (size, step, spread) in enumerate(zip(window, stride, dilation)):
        places.append((padded.shape[axis + 1] - spread * (size - 1) - 1) // step + 1)
    y = np.zeros((out, *places))
    for o, *p in itertools.product(range(out), *map(range, places)):
        group = o // (out // groups)
        for c, *k in itertools.product(range(depth), *map(range, window)):
            at = tuple(s * i + d * j for s, i, d, j in zip(stride, p, dilation, k))
            y[(o, *p)] += weight[(o, c, *k)] * padded[(group * depth + c, *at)]
        y[(o, *p)] += bias[o]
    return y


@pytest.mark.parametrize(
    ("shape", "weight", "attrs"),
    [
        ((2, 7), (3, 2, 3), {"stride": (2,), "padding": ((1, 2),), "dilation": (2,), "groups": 1}),
        ((4, 6), (4, 2, 2), {"stride": (1,), "padding": ((0, 1),), "dilation": (1,), "groups": 2}),
        ((2, 6, 5), (4, 1, 2, 3), {"stride": (2, 1), "padding": ((1, 0), (0, 2)), "dilation": (1, 2), "groups": 2}),
    ],
)
def test_conv_is_its_formula(shape: tuple[int, ...], weight: tuple[int, ...], attrs: dict[str, Any]):
    x, w, b = RNG.normal(size=(1, 2, *shape)), RNG.normal(size=weight), RNG.normal(size=weight[0])
    y = run(lambda v: tc.conv(v, w, b, **attrs), {"x": x})
    for sample in range(2):
        np.testing.assert_allclose(y[0, sample], loop_conv(x[0, sample], w, b, **attrs), rtol=1e-12)


@pytest.mark.parametrize(("kind", "fold"), [("max", np.max), ("mean", np.mean), ("sum", np.sum)])
def test_pool_is_its_definition(kind: str, fold: Callable[[AnyArray], Any]):
    x = RNG.normal(size=(1, 1, 2, 5, 4))
    attrs = {"window": (3, 2), "stride": (2, 1), "padding": ((1, 1), (0, 1))}
    y = run(lambda v: tc.pool(v, kind=kind, **attrs), {"x": x})[0, 0]
    fill = -np.inf if kind == "max" else 0.0
    padded = np.pad(x[0, 0], ((0, 0), (1, 1), (0, 1)), constant_values=fill)
    for c, i, j in itertools.product(*map(range, y.shape)):
        assert y[c, i, j] == pytest.approx(fold(padded[c, 2 * i : 2 * i + 3, j : j + 2]), rel=1e-12)


def test_linear_maps_are_sums():
    x, w, b = RNG.normal(size=(1, 2, 3, 4)), RNG.normal(size=(5, 4)), RNG.normal(size=5)
    np.testing.assert_allclose(run(lambda v: tc.affine(v, w, b), {"x": x}), np.einsum("tbsn,mn->tbsm", x, w) + b)
    dense = np.zeros((3, 4))
    dense[0, 1], dense[0, 3], dense[2, 0] = 2.0, 3.0, 4.0
    sparse = run(
        lambda v: tc.sparse_affine(v, np.array([2.0, 3.0, 4.0]), np.array([1, 3, 0]), np.array([0, 2, 2, 3])),
        {"x": x[:, :, 0]},
    )
    np.testing.assert_allclose(sparse, x[:, :, 0] @ dense.T)
    repeated = run(
        lambda v: tc.sparse_affine(v, np.array([2.0, 3.0]), np.array([1, 1]), np.array([0, 2])), {"x": x[:, :, 0]}
    )
    np.testing.assert_allclose(repeated[..., 0], 5 * x[:, :, 0, 1])


def test_a_delay_hands_on_what_came_before():
    x = np.arange(5.0).reshape(5, 1, 1)
    np.testing.assert_array_equal(
        run(lambda v: tc.delay(v, ticks=2, initial=-1.0), {"x": x}).ravel(), [-1, -1, 0, 1, 2]
    )


def test_a_memory_reads_before_it_moves_and_keeps_its_law():
    """Variance within 4.5 standard errors of T over 4,000 independent units: false-alarm rate 7e-6, fixed seed."""
    m = run(lambda: tc.memory(tc.constant(np.zeros(4000)), T=0.3, gamma=2.0, initial=5.0), ticks=60, dt=0.1, seed=3)
    assert (m[0] == 5.0).all()
    assert abs(m[-1].var() - 0.3) < 4.5 * 0.3 * np.sqrt(2 / 4000)
    drift = run(lambda: tc.memory(tc.constant(1.0), T=1e-30, gamma=2.0), ticks=3, dt=0.1)
    np.testing.assert_allclose(drift.ravel(), 0.5 * (1 - np.exp(-0.2 * np.arange(3))), atol=1e-12)


def test_noise_has_the_variance_of_its_step():
    """2 gamma T dt within 4.5 standard errors of 40,000 draws: false-alarm rate 7e-6, fixed seed."""
    y = run(lambda: tc.noise(T=0.5, gamma=3.0, shape=(400,)), ticks=100, dt=0.01, seed=4)
    exact = 2 * 3.0 * 0.5 * 0.01
    assert abs(y.var() - exact) < 4.5 * exact * np.sqrt(2 / y.size)


@pytest.mark.parametrize("levels", ["binary", "spin"])
def test_a_p_bit_has_the_fermi_dirac_probability_of_its_drive(levels: str):
    """Each of 5 drives within 4.5 standard errors over 40,000 draws: false-alarm rate 5 x 7e-6, fixed seed."""
    drive, T, n = np.array([-2.0, -0.3, 0.0, 0.4, 3.0]), 0.7, 40_000
    s = run(lambda: tc.sample_binary(tc.constant(drive), T=T, levels=levels), ticks=n // 100, batch=100, seed=6)
    assert set(np.unique(s)) == ({0.0, 1.0} if levels == "binary" else {-1.0, 1.0})
    p = physics.fermi_dirac(-drive, T)
    assert (np.abs((s > 0).mean(axis=(0, 1)) - p) < 4.5 * np.sqrt(p * (1 - p) / n)).all()


def test_a_categorical_unit_has_the_boltzmann_probabilities():
    """Each of 4 energies within 4.5 standard errors over 40,000 draws: false-alarm rate 4 x 7e-6, fixed seed."""
    x, T, n = np.array([0.0, 0.5, 1.0, -0.5]), 0.6, 40_000
    s = run(lambda: tc.sample_categorical(tc.constant(x), T=T), ticks=n // 100, batch=100, seed=8)
    assert (s.sum(axis=-1) == 1).all()
    p = physics.boltzmann(x, T)
    assert (np.abs(s.mean(axis=(0, 1)) - p) < 4.5 * np.sqrt(p * (1 - p) / n)).all()


@pytest.mark.parametrize("reset", ["zero", "subtract", "value"])
@pytest.mark.parametrize("method", ["exact", "euler"])
@pytest.mark.parametrize("compare", ["greater", "greater_equal"])
def test_lif_is_its_loop(reset: str, method: str, compare: str):
    x, v, dt, tau = np.abs(RNG.normal(size=(50, 1, 1))), 0.1, 0.1, 0.4
    found = run(
        lambda u: tc.concat(
            tc.lif(u, tau, r=2.0, v_leak=0.1, v_threshold=0.9, v_reset=-0.2, initial=0.1,
                   reset=reset, method=method, compare=compare)
        ),
        {"x": x},
        dt=dt,
    )  # fmt: skip
    for tick, drive in enumerate(x.ravel()):
        target = 0.1 + 2.0 * drive
        v = v + dt / tau * (target - v) if method == "euler" else target + (v - target) * np.exp(-dt / tau)
        spike = v > 0.9 if compare == "greater" else v >= 0.9
        v = {"zero": 0.0, "subtract": v - 0.9, "value": -0.2}[reset] if spike else v
        np.testing.assert_allclose(found[tick, 0], [spike, v], rtol=1e-12, atol=1e-15)
    assert 3 < found[:, 0, 0].sum() < 47


def test_the_threshold_itself_fires_only_where_told():
    for compare, expected in (("greater", 0.0), ("greater_equal", 1.0)):
        assert run(lambda u, c=compare: tc.if_(u, compare=c)[0], {"x": np.ones((1, 1, 1))}).item() == expected


@pytest.mark.parametrize("target", ["reference", "sim", "onnx"])
def test_lif_with_euler_repeats_the_published_trace(shared: Path, target: str):
    """norse's trace of the NIR paper: input, membrane (after reset), spike; dt 0.1 ms, tau 2.5 ms, threshold 0.1."""
    x, v, spikes = np.loadtxt(shared / "nir/paper/01_lif/lif_norse.csv", delimiter=",").T
    with tc.Network("lif", dt=1e-4) as net:
        s, u = tc.lif(tc.input("x", (1,)), 2.5e-3, v_threshold=0.1, method="euler")
        tc.output("s", s)
        tc.output("v", u)
    inputs = {"x": x.reshape(-1, 1, 1)}
    if target == "reference":
        run_ = outputs(interpret(net.graph, feed(net.graph, inputs)))
    else:
        run_ = outputs(tc.compile(net, target).run(inputs))
    assert np.flatnonzero(run_["s"].ravel()).tolist() == np.flatnonzero(spikes).tolist() == [460, 510, 710, 760]
    assert np.abs(run_["v"].ravel() - v).max() < 2e-6  # the trace is in float32


def test_a_batch_split_draws_what_the_whole_would():
    with tc.Network("n") as net:
        tc.output("y", tc.normal(shape=(3,)) + tc.input("x", (3,)))
    x = np.zeros((6, 3))
    whole = interpret(net.graph, feed(net.graph, {"x": x}, ticks=4), seed=2).outputs["y"]
    parts = [
        interpret(net.graph, feed(net.graph, {"x": x[a:b]}, ticks=4), seed=2, first_sample=a).outputs["y"]
        for a, b in ((0, 2), (2, 6))
    ]
    assert np.array_equal(np.concatenate(parts, axis=1), whole)
    assert not np.array_equal(whole[:, 0], whole[:, 1])


def test_probes_record_values_inside():
    with tc.Network("n") as net:
        x = tc.input("x", (2,))
        tc.output("y", tc.exp(tc.sin(x, name="inside")))
    trace = interpret(net.graph, feed(net.graph, {"x": np.ones((1, 2))}), probes=["inside"])
    np.testing.assert_array_equal(trace.probes["inside"][0], [[np.sin(1.0)] * 2])
    assert reference.ReferenceTrace is type(trace)
