"""Pair forces by cells are those of all pairs."""

import numpy as np
import pytest

import thermoc as tc
from thermoc import physics, simulator
from thermoc.backends.sim.emit import emit
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("boxed", [False, True])
def test_cells_meet_every_pair_within_the_cutoff(d, boxed):
    n, side, cutoff = 400, {1: 200.0, 2: 14.0, 3: 9.0}[d], 1.5
    x = np.random.default_rng(d).uniform(-side, 2 * side, (2, n, d))  # outside the box too
    how = {"kind": "coulomb", "softening": 0.1, "cutoff": cutoff, "shift": True}
    with tc.Network("pairs") as net:
        f, U, W = tc.pair_force(tc.input("x", (n, d)), 0.7, box=(side,) * d if boxed else (), **how)
        for name, value in {"f": f, "U": U, "W": W}.items():
            tc.output(name, value)
    run = tc.compile(net, "sim").run({"x": x})
    law = lambda r: physics.coulomb(r, 0.7, softening=0.1)  # noqa: E731
    force, energy, virial = physics.pair_forces(x, law, cutoff=cutoff, box=[side] * d if boxed else None, shift=True)
    assert (energy != 0).all()
    np.testing.assert_allclose(run["f"][0], force, rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(run["U"][0], energy, rtol=1e-11)
    np.testing.assert_allclose(run["W"][0], virial, rtol=1e-11)


def test_a_fluid_keeps_its_energy_over_cells_that_change():
    """512 particles in a box of 8^3, velocity Verlet; the error of order dt^2 stays bounded."""
    side = 8 * 1.2
    grid = np.stack(np.meshgrid(*[np.arange(8) * 1.2] * 3), -1).reshape(-1, 3)
    with tc.Network("fluid", dt=0.002) as net:
        f = tc.placeholder(grid.shape)
        v0 = np.random.default_rng(0).normal(size=grid.shape)
        x, w = tc.langevin(f, 1.0, friction=0.0, initial=grid, velocity=v0 - v0.mean(axis=0))
        force, U, _ = tc.pair_force(x, kind="lennard_jones", cutoff=2.5, shift=True, box=(side,) * 3)
        tc.connect(f, force)
        v = tc.velocity(w, force)
        tc.output("E", U + tc.kinetic_energy(v))
        tc.output("p", tc.reduce(v, kind="sum", axes=(0,)))
    run = tc.compile(net, "sim").run(ticks=300)
    assert np.ptp(run["E"]) < 1e-3 * 512
    np.testing.assert_allclose(run["p"], 0, atol=1e-10)


TABLE = {"energies": [1.0, 0.5, 0.0], "kind": "table"}


def forced(n, d, **how):
    with tc.Network("meeting") as net:
        f, U, W = tc.pair_force(tc.input("x", (n, d)), **how)
        for name, value in {"f": f, "U": U, "W": W}.items():
            tc.output(name, value)
    return net


@pytest.mark.parametrize(
    "how", [{"kind": "lennard_jones"}, {"kind": "coulomb"}, {"grid": [0.0, 1.0, 3.0], **TABLE}], ids=lambda h: h["kind"]
)
def test_two_particles_that_meet_are_named(how):
    """At tick 102 the third sample's, later the second's: the first tick counts, whatever runs first."""
    net, x = forced(3, 2, **how), np.random.default_rng(0).normal(size=(5, 4, 3, 2))
    x[2, 2, 2] = x[2, 2, 0]
    x[3, 1, 1] = x[3, 1, 0]
    where = {"first_sample": 10, "first_tick": 100}
    named = r"(?s)T405.*particles 0 and 2 of sample 12, at tick 102"
    with pytest.raises(tc.ThermocError, match=named):
        interpret(net.graph, feed(net.graph, {"x": x}), **where)
    exe = tc.compile(net, "sim")
    with pytest.raises(tc.ThermocError, match=named):
        exe.run({"x": x}, **where)
    program, inputs = emit(exe.graph), feed(exe.graph, {"x": x}).arrays
    for options in ({"block": 1}, {"block": 2, "threads": 2}):
        with pytest.raises(tc.ThermocError, match=named):
            simulator.run(program, inputs, ticks=5, batch=4, **where, **options)


@pytest.mark.parametrize(
    "how",
    [{"kind": "harmonic"}, {"kind": "coulomb", "softening": 0.1}, {"grid": [0.1, 1.0, 3.0], **TABLE}],
    ids=lambda h: h["kind"],
)
def test_where_the_force_vanishes_at_nought_particles_may_meet(how):
    net, x = forced(3, 2, **how), np.array([[[0.3, 0.1], [0.5, 0.0], [0.3, 0.1]]])
    trace = interpret(net.graph, feed(net.graph, {"x": x})).outputs
    for target in ("sim", "onnx"):
        run = tc.compile(net, target).run({"x": x})
        for name, wanted in trace.items():
            assert np.isfinite(wanted).all()
            np.testing.assert_allclose(run[name], wanted, rtol=1e-12 if target == "sim" else 1e-6)


def test_meetings_among_cells_and_in_single_precision():
    x = np.random.default_rng(0).uniform(0, 12, (1, 300, 2))
    x[0, 250] = x[0, 17]
    exe = tc.compile(forced(300, 2, kind="coulomb", cutoff=1.0), "sim")
    with pytest.raises(tc.ThermocError, match="particles 17 and 250 of sample 0, at tick 0"):
        exe.run({"x": x})
    near = np.array([[[0.0], [1e-4]]])  # (1 / r)^12 is beyond float32
    net = forced(2, 1, kind="lennard_jones")
    assert np.isfinite(tc.compile(net, "sim").run({"x": near})["f"]).all()
    with pytest.raises(tc.ThermocError, match="too near"):
        tc.compile(net, "sim", precision="float32").run({"x": near})


def test_particles_that_collide_on_their_way_end_the_run():
    """Two that fly at each other meet at tick 4; the force is felt by none, so that they do."""
    with tc.Network("collision", dt=1.0) as net:
        start, speed = np.array([[-2.0], [2.0]]), np.array([[0.5], [-0.5]])
        x, _ = tc.langevin(np.zeros((2, 1)), 1.0, friction=0.0, initial=start, velocity=speed)
        tc.output("U", tc.pair_force(x, kind="lennard_jones")[1])
    assert np.isfinite(tc.compile(net, "sim").run(ticks=4)["U"]).all()
    for run in (tc.compile(net, "sim").run, lambda ticks: interpret(net.graph, feed(net.graph, {}, ticks=ticks))):
        with pytest.raises(tc.ThermocError, match="particles 0 and 1 of sample 0, at tick 4"):
            run(ticks=9)
    assert not np.isfinite(tc.compile(net, "onnx").run(ticks=9)["U"]).all()  # as the op's docstring says
