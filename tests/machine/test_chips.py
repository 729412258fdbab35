"""Chip files: what comes with thermoc loads with units and sources, and every mistake in a file is named."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

import thermoc as tc
from thermoc.simulator.chips import load_chip, names
from thermoc.simulator.data.quantities import SURE
from thermoc.simulator.machine import ChipOp, assemble, costs, run_events

TEXT = files("thermoc.simulator.chips").joinpath("thermo-1.toml").read_text()


@pytest.mark.parametrize("name", names())
def test_every_number_has_a_unit_a_source_and_a_mark(name: str):
    chip = load_chip(name)
    for row in chip.quantities.rows():
        assert row["name"] in ("kind", "sampler.device") or (str(row["source"]).strip() and row["sure"] in SURE), row
    assert chip.cores >= 1


@pytest.mark.parametrize(
    ("old", "new", "code", "fact"),
    [
        ('rate = { value = 1.28, unit = "GHz"', "rate = { value = 1.28", "T513", "adc.rate: it has no unit"),
        ("[vector]\nlanes", "[vector]\nlane", "T513", "vector.lane: nothing of this name is known"),
        ('columns = { value = 8, unit = ""', 'columns = { value = 8, unit = "mm"', "T513", "mesh.columns: its unit is"),
        (
            'cores = { value = 4, unit = ""',
            'cores = { value = 4.5, unit = ""',
            "T515",
            "mesh.cores must be a whole number",
        ),
        ("cores_a_bank = { value = 2", "cores_a_bank = { value = 3", "T515", "do not part into banks"),
        ("coldest = { value = 305", "coldest = { value = 400", "T515", "coldest <= reference"),
        ("per_core = { value = 16, unit", "per_core = { value = -1, unit", "T515", "must not be negative"),
        ("columns = { value = 8,", "columns = { value = 1e8,", "T515", "a chip has at most 4096 cores"),
        ("weight_bits = { value = 8", "weight_bits = { value = 1", "T515", "cell_bits must be at most crossbar.weight"),
        ("dac_bits = { value = 1", "dac_bits = { value = 9", "T515", "input.dac_bits must be at most input.bits"),
        ("least_conductance = { value = 1,", "least_conductance = { value = 100,", "T515", "must be below"),
        ("arrays_a_sign = { value = 2", "arrays_a_sign = { value = 3", "T515", "must be 1 or 2"),
        ('kind = "crossbar"', 'kind = "quantum"', "T515", "there are crossbar, spiking"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, old: str, new: str, code: str, fact: str):
    assert old in TEXT
    path = tmp_path / "mine.toml"
    path.write_text(TEXT.replace(old, new, 1))
    with pytest.raises(tc.ThermocError) as caught:
        load_chip(path)
    assert caught.value.code == code and fact in str(caught.value)
    assert fact != "must not be negative" or len(caught.value.findings) == 1


def test_a_chip_that_is_not_there_is_named():
    with pytest.raises(tc.ThermocError) as caught:
        load_chip("thermo1")
    assert caught.value.code == "T305" and "did you mean 'thermo-1'?" in str(caught.value)
    with pytest.raises(tc.ThermocError) as caught:
        load_chip("no/such/chip.toml")
    assert caught.value.code == "T501"


@pytest.mark.parametrize("chip", [3, ["thermo-1"], b"thermo-1"])
def test_a_chip_that_is_no_name_is_refused(chip: object):
    with pytest.raises(tc.ThermocError) as caught:
        load_chip(chip)  # pyright: ignore
    assert caught.value.code == "T305" and "a chip is a name or the path" in str(caught.value)


def product_ps(name: str, arrays: int) -> int:
    program = assemble("product", name, [([], [(ChipOp.MVM, -1, arrays, 128, 128, 1)])], ())
    events = run_events(program, load_chip(name))
    return int(events.end.max())


def test_products_take_what_the_papers_say():
    """PUMA: t_ADC (input bits / DAC bits + 2) = 100 x 18 cycles; ISAAC: 22 stages of 100 ns."""
    assert product_ps("puma", 8) == product_ps("puma", 16) == 1_800_000
    assert product_ps("isaac", 8) == 2_200_000


def test_conversion_is_counted_by_the_column():
    """2 mW at 1.28 GS/s are 1.5625 pJ a conversion; 8 arrays of 128 columns, 16 reads."""
    chip = load_chip("isaac")
    joules = costs(assemble("adc", "isaac", [([], [(ChipOp.MVM, -1, 8, 128, 128, 1)])], ()), chip).joules[0]
    assert joules[4] == pytest.approx(8 * 128 * 16 * 1.5625e-12)


def test_puma_is_priced_by_its_simulators_constants():
    """A conversion is 1.8 pJ, an access of the eDRAM 17.2 pJ, a flit's hop 16.13 pJ; a matrix has one shift-and-add."""
    chip = load_chip("puma")
    rows = [(ChipOp.MVM, -1, 8, 128, 128, 1), (ChipOp.LD, -1, 64), (ChipOp.SEND, -1, 8, 0, 4)]
    joules = costs(assemble("puma", "puma", [([], rows)], ()), chip).joules
    assert joules[0, 4] == pytest.approx(8 * 128 * 16 * 1.8e-12)
    assert joules[0, 5] == pytest.approx(16 * 100e-9 * 0.045e-3)
    assert joules[0, 2] == pytest.approx(16 * 100e-9 * 128 * 3.506e-6, rel=1e-3)
    assert joules[1, 1] == pytest.approx(2 * 17.2e-12) and joules[2, 8] == pytest.approx(16.13e-12)
    assert chip.tiles == 138 and chip["adc.per_core"] == 4


def test_cores_lie_side_by_side():
    chip = load_chip("thermo-1")
    spots = np.array([chip.position(core) for core in range(chip.cores)])
    assert len(np.unique(spots, axis=0)) == 256 and spots.min() == 0 and spots.max() == 15
    assert [chip.position(core) for core in range(5)] == [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0)]
