"""The bounds are what rounding does, and no more: jitter, gaps, means."""

from __future__ import annotations

import numpy as np
import pytest

import thermoc as tc
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret
from thermoc.ir.reference.jitter import ROUNDINGS, Jitter
from thermoc.ir.types import DType, Role, Type
from thermoc.verification.differences import Gap, distance
from thermoc.verification.divergence import means
from thermoc.verification.tolerances import judge

EPS = float(np.finfo(float).eps)


def moved(net: tc.Network, **inputs: np.ndarray) -> dict[str, np.ndarray]:
    """How far jitter moves each output at most, over eight runs."""
    given = feed(net.graph, inputs)
    plain = interpret(net.graph, given).outputs
    runs = [interpret(net.graph, given, jitter=Jitter(number)).outputs for number in range(8)]
    return {name: np.max([distance(run[name], a) for run in runs], axis=0) for name, a in plain.items()}


def test_jitter_finds_cancellation_and_leaves_what_is_exact():
    with tc.Network("n") as net:
        x = tc.input("x", (3,))
        tc.output("plain", tc.exp(x))
        tc.output("cancelled", (x + 1e8) - 1e8)
        tc.output("whole", tc.floor(x) * 3.0 + 1.0)
        tc.output("sum", tc.affine(x, np.array([[1e6, -1e6, 1.0]])))
    far = moved(net, x=np.array([[1.25, 1.2, 0.3]]))
    size = np.exp([1.25, 1.2, 0.3])
    assert (far["plain"] <= ROUNDINGS * EPS * size * 1.01).all() and (far["plain"] > 4 * EPS * size).all()
    assert (far["cancelled"] > 4 * EPS * 1e8).all()
    assert not far["whole"].any()
    assert far["sum"].max() > 4 * EPS * 1e6


def test_jitter_flips_units_within_rounding_of_their_threshold_alone():
    with tc.Network("n") as net:
        x = tc.input("x", (3,))
        tc.output("s", tc.cast(tc.sin(x) > np.sin(0.5), dtype="f64", role="spike"))
    assert moved(net, x=np.array([[0.5, 0.5 + 1e-12, 2.0]]))["s"].ravel().tolist() == [1.0, 0.0, 0.0]


def test_a_state_gathers_roundings_as_time_goes_on():
    with tc.Network("n") as net:
        hole = tc.placeholder(())
        y = 1.05 * tc.delay(hole, 1.0)
        tc.connect(hole, y)
        tc.output("y", y)
    given = feed(net.graph, {}, ticks=100)
    plain, run = (interpret(net.graph, given, jitter=j).outputs["y"].ravel() for j in (None, Jitter(0)))
    assert np.abs(run / plain - 1)[0] <= ROUNDINGS * EPS * 1.01 < 2 * np.abs(run / plain - 1)[50:].max()


def gap(found: np.ndarray, expected: np.ndarray, *, role: Role = Role.signal, **more: object) -> Gap:
    kind = Type((expected.shape[2],), DType.f64, role)
    return Gap(name="v", kind=kind, actual=found, expected=expected, eps=EPS, **{"jittered": (), **more})  # type: ignore[arg-type]


def test_no_numbers_and_infinities_are_equal_to_their_like_alone():
    a = np.array([np.nan, np.inf, -np.inf, 1.0, np.nan, np.inf])
    b = np.array([np.nan, np.inf, np.inf, 1.0, 0.0, 1e300])
    assert distance(a, b).tolist() == [0, 0, np.inf, 0, np.inf, np.inf]


def test_after_a_unit_within_rounding_has_differed_later_ticks_are_not_held_to_it_but_earlier_are():
    expected = np.zeros((6, 2, 1))
    jittered = expected.copy()
    jittered[2, 0] = 1
    found = jittered.copy()
    found[3:, 0] = 1
    assert judge([gap(found, expected, role=Role.spike, jittered=[jittered])]).ok
    found[1, 0] = 1
    early = judge([gap(found, expected, role=Role.spike, jittered=[jittered])])
    place = early.first()
    assert not early.ok and place is not None and place[1:] == (1, 0, 0)
    other = jittered.copy()
    other[4, 1] = 1  # a sample that never came near its threshold
    assert not judge([gap(other, expected, role=Role.spike, jittered=[jittered])]).ok


def walk(seed: int, ticks: int, batch: int, bias: float = 0.0) -> np.ndarray:
    """An autoregressive series (ticks, batch, 3) of correlation time 5, standard deviation 1."""
    rng = np.random.default_rng(seed)
    a = np.exp(-1 / 5)
    z = rng.normal(size=(ticks, batch, 3)) * np.sqrt(1 - a * a)
    z[0] /= np.sqrt(1 - a * a)
    for t in range(1, ticks):
        z[t] += a * z[t - 1]
    return z + bias


def test_means_of_one_law_agree_and_a_bias_is_found():
    """False alarms are 1e-4 a comparison: one in 40 has a chance of 0.4%; a bias of 0.3 is 10 standard errors off."""
    everywhere = np.ones(8, bool)
    for seed in range(40):
        pair = walk(2 * seed, 500, 8), walk(2 * seed + 1, 500, 8)
        assert all(one.hold for one in means([gap(*pair)], everywhere).values()), seed
    assert not means([gap(walk(0, 500, 8), walk(1, 500, 8, bias=0.3))], everywhere)["v"].hold
    assert not means([gap(walk(0, 500, 8), walk(1, 500, 8))], np.zeros(8, bool))


def test_too_few_samples_to_tell_are_not_asked():
    assert not means([gap(walk(0, 7, 8), walk(1, 7, 8))], np.ones(8, bool))
    constant = np.broadcast_to(np.array([1.0, 2.0, 0.0, 1.0])[:, None], (100, 4, 3))
    assert not means([gap(constant, np.zeros((100, 4, 3)))], np.ones(4, bool))


@pytest.mark.parametrize("off", [0.005, 0.05])
def test_what_a_pass_declares_is_granted_and_no_more(off: float):
    """Noise of 1 a tick over 4,000 ticks and samples leaves 0.016 of the mean; the offset adds 0.01."""
    noise = np.random.default_rng(0).normal(size=(1000, 4, 1))
    declared = gap(noise - noise.mean() + off, np.zeros_like(noise), offset=0.01, noise=1.0)
    assert judge([declared]).ok
    far = gap(noise - noise.mean() + 5 * off + 0.1, np.zeros_like(noise), offset=0.01, noise=1.0)
    assert not judge([far]).ok
