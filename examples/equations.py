"""Units by their equations: six models, each against a solver of high accuracy, at the order that its method states.

python examples/equations.py [figure.png]
thermoc run examples/equations.py:hodgkin_huxley --ticks 3000
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

import thermoc as tc

FITZHUGH_NAGUMO = """
dv/dt = v - v**3/3 - w + I : 1
dw/dt = 0.08*(v + 0.7 - 0.8*w) : 1
"""

HODGKIN_HUXLEY = """
dv/dt = (I - g_Na*m**3*h*(v - E_Na) - g_K*n**4*(v - E_K) - g_L*(v - E_L))/C_m : volt
dm/dt = alpha_m*(1 - m) - beta_m*m : 1
dh/dt = alpha_h*(1 - h) - beta_h*h : 1
dn/dt = alpha_n*(1 - n) - beta_n*n : 1
alpha_m = 1/exprel(-(v + 40*mV)/(10*mV))/ms : Hz
beta_m = 4*exp(-(v + 65*mV)/(18*mV))/ms : Hz
alpha_h = 0.07*exp(-(v + 65*mV)/(20*mV))/ms : Hz
beta_h = 1/(1 + exp(-(v + 35*mV)/(10*mV)))/ms : Hz
alpha_n = 0.1/exprel(-(v + 55*mV)/(10*mV))/ms : Hz
beta_n = 0.125*exp(-(v + 65*mV)/(80*mV))/ms : Hz
I : amp/meter**2
C_m : farad/meter**2
g_Na : siemens/meter**2
g_K : siemens/meter**2
g_L : siemens/meter**2
E_Na : volt
E_K : volt
E_L : volt
"""
"""Hodgkin and Huxley (1952), with the voltages of today's sign, rest at -65 mV."""
SQUID = {
    "I": "10*uA/cm**2",
    "C_m": "1*uF/cm**2",
    "g_Na": "120*mS/cm**2",
    "g_K": "36*mS/cm**2",
    "g_L": "0.3*mS/cm**2",
    "E_Na": "50*mV",
    "E_K": "-77*mV",
    "E_L": "-54.387*mV",
}
REST = {"v": -0.065, "m": 0.0529, "h": 0.5961, "n": 0.3177}

ADEX = """
dv/dt = (g_L*(E_L - v) + g_L*Delta_T*exp((v - V_T)/Delta_T) - w + I)/C : volt
dw/dt = (a*(v - E_L) - w)/tau_w : amp
C : farad
g_L : siemens
E_L : volt
V_T : volt
Delta_T : volt
a : siemens
tau_w : second
I : amp
"""
"""Brette and Gerstner (2005), with their numbers."""
CELL = {
    "C": "281*pF",
    "g_L": "30*nS",
    "E_L": "-70.6*mV",
    "V_T": "-50.4*mV",
    "Delta_T": "2*mV",
    "a": "4*nS",
    "tau_w": "144*ms",
}

IZHIKEVICH = """
dv/dt = 0.04*v**2 + 5*v + 140 - u + I : 1
du/dt = a*(b*v - u) : 1
"""
"""Izhikevich (2003), in milliseconds and millivolts without units."""

DOUBLE_WELL = "dx/dt = x - x**3 + sqrt(2*kT)*xi : 1"
"""A particle in U = x^4 / 4 - x^2 / 2 at temperature kT: it settles to exp(-U / kT)."""

RING = 5
KURAMOTO = "\n".join(
    f"dtheta_{k}/dt = omega_{k} + K*(sin(theta_{(k + 1) % RING} - theta_{k})"
    f" + sin(theta_{(k - 1) % RING} - theta_{k})) : 1"
    for k in range(RING)
)
"""A ring of oscillators, each drawn to its two neighbours (Kuramoto 1984)."""


def network(dt: float, equations: str, **how: Any) -> tc.Network:
    """Return a network of units by equations, whose variables and spikes are its outputs."""
    with tc.Network("equations", dt=dt) as net:
        for name, value in tc.dynamics(equations, **how).items():
            tc.output(name, value)
    return net


hodgkin_huxley = network(1e-5, HODGKIN_HUXLEY, constants=SQUID, initial=REST, method="rk4")
ADEX_UNIT = {
    "constants": CELL | {"I": "0.8*nA"},
    "initial": {"v": "-70.6*mV"},
    "threshold": "v > 20*mV",
    "reset": "v = E_L; w += 80.5*pA",
    # Stages after the first would look past the spike, where v is anything, and w would take that up.
    "method": "euler",
}
adex = network(1e-5, ADEX, **ADEX_UNIT)
izhikevich = network(
    0.25,
    IZHIKEVICH,
    constants={"a": 0.02, "b": 0.2, "I": 10.0},
    initial={"v": -65.0, "u": -13.0},
    threshold="v > 30",
    reset="v = -65; u += 8",
    method="rk2",
)
double_well = network(0.02, DOUBLE_WELL, n=64, constants={"kT": 0.25}, initial={"x": 1.0})
kuramoto = network(
    0.05,
    KURAMOTO,
    constants={"K": 0.4} | {f"omega_{k}": 1.0 + 0.1 * k for k in range(RING)},
    initial={f"theta_{k}": 0.5 * k for k in range(RING)},
)


def hodgkin_huxley_slopes(t: float, y: np.ndarray) -> list[float]:
    """The same equations in mV and ms, written for SciPy alone."""
    v, m, h, n = y
    rate: Callable[[float], float] = lambda x: x / -np.expm1(-x) if x else 1.0  # noqa: E731
    current = 10 - 120 * m**3 * h * (v - 50) - 36 * n**4 * (v + 77) - 0.3 * (v + 54.387)
    return [
        current,
        rate((v + 40) / 10) * (1 - m) - 4 * np.exp(-(v + 65) / 18) * m,
        0.07 * np.exp(-(v + 65) / 20) * (1 - h) - h / (1 + np.exp(-(v + 35) / 10)),
        0.1 * rate((v + 55) / 10) * (1 - n) - 0.125 * np.exp(-(v + 65) / 80) * n,
    ]


def adex_slopes(t: float, y: np.ndarray) -> list[float]:
    """In mV, ms, pA and nS."""
    v, w = y
    return [(30 * (-70.6 - v) + 60 * np.exp((v + 50.4) / 2) - w + 800) / 281, (4 * (v + 70.6) - w) / 144]


def kuramoto_slopes(t: float, y: np.ndarray) -> np.ndarray:
    """The ring on arrays."""
    pull = np.sin(np.roll(y, -1) - y) + np.sin(np.roll(y, 1) - y)
    return 1.0 + 0.1 * np.arange(RING) + 0.4 * pull


Model = tuple[str, dict[str, Any], str, float, float, tuple[float, ...], Callable[..., Any], list[float], list[float]]
RUNS: dict[str, Model] = {
    # equations, what is given, method, order, until when, steps, slopes, start, size of the solver's units in ours
    "FitzHugh-Nagumo": (
        FITZHUGH_NAGUMO,
        {"constants": {"I": 0.5}, "initial": {"v": -1.0, "w": -0.5}},
        "rk4",
        4.0,
        16.0,
        (0.2, 0.1, 0.05),
        lambda t, y: [y[0] - y[0] ** 3 / 3 - y[1] + 0.5, 0.08 * (y[0] + 0.7 - 0.8 * y[1])],
        [-1.0, -0.5],
        [1.0, 1.0],
    ),
    "Hodgkin-Huxley": (
        HODGKIN_HUXLEY,
        {"constants": SQUID, "initial": REST},
        "exponential_euler",
        1.0,
        6e-3,
        (1e-5, 5e-6, 2.5e-6),
        hodgkin_huxley_slopes,
        [-65.0, 0.0529, 0.5961, 0.3177],
        [1e-3, 1.0, 1.0, 1.0],
    ),
    "Hodgkin-Huxley, rk4": (
        HODGKIN_HUXLEY,
        {"constants": SQUID, "initial": REST},
        "rk4",
        4.0,
        6e-3,
        (3e-5, 2e-5, 1e-5),
        hodgkin_huxley_slopes,
        [-65.0, 0.0529, 0.5961, 0.3177],
        [1e-3, 1.0, 1.0, 1.0],
    ),
    "AdEx": (
        ADEX,
        {"constants": CELL | {"I": "0.8*nA"}, "initial": {"v": "-70.6*mV"}},
        "heun",
        2.0,
        8e-3,
        (2e-4, 1e-4, 5e-5),
        adex_slopes,
        [-70.6, 0.0],
        [1e-3, 1e-12],
    ),
    "Izhikevich": (
        IZHIKEVICH,
        {"constants": {"a": 0.02, "b": 0.2, "I": 10.0}, "initial": {"v": -65.0, "u": -13.0}},
        "rk2",
        2.0,
        2.0,
        (0.05, 0.025, 0.0125),
        lambda t, y: [0.04 * y[0] ** 2 + 5 * y[0] + 140 - y[1] + 10, 0.02 * (0.2 * y[0] - y[1])],
        [-65.0, -13.0],
        [1.0, 1.0],
    ),
    "Kuramoto ring": (
        KURAMOTO,
        {
            "constants": {"K": 0.4} | {f"omega_{k}": 1.0 + 0.1 * k for k in range(RING)},
            "initial": {f"theta_{k}": 0.5 * k for k in range(RING)},
        },
        "rk4",
        4.0,
        8.0,
        (0.2, 0.1, 0.05),
        kuramoto_slopes,
        [0.5 * k for k in range(RING)],
        [1.0] * RING,
    ),
}


def errors(name: str, target: str = "sim") -> tuple[np.ndarray, np.ndarray, float]:
    """Return the steps of a model, its largest relative error at the end with each, and the order it should have."""
    equations, given, method, order, until, steps, slopes, start, size = RUNS[name]
    clock = 1e-3 if "volt" in equations else 1.0  # the solver counts ms where the network counts s
    solved = solve_ivp(slopes, (0, until / clock), start, method="Radau", rtol=1e-11, atol=1e-12).y[:, -1] * size
    found: list[float] = []
    for dt in steps:
        net = network(dt, equations, method=method, **given)
        run = tc.compile(net, target).run(ticks=round(until / dt), record={key: tc.last() for key in net.graph.outputs})
        ends = np.array([np.ravel(run[key])[-1] for key in net.graph.outputs])
        found.append(float(np.max(np.abs(ends - solved) / (np.abs(size) * np.maximum(np.abs(start), 1.0)))))
    return np.array(steps), np.array(found), order


def slope(steps: np.ndarray, found: np.ndarray) -> float:
    """Return the order at which errors fall."""
    return float(np.polyfit(np.log(steps), np.log(found), 1)[0])


def main() -> None:
    """Print each model's errors and order, hold the double well to its law, and draw the traces."""
    for name in RUNS:
        steps, found, order = errors(name)
        shown = ", ".join(f"{dt:g}: {error:.1e}" for dt, error in zip(steps, found))
        print(f"{name:20} {RUNS[name][2]:18} {shown:48} order {slope(steps, found):.2f}, stated {order:g}")
        assert abs(slope(steps, found) - order) < 0.1
    x = tc.compile(double_well, "sim").run(ticks=4000, batch=64, seed=7)["x"][500:]
    grid = np.linspace(-3, 3, 2001)
    weight = np.exp(-(grid**4 / 4 - grid**2 / 2) / 0.25)
    print(f"double well          <x^2> {np.mean(x**2):.4f}   exact {(grid**2 * weight).sum() / weight.sum():.4f}")
    draw(sys.argv[1] if len(sys.argv) > 1 else "equations.png")


def draw(path: str) -> None:
    """Draw a trace of each model."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    shown = {
        "Hodgkin-Huxley": (hodgkin_huxley, "v", 4000, "v (V)"),
        "AdEx": (adex, "v", 30000, "v (V)"),
        "Izhikevich": (izhikevich, "v", 1200, "v (mV)"),
        "double well": (double_well, "x", 4000, "x"),
        "Kuramoto ring": (kuramoto, "theta_0", 400, "theta_0"),
    }
    figure, axes = plt.subplots(len(shown), figsize=(7, 9), layout="constrained")
    for axis, (title, (net, variable, ticks, label)) in zip(axes, shown.items()):
        trace = tc.compile(net, "sim").run(ticks=ticks, seed=7)[variable].reshape(ticks, -1)[:, 0]
        axis.plot(np.arange(ticks) * net.graph.dt, trace, lw=0.8)
        axis.set(title=title, ylabel=label)
    axes[-1].set_xlabel("time")
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    main()
