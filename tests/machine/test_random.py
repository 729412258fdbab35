"""Random networks over every op on a chip: the numbers are the simulator's, and the die changes none that are not drawn.

But for devices, of which a chip holds its own model alone (tests/devices).
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import STEPS, given_inputs, networks

import thermoc as tc


@pytest.mark.slow
@pytest.mark.parametrize("step", [step for step in STEPS if step != "devices"])
@settings(max_examples=1)
@given(data=st.data())
def test_random_networks_run_on_a_chip(step: str, data: st.DataObject):
    net = data.draw(networks(last=step, most=4))
    assume(not any(op.opname == "thermo.device" for op in net.graph.ops))
    inputs = given_inputs(net)
    how = {"ticks": 4, "seed": 3} if inputs else {"ticks": 4, "batch": 3, "seed": 3}
    plain = tc.compile(net, "sim").run(inputs, **how)
    # on a die places differ, and units of an OU network share their temperature
    die = data.draw(st.booleans()) and not any(op.opname == "thermo.ou_network" for op in net.graph.ops)
    run = tc.compile(net, "chip", chip="thermo-1", temperature="die" if die else "model").run(inputs, **how)
    for name in plain.outputs:
        assert run[name].shape == plain[name].shape
        if not run.chip.run.artefact.factors:
            assert np.array_equal(run[name], plain[name], equal_nan=True), name
    report = run.chip
    assert abs(report.heat_gap) < 1e-9 * report.heat_in
    assert sum(op.joules for op in report.ops) == pytest.approx(report.joules, rel=1e-9)
