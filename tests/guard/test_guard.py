"""How fast a chip may sample: the distance of one draw, and the search on a chip that is hot."""

import numpy as np
import pytest

import thermoc as tc
from thermoc.guard.draw_distance import draw_distance
from thermoc.simulator.chips.variants import path_of, text_of, with_numbers
from thermoc.support.errors import ThermocError


def bits() -> tc.Network:
    rng = np.random.default_rng(0)
    with tc.Network("bits") as net:
        drive = tc.affine(tc.input("x", (16,)), rng.normal(size=(64, 16)))
        tc.output("s", tc.sample_binary(drive, 1.0))
    return net


def hot(**numbers: float) -> str:
    """Return thermo-1 whose p-bits warm the die: biased beyond what it holds at its full speed."""
    return path_of(with_numbers(text_of("thermo-1"), {"leakage.tile_power": 40.0, **numbers}))


INPUTS = {"x": np.ones((2, 16))}


def op_of(net: tc.Network, opname: str):
    return next(op for op in net.graph.ops if op.opname == opname)


@pytest.mark.parametrize("off", [-0.2, 0.03, 0.5])
def test_a_binary_draw_is_as_far_as_the_worst_drive(off: float):
    z = np.linspace(0, 50, 200_001)
    p = 1 / (1 + np.exp(-z))
    warm = 1 / (1 + np.exp(-z / (1 + off)))
    assert draw_distance(op_of(bits(), "thermo.sample_binary"), off) == pytest.approx(np.abs(p - warm).max(), rel=1e-5)


def test_more_categories_are_further_and_normals_are_known():
    distances = []
    for n in (2, 10):
        with tc.Network("rows") as net:
            tc.output("s", tc.sample_categorical(tc.input("x", (3, n)), 1.0))
        distances.append(draw_distance(op_of(net, "thermo.sample_categorical"), 0.05))
    assert distances[0] == pytest.approx(0.2239 * 0.05, rel=0.05) and distances[1] > 1.5 * distances[0]
    with tc.Network("particle") as net:
        tc.output("x", tc.brownian(0.0, 1.0, stiffness=1.0))
    x = np.linspace(-8, 8, 400_001)
    density = lambda variance: np.exp(-(x**2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)  # noqa: E731
    exact = np.abs(density(1.0) - density(1.3)).sum() * (x[1] - x[0]) / 2
    assert draw_distance(op_of(net, "thermo.brownian"), 0.3) == pytest.approx(exact, rel=1e-6)
    assert draw_distance(op_of(net, "thermo.brownian"), 0.0) == 0.0


def test_a_cool_chip_goes_at_its_full_speed():
    band = tc.guard_band(bits(), epsilon=0.01, inputs=INPUTS, ticks=2)
    assert band.as_is is not None and band.as_is.period == 0.0 and "own speed" in band.limit
    assert band.retuned is not None and band.retuned.rate >= band.as_is.rate


def test_a_hot_one_rests_or_is_retuned():
    chip = hot(**{"leakage.gated": 0.02})
    alone = tc.compile(bits(), "chip", chip=chip, temperature="die").run(INPUTS, ticks=2).chip
    worst = alone.sampling[0].worst
    # between what it gives at full speed and at rest, so that it has to rest
    with_rest = tc.compile(bits(), "chip", chip=chip, temperature="die", period=64e-6).run(INPUTS, ticks=2).chip
    assert with_rest.mean_watts < alone.mean_watts and with_rest.sampling[0].worst < worst
    epsilon = 0.2239 * (worst + max(with_rest.sampling[0].worst, 0)) / 2
    band = tc.guard_band(bits(), chip, epsilon=epsilon, inputs=INPUTS, ticks=2)
    assert band.as_is is not None and band.retuned is not None
    assert band.as_is.period > 0 and band.as_is.distance <= epsilon
    # a little faster it is too warm, and retuned it need not rest
    beyond = [p for p in band.points if p.reference == 305 and p.placement == "wire" and p.rate > band.as_is.rate]
    assert min(p.rate for p in beyond) < 1.05 * band.as_is.rate and all(p.distance > epsilon for p in beyond)
    assert band.retuned.period == 0 and band.retuned.reference > 305 and band.retuned.distance <= epsilon
    assert "sweeps/s" in str(band)


@pytest.mark.parametrize(
    ("code", "options"),
    [("T404", {"epsilon": 0.0}), ("T404", {"ticks": 0}), ("T303", {"options": {"placement": "wire"}})],
)
def test_bad_options(code: str, options: dict):
    with pytest.raises(ThermocError, match=code):
        tc.guard_band(bits(), inputs=INPUTS, **options)


def test_networks_that_draw_at_no_temperature_are_refused():
    with tc.Network("plain") as net:
        tc.output("y", tc.affine(tc.input("x", (4,)), np.ones((3, 4))))
    with pytest.raises(ThermocError, match="draws at no temperature"):
        tc.guard_band(net, inputs={"x": np.ones((1, 4))})


def test_ticks_apart():
    """The period is what a tick takes; between ticks the chip takes less power."""
    with pytest.raises(ThermocError, match="T303"):
        tc.compile(bits(), "chip", period=-1.0)
    runs = [tc.compile(bits(), "chip", period=period).run(INPUTS, ticks=11) for period in (0.0, 1e-4)]
    assert np.array_equal(runs[0]["s"], runs[1]["s"])
    tick = runs[0].chip.seconds / 11
    assert runs[1].chip.seconds == pytest.approx(10e-4 + tick, rel=0.05)
    assert runs[1].chip.mean_watts < runs[0].chip.mean_watts
