"""A heat sink of one temperature with a capacity of its own: networks written by hand, the matrix exponential, books."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from thermal.dies import COLD, OXIDE, REFERENCE, SILICON, WARM, dense, package, two_sheets

from thermoc.simulator.thermal import NOTHING, Die, DieLayer, Face, HeatSink, Stack, block, read_stack
from thermoc.support.errors import ThermocError

SINK = HeatSink(capacity=0.05, resistance=2.0, temperature=305.0, joint=3e4)
HEAVY = HeatSink(capacity=90.0, resistance=1.0, temperature=300.0)


def inlaid(stack):
    first, *rest = stack.layers
    return stack.with_layers(replace(first, inlays=((block("trench", 1e-3, 1e-3, 3e-3, 0.7e-3), OXIDE),)), *rest)


def test_four_columns_and_a_sink_by_hand():
    """Two by two cells of one layer on a sink, every conductance written out, integrated by Radau's method."""
    layer = DieLayer(name="chip", thickness=2e-4, material=SILICON, source=True)
    die = Die(Stack(width=4e-3, height=2e-3, layers=(layer,), sink=SINK), (2, 2))
    C = 1.63e6 * 2e-3 * 1e-3 * 2e-4
    x, y = 130.0 * 2e-4 * 1e-3 / 2e-3, 130.0 * 2e-4 * 2e-3 / 1e-3
    down = 1 / (1e-4 / (130.0 * 2e-6) + 1 / (3e4 * 2e-6))
    watts = np.array([1.0, 0.2, 0.0, 0.5])

    def slope(_, T):
        a, b, c, d, sink = T
        flux = down * (T[:4] - sink)
        sides = np.array([x * (b - a) + y * (c - a), x * (a - b) + y * (d - b), x * (d - c) + y * (a - c)])
        side = np.append(sides, -sides.sum())
        return np.append((watts + side - flux) / C, (flux.sum() - (sink - 305.0) / 2.0) / 0.05)

    found = solve_ivp(slope, (0, 0.04), np.full(5, 305.0), method="Radau", rtol=1e-10, atol=1e-10, t_eval=[0.01, 0.04])
    state = die.start()
    for column, dt in enumerate((0.01, 0.03)):
        state, _ = die.step(state, watts.reshape(2, 2), dt)
        expected = found.y[:, column]
        np.testing.assert_allclose(die.temperature(state)[0].ravel(), expected[:4], atol=1e-7)
        assert die.rim(state)["sink"] == pytest.approx(expected[4], abs=1e-7)


@pytest.mark.parametrize("cells", [(4, 5), (3, 1), (1, 1)])
@pytest.mark.parametrize("dt", [1e-6, 1e-3, 0.1, 100.0])
def test_any_step_is_the_matrix_exponential(cells, dt):
    stack = two_sheets(top=WARM, sink=SINK)
    die, whole = Die(stack, cells), dense(stack, cells)
    power = np.random.default_rng(5).random(cells)
    state, _ = die.step(die.start(320.0), 3 * power, 0.02)
    rise = whole.step(np.full(len(whole.C), 10.0), whole.power(3 * power, [0]), 0.02)
    expected = whole.step(rise, whole.power(power, [0]), dt)
    state, ledger = die.step(state, power, dt)
    assert np.abs(die.temperature(state).ravel() - 310 - expected[:-1]).max() < 1e-9
    assert die.rim(state)["sink"] - 310 == pytest.approx(expected[-1], abs=1e-9)
    assert ledger.gap == pytest.approx(0, abs=1e-12 * (abs(ledger.heat_top) + abs(ledger.heat_bottom) + ledger.work))


def test_a_heavy_sink_warms_as_one_resistor_and_capacitor():
    """T = P R (1 - e^(-t/RC)) with RC = 90 s, but for the heat that the die itself keeps: 1.5e-4 of it after 10 s."""
    die = Die(two_sheets(sink=HEAVY), (4, 4))
    state, ledger = die.step(die.start(), np.full((4, 4), 0.25), 10.0)
    held = die.energy(die.start(301.0)) - HEAVY.capacity
    assert 0 < held < 0.03
    assert die.rim(state)["sink"] - 300 == pytest.approx(-4 * np.expm1(-10 / (90 + held)), rel=3e-4)
    assert ledger.heat_bottom == pytest.approx(4 * (10 + 90 * np.expm1(-10 / 90)), rel=1e-3)


def test_steady_states_know_no_capacity():
    """All power crosses the resistance to the air, and a face of the same resistance gives the same die."""
    stack, power = two_sheets(sink=HEAVY), np.random.default_rng(6).random((6, 8))
    die = Die(stack, (6, 8))
    state = die.steady(power)
    assert die.rim(state)["sink"] - 300 == pytest.approx(power.sum(), rel=1e-12)
    after, ledger = die.step(state, power, 50.0)
    np.testing.assert_allclose(die.temperature(after), die.temperature(state), rtol=1e-13)
    assert ledger.heat_bottom == pytest.approx(50 * power.sum(), rel=1e-12)
    area = stack.width * stack.height
    even = np.full((6, 8), 0.1)
    face = Die(replace(stack, sink=None, bottom=Face(coefficient=1 / area, temperature=300.0)), (6, 8))
    np.testing.assert_allclose(face.temperature(face.steady(even)), die.temperature(die.steady(even)), rtol=1e-12)


@pytest.mark.parametrize(("nodes", "share"), [("centre", 0.5), ("top", 1.0), ("outer", 0.5)])
def test_the_way_from_the_last_node_to_the_sink(nodes, share):
    stack = two_sheets(nodes=nodes, sink=SINK)
    die, area = Die(stack, (1, 1)), stack.width * stack.height
    state = die.steady(np.full((1, 1), 5.0))
    fall = die.temperature(state, "paste")[0, 0] - die.rim(state)["sink"]
    assert fall == pytest.approx(5 / area * (share * 20e-6 / 4.0 + 1 / 3e4), rel=1e-11)


def test_no_capacity_worth_the_name_is_a_resistance_alone():
    """With next to no capacity the sink follows the heat: a die on an even face, where power is even."""
    light = replace(HEAVY, capacity=1e-9)
    stack, even = two_sheets(sink=light), np.full((3, 4), 0.1)
    face = replace(stack, sink=None, bottom=Face(coefficient=1 / (stack.width * stack.height), temperature=300.0))
    found, expected = (d.temperature(d.step(d.start(), even, 5e-3)[0]) for d in (Die(stack, (3, 4)), Die(face, (3, 4))))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_books_close_over_many_short_steps():
    """The sink holds a million times what a step brings."""
    die, books = Die(two_sheets(sink=HEAVY), (4, 4)), NOTHING
    state = start = die.steady(np.full((4, 4), 0.5))
    rng = np.random.default_rng(9)
    for _ in range(2000):
        state, ledger = die.step(state, rng.random((4, 4)), 1e-6)
        books += ledger
    assert abs(books.gap) < 1e-11 * books.work
    assert die.energy(state) - die.energy(start) == pytest.approx(books.work - books.heat, abs=1e-9 * books.work)


def test_a_start_at_one_temperature_warms_the_sink_too():
    for stack in (two_sheets(sink=HEAVY), inlaid(two_sheets(sink=HEAVY))):
        die = Die(stack, (4, 4))
        assert die.rim(die.start(310.0)) == {"sink": pytest.approx(310.0)}
        uneven = np.full((2, 4, 4), 310.0)
        uneven[0, 0, 0] = 311.0
        assert die.rim(die.start(uneven)) == {"sink": pytest.approx(300.0)}
        np.testing.assert_allclose(die.temperature(die.start(uneven)), uneven, rtol=1e-13)


def test_inlays_on_a_sink():
    """Steady states by conjugate gradients; steps of second order in the substep; books that close."""
    stack = inlaid(two_sheets(top=WARM, sink=SINK))
    whole, power = dense(stack, (5, 6)), np.random.default_rng(2).random((5, 6))
    settled = np.linalg.solve(whole.K, whole.power(power, [0]))
    steady = Die(stack, (5, 6))
    found = np.append(steady.temperature(steady.steady(power)), steady.rim(steady.steady(power))["sink"]) - 310
    np.testing.assert_allclose(found, settled, rtol=1e-9)
    exact, errors = whole.step(np.zeros(len(whole.C)), whole.power(power, [0]), 2e-3), []
    for substeps in (8, 16, 32):
        die = Die(stack, (5, 6), substeps=substeps)
        state, ledger = die.step(die.start(), power, 2e-3)
        errors.append(np.abs(np.append(die.temperature(state), die.rim(state)["sink"]) - 310 - exact).max())
        assert abs(ledger.gap) < 1e-10 * ledger.work
    assert 3.4 < errors[0] / errors[1] < 4.6 and 3.4 < errors[1] / errors[2] < 4.6


def test_an_inlay_of_the_same_material_changes_nothing():
    first, *rest = two_sheets(sink=SINK).layers
    same = replace(first, inlays=((block("same", 1e-3, 1e-3, 2e-3, 2e-3), SILICON),))
    plain, other = (Die(two_sheets(sink=SINK).with_layers(f, *rest), (5, 6), substeps=256) for f in (first, same))
    power = np.random.default_rng(3).random((5, 6))
    (ours, _), (theirs, _) = (die.step(die.start(), power, 1e-3) for die in (plain, other))
    np.testing.assert_allclose(plain.temperature(ours), other.temperature(theirs), atol=1e-5)
    assert plain.rim(ours)["sink"] == pytest.approx(other.rim(theirs)["sink"], abs=1e-7)


def test_sinks_that_cannot_be():
    for wrong in (
        lambda: replace(SINK, capacity=0.0),
        lambda: replace(SINK, resistance=np.inf),
        lambda: replace(SINK, joint=np.nan),
        lambda: two_sheets(sink=SINK, bottom=COLD),
        lambda: two_sheets(sink=SINK, package=package(), nodes="top"),
    ):
        with pytest.raises(ThermocError, match="T405"):
            wrong()


def test_a_data_file_with_a_sink():
    number = '%s = { value = %s, unit = "%s", source = "x", sure = "O" }\n'
    rows = (("capacity", 90, "J/K"), ("resistance", 1, "K/W"), ("temperature", 300, "K"))
    text = REFERENCE.read_text() + "[sink]\n" + "".join(number % row for row in rows)
    assert read_stack(text).sink == HEAVY
    joined = text + number % ("joint", 3e4, "W/(m^2*K)")
    assert read_stack(joined).sink == replace(HEAVY, joint=3e4)
    for wrong in (text.replace('"J/K"', '"J"'), text.replace("capacity = { value = 90", "capaciti = { value = 90")):
        with pytest.raises(ThermocError, match=r"sink.capacit"):
            read_stack(wrong)
