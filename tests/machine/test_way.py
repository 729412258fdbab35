"""The chip's way: every stage can be read, in order; and a chip is no option of the simulator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import thermoc as tc
from thermoc.backends.chip.partition import PartitionWork
from thermoc.backends.chip.work_types import ChipWork
from thermoc.passes.pipeline import run_passes

LAYOUT = ("split-work", "partition", "place", "route", "schedule")


def network() -> tc.Network:
    with tc.Network("way") as net:
        drive = tc.affine(tc.input("x", (4,)), np.ones((6, 4)), name="drive")
        tc.output("s", tc.sample_binary(drive, 1.0, name="s"))
    return net


def dumped(folder: Path, **options: str) -> dict[str, str]:
    """Return the text of each stage by its name, in order; a stage that comes twice keeps its last."""
    tc.compile(network(), "chip", dump_ir=folder, **options)
    return {path.stem.partition("-")[2]: path.read_text() for path in sorted(folder.iterdir())}


def test_every_stage_of_the_layout_is_dumped_in_order(tmp_path: Path):
    texts = dumped(tmp_path)
    assert [name for name in texts if name in LAYOUT] == list(LAYOUT)
    assert "product drive[0:6], array 4 x 6 (24 used)" in texts["split-work"]
    assert "sample s[0:6]" in texts["split-work"]
    assert "groups of tasks" in texts["partition"]
    assert "group 0 on core" in texts["place"]
    assert "links in a tick" in texts["route"]
    assert "MVM" in texts["schedule"] and "SAMPLE" in texts["schedule"] and "; drive" in texts["schedule"]


def test_thermal_placement_and_the_die_add_their_stages(tmp_path: Path):
    texts = dumped(tmp_path, placement="thermal", temperature="die")
    names = list(texts)
    assert names.index("place") < names.index("trial-run") < names.index("cool-samplers") < names.index("route")
    assert "6 p-bits" in texts["trial-run"]
    assert names[-1] == "at-die-temperature" and "after die-temperature" in texts["at-die-temperature"]
    assert '"chip.temperature.s"' in texts["at-die-temperature"]


def test_the_graph_of_the_layout_is_that_of_the_networks_own_ops():
    exe = tc.compile(network(), "chip", temperature="die")
    assert exe.artefact.graph is exe.lowered.needed(ChipWork).graph
    assert {"drive", "s"} <= exe.artefact.graph.producers.keys()
    assert list(exe.graph.inputs) == ["x"]  # the die's factors are inputs of the program, not of the user


def test_a_stage_without_the_one_before_it_is_refused():
    from thermoc.backends.chip.capacities import capacities_of
    from thermoc.simulator.chips import load_chip

    partition = PartitionWork(chip=capacities_of(load_chip("thermo-1")), apart=False)
    with pytest.raises(tc.ThermocError) as caught:
        run_passes(network().graph, [partition])
    assert caught.value.code == "T201" and "ChipWork" in str(caught.value)


def test_the_simulator_says_where_the_chip_went():
    with pytest.raises(tc.ThermocError) as caught:
        tc.compile(network(), "sim", chip="thermo-1")
    assert caught.value.code == "T303" and "target='chip'" in str(caught.value)
