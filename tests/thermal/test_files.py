"""Files of other tools and our own: what they say comes back, what is wrong is named with its line."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from thermal.dies import REFERENCE

from thermoc.simulator.thermal import Die, hotspot, read_stack, threedice
from thermoc.support.errors import ThermocError


@pytest.mark.parametrize("sink", ["top", "bottom", "both"])
def test_3dice_steady_goldens(shared, sink):
    root = shared / "3d-ice/test"
    found = threedice.read_stack(root / f"solid/steady/{sink}sink.stk", root)
    expected = [float(word) for word in (root / f"solid/steady/output_{sink}.txt").read_text().split()[1:]]
    die = Die(found.stack, found.shape)
    state = die.steady(found.power(0))
    assert found.steady and found.start == 300.0 and found.shape == (50, 200)
    assert [die.temperature(state, p.layer)[p.cell] for p in found.probes] == pytest.approx(expected, abs=1e-3)


def test_3dice_floorplan_of_the_reference_die(shared):
    """Its power over time, 20 slots, and rectangles where the file has them."""
    plan, watts = threedice.read_floorplan(shared / "device-reference/iv_thermal/3dice/chip.flp", 8e-3, 8e-3)
    assert plan.names[:5] == ("T00", "T01", "T02", "T03", "T10") and watts.shape == (16, 20)
    assert watts[:, 0].sum() == pytest.approx(4.48) and watts[5, 9:12].tolist() == [1.0, 0.0, 0.0]
    four, watts = threedice.read_floorplan(shared / "3d-ice/test/four_elements.flp", 1e-2, 1e-2)
    assert [len(b.rectangles) for b in four.blocks] == [5, 1, 1, 6]
    np.testing.assert_allclose([b.area for b in four.blocks], 25e-6)


def test_ev6_reads_whole(shared):
    """HotSpot's example chip; its temperatures are test_ev6's."""
    folder = shared / "hotspot/examples/example1"
    plan, trace = hotspot.read_floorplan(folder / "ev6.flp"), hotspot.read_power(folder / "gcc.ptrace")
    stack = hotspot.stack(plan, hotspot.read_config(folder / "example.config"))
    assert (len(plan.blocks), trace.watts.shape, plan.width) == (30, (100, 30), pytest.approx(0.016))
    assert stack.ambient == 318.15 and stack.layers[0].material.conductivity == 130.0


def test_hotspots_materials(shared):
    found = hotspot.read_materials(shared / "hotspot/examples/example1/example.materials")
    assert set(found) == {"silicon", "aluminum"} and found["aluminum"].conductivity == 237.0
    plan = hotspot.read_floorplan(shared / "device-reference/iv_thermal/hotspot/chip.flp")
    stack = hotspot.stack(plan, {"material_sink": "aluminum"}, found)
    assert stack.package.sink.material.conductivity == 237.0
    assert stack.package.spreader.material.conductivity == 400.0


def test_hotspots_defaults_have_sources():
    defaults = hotspot.defaults()
    assert defaults["t_interface"] == pytest.approx(20e-6)
    assert all("HotSpot" in defaults.quantity(name).source for name in defaults)


@pytest.mark.parametrize(
    ("reader", "text", "line", "says"),
    [
        (hotspot.read_floorplan, "a\t1\t1\t0\n", 1, "5 fields"),
        (hotspot.read_floorplan, "# fine\na 1 one 0 0\n", 2, "'one' is no number"),
        (hotspot.read_floorplan, "a 1 1 0 0\nb 1 nan 1 0\n", 2, "not finite"),
        (hotspot.read_floorplan, "a 1 1 0 0\n\nb 1 1 0.5 0\n", 3, "blocks 'a' and 'b' overlap"),
        (hotspot.read_floorplan, "# nothing\n", None, "no block"),
        (hotspot.read_power, "a b\n1 2\n3\n", 3, "1 powers for 2"),
        (hotspot.read_power, "a a\n1 2\n", 1, "one name"),
        (hotspot.read_power, "a b\n", None, "no power"),
        (hotspot.read_config, "-t_chip\n", 1, "a dash, a name and a value"),
        (hotspot.read_config, "-t_chip 1\n-t_chip 2\n", 2, "twice"),
        (hotspot.read_materials, "silicon\nsolid\n130\n", 1, "cut short"),
        (hotspot.read_materials, "silicon\ngas\n130\n", 2, "neither solid nor fluid"),
        (
            threedice.read_stack,
            "material s :\n thermal conductivity 1 ;\n volumetric heat capacity x ;\n",
            3,
            "'x' is no number",
        ),
        (threedice.read_stack, "channel :\n", 1, "'channel' stands where"),
        (
            threedice.read_stack,
            "material s :\n thermal conductance 1 ;\n",
            2,
            "'conductance' stands where 'conductivity'",
        ),
        (threedice.read_stack, "die d :\n layer 1 gold ;\n", 2, "no material 'gold'"),
        (
            threedice.read_stack,
            "dimensions :\n chip length 10 , width 10 ;\n cell length 3 , width 1 ;\n",
            3,
            "do not fill",
        ),
        (threedice.read_stack, "solver: steady ; initial temperature", 1, "the file ends"),
        (threedice.read_stack, "solver: steady ; initial temperature 300 ;", 1, "lacks its dimensions"),
    ],
)
def test_bad_lines_are_named(tmp_path, reader, text, line, says):
    path = tmp_path / "file.txt"
    path.write_text(text)
    with pytest.raises(ThermocError) as caught:
        reader(path)
    assert caught.value.code == "T514" and says in str(caught.value)
    where = caught.value.findings[0].where
    assert (where.line if where else None) == line


STK = """
material s : thermal conductivity 1e-4 ; volumetric heat capacity 1.6e-12 ; // per um
top heat sink : heat transfer coefficient 1e-7 ; temperature 300 ;
dimensions : chip length 300 , width 200 ; cell length 100 , width 100 ;
die d : layer 50 s ; /* bulk
        over two lines */ source 2 s ;
stack : die one d floorplan "f.flp" ;
solver : transient step 1, slot 2 ; initial temperature 310 ;
output : T ( one, 0, 0, "a", final ) ; T ( one, 300, 200, "b", final ) ; T ( one, 100, 99, "c", final ) ;
"""


def test_a_small_3dice_stack(tmp_path):
    """Comments, a corner, a cell's border, and power that changes by slots."""
    (tmp_path / "s.stk").write_text(STK)
    (tmp_path / "f.flp").write_text("a : position 0, 0 ; dimension 100, 200 ; power values 1, 3 ;")
    found = threedice.read_stack(tmp_path / "s.stk")
    assert [probe.cell for probe in found.probes] == [(0, 0), (1, 2), (0, 1)]
    assert not found.steady and found.start == 310.0 and found.shape == (2, 3)
    np.testing.assert_allclose(found.power(0)[0], [[0.5, 0, 0], [0.5, 0, 0]])
    np.testing.assert_allclose(found.power(7)[0], [[1.5, 0, 0], [1.5, 0, 0]])
    assert found.stack.top.coefficient == pytest.approx(1e5) and found.stack.layers[1].source
    assert found.stack.layers[0].material.conductivity == pytest.approx(100.0)
    assert found.stack.layers[0].material.heat_capacity == pytest.approx(1.6e6)


def test_blocks_that_overlap_are_named_with_both_and_the_line(tmp_path):
    path = tmp_path / "o.flp"
    path.write_text(
        "a :\n position 0, 0 ;\n dimension 6, 6 ;\n power values 1 ;\nb :\n rectangle (5, 5, 5, 5) ;\n power values 1 ;\n"
    )
    with pytest.raises(ThermocError) as caught:
        threedice.read_floorplan(path, 1e-5, 1e-5)
    assert "blocks 'a' and 'b' overlap" in str(caught.value) and "1e-06 x 1e-06 m" in str(caught.value)
    assert caught.value.findings[0].where.line == 5


@pytest.mark.parametrize("reader", [hotspot.read_floorplan, threedice.read_stack, read_stack])
def test_files_that_cannot_be_read(tmp_path, reader):
    with pytest.raises(ThermocError, match="T501"):
        reader(tmp_path / "none")


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"model_secondary": "1"}, "not done"),
        ({"t_chip": "thin"}, "no number"),
        ({"material_chip": "gold"}, "'gold'"),
        ({"t_chp": "1e-4"}, "did you mean 't_chip'"),
    ],
)
def test_configurations_that_are_not_modelled(shared, config, says):
    plan = hotspot.read_floorplan(shared / "device-reference/iv_thermal/hotspot/chip.flp")
    with pytest.raises(ThermocError) as caught:
        hotspot.stack(plan, config)
    assert caught.value.code == ("T507" if says == "not done" else "T514") and says in str(caught.value)


def test_traces_and_floorplans_that_disagree(shared, tmp_path):
    plan = hotspot.read_floorplan(shared / "device-reference/iv_thermal/hotspot/chip.flp")
    (tmp_path / "p").write_text("T00 T99\n1 2\n")
    with pytest.raises(ThermocError, match="T514"):
        hotspot.read_power(tmp_path / "p").ordered(plan)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('unit = "W/(m*K)"', 'unit = "W/m"', "material.silicon.conductivity"),
        ('unit = "um"', 'unit = "furlong"', "thickness"),
        ('material = "wiring"', 'material = "cheese"', "'cheese' is unknown"),
        ('role = "source"', 'role = "sauce"', "'sauce' is unknown"),
        ("[top]", "[tip]", "tip.coefficient"),
        ("nodes =", "knots =", "knots"),
        ("value = 1e5, ", "", "top.coefficient"),
    ],
)
def test_data_files_that_are_wrong(old, new, says):
    with pytest.raises(ThermocError) as caught:
        read_stack(REFERENCE.read_text().replace(old, new, 1))
    assert caught.value.code == "T513" and says in str(caught.value)


def test_a_data_file_with_a_package():
    plate = 'material = "silicon"\nside = { value = %s, unit = "cm", source = "x", sure = "O" }\nthickness = { value = 1, unit = "mm", source = "x", sure = "O" }\n'
    number = '%s = { value = %s, unit = "%s", source = "x", sure = "O" }\n'
    rest = "".join(
        number % row for row in (("resistance", 0.1, "K/W"), ("capacity", 40, "J/K"), ("temperature", 300, "K"))
    )
    text = REFERENCE.read_text() + f"[package]\n{rest}[package.spreader]\n{plate % 3}[package.sink]\n{plate % 6}"
    stack = read_stack(text)
    assert stack.package.sink.side == pytest.approx(0.06) and stack.package.capacity == 40.0
    with pytest.raises(ThermocError, match=r"package.sink.side"):
        read_stack(text.replace("side = { value = 6", "sade = { value = 6"))


FLP, TRACE, CONFIG = "a 1 1 0 0\nb 1 1 1 0\n", "a b\n1 2\n3 4\n", "-t_chip 1e-4\n-ambient 300\n"
MATERIALS = "s\nsolid\n130\n1e6\nw\nfluid\n0.6\n4e6\n1e-3\n"
READERS = [
    (hotspot.read_floorplan, FLP),
    (hotspot.read_power, TRACE),
    (hotspot.read_config, CONFIG),
    (hotspot.read_materials, MATERIALS),
    (threedice.read_stack, STK),
    (
        lambda path: threedice.read_floorplan(path, 1e-3, 1e-3),
        "a : position 0, 0 ; dimension 9, 9 ; power values 1, 2 ;",
    ),
]


@given(st.sampled_from(READERS), st.data())
def test_a_damaged_file_is_read_or_refused_with_a_code(tmp_path_factory, case, data):
    """Words dropped, doubled or replaced: never a traceback."""
    reader, text = case
    words = text.split(" ")
    at = data.draw(st.integers(0, len(words) - 1))
    words[at : at + 1] = data.draw(
        st.sampled_from([[], [words[at]] * 2, ["-1"], ["0"], ["1e400"], ["nan"], ["\n"], [";"], ["/*"], ['"'], ["é#"]])
    )
    path = tmp_path_factory.mktemp("damaged") / "file"
    path.write_text(" ".join(words))
    try:
        reader(path)
    except ThermocError as caught:
        assert caught.code in ("T514", "T501", "T405", "T507")
