"""A chip's file is held against what a chip can be: every number, by itself and against the others."""

from __future__ import annotations

import time
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

import thermoc as tc
from thermoc.backends.chip.batch import MOST_CELLS, check_slots
from thermoc.simulator.chips import load_chip, plausible
from thermoc.simulator.chips.chip import CROSSBAR, OPTIONAL, SPIKING
from thermoc.simulator.machine import ChipOp, ChipProgram, assemble, costs
from thermoc.support.bundle import bundle_bytes

TEXT = files("thermoc.simulator.chips").joinpath("thermo-1.toml").read_text()


def chip_with(folder: Path, *changes: tuple[str, str]):
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "mine.toml").write_text(text)
    return load_chip(folder / "mine.toml")


def test_every_number_of_a_chip_has_a_plausible_range():
    numbers = CROSSBAR | SPIKING | {name: unit for part in OPTIONAL.values() for name, unit in part.items()}
    bare = [k for k, unit in numbers.items() if unit != "text" and not {k} & {*plausible.RANGES, *plausible.COUNTS}]
    assert bare == []


@pytest.mark.parametrize(
    ("old", "new", "fact"),
    [
        ("crosstalk = { value = 0.02", "crosstalk = { value = 5", "crossbar.crosstalk must be from 0 to 0.25"),
        ('size = { value = 64, unit = "KiB"', 'size = { value = 1, unit = "B"', "buffer.size must be from 64"),
        ("[adc]\nbits = { value = 8", "[adc]\nbits = { value = 99", "adc.bits must be from 1 to 24"),
        ("gated = { value = 0.05", "gated = { value = 1.5", "leakage.gated must be from 0 to 1"),
        ("temperature = { value = 398", "temperature = { value = 250", "package.ambient must be at most limit"),
        ('active = { value = 2, unit = "um"', 'active = { value = 2, unit = "mm"', "die.active must be at most"),
        ('time = { value = 10, unit = "ns"', 'time = { value = 0.4, unit = "ps"', "sampler.time must be from 1e-12"),
        ('time = { value = 10, unit = "ns"', 'time = { value = 1.5, unit = "ps"', "no whole number of picoseconds"),
        ('flit_time = { value = 1, unit = "ns"', 'flit_time = { value = 0.1, unit = "ps"', "network.flit_time must be"),
        ('hop_time_x = { value = 3, unit = "ns"', 'hop_time_x = { value = 0.3, unit = "ps"', "no whole number of pico"),
        ('frequency = { value = 1, unit = "GHz"', 'frequency = { value = 5, unit = "THz"', "clock.frequency must be"),
    ],
)
def test_a_number_that_no_chip_has_is_refused(tmp_path: Path, old: str, new: str, fact: str):
    with pytest.raises(tc.ThermocError) as caught:
        chip_with(tmp_path, (old, new))
    assert caught.value.code == "T515" and fact in str(caught.value)


def test_an_instruction_that_the_machine_would_round_away_is_refused(tmp_path: Path):
    """A cycle of 1.25 ps is one of 1 ps to the machine: a fifth of the time would vanish."""
    chip = chip_with(tmp_path, ('frequency = { value = 1, unit = "GHz"', 'frequency = { value = 800, unit = "GHz"'))
    program = assemble("short", "mine", [([], [(ChipOp.VOP, -1, 8, 1)])], ())
    with pytest.raises(tc.ThermocError) as caught:
        costs(program, chip)
    assert caught.value.code == "T306" and "whole picoseconds" in str(caught.value)


def test_an_unknown_chip_or_device_is_told_when_compiling(tmp_path: Path):
    with tc.Network("n") as net:
        tc.output("s", tc.sample_binary(tc.input("x", (4,)), 1.0))
    with pytest.raises(tc.ThermocError, match="T305"):
        tc.compile(net, "chip", chip="thermo-2")
    with pytest.raises(tc.ThermocError, match="T305"):
        tc.compile(net, "chip", chip="loihi")  # no crossbars
    (tmp_path / "mine.toml").write_text(TEXT.replace('device = "nbo2"', 'device = "nbo3"'))
    with pytest.raises(tc.ThermocError, match="did you mean 'nbo2'"):
        tc.compile(net, "chip", chip=str(tmp_path / "mine.toml"))


def test_the_limit_of_slots_is_what_is_said():
    """As many slots as the message says are taken, and one more is refused."""
    most = MOST_CELLS // 256
    check_slots(most * 1000, 1000, 256)
    with pytest.raises(tc.ThermocError) as caught:
        check_slots(most * 1000 + 1, 1000, 256)
    assert f"it takes {most + 1} slots" in str(caught.value) and f"is {most}" in str(caught.value)


def test_thousands_of_unknown_keys_are_told_in_a_moment(tmp_path: Path):
    """4,000 keys took 13 s when each was compared with every name; now 20 are, and the others counted."""
    (tmp_path / "mine.toml").write_text(TEXT + "".join(f"[odd{k}]\na = 1\n" for k in range(4000)))
    start = time.perf_counter()
    with pytest.raises(tc.ThermocError) as caught:
        load_chip(tmp_path / "mine.toml")
    assert time.perf_counter() - start < 5 and "3951 more mistakes are not listed" in str(caught.value)


@pytest.mark.parametrize("name", ["starts", "setup"])
def test_a_program_whose_places_are_no_whole_numbers_is_damaged(tmp_path: Path, name: str):
    arrays = {"code": np.zeros((1, 6), np.int64), "starts": np.array([0, 1]), "setup": np.array([0])}
    arrays["code"][0, :2] = int(ChipOp.HALT), -1
    document = {"name": "a", "chip": "thermo-1", "ops": []}
    for kind, code in ((np.int64, None), (np.float64, "T502")):
        given = arrays | {name: arrays[name].astype(kind)}
        data = bundle_bytes(kind="thermoc chip program", version=1, document=document, arrays=given)
        (tmp_path / "a.chip").write_bytes(data)
        if code is None:
            assert len(ChipProgram.load(tmp_path / "a.chip").code) == 1
            continue
        with pytest.raises(tc.ThermocError) as caught:
            ChipProgram.load(tmp_path / "a.chip")
        assert caught.value.code == code
