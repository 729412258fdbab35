"""Verdicts, power and controls: what a run could not have shown is not said to hold, and what is wrong is noticed.

A certificate of a right run fails with a chance of 1e-4; seeds are fixed. ``benchmarks/certificate_power.py`` has more.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import thermoc as tc
from thermoc.certificates import controls, significance
from thermoc.certificates.judging import level_of, overall
from thermoc.certificates.law import CANNOT_TELL, FAILS, HOLDS, Finding, Law
from thermoc.certificates.laws import LAWS, Rule
from thermoc.certificates.observed import Observed
from thermoc.ir.dialects import core
from thermoc.ir.ops import CONTINUOUS, REGISTRY, STATEFUL, STOCHASTIC
from thermoc.ir.types import Role


def module_at(path: Path) -> Any:
    """Return the module of a file without its folder on ``sys.path``, where its neighbours would hide tests' folders."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


breakages = module_at(Path(__file__).parents[2] / "benchmarks" / "breakages.py")
CASES = {case.what: case for case in breakages.CASES}
QUICK = (
    *("noise uniform instead of normal", "draws shared by pairs of units", "draws opposite by pairs of units"),
    *("categorical: temperature x1.05", "categorical: drives reversed", "heat network: conductances x1.05"),
    *("diffusion: D x1.05", "heat exchange: gamma x1.05", "schedule: T0 x1.05", "spring at omega dt = 1"),
    *("fluctuating heat network: conductances x1.05", "p-bits: temperature x1.05"),
)


def seen(ticks: int = 800) -> Observed:
    """An op that was seen for some ticks, to measure laws on."""
    op = core.Neg(x=core.Value("x"), y=core.Value("y"))
    return Observed(
        op=op,
        label="an op",
        arrays={"x": np.zeros((ticks, 1))},
        constants={},
        dt=1.0,
        first_tick=0,
        warmup=0,
        since=0,
        moving="",
        single=False,
    )


@pytest.mark.parametrize("what", QUICK)
def test_what_is_wrong_by_five_percent_fails_at_800_ticks_of_32_samples(what: str):
    certificate = CASES[what].certified(ticks=800, batch=32, seed=5)
    assert certificate.verdict == FAILS, str(certificate)
    assert any(law.verdict == FAILS for law in certificate.laws if law.law != "seed"), str(certificate)
    with pytest.raises(tc.ThermocError, match=r"(?s)T406.*the laws do not hold"):
        certificate.check()


@pytest.mark.parametrize("make", [breakages.ornstein_uhlenbeck, breakages.ring, breakages.brownian, breakages.free])
def test_a_short_run_that_is_right_cannot_tell(make: Callable[[], tc.Network]):
    certificate = tc.certify(tc.compile(make()).run(ticks=40, batch=4, seed=1))
    assert certificate.verdict == CANNOT_TELL and not certificate.holds
    needed = [law.needed for law in certificate.laws if law.verdict == CANNOT_TELL]
    assert needed and all(ticks is not None and ticks > 10 for ticks in needed)
    with pytest.raises(tc.ThermocError, match=r"(?s)T406.*too short.*run some \d+ ticks"):
        certificate.check()


def test_a_particle_that_diffuses_freely_is_not_asked_to_mix():
    certificate = tc.certify(tc.compile(breakages.free()).run(ticks=400, batch=32, seed=1))
    assert certificate.holds, str(certificate)
    assert any("diffuses freely" in item["reason"] for item in certificate.document["skipped"])


def test_as_long_as_it_says_is_long_enough():
    short = tc.certify(tc.compile(breakages.springs()).run(ticks=100, batch=4, seed=1))
    needed = max(law.needed or 0 for law in short.laws)
    assert 100 < needed < 2000
    assert tc.certify(tc.compile(breakages.springs()).run(ticks=int(1.5 * needed), batch=4, seed=1)).holds


def test_the_power_that_is_printed_is_the_power():
    """A bias of the size that would be shown with 99 % is shown in nine of ten runs and more (0.1 % for 19 of 20)."""
    found = breakages.Case(what="", network=breakages.springs).certified(ticks=200, batch=16, seed=1)
    law = next(law for law in found.laws if law.statement.endswith("variance 1"))
    assert law.bias is not None and 0.05 < law.bias < 0.25
    case = breakages.Case(
        what="",
        network=breakages.springs,
        broken=breakages.scaled(breakages.diffusive.OuNetwork, "T", 1 + law.bias),
    )
    verdicts = [case.certified(ticks=200, batch=16, seed=seed).verdict for seed in range(10)]
    assert verdicts.count(FAILS) >= 9


@pytest.mark.parametrize("control", ["wrong temperature", "frozen", "permuted couplings", "shared noise"])
def test_every_control_is_there_and_caught(control: str):
    K = np.array([[2.0, 0.5, 0], [0.5, 1.0, 0], [0, 0, 3.0]])
    with tc.Network("springs", dt=0.4) as net:
        tc.output("x", tc.ou_network(K, 0.6, [0.3, 0.0, -1.0]))
    certificate = tc.certify(tc.compile(net).run(ticks=800, batch=8, seed=2))
    assert [item.verdict for item in certificate.controls if item.control == control] == [HOLDS]


def test_a_certificate_that_is_blind_to_a_control_does_not_hold(monkeypatch: pytest.MonkeyPatch):
    rule = LAWS[breakages.thermo.Memory]
    blind = replace(rule, check=lambda observed: (law for law in rule.check(observed) if "P49" in str(law)))
    monkeypatch.setitem(LAWS.entries, breakages.thermo.Memory, blind)
    certificate = tc.certify(tc.compile(breakages.ornstein_uhlenbeck()).run(ticks=800, batch=32, seed=1))
    assert all(law.holds for law in certificate.laws)
    assert certificate.verdict == FAILS
    with pytest.raises(tc.ThermocError, match=r"control: wrong temperature"):
        certificate.check()


def test_every_stochastic_or_thermodynamic_op_has_laws_or_says_why_not():
    ours = [cls for cls in REGISTRY.values() if cls.__module__.startswith("thermoc.")]
    heat = {Role.temperature, Role.energy}
    told = {STATEFUL, STOCHASTIC, CONTINUOUS}
    asked = [
        cls
        for cls in ours
        if cls.opname.startswith("thermo.")
        and cls.traits & told
        and (STOCHASTIC in cls.traits or {spec.role for spec in cls.result_specs.values()} & heat)
    ]
    assert len(asked) >= 18
    assert not [cls.opname for cls in asked if cls not in LAWS]


def test_every_rule_states_its_laws_and_its_controls():
    for cls, rule in LAWS.entries.items():
        assert isinstance(rule, Rule) and rule.laws, cls.opname
        assert set(rule.moves) <= cls.result_specs.keys(), cls.opname
        assert set(rule.controls) <= controls._FALSIFIERS.keys(), cls.opname
        assert not rule.couplings or rule.couplings in cls.operand_specs, cls.opname
        # of devices the energy account alone is looked at, and the certificate says so
        if STOCHASTIC in cls.traits and cls.opname != "thermo.device":
            assert {"frozen", "shared noise"} <= set(rule.controls), cls.opname


@pytest.mark.parametrize("make", [*breakages.HONEST, breakages.exchange, breakages.equations])
def test_what_is_measured_is_what_the_rule_states(make: Callable[[], tc.Network]):
    run = tc.compile(make()).run(ticks=100, batch=8, seed=1)
    source = run.call.executable.source  # type: ignore[union-attr]
    rules = {f"{op.opname} {op.results[0]}": LAWS[type(op)] for op in source.ops if type(op) in LAWS}
    for law in tc.certify(run).laws:
        if law.law == "seed":
            continue
        stated = rules[law.op].laws
        assert law.law in stated, (law.op, law.law)
        assert law.statistic in stated[law.law], (law.op, law.law, law.statistic)


def findings(*chances: float | None) -> list[Finding]:
    made = significance.exact(seen(), "P45", "a law", 0.0, 1)
    return [replace(made, p=p) for p in chances]


def test_holm_steps_down():
    assert level_of(findings(0.5, 0.6), 1e-4) == 0.5e-4
    assert level_of(findings(1e-5, 0.7e-4, 0.5), 1e-4) == 0.5e-4  # 0.7e-4 > 1e-4 / 2
    assert level_of(findings(1e-5, 0.4e-4, 0.5), 1e-4) == 1e-4
    assert level_of(findings(None, None), 1e-4) == 1e-4


def test_a_law_that_fails_counts_more_than_one_that_cannot_be_told():
    assert overall([HOLDS, CANNOT_TELL, FAILS]) == FAILS
    assert overall([HOLDS, CANNOT_TELL]) == CANNOT_TELL
    assert overall([HOLDS]) == HOLDS and overall([]) == CANNOT_TELL


@pytest.mark.parametrize("level", [1e-3, 1e-6])
def test_a_bound_is_where_the_chance_is_the_level(level: float):
    rng = np.random.default_rng(3)
    z = rng.normal(size=(400, 4, 3))
    x = np.exp(rng.normal(size=(400, 4)))
    for finding in (
        significance.normal(seen(), "P", "a", 0.1, 1.0, 9, dof=20, skew=0.3),
        significance.variance(seen(), "P", "a", 1.2 * z.size, z.size, "temperature"),
        significance.anderson_darling(seen(), "P", "a", z),
        significance.mean(seen(), "P", "a", x, np.exp(0.5)),
        significance.counted(
            seen(), "P", "a", significance.Sum(off=9.0, variance=40.0, largest=1.0, information=100.0), 9, bias_of="p"
        ),
    ):
        bound, side = finding.bound(level), 1 if finding.measured >= finding.expected else -1
        assert finding.at(level, 1.0).level == level
        assert bound > 0
        wider, narrower = (finding.bound(level * factor) for factor in (0.5, 2.0))
        assert wider > bound > narrower
        if finding.statistic == "Student's t" and finding.details.get("ess") is None:
            score = bound * side
            assert significance.normal(seen(), "P", "a", score, 1.0, 9, dof=20, skew=0.3).p == pytest.approx(
                level, rel=1e-3
            )


def test_anderson_and_darlings_tail():
    """Against the quantiles of their paper (1954): 2.492, 3.857 and 6.0 at 5, 1 and 0.1 %."""
    for a2, p in ((2.492, 0.05), (3.857, 0.01), (6.0, 0.001)):
        assert np.sqrt(3) * stats.norm.sf(np.sqrt(2 * a2)) * 2 == pytest.approx(p, rel=0.12)


@pytest.mark.parametrize("expected", [0.01, 0.5, 400.0])
def test_few_events_are_no_alarm(expected: float):
    """Bennett's bound is above the chance of a Poisson number of events, however few are expected."""
    for events in (1, 5, 30, 500, 520):
        sum_ = significance.Sum(off=events - expected, variance=expected, largest=1.0, information=1.0)
        p = significance.counted(seen(), "P", "a", sum_, 9, bias_of="p").p
        assert p is not None
        if events > expected and p < 1e-2:
            assert p >= 0.9 * stats.poisson.sf(events - 1, expected)


def test_a_rate_at_which_all_holds_is_refused():
    run = tc.compile(breakages.p_bits()).run(ticks=10, batch=4)
    for asked in ({"false_alarms": 0.0}, {"false_alarms": 1e-300}, {"resolution": 2.0}):
        with pytest.raises(tc.ThermocError, match="T404"):
            tc.certify(run, **asked)


def test_verdicts_are_read_from_numbers():
    law = Law(law="P47", op="a", statement="b", measured=0.1, expected=0.0, bound=0.2, samples=1)
    assert law.verdict == HOLDS
    assert replace(law, needed=900.0).verdict == CANNOT_TELL
    assert replace(law, bound=0.05, needed=900.0).verdict == FAILS
    assert replace(law, bound=float("nan")).verdict == FAILS
    assert Law.of(law.to_json()) == law


@pytest.mark.parametrize("side, asked", [("both", ("1", 0.25)), ("below", ("<= 1.25", "")), ("above", (">= 0.75", ""))])
def test_a_law_of_one_side_has_one_limit(side: str, asked: tuple[str, float | str]):
    law = Law(law="P49", op="an op", statement="it is 1", measured=1.1, expected=1.0, bound=0.25, side=side, samples=9)
    assert law.asked == asked and law.holds
