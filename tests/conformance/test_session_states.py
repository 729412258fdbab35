"""What a user may set a session's states to, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import thermoc as tc

BATCH = 2


@pytest.fixture
def session() -> tc.Session:
    """Two samples of a membrane, spikes under way, an adaptive temperature, and a sampler of spins."""
    with tc.Network("states") as net:
        s, v = tc.lif_step(tc.input("x", (3,)), 0.9, name="unit")
        tc.output("late", tc.delay(s, ticks=2, name="late"))
        tc.output("v", v)
        tc.output("g", tc.gibbs(T=1.0, J=1 - np.eye(3), name="spins"))
        tc.output("T", tc.heat_exchange(np.zeros((3, 3)), initial=np.ones(3), gamma=1.0, T_layer=1.0, name="hot"))
    return tc.compile(net, "sim").start(batch=BATCH, seed=3)


def test_states_are_read_and_set_by_name(session: tc.Session):
    assert list(session.state) == ["unit.s.v", "late.buffer", "spins.buffer", "hot.buffer"]
    session.step({"x": np.ones((BATCH, 3))})
    session.state["unit.s.v"] = np.full((BATCH, 3), 0.25)
    assert (session.state["unit.s.v"] == 0.25).all()
    session.state["unit.s.v"] = np.array([1, 2, 3])
    assert session.state["unit.s.v"].tolist() == [[1, 2, 3], [1, 2, 3]]
    session.state.update({"late.buffer": np.ones((1, 2, 3)), "unit.s.v": np.zeros(3)})
    assert (session.state["late.buffer"] == 1).all() and not session.state["unit.s.v"].any()
    assert session.step({"x": np.zeros((BATCH, 3))})["late"].tolist() == [[1, 1, 1]] * BATCH


WRONG: list[tuple[str, Any, str, str]] = [
    ("unit.s.w", np.zeros(3), "T404", "did you mean 'unit.s.v'?"),
    ("unit.s.v", np.zeros((3, 3)), "T403", "expected [2, 3], one sample's [3], or a number"),
    ("unit.s.v", ["a", "b", "c"], "T403", "wrong dtype"),
    ("unit.s.v", [[1.0], [1.0, 2.0]], "T403", "not a regular array"),
    ("unit.s.v", [0.0, np.nan, 0.0], "T403", "must be finite"),
    ("unit.s.v", [0.0, np.inf, 0.0], "T403", "element [0, 1] is inf"),
    ("late.buffer", np.full((2, 3), 0.5), "T403", "must be a spike: 0 or 1, or -1 and 1"),
    ("spins.buffer", [[1.0, 2.0, 1.0]], "T403", "must be a spike"),
    ("hot.buffer", [[1.0, 0.0, 1.0]], "T403", "finite and > 0, as a temperature is"),
]


@pytest.mark.parametrize(("name", "value", "code", "says"), WRONG)
def test_what_the_network_cannot_hold_is_refused(session: tc.Session, name: str, value: Any, code: str, says: str):
    before = {key: array.copy() for key, array in session.state.items()}
    with pytest.raises(tc.ThermocError) as caught:
        session.state.update({"unit.s.v": np.ones(3), name: value})
    assert caught.value.code == code and says in str(caught.value)
    assert all((session.state[key] == array).all() for key, array in before.items()), "all are set or none"


def test_a_name_that_is_none_cannot_be_read(session: tc.Session):
    assert "unit.s.w" not in session.state
    with pytest.raises(tc.ThermocError, match=r"did you mean 'unit.s.v'"):
        session.state["unit.s.w"]


def test_all_that_is_wrong_is_said_at_once(session: tc.Session):
    with pytest.raises(tc.ThermocError) as caught:
        session.state.update({"unit.s.w": 0, "unit.s.v": np.zeros(2), "spins.buffer": [[0, 0, 9]]})
    assert [finding.code for finding in caught.value.findings] == ["T404", "T403", "T403"]


def test_a_state_that_all_samples_share_cannot_differ():
    with tc.Network("clock") as net:
        tc.output("y", tc.delay(tc.cast(tc.tick(), dtype="f64"), name="clock"))
    session = tc.compile(net, "onnx").start(batch=BATCH)
    session.state["clock.buffer"] = np.full((BATCH, 1), 5.0)
    assert session.step()["y"].tolist() == [5.0, 5.0]
    with pytest.raises(tc.ThermocError, match="the same for every sample"):
        session.state["clock.buffer"] = np.array([[1.0], [2.0]])


@pytest.mark.parametrize(("value", "fits"), [(2**23 - 1, True), (2**23, False), (-(2**31), False), (2**40, False)])
def test_loihis_registers_have_so_many_bits(value: int, fits: bool):
    with tc.Network("loihi") as net:
        tc.output("v", tc.loihi.lif(tc.input("x", (3,), dtype="i32"), dv=0, vth=2**17 - 1, name="unit")[1])
    session = tc.compile(net, "sim").start()
    if fits:
        session.state["unit.s.v"] = np.full(3, value)
        assert (session.state["unit.s.v"] == value).all()
    else:
        with pytest.raises(tc.ThermocError, match="T403"):
            session.state["unit.s.v"] = np.full(3, value)
