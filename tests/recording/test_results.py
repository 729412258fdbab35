"""Results in the forms of other tools: xarray, times and ids, Neo, dimod, figures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from recording.recorded_networks import DRIVE, J, spiking, spin_glass

import thermoc as tc


def test_a_dataset_names_dimensions_units_and_what_made_it():
    run = spiking().run({"x": DRIVE}, seed=5, first_sample=3, record={"spikes": "all", "v": ["all", "mean"]})
    data = run.to_xarray()
    assert data["spikes"].dims == data["v"].dims == ("tick", "sample", "spikes_unit")
    assert data["v.mean"].dims == ("sample", "spikes_unit")
    assert data["spikes"].dtype == bool
    assert data["sample"].values.tolist() == [3, 4]
    assert np.array_equal(data["time"], 0.5 * np.arange(60))
    assert data["time"].attrs["units"] == "units of dt"
    assert data.attrs["graph_sha256"] == spiking().source.hash
    assert (data.attrs["seed"], data.attrs["target"], data.attrs["thermoc"]) == (5, "sim", tc.__version__)
    assert json.loads(data.attrs["record"]) == {"spikes": ["all"], "v": ["all", "mean"]}
    assert np.array_equal(data["spikes"], run["spikes"])


def test_spins_are_single_bytes_and_energies_have_units():
    data = spin_glass().run(ticks=9, record={"s": "all", "E": "every:3"}).to_xarray()
    assert data["s"].dtype == np.int8
    assert data["E"].dims == ("tick_3", "sample")
    assert data["tick_3"].values.tolist() == [2, 5, 8]
    assert data["E"].attrs["units"] == "energy, k_B = 1"


def test_coordinates_go_on_with_the_session():
    with spin_glass().start() as session:
        session.run(10)
        assert session.run(4).to_xarray()["tick"].values.tolist() == [10, 11, 12, 13]


def test_an_output_may_have_the_name_of_a_dimension():
    with tc.Network("names") as net:
        x = tc.input("x", (2,))
        for name in ("tick", "sample", "time"):
            tc.output(name, x)
    data = tc.compile(net).run({"x": np.zeros((1, 2))}, ticks=3).to_xarray()
    assert data["tick"].dims == ("tick_", "sample_", "tick_unit")
    assert data["time_"].values.tolist() == [0, 1, 2]


@pytest.mark.parametrize("how", ["all", "events"])
def test_spikes_as_times_and_ids(how: str):
    whole = spiking().run({"x": DRIVE})["spikes"]
    found = spiking().run({"x": DRIVE}, record={"spikes": how}).spikes("spikes")
    assert len(found) == 2
    for sample, (times, ids) in enumerate(found):
        ticks, units = np.nonzero(whole[:, sample])
        assert np.array_equal(times, 0.5 * ticks)
        assert np.array_equal(ids, units)


def test_what_has_no_spikes_says_so():
    run = spiking().run({"x": DRIVE}, record={"v": "all", "spikes": "mean"})
    for name in ("v", "spikes"):
        with pytest.raises(tc.ThermocError, match="T419"):
            run.spikes(name)


def test_neo():
    neo = pytest.importorskip("neo")
    run = spiking().run({"x": DRIVE})
    block = run.to_neo(time_unit="ms")
    assert isinstance(block, neo.Block)
    trains = block.segments[1].spiketrains
    assert [train.name for train in trains] == ["spikes 0", "spikes 1", "spikes 2", "spikes 3"]
    assert np.array_equal(trains[2].magnitude, 0.5 * np.nonzero(run["spikes"][:, 1, 2])[0])
    signal = block.segments[1].analogsignals[0]
    assert float(signal.sampling_period.rescale("ms")) == 0.5
    assert np.array_equal(signal.magnitude, run["v"][:, 1])


def test_dimod():
    dimod = pytest.importorskip("dimod")
    run = spin_glass().run(ticks=200, batch=2, seed=1)
    samples = run.to_dimod("s", "E")
    model = dimod.BinaryQuadraticModel({}, {(i, j): -J[i, j] for i in range(3) for j in range(i)}, 0.0, "SPIN")
    assert samples.record.num_occurrences.sum() == 400
    np.testing.assert_allclose(model.energies(samples), samples.record.energy, atol=1e-12)
    with pytest.raises(tc.ThermocError, match="an energy for each sample"):
        run.to_dimod("s", [1.0])
    with pytest.raises(tc.ThermocError, match="is no sample set"):
        run.to_dimod("E", "E")


def test_a_summary_has_a_line_for_each_array():
    run = spin_glass().run(ticks=50, record={"s": ["all", "counts"], "E": "mean"})
    assert [row["output"] for row in run.rows()] == ["s", "s.counts", "E.mean", "E.variance"]
    assert "E.variance" in run.summary()


@pytest.mark.parametrize("draw", ["raster", "trace", "histogram", "phases"])
def test_figures(draw: str, tmp_path: Path):
    run = spiking().run({"x": DRIVE})
    figure = getattr(tc.plot, draw)(run)
    axes = figure.axes[-1 if draw == "trace" else 0]
    assert axes.get_xlabel()
    assert draw not in ("raster", "trace") or axes.get_xlabel() == f"time (dt = {run.dt:g})"
    assert axes.get_ylabel()
    tc.plot.save(figure, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 5000


def test_a_raster_has_a_mark_for_each_spike():
    run = spiking().run({"x": DRIVE})
    marks = tc.plot.raster(run, sample=1).axes[0].collections[0].get_offsets()
    assert np.array_equal(np.asarray(marks), np.stack(run.spikes("spikes")[1], axis=1))


def test_figures_of_energy_and_of_counts():
    run = spin_glass().run(ticks=3000, record={"E": "all", "s": "counts"})
    left = tc.plot.energy(run).axes[0]
    assert len(left.lines[0].get_xdata()) == 3000
    assert left.get_ylabel() == "E (energy, k_B = 1)"
    bars = tc.plot.histogram(run, "s").axes[0].patches
    np.testing.assert_allclose([bar.get_height() for bar in bars], run.recorded["s"].counts / 3000)
    assert tc.plot.overview(run).axes


def test_a_figure_of_what_was_not_recorded_is_refused():
    run = spin_glass().run(ticks=20, record={"s": "mean"})
    with pytest.raises(tc.ThermocError, match="T419"):
        tc.plot.energy(run)
    with pytest.raises(tc.ThermocError, match="T401"):
        tc.plot.trace(run, "t")
    with pytest.raises(tc.ThermocError, match="T404"):
        tc.plot.format_of("figure.gif")


def test_a_figure_of_the_wrong_output_names_the_right_one():
    """It advised to record all of it, which was recorded: what was wrong is its role."""
    run = spiking().run({"x": DRIVE})
    for draw, name, cure in ((tc.plot.raster, "v", "draw 'spikes'"), (tc.plot.energy, "v", "")):
        with pytest.raises(tc.ThermocError, match="T419") as caught:
            draw(run, name)
        assert caught.value.findings[0].hint == cure and "its role is signal" in str(caught.value)
    with pytest.raises(tc.ThermocError, match="--record s=all"):
        tc.plot.trace(spin_glass().run(ticks=20, record={"s": "mean"}))


def test_what_has_nothing_to_draw_is_refused():
    short = spin_glass().run(ticks=5, record={"s": "every:10"})
    for draw in (tc.plot.trace, tc.plot.histogram, tc.plot.phases, tc.plot.autocorrelation):
        with pytest.raises(tc.ThermocError, match="T419"):
            draw(short)
    run = spiking().run({"x": DRIVE}, record={"spikes": "every:2", "v": "all"})
    assert len(tc.plot.overview(run).axes) == 2  # traces: of every other tick nobody knows the spikes
    for sample in (-1, 2):
        with pytest.raises(tc.ThermocError, match="T404"):
            tc.plot.raster(spiking().run({"x": DRIVE}), sample=sample)
