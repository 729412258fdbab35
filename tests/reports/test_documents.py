"""What a report holds: the run's own numbers, thinned where there are many, and refusals of what it cannot show."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from reports.reported_networks import UGLY, glass, on_chip, ran

import thermoc as tc
from thermoc.cli.main import app
from thermoc.recording import chips
from thermoc.reports.html.page import page
from thermoc.reports.html.quantities import quantity
from thermoc.reports.html.signals import CELLS
from thermoc.support.thinning import blocks, ranges

LIMIT = 6_000_000


def refused(code: str, *arguments: object, **named: object) -> tc.ThermocError:
    with pytest.raises(tc.ThermocError) as caught:
        tc.report(*arguments, **named)  # type: ignore[arg-type]
    assert caught.value.code == code
    return caught.value


def test_ranges_lose_no_peak():
    line = np.zeros((100_000, 1))
    line[31_234] = 7.0
    line[77_777] = -3.0
    ticks, thin, step = ranges(np.arange(100_000), line)
    assert step == 100 and len(thin) == len(ticks) == 2000
    assert thin.max() == 7.0 and thin.min() == -3.0
    assert abs(ticks[int(thin.argmax())] - 31_234) < step


def test_means_of_blocks_are_means_and_the_last_block_counts_its_own():
    values = np.arange(10.0)[:, None]
    thin, step = blocks(values, 4)
    assert step == 3 and thin[:, 0].tolist() == [1.0, 4.0, 7.0, 9.0]


def test_few_points_stay_as_they_are():
    line = np.random.default_rng(0).normal(size=(50, 2))
    ticks, thin, step = ranges(np.arange(50), line)
    assert step == 1 and np.array_equal(thin, line) and len(ticks) == 50


def test_the_document_has_the_runs_own_numbers():
    run = ran()
    (subject,) = tc.report(run).document["subjects"]
    traces = {one["name"]: one["trace"] for one in subject["signals"]}
    assert np.allclose(traces["E"]["lines"][0][0], run["E"][:, 0], rtol=1e-5)
    assert [one["name"] for one in subject["mixing"]] == ["s", "E", "b"]
    for output in subject["mixing"]:
        worst = run.diagnostics[output["name"]]
        assert any(row["r_hat"] == pytest.approx(worst.r_hat, rel=1e-5) for row in output["rows"])
        assert output["rho"][0] == 1.0
    assert {one["op"] for one in subject["signals"]} == {"gibbs", "ising_energy", "sample_binary"}
    assert [record.text.partition("{")[0] for record in run.call.executable.records] == [
        p["name"] for p in subject["passes"]
    ]


def test_a_hundred_thousand_ticks_are_thinned_and_it_says_so():
    run = tc.compile(glass()).run(ticks=100_000, batch=2, seed=2, record={"E": "all"})
    document = tc.report(run).document
    (energy,) = document["subjects"][0]["signals"]
    assert any("100000 ticks are drawn as ranges of" in note for note in energy["notes"])
    assert len(energy["trace"]["ticks"]) <= 2000
    # the least energy of the drawn samples is one of the points
    assert min(min(sample[0]) for sample in energy["trace"]["lines"]) == pytest.approx(run["E"].min(), rel=1e-5)
    assert len(page(document).encode()) < LIMIT


def test_the_histogram_of_an_energy_counts_every_value_of_a_thinned_trace(tmp_path: Path):
    run = ran(ticks=5000)
    run.save(tmp_path / "run.zarr")
    for one in (run, tc.open_run(tmp_path / "run.zarr")):
        (energy,) = (signal for signal in tc.report(one).document["subjects"][0]["signals"] if signal["name"] == "E")
        edges, counts = energy["histogram"]["edges"], energy["histogram"]["counts"]
        assert energy["thinned"]["tick"] > 1 and sum(counts) == run["E"].size
        assert edges[0] == pytest.approx(run["E"].min(), rel=1e-5) and edges[-1] == pytest.approx(
            run["E"].max(), rel=1e-5
        )
        middle = len(counts) // 2
        assert sum(counts[:middle]) == pytest.approx((run["E"] < edges[middle]).sum(), abs=2)


def test_a_chips_costs_are_its_own_reports():
    run = on_chip()
    chip = tc.report(run).document["subjects"][0]["chip"]
    assert {op["op"]: op["joules"] for op in chip["ops"]} == {
        op.op: pytest.approx(op.joules, rel=1e-5) for op in run.chip.ops
    }
    die = run.chip.run.history.die
    hottest = chip["maps"]["milli"][chip["maps"]["hottest"]]
    assert chip["maps"]["base"] + max(hottest) / 1000 == pytest.approx(die.max(), abs=1e-3)
    assert chip["roofline"]["peak"] > max(point["rate"] for point in chip["roofline"]["points"])
    assert len(chip["sites"]["gibbs"]) == 8


def test_the_verdict_says_what_is_known_and_on_what_it_ran():
    titles = {card["title"]: card["state"] for card in tc.report(ran()).document["verdict"]}
    assert titles["Software: sim"] == "none" and "Targets: not compared" in titles and "Laws: not checked" in titles
    titles = [card["title"] for card in tc.report(on_chip()).document["verdict"]]
    assert "Emulated: chip" in titles and "Hottest op: gibbs" in titles
    certified = tc.report(ran(), certificate=tc.certify(ran())).document
    known = {"Laws hold": "ok", "Too short to tell whether laws hold": "warn"}
    assert [card["title"] for card in certified["verdict"] if known.get(card["title"]) == card["state"]]
    assert {row["op"] for row in certified["laws"]["rows"]} >= {"gibbs", "sample_binary"}


def test_a_breach_is_a_failure_with_its_place():
    document = tc.verify(glass(), ["onnx"], ticks=6, tolerance=0.0).report().document
    assert document["verdict"][0]["state"] == "fail"
    first = document["targets"]["first"][0]
    assert first["why"] == "breach" and first["op"]


def test_accuracy_is_the_share_of_right_labels():
    verified = tc.verify(glass(), ["sim"], ticks=5, batch=4)
    right = verified.reference["s"].mean(axis=0).argmax(axis=1)
    rows = verified.report({"s": right}).document["targets"]["accuracy"]
    assert [row["accuracy"] for row in rows] == [1.0, 1.0]
    refused("T401", verified, labels={"nothing": right})
    refused("T402", verified, labels={"s": right[:2]})


def test_two_runs_are_compared():
    compared = tc.report(ran(), ran(seed=2)).document["comparison"]
    assert [row["what"] for row in compared["asked"] if not row["same"]] == ["seed"]
    assert all(abs(row["apart, error bars"]) < 6 for row in compared["outputs"])
    assert compared["courses"][0]["first"] is not None
    same = tc.report(ran(), ran()).document
    assert all(one["first"] is None for one in same["comparison"]["courses"])
    assert same["verdict"][0]["title"] == "Both runs are the same"


def test_all_runs_of_a_page_share_its_numbers():
    run = tc.compile(glass()).run(ticks=5_000, batch=4, seed=3)
    for document in (tc.report(run).document, tc.report(run, run).document):
        drawn = [
            one[kind]
            for subject in document["subjects"]
            for one in subject["signals"]
            for kind in ("trace", "raster")
            if kind in one
        ]
        assert CELLS / 8 < sum(np.size(part.get("lines", part.get("rows"))) for part in drawn) <= CELLS


def test_runs_of_different_models_are_not():
    with tc.Network("glass") as other:
        tc.output("x", tc.noise(1.0, shape=(3,)))
    assert "different models" in str(refused("T425", ran(), tc.compile(other).run(ticks=4)))
    refused("T404", ran(), "run.zarr")
    refused("T404", "run.zarr")


def test_a_run_without_records_has_nothing_to_show():
    refused("T419", tc.compile(glass()).run(ticks=4, record={}))


def test_a_saved_run_keeps_its_graph(tmp_path: Path):
    ran().save(tmp_path / "run.zarr")
    (subject,) = tc.report(tc.open_run(tmp_path / "run.zarr")).document["subjects"]
    (live,) = tc.report(ran()).document["subjects"]
    assert subject["graphs"][0]["nodes"] == live["graphs"][0]["nodes"]
    assert subject["mixing"] == live["mixing"]
    assert [one["trace"] for one in subject["signals"]] == [one["trace"] for one in live["signals"]]


@pytest.mark.parametrize("suffix", [".zarr", ".nc", ".npz"])
def test_a_saved_run_on_a_chip_keeps_what_each_op_took(suffix: str, tmp_path: Path):
    on_chip().save(tmp_path / f"run{suffix}")
    document = tc.report(tc.open_run(tmp_path / f"run{suffix}"), on_chip()).document
    assert {row["op"]: row["joules B - A"] for row in document["comparison"]["costs"]} == {
        op.op: pytest.approx(0.0, abs=1e-5 * op.joules) for op in on_chip().chip.ops
    }


@pytest.mark.parametrize("suffix", [".zarr", ".nc", ".npz"])
def test_a_saved_run_on_a_chip_keeps_its_floorplan_and_its_maps(suffix: str, tmp_path: Path):
    on_chip().save(tmp_path / f"run{suffix}")
    (saved,) = tc.report(tc.open_run(tmp_path / f"run{suffix}")).document["subjects"]
    (live,) = tc.report(on_chip()).document["subjects"]
    assert saved["chip"] == json.loads(json.dumps(live["chip"])) and saved["costs"] is None


def test_a_store_that_is_written_while_it_runs_has_them_too(tmp_path: Path):
    run = tc.compile(glass(), "chip").run(ticks=3, batch=2, to=tmp_path / "run.zarr")
    chip = tc.report(tc.open_run(tmp_path / "run.zarr")).document["subjects"][0]["chip"]
    assert chip == json.loads(json.dumps(tc.report(run).document["subjects"][0]["chip"]))


@pytest.mark.parametrize("kept", [None, "", "!", "eJyrrgUAAXUA+Q=="])  # the last is an empty object
def test_a_file_without_pictures_or_with_damaged_ones_says_what_ops_took(kept: str | None, tmp_path: Path):
    run = on_chip()
    run.save(tmp_path / "run.zarr")
    saved = tc.open_run(tmp_path / "run.zarr")
    attrs = {name: value for name, value in saved.attrs.items() if name != "chip_picture"}
    older = replace(saved, attrs=attrs if kept is None else {**attrs, "chip_picture": kept})
    (subject,) = tc.report(older).document["subjects"]
    assert subject["chip"] is None
    assert {op["op"]: op["joules"] for op in subject["costs"]["ops"]} == {op.op: op.joules for op in run.chip.ops}


def test_what_a_file_keeps_of_a_chip_is_bounded(monkeypatch: pytest.MonkeyPatch):
    whole = chips.picture_of(chips.picture_attrs(on_chip().chip))
    assert whole is not None
    size = len(chips.picture_attrs(on_chip().chip)["chip_picture"])
    monkeypatch.setattr(chips, "TEXT_BYTES", size - 1)
    fewer = chips.picture_of(chips.picture_attrs(on_chip().chip))
    assert fewer is not None and len(fewer["maps"]["times"]) < len(whole["maps"]["times"])
    hottest = [one["maps"]["milli"][one["maps"]["hottest"]] for one in (whole, fewer)]
    assert hottest[0] == hottest[1]
    monkeypatch.setattr(chips, "TEXT_BYTES", 10)
    assert chips.picture_attrs(on_chip().chip) == {}
    monkeypatch.setattr(chips, "OPS", 1)
    document = on_chip().chip.to_json()
    ops = chips.bounded(document)["ops"]
    assert [op["op"] for op in ops] == [document["ops"][0]["op"], chips.OTHERS]
    assert sum(op["joules"] for op in ops) == pytest.approx(sum(op["joules"] for op in document["ops"]))


def test_the_page_holds_no_markup_of_a_name_and_its_document_reads_back():
    text = page(tc.report(on_chip()).document)
    assert UGLY not in text and "<img" not in text.partition('id="plotly"')[0]
    data = text.partition('id="document">')[2].partition("</script>")[0]
    assert json.loads(data)["title"] == on_chip().title


def test_what_compiling_did_is_a_page_too(tmp_path: Path):
    size = tc.compile(glass(), "onnx").report().html(tmp_path / "page.html")
    assert size == (tmp_path / "page.html").stat().st_size < LIMIT
    with pytest.raises(tc.ThermocError, match="T404"):
        ran().report().html(tmp_path / "page.pdf")


@pytest.mark.parametrize("package", ["jinja2", "plotly.offline"])
def test_a_missing_package_is_named(package: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(tc.ThermocError, match=r"T302.*\n.*thermoc\[report\]"):
        ran().report().html(tmp_path / "page.html")
    assert not list(tmp_path.iterdir())


MODEL = """
import numpy as np
import thermoc as tc

with tc.Network("small") as net:
    tc.output("y", tc.gibbs(1.0, np.array([[0.0, 0.4], [0.4, 0.0]])))
"""


def test_the_commands_write_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(tmp_path)
    Path("model.py").write_text(MODEL)
    np.save("right.npy", np.zeros(4, int))

    def thermoc(line: str) -> str:
        app(line.split(), standalone_mode=False)
        return capsys.readouterr().out

    assert "wrote run.html" in thermoc("run model.py:net --ticks 40 --batch 4 --to a.zarr --report run.html --certify")
    thermoc("run model.py:net --ticks 40 --batch 4 --seed 2 --to b.zarr")
    assert "wrote ab.html" in thermoc("report a.zarr b.zarr -o ab.html")
    assert json.loads(thermoc("report a.zarr --json"))["path"] == "report.html"
    assert "wrote v.html" in thermoc("verify model.py:net --ticks 8 --report v.html --labels right.npy")
    assert all(Path(name).stat().st_size < LIMIT for name in ("run.html", "ab.html", "report.html", "v.html"))
    for line, code in (
        ("run model.py:net --report page.txt", "T404"),
        ("run model.py:net --report none/page.html", "T505"),
        ("report none.zarr", "T501"),
        ("report right.npy", "T506"),
        ("verify model.py:net --report v.pdf", "T404"),
    ):
        with pytest.raises(tc.ThermocError, match=code):
            thermoc(line)


def test_what_a_sample_takes_is_a_card():
    (card,) = [card for card in tc.report(on_chip()).document["verdict"] if "a sample of" in card["title"]]
    chip = on_chip().chip
    assert quantity(chip.joules_a_sample, "J") in card["title"] and "2 samples of 10 ticks" in card["text"]
    assert (quantity(6.48462e-8, "J"), quantity(9.999e-7, "J"), quantity(0.0, "J")) == ("64.8 nJ", "1 µJ", "0 J")
