"""The simulator against the reference on integers: equal in every spike and state, or it is a fault."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from loihi.plain import reference
from loihi_networks import TICKS, network

import thermoc as tc
from thermoc import simulator
from thermoc.ir.ops import REGISTRY
from thermoc.simulator.feed_forward_split import halves

NETWORKS, PARTS = 1000, 20
SEED = 2**41 + 5


def differences(run: tc.Run, trace: object) -> list[str]:
    """Return the names of outputs and states that are not equal, element by element."""
    wrong = []
    assert run.outputs.keys() == trace.outputs.keys()  # type: ignore[attr-defined]
    assert run.states.keys() == trace.states.keys()  # type: ignore[attr-defined]
    for name, expected in (*trace.outputs.items(), *trace.states.items()):  # type: ignore[attr-defined]
        found = run.outputs[name] if name in run.outputs else run.states[name]
        if (found.dtype, found.shape) != (expected.dtype, expected.shape) or not np.array_equal(found, expected):
            wrong.append(name)
    return wrong


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_random_networks_agree_in_every_spike_and_state(part: int):
    """1,000 of them, two samples each."""
    for seed in range(part * NETWORKS // PARTS, (part + 1) * NETWORKS // PARTS):
        made = network(seed, batch=2)
        run = tc.compile(made.net, "sim").run(made.inputs, seed=SEED)
        wrong = differences(run, reference(made.net, made.inputs, seed=SEED))
        assert not wrong, f"network {seed} ({', '.join(sorted(made.flags))}): {wrong}"


def test_the_random_networks_hold_every_op_and_are_a_function_of_their_seed():
    held = {op.opname for seed in range(200) for op in network(seed).net.graph.ops}
    assert {name for name in REGISTRY if name.startswith("loihi.")} - held == {"loihi.encode", "loihi.decode"}
    for seed in range(20):
        one, more = network(seed), network(seed, batch=3)
        assert str(one.net.graph) == str(more.net.graph)
        assert all(np.array_equal(array, more.inputs[name][:, :1]) for name, array in one.inputs.items())


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_threads_splits_of_the_batch_and_late_starts_change_nothing(seed: int):
    made = network(seed, batch=5)
    exe = tc.compile(made.net, "sim")
    whole = exe.run(made.inputs, seed=SEED, first_tick=9)
    assert not differences(whole, reference(made.net, made.inputs, seed=SEED, first_tick=9))
    one = tc.compile(made.net, "sim", threads=1).run(made.inputs, seed=SEED, first_tick=9)
    assert not differences(one, whole)
    parts = [
        exe.run({name: array[:, start:stop] for name, array in made.inputs.items()}, seed=SEED, first_sample=start, first_tick=9)
        for start, stop in ((0, 2), (2, 5))
    ]  # fmt: skip
    for name, expected in whole.outputs.items():
        np.testing.assert_array_equal(np.concatenate([part.outputs[name] for part in parts], axis=1), expected)
    for name, expected in whole.states.items():
        np.testing.assert_array_equal(np.concatenate([part.states[name] for part in parts]), expected)


@pytest.mark.parametrize("seed", range(0, 30, 3))
def test_blocks_of_samples_change_nothing(seed: int):
    made = network(seed, batch=7)
    program = tc.compile(made.net, "sim").artefact.program
    ways = [simulator.run(program, made.inputs, ticks=TICKS, batch=7, seed=1, block=block) for block in (1, 3, 7)]
    for other in ways[1:]:
        assert all(np.array_equal(array, other.outputs[name]) for name, array in ways[0].outputs.items())
        assert all(np.array_equal(array, other.states[name]) for name, array in ways[0].states.items())


@pytest.mark.parametrize("seed", range(0, 40, 4))
def test_a_program_comes_back_from_its_file(seed: int, tmp_path: Path):
    made = network(seed)
    exe = tc.compile(made.net, "sim")
    exe.save(tmp_path / "it.program")
    program = simulator.load(tmp_path / "it.program")
    result = simulator.run(program, made.inputs, ticks=TICKS, batch=1, seed=3)
    run = exe.run(made.inputs, seed=3)
    assert all(np.array_equal(array, result.outputs[name]) for name, array in run.outputs.items())
    assert all(np.array_equal(array, result.states[name]) for name, array in run.states.items())


def mixed() -> tc.Network:
    """Floats to integers and back: a host's affine map, integer units, p-bits of both kinds, a trace of the spikes."""
    rng = np.random.default_rng(2)
    with tc.Network("mixed", dt=0.5) as net:
        x = tc.input("x", (8,))
        messages = tc.loihi.encode(tc.tanh(tc.affine(x, rng.normal(size=(16, 8)))), scale=100.0, bits=8)
        hole = tc.placeholder((12,), dtype="i32", role="spike")
        back = tc.loihi.dense(hole, 2 * rng.integers(-40, 40, (12, 12)))
        forth = tc.loihi.dense(messages, 2 * rng.integers(-60, 60, (12, 16)), message_bits=8, weight_exp=-3)
        s, v, _ = tc.loihi.lif(tc.loihi.dendrite((forth, back)), du=1000, dv=200, vth=300)
        tc.connect(hole, s)
        up = tc.loihi.fermi_dirac(tc.loihi.dense(s, 2 * rng.integers(-40, 40, (5, 12))), 256 * 60)
        level = tc.loihi.decode(up, scale=2.0)
        tc.output("trace", tc.trace(tc.affine(tc.loihi.decode(s), rng.normal(size=(40, 12))), 2.0))
        tc.output("p", tc.fermi_dirac(-level, T=0.3))
        tc.output("b", tc.sample_binary(level - 0.2, T=0.5))
        tc.output("delayed", tc.delay(s, np.zeros(12, np.int32), ticks=3))
        tc.output("late", tc.cast(tc.delay(v, ticks=2), dtype="f64"))
    return net


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_integers_and_floats_in_one_network(precision: str):
    x = np.random.default_rng(4).normal(size=(30, 6, 8))
    report = tc.verify(mixed(), ["sim"], inputs={"x": x}, seed=SEED, options={"sim": {"precision": precision}})
    assert report.ok, str(report)


def test_a_wide_map_behind_integers_runs_apart_from_the_recursion():
    """The program is parted in two, and integer states are not lost on the way."""
    rng = np.random.default_rng(3)
    with tc.Network("tail") as net:
        s, v, u = tc.loihi.lif(tc.input("x", (40,), dtype="i32"), du=500, dv=90, vth=4)
        tc.output("y", tc.affine(tc.loihi.decode(s), rng.normal(size=(50, 40))))
        tc.output("z", tc.affine(tc.loihi.decode(v, scale=64.0), rng.normal(size=(50, 40))))
        tc.output("u", u)
        sums = tc.loihi.graded(tc.loihi.dense(s, 2 * rng.integers(-9, 99, (40, 40))))  # read where they are kept
        tc.output("w", tc.affine(tc.loihi.decode(sums), rng.normal(size=(50, 40))))
    exe = tc.compile(net, "sim")
    assert halves(exe.artefact.program) is not None
    x = rng.integers(-3, 9, (20, 3, 40))
    run, trace = exe.run({"x": x}), reference(net, {"x": x})
    for name in ("y", "z", "w"):
        np.testing.assert_allclose(run[name], trace.outputs[name], rtol=1e-12, atol=1e-9)
    np.testing.assert_array_equal(run["u"], trace.outputs["u"])
    assert all(np.array_equal(run.states[name], trace.states[name]) for name in trace.states)
