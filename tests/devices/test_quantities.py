"""Data files: exact conversion to SI, and every mistake named in one error."""

import pytest

from thermoc.simulator.data.dimensions import unit_of
from thermoc.simulator.data.quantities import read
from thermoc.support.errors import ThermocError

GOOD = """
title = "a file"
C = { value = 145.35, unit = "pF", source = "a paper", sure = "S" }
w = { value = 1.13e-5, unit = "eV (m/V)^1/2", source = "a paper", sure = "R", note = "by hand" }
n = { value = 4, unit = "", source = "ours", sure = "O" }
[material.si]
k = { value = 130, unit = "W/(m*K)", source = "a book", sure = "O" }
label = "silicon"
[material.sio2]
k = { value = 1.4, unit = "W/(m*K)", source = "a book", sure = "O" }
label = "oxide"
[[layer]]
d = { value = [1, 2.5], unit = "um", source = "a book", sure = "O" }
"""
EXPECT = {
    "C": "F",
    "w": "J m^1/2 V^-1/2",
    "n": "",
    "material.*.k": "W m^-1 K^-1",
    "material.*.label": "text",
    "layer.*.d": "m[]",
}


def test_values_are_the_floats_nearest_to_what_is_written():
    found = read(GOOD, EXPECT)
    assert found["C"] == 145.35e-12 and found["n"] == 4.0
    assert found["w"] == 1.13e-5 * 1.602176634e-19 or found["w"] == pytest.approx(1.81045959642e-24, rel=1e-15)
    assert found.array("layer.0.d").tolist() == [1e-6, 2.5e-6]
    assert found.text("material.si.label") == "silicon"
    assert found.names("material") == ("si", "sio2")
    assert found.group("material.si")["k"] == 130.0
    assert found.quantity("C").source == "a paper" and found.quantity("C").written == "145.35 pF"
    assert [row["sure"] for row in found.rows()][:3] == ["S", "R", "O"]


@pytest.mark.parametrize(
    ("text", "base", "size"),
    [
        ("pJ", "J", 1e-12),
        ("ns", "s", 1e-9),
        ("mW", "W", 1e-3),
        ("kohm", "ohm", 1e3),
        ("nm", "m", 1e-9),
        ("um", "m", 1e-6),
        ("\u00b5A", "A", 1e-6),
        ("GHz", "1/s", 1e9),
        ("mW ns/K", "J/K", 1e-12),
        ("KiB", "bit", 8192.0),
        ("fF/um^2", "F/m^2", 1e-3),
        ("W/m/K", "W/(m K)", 1.0),
        ("V^2/ohm", "W", 1.0),
        ("V*A*s", "J", 1.0),
        ("kg m^2 s^-2", "J", 1.0),
        ("min", "s", 60.0),
        ("%", "", 0.01),
    ],
)
def test_units(text, base, size):
    given, aim = unit_of(text), unit_of(base)
    assert given is not None and aim is not None and given.dimensions == aim.dimensions
    assert float(given.factor / aim.factor) == size


@pytest.mark.parametrize("text", ["furlong", "W/", "(W", "W)", "m^", "kmin", "k", "J**s", "^2", "2m"])
def test_what_is_no_unit(text):
    assert unit_of(text) is None


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('unit = "pF"', 'unit = "pV"', "multiple of F"),
        ('unit = "pF", ', "", "it has no unit"),
        ('unit = "pF"', 'unit = "pQ"', "there is no unit 'pQ'"),
        ("C =", "c =", "did you mean 'C'?"),
        ("C =", "c =", "C: it is missing"),
        ("value = 145.35", "value = nan", "no finite number"),
        ("value = 145.35", "value = true", "no finite number"),
        ("value = 145.35", "value = 1e999999999", "no finite number"),
        ("value = 145.35", "value = [1.0]", "give one number"),
        ("value = 145.35, ", "", "it has no value"),
        ("[1, 2.5]", "2.5", "give a list of numbers"),
        ("[1, 2.5]", "[1, 'x']", "no finite number"),
        ('source = "a paper", sure = "S"', 'source = "", sure = "S"', "it names no source"),
        ('sure = "S"', 'sure = "Q"', "S (read in the source)"),
        ('note = "by hand"', 'nose = "by hand"', "did you mean 'note'?"),
        ('label = "oxide"', "", "material.sio2.label: it is missing"),
        ('label = "oxide"', 'lable = "oxide"', "did you mean 'material.sio2.label'?"),
        ('n = { value = 4, unit = "", source = "ours", sure = "O" }', "n = 4", "no quantity"),
        ("[material.si]", "[material.si", "is not TOML"),
    ],
)
def test_every_mistake_is_named(old, new, says):
    assert old in GOOD
    with pytest.raises(ThermocError) as caught:
        read(GOOD.replace(old, new, 1), EXPECT)
    assert caught.value.code == "T513" and says in str(caught.value)


def test_all_mistakes_come_at_once(tmp_path):
    path = tmp_path / "chip.toml"
    path.write_text(GOOD.replace("pF", "pV").replace('"ours"', '""').replace("sio2]\nk", "sio2]\nkk"))
    with pytest.raises(ThermocError) as caught:
        read(path, EXPECT)
    assert len(caught.value.findings) == 4
    assert {finding.code for finding in caught.value.findings} == {"T513"}
    assert "chip.toml:3" in str(caught.value)


def test_a_place_is_one_of_the_table_that_is_meant(tmp_path):
    """bits stand in two tables: a wrong one is shown where it is, and one that is missing not at the other's line."""
    path, quantity = tmp_path / "chip.toml", 'bits = { value = 8, unit = "bit", source = "ours", sure = "O" }'
    expect = {"a.bits": "bit", "b.bits": "bit", "c.bits": "bit"}
    wrong = quantity.replace("8", "nan")
    path.write_text(f"[a]\n{quantity}\n[b]  # the wrong one\n{wrong}\n")
    with pytest.raises(ThermocError) as caught:
        read(path, expect)
    where = {f.what.split(": ")[1]: f.where and f.where.line for f in caught.value.findings}
    assert where == {"b.bits": 4, "c.bits": None}


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ThermocError) as caught:
        read(tmp_path / "none.toml", EXPECT)
    assert caught.value.code == "T501"
