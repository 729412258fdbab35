"""Energy of particles without friction: followed where the potential is known, and said where it is not.

Nothing here is drawn but initial velocities, of a fixed seed: nothing fails by chance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc.certificates import Certificate, Law, certificate
from thermoc.session import run_again

VELOCITIES = np.random.default_rng(1).normal(size=(20, 3))


def pushed(force: float, friction: float | np.ndarray = 0.0) -> tc.Network:
    """Twenty particles that feel each other not at all."""
    with tc.Network("ideal gas", dt=0.05) as net:
        f = np.full((20, 3), force)
        tc.output("x", tc.langevin(f, 1.0, mass=2.0, friction=friction, velocity=VELOCITIES)[0])
    return net


def swinging() -> tc.Network:
    """A particle in a potential that is written in core ops."""
    with tc.Network("pendulum", dt=0.05) as net:
        f = tc.placeholder((3,))
        x, _ = tc.langevin(f, 1.0, friction=0.0, initial=[0.1, 0.2, 0.3])
        tc.connect(f, -x)
        tc.output("x", x)
    return net


def certified(net: tc.Network) -> Certificate:
    return tc.certify(tc.compile(net).run(ticks=300, batch=2, seed=1))


def energy_law(certificate: Certificate) -> Law:
    return next(law for law in certificate.laws if law.statement.startswith("energy stays"))


@pytest.mark.parametrize("force", [0.0, 0.7])
def test_energy_of_a_constant_force_stays_to_rounding(force: float):
    law = energy_law(certified(pushed(force)))
    assert law.holds and law.bound == 1e-10 and abs(law.measured) < 1e-12


@pytest.mark.parametrize("force", [0.0, 0.7])
def test_a_friction_of_a_millionth_is_noticed(force: float, monkeypatch: pytest.MonkeyPatch):
    wrong = pushed(force, 1e-6).graph

    def repeated(compiled: Any, call: Any) -> Any:
        return run_again(compiled.recompiled(certificate._instrumented(wrong)), call).outputs

    monkeypatch.setattr(certificate, "_repeated", repeated)
    assert energy_law(certified(pushed(force))).verdict == "fails"


@pytest.mark.parametrize(
    "net, reason",
    [
        (swinging(), "neither constant nor that of pairs and bonds alone"),
        (pushed(0.0, np.repeat([0.0, 1.0], 30).reshape(20, 3)), "some of its units have friction"),
    ],
)
def test_energy_that_cannot_be_followed_is_said_to_be_so(net: tc.Network, reason: str):
    found = certified(net)
    assert not any("energy stays" in law.statement for law in found.laws)
    assert [reason in item["reason"] for item in found.document["skipped"] if "(energy)" in item["law"]] == [True]
    assert "P45 (energy) thermo.langevin" in str(found)
