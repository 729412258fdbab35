"""Random networks over every op on a chip: the numbers are the simulator's, and the die changes none that are not drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import STEPS, given_inputs, networks

import thermoc as tc


@pytest.mark.parametrize("step", STEPS)
@settings(max_examples=1)
@given(data=st.data())
def test_random_networks_run_on_a_chip(step: str, data: st.DataObject):
    net = data.draw(networks(last=step, most=4))
    inputs = given_inputs(net)
    how = {"ticks": 4, "seed": 3} if inputs else {"ticks": 4, "batch": 3, "seed": 3}
    plain = tc.compile(net, "sim").run(inputs, **how)
    die = data.draw(st.booleans())
    run = tc.compile(net, "chip", chip="thermo-1", temperature="die" if die else "model").run(inputs, **how)
    for name in plain.outputs:
        assert run[name].shape == plain[name].shape
        if not run.chip.run.artefact.factors:
            assert np.array_equal(run[name], plain[name], equal_nan=True), name
    report = run.chip
    assert abs(report.heat_gap) < 1e-9 * report.heat_in
    assert sum(op.joules for op in report.ops) == pytest.approx(report.joules, rel=1e-9)
