"""Units that Loihi and a crossbar chip hold: leaky membranes, one current each, fixed weights and delays."""

# pyright: reportArgumentType=false
# (Brian2's constructors say less than they take)

from __future__ import annotations

from brian2_models.models.registry import Objects, model

_CURRENT = """dv/dt = (drive + I - v)/(10*ms) : 1
dI/dt = -I/(5*ms) : 1
drive : 1"""


@model
def current_synapses() -> Objects:
    """A population with weights of both signs and delays that differ; a current that synapses jump."""
    from brian2 import NeuronGroup, SpikeMonitor, StateMonitor, Synapses, ms

    group = NeuronGroup(12, _CURRENT, threshold="v > 1", reset="v = 0", method="exact")
    group.drive, group.v = "1.1 + 0.05*i", "0.08*i"
    synapses = Synapses(group, group, "w : 1", on_pre="I += w")
    synapses.connect("i != j and (i + j) % 3 > 0")
    synapses.w, synapses.delay = "0.25 - 0.4*(i % 2)", "0.1*ms*(2 + (i + 3*j) % 5)"
    parts = {"group": group, "synapses": synapses, "ms": ms}
    return parts | {"spikes": SpikeMonitor(group), "trace": StateMonitor(group, "v", record=[0, 5])}


@model
def poisson_driven() -> Objects:
    """Units that Poisson sources drive through weights and a delay."""
    from brian2 import Hz, NeuronGroup, PoissonGroup, SpikeMonitor, Synapses, ms

    source = PoissonGroup(30, rates="(100 + 20*i)*Hz")
    group = NeuronGroup(8, _CURRENT, threshold="v > 1", reset="v = 0.1", method="exact")
    group.drive = 0.5
    synapses = Synapses(source, group, "w : 1", on_pre="I += w", delay=0.5 * ms)
    synapses.connect("(i + j) % 2 == 0")
    synapses.w = "0.1 + 0.01*j"
    parts = {"source": source, "group": group, "synapses": synapses, "ms": ms, "Hz": Hz}
    return parts | {"spikes": SpikeMonitor(group)}


@model
def subtractive_reset() -> Objects:
    """Synapses that jump the membrane itself: nothing is lost where the reset takes the threshold away."""
    from brian2 import NeuronGroup, SpikeMonitor, StateMonitor, Synapses, ms

    group = NeuronGroup(
        10, "dv/dt = (drive - v)/(8*ms) : 1\ndrive : 1", threshold="v > 1", reset="v -= 1", method="euler"
    )
    group.drive, group.v = "1.2 + 0.1*i", "0.09*i"
    ring = Synapses(group, group, on_pre="v_post += 0.2", delay=1.2 * ms)
    ring.connect(j="(i + 1) % 10")
    parts = {"group": group, "ring": ring, "ms": ms}
    return parts | {"spikes": SpikeMonitor(group), "trace": StateMonitor(group, "v", record=[3])}
