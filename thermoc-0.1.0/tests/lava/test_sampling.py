"""A Boltzmann machine in Lava's fixed-point models settles to exp(-E / T) of the integers it was given."""

import numpy as np
import pytest

import thermoc as tc
from tests.loihi_lowering.lowering import emulated, reference
from tests.loihi_lowering.test_acceptance import boltzmann_machine, law
from thermoc.api import Executable
from thermoc.ir.dialects import loihi

UNITS, LEVELS = 10, "binary"
REPLICAS, TICKS, BURN_IN = 4000, 40, 10


@pytest.fixture(scope="module")
def machine() -> Executable:
    return tc.compile(boltzmann_machine(UNITS, LEVELS), target="lava")


def states(s: np.ndarray) -> np.ndarray:
    """Return the number of each state, its first unit the highest digit."""
    return (s > 0).astype(int) @ (1 << np.arange(UNITS - 1, -1, -1))


def swept(q: np.ndarray, sweeps: int) -> np.ndarray:
    """Return the exact law of heat-bath sweeps from all units up: each draws a unit anew, the others given (P6)."""
    q = q.reshape((2,) * UNITS)
    p = np.zeros_like(q)
    p.flat[-1] = 1
    for unit in list(range(UNITS)) * sweeps:
        p = p.sum(unit, keepdims=True) * q / q.sum(unit, keepdims=True)
    return p.ravel()


def test_samples_follow_the_exact_law_of_the_integers(machine: Executable):
    """Total variation of all ticks of all replicas after the burn-in, within its mean and 4 standard errors.

    Its mean is at most sum sqrt(var) / 2 over the states (Jensen), var measured from replica to replica, so ticks of
    one replica may be alike; its standard error is at most 1 / (2 sqrt(replicas)) (McDiarmid). False alarm: exp(-8).
    """
    q = law(machine.graph, LEVELS)
    assert np.abs(swept(q, BURN_IN) - q).sum() / 2 < 1e-6
    found = states(machine.run(ticks=TICKS, batch=REPLICAS, seed=5)["s"][BURN_IN:])
    place = found + (1 << UNITS) * np.arange(REPLICAS)
    share = np.bincount(place.ravel(), minlength=REPLICAS << UNITS).reshape(REPLICAS, -1) / len(found)
    mean, se = np.sqrt(share.var(axis=0) / REPLICAS).sum() / 2, 1 / (2 * np.sqrt(REPLICAS))
    assert np.abs(share.mean(axis=0) - q).sum() / 2 < mean + 4 * se
    warmer = q**0.8 / (q**0.8).sum()
    assert np.abs(warmer - q).sum() / 2 > mean + 8 * se, "a temperature a quarter higher would be seen"


def test_one_tick_of_the_network_is_one_of_the_chip_for_each_colour(machine: Executable):
    (unit,) = machine.graph.of(loihi.FermiDirac)
    assert (unit.turns, unit.sweeps) == (UNITS, 1)


@pytest.mark.parametrize("levels", ["binary", "spin"])
def test_lava_draws_what_the_reference_and_the_emulator_draw(levels: str):
    machine = tc.compile(boltzmann_machine(UNITS, levels, sweeps=2), target="lava")
    found = machine.run(seed=11, ticks=15, batch=32)["s"]
    for run in (reference, emulated):
        np.testing.assert_array_equal(found, run(machine.graph, {}, seed=11, ticks=15, batch=32)["s"])
    assert 0.1 < np.mean(found > 0) < 0.9
