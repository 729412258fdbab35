"""The main job: digits on every target."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

import thermoc as tc
from thermoc.demo import network

ROOT = Path(__file__).parents[2]


def test_the_demo_holds_its_bounds(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "thermoc", "demo", "--json"], cwd=tmp_path, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    rows = {row["target"]: row for row in json.loads(done.stdout)}
    loihi = rows.pop("lava", None) or rows.pop("lava (emulated)")
    assert loihi["accuracy"] >= rows["reference"]["accuracy"] - 0.01
    assert set(rows) == {"reference", "sim", "onnx", "brian2", "chip thermo-1"}
    chip = rows.pop("chip thermo-1")
    assert chip["accuracy"] >= 0.97 and chip["largest_difference"] < 0.2
    assert 1e-8 < chip["joules_per_image"] < 1e-5 and 1e-6 < chip["latency"] < 1e-5
    assert 300 < chip["peak_kelvin"] < 398
    for row in rows.values():
        assert set(row) == {
            "target",
            "accuracy",
            "largest_difference",
            "labels_equal",
            "seconds_per_image",
            "artefact_bytes",
            "joules_per_image",
            "latency",
            "peak_kelvin",
        }
        assert row["joules_per_image"] is row["latency"] is row["peak_kelvin"] is None
        assert row["accuracy"] >= 0.97
        assert row["labels_equal"] is True
        assert 0 < row["artefact_bytes"] < 500_000
    assert rows["onnx"]["largest_difference"] <= 1e-5
    assert rows["brian2"]["largest_difference"] <= 1e-12


def test_the_simulator_is_within_1e_12_relative_of_the_reference():
    from thermoc.demo import digits
    from thermoc.ir.feed import feed
    from thermoc.ir.reference import interpret

    net, inputs = network(), {"pixels": digits().test_images}
    reference = interpret(net.graph, feed(net.graph, inputs)).outputs["probs"]
    ours = tc.compile(net, target="sim").run(inputs)["probs"]
    np.testing.assert_allclose(ours, reference, rtol=1e-12, atol=0)


def test_the_shipped_network_is_what_the_training_script_makes(tmp_path: Path):
    """Weights may differ by a BLAS's rounding, which training amplifies; the graph may not, nor what it predicts."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples/train_digits.py"), "d.thermo"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    made, shipped = tc.load(tmp_path / "d.thermo"), network()
    assert [op.opname for op in made.graph.ops] == [op.opname for op in shipped.graph.ops]
    weights = [
        (a.value.numpy, b.value.numpy) for a, b in zip(made.graph.ops, shipped.graph.ops) if a.opname == "core.constant"
    ]
    assert all(np.allclose(a, b, atol=1e-3) for a, b in weights)
