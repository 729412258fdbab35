"""A saved script takes the inputs that ``exe.run`` takes: all of them, in their own shapes, or none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import thermoc as tc
from thermoc.backends.brian2.run import loaded

RNG = np.random.default_rng(0)


def network() -> tc.Network:
    """An image, a number and a temperature go in; outputs have names that ``np.savez`` has itself."""
    with tc.Network("inputs") as net:
        image, gain = tc.input("image", (2, 3)), tc.input("gain", ())
        T = tc.input("T", (), role="temperature")
        tc.output("file", tc.reshape(image, shape=(6,)) * gain)
        tc.output("allow_pickle", tc.thermal_relu(gain, T=T))
    return net


@pytest.fixture(scope="module")
def exe() -> tc.Executable:
    return tc.compile(network(), "brian2", codegen="numpy")


@pytest.fixture(scope="module")
def script(exe: tc.Executable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("script") / "n.py"
    exe.save(path)
    return path


def run(script: Path, folder: Path, *arguments: str, **inputs: np.ndarray) -> subprocess.CompletedProcess[str]:
    np.savez(folder / "x.npz", **inputs)
    command = [sys.executable, str(script), "--inputs", "x.npz", "--out", "y.npz", "--codegen", "numpy", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_every_tick_and_sample_of_the_inputs_is_run(exe: tc.Executable, script: Path, tmp_path: Path):
    inputs = {"image": RNG.normal(size=(5, 4, 2, 3)), "gain": RNG.normal(size=(5, 4)), "T": np.full((5, 4), 0.5)}
    done = run(script, tmp_path, **inputs)
    assert done.returncode == 0, done.stderr
    expected = exe.run(inputs)
    with np.load(tmp_path / "y.npz") as outputs:
        assert set(outputs.files) == {"file", "allow_pickle"}
        for name in outputs.files:
            np.testing.assert_array_equal(outputs[name], expected[name])


def test_a_held_image_and_one_number_are_the_same_in_every_tick(exe: tc.Executable, script: Path, tmp_path: Path):
    image = RNG.normal(size=(4, 2, 3))
    done = run(script, tmp_path, "--ticks", "7", image=image, gain=np.array(2.0), T=np.array(0.5))
    assert done.returncode == 0, done.stderr
    expected = exe.run({"image": image, "gain": np.full(4, 2.0), "T": np.full(4, 0.5)}, ticks=7)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npz")["file"], expected["file"])


def test_one_sample_in_its_own_shape_serves_all(exe: tc.Executable):
    module = loaded(exe.artefact)
    image = RNG.normal(size=(2, 3))
    arrays, ticks, batch = module.arranged({"image": image, "gain": 1.0, "T": 1.0}, ticks=2, batch=3)
    assert (ticks, batch) == (2, 3)
    np.testing.assert_array_equal(arrays["image"], np.tile(image.reshape(-1), (3, 1)))


GOOD = {"image": np.zeros((5, 4, 2, 3)), "gain": np.zeros((5, 4)), "T": np.ones((5, 4))}


@pytest.mark.parametrize(
    ("changed", "options", "what"),
    [
        ({"image": np.zeros((3, 4, 2, 3))}, {}, "ticks is one for all, and at least 1: image 3, gain 5, T 5"),
        ({"gain": np.zeros((5, 2))}, {}, "samples is one for all, and at least 1: image 4, gain 2, T 4"),
        ({}, {"ticks": 2}, "ticks is one for all, and at least 1: the run 2, image 5"),
        ({}, {"batch": 2}, "samples is one for all, and at least 1: the run 2, image 4"),
        ({"image": np.zeros((5, 4, 6))}, {}, "input 'image' has the shape (5, 4, 6)"),
        ({"image": np.zeros((5, 4, 1, 2, 3))}, {}, "input 'image' has the shape (5, 4, 1, 2, 3)"),
        ({"image": np.zeros((0, 4, 2, 3))}, {}, "at least 1"),
        ({"gain": np.full((5, 4), np.nan)}, {}, "not finite"),
        ({"T": np.zeros((5, 4))}, {}, "'T' is a temperature"),
        ({"gain": np.full((5, 4), "a")}, {}, "no array of numbers"),
        ({"other": np.zeros(1)}, {}, "the inputs are ['image', 'gain', 'T'], not"),
    ],
)
def test_what_disagrees_is_refused(exe: tc.Executable, changed: dict, options: dict, what: str):
    with pytest.raises(ValueError) as caught:
        loaded(exe.artefact).arranged(GOOD | changed, **options)
    assert what in str(caught.value)


def test_the_command_line_says_what_is_wrong_and_writes_nothing(script: Path, tmp_path: Path):
    done = run(script, tmp_path, "--batch", "2", **GOOD)
    assert done.returncode == 2 and "the run 2, image 4" in done.stderr and "Traceback" not in done.stderr
    done = run(script, tmp_path, "--out", "nowhere/y.npz", **GOOD)
    assert done.returncode == 2 and "cannot be written" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["x.npz"]
