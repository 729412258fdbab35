"""Units alike and without a link between them: what each does is a sample of one law."""

# pyright: reportArgumentType=false
# (Brian2's constructors say less than they take)

from __future__ import annotations

from collections.abc import Callable

from brian2_models.models.registry import Objects, model

UNITS = 300
_LEAK = "dv/dt = (drive - v)/(8*ms) : 1\ndrive : 1 (shared)"


@model
def noisy_membranes() -> Objects:
    """White noise on membranes, a refractory time."""
    from brian2 import NeuronGroup, SpikeMonitor, StateMonitor, ms

    group = NeuronGroup(
        UNITS,
        "dv/dt = (1.1 - v)/(5*ms) + 0.4*(2/(5*ms))**.5*xi : 1 (unless refractory)",
        threshold="v > 1",
        reset="v = 0",
        refractory=1 * ms,
        method="euler",
    )
    return {"group": group, "spikes": SpikeMonitor(group), "trace": StateMonitor(group, "v", record=True)}


@model
def poisson_to_each() -> Objects:
    """A Poisson source for each unit, of a synapse with a delay."""
    from brian2 import Hz, NeuronGroup, PoissonGroup, SpikeMonitor, Synapses, ms

    source = PoissonGroup(UNITS, rates=400 * Hz)
    group = NeuronGroup(UNITS, _LEAK, threshold="v > 1", reset="v = 0", method="exact")
    synapses = Synapses(source, group, on_pre="v_post += 0.45", delay=0.7 * ms)
    synapses.connect(j="i")
    parts = {"source": source, "group": group, "synapses": synapses}
    return parts | {"spikes": SpikeMonitor(group), "sent": SpikeMonitor(source)}


@model
def poisson_input_to_each() -> Objects:
    """Many sources at once: few of them fire in a step for one half of the units, many for the other."""
    from brian2 import Hz, NeuronGroup, PoissonInput, SpikeMonitor

    few, many = (
        NeuronGroup(UNITS, _LEAK, threshold="v > 1", reset="v = 0", method="exact", name=name)
        for name in ("few", "many")
    )
    inputs = [PoissonInput(few, "v", 50, 10 * Hz, weight=0.4), PoissonInput(many, "v", 2000, 60 * Hz, weight=0.0012)]
    parts = {"first": inputs[0], "second": inputs[1], "few_units": few, "many_units": many}
    return parts | {"of_few": SpikeMonitor(few), "of_many": SpikeMonitor(many)}


@model
def release_by_chance() -> Objects:
    """Regular spikes that a synapse hands on by chance, by an amount of chance."""
    from brian2 import NeuronGroup, SpikeMonitor, Synapses, ms

    source = NeuronGroup(1, "dv/dt = 1/(2*ms) : 1", threshold="v > 1", reset="v = 0", method="euler")
    group = NeuronGroup(UNITS, _LEAK, threshold="v > 1", reset="v = 0", method="exact")
    synapses = Synapses(source, group, on_pre="v_post += int(rand() < 0.6)*(0.5 + 0.2*randn())")
    synapses.connect()
    parts = {"source": source, "group": group, "synapses": synapses, "ms": ms}
    return parts | {"spikes": SpikeMonitor(group)}


CHANCE: tuple[Callable[[], Objects], ...] = (
    noisy_membranes,
    poisson_to_each,
    poisson_input_to_each,
    release_by_chance,
)
