"""Dense layers of binary units, updated as products of matrices: equal to the reference, whatever runs beside them."""

import dataclasses

import numpy as np
import pytest
from scipy.sparse import csr_array

import thermoc as tc
from thermoc import physics, simulator
from thermoc.backends.sim.emit import emit
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret
from thermoc.simulator.bounds import check
from thermoc.simulator.instructions.declaration import OPERANDS
from thermoc.simulator.instructions.gibbs import GIBBS_LAYERS
from thermoc.simulator.kernels.gibbs import layout
from thermoc.support import philox

RNG = np.random.default_rng(0)


def coupled(sizes, *, mixed=False, density=1.0):
    """Random symmetric couplings between layers of these sizes, whose units may stand in any order."""
    layer = np.repeat(np.arange(len(sizes)), sizes)
    if mixed:
        layer = RNG.permutation(layer)
    J = np.triu(RNG.normal(size=(len(layer),) * 2) * (RNG.random((len(layer),) * 2) < density), 1)
    return (J + J.T) * (layer != layer[:, None]) * 0.3


def network(J, T=1.3, h=0.1, *, levels="spin", initial=None, **attrs):
    start = RNG.choice([-1.0 if levels == "spin" else 0.0, 1.0], len(J)) if initial is None else initial
    with tc.Network("layers") as net:
        tc.output("s", tc.gibbs(T, J, h, levels=levels, initial=start, **attrs))
    return net


def layered(exe) -> bool:
    return bool((exe.artefact.program.code[:, 0] == GIBBS_LAYERS.opcode).any())


CASES = {
    "spins": lambda: network(coupled((40, 30))),
    "bits": lambda: network(coupled((33, 50)), levels="binary"),
    "mixed": lambda: network(coupled((41, 38), mixed=True), h=RNG.normal(size=79)),
    "three layers": lambda: network(coupled((30, 18, 33), mixed=True), levels="binary", sweeps=3),
    "half of the couplings": lambda: network(coupled((64, 65), density=0.5)),
    "sparse": lambda: network_sparse(coupled((40, 44))),
    "temperatures": lambda: network(coupled((40, 40)), RNG.uniform(0.5, 2, 80), h=RNG.normal(size=80)),
    "cooled": lambda: network(coupled((40, 40)), np.array([[3.0], [1.0]]), sweeps=2),
    "cooled, each its own": lambda: network(coupled((40, 40)), RNG.uniform(0.5, 2, (2, 80)), sweeps=2),
    "frozen": lambda: network(coupled((40, 40)), 1e-9, sweeps=2),
    "from anywhere": lambda: network(coupled((40, 39), mixed=True), initial=RNG.normal(size=79)),
    "three layers from anywhere": lambda: network(coupled((30, 18, 33)), initial=RNG.normal(size=81)),
    "from a fraction": lambda: network(coupled((40, 30)), levels="binary", initial=0.5, sweeps=2),
}


def network_sparse(J):
    with tc.Network("layers") as net:
        tc.output("s", tc.gibbs(1.0, csr_array(J), levels="binary", initial=0.0))
    return net


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("batch", "first_sample"), [(1, 0), (21, 5)])
def test_equal_to_the_reference(case, batch, first_sample):
    net = CASES[case]()
    exe = tc.compile(net, "sim")
    assert layered(exe)
    place = {"seed": 5, "first_sample": first_sample, "first_tick": 2}
    trace = interpret(net.graph, feed(net.graph, {}, ticks=4, batch=batch), **place)
    np.testing.assert_array_equal(exe.run(ticks=4, batch=batch, **place)["s"], trace.outputs["s"])


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_threads_blocks_and_splits_do_not_matter(precision):
    """Some samples start at a level and some do not; their neighbours must not notice."""
    J, n = coupled((70, 50)), 120
    with tc.Network("rbm") as net:
        x = tc.input("x", (n,))
        tc.output("s", tc.gibbs_sweeps(x, 1.0, J, tc.input("h", (n,)), levels="binary", sweeps=2))
    x = (RNG.random((300, n)) < 0.5).astype(precision)
    x[::7] += RNG.normal(size=(43, n))
    given = {"x": x, "h": RNG.normal(size=(300, n))}
    exe = tc.compile(net, "sim", precision=precision)
    program = emit(exe.graph)
    inputs = feed(exe.graph, given, ticks=6, batch=300).arrays
    whole = simulator.run(program, inputs, ticks=6, batch=300, seed=3, threads=1).outputs["s"]
    for options in ({"threads": 2}, {"block": 1}, {"block": 77}):
        found = simulator.run(program, inputs, ticks=6, batch=300, seed=3, **options).outputs["s"]
        np.testing.assert_array_equal(found, whole)
    part = {name: array[:, 100:] for name, array in inputs.items()}
    np.testing.assert_array_equal(
        simulator.run(program, part, ticks=6, batch=200, seed=3, first_sample=100).outputs["s"], whole[:, 100:]
    )


def test_float32_differs_only_within_rounding():
    """A unit of float32 may part from that of float64 only where drive and threshold are equal to a few roundings.

    The uniforms differ too, by 2^-24 at most, which moves a threshold by 2^-24 / (u (1 - u)).
    """
    J = coupled((300, 200))
    with tc.Network("rbm") as net:
        tc.output("s", tc.gibbs_sweeps(tc.input("x", (500,)), 1.0, J))
    x = RNG.choice([-1.0, 1.0], (400, 500))
    one, two = (tc.compile(net, "sim", precision=p).run({"x": x}, seed=1)["s"][0] for p in ("float32", "float64"))
    parted = one[:, :300] != two[:, :300]
    drive = 2 * x[:, 300:] @ J[300:, :300]
    assert parted.sum() < 10  # of 120,000, each with a chance of some 1e-6
    tight = 1e-5 * np.cosh(np.clip(drive / 2, -8, 8)) ** 2
    high, low, _, _ = philox.words(np.arange(400 * 500), tick=0, draw=0, stream=0, seed=1)
    u = philox.uniform(high, low, np.dtype(float)).reshape(400, 500)[:, :300]
    assert (np.abs(drive - np.log(u / (1 - u)))[parted] < tight[parted]).all()


def test_a_machine_of_two_layers_samples_its_law(monkeypatch):
    """Mean energy of 8 and 4 units, few as they are, against enumeration at 4 standard errors."""
    monkeypatch.setattr(layout, "LEAST", 1)
    J, h = coupled((8, 4)), RNG.normal(size=12)
    exact = physics.enumerate_ising(J, 1.5, h, "binary")
    exe = tc.compile(network(J, 1.5, h, levels="binary", initial=0.0), "sim")
    assert layered(exe)
    E = physics.ising_energy(exe.run(ticks=300, batch=1000, seed=4)["s"][20:], J, h).mean(axis=0)
    assert abs(E.mean() - exact.U) < 4 * E.std(ddof=1) / np.sqrt(E.size)


def test_few_or_sparse_couplings_stay_with_the_other_kernel():
    assert not layered(tc.compile(network(coupled((10, 10))), "sim"))
    assert not layered(tc.compile(network(coupled((200, 200), density=0.05)), "sim"))
    assert not layered(tc.compile(network(coupled((40, 40)), order="parallel"), "sim"))
    assert not layered(tc.compile(network(coupled((40, 40)), draws="word"), "sim"))


FIRST = 2 + OPERANDS
"""Where in a row of code the parameters begin."""


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (FIRST, 1),  # a table that starts elsewhere
        (FIRST + 1, 3),  # more classes than there are
        (FIRST + 2, 0),  # no sweep at all
        (FIRST + 3, 2),  # coupled units at once
        (FIRST + 4, 2**32),  # a stream beyond the counter
        (FIRST + 5, 10**6),  # matrices beyond the constants
    ],
)
def test_a_row_that_reaches_outside_is_refused(column, value):
    held = tc.compile(network(coupled((40, 40))), "sim").artefact.program
    check(held)
    code = held.code.copy()
    code[np.flatnonzero(code[:, 0] == GIBBS_LAYERS.opcode)[0], column] = value
    with pytest.raises(ValueError):
        check(dataclasses.replace(held, code=code))


@pytest.mark.parametrize("wrong", [[0, 41, 80], [1, 40, 80], [0, 80, 40], [0, 40, 79]])
def test_classes_that_are_none_are_refused(wrong):
    """Where classes start is all that tells how large the matrices are; [0, 41, 80] asks for more than there is."""
    held = tc.compile(network(coupled((40, 40))), "sim").artefact.program
    table = held.table.copy()
    table[:3] = wrong
    with pytest.raises(ValueError):
        check(dataclasses.replace(held, table=table))
