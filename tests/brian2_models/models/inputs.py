"""Inputs: tables of time, given spikes, Poisson sources."""

# pyright: reportArgumentType=false
# (Brian2's constructors say less than they take)

from __future__ import annotations

import numpy as np
from brian2_models.models.registry import Objects, model


@model
def timed_arrays() -> Objects:
    """frompapers/Brette_2004 and others: drives that are tables of time, one for all and one a column."""
    from brian2 import NeuronGroup, SpikeMonitor, StateMonitor, TimedArray, ms

    names: Objects = {
        "tau": 7 * ms,
        "drive": TimedArray(np.array([0.0, 1.5, 2.5, 0.5]), dt=5 * ms),
        "each": TimedArray(np.random.rand(12, 3), dt=2.5 * ms),
    }
    group = NeuronGroup(
        3, "dv/dt = (drive(t) + each(t, i) - v)/tau : 1", threshold="v > 1", reset="v = 0", method="exact"
    )
    return names | {"group": group, "trace": StateMonitor(group, "v", record=True), "spikes": SpikeMonitor(group)}


@model
def spike_generator() -> Objects:
    """synapses/state_variables, frompapers/Diesmann_et_al_1999: given spikes, once and again and again."""
    from brian2 import NeuronGroup, SpikeGeneratorGroup, SpikeMonitor, StateMonitor, Synapses, ms

    once = SpikeGeneratorGroup(3, [0, 1, 2, 0], [1, 2, 3, 7] * ms)
    again = SpikeGeneratorGroup(2, [0, 1, 1], [0, 1, 2] * ms, period=5 * ms)
    group = NeuronGroup(3, "dg/dt = -g/(3*ms) : 1", method="exact")
    from_once = Synapses(once, group, on_pre="g += 1", delay=1.5 * ms)
    from_once.connect(j="i")
    from_again = Synapses(again, group, "w : 1", on_pre="g += w")
    from_again.connect()
    from_again.w = "0.1*i + 0.01*j"
    parts = {"once": once, "again": again, "group": group, "from_once": from_once, "from_again": from_again}
    return parts | {"trace": StateMonitor(group, "g", record=True), "spikes": SpikeMonitor(again)}


@model
def poisson_inputs() -> Objects:
    """frompapers/Brunel_2000, Brunel_Wang_2001: many Poisson sources at once, few and many of them."""
    from brian2 import Hz, NeuronGroup, PoissonInput, SpikeMonitor, StateMonitor, ms, mV

    group = NeuronGroup(
        6,
        "dv/dt = -v/(20*ms) : volt (unless refractory)",
        threshold="v > 20*mV",
        reset="v = 10*mV",
        refractory=2 * ms,
        method="exact",
    )
    few = PoissonInput(group, "v", 1000, 13 * Hz, weight=0.9 * mV)
    many = PoissonInput(group[:3], "v", 1000, 100 * Hz, weight=0.01 * mV)
    trace = StateMonitor(group, "v", record=True)
    return {"group": group, "few": few, "many": many, "trace": trace, "spikes": SpikeMonitor(group)}
