"""Rates, time constants and masses that would make a run nonsense are refused when a network is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc.ir import dialects  # noqa: F401  # pyright: ignore[reportUnusedImport]  (registers the ops)
from thermoc.ir.ops import REGISTRY

NOT_ZERO = {"tau", "tau_syn", "tau_mem", "mass", "capacity", "mobility", "stiffness", "sigma"}
NOT_NEGATIVE = {"friction", "gamma"}


Write = Callable[[Any], Any]


def refused(write: Write) -> tc.ThermocError:
    with pytest.raises(tc.ThermocError) as caught, tc.Network("n", dt=0.1):
        tc.output("y", write(tc.input("x", (3,))))
    return caught.value


OUTSIDE: list[tuple[Write, str]] = [
    (lambda x: tc.lif(x, tau=0.0)[0], "tau = 0.0"),
    (lambda x: tc.li(x, tau=np.array([1.0, -2.0, 1.0])), "tau[1] = -2.0"),
    (lambda x: tc.cuba_lif(x, tau_syn=1.0, tau_mem=-1.0)[0], "tau_mem = -1.0"),
    (lambda x: tc.trace(x, tau=-1.0), "tau = -1.0"),
    (lambda x: tc.memory(x, T=0.1, gamma=0.0), "gamma = 0.0"),
    (lambda x: x + tc.noise(0.1, gamma=-1.0, shape=(3,)), "gamma = -1.0"),
    (lambda x: tc.langevin(x, T=0.1, friction=-1.0)[0], "friction = -1.0"),
    (lambda x: tc.heat_exchange(np.zeros((3, 3)), 1.0, gamma=-1.0), "gamma = -1.0"),
    (lambda x: tc.kinetic_energy(x, mass=0.0), "mass = 0.0"),
]


@pytest.mark.parametrize("write, fact", OUTSIDE)
def test_a_number_outside_its_bounds_is_named_with_its_place(write: Write, fact: str):
    """Before, units grew without bound or became nan, and no message said why."""
    problem = refused(write)
    assert problem.code == "T105" and len(problem.findings) == 1
    assert problem.findings[0].notes == (fact,) and problem.findings[0].where is not None


def test_a_replaced_parameter_keeps_the_bounds():
    with tc.Network("n", dt=0.1) as net:
        tc.output("y", tc.memory(tc.input("x", (3,)), T=0.1, gamma=tc.parameter("gamma", 1.0)))
    with pytest.raises(tc.ThermocError, match="gamma must be > 0"):
        net.with_parameters({"gamma": -1.0})


@pytest.mark.parametrize("opname", sorted(name for name in REGISTRY if name.split(".")[0] in ("thermo", "spiking")))
def test_every_op_bounds_its_rates_time_constants_and_masses(opname: str):
    """Whatever op has an operand of these names says that it may not be negative, or not 0."""
    cls = REGISTRY[opname]
    for name in (NOT_ZERO | NOT_NEGATIVE) & cls.operand_specs.keys():
        worst = 0.0 if name in NOT_ZERO else -1.0
        # Without its attributes: an op asks its numbers for their bounds before anything else.
        problems = cls.problems(object.__new__(cls), {name: np.array(worst)})
        assert next(iter(problems)).notes == (f"{name} = {worst}",)
