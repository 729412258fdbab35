"""Parameters on the simulator: the bits of constants, also after they were replaced, and nothing compiled for that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import BATCH, CASES, SEED, TICKS, inputs, network

import thermoc as tc
from thermoc import simulator
from thermoc.ir.dialects.core import Constant, Parameter
from thermoc.ir.graph import Graph
from thermoc.ir.parameters import frozen
from thermoc.simulator.feed_forward_split import halves
from thermoc.simulator.frame import layout
from thermoc.support.errors import ThermocError

RNG = np.random.default_rng(3)


def parameterised(graph: Graph) -> Graph:
    """Return the graph with every constant of floats as a parameter."""
    return graph.with_ops(
        Parameter(name=op.y.name, value=op.value, role=op.role, y=op.y, location=op.location)
        if isinstance(op, Constant) and op.y.dtype.is_float
        else op
        for op in graph.ops
    )


def same(a: tc.Run, b: tc.Run) -> None:
    for arrays, others in ((a.outputs, b.outputs), (a.states, b.states)):
        assert arrays.keys() == others.keys()
        for name, array in arrays.items():
            assert array.tobytes() == others[name].tobytes(), name


def tried() -> Iterator[Any]:
    """Yield every case with floats among its constants; all its variants are slow together, one is quick."""
    for case in CASES:
        if not parameterised(network(case, "all vary").graph).parameters:
            continue
        yield pytest.param(case, "all vary", "float64", id=f"{case}-float64")
        for varying, precision in (("all vary", "float32"), ("all uniform", "float64")):
            yield pytest.param(case, varying, precision, id=f"{case}-{varying}-{precision}", marks=pytest.mark.slow)


@pytest.mark.parametrize("case, varying, precision", list(tried()))
def test_bits_of_constants(case: str, varying: str, precision: str):
    """Parameters give what the same constants give, as they are and after each was multiplied by 9/8."""
    net = tc.Network.of(parameterised(network(case, varying).graph))
    given = {"inputs": inputs(net), "ticks": TICKS, "batch": BATCH, "seed": SEED}
    exe = tc.compile(net, "sim", precision=precision)
    same(exe.run(**given), tc.compile(frozen(net.graph), "sim", precision=precision).run(**given))
    changed = {name: array * 1.125 for name, array in exe.parameters.items() if name not in exe.frozen_parameters}
    try:
        other = net.with_parameters(changed)
    except ThermocError as problem:  # some numbers must be what they are
        assert problem.code in ("T105", "T108")
        return
    same(
        exe.run(**given, parameters=changed),
        tc.compile(frozen(other.graph), "sim", precision=precision).run(**given),
    )


def digits(weights: dict[str, np.ndarray], *, constant: bool = False) -> tc.Network:
    """Two layers behind a delay, large enough for their products to be taken out of the recursion."""

    def of(name: str) -> Any:
        return weights[name] if constant else tc.parameter(name, weights[name])

    with tc.Network("digits") as net:
        x = tc.delay(tc.input("x", (64,)), initial=of("start"))
        h = tc.thermal_relu(tc.affine(x, of("W1"), of("b1")), T=0.05)
        tc.output("probs", tc.boltzmann(-tc.affine(h, of("W2"), of("b2")), T=of("T")))
    return net


def weights(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    shapes = {"W1": (32, 64), "b1": (32,), "W2": (10, 32), "b2": (10,), "start": (64,)}
    return {name: rng.normal(size=shape) / 8 for name, shape in shapes.items()} | {"T": np.array(0.5 + seed)}


X = RNG.normal(size=(5, 4, 64))


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_replacing_shares_what_was_compiled(precision: str):
    """Rows, layout and halves are the very ones; numbers, starts of states among them, are those of the constants."""
    exe = tc.compile(digits(weights(1)), "sim", precision=precision)
    exe.run({"x": X})
    program = exe.artefact.program
    known = len(layout.known), len(halves.known)
    other = exe.with_parameters(weights(2))
    again = other.artefact.program
    same(
        other.run({"x": X}),
        tc.compile(digits(weights(2), constant=True), "sim", precision=precision).run({"x": X}),
    )
    assert halves(program) is not None
    assert again.code is program.code
    assert layout(again) is layout(program)
    assert (len(layout.known), len(halves.known)) <= (known[0] + 3, known[1] + 1)  # those of the constants alone
    same(exe.run({"x": X}), tc.compile(digits(weights(1), constant=True), "sim", precision=precision).run({"x": X}))
    # One after the other: what was replaced before stays replaced.
    step = exe.with_parameters({"W1": weights(2)["W1"]}).with_parameters(
        {name: array for name, array in weights(2).items() if name != "W1"}
    )
    same(step.run({"x": X}), other.run({"x": X}))


def test_sessions_go_on_with_other_parameters():
    """States stay; ticks after it are those of a network that has both, one after the other."""

    def net(gain: float) -> tc.Network:
        with tc.Network("sum") as net:
            hole = tc.placeholder((2,))
            total = tc.delay(hole) + tc.input("x", (2,)) * tc.parameter("gain", gain)
            tc.connect(hole, total)
            tc.output("total", total)
        return net

    exe = tc.compile(net(1.0), "sim")
    ones = np.ones((1, 2))
    with exe.start(batch=1) as session:
        session.run(3, {"x": ones})
        session.parameters["gain"] = 10.0
        assert session.parameters["gain"] == 10.0
        assert (session.run(2, {"x": ones})["total"][-1] == 23.0).all()
        session.parameters.update({"gain": np.array(0.0)})
        assert (session.run(2, {"x": ones})["total"][-1] == 23.0).all()
    with exe.start(batch=1, parameters={"gain": 2}) as session:
        assert (session.run(1, {"x": ones})["total"] == 2.0).all()
    assert exe.parameters["gain"] == 1.0


def test_programs_from_files_take_other_parameters(tmp_path: Path):
    with tc.Network("layer") as net:
        x = tc.input("x", (3,))
        tc.output("y", tc.affine(x, tc.parameter("W", np.eye(2, 3)), tc.parameter("b", np.ones(2))))
    tc.compile(net, "sim").save(tmp_path / "layer.program")
    program = simulator.load(tmp_path / "layer.program")
    W = RNG.normal(size=(2, 3))
    other = program.with_parameters({"W": W})
    given = np.ones((1, 1, 3))
    assert np.allclose(simulator.run(other, {"x": given}, ticks=1, batch=1).outputs["y"], W.sum(axis=1) + 1)
    assert np.allclose(simulator.run(program, {"x": given}, ticks=1, batch=1).outputs["y"], 2.0)
    for arrays, text in (({"U": W}, "no parameter 'U'"), ({"W": W.T}, "another shape")):
        with pytest.raises(ThermocError, match=text) as caught:
            program.with_parameters(arrays)
        assert caught.value.code == "T418"


def test_what_a_parameter_makes_must_be_finite():
    with tc.Network("log") as net:
        tc.output("y", tc.input("x", (2,)) * tc.log(tc.parameter("a", [1.0, 2.0])))
    exe = tc.compile(net, "sim")
    with pytest.raises(ThermocError, match="of a gives -inf") as caught:
        exe.with_parameters({"a": [1.0, 0.0]})
    assert caught.value.code == "T418"
    assert "not finite" in str(caught.value)


def coupled(J: Any, *, draws: str = "unit", **options: Any) -> tc.Network:
    """Return spins whose couplings, fields and temperature are parameters where J is in a list."""
    replaceable, n = isinstance(J, list), len(J[0])

    def array(name: str, value: Any, **role: Any) -> Any:
        return tc.parameter(name, value, **role) if replaceable else value

    with tc.Network("spins") as net:
        T = array("T", 1.0, role="temperature")
        couplings = array("J", J[0] if replaceable else J)
        s = tc.gibbs(T, couplings, array("h", np.full(n, 0.1)), draws=draws, **options)
        tc.output("s", s)
        tc.output("E", tc.ising_energy(s, couplings))
    return net


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize(
    ("sizes", "options"), [((5, 4), {}), ((40, 40), {"levels": "binary"}), ((5, 4), {"order": "parallel"}), ((3,), {})]
)
def test_couplings_are_replaced(sizes: tuple[int, ...], options: dict[str, Any], precision: str):
    """By rows and as matrices of layers: the bits of the network compiled with the new ones, in a session too."""
    rng, n = np.random.default_rng(0), sum(sizes)
    layer = np.repeat(np.arange(len(sizes)), sizes)
    pattern = (layer[:, None] != layer) if len(sizes) > 1 else ~np.eye(n, dtype=bool)
    first, second = (np.where(pattern, a + a.T, 0) for a in rng.normal(size=(2, n, n)))
    exe = tc.compile(coupled([first], **options), "sim", precision=precision)
    assert not exe.frozen_parameters
    expected = tc.compile(coupled(second, **options), "sim", precision=precision).run(ticks=9, batch=3, seed=4)
    same(exe.run(ticks=9, batch=3, seed=4, parameters={"J": second}), expected)
    with exe.start(batch=3, seed=4) as session:
        session.run(3)
        session.parameters["J"] = second
        parts = session.run(6)
    with exe.with_parameters({"J": second}).start(batch=3, seed=4, first_tick=3) as other:
        other.state.update(exe_state(exe, 3))
        same(parts, other.run(6))


def exe_state(exe: Any, ticks: int) -> dict[str, Any]:
    """Return the states after some ticks."""
    with exe.start(batch=3, seed=4) as session:
        session.run(ticks)
        return dict(session.state)


def test_sparse_couplings_are_replaced():
    rng = np.random.default_rng(1)
    J = np.triu(rng.normal(size=(12, 12)) * (rng.random((12, 12)) < 0.3), 1)
    unit, columns = np.nonzero(J + J.T)
    offsets = np.searchsorted(unit, np.arange(13))

    def net(values: Any) -> tc.Network:
        with tc.Network("sparse") as net:
            rows = {"columns": columns, "offsets": offsets}
            tc.output("s", tc.gibbs(1.0, values=values() if callable(values) else values, **rows))
        return net

    first, second = (J + J.T)[unit, columns], -2 * (J + J.T)[unit, columns]
    exe = tc.compile(net(lambda: tc.parameter("values", first)), "sim")
    same(exe.run(ticks=9, batch=3, parameters={"values": second}), tc.compile(net(second), "sim").run(ticks=9, batch=3))


def test_couplings_stay_within_their_pairs():
    """A pair that was not coupled has no place in the program."""
    J = np.ones((4, 4)) - np.eye(4)
    J[0, 1] = J[1, 0] = 0
    exe = tc.compile(coupled([J]), "sim")
    exe.with_parameters({"J": 0 * J})
    other = 2 * J
    other[2, 3] = other[3, 2] = 0
    exe.with_parameters({"J": other})
    same(exe.run(ticks=9, batch=3), tc.compile(coupled(J), "sim").run(ticks=9, batch=3))
    colours = np.arange(4)
    exe = tc.compile(coupled([J], colors=colours), "sim")
    J[0, 1] = J[1, 0] = 0.5
    with pytest.raises(ThermocError, match="couples units that were not coupled") as caught:
        exe.run(ticks=1, parameters={"J": J})
    assert caught.value.code == "T418" and "J[0, 1] = 0.5" in str(caught.value)


def test_structure_is_frozen_and_says_why():
    """Units that share words of noise need their couplings; their colours are those that the same array has."""
    J = np.ones((4, 4)) - np.eye(4)
    J[0, 1] = J[1, 0] = 0
    exe = tc.compile(coupled([J], draws="word"), "sim")
    same(exe.run(ticks=9, batch=3), tc.compile(coupled(J, draws="word"), "sim").run(ticks=9, batch=3))
    assert exe.frozen_parameters == {"J": "thermo.gibbs needs its J when it is compiled"}
    exe.with_parameters({"h": np.zeros(4)})
    with pytest.raises(ThermocError, match="'J' is a constant of what was compiled for 'sim'") as caught:
        exe.run(ticks=1, parameters={"J": J * 2})
    assert caught.value.code == "T418"
    assert "parameter J" in str(exe.report())
