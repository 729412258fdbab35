"""Layers with inlays: second order in the substep, no ringing, books that close, steady states solved outright."""

import numpy as np
import pytest
from thermal.dies import COLD, COPPER, OXIDE, SILICON, WARM, dense, inlaid, packed, two_sheets

from thermoc.simulator.thermal import NOTHING, Die, DieLayer, Face, Material, Stack, block
from thermoc.support.errors import ThermocError

DIES = {"faces": inlaid(two_sheets(top=WARM, bottom=COLD)), "package": inlaid(packed(top=WARM))}


@pytest.mark.parametrize("name", DIES)
def test_steady_state(name):
    die, whole = Die(DIES[name], (7, 9)), dense(DIES[name], (7, 9))
    power = np.random.default_rng(1).random((7, 9))
    expected = np.linalg.solve(whole.K, whole.power(power, [0]))
    found = die.temperature(die.steady(power)).ravel() - die.stack.ambient
    np.testing.assert_allclose(found, expected[: found.size], rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", DIES)
def test_order_two_in_the_substep(name):
    """Halving the substep quarters the error, jump of power and all."""
    whole, power = dense(DIES[name], (7, 9)), np.random.default_rng(2).random((7, 9))
    exact = whole.step(np.zeros(len(whole.C)), whole.power(power, [0]), 2e-3)
    exact = whole.step(exact, whole.power(0 * power, [0]), 1e-3)
    errors = []
    for substeps in (8, 16, 32):
        die = Die(DIES[name], (7, 9), substeps=substeps)
        state, _ = die.step(die.start(), power, 2e-3)
        state, _ = die.step(state, 0 * power, 1e-3)
        rise = die.temperature(state).ravel() - die.stack.ambient
        errors.append(np.abs(rise - exact[: rise.size]).max())
    assert 3.5 < errors[0] / errors[1] < 4.5 and 3.5 < errors[1] / errors[2] < 4.5
    assert errors[2] < 2e-3 * np.abs(exact).max()


def test_an_inlay_of_the_same_material_changes_nothing():
    for stack in (two_sheets(bottom=COLD), packed()):
        same = inlaid(stack, (block("same", 1e-3, 1e-3, 2e-3, 2e-3), SILICON))
        power = np.random.default_rng(3).random((5, 6))
        plain, other = Die(stack, (5, 6)), Die(same, (5, 6), substeps=256)
        np.testing.assert_allclose(
            plain.temperature(plain.steady(power)), other.temperature(other.steady(power)), rtol=1e-12
        )
        ours, _ = plain.step(plain.start(), power, 1e-3)
        theirs, _ = other.step(other.start(), power, 1e-3)
        np.testing.assert_allclose(plain.temperature(ours), other.temperature(theirs), atol=1e-5)
        assert plain.rim(ours).keys() == other.rim(theirs).keys()


def test_a_jump_of_power_does_not_ring():
    """One step far beyond the cells' own times, from rest: no cell may overshoot its steady rise or fall below rest."""
    die = Die(DIES["faces"], (7, 9), substeps=2)
    power = np.zeros((7, 9))
    power[3, 4] = 1.0
    rest, end = die.temperature(die.steady(0 * power)), die.temperature(die.steady(power))
    state = die.steady(0 * power)
    for _ in range(3):
        state, _ = die.step(state, power, 0.05)
        T = die.temperature(state)
        room = 0.05 * (end - rest).max()
        assert (T - rest).min() > -room and (T - end).max() < room


@pytest.mark.parametrize("name", DIES)
def test_books_close(name):
    die, rng, books = Die(DIES[name], (6, 6), substeps=3), np.random.default_rng(4), NOTHING
    state = die.start(303.0)
    before = die.energy(state)
    for _ in range(30):
        state, ledger = die.step(state, rng.random((6, 6)), 1e-4)
        books += ledger
    assert abs(books.gap) < 1e-10 * books.work
    assert die.energy(state) - before == pytest.approx(books.work - books.heat, abs=1e-10 * books.work)
    assert books.heat_bottom != 0 and (name == "faces" or books.heat_top < 0)  # the warm face heats the packed die


def test_a_closed_die_with_inlays_keeps_every_joule():
    die, books = Die(inlaid(two_sheets()), (6, 6)), NOTHING
    state = die.start(300.0)
    before = die.energy(state)
    for _ in range(20):
        state, ledger = die.step(state, np.full((6, 6), 0.1), 1e-4)
        books += ledger
    assert books.heat == 0 and die.energy(state) - before == pytest.approx(books.work, rel=1e-10)


def test_cells_mix_materials_by_area():
    """Half of the middle cell is of copper, so its conductivity and capacity lie half way."""
    from thermoc.simulator.thermal.grid import grid

    half = (block("half", 1e-3, 0.0, 0.5e-3, 1e-3), COPPER)
    layer = DieLayer(name="sheet", thickness=1e-4, material=SILICON, source=True, inlays=(half,))
    g = grid(Stack(width=3e-3, height=1e-3, layers=(layer,), top=COLD), (1, 3))
    np.testing.assert_allclose(g.capacity[0, 0] / 1e-10, [1.63e6, (1.63e6 + 3.55e6) / 2, 1.63e6])
    k = (130 + 400) / 2
    np.testing.assert_allclose(g.across[0, 0], 1e-4 * 2 * 130 * k / (130 + k), rtol=1e-14)


def test_strong_contrast_still_settles():
    gap = Material(name="air", conductivity=0.026, heat_capacity=1.2e3)
    rng = np.random.default_rng(5)
    holes = tuple(
        (block(f"h{i}", x * 1e-3, y * 1e-3, 0.6e-3, 0.6e-3), gap)
        for i, (x, y) in enumerate([(1, 1), (3, 2), (6, 4), (0, 3)])
    )
    stack = inlaid(two_sheets(bottom=Face(coefficient=1e4, temperature=300.0)), *holes)
    die, whole, power = Die(stack, (12, 16)), dense(stack, (12, 16)), rng.random((12, 16))
    expected = np.linalg.solve(whole.K, whole.power(power, [0]))
    np.testing.assert_allclose(die.temperature(die.steady(power)).ravel() - 300, expected, rtol=1e-8)


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("T404", lambda: Die(DIES["faces"], (4, 4), substeps=0)),
        ("T413", lambda: Die(inlaid(two_sheets()), (4, 4)).steady(np.zeros((4, 4)))),
        ("T514", lambda: Die(inlaid(two_sheets(top=COLD), (block("far", 7e-3, 0.0, 3e-3, 1e-3), OXIDE)), (4, 4))),
    ],
)
def test_bad_calls_are_coded(code, call):
    with pytest.raises(ThermocError) as caught:
        call()
    assert caught.value.code == code
