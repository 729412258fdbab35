"""A package takes all the inputs it is given, and refuses what disagrees before Lava starts."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

import thermoc as tc


@pytest.fixture(scope="module")
def integers() -> tc.Executable:
    """A network of the chip's integers alone, with an image."""
    with tc.Network("integers") as net:
        x = tc.input("x", (1, 2, 2), dtype="i32")
        drive = tc.loihi.conv(x, np.array([[[[2]]], [[[4]]]]), message_bits=8)
        tc.output("y", tc.loihi.graded(drive, shift=0))
    return tc.compile(net, target="lava")


@pytest.fixture(scope="module")
def package(integers: tc.Executable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package") / "net.lava"
    integers.save(folder)
    return folder


def run(lava: Path, package: Path, folder: Path, *arguments: str, **inputs: np.ndarray):
    np.savez(folder / "x.npz", **inputs)
    command = [str(lava), str(package / "run.py"), "--inputs", "x.npz", "--outputs", "y.npz", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def test_every_tick_and_sample_is_run(lava: Path, package: Path, integers: tc.Executable, tmp_path: Path):
    x = np.random.default_rng(1).integers(-9, 9, (5, 3, 1, 2, 2)).astype(np.int32)
    done = run(lava, package, tmp_path, x=x)
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(np.load(tmp_path / "y.npz")["y"], integers.run({"x": x})["y"])


def test_a_held_image_is_the_same_in_every_tick(lava: Path, package: Path, integers: tc.Executable, tmp_path: Path):
    x = np.arange(4, dtype=np.int32).reshape(1, 2, 2)
    done = run(lava, package, tmp_path, "--ticks", "4", "--samples", "2", x=x)
    assert done.returncode == 0, done.stderr
    expected = integers.run({"x": np.stack([x, x])}, ticks=4)["y"]
    np.testing.assert_array_equal(np.load(tmp_path / "y.npz")["y"], expected)


@pytest.mark.parametrize(
    ("arguments", "inputs", "what"),
    [
        (
            ("--ticks", "9"),
            {"x": np.zeros((5, 3, 1, 2, 2), int)},
            "ticks is one for all, and at least 1: --ticks 9, x 5",
        ),
        (("--samples", "2"), {"x": np.zeros((5, 3, 1, 2, 2), int)}, "--samples 2, x 3"),
        ((), {"x": np.zeros((5, 3, 4), int)}, "has the shape (5, 3, 4)"),
        ((), {"x": np.full((1, 1, 1, 2, 2), np.nan)}, "finite"),
        ((), {"y": np.zeros((1, 1, 1, 2, 2))}, "the inputs are x; given are y"),
        (("--outputs", "nowhere/y.npz"), {"x": np.zeros((1, 2, 2), int)}, "cannot be written"),
    ],
)
def test_what_disagrees_is_refused(lava: Path, package: Path, tmp_path: Path, arguments, inputs, what: str):
    done = run(lava, package, tmp_path, *arguments, **inputs)
    assert done.returncode == 1 and what in done.stderr and "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["x.npz"]


def test_numbers_of_the_network_take_all_too(lava: Path, tmp_path: Path):
    with tc.Network("numbers") as net:
        x = tc.loihi.encode(tc.input("x", (3,)), scale=8.0, bits=8)
        tc.output(
            "y", tc.loihi.decode(tc.loihi.graded(tc.loihi.dense(x, np.array([[2, 4, 6]]), message_bits=8)), lag=1)
        )
    exe = tc.compile(net, target="lava")
    exe.save(tmp_path / "net.lava")
    x = np.random.default_rng(2).normal(size=(4, 2, 3))
    done = run(lava, tmp_path / "net.lava", tmp_path, "--numbers", x=x)
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "y.npz") as outputs:
        np.testing.assert_array_equal(next(iter(outputs.values())), exe.run({"x": x})["y"])
