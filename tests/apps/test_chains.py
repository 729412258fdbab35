"""Chains keep Boltzmann's law, their fields and energies; clusters keep the sum; rungs of a ladder keep their law.

Chi-square tests have fixed seeds; each would fail a right sampler once in 10^6.
"""

from dataclasses import replace

import numpy as np
import pytest
from apps.small_models import small_model, torus
from scipy.stats import chi2

from thermoc.apps.optimisation import chains as lay
from thermoc.apps.optimisation import tempering
from thermoc.apps.optimisation.budget import Budget
from thermoc.apps.optimisation.population import parents
from thermoc.apps.optimisation.work import Work
from thermoc.ir.colouring import colouring
from thermoc.physics.ising import all_states, enumerate_ising
from thermoc.simulator.kernels.annealing.chain import SpinChains
from thermoc.simulator.kernels.annealing.clusters import exchange_cluster, keep_better
from thermoc.simulator.kernels.annealing.colours import least_free_colours

ALARM = 1e-6


def work_of(model, seed=0):
    return Work(model=model, seed=seed, replicas=None, sweeps=None, threads=1, budget=Budget())


def numbers(spins):
    """Number states as ``all_states`` does."""
    return (spins > 0) @ (1 << np.arange(spins.shape[1])[::-1])


def far_from(states, probabilities):
    """Return how unlikely counts of states are; states expected fewer than five times are counted as one."""
    expected = probabilities * len(states)
    counts = np.bincount(states, minlength=len(expected))
    rare = expected < 5
    observed = np.append(counts[~rare], counts[rare].sum())
    wanted = np.append(expected[~rare], expected[rare].sum())
    observed, wanted = observed[wanted > 0], wanted[wanted > 0]
    return chi2.sf(((observed - wanted) ** 2 / wanted).sum(), len(observed) - 1)


def sweep(work, chains, T, sweeps, seed):
    replace(work, seed=seed).sweep(chains, np.arange(len(chains.words)), np.full(1, T), np.full(1, sweeps))


@pytest.mark.parametrize("density", [0.04, 0.5, 1.0])
def test_places_are_those_of_the_colouring(density):
    """Compiled and in Python; each colour begins a block of its own."""
    model = small_model(300, 2, density=density)
    couplings = np.asarray(model.J.indptr), np.asarray(model.J.indices)
    colors = colouring(*couplings)
    assert np.array_equal(colouring(*couplings, least_free_colours), colors)
    place, expected, begin = lay.lay_out(model).place, np.zeros(300), 0
    if 64 * (colors.max() + 1) > lay.DENSE:
        colors = np.zeros(300)
    for color in range(int(colors.max()) + 1):
        units = np.flatnonzero(colors == color)
        expected[units] = begin + np.arange(len(units))
        begin += -(-len(units) // 64) * 64
    assert np.array_equal(place, expected)


@pytest.mark.parametrize("kind, T", [("whole", 1.0), ("whole", 2.7), ("real", 1.0), ("dense", 5.0)])
def test_boltzmann_law_of_a_chain(kind, T, monkeypatch):
    if kind == "dense":
        monkeypatch.setattr(lay, "DENSE", 0)
    model = small_model(6, 4, whole=kind == "whole", density=1.0 if kind == "dense" else 0.5)
    work = work_of(model)
    assert work.layout.whole_numbers == (kind == "whole")
    assert work.layout.couplings.apart == (kind != "dense")
    chains = lay.start(work.layout, lay.random_spins(6, 6000, 1))
    sweep(work, chains, T, 60, 17)
    law = enumerate_ising(model.J.toarray(), T, model.h).probabilities
    assert far_from(numbers(lay.spins_of(work.layout, chains.words)), law) > ALARM


@pytest.mark.parametrize("whole, density", [(True, 0.03), (False, 0.03), (False, 1.0)])
def test_fields_and_energies_are_those_of_the_spins(whole, density):
    model = small_model(300, 8, whole=whole, density=density)
    work = work_of(model)
    assert work.layout.places < 1000
    chains = lay.start(work.layout, lay.random_spins(300, 3, 1))
    sweep(work, chains, 1.5, 40, 3)
    spins = lay.spins_of(work.layout, chains.words)
    fields = (model.J @ spins.T.astype(float)).T + model.h
    assert np.allclose(chains.fields[:, work.layout.place] / work.layout.scale, fields, atol=1e-9)
    assert np.allclose(chains.energies[:, 0] / work.layout.scale + model.offset, model.energy(spins))
    best = lay.spins_of(work.layout, chains.best)
    assert np.allclose(work.layout.energies(chains), model.energy(best))
    # places that stand for no spin stay as they were
    assert not (chains.words & ~work.layout.couplings.real).any()


def test_scales_make_whole_numbers():
    model = small_model(10, 1)
    for factor in (0.25, 1 / 3, 7.0):
        scaled = type(model)(J=model.J * factor, h=model.h * factor)
        layout = lay.lay_out(scaled)
        assert layout.whole_numbers
        assert np.allclose(np.rint(model.h * factor * layout.scale), model.h * factor * layout.scale)
    wide = type(model)(J=model.J * 100, h=model.h + 1)
    assert not lay.lay_out(wide).whole_numbers


@pytest.mark.parametrize("fields", [True, False])
def test_a_cluster_move_keeps_the_sum_of_energies(fields):
    model = small_model(200, 5, fields=fields, density=0.012)
    work = work_of(model)
    chains = lay.start(work.layout, lay.random_spins(200, 2, 1))
    sweep(work, chains, 2.0, 20, 4)
    moved = 0
    for start in range(0, work.layout.places, 7):
        before = chains.energies[:, 0].copy()
        moved += exchange_cluster(work.layout.couplings, chains, 0, 1, start, not fields) > 0
        assert chains.energies[:, 0].sum() == before.sum()
        spins = lay.spins_of(work.layout, chains.words)
        assert np.allclose(chains.energies[:, 0] / work.layout.scale + model.offset, model.energy(spins))
    assert moved > 10


@pytest.mark.parametrize("symmetric", [True, False])
def test_the_better_of_each_cluster_is_kept(symmetric):
    model = torus(16, 16, 3)
    work = work_of(model)
    chains = lay.start(work.layout, lay.random_spins(256, 2, 1))
    sweep(work, chains, 0.8, 30, 4)
    lowest = chains.energies[:, 1].min()
    # the state before is the other's, turned over: as good, and as far as can be
    chains.best[1] ^= work.layout.couplings.real
    differ, clusters, _ = keep_better(work.layout.couplings, chains, 0, 1, symmetric)
    assert (differ <= 128) or not symmetric
    assert clusters > 1 and chains.energies[0, 0] <= lowest
    spins = lay.spins_of(work.layout, chains.best)
    assert chains.energies[0, 1] == model.energy(spins)[0]


def test_boltzmann_law_of_each_rung():
    model = small_model(6, 11, density=0.4)
    work, T = work_of(model, seed=3), np.array([4.0, 2.5, 1.6, 1.1])
    chains, ladder = tempering.begin(work, len(T))
    ladder.T[:] = T
    states = np.empty((1500, 2, len(T)), np.int64)
    for number in range(-10, len(states)):
        tempering.one_round(work, chains, ladder, number + 10)
        if number >= 0:
            states[number] = numbers(lay.spins_of(work.layout, chains.words))[ladder.rows]
    assert ladder.rates.min() > 0.2
    for rung in range(len(T)):
        law = enumerate_ising(model.J.toarray(), T[rung], model.h).probabilities
        assert far_from(states[:, :, rung].reshape(-1), law) > ALARM


def drawn(model, T, count, rng):
    """Return numbers of states that follow Boltzmann's law exactly, and the law."""
    law = enumerate_ising(model.J.toarray(), T, model.h).probabilities
    return rng.choice(len(law), count, p=law), law


def test_exchanges_alone_keep_the_law_of_each_rung():
    """States drawn exactly for each rung of 8,000 ladders still follow its law once they were exchanged."""
    model, T, rng = small_model(6, 11, density=0.4), np.array([3.0, 1.5]), np.random.default_rng(5)
    draws = [drawn(model, temperature, 8000, rng) for temperature in T]
    states = np.stack([numbers_of_states for numbers_of_states, _ in draws], axis=1).reshape(-1)
    energies = model.energy(all_states(6))[states]
    chains = SpinChains(None, None, None, np.stack([energies, energies], axis=1))
    count = np.zeros(1)
    ladder = tempering.Ladder(T=T, rows=np.arange(16_000).reshape(8000, 2), tried=count, done=count.copy())
    for _ in range(3):
        tempering._exchange(chains, ladder, 1.0, 0, rng)
    assert 0.1 < ladder.rates[0] < 0.9
    for rung, (_, law) in enumerate(draws):
        assert far_from(states[ladder.rows[:, rung]], law) > ALARM


@pytest.mark.parametrize("fields", [True, False])
def test_cluster_moves_alone_keep_the_law(fields):
    """Pairs of states drawn exactly at one temperature still follow its law once clusters were exchanged."""
    model, rng = small_model(6, 11, fields=fields, density=0.4), np.random.default_rng(6)
    states, law = drawn(model, 2.0, 8000, rng)
    work = work_of(model)
    chains = lay.start(work.layout, all_states(6)[states].astype(np.int8))
    for row in range(0, 8000, 2):
        place = int(rng.integers(work.layout.places))
        exchange_cluster(work.layout.couplings, chains, row, row + 1, place, not fields)
    moved = numbers(lay.spins_of(work.layout, chains.words))
    assert (moved != states).mean() > 0.3
    assert far_from(moved[::2], law) > ALARM and far_from(moved[1::2], law) > ALARM


def test_a_ladder_grows_even():
    work = work_of(torus(12, 12, 1), seed=2)
    chains, ladder = tempering.begin(work, 8)
    spreads = []
    for number in range(200):
        tempering.one_round(work, chains, ladder, number)
        if number % 40 == 39:
            spreads.append(ladder.rates.max() - ladder.rates.min())
            tempering.adapt(ladder)
    assert spreads[-1] < spreads[0] / 2
    assert (np.diff(ladder.T) < 0).all()


def test_copies_of_a_population_follow_the_weights():
    energies = np.array([0.0, 1.0, 2.0, 5.0])
    expected = np.exp(-0.5 * energies) / np.exp(-0.5 * energies).sum() * 4
    draws = [np.bincount(parents(energies, 0.5, np.random.default_rng(k)), minlength=4) for k in range(400)]
    assert (np.abs(np.array(draws) - expected) < 1).all()
    # the standard error of a count that is a whole number below or above is at most 1 / 2
    assert np.abs(np.mean(draws, axis=0) - expected).max() < 5 * 0.5 / np.sqrt(400)
