"""Runs record what they are asked to, and refuse what cannot be recorded before anything runs."""

from __future__ import annotations

import numpy as np
import pytest
from recording.recorded_networks import DRIVE, spiking, spin_glass

import thermoc as tc
from thermoc.recording.levels import levels
from thermoc.recording.specs import parsed_plan


def test_every_output_and_no_probe_is_recorded_unless_said():
    run = spin_glass().run(ticks=5)
    assert list(run.recorded) == ["s", "E"]
    assert run["s"].shape == (5, 1, 3)
    assert not spin_glass().run(ticks=5, record={}).recorded


def test_a_recording_is_that_of_the_whole_trace():
    whole = spin_glass().run(ticks=40, batch=3, seed=2)
    record = {"s": ["all", tc.mean(), tc.counts()], "E": [tc.every(7), tc.mean(), tc.extremes()], "field": tc.last()}
    run = spin_glass().run(ticks=40, batch=3, seed=2, record=record)
    s, E = whole["s"], whole["E"]
    assert np.array_equal(run["s"], s)
    assert np.array_equal(run.recorded["s"].mean, s.mean(0))
    assert np.array_equal(run["E"], E[6::7])
    assert run.recorded["E"].ticks.tolist() == [6, 13, 20, 27, 34]
    np.testing.assert_allclose(run.recorded["E"].mean, E.mean(0), rtol=1e-14)
    np.testing.assert_allclose(run.recorded["E"].variance, E.var(0), rtol=1e-12)
    assert np.array_equal(run.recorded["E"].maximum, E.max(0))
    np.testing.assert_allclose(run["field"], s[-1] @ np.array([[0, 0.8, -0.3], [0.8, 0, 0.5], [-0.3, 0.5, 0]]))
    number = (s > 0) @ np.array([4, 2, 1])
    assert np.array_equal(run.recorded["s"].counts, np.bincount(number.ravel(), minlength=8))


def test_ticks_and_events_count_from_the_start_of_the_session():
    whole = spiking().run({"x": DRIVE}, record={"spikes": "events"})
    with spiking().start(batch=2) as session:
        first = session.run(inputs={"x": DRIVE[:25]}, record={"spikes": tc.events(), "v": tc.every(10)})
        second = session.run(inputs={"x": DRIVE[25:]}, record={"spikes": tc.events(), "v": tc.every(10)})
    assert np.array_equal(np.concatenate([first["spikes"], second["spikes"]]), whole["spikes"])
    assert first.recorded["v"].ticks.tolist() == [9, 19]
    assert second.recorded["v"].ticks.tolist() == [34, 44, 54]


def test_specs_are_texts_too():
    run = spin_glass().run(ticks=20, record=parsed_plan("s=mean, s=counts,E=every:5"))
    assert run.recorded["s"].count == 20
    assert run.recorded["s"].counts.sum() == 20
    assert run["E"].shape == (4, 1)


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ({"spike": "all"}, "did you mean 'spikes'?"),
        ({"v": "events"}, "'v' has no events"),
        ({"v": "counts"}, "'v' cannot be counted"),
        ({"v": ["all", tc.every(2)]}, "'v' is recorded twice alike"),
        ({"v": []}, "nothing that can be recorded"),
        ({"v": 3}, "nothing that can be recorded"),
        ({"v": "some"}, "there are all, every:K"),
        ({"v": "every:0"}, "k a whole number >= 1"),
        ({"v": "every"}, "there are all, every:K"),
        (["v"], "a list was given"),
    ],
)
def test_what_cannot_be_recorded_is_refused(record: object, says: str):
    with pytest.raises(tc.ThermocError, match="T419") as caught:
        spiking().run({"x": DRIVE}, record=record)  # type: ignore[arg-type]
    assert says in str(caught.value)


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(tc.ThermocError) as caught:
        spiking().run({"x": DRIVE}, record={"v": ["events", "counts"], "w": "all"})
    assert len(caught.value.findings) == 3


def test_too_many_units_are_not_counted():
    with tc.Network("wide") as net:
        tc.output("s", tc.sample_binary(tc.input("x", (21,)), 1.0))
    with pytest.raises(tc.ThermocError, match=r"2\^21 configurations"):
        tc.compile(net).run({"x": np.zeros((1, 21))}, record={"s": "counts"})


def test_every_says_where_it_was_called():
    with pytest.raises(tc.ThermocError, match=r"test_runs\.py"):
        tc.every(0)


def test_what_was_not_recorded_is_named_with_its_cure():
    run = spiking().run({"x": DRIVE}, record={"v": "mean"})
    with pytest.raises(tc.ThermocError, match="T419") as caught:
        _ = run.recorded["v"].maximum
    assert "record={\"v\": ['mean', 'extremes']}" in str(caught.value)
    with pytest.raises(tc.ThermocError, match="T401"):
        run["spikes"]


def test_levels_of_units():
    with tc.Network("levels") as net:
        x = tc.input("x", (3,))
        bits, spins = tc.sample_binary(x, 1.0), tc.sample_binary(x, 1.0, levels="spin")
        values = {
            "numbers": (x, None),
            "bits": (bits, (0, 1)),
            "spins": (spins, (-1, 1)),
            "delayed_bits": (tc.delay(bits), (0, 1)),
            "after_a_zero": (tc.delay(spins), None),
            "after_a_spin": (tc.delay(spins, initial=-1.0), (-1, 1)),
            "both": (tc.concat([bits, spins]), None),
            "truth": (x > 0, (0, 1)),
            "from_elsewhere": (tc.gibbs(T=1.0, J=np.zeros((3, 3)), initial=0.5), None),
            "declared": (tc.input("declared", (3,), role="spike"), None),
        }
        for name, (value, _) in values.items():
            tc.output(name, value)
    assert {name: levels(net.graph, op.x) for name, op in net.graph.outputs.items()} == {
        name: expected for name, (_, expected) in values.items()
    }


@pytest.mark.parametrize("target", ["sim", "onnx"])
def test_a_probe_is_recorded_by_name(target: str):
    with tc.Network("probed") as net:
        y = tc.affine(tc.input("x", (3,)), np.array([[0.5, 0.25, 0], [0, 0.5, 0.25]]))
        tc.output("s", tc.sample_binary(y, 1.0))
        tc.probe("y", y)
    exe = tc.compile(net, target)
    x = np.full((1, 3), 0.5)
    assert list(exe.run({"x": x}, ticks=2).recorded) == ["s"]
    run = exe.run({"x": x}, ticks=2, record={"y": "all"})
    assert np.array_equal(run["y"], np.full((2, 1, 2), 0.375))


def test_names_of_fields_and_outputs_must_differ():
    with tc.Network("dotted") as net:
        x = tc.input("x", (3,))
        tc.output("y", x)
        tc.output("y.mean", x)
    with pytest.raises(tc.ThermocError, match="T419"):
        tc.compile(net).run({"x": np.zeros((1, 3))}, record={"y": "mean", "y.mean": "all"})
