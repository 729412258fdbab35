"""Equations are read or refused with the place: the caret stands where the mistake is."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc.ir.equations import dimensions
from thermoc.ir.equations.arrays import ARRAYS
from thermoc.ir.equations.expressions import FUNCTIONS, LONGEST, evaluate, parse
from thermoc.ir.equations.problems import EquationProblem
from thermoc.ir.equations.symbolic import analysis
from thermoc.ir.equations.system import read
from thermoc.passes.discretize import Discretize
from thermoc.passes.pipeline import run_passes


def refusal(equations: str, *, dt: float = 0.1, **how: Any) -> tc.ThermocError:
    with tc.Network("wrong", dt=dt), pytest.raises(tc.ThermocError) as caught:
        tc.dynamics(equations, **how)
    return caught.value


def pointed(problem: tc.ThermocError) -> str:
    """Return the text from where the caret points to the end of the line."""
    line, caret = problem.findings[0].notes[:2]
    assert re.fullmatch(r" *\^", caret)
    return line[caret.index("^") :]


@pytest.mark.parametrize(
    ("equations", "how", "what", "at"),
    [
        ("dv/dt = (v0 - v)/tau : 1", {"constants": {"tau": 1.0}}, "the name 'v0' is unknown", "v0 - v"),
        ("dv/dt = -v +* 2 : 1", {}, "cannot be read", "* 2"),
        ("dv/dt = -v^2 : 1", {}, "no such operator", "^2"),
        ("dv/dt = -gamma(v) : 1", {}, "no function 'gamma'", "gamma(v)"),
        ("dv/dt = -exp(v, 2) : 1", {}, "exp takes 1 argument", "exp(v, 2)"),
        ("dv/dt = -v.real : 1", {}, "an equation has numbers", "v.real"),
        ("dv/dt = __import__('os') : 1", {}, "no function '__import__'", "__import__"),
        ("dv/dt = 1e301*v : 1", {}, "too large", "1e301"),
        ("dv/dt = -v", {}, "the unit is missing", ""),
        ("dv/dt = -v : parsec", {}, "no unit 'parsec'", "parsec"),
        ("dv/dt = -v : 1 (unless tired)", {}, "no flag 'unless tired'", "unless tired"),
        ("v := -v", {}, "cannot be read", "= -v"),
        ("dv/dt = -v : 1\ndv/dt = v : 1", {}, "v has a second line", "v/dt = v"),
        ("a = b : 1\nb = a : 1\ndv/dt = a : 1", {}, "a is defined by itself", "a = b"),
        ("a = xi : 1\ndv/dt = a : 1", {}, "xi stands in an expression", "xi"),
        ("dv/dt = xi : 1\ndw/dt = xi : 1", {}, "xi stands in two equations", "xi : 1"),
        ("dv/dt = xi**2 : 1", {}, "xi must enter linearly", "xi**2"),
        ("dt/dt = 1 : 1", {}, "t is taken", "t/dt"),
        ("a = 2 : 1", {}, "no line is a differential equation", "a = 2"),
        ("dv/dt = v*xi : 1", {}, "has two senses", "xi"),
        ("dv/dt = -v**3 : 1", {"method": "exact"}, "not linear in v", "v**3"),
        ("dv/dt = -v**3 : 1", {"method": "exponential_euler"}, "not linear in its own variable", "v**3"),
        ("dv/dt = -v + xi : 1", {"method": "rk4"}, "rk4 takes no noise", "xi"),
        ("dv/dt = -v + sin(t) : 1", {"method": "exact"}, "depends on the time", "-v + sin(t)"),
        ("dv/dt = 1/(2 - 2) - v : 1", {"method": "euler"}, "these numbers give none", "1/(2 - 2)"),
        ("dv/dt = -v : 1", {"threshold": "v >"}, "cannot be read", ""),
        ("dv/dt = -v : 1", {"threshold": "v > 1", "reset": "w = 0"}, "w is no variable", "w = 0"),
        ("dv/dt = -v : 1", {"threshold": "v > c"}, "the name 'c' is unknown", "c"),
    ],
)
def test_a_wrong_equation_is_refused_with_its_place(equations: str, how: dict[str, Any], what: str, at: str):
    problem = refusal(equations, **how)
    assert problem.code == "T113" and what in str(problem)
    assert pointed(problem).startswith(at)
    assert "test_text.py" in str(problem)


@pytest.mark.parametrize(
    ("equations", "what"),
    [
        ("", "there is no equation"),
        ("dv/dt = -v : 1\n" * 501, "at most 500"),
        ("dv/dt = -v" + " + v" * LONGEST + " : 1", "at most 4000"),
        ("dv/dt = " + "-" * 500 + "v : 1", "more than 150 operations"),
        ("dv/dt = v" + " + v" * 500 + " : 1", "more than 150 operations"),
        ("dv/dt = " + "(" * 900 + "v" + ")" * 900 + " : 1", "cannot be read"),
    ],
)
def test_texts_without_end_are_refused(equations: str, what: str):
    problem = refusal(equations)
    assert problem.code == "T113" and what in str(problem)


@pytest.mark.parametrize(
    ("equations", "constants", "what", "at"),
    [
        ("dv/dt = -v : volt", {}, "units disagree", "-v"),
        ("dv/dt = (v - w)/tau : volt\ndw/dt = -w/tau : amp\ntau : second", {"tau": 0.01}, "volt and amp", "w)/tau"),
        ("dv/dt = -v/tau + exp(v)/tau : volt\ntau : second", {"tau": 0.01}, "exp takes a number", "v)/tau"),
        ("dv/dt = -v/tau : volt\ntau : second", {"tau": "10*mV"}, "units of tau disagree", "second"),
        ("dv/dt = -v/tau + mV*xi : volt\ntau : second", {"tau": 0.01}, "do not go together", "mV*xi"),
        ("dv/dt = (v**1.5 - v)/tau : volt\ntau : second", {"tau": 0.01}, "do not go together", "v)/tau"),
        ("dv/dt = -v/tau : volt", {"tau": 0.01}, "units disagree", "-v/tau"),
        ("dv/dt = -v/tau : volt", {"tau": 0.01}, "dv/dt is volt/second", "-v/tau"),
        ("dv/dt = -v/tau : volt", {"tau": 0.01}, "tau is given without a unit", "-v/tau"),
    ],
)
def test_units_that_disagree_are_pointed_at(equations: str, constants: dict[str, Any], what: str, at: str):
    problem = refusal(equations, constants=constants)
    assert problem.code == "T113" and what in str(problem)
    assert pointed(problem).startswith(at)


@pytest.mark.parametrize("wrong", [{"equations": None}, {"equations": {"v": "-v"}}, {"threshold": 1.0}])
def test_equations_are_texts(wrong: dict[str, Any]):
    given = {"equations": "dv/dt = -v : 1", **wrong}
    with pytest.raises(tc.ThermocError, match="is a text") as caught, tc.Network("n"):
        tc.dynamics(**given)
    assert caught.value.code == "T111"


def test_shapes_that_disagree_are_told_by_name():
    with pytest.raises(tc.ThermocError, match="tau has shape") as caught, tc.Network("n"):
        tc.dynamics("dv/dt = (I - v)/tau : 1", constants={"I": np.ones(3), "tau": np.ones(4)})
    assert caught.value.code == "T103" and "I has shape [3]" in str(caught.value)


def test_units_that_agree_pass_and_numbers_are_si():
    with tc.Network("cell", dt=1e-4) as net:
        v = tc.dynamics(
            "dv/dt = (E - v)/tau + R*I/tau + sigma*xi*tau**-0.5 : volt\ntau : second\nE : volt\nR : ohm\nI : amp\nsigma : volt",
            constants={"tau": "10*ms", "E": "-70*mV", "R": "0.1*Gohm", "I": "200*pA", "sigma": "0*mV"},
            initial={"v": "-70*mV"},
        )["v"]
        tc.output("v", v)
    end = tc.compile(net, "sim").run(ticks=2000)["v"][-1]
    assert np.allclose(end, -0.05, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "size", "unit"),
    [("3*mV", 3e-3, "volt"), ("10*uA/cm**2", 0.1, ""), ("2*ms", 2e-3, "second"), ("5", 5.0, "1")],
)
def test_quantities_are_brian2s(text: str, size: float, unit: str):
    found, dimension = dimensions.quantity(text)
    assert found == pytest.approx(size, rel=1e-15)
    assert not unit or dimensions.text_of(dimension) == unit


def test_units_are_those_of_brian2():
    brian2 = pytest.importorskip("brian2")
    for name, (size, powers) in dimensions.units().items():
        theirs = getattr(brian2, name, None) or getattr(brian2.units.allunits, name, None)
        if theirs is None:
            continue
        assert float(theirs) == pytest.approx(size, rel=1e-12), name
        assert [float(p) for p in powers] == [
            theirs.dim.get_dimension(key) for key in ("m", "kg", "s", "A", "K", "mol")
        ], name


@pytest.mark.parametrize(
    ("method", "rate"), [("euler", 2.0), ("heun", 2.0), ("rk2", 2.0), ("rk4", 2.785), ("milstein", 2.0)]
)
def test_a_step_beyond_stability_is_refused_and_one_within_is_not(method: str, rate: float):
    noise = " + 0.1*xi" if method == "milstein" else ""
    problem = refusal(f"dv/dt = -k*v{noise} : 1", dt=0.1, constants={"k": rate * 10.1}, method=method)
    assert problem.code == "T214" and pointed(problem).startswith("-k*v")
    dt = float(re.search(r"dt <= ([0-9.e-]+)", str(problem))[1])  # type: ignore[index]
    assert dt == pytest.approx(0.1 / 1.01, rel=0.01)
    with tc.Network("short", dt=0.1) as net:
        tc.output("v", tc.dynamics(f"dv/dt = -k*v{noise} : 1", constants={"k": rate * 9.9}, method=method)["v"])
    with pytest.raises(tc.ThermocError, match="T214"):
        run_passes(net.graph, [Discretize(dt=0.11)])


def test_what_is_given_must_fit():
    assert "stands in no equation" in str(refusal("dv/dt = -v : 1", inputs={"x": 1.0}))
    assert refusal("dv/dt = -v : 1", initial={"w": 1.0}).code == "T111"
    assert refusal("dv/dt = -v : 1", n=3, initial={"v": [1.0, 2.0]}).code == "T103"
    assert refusal("dv/dt = a*b : 1", constants={"a": [1.0, 2.0], "b": [1.0, 2.0, 3.0]}).code == "T103"
    assert "there is no method 'rk5'" in str(refusal("dv/dt = -v : 1", method="rk5"))


def test_a_function_and_its_derivative_are_the_same_in_every_algebra():
    """What SymPy says of df/dx, read back, against differences; each function once."""
    forms = {"clip": "clip({}, -2, 2)", "min": "min({}, 2)", "max": "max({}, -2)", "where": "where({0} > 9, 1, {0}**2)"}
    forms["int"] = "int({0} > 9) + {0}"
    at = 0.37
    for name in FUNCTIONS:
        text = forms.get(name, f"{name}({{}})").format("(2*x + 0.1)")
        system = read(f"dx/dt = {text} : 1")
        value = evaluate(parse(text), {"x": np.array(at)}, ARRAYS)
        python = evaluate(parse(text), {"x": at}, ARRAYS)
        assert np.allclose(value, python, rtol=1e-14), name
        entry = analysis(system).jacobian.get((0, 0))
        slope = 0.0 if entry is None else evaluate(entry, {"x": np.array(at)}, ARRAYS)
        h = 1e-6
        ends = [evaluate(parse(text), {"x": np.array(at + s)}, ARRAYS) for s in (h, -h)]
        assert slope == pytest.approx((ends[0] - ends[1]) / (2 * h), abs=1e-6), name


def test_reading_evaluates_nothing():
    """Towers of powers would never end; they are numbers that are none."""
    with pytest.raises(EquationProblem):
        evaluate(parse("9**9**9**9"), {}, ARRAYS)
    problem = refusal("dv/dt = -v*9**9**9**9 : 1", method="euler")
    assert problem.code == "T113"
