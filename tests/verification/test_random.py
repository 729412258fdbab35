"""Random networks over every op: the targets hold their bounds on them, and their text is a fixpoint."""

from __future__ import annotations

import pytest
from fuzz import check
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import STEPS, networks

from thermoc.ir.ops import REGISTRY

SEEN: dict[str, set[str]] = {}


@pytest.mark.brian2
@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
@settings(max_examples=3)
@given(data=st.data())
def test_targets_hold_their_bounds_on_random_networks(step: str, data: st.DataObject):
    """Three a step, which comes last in them: some 300 in all; the first is run on Brian2 too."""
    net = data.draw(networks(last=step))
    targets = ["sim", "onnx", "brian2"] if step not in SEEN else ["sim", "onnx"]
    SEEN.setdefault(step, set()).update(op.opname for op in net.graph.ops)
    check(net, targets, data.draw(st.sampled_from(["float64", "float32"])))


def test_the_random_networks_hold_every_op():
    """Of the networks of the test before; where they were drawn elsewhere, all that can be said is nothing."""
    if SEEN.keys() != STEPS.keys():
        pytest.skip("not every step was drawn in this process")
    # what discretize makes of thermo.device, and nobody writes
    missing = sorted(REGISTRY.keys() - set().union(*SEEN.values()) - {"thermo.device_step"})
    assert not missing, f"no network has {missing}: add a step to tests/strategies.py"
