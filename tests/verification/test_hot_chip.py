"""A chip at its die's own heat: what it gives differs on purpose, and verification says where, without a traceback."""

from __future__ import annotations

from typing import Any

import pytest

import thermoc as tc
from thermoc.demo import CHIP, calibrated, digits, network


@pytest.mark.slow
def test_digits_at_the_dies_own_heat_are_held_against_the_reference():
    data, net = digits(), network()
    options: dict[str, Any] = {"chip": CHIP, **calibrated(data), "temperature": "die"}
    verified = tc.verify(net, ["chip"], inputs={"pixels": data.test_images[:8]}, options={"chip": options})
    emission = [breach for breach in verified.breaches if breach.error == "emission"]
    assert not verified.ok and emission, "units that draw at the die's heat are held to be those of the operand"
    assert "the target computes another graph" in str(verified)
    assert verified.outcomes["chip"][1].outputs["probs"].shape[1:] == (8, 10)
    assert verified.report().document["targets"] is not None
