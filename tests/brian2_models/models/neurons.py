"""Groups of neurons: integrators, noise, thresholds, refractory times, events."""

# pyright: reportArgumentType=false
# (Brian2's constructors say less than they take)

from __future__ import annotations

import numpy as np
from brian2_models.models.registry import Objects, model


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
