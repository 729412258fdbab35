"""The main job: handwritten digits, from one network to every target, against the reference."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.resources import as_file, files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc import api
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret
from thermoc.network import Network, load
from thermoc.support.arrays import read_arrays
from thermoc.support.errors import ThermocError

CHIP = "thermo-1"
TARGETS = {"sim": {"precision": "float64"}, "onnx": {"precision": "float32"}, "brian2": {"codegen": "numpy"}}
REPEATS = 7
LONGEST = 1.0
"""Seconds after which a run is not repeated again."""


@dataclass(frozen=True, kw_only=True)
class Digits:
    """Handwritten digits: images (n, 64) in [0, 1], labels (n,) from 0 to 9; a third is held out."""

    train_images: NDArray
    train_labels: NDArray
    test_images: NDArray
    test_labels: NDArray


def digits() -> Digits:
    """Return 1,797 digits of 8 x 8 pixels, split by a fixed shuffle into 1,198 for training and 599 held out.

    They come with thermoc. Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits (test set), UCI
    Machine Learning Repository, 1998, doi 10.24432/C50P49, CC BY 4.0; the same as scikit-learn's ``load_digits``.
    """
    with as_file(files("thermoc").joinpath("demo_digits.npz")) as path:
        data = read_arrays(path)
    assert isinstance(data, dict)
    images, labels = data["images"] / 16.0, data["labels"].astype(int)
    # One seed for training and for this: another would test on digits the network was trained on.
    order = np.random.default_rng(0).permutation(len(images))
    test, train = order[: len(order) // 3], order[len(order) // 3 :]
    return Digits(
        train_images=images[train], train_labels=labels[train], test_images=images[test], test_labels=labels[test]
    )


@dataclass(frozen=True, kw_only=True)
class DemoRow:
    """One target's line. largest_difference is from the reference's probabilities.

    needs: what a target lacks that cannot run here; nothing else is known of it then.

    seconds_per_image is wall-clock time. The simulated chip has none; it alone has the last three: J, s of its own time
    from an image's first instruction to its last, and the hottest place.
    """

    target: str
    accuracy: float | None = None
    largest_difference: float | None = None
    labels_equal: bool | None = None
    seconds_per_image: float | None = None
    artefact_bytes: int | None = None
    joules_per_image: float | None = None
    latency: float | None = None
    peak_kelvin: float | None = None
    needs: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        return asdict(self)


def network() -> Network:
    """Return the trained digits network that comes with thermoc (``examples/train_digits.py`` makes it)."""
    with as_file(files("thermoc").joinpath("demo.thermo")) as path:
        return load(path)


def demo() -> list[DemoRow]:
    """Compile the digits network for every target, run the held-out digits, compare.

    A target whose runtime is not installed has a row that says what it needs.
    """
    data, net = digits(), network()
    inputs = {"pixels": data.test_images}
    reference, seconds = _timed(lambda: interpret(net.graph, feed(net.graph, inputs)).outputs["probs"][0])
    size = len(files("thermoc").joinpath("demo.thermo").read_bytes())
    makers: dict[str, Callable[[], DemoRow]] = {
        target: partial(_on_target, target, options, net, reference, data) for target, options in TARGETS.items()
    }
    makers |= {"lava": lambda: _on_loihi(net, reference, data), f"chip {CHIP}": lambda: _on_chip(net, reference, data)}
    rows = [_row("reference", reference, reference, data, seconds, size)]
    return [*rows, *(_or_needs(target, make) for target, make in makers.items())]


def _or_needs(target: str, make: Callable[[], DemoRow]) -> DemoRow:
    """Return a target's row; where what it runs on is missing, a row that says how to get it."""
    try:
        return make()
    except ThermocError as problem:
        # The codes of what is not installed; anything else is a fault that must be seen.
        if problem.code not in ("T302", "T510"):
            raise
        return DemoRow(target=target, needs=problem.findings[0].hint or problem.findings[0].what)


def _on_target(target: str, options: dict[str, Any], net: Network, reference: NDArray, data: Digits) -> DemoRow:
    exe, inputs = api.compile(net, target, **options), {"pixels": data.test_images}
    probs, seconds = _timed(lambda: exe.run(inputs)["probs"][0])
    return _row(target, probs, reference, data, seconds, exe.artefact.size)


def _on_loihi(net: Network, reference: NDArray, data: Digits) -> DemoRow:
    """The digits on Loihi 2's integers: in Lava where it is installed, else in the emulator, which says the same."""
    from thermoc.backends.lava.interpreter import find

    inputs = {"pixels": data.test_images}
    exe, lava = api.compile(net, "lava", input_range=(0.0, 1.0)), find()
    size, installed = exe.artefact.size, lava is not None and lava.exists()
    running = exe if installed else api.compile(exe.graph, "sim")
    probs, seconds = _timed(lambda: running.run(inputs)["probs"][0])
    return _row("lava" if installed else "lava (emulated)", probs, reference, data, seconds, size)


def _on_chip(net: Network, reference: NDArray, data: Digits) -> DemoRow:
    """The digits on a memristor-thermal chip, its converters' ranges from 200 digits of the training set."""
    exe = api.compile(net, "chip", chip=CHIP, **calibrated(data))
    run = exe.run({"pixels": data.test_images})
    row = _row(f"chip {CHIP}", run["probs"][0], reference, data, None, exe.artefact.size)
    took = {
        "joules_per_image": run.chip.joules_a_sample,
        "latency": run.chip.latency,
        "peak_kelvin": run.chip.peak_kelvin,
    }
    return replace(row, **took)


def calibrated(data: Digits) -> dict[str, Any]:
    """Return the chip's options: through its cells, the die's heat included."""
    calibrate = {"pixels": data.train_images[:200]}
    return {"cells": "chip", "adc": "reached", "calibrate": calibrate, "temperature": "die"}


def _timed(run: Callable[[], NDArray]) -> tuple[NDArray, float]:
    """Return the result, and the median time of a run after the first."""
    # The first run compiles kernels or opens a session, and is not timed.
    result, times = run(), []
    while len(times) < REPEATS and sum(times) < LONGEST:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return result, statistics.median(times)


def _row(target: str, probs: NDArray, reference: NDArray, data: Digits, seconds: float | None, size: int) -> DemoRow:
    labels = probs.argmax(axis=1)
    return DemoRow(
        target=target,
        accuracy=float(np.mean(labels == data.test_labels)),
        largest_difference=float(np.max(np.abs(probs - reference))),
        labels_equal=bool(np.array_equal(labels, reference.argmax(axis=1))),
        seconds_per_image=None if seconds is None else seconds / len(probs),
        artefact_bytes=size,
    )
