"""The commands, as a person runs them: output, JSON, files, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

import thermoc as tc

SOURCE = """
import numpy as np
import thermoc as tc

with tc.Network("small", dt=0.5) as net:
    x = tc.input("x", (3,))
    tc.output("m", tc.memory(tc.affine(x, np.eye(3)), T=0.1))

def build():
    return net

broken = 3
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.py").write_text(SOURCE)
    np.savez(tmp_path / "x.npz", x=np.ones((2, 3)))
    return tmp_path


def thermoc(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "thermoc", *arguments]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=300, env={**os.environ, "COLUMNS": "100"}
    )


@pytest.mark.parametrize("name", ["net", "build"])
def test_run_prints_and_writes_outputs(folder: Path, name: str):
    done = thermoc(
        "run", f"model.py:{name}", "-i", "x.npz", "--ticks", "5", "--seed", "7", "-o", "y.npz", "--json", cwd=folder
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["outputs"][0]["shape"] == [5, 2, 3]
    y = np.load(folder / "y.npz")["m"]
    assert np.array_equal(y[0], np.zeros((2, 3)))
    assert not np.array_equal(y[1], y[2])
    again = thermoc("run", "model.py:net", "-i", "x.npz", "--ticks", "5", "--seed", "7", "-o", "z.npz", cwd=folder)
    assert again.returncode == 0
    assert np.array_equal(np.load(folder / "z.npz")["m"], y)


def test_compile_writes_an_artefact_and_a_report(folder: Path):
    done = thermoc("compile", "model.py:net", "-t", "onnx", "--dump-ir", "ir", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (folder / "small.onnx").stat().st_size == report["bytes"]
    changed = [record["text"].split("{")[0] for record in report["records"] if record["changed"]]
    files = sorted(path.name for path in (folder / "ir").iterdir())
    assert files[0] == "00-source.txt"
    assert [name[3:-4] for name in files[1:]] == changed
    said = thermoc("compile", "model.py:net", "-t", "onnx", "--step", "-o", "step.onnx", cwd=folder)
    assert "changed parameters" in said.stdout
    assert "wrote step.onnx" in said.stdout


@pytest.mark.parametrize(
    ("arguments", "target", "file"),
    [
        ([], "sim", "small.program"),
        (["-o", "one"], "sim", "one"),
        (["-o", "one.onnx"], "onnx", "one.onnx"),
        (["-o", "one.program"], "sim", "one.program"),
        (["--step"], "onnx", "small.onnx"),
    ],
)
def test_what_is_compiled_for_no_target_is_what_the_output_says(
    folder: Path, arguments: list[str], target: str, file: str
):
    done = thermoc("compile", "model.py:net", *arguments, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["target"], report["path"]) == (target, file) and (folder / file).is_file()


def test_show_prints_text_that_parses_back_and_draws(folder: Path):
    done = thermoc("show", "model.py:net", "--data", cwd=folder)
    from thermoc.ir.parser import parse_graph
    from thermoc.ir.printer import print_graph

    assert print_graph(parse_graph(done.stdout)) == done.stdout
    drawn = thermoc("show", "model.py:net", "--svg", "g.svg", cwd=folder)
    assert drawn.stdout == "wrote g.svg\n"
    picture = ElementTree.parse(folder / "g.svg").getroot()
    titles = [title.text for title in picture.iter("{http://www.w3.org/2000/svg}title")]
    assert "thermo.memory memory" in titles


def test_a_thermo_file_is_a_model(folder: Path):
    with tc.Network("saved") as net:
        tc.output("y", tc.exp(tc.input("x", (2,))))
    net.save(folder / "saved.thermo")
    summary = json.loads(thermoc("show", "saved.thermo", "--json", cwd=folder).stdout)
    assert summary["hash"] == net.graph.hash
    assert summary["inputs"] == {"x": "signal f64[2]"}


def test_targets_and_doctor_cover_everything(folder: Path):
    rows = json.loads(thermoc("targets", "--json", cwd=folder).stdout)
    from thermoc.ir.ops import REGISTRY

    assert [row["op"] for row in rows] == sorted(REGISTRY)
    assert all({"sim", "onnx"} <= row.keys() for row in rows)
    doctor = json.loads(thermoc("doctor", "--json", cwd=folder).stdout)
    lines = ("pip install", "thermoc doctor --install")
    assert all(row["installed"] or row["install"].startswith(lines) for row in doctor["packages"])
    assert {"numba", "onnx", "onnxruntime", "lava-nc"} <= {row["package"] for row in doctor["packages"]}


def test_passes_are_listed_and_run_by_name(folder: Path):
    rows = json.loads(thermoc("passes", "--json", cwd=folder).stdout)
    from thermoc.passes.registry import names

    assert [row["pass"] for row in rows] == list(names())
    step = next(row for row in rows if row["pass"] == "discretize")
    assert step["options"][0] == {"name": "dt", "takes": "a number", "default": None}
    assert step["does"].startswith("Replace each continuous-time op")
    shown = thermoc("show", "model.py:net", "--passes", "discretize", cwd=folder)
    assert "core.delay" in shown.stdout and "thermo.memory" not in shown.stdout
    text = "discretize,set-precision{dtype=f32},legalize"
    done = thermoc(
        "compile", "model.py:net", "--passes", text, "--dump-ir", "ir", "-o", "small.onnx", "--json", cwd=folder
    )
    assert done.returncode == 0, done.stderr
    texts = [record["text"] for record in json.loads(done.stdout)["records"]]
    assert texts == ["discretize{dt=0.5}", "set-precision{dtype=f32}", "legalize{target=onnx}"]
    assert (folder / "small.onnx").is_file()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["run", "missing.thermo"], "T501"),
        (["run", "missing.py:net"], "T501"),
        (["run", "model.py"], "T506"),
        (["run", "model.py:nothing"], "T506"),
        (["run", "model.py:broken"], "T506"),
        (["run", "x.npz"], "T506"),
        (["run", "model.py:net"], "T401"),
        (["run", "model.py:net", "-i", "model.py"], "T502"),
        (["run", "model.py:net", "-i", "x.npz", "--ticks", "0"], "T404"),
        (["run", "model.py:net", "-t", "nowhere"], "T302"),
        (["run", "model.py:net", "-O", "precision"], "T303"),
        (["run", "model.py:net", "-O", "precision=float16"], "T303"),
        (["run", "model.py:net", "-O", "colour=red"], "T303"),
        (["compile", "model.py:net", "-o", "nowhere/x.onnx"], "T505"),
        (["compile", "model.py:net", "-t", "sim", "-o", "x.onnx"], "T506"),
        (["compile", "model.py:net", "-o", "x.thermo"], "T506"),
        (["compile", "model.py:net", "--passes", "fuze"], "T210"),
        (["compile", "model.py:net", "--passes", "fuse{"], "T211"),
        (["compile", "model.py:net", "--passes", "fuse{dt=1}"], "T212"),
        (["compile", "model.py:net", "--passes", "fuse"], "T213"),
        (["show", "model.py:net", "--passes", "legalize"], "T212"),
        (["show", "model.py:net", "--svg", "nowhere/g.svg"], "T505"),
        (["doctor", "--install", "moon"], "T404"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_a_mistake_is_told_by_its_code_without_a_traceback(folder: Path, arguments: list[str], code: str):
    done = thermoc(*arguments, "--json", cwd=folder)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{code}: "), done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout)["errors"][0]["code"] == code


def test_a_wrong_command_line_exits_with_1(folder: Path):
    for arguments in (["fly"], ["run"], ["run", "model.py:net", "--ticks", "many"]):
        assert thermoc(*arguments, cwd=folder).returncode == 1


def test_a_fault_of_the_tool_exits_with_2(folder: Path):
    """A broken kernel is simulated by a plugin-free patch: the reference's meaning raises."""
    code = (
        "import sys, thermoc.compiled as compiled\n"
        "compiled.run_passes = lambda *a, **k: 1 / 0\n"
        "sys.argv = ['thermoc', 'run', 'model.py:net', '-i', 'x.npz']\n"
        "from thermoc.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 2
    assert "fault of thermoc" in done.stderr
