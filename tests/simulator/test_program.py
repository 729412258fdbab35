"""Programs as files, and the cache of compiled kernels."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import thermoc as tc
from thermoc import simulator
from thermoc.simulator.program import VERSION
from thermoc.support.bundle import bundle_bytes, read_bundle


def network() -> tc.Network:
    with tc.Network("small", dt=0.5) as net:
        x = tc.input("x", (3,))
        tc.output("m", tc.memory(tc.affine(x, np.arange(12.0).reshape(4, 3)), T=0.1))
        tc.output("most", tc.reduce(x, kind="argmax", axes=(0,)))
    return net


def test_a_saved_program_runs_alone(tmp_path: Path):
    exe = tc.compile(network(), "sim")
    exe.save(tmp_path / "small.program")
    x = np.random.default_rng(0).normal(size=(5, 2, 3))
    program = simulator.load(tmp_path / "small.program")
    result = simulator.run(program, {"x": x}, ticks=5, batch=2, seed=3)
    run = exe.run({"x": x}, seed=3)
    assert all(np.array_equal(result.outputs[name], run[name]) for name in ("m", "most"))
    assert result.outputs["most"].dtype == np.int64


def test_the_simulator_loads_no_graph():
    code = "import sys, thermoc.simulator as s; s.run; print([m for m in sys.modules if m.startswith('thermoc.ir')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_flipped_bit_is_noticed(tmp_path: Path):
    data = bytearray(tc.compile(network(), "sim").artefact.to_bytes())
    rng, path = np.random.default_rng(1), tmp_path / "bad.program"
    for place in rng.integers(0, len(data), 60):
        changed = bytearray(data)
        changed[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(changed)
        with pytest.raises(tc.ThermocError) as caught:
            simulator.load(path)
        assert caught.value.code in {"T502", "T503", "T504"}


def test_a_program_altered_on_purpose_is_refused(tmp_path: Path):
    """The checksum is right, the table of places is not."""
    path = tmp_path / "evil.program"
    path.write_bytes(tc.compile(network(), "sim").artefact.to_bytes())
    bundle = read_bundle(path, kind="thermoc program", version=VERSION)
    arrays = {name: np.array(held) for name, held in bundle.arrays.items()}
    arrays["table"][0] = 10**9
    path.write_bytes(bundle_bytes(kind="thermoc program", version=VERSION, document=bundle.document, arrays=arrays))
    with pytest.raises(tc.ThermocError) as caught:
        simulator.load(path)
    assert caught.value.code == "T502"
