"""P9 to P11, P29, P30, P47: particles in a bath. Statistical checks at 4 standard errors (6e-5 each)."""

# SciPy has no type stubs.
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import thermoc as tc
from thermoc import physics
from thermoc.ir.handle import Handle
from thermoc.support.array_types import AnyArray, FloatArray


def error(chains: AnyArray) -> float:
    return chains.mean(0).std(ddof=1) / np.sqrt(chains.shape[1])


def spring(dt: float, *, k: float = 1.0, T: float = 0.7, ticks: int, batch: int, seed: int = 3, **more: Any) -> tc.Run:
    with tc.Network("spring", dt=dt) as net:
        force = tc.placeholder((1,))
        x, w = tc.langevin(force, T, **more)
        tc.connect(force, -k * x)
        tc.output("x", x)
        tc.output("v", tc.velocity(w, -k * x, more.get("mass", 1.0)))
    return tc.compile(net, "sim").run(ticks=ticks, batch=batch, seed=seed)


@pytest.mark.parametrize("dt", [0.05, 1.0])
def test_baoab_has_no_error_in_a_spring(dt: float):
    """Var x = T / k at any stable step (Leimkuhler and Matthews 2013); v only to order dt^2."""
    run = spring(dt, ticks=600, batch=600, initial=0.5, mass=1.0, friction=2.0)
    x2 = run["x"][300:, :, 0] ** 2
    assert abs(x2.mean() - 0.7) < 4 * error(x2)
    v2 = run["v"][300:, :, 0] ** 2
    assert abs(v2.mean() - 0.7 * (1 - dt * dt / 4)) < 4 * error(v2)


def test_without_friction_it_is_velocity_verlet_of_order_two():
    worst: list[float] = []
    for dt in (0.1, 0.05, 0.025):
        run = spring(dt, ticks=round(5 / dt) + 1, batch=1, initial=1.0, velocity=0.5, friction=0.0)
        t = np.arange(len(run["x"])) * dt
        worst.append(np.abs(run["x"][:, 0, 0] - (np.cos(t) + 0.5 * np.sin(t))).max())
        assert run["v"][0, 0, 0] == 0.5
        np.testing.assert_allclose(run["v"][:, 0, 0], 0.5 * np.cos(t) - np.sin(t), atol=1.2 * worst[-1] + 2e-3 * dt)
    np.testing.assert_allclose(np.array(worst[:-1]) / worst[1:], 4, rtol=0.05)


@pytest.mark.parametrize("row", range(5))
def test_ou_is_exact_and_euler_is_as_wrong_as_it_should_be(shared: Path, row: int):
    table = np.loadtxt(shared / "device-reference/v_analytic/ou.csv", delimiter=",", comments="#")
    gdt, exact, euler, _, decay, kick = table[row]
    with tc.Network("ou", dt=gdt) as net:
        x = tc.placeholder(())
        start = np.sqrt(0.7)
        for name, y in {
            "exact": tc.brownian(0.0, 0.7, stiffness=1.0, initial=start),
            "memory": tc.memory(0.0, 0.7),
        }.items():
            tc.output(name, y)
        y = tc.brownian(-x, 0.7, initial=start)
        tc.connect(x, y)
        tc.output("euler", y)
    run = tc.compile(net, "sim").run(ticks=1200, batch=2000, seed=5)
    if gdt > 0.05:  # slower ones do not settle in this run: the law of a step is what is checked
        for name, variance in (("exact", exact), ("euler", euler)):
            square = run[name][round(12 / gdt) :] ** 2
            assert abs(square.mean() - variance) < 4 * error(square), name
    for name in ("exact", "memory"):
        noise = run[name][1:] - decay * run[name][:-1]
        assert abs(noise.var() / kick - 1) < 4 * np.sqrt(2 / noise.size)
        assert abs(noise.mean()) < 4 * np.sqrt(kick / noise.size)


def test_jarzynski_from_a_driven_spring(shared: Path):
    """Stiffness driven from k0 to k1 over a time: e^-W averages to e^-dF whatever the speed (P30)."""
    k0, k1, T, dF = np.loadtxt(shared / "device-reference/v_analytic/jarzynski_stiffening.csv", delimiter=",")
    steps, dt, start = 200, 0.01, 400
    k = np.concatenate([np.full(start, k0), np.linspace(float(k0), float(k1), steps + 1)])
    with tc.Network("driven", dt=dt) as net:
        tc.output("x", tc.brownian(0.0, T, stiffness=tc.input("k"), initial=0.0))
    batch = 20000
    run = tc.compile(net, "sim").run({"k": np.broadcast_to(k[:, None], (len(k), batch))}, ticks=len(k), batch=batch)
    x = run["x"][start:]
    # the spring stiffens at once at the tick's start, then the particle moves: W = sum dk x^2 / 2
    W = (np.diff(k[start:])[:, None] * x[1:] ** 2 / 2).sum(axis=0)
    found = physics.jarzynski(W, T)
    assert abs(found.dF - dF) < 4 * found.error and found.error < 0.02
    assert found.dissipated > 10 * found.error  # it is driven, not quasi-static


def test_a_lennard_jones_cluster_keeps_its_energy_and_follows_the_equations():
    x0 = np.array([[0.0, 0.0], [1.15, 0.0], [0.6, 1.0]])
    v0 = np.array([[0.1, 0.0], [0.0, -0.2], [-0.1, 0.2]])
    with tc.Network("cluster", dt=0.002) as net:
        f = tc.placeholder((3, 2))
        x, w = tc.langevin(f, 1.0, friction=0.0, initial=x0, velocity=v0)
        force, U, W = tc.pair_force(x, kind="lennard_jones")
        tc.connect(f, force)
        tc.output("x", x)
        tc.output("E", U + tc.kinetic_energy(tc.velocity(w, force)))
        tc.output("W", W)
    run = tc.compile(net, "sim").run(ticks=1001)
    assert np.abs(run["E"] - run["E"][0]).max() < 2e-4

    def slope(t: float, y: FloatArray) -> FloatArray:
        force, _, _ = physics.pair_forces(y[:6].reshape(3, 2), physics.lennard_jones)
        return np.concatenate([y[6:], force.reshape(-1)])

    start = np.concatenate([x0.reshape(-1), v0.reshape(-1)])
    exact = cast(FloatArray, solve_ivp(slope, (0, 2), start, rtol=1e-10, atol=1e-12).y[:6, -1])
    np.testing.assert_allclose(run["x"][-1, 0].reshape(-1), exact, atol=3e-5)
    assert run["W"][0, 0] == pytest.approx(float(physics.pair_forces(x0, physics.lennard_jones)[2]), rel=1e-12)


def test_the_virial_theorem_holds_in_a_bath():
    """<sum x f> = -T per degree of freedom; springs between all pairs, held by a weak one to the origin."""
    with tc.Network("bath", dt=0.1) as net:
        f = tc.placeholder((4, 2))
        x, _ = tc.langevin(f, 0.5, friction=1.0, initial=0.1)
        pull, _, W = tc.pair_force(x, 0.7, kind="harmonic")
        force = pull - x
        tc.connect(f, force)
        tc.output("W", W)
        tc.output("held", tc.reduce(-x * x, kind="sum", axes=(0, 1)))
    run = tc.compile(net, "sim").run(ticks=500, batch=400, seed=2)
    total = (run["W"] + run["held"])[150:]
    assert abs(total.mean() + 0.5 * 8) < 4 * error(total)


def test_bonds_form_break_and_keep_their_energy():
    with tc.Network("bonds") as net:
        x = tc.input("x", (2, 1))
        formed, E = tc.bonds(x, [0], [1], -2.0, r_form=1.0, r_break=2.0)
        _, U, _ = tc.bond_force(x, [0], [1], 3.0, 0.5, formed)
        for name, y in {"formed": formed, "E": E, "U": U}.items():
            tc.output(name, y)
    r = np.array([1.5, 0.9, 1.5, 2.5, 1.5])
    run = tc.compile(net, "sim").run({"x": np.stack([0 * r, r], -1)[:, None, :, None]})
    np.testing.assert_array_equal(run["formed"][:, 0, 0], [0, 1, 1, 0, 0])
    np.testing.assert_array_equal(run["E"][:, 0], [0, -2, -2, 0, 0])
    np.testing.assert_allclose(run["U"][:, 0], [0, 1.5 * 0.16, 1.5, 0, 0])


def test_the_adaptive_schedule_measures_the_capacity_of_what_it_cools():
    """A cloud of n springs has C = n / 2 at any T, so T falls as exp(-t speed / (relaxation sqrt(C)))."""
    n, dt = 40, 0.2
    with tc.Network("cool", dt=dt) as net:
        E = tc.placeholder((), role="energy")
        T = tc.adaptive_schedule(energy=E, T0=1.0, T_min=0.05, speed=0.005, window=30.0, C_initial=n / 2)
        x = tc.brownian(np.zeros(n), T, stiffness=1.0, initial=np.random.default_rng(0).normal(size=n))
        tc.connect(E, tc.reduce(x * x / 2, kind="sum", axes=(0,)))
        tc.output("T", T)
    cooled = tc.compile(net, "sim").run(ticks=4000, batch=64)["T"][-1]
    expected = np.exp(-4000 * dt * 0.005 / np.sqrt(n / 2))
    assert abs(np.log(cooled).mean() / np.log(expected) - 1) < 0.1  # C is measured within some 10 %
    assert cooled.std() > 0  # each sample its own


@pytest.mark.parametrize(
    ("call", "fact"),
    [
        (lambda: tc.langevin(0.0, 1.0, np.array([1.0, 0.0])), "mass[1] = 0.0"),
        (lambda: tc.brownian(0.0, 1.0, -1.0), "mobility = -1.0"),
        (lambda: tc.pair_force(np.array([[0.0], [1.0], [3.0]]), kind="lennard_jones", cutoff=2.0, box=(3.0,)), "1.5"),
        (lambda: tc.pair_force(np.array([[0.0], [1.0], [3.0]]), kind="coulomb", box=(3.0,)), "particles 0 and 2"),
        (lambda: tc.pair_force(np.zeros((2, 2)), kind="table"), "kind = table"),
        (lambda: tc.bond_force(np.eye(2), [0], [2]), "second[0] = 2"),
        (lambda: tc.bonds(np.eye(2), [0], [0], 1.0, r_form=1.0, r_break=2.0), "to itself"),
        (lambda: tc.bonds(np.eye(2), [0], [1], 1.0, r_form=3.0, r_break=2.0), "r_form = 3.0"),
        (lambda: tc.adaptive_schedule(T0=1.0, T_min=0.1), "given is neither"),
    ],
)
def test_impossible_particles_are_refused(call: Callable[[], Handle | tuple[Handle, ...]], fact: str):
    with pytest.raises(tc.ThermocError) as caught, tc.Network("wrong"):
        made = call()
        tc.output("y", made[0] if isinstance(made, tuple) else made)
    assert fact in str(caught.value)


def test_particles_that_start_at_one_place_are_refused():
    with pytest.raises(tc.ThermocError, match=r"(?s)T105.*r = 0.*particles 1 and 2"), tc.Network("wrong"):
        f = tc.placeholder((3, 2))
        x, _ = tc.langevin(f, 1.0, initial=np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]]))
        tc.connect(f, tc.pair_force(x, kind="lennard_jones")[0])
        tc.output("x", x)
