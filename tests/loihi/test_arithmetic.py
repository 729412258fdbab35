"""The reference against the same arithmetic written in Python's integers, at the edges of 24 and 32 bits above all."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from loihi.plain import lif, reference, run, sigma_delta

import thermoc as tc
from thermoc.ir.reference.loihi import integers as meaning

EDGE = 2**23
LIMIT = EDGE - 1


@pytest.mark.parametrize("seed", range(40))
def test_lif_is_what_plain_integers_say(seed: int):
    """Random decays, thresholds and inputs, of all sizes up to those that overflow."""
    rng = np.random.default_rng(seed)
    du, dv = (int(rng.choice([0, 1, 409, 4094, 4095, int(rng.integers(4096))])) for _ in range(2))
    vth, exponent = int(rng.choice([0, 1, 100, 2**17 - 1])), int(rng.integers(8))
    mantissa, u, v = int(rng.integers(-4096, 4096)), *map(int, rng.integers(-LIMIT, LIMIT, 2))
    top = int(rng.choice([2, 2**10, 2**17, 2**20, 2**31 - 1]))
    x = rng.integers(-top, top, (40, 3))
    compare, reset = rng.choice(["greater", "greater_equal"]), rng.choice(["zero", "subtract"])
    found = run(
        lambda a: tc.loihi.lif(
            a, mantissa, v, u, du=du, dv=dv, vth=vth, bias_exp=exponent, compare=str(compare), reset=str(reset)
        ),
        x,
    )
    how = {"at_least": compare == "greater_equal", "subtract": reset == "subtract"}
    for unit in range(3):
        given = x[:, unit].tolist()
        expected = lif(given, du=du, dv=dv, vth=vth, bias=mantissa * 2**exponent, u=u, v=v, **how)
        np.testing.assert_array_equal(np.stack([array[:, unit] for array in found], axis=1), expected)


@pytest.mark.parametrize(
    ("a", "u"),
    [
        (2**17 - 1, EDGE - 64),
        (2**17, EDGE),  # 2^23 itself stays
        (2**17 + 1, -EDGE + 64),  # beyond it one comes back from below
        (-(2**17) + 1, -EDGE + 64),
        (-(2**17), EDGE),  # -2^23 does not stay
        (-(2**17) - 1, EDGE - 64),
        (2**18, 0),
        (3 * 2**17, EDGE),
        (2**31 - 1, -64),
        (-(2**31), 0),
    ],
)
def test_currents_wrap_at_24_bits(a: int, u: int):
    """From above -2^23 up to 2^23, as often as it takes."""
    found = run(lambda x: tc.loihi.lif(x, dv=4096, vth=2**17 - 1), [[a]])
    assert found[2].tolist() == [[u]]


@pytest.mark.parametrize(
    ("v", "a", "mantissa", "after"),
    [
        (LIMIT - 64, 1, 0, LIMIT),
        (LIMIT - 64, 1, 1, LIMIT),
        (LIMIT, 2**17, 4095, LIMIT),
        (-LIMIT, -1, 0, -LIMIT),
        (-LIMIT, 2**17 + 1, -4096, -LIMIT),
        (-LIMIT, 2, 0, -LIMIT + 128),
    ],
)
def test_membranes_are_clipped(v: int, a: int, mantissa: int, after: int):
    """To +-(2^23 - 1), where currents wrap: the threshold of 17 bits is never passed by 2^23 - 64 or less."""
    found = run(lambda x: tc.loihi.lif(x, mantissa, v, dv=0, vth=2**17 - 1, bias_exp=7, reset="subtract"), [[a]])
    top = 64 * (2**17 - 1)
    assert found[1].tolist() == [[after - top if after > top else after]]


@pytest.mark.parametrize(("compare", "fires"), [("greater", 0), ("greater_equal", 1)])
def test_a_membrane_at_the_threshold(compare: str, fires: int):
    assert run(lambda x: tc.loihi.lif(x, vth=5, compare=compare), [[5]])[0].tolist() == [[fires]]
    assert run(lambda x: tc.loihi.lif(x, 1, vth=5, compare=compare), [[5]])[0].tolist() == [[1]]


def test_decays_drop_what_is_left_over_towards_zero():
    for x in (-4097, -4096, -4095, -1, 0, 1, 4095, 4096, 4097, EDGE, -LIMIT):
        for keep in (0, 1, 2048, 4095, 4096):
            assert meaning.decayed(np.array([x]), keep)[0] == math.trunc(Fraction(x * keep, 4096))


@pytest.mark.parametrize("seed", range(20))
def test_sigma_delta_is_what_plain_integers_say(seed: int):
    rng = np.random.default_rng(seed)
    attrs = {"vth": int(rng.integers(0, 50)), "spike_exp": int(rng.integers(8)), "state_exp": int(rng.integers(8))}
    cum_error, relu, bias = bool(rng.integers(2)), bool(rng.integers(2)), int(rng.integers(-40, 40))
    x = rng.integers(-2000, 2000, (30, 2))
    act = "relu" if relu else "unit"
    (found,) = run(lambda a: tc.loihi.sigma_delta(a, bias, activation=act, cum_error=cum_error, **attrs), x)
    for unit in range(2):
        expected = sigma_delta(x[:, unit].tolist(), bias=bias, relu=relu, cum_error=cum_error, **attrs)
        assert found[:, unit].tolist() == expected


def test_what_a_chain_of_differences_sends_adds_up_to_what_it_was_given():
    """Delta, a synapse of weight 1 (of one sign), sigma: the values themselves, two ticks later at vth = 0."""
    x = np.random.default_rng(0).integers(-5000, 5000, (20, 4))
    one = {"sign_mode": "excitatory", "message_bits": 24}
    (found,) = run(lambda a: tc.loihi.sigma(tc.loihi.dense(tc.loihi.delta(a), np.eye(4, dtype=int), **one)), x)
    np.testing.assert_array_equal(found[1:], x[:-1])


@pytest.mark.parametrize("exponent", [-8, -1, 0, 3, 7])
@pytest.mark.parametrize("bits", [0, 24])
def test_synapses_are_plain_sums_a_tick_late(exponent: int, bits: int):
    """Dense, the same sparse, and the same with delays; sums are shifted whole, towards minus infinity."""
    rng = np.random.default_rng(exponent + 8)
    W, delays = 2 * rng.integers(-128, 127, (3, 4)), rng.integers(0, 4, (3, 4))
    x = rng.integers(-(2**23), 2**23, (9, 4)) * (rng.random((9, 4)) < 0.7)
    attrs = {"weight_exp": exponent, "message_bits": bits}
    sent = [[sum(int(w) * m for w, m in zip(row, messages)) for row in W] for messages in _messages(x, bits)]
    (found,) = run(lambda a: tc.loihi.dense(a, W, **attrs), x)
    assert found.tolist() == [[0] * 3, *([narrow(lifted(y, exponent)) for y in row] for row in sent[:-1])]

    flat = [np.arange(4)] * 3
    (alike,) = run(lambda a: tc.loihi.sparse(a, W.ravel(), np.concatenate(flat), np.arange(0, 13, 4), **attrs), x)
    np.testing.assert_array_equal(alike, found)

    (late,) = run(lambda a: tc.loihi.dense(a, W, delays, longest=3, **attrs), x)
    messages = _messages(x, bits)
    for tick in range(9):
        for row in range(3):
            total = 0
            for delay in range(4):
                before = messages[tick - 1 - delay] if tick - 1 - delay >= 0 else [0] * 4
                total += lifted(sum(int(W[row, j]) * before[j] for j in range(4) if delays[row, j] == delay), exponent)
            assert late[tick, row] == narrow(total)


def _messages(x: np.ndarray, bits: int) -> list[list[int]]:
    return x.tolist() if bits else (x != 0).astype(int).tolist()


def lifted(x: int, exponent: int) -> int:
    return x * 2**exponent if exponent >= 0 else x // 2**-exponent


def narrow(x: int) -> int:
    return (x + 2**31) % 2**32 - 2**31


def test_a_convolution_wraps_at_24_bits():
    """Into [-2^23, 2^23): where a current keeps 2^23, a convolution gives -2^23."""
    weight = np.full((1, 1, 1, 1), 128)
    for x, y in ((2**16 - 1, EDGE - 128), (2**16, -EDGE), (-(2**16), -EDGE), (-(2**16) - 1, EDGE - 128)):
        (found,) = run(lambda a: tc.loihi.conv(a, weight, message_bits=24), np.full((2, 1, 1, 1), x))
        assert found.ravel().tolist() == [0, y]


def test_a_convolution_is_that_of_floats_where_nothing_overflows():
    rng = np.random.default_rng(3)
    weight, x = 2 * rng.integers(-128, 127, (6, 2, 3, 2)), rng.integers(-100, 100, (2, 4, 8, 7))
    how = {"stride": (2, 1), "padding": ((1, 0), (2, 1)), "dilation": (1, 2), "groups": 2}
    (found,) = run(lambda a: tc.loihi.conv(a, weight, message_bits=8, **how), x)
    with tc.Network("floats") as net:
        tc.output("y", tc.conv(tc.input("x", (4, 8, 7)), weight.astype(float), **how))
    expected = reference(net, {"x": x[:, np.newaxis].astype(float)}).outputs["y"][0, 0]
    np.testing.assert_array_equal(found[1], expected)


@pytest.mark.parametrize(("rule", "expected"), [("relu", [0, 0, 0, 6, LIMIT]), ("abs", [-LIMIT, -6, 0, 6, LIMIT])])
def test_graded_units_pass_what_is_above_the_threshold(rule: str, expected: list[int]):
    (found,) = run(lambda a: tc.loihi.graded(a, vth=5, rule=rule), [[-(2**30), -6, 5, 6, 2**30]])
    assert found[0].tolist() == expected


def test_a_table_is_read_at_its_nearest_end():
    (found,) = run(lambda a: tc.loihi.lut(a, [10, 20, 30], 4, shift=3), [[-(2**31), -13, -12, -5, -4, 3, 4, 2**31 - 1]])
    assert found[0].tolist() == [10, 10, 10, 10, 20, 20, 30, 30]


def test_a_lag_shifts_a_unit_in_time():
    """What it does from tick 3 on is what it would have done from tick 0: noise included."""
    x = np.random.default_rng(5).integers(-300, 300, (12, 6))
    late = np.concatenate([np.zeros((3, 6), int), x])
    units = (
        lambda a, lag: tc.loihi.lif(a, 30, du=300, dv=40, vth=50, lag=lag),
        lambda a, lag: tc.loihi.fermi_dirac(a, 30000, initial=1, turns=2, sweeps=2, lag=lag),
        lambda a, lag: tc.loihi.categorical(a, 30000, lag=lag),
        lambda a, lag: tc.loihi.memory(a, 500, dm=99, lag=lag),
        lambda a, lag: tc.loihi.relaxation(a, 500, 2**20, 2, lag=lag),
        lambda a, lag: tc.loihi.boltzmann(a, 30000, lag=lag),
        lambda a, lag: tc.loihi.heat(a, loss=99, lag=lag),
    )
    for unit in units:
        now, later = run(lambda a: unit(a, 0), x), run(lambda a: unit(a, 3), late)  # noqa: B023
        for early, shifted in zip(now, later):
            np.testing.assert_array_equal(shifted[3:], early)


@pytest.mark.parametrize("seed", range(20))
def test_a_relaxation_is_what_plain_integers_say(seed: int):
    """Without noise; its clips, rests and shifts of all sizes."""
    rng = np.random.default_rng(seed)
    loss, shift = int(rng.choice([0, 1, 2**23, 2**24])), int(rng.choice([0, 1, 20, 63]))
    m, rest, lift = int(rng.integers(-LIMIT, LIMIT)), int(rng.integers(2**24)), int(rng.choice([0, 24, 31]))
    floor, every = int(rng.choice([-LIMIT, -100])), int(rng.integers(1, 3))
    m = max(m, floor)
    a = rng.integers(-(2**31), 2**31, (20, 1)) >> int(rng.integers(32))
    form = {"lift": lift, "floor": floor, "every": every}
    (found,) = run(lambda x: tc.loihi.relaxation(x, 0, loss, shift, m, rest, **form), a)
    x, expected = (m << 24) + rest, []
    for tick, given in enumerate(a.ravel().tolist()):
        expected.append([x >> 24])
        if (tick + 1) % every == 0:
            x = min(max(x - (x * loss >> 24 + shift) + (given << lift), floor << 24), LIMIT << 24)
    assert found.tolist() == expected


def test_a_slow_relaxation_loses_no_bit():
    """x(t) = (1 - l)^t x(0) for l = 1e-6 within a step, where a state of 24 bits alone would not move in a tick."""
    shift = 19
    (m,) = run(
        lambda a: tc.loihi.relaxation(a, 0, round(1e-6 * 2 ** (24 + shift)), shift, 2**18), np.zeros((500, 1), int)
    )
    exact = 2**18 * (1 - 1e-6) ** np.arange(500)
    assert ((exact - m[:, 0] > -1e-3) & (exact - m[:, 0] < 1 + 1e-3)).all() and m[-1, 0] < 2**18 - 100


@pytest.mark.parametrize("T", [1, 40, 5000, 2**24 - 1])
def test_probabilities_are_within_what_their_docstring_says(T: int):
    rng, n = np.random.default_rng(T), 9
    a = rng.integers(-(2**20), 2**20, (50, n)) * T // 2**22
    a[0], a[1] = -(2**31), [2**31 - 1] + [-(2**31)] * (n - 1)  # the farthest there is
    (p,) = run(lambda x: tc.loihi.boltzmann(x, T, fraction=22), a)
    weights = np.exp(-256.0 * (a - a.min(axis=1, keepdims=True)) / T)
    off = np.abs(p / 2**22 - weights / weights.sum(axis=1, keepdims=True)).max()
    assert off <= math.log(2) / 16384 + n * 2.0**-23 + 2.0**-23


def test_a_unit_that_waits_is_silent_and_keeps_its_state():
    s, v, u = run(lambda a: tc.loihi.lif(a, 4095, 7, -9, vth=0, bias_exp=7, lag=2), np.full((3, 1), 1000))
    assert (s.ravel().tolist(), v.ravel().tolist()[:2], u.ravel().tolist()[:2]) == ([0, 0, 1], [7, 7], [-9, -9])
    (s,) = run(lambda a: tc.loihi.fermi_dirac(a, 1, initial=-1, levels="spin", lag=2), np.full((3, 1), 1000))
    assert s.ravel().tolist() == [-1, -1, 1]  # a p-bit says its level
