"""Small Brian2 networks, each of a kind of model that Brian2's own examples hold; the example is named.

Each function returns the names that the equations need and the objects of the network.
"""

# pyright: reportArgumentType=false
# (Brian2's constructors say less than they take)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Objects = dict[str, Any]
MODELS: dict[str, Callable[[], Objects]] = {}
TICKS = {"hodgkin_huxley": 1500}
"""Ticks that show spikes, where 400 do not."""


def model(function: Callable[[], Objects]) -> Callable[[], Objects]:
    """Enter a model by its name."""
    MODELS[function.__name__] = function
    return function


def built(function: Callable[[], Objects]) -> tuple[Any, Objects]:
    """Return the network of a model, and the names it knows."""
    import brian2

    brian2.start_scope()
    brian2.seed(5)
    np.random.seed(5)
    names = function()
    return brian2.Network([value for value in names.values() if isinstance(value, brian2.BrianObject)]), names


@model
def lif_current() -> Objects:
    """IF_curve_LIF: currents that differ, a refractory time."""
    from brian2 import NeuronGroup, SpikeMonitor, ms

    tau = 10 * ms
    group = NeuronGroup(
        20,
        "dv/dt = (v0 - v)/tau : 1 (unless refractory)\nv0 : 1",
        threshold="v > 1",
        reset="v = 0",
        refractory=2 * ms,
        method="exact",
    )
    group.v0 = "3*i/19."
    return {"tau": tau, "group": group, "spikes": SpikeMonitor(group)}


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
def hodgkin_huxley() -> Objects:
    """COBAHH and IF_curve_Hodgkin_Huxley: ion channels by exponential Euler."""
    from brian2 import NeuronGroup, SpikeMonitor, StateMonitor, ms, msiemens, mV, nA, ufarad, umetre
    from brian2 import cm as centimetre

    area = 20000 * umetre**2
    names: Objects = {
        "Cm": 1 * ufarad * centimetre**-2 * area,
        "gl": 5e-2 * msiemens * centimetre**-2 * area,
        "g_na": 100 * msiemens * centimetre**-2 * area,
        "g_kd": 30 * msiemens * centimetre**-2 * area,
        "El": -65 * mV,
        "EK": -90 * mV,
        "ENa": 50 * mV,
        "VT": -63 * mV,
    }
    group = NeuronGroup(
        5,
        """dv/dt = (gl*(El - v) - g_na*m**3*h*(v - ENa) - g_kd*n**4*(v - EK) + I)/Cm : volt
        dm/dt = 0.32*(mV**-1)*4*mV/exprel((13*mV - v + VT)/(4*mV))/ms*(1 - m)
                - 0.28*(mV**-1)*5*mV/exprel((v - VT - 40*mV)/(5*mV))/ms*m : 1
        dn/dt = 0.032*(mV**-1)*5*mV/exprel((15*mV - v + VT)/(5*mV))/ms*(1 - n)
                - 0.5*exp((10*mV - v + VT)/(40*mV))/ms*n : 1
        dh/dt = 0.128*exp((17*mV - v + VT)/(18*mV))/ms*(1 - h) - 4./(1 + exp((40*mV - v + VT)/(5*mV)))/ms*h : 1
        I : amp""",
        threshold="v > -40*mV",
        refractory="v > -40*mV",
        method="exponential_euler",
    )
    group.v, group.I = names["El"], "0.7*nA*i/4"
    unit = {"nA": nA, "ms": ms}
    return names | unit | {"group": group, "spikes": SpikeMonitor(group), "trace": StateMonitor(group, "v", record=[4])}


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
def regular_operations() -> Objects:
    """synapses/spatial_connections, frompapers/Sturzl_et_al_2000: code that runs at a step of its own."""
    from brian2 import NeuronGroup, SpikeMonitor, StateMonitor, ms

    names: Objects = {"tau": 10 * ms}
    group = NeuronGroup(
        4,
        "dv/dt = (I - v)/tau : 1\nI : 1\ncount : integer",
        threshold="v > 1 and int(t % (3*ms) > 1*ms) == 1",
        reset="v = 0; count += 1",
        method="euler",
    )
    change = group.run_regularly("I = 2*rand() + 0.3*(count % 3)", dt=5 * ms)
    part = group[1:3].run_regularly("v += 0.1", dt=1 * ms, when="end")
    trace = StateMonitor(group, ["I", "v", "count"], record=True, when="end")
    return names | {"group": group, "change": change, "part": part, "trace": trace, "spikes": SpikeMonitor(group)}


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
    from brian2 import Hz, NeuronGroup, PoissonInput, SpikeMonitor, StateMonitor, mV

    group = NeuronGroup(
        6,
        "dv/dt = -v/(20*ms) : volt",
        threshold="v > 20*mV",
        reset="v = 10*mV",
        method="exact",
    )
    few = PoissonInput(group, "v", 1000, 13 * Hz, weight=0.9 * mV)
    many = PoissonInput(group[:3], "v", 1000, 100 * Hz, weight=0.01 * mV)
    trace = StateMonitor(group, "v", record=True)
    return {"group": group, "few": few, "many": many, "trace": trace, "spikes": SpikeMonitor(group)}


@model
def custom_events() -> Objects:
    """advanced/custom_events: events that are no spikes, and synapses that they reach."""
    from brian2 import EventMonitor, NeuronGroup, StateMonitor, Synapses

    group = NeuronGroup(
        3,
        "dv/dt = (2 - v)/(8*ms) : 1\nvt : 1",
        threshold="v > vt",
        reset="v = 0; vt = 1.2",
        events={"crossed": "v > 0.5 and vt > 0.1"},
        method="exact",
    )
    group.vt, group.v = 1.0, "0.2*i"
    group.run_on_event("crossed", "vt -= 0.05")
    target = NeuronGroup(3, "x : 1")
    synapses = Synapses(group, target, on_pre={"here": "x_post += 1"}, on_event={"here": "crossed"})
    synapses.connect(j="i")
    trace = StateMonitor(target, "x", record=True)
    parts = {"group": group, "target": target, "synapses": synapses, "trace": trace}
    return parts | {"crossings": EventMonitor(group, "crossed")}


@model
def adaptive_threshold() -> Objects:
    """adaptive_threshold, reliability, non_reliability: noise, and a threshold that moves."""
    from brian2 import NeuronGroup, SpikeMonitor, StateMonitor, mV

    group = NeuronGroup(
        4,
        """dv/dt = -v/(10*ms) + 3*mV*xi*(2/(10*ms))**.5 : volt
        dvt/dt = (3*mV - vt)/(15*ms) : volt""",
        threshold="v > vt",
        reset="v = 0*mV; vt += 3*mV",
        method="euler",
    )
    group.vt = 3 * mV
    return {"group": group, "trace": StateMonitor(group, ["v", "vt"], record=True), "spikes": SpikeMonitor(group)}


@model
def multiplicative_noise() -> Objects:
    """advanced/stochastic_odes: geometric Brownian motion by Milstein, and in Stratonovich's sense by Heun."""
    from brian2 import NeuronGroup, StateMonitor, second

    names: Objects = {"mu": 0.5 / second, "sigma": 0.1 / second**0.5}
    ito = NeuronGroup(3, "dX/dt = mu*X + sigma*X*xi : 1", method="milstein")
    stratonovich = NeuronGroup(3, "dX/dt = mu*X + sigma*X*xi : 1", method="heun")
    ito.X = stratonovich.X = 1
    parts = {"ito": ito, "stratonovich": stratonovich}
    return names | parts | {f"of_{name}": StateMonitor(group, "X", record=True) for name, group in parts.items()}


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
def izhikevich() -> Objects:
    """frompapers/Izhikevich_2003: noise drawn each step, all to all."""
    from brian2 import NeuronGroup, SpikeMonitor, Synapses, ms, mV

    group = NeuronGroup(
        20,
        """dv/dt = (0.04*v**2 + 5*v + 140 - u + I + drive*randn())/ms : 1
        du/dt = a*(b*v - u)/ms : 1
        I : 1
        a : 1
        b : 1
        c : 1
        drive : 1""",
        threshold="v >= 30",
        reset="v = c; u += 8",
        method="euler",
        dt=0.5 * ms,
    )
    group.a, group.b, group.c, group.drive = "0.02 + 0.08*int(i > 15)", 0.2, -65, 5
    group.v, group.u, group.I = -65, -13, 4
    synapses = Synapses(group, group, "w : 1", on_pre="v += w", dt=0.5 * ms)
    synapses.connect()
    synapses.w = "rand()*(0.5 - 2.5*int(i > 15))"
    return {"group": group, "synapses": synapses, "spikes": SpikeMonitor(group), "mV": mV}


@model
def adex() -> Objects:
    """frompapers/Brette_Gerstner_2005, Naud_et_al_2008: an exponential spike, an adaptation."""
    from brian2 import NeuronGroup, SpikeMonitor, StateMonitor, ms, mV, nA, nS, pF

    names: Objects = {"C": 281 * pF, "gL": 30 * nS, "EL": -70.6 * mV, "VT": -50.4 * mV, "DeltaT": 2 * mV}
    names |= {"tauw": 40 * ms, "a": 4 * nS, "b": 0.08 * nA, "I": 1.5 * nA}
    group = NeuronGroup(
        2,
        """dvm/dt = (gL*(EL - vm) + gL*DeltaT*exp((vm - VT)/DeltaT) + I - w)/C : volt
        dw/dt = (a*(vm - EL) - w)/tauw : amp""",
        threshold="vm > -40*mV",
        reset="vm = -70.6*mV; w += b",
        method="euler",
    )
    group.vm = names["EL"]
    trace = StateMonitor(group, ["vm", "w"], record=0)
    return names | {"group": group, "trace": trace, "spikes": SpikeMonitor(group)}


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


@model
def fast_and_slow() -> Objects:
    """Groups with steps of their own, and a monitor with one."""
    from brian2 import NeuronGroup, SpikeMonitor, StateMonitor, Synapses, ms

    fast = NeuronGroup(2, "dv/dt = (1.5 - v)/(3*ms) : 1", threshold="v > 1", reset="v = 0", method="rk4", dt=0.1 * ms)
    slow = NeuronGroup(2, "dv/dt = (2 - v)/(9*ms) : 1", threshold="v > 1", reset="v = 0", method="rk2", dt=0.5 * ms)
    fast.v = "0.3*i"
    down = Synapses(slow, fast, on_pre="v += 0.2", delay=1 * ms)
    down.connect()
    trace = StateMonitor(fast, "v", record=True, dt=1 * ms)
    parts = {"fast": fast, "slow": slow, "down": down, "trace": trace}
    return parts | {"spikes": SpikeMonitor(fast), "slow_spikes": SpikeMonitor(slow)}


@model
def phase_locking() -> Objects:
    """phase_locking, frompapers/Touboul_Brette_2008, Hindmarsh_Rose_1984: driven by functions of time, nonlinear."""
    from brian2 import NeuronGroup, SpikeMonitor, StateMonitor, ms

    names: Objects = {"tau": 20 * ms, "freq": 1 / (10 * ms), "pi": np.pi}
    group = NeuronGroup(
        5,
        """dv/dt = (-v + a*sin(2*pi*freq*t) + 2*exp(-clip(v, 0, 5)) - log1p(abs(v)) + tanh(v))/tau : 1
        a : 1""",
        threshold="v > 1",
        reset="v = 0",
        method="rk4",
    )
    group.v, group.a = "rand()", 1.2
    return names | {"group": group, "trace": StateMonitor(group, "v", record=True), "spikes": SpikeMonitor(group)}


@model
def jansen_rit() -> Objects:
    """frompapers/Jansen_Rit_1995, Wang_Buszaki_1996: equations of second order with named parts."""
    from brian2 import NeuronGroup, StateMonitor, second

    group = NeuronGroup(
        2,
        """dy0/dt = y3/second : 1
        dy3/dt = (A*sigma*100*second - 2*y3 - y0*100)/(10*ms) : 1
        sigma = 5/second/(1 + exp(0.56*(6 - y1 + y0))) : Hz
        dy1/dt = (120*Hz*second + 3*y0 - y1)/(20*ms) : 1
        A : 1""",
        method="rk4",
    )
    group.A = [3.25, 3.0]
    return {"group": group, "trace": StateMonitor(group, ["y0", "y1", "y3", "sigma"], record=True), "second": second}
