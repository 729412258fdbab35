"""Pair forces by cells are those of all pairs."""

import numpy as np
import pytest

import thermoc as tc
from thermoc import physics


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
