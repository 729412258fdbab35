"""Errors say what, where, both facts and the cure; every code is in the table and in use."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import numpy as np
import pytest

import thermoc as tc
from thermoc.support.errors import CODES
from thermoc.support.units import K_B, ReducedUnits

ROOT = Path(__file__).parents[2]


def sources() -> str:
    folders = ("thermoc", "ir", "backends", "simulator")
    files = [path for folder in folders for path in (ROOT / folder).glob("**/*.py") if path.name != "errors.py"]
    return "\n".join(path.read_text() for path in files)


def test_codes_in_use_are_those_of_the_table():
    assert set(re.findall(r'"([TW]\d{3})"', sources())) == set(CODES)


def test_a_message_has_what_where_facts_and_cure():
    with pytest.raises(tc.ThermocError) as caught, tc.Network("bad"):
        x = tc.input("x", (64,))
        tc.affine(x, np.ones((3, 5)))
    lines = str(caught.value).splitlines()
    assert lines[0] == "T103: core.affine: operands disagree on dimension 'n'"
    assert re.fullmatch(r"  at .*test_errors\.py:\d+", lines[1])
    assert lines[2] == "     | tc.affine(x, np.ones((3, 5)))"
    assert lines[3:5] == ["  note: x (%x) has n = 64", "  note: weight (%c) has n = 5"]
    assert lines[5] == "  hint: it takes x [*s n], weight [m n], bias [m]"


def test_errors_survive_pickling():
    with pytest.raises(tc.ThermocError) as caught:
        tc.load("nowhere.thermo")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.code, str(again)) == ("T501", str(caught.value))


def test_units_convert_both_ways():
    scale = ReducedUnits(energy=K_B * 300.0, time=1e-9)
    assert scale.kelvin(1.0) == pytest.approx(300.0, rel=1e-15)
    assert scale.reduced_temperature(scale.kelvin(0.37)) == pytest.approx(0.37, rel=1e-15)
    assert scale.joules(2.0) == pytest.approx(600.0 * K_B, rel=1e-15)
    assert scale.seconds(5.0) == pytest.approx(5e-9, rel=1e-15)
