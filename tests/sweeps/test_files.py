"""``thermoc sweep``: the tutorial runs as the page has it; what is wrong in a file is told at its line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from sweeps.swept import MODEL

import thermoc as tc
from thermoc.cli.main import app
from thermoc.cli.sweep import EXAMPLE
from thermoc.support.errors import ThermocError
from thermoc.sweeps.config import read_sweep

pytest.importorskip("zarr")
PAGE = (Path(__file__).parents[2] / "docs" / "sweeps.md").read_text()
FILE = """
[model]
file = "model.py:net"
[run]
ticks = 4
[parameters]
T = [1.0, 2.0]
[points]
seeds = 2
[output]
store = "out.zarr"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "sweep.toml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def snippet(language: str, number: int = 0) -> str:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)[number]


def run(*arguments: str) -> None:
    app(("sweep", *arguments), standalone_mode=False)


def test_the_tutorial_runs_as_the_page_has_it(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "ring.py").write_text(snippet("python"))
    (folder / "ring.toml").write_text(snippet("toml"))
    run("ring.toml", "--dry-run")
    foretold = capsys.readouterr().out
    assert (
        "ring on sim: 36 points" in foretold.replace("\n", " ")
        and "24 more points" in foretold
        and "the store" in foretold
    )
    assert not (folder / "ring.zarr").exists()
    run("ring.toml", "--workers", "0")
    said = capsys.readouterr().out
    assert "36 of 36 points" in said and "wrote ring.zarr" in said
    # the ring's mean |R-hat - 1| is small: 100 kept ticks of 8 chains at T >= 1.5
    assert (tc.sweeps.open("ring.zarr")["s.r_hat"] < 1.2).all()


def test_json_tells_what_was_run(folder: Path, capsys: pytest.CaptureFixture[str]):
    run("sweep.toml", "--workers", "0", "--json")
    document = json.loads(capsys.readouterr().out)
    assert (document["points"], document["complete"], document["path"]) == (4, True, "out.zarr")
    assert [axis["name"] for axis in document["axes"]] == ["T", "seed"] and "s.mean" in document["results"]
    run("sweep.toml", "--dry-run", "--json")
    document = json.loads(capsys.readouterr().out)
    assert document["first"][1] == {"T": 1.0, "seed": 1} and document["bytes"]["the store, before it is compressed"] > 0


def test_the_example_of_the_help_is_a_file_that_is_read(folder: Path):
    (folder / "ising.py").write_text(MODEL)
    (folder / "ising.toml").write_text(EXAMPLE.replace("\b", "").partition("\n")[2])
    made, path = read_sweep(Path("ising.toml"))
    assert made.size == 36 and path == Path("ising.zarr")


def test_ctrl_c_says_how_to_go_on(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("thermoc.sweeps.pools.carried_out", interrupt)
    assert app(("sweep", "sweep.toml", "--workers", "0"), standalone_mode=False) == 130
    assert "give the same command" in capsys.readouterr().err


def test_values_may_be_written_in_every_way(folder: Path):
    text = FILE.replace(
        "T = [1.0, 2.0]",
        'T = { from = 1, to = 4, steps = 3, scale = "log" }\nJ = { times = [0.5, 1] }\n[options]\nprecision = ["float32"]\n',
    )
    (folder / "sweep.toml").write_text(text)
    made, _ = read_sweep(Path("sweep.toml"))
    assert [(item.kind, item.key, item.times) for item in made.setup.axes] == [
        ("option", "precision", False),
        ("parameter", "T", False),
        ("parameter", "J", True),
        ("seed", "seed", False),
    ]
    assert made.points[0] == ("float32", 1.0, 0.5, 0) and made.size == 12
    (folder / "sweep.toml").write_text(FILE.replace("T = [1.0, 2.0]", "T = 2.5"))
    made, _ = read_sweep(Path("sweep.toml"))
    assert made.size == 2 and made.setup.parameters["T"] == 2.5


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "says"),
    [
        ("T = [1.0, 2.0]", "[options]\nprecision = 'float16'", "T303", 8, "did you mean 'float"),
        ("T = [1.0, 2.0]", "[options]\nprecision = ['float32', 'f']", "T303", 8, "value 2 of 2, first at point 2"),
        ("T = [1.0, 2.0]", "T = [1.0, -1.0]", "T108", 7, "T = -1.0, value 2 of 2, first at point 2"),
        ("T = [1.0, 2.0]", "T = { from = -1, to = 1, steps = 3 }", "T108", 7, "T = -1.0, value 1 of 3"),
        ("T = [1.0, 2.0]", "T = -1.0", "T108", 7, "must be > 0"),
        ("T = [1.0, 2.0]", 'T = "warm"', "T418", 7, "another kind of numbers"),
        ("T = [1.0, 2.0]", "J = [[[1, 2], [2, 1]]]", "T418", 7, "{ values = [array] }"),
        ("T = [1.0, 2.0]", "J = [[[1, 2], [1]]]", "T520", 7, "no regular array"),
        ("T = [1.0, 2.0]", "[chip]\npackage.ambient = [300, 1e9]", "T515", 8, "value 2 of 2, first at point 2"),
        ("ticks = 4", 'record = { s = "evry:4" }', "T419", 5, "did you mean 'every:4'?"),
        ("ticks = 4", 'target = "smi"', "T302", 5, "did you mean 'sim'?"),
        ("ticks = 4", "ticks = 0", "T520", 5, "at least 1"),
    ],
)
def test_a_value_that_no_point_could_have_is_refused_before_anything_runs(
    folder: Path, old: str, new: str, code: str, line: int, says: str
):
    text = FILE.replace(old, new)
    if "[chip]" in new:
        text = text.replace("ticks = 4", 'target = "chip"')
    (folder / "sweep.toml").write_text(text)
    with pytest.raises(ThermocError) as caught:
        read_sweep(Path("sweep.toml"))
    finding = caught.value.findings[0]
    assert (finding.code, str(finding.where)) == (code, f"sweep.toml:{line}") and says in str(finding)


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "says"),
    [
        ("[parameters]", "[paramters]", "T520", 6, "did you mean 'parameters'?"),
        ("ticks = 4", "tikcs = 4", "T520", 5, "did you mean 'ticks'?"),
        ("ticks = 4", 'ticks = "4"', "T520", 5, "wrong type"),
        ("ticks = 4", "ticks = 0", "T520", 0, "at least 1"),
        ("T = [1.0, 2.0]", "Tt = [1.0]", "T418", 7, "did you mean 'T'?"),
        ("T = [1.0, 2.0]", "T = { from = 1, too = 2 }", "T520", 7, "did you mean 'to'?"),
        ("T = [1.0, 2.0]", "T = { from = 1 }", "T520", 7, "needs from and to"),
        ("T = [1.0, 2.0]", "T = { from = 2, to = 1, steps = 3 }", "T520", 7, "no less"),
        ("T = [1.0, 2.0]", "T = []", "T520", 7, "at least one value"),
        ("seeds = 2", 'method = "sobel"', "T520", 0, "did you mean 'sobol'?"),
        ("[output]\n", "[objective]\n[output]\n", "T520", 10, "minimize, maximize"),
        ('store = "out.zarr"', "", "T520", 10, "store is missing"),
        ("model.py", "modle.py", "T501", 0, "no such file"),
        ("seeds = 2", "seeds = [", "T520", 0, "is not TOML"),
    ],
)
def test_a_mistake_is_told_at_its_line(folder: Path, old: str, new: str, code: str, line: int, says: str):
    (folder / "sweep.toml").write_text(FILE.replace(old, new))
    with pytest.raises(ThermocError) as caught:
        read_sweep(Path("sweep.toml"))
    finding = caught.value.findings[0]
    assert finding.code == code and says in str(caught.value)
    assert not line or str(finding.where) == f"sweep.toml:{line}"
