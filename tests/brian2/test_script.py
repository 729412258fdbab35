"""The script: readable, on its own, and the same numbers wherever it runs."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import thermoc as tc
from thermoc.backends.brian2 import standalone
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret
from thermoc.support import philox

RNG = np.random.default_rng(0)


def recurrent() -> tc.Network:
    """Spikes through delays of one to three ticks, into a trace and beside it; refractory units; p-bits on top."""
    rng = np.random.default_rng(0)
    W = rng.normal(size=(20, 20)) * (rng.random((20, 20)) < 0.3)
    with tc.Network("recurrent", dt=0.1) as net:
        x = tc.input("x", (5,))
        spikes = tc.placeholder((20,), role="spike")
        late = tc.slice(tc.delay(spikes, ticks=3), starts=(0,), stops=(15,), steps=(1,))
        jumps = tc.affine(late, W[:, :15]) + tc.affine(x, rng.normal(size=(20, 5))) + tc.affine(tc.delay(spikes), W.T)
        g = tc.trace(jumps, 0.5)
        s, v = tc.lif(5 * g + tc.affine(tc.delay(spikes, ticks=2), W), 1.0, v_threshold=0.5, refractory=0.2)
        tc.connect(spikes, s)
        p = tc.sample_binary(v, T=0.5)
        for name, value in {"s": s, "v": v, "g": g, "p": p, "z": tc.affine(s, W, rng.normal(size=20))}.items():
            tc.output(name, value)
    return net


def follows(run: tc.Run, exe: tc.Executable, **given) -> None:
    """Spikes are equal, floats within rounding."""
    seed = given.pop("seed")
    placed = {key: given[key] for key in ("first_sample", "first_tick") if key in given}
    inputs = given.pop("inputs")
    trace = interpret(exe.graph, feed(exe.graph, inputs, **given), seed=seed, **placed)
    assert trace.outputs["s"].mean() > 0.05
    for name in ("s", "p"):
        assert np.array_equal(run[name], trace.outputs[name]), name
    for name in ("v", "g", "z"):
        assert np.abs(run[name] - trace.outputs[name]).max() < 1e-11 * np.abs(trace.outputs[name]).max(), name
    assert run.states.keys() == trace.states.keys()  # spikes on their way to synapses are among them
    for name, state in run.states.items():
        assert np.abs(state - trace.states[name]).max() < 1e-11 * max(1, np.abs(trace.states[name]).max()), name


def test_recurrent_spikes_follow_the_reference():
    exe = tc.compile(recurrent(), "brian2", codegen="numpy")
    x = RNG.normal(size=(150, 3, 5))
    follows(exe.run({"x": x}, seed=2**40 + 5), exe, inputs={"x": x}, seed=2**40 + 5)


def test_a_program_is_built_once_for_many_seeds_and_inputs():
    """No spike differs in 1.4 million unit-ticks, half of them of p-bits, with the flags that Brian2 compiles with."""
    exe = tc.compile(recurrent(), "brian2", device="cpp_standalone")
    built = set()
    for seed, x in ((5, RNG.normal(size=(6000, 3, 5))), (2**33 + 6, RNG.normal(size=(6000, 3, 5)))):
        where = {"first_sample": 3, "first_tick": 2}
        follows(exe.run({"x": x}, seed=seed, **where), exe, inputs={"x": x}, seed=seed, **where)
        built |= {id(one) for one in standalone.programs(exe.artefact)}
        folder = Path(standalone.programs(exe.artefact)[0].folder)
    assert len(built) == 1 and folder.is_dir()
    assert not list(folder.glob("results_*"))
    del exe
    gc.collect()
    assert not folder.exists()


def test_a_saved_script_runs_without_thermoc(tmp_path: Path):
    exe = tc.compile(recurrent(), "brian2")
    exe.save(tmp_path / "network.py")
    x = RNG.normal(size=(40, 2, 5))
    np.savez(tmp_path / "x.npz", x=x)
    code = (
        "import runpy, sys; sys.argv = ['network.py', '--ticks', '40', '--batch', '2', '--seed', '9', '--codegen', 'numpy',"
        " '--inputs', 'x.npz', '--out', 'y.npz']; runpy.run_path('network.py', run_name='__main__');"
        " assert not [name for name in sys.modules if name.split('.')[0] == 'thermoc']"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "s: (40, 2, 20) (ticks, batch, *shape)" in done.stdout
    found = np.load(tmp_path / "y.npz")
    expected = tc.compile(recurrent(), "brian2", codegen="numpy").run({"x": x}, seed=9)
    assert all(np.array_equal(found[name], expected[name]) for name in expected.outputs)


def test_the_script_reads_as_it_is_meant_to(golden):
    """Names are the network's own, equations carry units, the tick is in order."""
    with tc.Network("reader", dt=0.1) as net:
        drive = tc.affine(tc.input("pixels", (4,)), np.eye(3, 4), [0.1, 0.2, 0.3])
        s, _ = tc.lif(drive, 2.0, v_threshold=0.5, refractory=0.2)
        tc.output("rate", tc.decode(s))
        tc.output("level", tc.memory(tc.affine(s, np.ones((1, 3))), T=0.1))
    text = tc.compile(net, "brian2").artefact.text
    golden("reader.txt", text[text.index("TIME = ") : text.index("import argparse")])


def test_many_parts_are_joined_without_trying_their_combinations():
    with tc.Network("parts") as net:
        x = tc.input("x", (24,))
        tc.output("y", tc.concat([k * x[k : k + 1] for k in range(24)]))
    exe = tc.compile(net, "brian2", codegen="numpy")
    assert "boolean" not in exe.artefact.text.partition("def build(")[2].partition("return sim")[0]
    x = RNG.normal(size=(2, 3, 24))
    np.testing.assert_array_equal(exe.run({"x": x})["y"], x * np.arange(24))


def test_words_are_those_of_every_target():
    with tc.Network("words") as net:
        tc.output("u", tc.uniform(shape=(5,)))
        tc.output("z", tc.normal(shape=(5,)))
    run = tc.compile(net, "brian2", codegen="numpy").run(
        ticks=3, batch=2, seed=2**63 + 12345, first_sample=7, first_tick=4
    )
    element = np.arange(7 * 5, 9 * 5, dtype=np.uint64).reshape(2, 5)
    for tick in range(3):
        words = philox.words(element, tick=4 + tick, draw=0, stream=0, seed=2**63 + 12345)
        assert np.array_equal(run["u"][tick], philox.uniform(words[0], words[1], np.dtype(float)))
        words = philox.words(element, tick=4 + tick, draw=0, stream=1, seed=2**63 + 12345)
        assert np.abs(run["z"][tick] - philox.normal(words, np.dtype(float))).max() < 1e-15


def test_brian2s_own_noise_on_request_follows_the_law():
    """Variance of an OU memory at T = 0.7 within 4 standard errors of 2000 independent units."""
    with tc.Network("ou", dt=0.5) as net:
        tc.output("m", tc.memory(tc.input("x", (2000,)), T=0.7, gamma=1.0))
    exe = tc.compile(net, "brian2", codegen="numpy", noise="brian2")
    assert "randn()" in exe.artefact.text and "philox_normal(2" not in exe.artefact.text
    import brian2

    brian2.seed(3)
    m = exe.run({"x": np.zeros((1, 2000))}, ticks=30)["m"][-1]
    assert abs(m.var() - 0.7) < 4 * 0.7 * np.sqrt(2 / 2000)


@pytest.mark.parametrize("device", ["runtime", "cpp_standalone"])
def test_lif_repeats_the_published_trace(shared: Path, device: str):
    """norse's trace of the NIR paper, Euler: spikes at 460, 510, 710, 760."""
    x, v, spikes = np.loadtxt(shared / "nir/paper/01_lif/lif_norse.csv", delimiter=",").T
    with tc.Network("lif", dt=1e-4) as net:
        s, u = tc.lif(tc.input("x", (1,)), 2.5e-3, v_threshold=0.1, method="euler")
        tc.output("s", s)
        tc.output("v", u)
    run = tc.compile(net, "brian2", device=device, codegen="numpy").run({"x": x.reshape(-1, 1, 1)})
    assert np.flatnonzero(run["s"].ravel()).tolist() == np.flatnonzero(spikes).tolist() == [460, 510, 710, 760]
    assert np.abs(run["v"].ravel() - v).max() < 2e-6  # the trace is in float32
