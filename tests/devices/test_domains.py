"""Device models keep to their domain: ranges of values, heat beyond the limit, and currents that are solved."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from thermoc.simulator.devices import currents, load, names, pbit, simulate, starting, values
from thermoc.simulator.devices.lattice import lattice
from thermoc.simulator.devices.models import data_file
from thermoc.support.errors import ThermocError

T2 = np.linspace(0, 1e-7, 3)
FREE = {"vteam": {"on_position"}}
"""Values of any sign: a position that only differences of matter."""

WRONG = [
    ("vteam", {"off_voltage": -0.1, "on_voltage": 0.2}),  # thresholds the wrong way round
    ("vteam", {"start_state": -1e-9}),
    ("vteam", {"start_state": 4e-9}),
    ("vteam", {"off_resistance": -5.0}),
    ("vteam", {"on_resistance": 0.0, "start_state": 0.0}),
    ("vteam", {"on_resistance": 2e3}),  # above off_resistance
    ("vteam", {"off_position": -1e-9}),
    ("vteam", {"on_speed": 10.0}),
    ("stanford", {"least_gap": 2e-9}),
    ("stanford", {"start_state": [1e-9, 2e-9]}),
    ("stanford", {"oxide_thickness": 1e-9}),
    ("pickett", {"greatest_fraction": 1.0}),
    ("pickett", {"start_state": 0.0}),
    ("pickett", {"transition_temperature": 290.0}),  # below the ambient one
    ("pickett", {"metal_resistivity": 1.0}),
    ("jart", {"start_state": 1e23}),
    ("jart", {"disc_length": 4e-9}),
    ("jart", {"line_coefficient": -1e-3}),
    ("vo2", {"fit_from": 380.0}),
    ("vo2", {"critical_temperature": 300.0}),
    ("vo2", {"metal_resistance": -1.0}),
    ("nbo2", {"thickness": 0.0}),
    ("nbo2", {"heat_resistance": 0.0}),
    ("nbo2", {"heat_ambient": 0.0}),
    ("rc", {"conductance": -1e-3}),
    ("rc", {"heat_limit": 200.0}),
    ("ou_cell", {"circuit_inner": -1.0}),
]


@pytest.mark.parametrize(("name", "changed"), WRONG, ids=lambda v: v if isinstance(v, str) else "-".join(v))
def test_a_value_out_of_the_models_range_is_refused(name, changed):
    with pytest.raises(ThermocError) as caught:
        load(name, **changed)
    assert caught.value.code == "T405" and "the model asks for" in str(caught.value)


@pytest.mark.parametrize("name", [*names(), "pbit"])
def test_every_value_of_a_data_file_states_its_range(name):
    path = Path(pbit.__file__).with_suffix(".toml") if name == "pbit" else data_file(name)
    table = tomllib.loads(path.read_text("utf-8"))
    sections = {"": table} | {f"{key}.": part for key, part in table.items() if isinstance(part, dict)}
    rows = {
        f"{s}{k}": v for s, part in sections.items() for k, v in part.items() if isinstance(v, dict) and "value" in v
    }
    bare = {key for key, row in rows.items() if not {"above", "least", "most", "below"} & set(row)}
    assert rows and bare == FREE.get(name, set())


def test_another_file_of_the_same_model_keeps_the_models_domain(tmp_path):
    text = data_file("vteam").read_text("utf-8")
    plain = text.replace(', least = "on_resistance"', "").replace(
        'value = 1, unit = "kohm"', 'value = -5, unit = "ohm"'
    )
    (tmp_path / "a.toml").write_text(plain)
    with pytest.raises(ThermocError, match="off_resistance is -5"):
        load("vteam", path=str(tmp_path / "a.toml"))
    narrow = text.replace('unit = "ohm", above = 0', 'unit = "ohm", above = 60')
    (tmp_path / "b.toml").write_text(narrow)
    with pytest.raises(ThermocError, match="above 60"):
        load("vteam", path=str(tmp_path / "b.toml"))
    (tmp_path / "c.toml").write_text(text.replace('least = "on_position"', 'least = "nothing"'))
    with pytest.raises(ThermocError, match=r"T513.*names 'nothing'"):
        values("vteam", str(tmp_path / "c.toml"))


@pytest.mark.parametrize("name", ["stanford", "vteam", "pickett", "jart"])
def test_a_start_is_checked_like_a_value(name):
    device = load(name)
    with pytest.raises(ThermocError, match="T405"):
        starting(device, state=device.domain[0, 2] * 1.01)
    with pytest.raises(ThermocError, match="T405"):
        currents(device, 0.1, state=device.domain[0, 2] * 1.01)


@pytest.mark.parametrize("name", names())
def test_hotter_than_the_limit_is_told_whatever_else_is_wrong(name):
    device = load(name)
    hot = device.limit + 1
    for call in (
        lambda: starting(device, T=hot),
        lambda: simulate(device, 0.1, T2, ambient=hot) if name != "pickett" else starting(device, T=hot),
        lambda: currents(device, 0.1, T=hot),
    ):
        with pytest.raises(ThermocError) as caught:
            call()
        assert caught.value.code == "T410"
    with pytest.raises(ThermocError, match="above 0"):
        starting(device, T=-1.0)


@pytest.mark.parametrize("volts", [3.0, 10.0, 45.0, 300.0, -10.0, -300.0])
def test_a_jart_cell_never_shows_a_temperature_beyond_its_limit(volts):
    """At these voltages its heat has no balance below 3000 K, or one that the line's resistance keeps cool."""
    device = load("jart")
    try:
        trace = simulate(device, volts, np.linspace(0, 1e-6, 11))
    except ThermocError as reason:
        assert reason.code == "T410" and "limit 3000" in str(reason)
        return
    assert trace.T.max() <= device.limit


@pytest.mark.parametrize("name", [n for n in names() if n != "jart"])
@pytest.mark.parametrize("volts", [1.0, 45.0, 250.0, 1e4, -1e4])
def test_kirchhoffs_law_holds_behind_a_series_resistor(name, volts):
    """u = v + R i to rounding, from ohms to teraohms; the current never exceeds u / R."""
    for R in (1.0, 1e3, 1e12):
        device = load(name, circuit_load=R, circuit_inner=0.0, circuit_capacitance=0.0)
        i, v = currents(device, volts)
        assert abs(v + R * i - volts) <= 1e-9 * abs(volts)
        assert 0 <= i / volts <= 1 / R * (1 + 1e-12)


def test_a_current_beyond_a_float_is_an_error():
    with pytest.raises(ThermocError) as caught:
        currents(load("stanford", circuit_load=0.0), 1e4)
    assert caught.value.code == "T411"


def test_a_step_that_leaves_the_range_of_the_state_is_an_error():
    """Euler's step of a microsecond takes a gap of 1.7 nm far beyond its least one."""
    with pytest.raises(ThermocError) as caught:
        simulate(load("stanford"), 2.6, np.linspace(0, 1e-3, 3), method="euler", dt=1e-4)
    assert caught.value.code in ("T410", "T411")
    with pytest.raises(ThermocError, match="range of the internal state"):
        simulate(load("vteam"), -5.0, [0, 1e-9], method="euler", dt=1e-9)


def test_a_p_bit_is_checked_like_a_device():
    q = dict(pbit.values())
    for changed in ({"tick": 0.0}, {"power_on": -1.0}, {"heat.resistance": 0.0}, {"heat.capacity": 0.0}):
        with pytest.raises(ThermocError, match="T405"):
            pbit.self_heating(0.0, q | changed, 3)
    for arguments in ({"T": -1.0}, {"ambient": 0.0}):
        with pytest.raises(ThermocError, match="T405"):
            pbit.self_heating(0.0, q, 3, **arguments)
    with pytest.raises(ThermocError, match="T405"):
        pbit.drive_at(310.0, q | {"power_off": q["power_on"]})


VO2 = {"shape": (2, 2), "coupling": 0.1, "dt": 1e-9}
SHAPES = [
    lambda: simulate(load("rc"), "abc", T2),
    lambda: simulate(load("rc"), [[1.0], [1.0, 2.0]], T2),
    lambda: simulate(load("rc"), 1j, T2),
    lambda: simulate(load("rc"), 0.1, "abc"),
    lambda: simulate(load("rc"), 0.1, T2, n=0),
    lambda: simulate(load("rc"), 0.1, T2, n=1.5),
    lambda: simulate(load("rc"), 0.1, T2, seed=-1),
    lambda: simulate(load("rc"), 0.1, T2, first=-1),
    lambda: simulate(load("rc"), 0.1, T2, method="euler", dt="a"),
    lambda: simulate(load("rc"), 0.1, T2, tolerance=[1e-3, 1e-3]),
    lambda: simulate(load("rc"), 0.1, T2, ambient=[300.0, 300.0], n=3),
    lambda: currents(load("nbo2"), "abc"),
    lambda: currents(load("nbo2"), np.nan),
    lambda: load("nbo2", area="abc"),
    lambda: load("nbo2", area=[]),
    lambda: starting(load("nbo2"), T="abc"),
    lambda: starting(load("nbo2"), T=[300.0, 310.0], node=[0.0, 0.0, 0.0]),
    lambda: lattice(load("vo2"), [1.0, 2.0], T2, **VO2),
    lambda: lattice(load("vo2"), 1.0, T2, **{**VO2, "shape": (2.5, 2)}),
    lambda: lattice(load("vo2"), 1.0, T2, **{**VO2, "shape": 4}),
    lambda: lattice(load("vo2"), 1.0, T2, **{**VO2, "shape": ()}),
    lambda: lattice(load("vo2"), 1.0, T2, node=[1.0, 2.0], **VO2),
    lambda: lattice(load("vo2"), 1.0, T2, T=-5.0, **VO2),
    lambda: lattice(load("vo2"), np.nan, T2, **VO2),
    lambda: lattice(load("vo2"), 1.0, [[0, 1e-9]], **VO2),
    lambda: lattice(load("vo2"), 1.0, [], **VO2),
    lambda: lattice(load("vo2"), 1.0, T2, samples=0, **VO2),
    lambda: lattice(load("vo2"), 1.0, T2, seed=-1, **VO2),
    lambda: lattice(load("vo2"), 1.0, T2, ambient=[300.0, 310.0], **VO2),
    lambda: pbit.self_heating([[0.0]], pbit.values(), 2),
    lambda: pbit.self_heating([0.0, 0.0], pbit.values(), 2, T=[300.0] * 3),
    lambda: pbit.self_heating("abc", pbit.values(), 2),
    lambda: pbit.self_heating(0.0, pbit.values(), -2),
    lambda: pbit.self_heating(0.0, {"tick": 1.0}, 2),
]


@pytest.mark.parametrize("call", SHAPES, ids=range(len(SHAPES)))
def test_wrong_shapes_and_kinds_are_coded_errors(call):
    with pytest.raises(ThermocError) as caught:
        call()
    assert caught.value.code in ("T402", "T403", "T404", "T405")
