"""A target of integers declares how far its values are off; laws that are exact elsewhere are held to that.

The numbers of Loihi's emulator are the same at every run, so nothing here fails by chance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc.certificates import certificate as certificates
from thermoc.certificates.law import CANNOT_TELL, FAILS, HOLDS
from thermoc.certificates.observed import Observed
from thermoc.certificates.significance import exact
from thermoc.ir.dialects import core
from thermoc.session import run_again

CHAIN = np.diag(np.full(4, 0.3), 1) + np.diag(np.full(4, 0.3), -1)
HOT = np.linspace(1.0, 2.0, 5)


def heated(share: float = 1.0) -> tc.Network:
    """Five nodes in a row, the first of which is heated, and the entropy that they make."""
    with tc.Network("heated", dt=0.2) as net:
        T = tc.heat_network(np.array([0.2, 0, 0, 0, 0]), np.ones(5), share * CHAIN, HOT, ambient=0.1)[0]
        tc.output("T", T)
        tc.output("S", tc.entropy_production(T, CHAIN))
    return net


def exchanging(share: float = 1.0) -> tc.Network:
    """Five units that exchange heat."""
    with tc.Network("exchanging", dt=0.2) as net:
        tc.output("T", tc.heat_exchange(share * CHAIN, HOT, 0.1))
    return net


def diffusing(share: float = 1.0) -> tc.Network:
    """A grid of cells."""
    with tc.Network("diffusing", dt=0.05) as net:
        tc.output("T", tc.diffusion(np.linspace(1, 2, 16).reshape(4, 4), D=0.3 * share)[0])
    return net


def emulated(net: tc.Network) -> tc.Executable:
    return tc.compile(net, "lava", runtime="reference")


@pytest.mark.parametrize("make", [heated, exchanging, diffusing])
def test_heat_on_loihi_is_held_to_what_it_declares(make: Callable[[], tc.Network]):
    certificate = tc.certify(emulated(make()).run(ticks=400, batch=2, seed=1))
    assert all(law.verdict == HOLDS for law in certificate.laws), str(certificate)
    (step,) = (law for law in certificate.laws if "each" in law.statement and law.bias_of not in ("gamma", ""))
    assert 1e-8 < abs(step.measured) < step.bound < 1e-3
    assert step.bias is not None and step.bound < step.bias < 0.25


@pytest.mark.parametrize("make", [heated, exchanging, diffusing])
def test_what_is_wrong_on_loihi_fails_beyond_what_it_declares(
    make: Callable[..., tc.Network], monkeypatch: pytest.MonkeyPatch
):
    """A parameter that is larger by a fifth."""
    right, wrong = emulated(make()), make(1.2).graph

    def repeated(compiled: Any, call: Any) -> Any:
        return run_again(compiled.recompiled(certificates._instrumented(wrong)), call).outputs

    monkeypatch.setattr(certificates, "_repeated", repeated)
    certificate = tc.certify(right.run(ticks=400, batch=2, seed=1))
    assert {law.verdict for law in certificate.laws if "each" in law.statement} == {FAILS}, str(certificate)


def test_the_entropy_that_conduction_makes_is_looked_at():
    certificate = tc.certify(tc.compile(heated()).run(ticks=200, batch=2, seed=1))
    assert certificate.verdict == HOLDS, str(certificate)
    assert any(law.law == "P30" and law.samples == 400 for law in certificate.laws)


@pytest.mark.parametrize(
    "off, gap, verdict",
    [(0.0, 0.1, FAILS), (0.2, 0.1, HOLDS), (np.inf, 0.1, CANNOT_TELL), (np.inf, 0.0, HOLDS)],
)
def test_without_a_bound_only_rounding_holds(off: float, gap: float, verdict: str):
    neg: Any = core.Neg
    observed = Observed(
        op=neg(x=core.Value("x"), y=core.Value("y")),
        label="an op",
        arrays={"x": np.zeros((9, 1))},
        constants={},
        dt=1.0,
        first_tick=0,
        warmup=0,
        since=0,
        moving="",
        single=False,
        off={"x": off},
    )
    law = exact(observed, "P45", "a sum stays", gap, 9, tolerance=observed.room(1.0, x=1.0)).at(1e-5, 0.25)
    assert law.verdict == verdict
