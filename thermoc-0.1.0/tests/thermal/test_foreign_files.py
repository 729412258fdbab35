"""What 3D-ICE's and HotSpot's own files say is read, or refused as not done: never as if it were misspelt."""

import numpy as np
import pytest

from thermoc.simulator.thermal import Die, hotspot, hotspot_layers, threedice
from thermoc.support.errors import ThermocError

STK = """material SI :
   thermal conductivity {k} ;
   volumetric heat capacity 1.628e-12 ;
{sink}
dimensions :
   chip length 10000, width 10000 ;
   cell length 5000, width 5000 ;
   {cells}
{layer}die D :
   source 2 SI ;
   layer 48 SI ;
stack:
   die A D floorplan "{plan}" {mesh};
   {below}
solver:
   {solver} ;
   initial temperature 300.0 ;
   {cores}
output:
   {output}
"""
PLAIN = {
    "k": "1.30e-4",
    "sink": "top heat sink :\n   heat transfer coefficient 1.0e-7 ;\n   temperature 300 ;",
    "cells": "",
    "layer": "",
    "plan": "p.flp",
    "mesh": "",
    "below": "",
    "solver": "steady",
    "cores": "",
    "output": 'T ( A, 10, 10, "o.txt", final ) ;',
}
FLP = "a :\n position 0, 0 ;\n dimension 5000, 10000 ;\n power values 20.0, 0.0, 10.0 ;\n"


def stk(folder, **changed):
    (folder / "p.flp").write_text(FLP)
    (folder / "a.stk").write_text(STK.format(**PLAIN | changed))
    return threedice.read_stack(folder / "a.stk")


def heated(found):
    die = Die(found.stack, found.shape)
    return die, die.steady(found.power(0))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('T ( A, 10, 10, "o.txt", final ) ;', lambda T: T[0, 0]),
        ('T ( A, "o.txt", 10, 9000, step ) ;', lambda T: T[1, 0]),
        ('Tmap ( A, "o.txt", slot ) ;', lambda T: T),
        ('Tflp ( A, "o.txt", average, final ) ;', lambda T: T[:, :1].mean(keepdims=True)[0]),
        ('Tflpel ( A.a, "o.txt", maximum, step ) ;', lambda T: T[:, 0].max()),
        ('Tflpel(A.a,"o.txt",minimum,slot);', lambda T: T[:, 0].min()),
        ('Pmap ( A, "o.txt", final ) ;', lambda T: np.array([[10.0, 0.0], [10.0, 0.0]])),
        ('T3d ( "o.vtk", final ) ;', None),
    ],
)
def test_every_line_of_output_is_read_and_answered(tmp_path, line, expected):
    found = stk(tmp_path, output=line)
    die, state = heated(found)
    (output,) = found.outputs
    answer = found.answer(output, die, state)
    T = die.temperature(state, "A source")
    np.testing.assert_allclose(answer, die.temperature(state) if expected is None else expected(T))
    assert output.when in line and output.path in ("o.txt", "o.vtk")


def test_slots_and_steps_of_a_transient_come_with_the_powers(tmp_path):
    found = stk(tmp_path, solver="transient step 0.02, slot 0.2", cores="numofcores 1 ;")
    assert not found.steady and (found.step, found.slot) == (0.02, 0.2)
    np.testing.assert_array_equal(found.durations, [0.2, 0.2, 0.2])
    totals = [found.power_at(t).sum() for t in (0.0, 0.19, 0.2, 0.39, 0.4, 0.6, 5.0)]
    np.testing.assert_allclose(totals, [20, 20, 0, 0, 10, 10, 10])
    assert [found.slot_at(0.2 * k) for k in range(3)] == [0, 1, 2]
    with pytest.raises(ThermocError, match=r"step of 0\.3 s"):
        stk(tmp_path, solver="transient step 0.3, slot 0.2")


@pytest.mark.parametrize(
    "changed",
    [
        {"below": "layer BASE 10 SI ;"},
        {"below": "layer BASE PCB ;", "layer": "layer PCB :\n height 10 ;\n material SI ;\n"},
        {"below": "layer BASE PCB ;", "layer": "layer PCB :\n material SI ;\n height 10 ;\n"},
    ],
)
def test_a_solid_layer_of_its_own(tmp_path, changed):
    found = stk(tmp_path, **changed, output='Tmap ( BASE, "b.txt", final ) ;')
    last = found.stack.layers[-1]
    assert (last.name, last.thickness, last.source) == ("BASE", pytest.approx(10e-6), False)
    die, state = heated(found)
    assert found.answer(found.outputs[0], die, state).shape == (2, 2)


@pytest.mark.parametrize(
    "changed",
    [
        {"k": "1.3e-4, 1.3e-4, 1.3e-4"},
        {"cells": "non-uniform false ;"},
        {"sink": "conventional heat sink :\n heat transfer coefficient 1.0e-7 ;\n ambient temperature 300 ;"},
    ],
)
def test_other_spellings_of_the_same_stack(tmp_path, changed):
    plain, found = stk(tmp_path), stk(tmp_path, **changed)
    assert found.stack == plain.stack


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"k": "1.3e-4, 1.3e-4, 1.0e-4"}, "differs by axis"),
        ({"cells": "non-uniform true ;"}, "several sizes"),
        ({"cells": "non-uniform 1 ;"}, "several sizes"),
        ({"mesh": "discretization 2 2"}, "several sizes"),
        ({"below": "channel C ;"}, "channel"),
        ({"sink": "top pluggable heat sink :\n spreader length 1 ;"}, "pluggable"),
        ({"sink": "microchannel 4rm :\n height 100 ;"}, "microchannels"),
        ({"output": 'Tcoolant ( C, "o.txt", final ) ;'}, "coolant"),
    ],
)
def test_what_is_not_modelled_is_refused_as_not_done(tmp_path, changed, says):
    with pytest.raises(ThermocError) as caught:
        stk(tmp_path, **changed)
    assert caught.value.code == "T507" and "not done" in str(caught.value) and says in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"output": 'Tmop ( A, "o.txt", final ) ;'}, "'Tmop' stands where"),
        ({"output": 'Tmap ( B, "o.txt", final ) ;'}, "no 'B' is in the stack"),
        ({"output": 'Tflpel ( A.b, "o.txt", average, final ) ;'}, "no block 'b'"),
        ({"output": 'T ( A, "o.txt", final ) ;'}, "T asks for"),
        ({"output": 'T ( A, 1, 20000, "o.txt", final ) ;'}, "outside the die"),
        ({"below": "layer BASE PCB ;"}, "no layer 'PCB'"),
    ],
)
def test_what_is_misspelt_is_told_as_such(tmp_path, changed, says):
    with pytest.raises(ThermocError) as caught:
        stk(tmp_path, **changed)
    assert caught.value.code == "T514" and says in str(caught.value)


@pytest.mark.parametrize("plan", ["../p.flp", "/etc/hostname", "sub/../../p.flp"])
def test_a_stack_stays_below_its_root(tmp_path, plan):
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "p.flp").write_text(FLP)
    with pytest.raises(ThermocError) as caught:
        stk(inner, plan=plan)
    assert caught.value.code == "T514" and "leaves the folder" in str(caught.value)


def test_a_link_out_of_the_root_is_refused(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "far.flp").write_text(FLP)
    (inner / "near.flp").symlink_to(tmp_path / "far.flp")
    with pytest.raises(ThermocError, match="leaves the folder"):
        stk(inner, plan="near.flp")


def test_a_byte_order_mark_is_passed_over(tmp_path):
    found = stk(tmp_path)
    (tmp_path / "a.stk").write_text(STK.format(**PLAIN), encoding="utf-8-sig")
    assert threedice.read_stack(tmp_path / "a.stk").stack == found.stack
    (tmp_path / "f").write_text("a 1 1 0 0\n", encoding="utf-8-sig")
    assert hotspot.read_floorplan(tmp_path / "f").names == ("a",)


def test_hotspots_names_may_hold_a_hash_and_floorplans_may_say_what_is_wired(tmp_path):
    path = tmp_path / "f"
    path.write_text("# a comment\ncore#1 1 1 0 0\n  # another\nL2 1 1 1 0  # the cache\ncore#1 L2 0.5\n")
    assert hotspot.read_floorplan(path).names == ("core#1", "L2")
    (tmp_path / "p").write_text("core#1 L2\n1 2\n")
    assert hotspot.read_power(tmp_path / "p").names == ("core#1", "L2")
    path.write_text("a 1 1 0 0 1e6 0.01\n")
    with pytest.raises(ThermocError, match=r"T507.*not done"):
        hotspot.read_floorplan(path)


LCF = """# Layer 0: silicon
0
Y
Y
1.75e6
0.01
0.00015
one.flp

1
Y
N
4e6
0.25
2.0e-05
one.flp
2
Y
Y
silicon
0.00015
two.flp
"""


@pytest.fixture
def dies(tmp_path):
    (tmp_path / "one.flp").write_text("a 0.01 0.01 0 0\n")
    (tmp_path / "two.flp").write_text("b 0.005 0.01 0 0\nc 0.005 0.01 0.005 0\n")
    (tmp_path / "s.lcf").write_text(LCF)
    (tmp_path / "m").write_text("silicon\nsolid\n130\n1e6\n")
    (tmp_path / "t.ptrace").write_text("c a b\n3 1 2\n30 10 20\n")
    return tmp_path


def test_two_dies_of_a_layer_file_share_one_power_trace(dies):
    rows = hotspot_layers.read_layers(dies / "s.lcf")
    assert [(r.number, r.source, r.plan.name) for r in rows] == [
        (0, True, "one.flp"),
        (1, False, "one.flp"),
        (2, True, "two.flp"),
    ]
    plans = [hotspot.read_floorplan(r.plan) for r in rows if r.source]
    stack = hotspot.stack(plans[0], {}, hotspot.read_materials(dies / "m"), rows)
    assert [layer.material.conductivity for layer in stack.layers] == [100.0, 4.0, 130.0]
    assert stack.layers[0].material.heat_capacity == pytest.approx(0.333 * 1.75e6)
    first, second = hotspot.read_power(dies / "t.ptrace").shared(*plans)
    np.testing.assert_array_equal(first, [[1], [10]])
    np.testing.assert_array_equal(second, [[2, 3], [20, 30]])
    die = Die(stack, (4, 4))
    maps = np.array([p.binned((4, 4)).power(w[0]) for p, w in zip(plans, (first, second))])
    T = die.temperature(die.steady(maps))
    assert T.min() > stack.ambient and T.shape[0] == 5
    with pytest.raises(ThermocError, match="in two floorplans"):
        hotspot.read_power(dies / "t.ptrace").shared(plans[0], plans[0])


@pytest.mark.parametrize(
    ("old", "new", "code", "says"),
    [
        ("0\nY\nY", "0\nN\nY", "T507", "no heat flows"),
        ("two.flp", "channels.csv", "T507", "microchannels"),
        ("0\nY\nY", "0\nMaybe\nY", "T514", "Y or N"),
        ("two.flp\n", "", "T514", "cut short"),
        ("two.flp", "../two.flp", "T514", "leaves the folder"),
        ("2\nY\nY", "3\nY\nY", "T514", "stands where 2 should"),
        ("0.25", "-0.25", "T514", "above 0"),
    ],
)
def test_layer_files_that_are_wrong(dies, old, new, code, says):
    (dies / "s.lcf").write_text(LCF.replace(old, new, 1))
    with pytest.raises(ThermocError) as caught:
        hotspot_layers.read_layers(dies / "s.lcf")
    assert caught.value.code == code and says in str(caught.value)


def test_every_example_file_of_the_two_tools_reads(shared):
    """All of shared/data/3d-ice and shared/data/hotspot."""
    root = shared / "3d-ice/test"
    for path in sorted(root.rglob("*.stk")):
        assert threedice.read_stack(path, root).outputs
    for path in sorted(root.rglob("*.flp")):
        threedice.read_floorplan(path, 1e-2, 1e-2)
    for path in sorted((shared / "hotspot").rglob("*.flp")):
        assert hotspot.read_floorplan(path).blocks
    for path in sorted((shared / "hotspot").rglob("*.ptrace")):
        assert len(hotspot.read_power(path).watts)
    for path in sorted((shared / "hotspot").rglob("*.config")):
        assert hotspot.read_config(path)
    for path in sorted((shared / "hotspot").rglob("*.materials")):
        assert hotspot.read_materials(path)
