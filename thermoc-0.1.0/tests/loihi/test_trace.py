"""A trace recorded on a Loihi 2 chip, tick by tick: one LIF unit of the NIR paper (Pedersen et al. 2024)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from loihi.plain import reference

import thermoc as tc

SPIKES = [461, 511, 711, 761]
TICK, TAU, THRESHOLD = 1e-4, 2.5e-3, 0.1
SHOWN_ON_SPIKES = 128
"""What the chip's probe shows in a tick with a spike, where the membrane is reset."""


def unit() -> tc.Network:
    """The file ``lif_norse.nir`` in integers: a step of tick / tau adds 10 << 6 to the membrane, so 0.1 is 25 << 6."""
    decay = TICK / TAU
    step = 10 << 6
    with tc.Network("lif") as net:
        a = tc.loihi.dense(tc.input("x", (1,), dtype="i32"), [[10]])
        s, v, _ = tc.loihi.lif(a, du=4095, dv=int(decay * 4096), vth=round(THRESHOLD / decay * step) >> 6)
        tc.output("s", s)
        tc.output("v", v)
    return net


def trace(shared: Path, name: str) -> np.ndarray:
    return np.genfromtxt(shared / "nir" / "paper" / "01_lif" / f"lif_{name}.csv", delimiter=",").astype(int)


@pytest.mark.parametrize(("name", "shown"), [("lava_loihi_fixed", SHOWN_ON_SPIKES), ("lava_cpu_fixed", 0)])
@pytest.mark.parametrize("runs", ["reference", "sim"])
def test_every_tick_of_the_chip(shared: Path, name: str, shown: int, runs: str):
    """1000 of 1000 membranes, and the spikes: the chip, Lava on a CPU, the reference and the simulator agree."""
    x, v, s = trace(shared, name).T
    given = {"x": x.reshape(-1, 1, 1)}
    net = unit()
    found = reference(net, given).outputs if runs == "reference" else tc.compile(net, "sim").run(given).outputs
    assert np.flatnonzero(found["s"]).tolist() == np.flatnonzero(s).tolist() == SPIKES
    np.testing.assert_array_equal(np.where(s, shown, found["v"].ravel()), v)
    assert len(v) == 1000
