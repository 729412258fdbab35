"""Populations onto cores, cores onto chips: limits are kept, and what does not fit says why."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.sparse import csr_array

import thermoc as tc
from tests.loihi_lowering.lowering import changes, lowered
from thermoc import physics
from thermoc.ir.target import Limit
from thermoc.passes.loihi.limits import Limits, loihi2, read
from thermoc.passes.loihi.partition import partition
from thermoc.passes.loihi.place import exchanged, greedy, place, way
from thermoc.support.errors import ThermocError


def chain(units: int = 40, layers: int = 3) -> tc.Network:
    rng = np.random.default_rng(0)
    with tc.Network("chain") as net:
        x = tc.input("x", (units,), role="spike")
        for _ in range(layers):
            x = tc.if_(tc.affine(x, rng.normal(size=(units, units))))[0]
        tc.output("y", x)
    return net


def small(**changes: int) -> Limits:
    """Loihi 2's limits with some made smaller."""
    limits = loihi2()
    new = {name.replace("__", "."): value for name, value in changes.items()}
    entries = {
        name: Limit(value=new.get(name, limit.value), unit=limit.unit, source=limit.source)
        for name, limit in limits.entries.items()
    }
    return Limits(entries=entries, boards=limits.boards)


def test_every_limit_has_a_unit_a_source_and_how_sure_it_is():
    limits = loihi2()
    assert limits["core.units"].value == 8192
    assert limits.boards == {"oheo_gulch": 1, "kapoho_point": 8, "hala_point": 1152}
    assert all(limit.unit and limit.source for limit in limits.entries.values())
    with pytest.raises(ThermocError, match="T502"):
        read("[core]\nunits = { value = 3, unit = 'units', sure = 'S' }")


def test_a_population_with_too_many_units_is_cut_and_no_unit_lost():
    graph = lowered(chain()).graph
    limits = small(core__units=16)
    cores = partition(graph, limits)
    for core in cores.cores:
        for used, most in core.use.values():
            assert used <= most
    pieces = [piece for core in cores.cores for piece in core.pieces]
    for name in {piece.population for piece in pieces}:
        mine = np.concatenate([piece.members for piece in pieces if piece.population == name])
        assert sorted(mine) == list(range(40))
    assert "[13:26]" in str(cores) and "14 / 16" in str(cores)


def test_memory_counts_weights_of_eight_bits():
    (core,) = partition(lowered(chain(layers=1)).graph).cores
    assert core.use["memory"] == (40 * (40 * 8 + 2 * 24 + 13), 1572864)
    assert core.use["axons_in"] == (40, 4096)


def test_a_unit_that_no_core_holds_is_refused_with_the_limit():
    with pytest.raises(ThermocError) as caught:
        partition(lowered(chain(layers=1)).graph, small(core__memory=300))
    assert caught.value.code == "T207"
    assert "asks for 381 bits, a core has 300: 192 KB" in str(caught.value)


def test_more_cores_than_there_are_is_refused_with_the_boards():
    with pytest.raises(ThermocError, match=r"T304(.|\n)*kapoho_point has 8"):
        place(lowered(chain()).graph, 1, small(core__units=8, chip__cores=4))


@pytest.mark.parametrize("chips", [0, -1, 2.0, "8", True])
def test_a_number_of_chips_that_is_none_is_refused(chips):
    with pytest.raises(ThermocError, match="T303: chips must be an integer >= 1"):
        tc.compile(chain(), target="lava", chips=chips)


def test_a_lattice_of_65536_p_bits_takes_19_cores():
    """14 rows of 256 on each, which read two more: 4,096 axons. The law that is told of takes no matrix of all pairs."""
    with tc.Network("lattice") as net:
        tc.output("s", tc.gibbs(1.0, physics.square_lattice(256)))
    result = lowered(net)
    assert len(partition(result.graph).cores) == 19
    (told,) = [change.bound for change in changes(result) if change.what == "law of %gibbs"]
    assert told == "KL at most 0 nats, total variation at most 0"


def test_more_chips_take_what_one_cannot():
    found = place(lowered(chain()).graph, 8, small(core__units=8, chip__cores=4))
    assert len(set(found.places)) == len(found.places) == 15
    assert {chip for chip, _, _ in found.places} == {0, 1, 2, 3}
    assert found.places == place(lowered(chain()).graph, 8, small(core__units=8, chip__cores=4)).places


def test_the_places_of_a_few_cores_are_near_the_best():
    """Five cores on six places, every arrangement tried: within a fifth of the least."""
    slots = np.array([(0, i // 3, i % 3) for i in range(6)])
    for seed in range(10):
        talk = csr_array(np.triu(np.random.default_rng(seed).integers(0, 9, (5, 5)), 1).astype(float))
        best = min(way(np.array(seat), talk, slots) for seat in itertools.permutations(range(6), 5))
        assert way(exchanged(greedy(talk, slots), talk, slots), talk, slots) <= 1.2 * best


def test_no_exchange_of_two_cores_is_left_that_shortens_the_way():
    """Forty cores on two chips; the saving that a swap is chosen by is the one that it brings."""
    slots = np.array([(i // 20, i // 5 % 4, i % 5) for i in range(40)])
    rng = np.random.default_rng(3)
    talk = csr_array(np.where(rng.random((40, 40)) < 0.1, rng.integers(1, 9, (40, 40)), 0) * (1.0 - np.eye(40)))
    seat = np.arange(40)
    for _ in range(20):  # each call makes a few rounds
        seat = exchanged(seat, talk, slots)
    least = way(seat, talk, slots)
    assert least < 0.8 * way(np.arange(40), talk, slots)
    for a, b in itertools.combinations(range(40), 2):
        other = seat.copy()
        other[[a, b]] = other[[b, a]]
        assert way(other, talk, slots) >= least - 1e-9
