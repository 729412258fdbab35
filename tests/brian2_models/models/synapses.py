"""Synapses: delays, traces, sums, pathways, plasticity, chance."""

# pyright: reportArgumentType=false
# (Brian2's constructors say less than they take)

from __future__ import annotations

import numpy as np
from brian2_models.models.registry import Objects, model


@model
def cuba() -> Objects:
    """CUBA: a random network of exponential synapses."""
    from brian2 import NeuronGroup, SpikeMonitor, StateMonitor, Synapses, ms, mV

    names: Objects = {"taum": 20 * ms, "taue": 5 * ms, "taui": 10 * ms, "Vt": -50 * mV, "Vr": -60 * mV, "El": -49 * mV}
    group = NeuronGroup(
        80,
        """dv/dt = (ge + gi - (v - El))/taum : volt (unless refractory)
        dge/dt = -ge/taue : volt
        dgi/dt = -gi/taui : volt""",
        threshold="v > Vt",
        reset="v = Vr",
        refractory=5 * ms,
        method="exact",
    )
    group.v = "(-60 + 10*rand())*mV"
    excite = Synapses(group, group, on_pre="ge += 1.62*mV")
    excite.connect("i < 64", p=0.2)
    inhibit = Synapses(group, group, on_pre="gi -= 9*mV")
    inhibit.connect("i >= 64", p=0.2)
    trace = StateMonitor(group, ["v", "ge"], record=[0, 5])
    return names | {"group": group, "excite": excite, "inhibit": inhibit, "spikes": SpikeMonitor(group), "trace": trace}


@model
def stdp() -> Objects:
    """synapses/STDP: traces carried from event to event, weights that learn, Poisson sources."""
    from brian2 import Hz, NeuronGroup, PoissonGroup, SpikeMonitor, StateMonitor, Synapses, ms, mV

    names: Objects = {"taum": 10 * ms, "taupre": 20 * ms, "taue": 5 * ms, "gmax": 0.05, "dApre": 5e-4, "dApost": -5e-4}
    source = PoissonGroup(50, rates=100 * Hz)
    group = NeuronGroup(
        1,
        "dv/dt = (ge*(0*mV - v) + (-74*mV) - v)/taum : volt\ndge/dt = -ge/taue : 1",
        threshold="v > -54*mV",
        reset="v = -60*mV",
        method="euler",
    )
    group.v = -60 * mV
    synapses = Synapses(
        source,
        group,
        """w : 1
        dApre/dt = -Apre/taupre : 1 (event-driven)
        dApost/dt = -Apost/taupre : 1 (event-driven)""",
        on_pre="ge += w\nApre += dApre\nw = clip(w + Apost, 0, gmax)",
        on_post="Apost += dApost\nw = clip(w + Apre, 0, gmax)",
    )
    synapses.connect()
    synapses.w = "0.05*rand()"
    weights = StateMonitor(synapses, "w", record=[0, 1])
    sent = SpikeMonitor(source)
    parts = {"source": source, "group": group, "synapses": synapses, "weights": weights, "sent": sent}
    return names | parts | {"spikes": SpikeMonitor(group)}


@model
def gap_junctions() -> Objects:
    """synapses/gapjunctions: a summed variable of both sides."""
    from brian2 import NeuronGroup, SpikeMonitor, StateMonitor, Synapses, ms

    names: Objects = {"tau": 10 * ms, "v0": 1.05}
    group = NeuronGroup(
        10, "dv/dt = (v0 - v + Igap)/tau : 1\nIgap : 1", threshold="v > 1", reset="v = 0", method="exact"
    )
    group.v = "i*0.1/10"
    synapses = Synapses(group, group, "w : 1\nIgap_post = w*(v_pre - v_post) : 1 (summed)")
    synapses.connect()
    synapses.w = 0.02
    trace = StateMonitor(group, "v", record=[0, 9])
    return names | {"group": group, "synapses": synapses, "trace": trace, "spikes": SpikeMonitor(group)}


@model
def nonlinear_synapses() -> Objects:
    """synapses/nonlinear: clock-driven variables of synapses."""
    from brian2 import Hz, NeuronGroup, SpikeMonitor, StateMonitor, Synapses, ms

    names: Objects = {"a": 1 / (10 * ms), "b": 1 / (10 * ms), "c": 1 / (10 * ms), "Hz": Hz}
    source = NeuronGroup(2, "dv/dt = 1/(10*ms) : 1", threshold="v > 1", reset="v = 0", method="euler")
    group = NeuronGroup(1, "dv/dt = (g - v)/(10*ms) : 1\ng : 1", method="exact")
    synapses = Synapses(
        source,
        group,
        """dg_syn/dt = -a*g_syn + b*x*(1 - g_syn) : 1 (clock-driven)
        g_post = g_syn : 1 (summed)
        dx/dt = -c*x : 1 (clock-driven)
        w : 1""",
        on_pre="x += w",
        method="exponential_euler",
    )
    synapses.connect()
    synapses.w = [1.0, 10.0]
    states, traces = StateMonitor(synapses, ["g_syn", "x"], record=True), StateMonitor(group, "g", record=True)
    parts = {"source": source, "group": group, "synapses": synapses}
    return names | parts | {"states": states, "traces": traces, "spikes": SpikeMonitor(source)}


@model
def delays() -> Objects:
    """synapses/jeffress, synapses/licklider: delays that differ from synapse to synapse; noise."""
    from brian2 import NeuronGroup, SpikeMonitor, Synapses, ms

    names: Objects = {"tau": 5 * ms, "sigma": 0.3}
    ears = NeuronGroup(
        2, "dv/dt = (1.2 - v)/tau + sigma*(2/tau)**.5*xi : 1", threshold="v > 1", reset="v = 0", method="euler"
    )
    cells = NeuronGroup(12, "dv/dt = -v/(1*ms) : 1", threshold="v > 1", reset="v = 0", method="exact")
    synapses = Synapses(ears, cells, on_pre="v += 0.6")
    synapses.connect()
    synapses.delay["i == 0"] = "j*0.3*ms"
    synapses.delay["i == 1"] = "(11 - j)*0.3*ms"
    spikes, sent = SpikeMonitor(cells), SpikeMonitor(ears)
    return names | {"ears": ears, "cells": cells, "synapses": synapses, "spikes": spikes, "sent": sent}


@model
def kuramoto() -> Objects:
    """coupled_oscillators: phases that pull each other."""
    from brian2 import NeuronGroup, StateMonitor, Synapses, ms

    names: Objects = {"K": 1.0, "N_all": 15}
    group = NeuronGroup(15, "dTheta/dt = (omega + K/N_all*coupling)/(10*ms) : 1\nomega : 1 (constant)\ncoupling : 1")
    group.Theta, group.omega = "rand()*2*pi", "clip(0.5 + randn()*0.5, 0, inf)"
    synapses = Synapses(group, group, "coupling_post = sin(Theta_pre - Theta_post) : 1 (summed)")
    synapses.connect("i != j")
    return names | {"group": group, "synapses": synapses, "trace": StateMonitor(group, "Theta", record=True), "ms": ms}


@model
def short_term_plasticity() -> Objects:
    """frompapers/Tsodyks_Pawelzik_Markram_1998, Stimberg_et_al_2018/example_1_COBA: resources that run out."""
    from brian2 import Hz, NeuronGroup, PoissonGroup, SpikeMonitor, StateMonitor, Synapses, ms

    names: Objects = {"U": 0.6, "Omega_f": 3.33 * Hz, "Omega_d": 2.0 * Hz}
    source = PoissonGroup(8, rates="20*Hz*(1 + i)")
    group = NeuronGroup(3, "dg/dt = -g/(5*ms) : 1", method="exact")
    synapses = Synapses(
        source,
        group,
        """du_S/dt = -Omega_f*u_S : 1 (event-driven)
        dx_S/dt = Omega_d*(1 - x_S) : 1 (event-driven)""",
        on_pre="u_S += U*(1 - u_S)\nr_S = u_S*x_S\nx_S -= r_S\ng_post += 0.3*r_S",
    )
    synapses.connect(p=0.7)
    synapses.x_S = 1
    states, trace = StateMonitor(synapses, ["u_S", "x_S"], record=True), StateMonitor(group, "g", record=True)
    parts = {"source": source, "group": group, "synapses": synapses, "states": states, "trace": trace}
    return names | parts | {"sent": SpikeMonitor(source), "Hz": Hz, "ms": ms}


@model
def random_release() -> Objects:
    """Chance within synapses: a spike is handed on, or not; and a unit's own refractory time."""
    from brian2 import NeuronGroup, SpikeMonitor, StateMonitor, Synapses, ms

    source = NeuronGroup(
        6,
        "dv/dt = 1/(4*ms) : 1 (unless refractory)\nrest : second",
        threshold="v > 1",
        reset="v = 0.1*rand()",
        refractory="rest",
        method="euler",
    )
    source.rest, source.v = "i*0.5*ms", "rand()"
    group = NeuronGroup(4, "dv/dt = -v/(6*ms) : 1", method="exact")
    synapses = Synapses(source, group, on_pre="v_post += 0.4*int(rand() < 0.5)", delay=0.7 * ms)
    synapses.connect()
    trace = StateMonitor(group, "v", record=True)
    return {"source": source, "group": group, "synapses": synapses, "trace": trace, "spikes": SpikeMonitor(source)}


@model
def many_pathways() -> Objects:
    """synapses/homeostatic_stdp, spike_based_homeostasis: several pathways, their order and delays; both ends written."""
    from brian2 import NeuronGroup, SpikeMonitor, StateMonitor, Synapses, ms

    group = NeuronGroup(
        5,
        "dv/dt = (1.3 - v)/(5*ms) : 1 (unless refractory)\nhits : 1\nsent : 1",
        threshold="v > 1",
        reset="v = 0",
        refractory=1 * ms,
        method="exact",
    )
    group.v = "0.2*i"
    synapses = Synapses(
        group,
        group,
        "w : 1\nn : 1",
        on_pre={"early": "v_post += w; sent_pre += 1", "late": "hits_post += n; n *= 0.5"},
        on_post="n += 1; w = w*0.9",
        delay={"late": 2 * ms},
    )
    synapses.connect("i != j")
    synapses.early.delay = "0.1*ms*(1 + j)"
    synapses.early.order = 2
    synapses.w = "0.05*(i + 1)"
    states = StateMonitor(synapses, ["w", "n"], record=[0, 7])
    traces = StateMonitor(group, ["hits", "sent", "v"], record=True)
    return {"group": group, "synapses": synapses, "states": states, "traces": traces, "spikes": SpikeMonitor(group)}


@model
def one_to_one() -> Objects:
    """Synapses that multiply and set, where each unit has one; linked and shared variables; parts of groups."""
    from brian2 import NeuronGroup, PopulationRateMonitor, SpikeMonitor, StateMonitor, Synapses, linked_var, ms

    source = NeuronGroup(
        4,
        """dv/dt = rate*gain : 1
        rate = base + 0.05*i/ms : Hz
        base : Hz (shared)
        gain = 1 + 0.1*sin(t/(3*ms)) : 1 (constant over dt)""",
        threshold="v > 1",
        reset="v -= 1",
        method="euler",
    )
    source.base = 0.1 / ms
    group = NeuronGroup(4, "x : 1\ny : 1\nfrom_source : 1 (linked)")
    group.x, group.from_source = 1.0, linked_var(source, "v", index=np.array([3, 2, 1, 0]))
    one = Synapses(source[1:], group, on_pre="x_post *= 0.9; y_post = x_post + 1")
    one.connect(j="i")
    traces = StateMonitor(group, ["x", "y", "from_source"], record=[2, 0])
    rate, part = PopulationRateMonitor(source), SpikeMonitor(source[2:])
    return {"source": source, "group": group, "one": one, "traces": traces, "rate": rate, "part": part, "ms": ms}
