"""Programming conductances: exact without limits, and each limit as its law says."""

import numpy as np
import pytest

from thermoc.simulator.devices import programming
from thermoc.simulator.devices.programming import CellLimits
from thermoc.support.errors import ThermocError

G = np.random.default_rng(1).uniform(1e-6, 1e-4, (120, 100))
IDEAL = {"G_min": 1e-6, "G_max": 1e-4}


def test_without_limits_the_product_is_the_ideal_one_bit_for_bit():
    limits = CellLimits(**IDEAL)
    v = np.random.default_rng(2).normal(size=100)
    held = programming.read(programming.drifted(programming.program(G, limits, seed=3), 1e9, limits), limits, tick=5)
    assert (held == G).all() and (held @ v == G @ v).all()


def test_levels_are_even_and_nearest():
    found = programming.program(G, CellLimits(**IDEAL, levels=4))
    levels = np.linspace(1e-6, 1e-4, 4)
    nearest = levels[np.abs(G[..., np.newaxis] - levels).argmin(axis=-1)]
    np.testing.assert_allclose(found, nearest, rtol=1e-14)
    assert len(np.unique(found)) == 4


def test_spreads_have_their_size_and_are_independent():
    n = G.size
    write = programming.program(G, CellLimits(**IDEAL, write=0.05), seed=4) / G - 1
    again = programming.program(G, CellLimits(**IDEAL, write=0.05), seed=4, tick=1) / G - 1
    kind = np.log(programming.program(G, CellLimits(**IDEAL, variation=0.3), seed=4) / G)
    read = programming.read(G, CellLimits(**IDEAL, read=0.02), tick=1, seed=4) / G - 1
    for found, size, mean in ((write, 0.05, 0.0), (again, 0.05, 0.0), (kind, 0.3, -0.045), (read, 0.02, 0.0)):
        assert abs(found.mean() - mean) < 4 * size / np.sqrt(n)
        assert abs(found.std() / size - 1) < 4 / np.sqrt(2 * n)
    for one, other in ((write, again), (write, kind), (write, read)):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 4 / np.sqrt(n)
    both = programming.program(G, CellLimits(**IDEAL, variation=0.3, write=0.05), seed=4)
    np.testing.assert_allclose(both, G * np.exp(kind) * (1 + write), rtol=1e-12)


def test_drift_is_a_power_of_time():
    limits = CellLimits(**IDEAL, drift=0.05, drift_start=10.0)
    np.testing.assert_allclose(programming.drifted(G, 1e5, limits), G * 1e4**-0.05, rtol=1e-14)
    assert (programming.drifted(G, 10.0, limits) == G).all()
    spread = CellLimits(**IDEAL, drift=0.05, drift_spread=0.01)
    nu = -np.log(programming.drifted(G, np.e, spread, seed=2) / G)
    assert abs(nu.mean() - 0.05) < 4 * 0.01 / np.sqrt(G.size) and abs(nu.std() / 0.01 - 1) < 4 / np.sqrt(2 * G.size)


def test_stuck_cells_are_at_the_ends_whatever_is_written():
    limits = CellLimits(**IDEAL, stuck_low=0.1, stuck_high=0.05)
    one, other = (programming.program(array, limits, seed=8) for array in (G, np.full_like(G, 5e-5)))
    low, high = one == 1e-6, one == 1e-4
    assert ((other == 1e-6) == low).all() and ((other == 1e-4) == high).all()
    for share, wanted in ((low.mean(), 0.1), (high.mean(), 0.05)):
        assert abs(share - wanted) < 4 * np.sqrt(wanted * (1 - wanted) / G.size)
    assert (one[~low & ~high] == G[~low & ~high]).all()


@pytest.mark.parametrize(
    ("call", "code", "says"),
    [
        (lambda: CellLimits(G_min=1e-4, G_max=1e-6), "T405", "empty"),
        (lambda: CellLimits(**IDEAL, levels=1), "T405", "at least 2"),
        (lambda: CellLimits(**IDEAL, write=-0.1), "T405", "0 or more"),
        (lambda: CellLimits(**IDEAL, stuck_low=0.7, stuck_high=0.4), "T405", "stuck"),
        (lambda: programming.program([2e-4], CellLimits(**IDEAL, levels=4)), "T405", "1 of 1 cells"),
        (lambda: programming.program([-1.0], CellLimits(**IDEAL)), "T403", "negative"),
        (lambda: programming.program([[0.0, np.nan]], CellLimits(**IDEAL)), "T403", "[0, 1]"),
        (lambda: programming.drifted(G, -1.0, CellLimits(**IDEAL)), "T405", "-1.0 s"),
    ],
)
def test_bad_limits(call, code, says):
    with pytest.raises(ThermocError) as caught:
        call()
    assert caught.value.code == code and says in str(caught.value)
