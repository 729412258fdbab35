"""A small figure of each op, drawn from what the reference interpreter makes of it: what is seen is what it means.

Three sorts: a curve (what comes out against what goes in), a course (what comes out, tick by tick), and grids (arrays
before and after). ``FIGURES`` has one for each op; tests/docs/test_site.py sees that none is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from figure_kinds import Figure, Outputs, arrays, as_float, binary, course, curve, logic, results, unary
from svg import Line, chart

import thermoc as tc
from thermoc.ir.functions import FUNCTIONS
from thermoc.ir.handle import Handle

PULSE = np.repeat([0.0, 1.0, 0.0, 1.0, 0.0], [5, 15, 20, 5, 15])
OTHER = np.array([1.0, 0.0, 3.0])
SQUARE = np.arange(1.0, 7.0).reshape(2, 3)
COUPLED = 0.8 * (np.ones((3, 3)) - np.eye(3))
RING = np.roll(np.eye(6), 1, 0) + np.roll(np.eye(6), -1, 0)
LINE = np.eye(4, k=1) + np.eye(4, k=-1)
VAN_DER_POL = "dx/dt = y : 1\ndy/dt = (1 - x**2)*y - x : 1"
WELL = "dx/dt = x - x**3 + 0.6*xi : 1"


def pulse() -> Handle:
    """Return the input of a unit: two pulses."""
    return tc.input("x", ())


def whole() -> Handle:
    """Return the same for integer units."""
    return tc.input("x", (1,), dtype="i32")


def _spiking(name: str, drive: float, *operands: float, **attrs: Any) -> Figure:
    def build() -> Outputs:
        s, v = FUNCTIONS[name](drive * pulse(), *operands, **attrs)[:2]
        return {"v": v, "s": s}

    return course(build, x=PULSE)


def _integers(build: Callable[[Handle], Any], label: str = "y", top: int = 1) -> Figure:
    def built() -> Outputs:
        x = whole()
        made = build(x)
        return {"x": x, label: made[0] if isinstance(made, tuple) else made}

    return course(built, x=(top * PULSE).astype(np.int32)[:, np.newaxis])


def _constant(value: Any) -> Handle:
    return tc.constant(np.asarray(value))


def _parameter() -> Outputs:
    x = tc.input("x", ())
    return {"x": x, "p x": x * tc.parameter("p", np.asarray(0.5))}


def _particle() -> Outputs:
    x, w = tc.langevin(_constant(0.0), 1.0, friction=0.2, velocity=1.0)[:2]
    return {"x": x, "v": w}


def _spring() -> Outputs:
    hole = tc.placeholder(())
    x, w = tc.langevin(-hole, 1e-12, friction=0.0, initial=1.0)[:2]
    tc.connect(hole, x)
    return {"x": x, "w": w, "v": tc.velocity(w, -x, 1.0)}


def _clamped() -> Outputs:
    x = pulse() * 1.2 + 0.4
    T, heat = tc.clamp(x, T_min=0.6, T_max=1.2)
    return {"x": x, "T": T, "heat": heat}


def _reservoir() -> Outputs:
    T, total = tc.reservoir(0.1 * pulse(), temperature=1.0)
    return {"T": T, "total": total}


def _pair(kind: str) -> Callable[[Handle], Handle]:
    """Return the energy of two particles at a distance."""

    def energy(x: Handle) -> Handle:
        points = tc.concat((tc.reshape(x, shape=(1, 1)), _constant([[0.0]])), axis=0)
        return tc.pair_force(points, kind=kind)[1]

    return energy


def _pairs() -> str:
    x = np.linspace(0.9, 2.5, 161)

    def build() -> Outputs:
        r = tc.input("r", (1,))
        return {kind: _pair(kind)(r) for kind in ("lennard_jones", "harmonic")}

    found = results(build, batch=len(x), r=x[:, np.newaxis])
    return chart([Line(x=x, y=np.ravel(y), label=kind) for kind, y in found.items()], x="r", y="E")


def _bond() -> str:
    x = np.linspace(0.2, 2.5, 161)

    def build() -> Outputs:
        points = tc.concat((tc.reshape(tc.input("r", (1,)), shape=(1, 1)), _constant([[0.0]])), axis=0)
        f, E = tc.bond_force(points, [0], [1], 2.0, 1.0)[:2]
        return {"E": E, "f[0]": f[0, 0]}

    found = results(build, batch=len(x), r=x[:, np.newaxis])
    return chart([Line(x=x, y=np.ravel(y), label=label) for label, y in found.items()], x="r", y="E, f")


def _bonds() -> Outputs:
    r = 1.5 + 1.3 * tc.sin(0.25 * as_float(tc.tick()))
    points = tc.concat((tc.reshape(r, shape=(1, 1)), _constant([[0.0]])), axis=0)
    made = tc.bonds(points, [0], [1], -1.5, r_form=1.0, r_break=2.0)
    return {"r": r, "closed": as_float(made[0])}


def _free_energy() -> str:
    T = np.linspace(0.1, 3.0, 120)

    def build() -> Outputs:
        U, S, F = tc.observables(_constant([0.0, 0.5, 1.0, 2.0]), T=tc.input("T", (), role="temperature"))
        return {"U": U, "S": S, "F": F}

    found = results(build, batch=len(T), T=T)
    return chart([Line(x=T, y=np.ravel(y), label=label) for label, y in found.items()], x="T", y="U, S, F")


def _order() -> str:
    spread = np.linspace(0.0, 2 * np.pi, 120)
    theta = spread[:, np.newaxis] * np.linspace(-0.5, 0.5, 40)
    found = results(lambda: {"R": tc.order_parameter(tc.input("x", (40,)))}, batch=len(spread), x=theta)["R"]
    return chart([Line(x=spread, y=np.ravel(found))], x="spread of 40 phases", y="R")


def _kinetic() -> str:
    v = np.linspace(-2, 2, 81)
    found = results(lambda: {"K": tc.kinetic_energy(tc.input("v", (1,)), 1.0)}, batch=len(v), v=v[:, np.newaxis])["K"]
    return chart([Line(x=v, y=np.ravel(found))], x="v of one particle, m = 1", y="K")


def _entropy() -> str:
    T = np.linspace(0.3, 3.0, 120)
    both = np.stack([np.ones_like(T), T], 1)
    conductance = np.array([[0.0, 1.0], [1.0, 0.0]])
    named = {"role": "temperature"}
    found = results(
        lambda: {"S": tc.entropy_production(tc.input("T", (2,), **named), conductance)}, batch=len(T), T=both
    )["S"]
    return chart([Line(x=T, y=np.ravel(found))], x="T of one end, the other at 1", y="S_dot")


def _chances(build: Callable[[Handle], Handle], *, x: str, low: float = -3.0, high: float = 3.0) -> Figure:
    """Draw how often a unit is up, of 400 samples, against its drive."""

    def draw() -> str:
        drive = np.linspace(low, high, 61)
        found = results(
            lambda: {"s": build(tc.input("x", drive.shape))}, batch=400, x=np.broadcast_to(drive, (400, 61))
        )
        return chart([Line(x=drive, y=found["s"][0].mean(0), style="points")], x=x, y="how often s is 1, of 400")

    return draw


def _categories() -> str:
    energies = np.array([0.0, 0.5, 1.0, 2.0])
    found = results(lambda: {"s": tc.sample_categorical(_constant(energies), T=0.7)}, 500)["s"].reshape(-1, 4).mean(0)
    law = np.exp(-energies / 0.7)
    lines = [
        Line(x=energies, y=found, label="drawn, 500 ticks", style="points"),
        Line(x=energies, y=law / law.sum(), label="exp(-x / T) / Z"),
    ]
    return chart(lines, x="x", y="p")


def _magnetisation(sweeps: int, ticks: int) -> Figure:
    def build() -> Outputs:
        return {f"T = {T:g}": tc.reduce(tc.gibbs(T, RING, sweeps=sweeps), kind="mean", axes=(0,)) for T in (0.4, 4.0)}

    return course(build, ticks, y="mean of s")


def _sweeps() -> Outputs:
    hole = tc.placeholder((6,), role="spike")
    s = tc.gibbs_sweeps(tc.delay(hole, np.ones(6)), 1.5, RING, sweeps=2)
    tc.connect(hole, s)
    return {"mean of s": tc.reduce(s, kind="mean", axes=(0,))}


def _mvm() -> str:
    positive, negative = (
        np.array([[[3.0, 0.0], [1.0, 2.0], [0.0, 1.0]]]),
        np.array([[[0.0, 2.0], [0.0, 0.0], [3.0, 0.0]]]),
    )
    attrs = {"rows": 4, "columns": 2, "cell_bits": 2, "g_min": 1e-6, "g_max": 1e-4}
    steps = {"adc_bits": 4, "adc_range": 8.0}
    x = np.linspace(-2, 2, 161)
    rows = np.stack([x, 0 * x + 0.5, 0 * x], 1)

    def build() -> Outputs:
        drive = tc.input("x", (3,))
        ways = {"exact": {}, "ADC of 4 bits": steps}
        return {label: tc.mvm(drive, positive, negative, **attrs, **more)[0] for label, more in ways.items()}

    found = results(build, batch=len(x), x=rows)
    return chart([Line(x=x, y=np.ravel(y), label=label) for label, y in found.items()], x="x[0]", y="y[0]")


THERMAL = (0.2, 0.5, 1.0)
IMAGE = np.array([[0.0, 0, 1, 0], [0, 1, 1, 0], [0, 0, 1, 0], [0, 1, 1, 1]])
KERNEL = np.array([[[[1.0, -1.0]]]])


def _heaters(x: Handle) -> Handle:
    """The temperature of heaters after a tick at voltages x."""
    (n,) = x.shape
    now = np.zeros((n, 9))
    now[:, 0] = 300.0
    rows = {"parameters": [[1e-3]], "circuit": [[0, 0, 0, 1e-5, 1e-13]], "domain": [[2000.0, -1e38, 1e38]]}
    arrays: dict[str, Any] = {name: np.array(row, float) for name, row in rows.items()}
    arrays |= {"scale": np.array([300.0, 0, 0]), "ends": np.zeros((0, 2), int), "link": np.zeros(0)}
    how: dict[str, Any] = {"model": "rc", "method": "euler", "h": 1e-9, "steps": 5, "tolerance": 1e-8}
    after = FUNCTIONS["thermo.device_step"](now, x, np.full(n, 300.0), **arrays, **how)
    return tc.slice(after, starts=(0, 0), stops=(n, 1), steps=(1, 1))


FIGURES: dict[str, Figure] = {
    "core.input": course(lambda: {"x": pulse()}, x=PULSE),
    "core.output": course(lambda: {"x": pulse()}, x=PULSE),
    "core.probe": course(lambda: {"x": pulse()}, x=PULSE),
    "core.constant": course(lambda: {"c": _constant([0.3, 1.0])}, 20),
    "core.parameter": course(_parameter, x=PULSE),
    "core.tick": course(lambda: {"tick": tc.tick()}, 12),
    "core.delay": course(lambda: {"x": (x := pulse()), "y": tc.delay(x, -0.5, ticks=8)}, x=PULSE),
    "core.affine": arrays(lambda x: tc.affine(x, SQUARE, np.array([0.5, -9])), x=np.array([1.0, 0, 2]), W=SQUARE),
    "core.sparse_affine": arrays(
        lambda x: tc.sparse_affine(x, np.array([2.0, -1.0, 3.0]), np.array([1, 0, 2]), np.array([0, 1, 3])),
        x=np.array([1.0, 0.5, 2.0]),
    ),
    "core.matmul": arrays(lambda x: tc.matmul(x, SQUARE.T - 3), x=SQUARE, b=SQUARE.T - 3),
    "core.conv": arrays(lambda x: tc.conv(tc.reshape(x, shape=(1, 4, 4)), KERNEL)[0], x=IMAGE),
    "core.pool": arrays(lambda x: tc.pool(tc.reshape(x, shape=(1, 4, 4)), window=2, stride=2, kind="mean")[0], x=IMAGE),
    "core.reshape": arrays(lambda x: tc.reshape(x, shape=(3, 2)), x=SQUARE),
    "core.flatten": arrays(tc.flatten, x=SQUARE),
    "core.transpose": arrays(lambda x: tc.transpose(x, axes=(1, 0)), x=SQUARE),
    "core.broadcast": arrays(lambda x: tc.broadcast(x, shape=(3, 3)), x=SQUARE[:1]),
    "core.concat": arrays(lambda x: tc.concat((x, -SQUARE[:, :1]), axis=-1), x=SQUARE, b=-SQUARE[:, :1]),
    "core.slice": arrays(lambda x: x[0:3:2, 1:4], x=np.arange(1.0, 17.0).reshape(4, 4)),
    **{
        f"core.{name}": unary(f"core.{name}") for name in ("neg", "abs", "sign", "expm1", "sin", "cos", "tanh", "floor")
    },
    "core.exp": unary("core.exp", -3.0, 2.0),
    **{f"core.{name}": unary(f"core.{name}", 0.02, 4.0) for name in ("log", "sqrt")},
    **{f"core.{name}": binary(f"core.{name}") for name in ("add", "sub", "mul", "minimum", "maximum")},
    **{f"core.{name}": binary(f"core.{name}") for name in ("less", "less_equal", "greater", "greater_equal")},
    "core.equal": arrays(
        lambda x: as_float(tc.equal(x, np.array([1.0, 0, 3]))), x=np.array([1.0, 2, 3]), b=np.array([1.0, 0, 3])
    ),
    "core.div": binary("core.div", others=(-1.0, 0.5, 2.0)),
    "core.pow": binary("core.pow", 0.05, 2.0),
    **{f"core.{name}": logic(f"core.{name}") for name in ("and", "or", "not")},
    "core.select": curve(lambda x: {"": tc.select(x > 0.0, tc.sin(3 * x), -1.0)}),
    "core.cast": curve(lambda x: {"x": x, "to i32": as_float(tc.cast(x, dtype="i32"))}),
    "core.reduce": arrays(lambda x: tc.reduce(x, kind="sum", axes=(1,)), x=SQUARE),
    "thermo.boltzmann": arrays(lambda x: tc.boltzmann(x, T=0.7), x=np.array([0.0, 0.5, 1.0, 2.0])),
    "thermo.fermi_dirac": curve(lambda x: {f"T = {T}": tc.fermi_dirac(x, T=T) for T in THERMAL}, y="p"),
    "thermo.thermal_relu": curve(lambda x: {f"T = {T}": tc.thermal_relu(x, T=T) for T in THERMAL}),
    "thermo.maxwell_boltzmann": curve(lambda x: {f"T = {T}": tc.maxwell_boltzmann(x, T=T) for T in THERMAL}, 0.0, 4.0),
    "thermo.normal": course(lambda: {"z": tc.normal(shape=())}, style="points", ticks=200),
    "thermo.uniform": course(lambda: {"u": tc.uniform(shape=())}, style="points", ticks=200),
    "thermo.noise": course(lambda: {f"T = {T}": tc.noise(T=T, shape=()) for T in (0.1, 1.0)}, dt=0.1, y="y"),
    "thermo.memory": course(
        lambda: {"x": (x := pulse()), "m, hot": tc.memory(x, T=0.02), "m, cold": tc.memory(x, T=1e-9)},
        dt=0.2,
        y="x, m",
        x=PULSE,
    ),
    "thermo.sample_binary": _chances(lambda x: tc.sample_binary(x, T=0.5), x="drive, T = 0.5"),
    "thermo.sample_categorical": _categories,
    "thermo.gibbs": _magnetisation(1, 80),
    "thermo.gibbs_sweeps": course(_sweeps, 80),
    "thermo.ising_energy": arrays(lambda x: tc.ising_energy(x, COUPLED), x=np.array([1.0, 1.0, -1.0]), J=COUPLED),
    "thermo.schedule": course(
        lambda: {
            kind: tc.schedule(kind=kind, T0=1.0, parameter=parameter, T_min=0.05)
            for kind, parameter in (("exponential", 15.0), ("linear", 50.0), ("power", 0.7))
        },
        style="line",
        y="T",
    ),
    "thermo.adaptive_schedule": course(
        lambda: {f"C = {C:g}": tc.adaptive_schedule(C, T0=1.0, T_min=0.05, relaxation=15.0) for C in (1.0, 9.0)},
        style="line",
        y="T",
    ),
    "thermo.observables": _free_energy,
    "thermo.order_parameter": _order,
    "thermo.heat_exchange": course(
        lambda: {"T": tc.heat_exchange(LINE, np.array([2.0, 1.0, 0.5, 0.2]), gamma=0.2)}, 50, dt=0.1, style="line"
    ),
    "thermo.heat_network": course(
        lambda: {"T": tc.heat_network(pulse() * np.array([1.0, 0, 0, 0]), 2.0, LINE, 1.0, ambient=0.3)[0]},
        dt=0.3,
        style="line",
        x=PULSE,
    ),
    "thermo.diffusion": course(
        lambda: {"T": tc.diffusion(np.array([2.0, 1.0, 0.5, 0.5, 0.2]), D=0.5)[0]}, 50, dt=0.1, style="line"
    ),
    "thermo.entropy_production": _entropy,
    "thermo.clamp": course(_clamped, x=PULSE),
    "thermo.reservoir": course(_reservoir, x=PULSE),
    "thermo.ou_network": course(
        lambda: {"x": tc.ou_network(np.array([[1.0, 0.5], [0.5, 1.0]]), 0.05, np.array([1.0, 0.0]))},
        120,
        dt=0.1,
        style="line",
    ),
    "thermo.brownian": course(
        lambda: {f"stiffness {k:g}": tc.brownian(_constant(0.0), 0.5, 1.0, k) for k in (0.2, 5.0)},
        120,
        dt=0.1,
        style="line",
        y="x",
    ),
    "thermo.langevin": course(_particle, 120, dt=0.1, style="line"),
    "thermo.velocity": course(_spring, 80, dt=0.2, style="line"),
    "thermo.kinetic_energy": _kinetic,
    "thermo.pair_force": _pairs,
    "thermo.bond_force": _bond,
    "thermo.bonds": course(_bonds),
    "thermo.ode": course(lambda: tc.dynamics(VAN_DER_POL, n=1, initial={"x": 2.0}, method="rk4"), dt=0.2, style="line"),
    "thermo.sde": course(lambda: tc.dynamics(WELL, n=2, method="euler"), 200, dt=0.1, style="line"),
    "thermo.device": course(
        lambda: {"T": tc.device("vo2", 12.0, seconds=5e-8, method="euler", steps=5)["T"]}, 160, style="line", y="K"
    ),
    "thermo.device_step": curve(lambda x: {"": _heaters(x)}, y="K"),
    "spiking.lif": _spiking("spiking.lif", 1.6, 6.0),
    "spiking.if": _spiking("spiking.if", 0.3),
    "spiking.cuba_lif": _spiking("spiking.cuba_lif", 2.0, 4.0, 6.0),
    "spiking.cuba_li": course(lambda: {"v": tc.cuba_li(pulse(), 4.0, 6.0)[0]}, x=PULSE, style="line"),
    "spiking.li": course(lambda: {"v": tc.li(pulse(), 6.0)}, x=PULSE, style="line"),
    "spiking.i": course(lambda: {"v": tc.i(pulse())}, x=PULSE, style="line"),
    "spiking.trace": course(lambda: {"g": tc.trace(pulse(), 6.0)}, x=PULSE, style="line"),
    "spiking.threshold": curve(lambda x: {"": tc.threshold(x, 0.5)}, y="s"),
    "spiking.scale": curve(lambda x: {f"s = {s:g}": tc.scale(x, s) for s in (0.5, 2.0)}),
    "spiking.decode": course(lambda: {"x": (x := pulse()), "y": tc.decode(x)}, x=PULSE),
    "spiking.lif_step": _spiking("spiking.lif_step", 0.3, 0.85),
    "spiking.trace_step": course(lambda: {"g": tc.trace_step(pulse(), 0.85)}, x=PULSE),
    "crossbar.mvm": _mvm,
    "loihi.encode": curve(
        lambda x: {f"{bits} bits": as_float(tc.loihi.encode(x, scale=2.0, bits=bits)) for bits in (3, 8)}
    ),
    "loihi.decode": _integers(lambda x: tc.loihi.decode(x, scale=4.0), top=8),
    "loihi.dense": _integers(lambda x: tc.loihi.dense(x, np.array([[6]]), message_bits=8), top=2),
    "loihi.sparse": _integers(
        lambda x: tc.loihi.sparse(x, np.array([6]), np.array([0]), np.array([0, 1]), message_bits=8), top=2
    ),
    "loihi.conv": arrays(
        lambda x: tc.loihi.conv(tc.reshape(x, shape=(1, 4, 4)), np.array([[[[2, -2]]]]))[0],
        ticks=2,  # a synapse takes one
        x=IMAGE.astype(np.int32),
    ),
    "loihi.dendrite": _integers(lambda x: tc.loihi.dendrite((x, x, x)), top=4),
    "loihi.lif": _integers(lambda x: tc.loihi.lif(x, du=2048, dv=409, vth=40)[1], "v", top=10),
    "loihi.graded": _integers(lambda x: tc.loihi.graded(x, vth=3), top=6),
    "loihi.lut": _integers(lambda x: tc.loihi.lut(x, np.array([0, 0, 1, 2, 4, 7, 11])), top=2),
    "loihi.sigma": _integers(tc.loihi.sigma),
    "loihi.delta": _integers(lambda x: tc.loihi.delta(x, vth=2), top=6),
    "loihi.sigma_delta": _integers(lambda x: tc.loihi.sigma_delta(x, vth=2), top=3),
    "loihi.fermi_dirac": _integers(lambda x: tc.loihi.fermi_dirac(x, 300), "s"),
    "loihi.categorical": course(lambda: {"s": tc.loihi.categorical(_constant(np.array([0, 1, 2], np.int32)), 300)}, 40),
    "loihi.boltzmann": _integers(
        lambda x: tc.loihi.boltzmann(tc.concat((x, _constant(np.zeros(1, np.int32))), axis=0), 300), "p", top=9
    ),
    "loihi.memory": _integers(lambda x: tc.loihi.memory(x, 1000, dm=409), "m", top=100),
    "loihi.relaxation": _integers(lambda x: tc.loihi.relaxation(x, 1000, 2**22), "m", top=100),
    "loihi.heat": _integers(lambda x: tc.loihi.heat(x, loss=409), "T", top=200),
    "loihi.heat_node": _integers(lambda x: tc.loihi.heat_node(x, 40), "T", top=200),
}
