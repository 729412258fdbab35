"""The main job: digits on every target."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from machine.chips_by_hand import FiniteVolumes

import thermoc as tc
from thermoc.cli import schema as schemas
from thermoc.demo import network
from thermoc.simulator.chips import load_chip

ROOT = Path(__file__).parents[2]


def test_the_demo_holds_its_bounds(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "thermoc", "demo", "--json"], cwd=tmp_path, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    jsonschema.validate(json.loads(done.stdout), schemas.read("demo"))
    rows = {row["target"]: row for row in json.loads(done.stdout)}
    loihi = rows.pop("lava", None) or rows.pop("lava (emulated)")
    assert loihi["accuracy"] >= rows["reference"]["accuracy"] - 0.01
    assert set(rows) == {"reference", "sim", "onnx", "brian2", "chip thermo-1"}
    chip = rows.pop("chip thermo-1")
    assert chip["accuracy"] >= 0.97 and chip["largest_difference"] < 0.2
    assert chip["seconds_per_image"] is None  # it is simulated: what it takes of its own time is its latency
    by_hand(chip)
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
            "needs",
        }
        assert row["needs"] is None
        assert row["joules_per_image"] is row["latency"] is row["peak_kelvin"] is None
        assert row["accuracy"] >= 0.97
        assert row["labels_equal"] is True and row["seconds_per_image"] > 0
        assert 0 < row["artefact_bytes"] < 500_000
    assert rows["onnx"]["largest_difference"] <= 1e-5
    assert rows["brian2"]["largest_difference"] <= 1e-12


def by_hand(chip: dict[str, float]) -> None:
    """LD 4 ns, SETIN 4, MVM 1000, VOP 16, SETIN 6, MVM 1000, VOP 8, ST 3, all on core 0; 63 other tiles are off.

    8 reads of 8 arrays a product: 100 ns of 0.3 mW of cells and 0.5 mW of DACs by the rows used, 0.025 mW of shift-add,
    and 1.5625 pJ a conversion; 9 accesses of the buffer, of 32 bytes and 17.2 pJ. Tiles leak 5 mW, or a twentieth, at
    300 K, and e-fold in 60 K: that is bounded by the hottest place, which finite volumes find.
    """
    assert chip["latency"] == pytest.approx(2041e-9, rel=1e-9)
    products = [
        64 * (100e-9 * (0.8e-3 * rows / 128 + 0.025e-3) + columns * 1.5625e-12)
        for rows, columns in ((64, 128), (128, 10))
    ]
    events = sum(products) + 24e-9 * 3e-3 + 9 * 17.2e-12
    leak = np.full(256, 0.05 * 5e-3 / 4)
    leak[:4] = 5e-3 / 4
    whole = leak.sum() * 2041e-9
    assert events + whole < chip["joules_per_image"] < events + whole * np.exp((chip["peak_kelvin"] - 300) / 60)
    leak[0] += events / 2041e-9
    rise = FiniteVolumes(load_chip("thermo-1"), 2, 2).rise(leak).max()
    assert rise < chip["peak_kelvin"] - 300 < 1.05 * rise  # warm tiles leak more


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
