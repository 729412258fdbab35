"""Uniform layers: reference fields to a hundred-millionth of a kelvin, closed forms, books that close (P17 to P20, P45)."""

from dataclasses import replace
from decimal import Decimal, localcontext

import numpy as np
import pytest
from thermal.dies import COLD, SILICON, TILES, WARM, dense, reference, tiles, two_sheets

from thermoc.simulator.thermal import NOTHING, Die, DieLayer, Face, Material, Stack, modal
from thermoc.support.errors import ThermocError


def table(shared, name, **rest):
    return np.loadtxt(shared / "device-reference" / name, delimiter=",", **rest)


def test_steady_field_of_the_reference_die(shared):
    expected = table(shared, "iv_thermal/3dice/fvm_steady64_source_layer.csv")
    die, bins = Die(reference(), (64, 64)), tiles().binned((64, 64))
    found = die.temperature(die.steady(bins.power(TILES.ravel())), "active")
    assert np.abs(found - expected).max() < 1e-8


def test_transient_block_means_of_the_reference_die(shared):
    expected = table(shared, "iv_thermal/3dice/exact_exponential_transient_block_means.csv", skiprows=1)
    die, bins = Die(reference(), (64, 64)), tiles().binned((64, 64))
    state, books = die.start(300.0), NOTHING
    for slot, row in enumerate(expected):
        watts = TILES.copy()
        watts[1, 1] *= slot < 10
        state, ledger = die.step(state, bins.power(watts.ravel()), 1e-3)
        books += ledger
        assert state.time == pytest.approx(row[0])
        assert np.abs(die.block_means(state, "active", bins) - row[1:]).max() < 1e-8
    assert abs(books.gap) < 1e-12 * books.work
    assert books.stored == pytest.approx(die.energy(state), rel=1e-12)
    assert books.heat_bottom == 0 and books.work == pytest.approx(0.02 * 4.48 - 0.01 * 1.0, rel=1e-12)


@pytest.mark.parametrize("cells", [(4, 5), (3, 1), (1, 1)])
@pytest.mark.parametrize("dt", [1e-6, 1e-3, 1.0])
def test_any_step_is_the_matrix_exponential(cells, dt):
    stack = two_sheets(top=COLD, bottom=WARM)
    die, whole = Die(stack, cells), dense(stack, cells)
    rng = np.random.default_rng(5)
    power, rise = rng.random(cells), 10 * rng.random((2, *cells))
    state, ledger = die.step(die.start(300 + rise), power, dt)
    expected = whole.step(rise.ravel(), whole.power(power, [0]), dt)
    assert np.abs(die.temperature(state).ravel() - 300 - expected).max() < 1e-10
    assert ledger.gap == pytest.approx(0, abs=1e-12 * (abs(ledger.heat_top) + abs(ledger.heat_bottom) + ledger.work))


def test_two_sources_and_a_single_layer_by_name():
    stack = two_sheets(bottom=COLD)
    both = stack.with_layers(*(replace(layer, source=True) for layer in stack.layers))
    die, whole = Die(both, (3, 4)), dense(both, (3, 4))
    power = np.random.default_rng(1).random((2, 3, 4))
    settled = np.linalg.solve(whole.K, whole.power(power, [0, 1]))
    state = die.steady(power)
    np.testing.assert_allclose(die.temperature(state).ravel() - 300, settled, rtol=1e-12)
    np.testing.assert_allclose(die.temperature(state, "paste"), die.temperature(state)[1], rtol=1e-14)


def test_steps_compose_whatever_their_lengths():
    die = Die(reference(), (8, 8))
    power = np.random.default_rng(2).random((8, 8))
    once, _ = die.step(die.start(), power, 1e-3)
    state = die.start()
    for dt in (1e-6, 3.7e-4, 1e-3 - 3.71e-4):
        state, _ = die.step(state, power, dt)
    np.testing.assert_allclose(die.temperature(state), die.temperature(once), rtol=1e-13)


def test_a_slab_between_cold_plates(shared):
    rows = table(shared, "v_analytic/heat1d_sine_dirichlet.csv", comments="#")
    alpha, length, n = 7.98525798525799e-05, 1e-3, len(rows)
    stuff = Material(name="stuff", conductivity=alpha * 1e6, heat_capacity=1e6)
    layers = tuple(DieLayer(name=f"{i}", thickness=length / n, material=stuff, source=not i) for i in range(n))
    ice = Face(coefficient=1e30, temperature=300.0)
    die = Die(Stack(width=1e-3, height=1e-3, layers=layers, top=ice, bottom=ice), (1, 1))
    discrete = 4 * alpha * (n / length) ** 2 * np.sin(np.pi / (2 * n)) ** 2
    continuous = alpha * (np.pi / length) ** 2
    state = die.start(300 + np.sin(np.pi * rows[:, 0] / length)[:, None, None])
    for column, t in ((1, 1e-4), (2, 5e-4), (3, 2e-3)):
        state, _ = die.step(state, np.zeros((1, 1)), t - state.time)
        found = die.temperature(state)[:, 0, 0] - 300
        assert np.abs(found - rows[:, column] * np.exp((continuous - discrete) * t)).max() < 1e-12
        assert np.abs(found - rows[:, column]).max() < continuous * t * (np.pi / n) ** 2 / 12


def test_a_plane_with_adiabatic_sides(shared):
    data = np.load(shared / "device-reference/v_analytic/heat2d_cos_neumann.npz")
    stuff = Material(name="stuff", conductivity=float(data["alpha"]) * 1e6, heat_capacity=1e6)
    sheet = (DieLayer(name="sheet", thickness=1e-5, material=stuff, source=True),)
    side, n = float(data["L"]), int(data["n"])
    die = Die(Stack(width=side, height=side, layers=sheet), (n, n))
    state = die.start(300 + data["u0"][None])
    for t, amplitude in zip(data["t"], data["amp_discrete"]):
        state, ledger = die.step(state, np.zeros((n, n)), t - state.time)
        assert np.abs(die.temperature(state)[0] - 300 - amplitude * data["u0"]).max() < 1e-12
        assert ledger.heat == 0


def grid16():
    """The 16 x 16 grid of resistors of the reference data, as one sheet cooled from above."""
    sheet = DieLayer(
        name="sheet", thickness=1.0, material=Material(name="m", conductivity=0.01, heat_capacity=1.75e-6), source=True
    )
    air = Face(coefficient=1 / 2000, temperature=300.0)
    return Die(Stack(width=16.0, height=16.0, layers=(sheet,), top=air, nodes="top"), (16, 16))


def test_rc16_steady(shared):
    power = np.zeros((16, 16))
    power[5, 9], power[12, 3] = 50e-3, 15e-3
    die = grid16()
    expected = table(shared, "i_rc_grid/rc16_steady_mean_input.csv")
    assert np.abs(die.temperature(die.steady(power), 0) - 300 - expected).max() < 1e-9


def test_rc16_transient_in_the_limit_of_short_steps(shared):
    """The ripple is held over each step at its mean; the error is even in dt, so two lengths give the limit."""
    fields = np.load(shared / "device-reference/i_rc_grid/rc16_exact_fields.npz")

    def run(steps):
        die, power, dt = grid16(), np.zeros((16, 16)), 1e-3 / steps
        state, w = die.start(), 2 * np.pi * 500
        power[5, 9] = 50e-3
        for k in range(steps):
            power[12, 3] = 15e-3 * (1 + (np.cos(w * k * dt) - np.cos(w * (k + 1) * dt)) / (w * dt))
            state, _ = die.step(state, power, dt)
        return die.temperature(state, 0) - 300

    coarse, fine = run(500), run(1000)
    assert np.abs(fine + (fine - coarse) / 3 - fields["T"][1]).max() < 1e-9


@pytest.mark.slow
def test_a_closed_die_keeps_every_joule():
    stack = replace(reference(), top=None)
    die, rng, books = Die(stack, (4, 4)), np.random.default_rng(3), NOTHING
    state = die.start(300.0)
    before = die.energy(state)
    for _ in range(20_000):
        state, ledger = die.step(state, rng.random((4, 4)), 1e-6)
        books += ledger
    assert books.heat == 0
    assert die.energy(state) - before == pytest.approx(books.work, rel=1e-10)
    assert abs(books.gap) < 1e-10 * books.work


def test_a_nearly_closed_die_loses_what_its_faces_say():
    """Rates from 0.04 to 2e6 per second in one stack: the slowest must be right to its own last digits."""
    faces = {"top": Face(coefficient=10.0, temperature=300.0), "bottom": Face(coefficient=3.0, temperature=310.0)}
    die, books = Die(replace(reference(), **faces), (4, 4)), NOTHING
    state = die.start(300.0)
    for k in range(2000):
        state, ledger = die.step(state, np.full((4, 4), 0.1 * (k % 3)), 1e-4)
        books += ledger
    assert books.heat_top > 0 > books.heat_bottom
    assert abs(books.gap) < 1e-12 * books.work
    assert die.energy(state) == pytest.approx(books.work - books.heat, rel=1e-10)


@pytest.mark.parametrize("dt", [1e-9, 1e-6, 1e-3, 1.0])
def test_kick_and_drift_to_every_digit(dt):
    """The two integrals of the exponential for any product of rate and step, against 60 decimal digits."""
    rates = np.concatenate([[0.0], np.logspace(-9, 9, 300)])
    with localcontext() as context:
        context.prec = 60
        h, kicks, drifts = Decimal(dt), [], []
        for rate in map(Decimal, rates.tolist()):
            e = (-rate * h).exp()
            kicks.append(float((1 - e) / rate if rate else h))
            drifts.append(float((rate * h - 1 + e) / rate**2 if rate else h * h / 2))
    np.testing.assert_allclose(modal.kick(rates, dt), kicks, rtol=4e-16)
    np.testing.assert_allclose(modal.drift(rates, dt), drifts, rtol=4e-14)


def test_a_uniform_die_warms_as_one_resistor_and_capacitor():
    layer = DieLayer(name="sheet", thickness=1e-4, material=SILICON, source=True)
    die = Die(Stack(width=1e-2, height=1e-2, layers=(layer,), top=COLD), (6, 6))
    R, C = 1 / (1e5 * 1e-4) + 0.5e-4 / (130 * 1e-4), 1.63e6 * 1e-8
    state, _ = die.step(die.start(), np.full((6, 6), 5.0 / 36), 1e-3)
    np.testing.assert_allclose(die.temperature(state) - 300, 5 * R * -np.expm1(-1e-3 / (R * C)), rtol=1e-12)


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("T402", lambda die: die.step(die.start(), np.zeros((3, 4)), 1e-3)),
        ("T403", lambda die: die.step(die.start(), np.full((4, 4), np.nan), 1e-3)),
        ("T403", lambda die: die.step(die.start(), np.zeros((4, 4)), 0.0)),
        ("T402", lambda die: die.start(np.full((4, 4), 300.0))),
        ("T405", lambda die: die.start(-1.0)),
        ("T405", lambda die: die.temperature(die.start(), "roof")),
        ("T405", lambda die: Die(die.stack, (0, 4))),
        ("T413", lambda die: Die(replace(die.stack, top=None), (4, 4)).steady(np.zeros((4, 4)))),
    ],
)
def test_bad_calls_are_coded(code, call):
    with pytest.raises(ThermocError) as caught:
        call(Die(reference(), (4, 4)))
    assert caught.value.code == code


def test_power_that_is_changed_in_place_is_seen():
    """The same array, filled anew: what was kept of the last power must not be taken for it."""
    die, power = Die(reference(), (4, 4)), np.ones((4, 4))
    state, _ = die.step(die.start(), power, 1e-3)
    once, _ = die.step(state, power.copy(), 1e-3)
    power[:] = 0
    none, ledger = die.step(state, power, 1e-3)
    assert ledger.work == 0 and die.energy(none) < die.energy(once)
    fresh, _ = Die(reference(), (4, 4)).step(state, np.zeros((4, 4)), 1e-3)
    np.testing.assert_array_equal(die.temperature(none), die.temperature(fresh))
