"""Integer noise: its logits and Gumbel numbers against logarithms, its units against the laws they sample.

Statistical checks run on fixed seeds and stop at 4 standard errors: one in 16,000 would be a false alarm.
"""

from __future__ import annotations

import numpy as np
import pytest
from loihi.plain import reference, run
from numpy.typing import NDArray

import thermoc as tc
from thermoc.ir.reference import loihi as meaning
from thermoc.support import philox

LOGIT_ERROR, GUMBEL_ERROR = 0.0115, 0.008
MANY = 40_000


def words() -> NDArray[np.int64]:
    """A million words evenly, and all that are near an end or a power of two from either end."""
    near = np.arange(-64, 65)
    ends = [np.arange(5000), 2**32 - 1 - np.arange(5000)]
    powers = [place + near for k in range(33) for place in (2**k, 2**32 - 2**k)]
    every = np.concatenate([np.arange(0, 2**32, 4099), *ends, *powers])
    return np.unique(np.clip(every, 0, 2**32 - 1))


def ln(word: NDArray[np.int64]) -> NDArray:
    """ln u, exact to rounding at either end."""
    rest = (2**32 - word - 0.5) / 2**32
    return np.where(rest < 0.5, np.log1p(-rest), np.log((word + 0.5) / 2**32))


def test_the_logit_is_within_its_bound():
    w = words()
    off = np.abs(meaning.logit(w) / 4096 - (ln(w) - ln(2**32 - 1 - w)))
    assert off.max() <= LOGIT_ERROR
    assert off.max() > LOGIT_ERROR / 2  # the words reach where it is worst


def test_the_logit_rises_and_is_odd():
    """So a unit's probability rises with its drive, and up and down are treated alike."""
    w = words()
    L = meaning.logit(w)
    assert (np.diff(L) >= 0).all()
    np.testing.assert_array_equal(L, -meaning.logit(2**32 - 1 - w))


def test_the_gumbel_number_is_within_its_bound():
    w = words()
    off = np.abs(meaning.gumbel(w) / 4096 - np.log(-ln(w)))
    assert off.max() <= GUMBEL_ERROR
    assert off.max() > GUMBEL_ERROR / 2


def test_the_normal_has_the_moments_of_a_normal():
    """Over evenly spread words: mean 0, variance 1 and kurtosis 3, within a thousandth or so."""
    first = (np.arange(0, 2**32, 2**20) + 2**19).astype(np.uint64)
    second = np.arange(1024, dtype=np.uint64) << np.uint64(22)
    z = meaning.normal(first[:, np.newaxis], second) / 4096
    assert abs(z.mean()) < 1e-3
    assert abs((z**2).mean() - 1) < 2e-3
    assert abs((z**4).mean() - 3) < 2e-2
    exact = 4096 * np.cos(2 * np.pi * (np.arange(1024) + 0.5) / 1024)
    assert np.abs(exact - np.floor(exact) - 0.5).min() > 1e-6  # no cosine is rounded by luck


# ------------------------------------------------------------------------------------ the same decisions as floats


@pytest.mark.parametrize("levels", ["binary", "spin"])
def test_a_p_bit_decides_as_its_float_twin(levels: str):
    """Where drive and threshold are farther apart than 0.0115 T and the step of an integer; nearly everywhere."""
    rng = np.random.default_rng(1)
    drive, T = rng.integers(-900, 900, (30, 50)), np.exp(rng.uniform(0, 7, 50))
    fixed = np.rint(256 * T).astype(int)
    (found,) = run(lambda a: tc.loihi.fermi_dirac(a, fixed, levels=levels, stream=3), drive, seed=9)
    with tc.Network("floats") as net:
        tc.output("s", tc.sample_binary(tc.input("x", (50,)), T=fixed / 256, levels=levels, stream=3))
    twin = reference(net, {"x": drive[:, np.newaxis].astype(float)}, seed=9).outputs["s"][:, 0]
    u = np.stack([uniforms(tick, 50, seed=9, stream=3) for tick in range(30)])
    apart = np.abs(drive - fixed / 256 * np.log(u / (1 - u))) > LOGIT_ERROR * fixed / 256 + 1
    assert apart.mean() > 0.95
    np.testing.assert_array_equal(found[apart], twin[apart])


def uniforms(tick: int, units: int, *, seed: int, stream: int, draw: int = 0) -> NDArray:
    block = philox.words(np.arange(units), tick=tick, draw=draw, stream=stream, seed=seed)
    return philox.uniform(block[0], block[1], np.dtype(np.float64))


@pytest.mark.parametrize("sweeps", [1, 3])
def test_coupled_p_bits_take_the_steps_of_gibbs(sweeps: int):
    """Two colours in turn, couplings by a synapse: a tick a colour, so tick 2 k + 1 shows what sweep k left.

    Each sample is followed up to its first decision within the stated bound: from there the two may part.
    """
    n, batch, seed, T = 12, 60, 4, 40.0
    rng = np.random.default_rng(0)
    J = 2 * rng.integers(-30, 30, (n, n))
    J = (J + J.T) // 2 // 2 * 2 * (np.add.outer(np.arange(n), np.arange(n)) % 2)
    bias = rng.integers(-20, 20, n)
    blocks = 12
    with tc.Network("integers") as net:
        hole = tc.placeholder((n,), dtype="i32", role="spike")
        a = tc.loihi.dense(hole, J)
        turns = {"turns": 2, "turn": np.arange(n) % 2, "sweeps": sweeps}
        s = tc.loihi.fermi_dirac(a, int(256 * T), bias, stream=5, **turns)
        tc.connect(hole, s)
        tc.output("s", s)
    found = tc.compile(net, "sim").run({}, ticks=2 * sweeps * blocks, batch=batch, seed=seed)["s"]
    with tc.Network("floats") as net:
        tc.output(
            "s",
            tc.gibbs(T, J.astype(float), bias.astype(float), colors=np.arange(n) % 2, initial=0.0, levels="binary",
                     sweeps=sweeps, stream=5),
        )  # fmt: skip
    twin = tc.compile(net, "sim").run({}, ticks=blocks + 1, batch=batch, seed=seed)["s"][1:]  # shown a tick later
    compared = 0
    for sample in range(batch):
        state = np.zeros(n, int)
        for block in range(blocks):
            near = False
            for sweep in range(sweeps):
                element = sample * n + np.arange(n)
                words = philox.words(element, tick=block, draw=sweep, stream=5, seed=seed)
                u = philox.uniform(words[0], words[1], np.dtype(np.float64))
                for colour in range(2):
                    whose = np.arange(n) % 2 == colour
                    drive, noise = J @ state + bias, T * np.log(u / (1 - u))
                    near = near or bool((np.abs(drive - noise) <= LOGIT_ERROR * T + 1)[whose].any())
                    state = np.where(whose, drive > noise, state).astype(int)
            if near:
                break
            np.testing.assert_array_equal(found[2 * sweeps * (block + 1) - 1, sample], twin[block, sample])
            np.testing.assert_array_equal(found[2 * sweeps * (block + 1) - 1, sample], state)
            compared += n * sweeps
    assert compared > 1000


# ------------------------------------------------------------------------------------------------- the laws themselves


@pytest.mark.parametrize(("drive", "T"), [(0, 100), (150, 100), (-300, 100), (3, 2), (-1, 1), (2000, 60_000)])
def test_a_p_bit_is_up_as_often_as_fermi_and_dirac_say(drive: int, T: int):
    """P(up) = 1 / (1 + exp(-drive / T)), to within the logit's error and the step of an integer: (0.0115 + 1 / T) p q."""
    (s,) = run(lambda a: tc.loihi.fermi_dirac(a, 256 * T), np.full((1, MANY), drive), seed=11)
    p = 1 / (1 + np.exp(-drive / T))
    assert abs(s.mean() - p) < 4 * np.sqrt(p * (1 - p) / MANY) + (LOGIT_ERROR + 1 / T) * p * (1 - p)


def test_the_colder_the_fewer_mistakes():
    """At the least temperature a unit follows the sign of its drive; 0 is not above noise of 0."""
    (s,) = run(lambda a: tc.loihi.fermi_dirac(a, 1), np.array([[5] * 50 + [-5] * 50]), seed=2)
    assert s[0].tolist() == [1] * 50 + [0] * 50


@pytest.mark.parametrize("spread", [0, 50, 400])
def test_one_of_many_is_chosen_as_boltzmann_says(spread: int):
    """p_i = exp(-a_i / T) / Z, to within twice the error of a Gumbel number, relative."""
    T, n, rows = 100, 6, MANY // 2
    a = np.random.default_rng(7).integers(-spread, spread, n, endpoint=True)
    (s,) = run(lambda x: tc.loihi.categorical(x, 256 * T), np.broadcast_to(a, (1, rows, n)), seed=13)
    assert (s.sum(axis=-1) == 1).all()
    p = np.exp(-a / T) / np.exp(-a / T).sum()
    off = np.abs(s[0].mean(axis=0) - p)
    assert (off < 4 * np.sqrt(p * (1 - p) / rows) + 2 * GUMBEL_ERROR * p).all()


def test_the_first_of_equals_is_chosen():
    """At the least temperature the noise of low energies is zero."""
    (s,) = run(lambda x: tc.loihi.categorical(x, 1), np.array([[9, 3, 7, 3]]), seed=0)
    assert s[0].tolist() in ([0, 1, 0, 0], [0, 0, 0, 1])
    energies = np.tile([2**20, -(2**20)], 2)
    (s,) = run(lambda x: tc.loihi.categorical(x, 1), energies[np.newaxis], seed=0)
    assert s[0].sum() == 1 and s[0, [0, 2]].sum() == 0


@pytest.mark.parametrize(("dm", "sigma"), [(512, 20_000), (4096, 20_000), (41, 2000)])
def test_memory_settles_to_its_variance(dm: int, sigma: int):
    """sigma^2 / (1 - lambda^2), lambda = 1 - dm / 4096; what truncation takes is less than 1 a tick."""
    lam, ticks = 1 - dm / 4096, 1200 if dm == 41 else 80
    with tc.Network("ou") as net:
        tc.output("m", tc.loihi.memory(tc.constant(np.zeros(500, np.int32)), sigma, dm=dm))
    batch = MANY // 500
    m = tc.compile(net, "sim").run({}, ticks=ticks, batch=batch, seed=17)["m"][-1].astype(float)
    expected = sigma**2 / (1 - lam**2)
    assert abs((m**2).mean() / expected - 1) < 4 * np.sqrt(2 / m.size) + 2 / (sigma * (1 - lam))
    assert abs(m.mean()) < 4 * np.sqrt(expected / m.size) + 1 / (1 - lam)


def test_memory_forgets_as_it_should():
    """Without noise: m(t) = lambda^t m(0), less than 1 a tick too low."""
    dm, start = 512, 2**22
    (m,) = run(lambda a: tc.loihi.memory(a, 0, dm=dm, initial=start), np.zeros((40, 1), int))
    exact = start * (1 - dm / 4096) ** np.arange(40)
    short = exact - m[:, 0]
    assert (short >= 0).all() and (short < 4096 / dm).all()


@pytest.mark.parametrize(("loss", "heat"), [(409, 0), (409, 5000), (41, -30), (4096, 1000)])
def test_heat_follows_its_closed_form(loss: int, heat: int):
    """T(t) = A + q / k + (T0 - A - q / k) (1 - k)^t with k = loss / 4096; each tick rounds by less than 1."""
    T0, A, gain = 2_000_000, 70_000, 2048
    (T,) = run(lambda x: tc.loihi.heat(x, A, T0, loss=loss, gain=gain), np.full((60, 1), heat))
    k, q = loss / 4096, heat * gain / 4096
    exact = A + q / k + (T0 - A - q / k) * (1 - k) ** np.arange(60)
    assert np.abs(T[:, 0] - exact).max() <= 1 / k


def test_heat_stays_within_its_bounds():
    (T,) = run(lambda x: tc.loihi.heat(x, floor=50, gain=2**16), np.array([[2**20]] * 20 + [[-(2**20)]] * 20))
    assert (T.max(), T.min()) == (2**24 - 1, 50)
