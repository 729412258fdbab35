"""Numbers that fit no machine are refused with a code, and in a moment: what the fuzzer met, made small."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc import physics
from thermoc.simulator import load, program
from thermoc.simulator.thermal.hotspot import read_floorplan
from thermoc.support.bundle import bundle_bytes, read_bundle


def test_integers_past_64_bits_are_no_attributes():
    with pytest.raises(tc.ThermocError, match="draw must fit 64 bits") as caught, tc.Network("n"):
        tc.output("z", tc.normal(shape=(2,), draw=2**99))
    assert caught.value.code == "T105"


def test_conductances_that_overflow_have_no_step():
    with pytest.raises(tc.ThermocError, match="must be finite") as caught:
        physics.heat_step([1e-308, 1.0], [[0.0, 1e308], [1e308, 0.0]], 1e308, 0.1)
    assert caught.value.code == "T405"


@pytest.mark.parametrize("shape", [["x" * 9, 2**40], [2**50], [-1], [1.5], [[2] * 9, 2**40]])
def test_shapes_of_programs_are_lengths(tmp_path: Path, shape: list[object]):
    with tc.Network("n") as net:
        tc.output("y", tc.delay(tc.input("x", (2,))))
    path = tmp_path / "n.program"
    tc.compile(net, "sim").save(path)
    bundle = read_bundle(path, kind=program.KIND, version=program.VERSION)
    for key in ("inputs", "outputs", "states"):
        entries = [{**entry, "shape": shape} for entry in bundle.document[key]]
        document: dict[str, Any] = {**bundle.document, key: entries}
        path.write_bytes(
            bundle_bytes(kind=program.KIND, version=program.VERSION, document=document, arrays=bundle.arrays)
        )
        with pytest.raises(tc.ThermocError) as caught:
            load(path)
        assert caught.value.code == "T502"


def test_blocks_that_all_overlap_are_told_in_a_moment(tmp_path: Path):
    path = tmp_path / "a.flp"
    path.write_text("".join(f"b{i} 1e-3 1e-3 0 0\n" for i in range(1500)))
    start = time.process_time()
    with pytest.raises(tc.ThermocError, match="overlap"):
        read_floorplan(path)
    assert time.process_time() - start < 2


def test_cells_hold_64_bits_at_most():
    with pytest.raises(tc.ThermocError, match="cell_bits must be an integer from 0 to 64"), tc.Network("n"):
        x = tc.input("x", (1,))
        tc.output("y", tc.mvm(x, np.ones((1, 1, 1)), np.ones((1, 1, 1)), g_min=0.0, g_max=1.0, cell_bits=2**40))
