"""``verify`` fails on each of ten broken lowerings to the chip, and holds on the right ones, over random networks.

The suite takes a few networks; ``VERIFY_NETWORKS=0:50`` takes those of these numbers.
"""

from __future__ import annotations

import os

import pytest
from breakages import BREAKAGES, inputs, random_network

import thermoc as tc
from thermoc import plugins

FIRST, STOP = (int(end) for end in os.environ.get("VERIFY_NETWORKS", "0:2").split(":"))
NETWORKS = range(FIRST, STOP)


@pytest.fixture(autouse=True)
def breaking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(plugins.OURS, "breaking-lava", "breakages:BreakingLava")


def verified(number: int, fault: str = "", *, after: bool = False) -> tc.Verification:
    net = random_network(number)
    options = {"runtime": "reference", "fault": fault, "after": after}
    return tc.verify(net, ["breaking-lava"], inputs=inputs(net, number), options={"breaking-lava": options})


@pytest.mark.parametrize("number", NETWORKS)
def test_a_right_lowering_holds(number: int):
    found = verified(number)
    assert found.ok, str(found)
    judged = {row.value: row for row in found.rows if row.error == "lowering"}
    assert judged["(units)"].beyond == 0 and judged["(units)"].count > 0


@pytest.mark.parametrize("fault", BREAKAGES)
@pytest.mark.parametrize("number", NETWORKS)
def test_a_broken_lowering_fails_and_the_pass_is_named(number: int, fault: str):
    found = verified(number, fault)
    assert not found.ok, str(found)
    assert {breach.error for breach in found.breaches} == {"lowering"}
    (breach,) = found.breaches
    assert breach.step is not None and breach.step.startswith("quantize")


@pytest.mark.parametrize("fault", ["weights 0", "a delay", "a temperature"])
def test_a_pass_behind_the_inexact_one_is_held_to_the_last_bit(fault: str):
    found = verified(FIRST, fault, after=True)
    (breach,) = found.breaches
    assert not found.ok and breach.step is not None and breach.step.startswith("break")
