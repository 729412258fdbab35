"""A package of another author, installed beside thermoc: an op, a pass, a target, a chip, a device, a file format."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HERE = Path(__file__).parent
BRINGS = {
    "thermoc.ops",
    "thermoc.meanings",
    "thermoc.instructions",
    "thermoc.op_tables",
    "thermoc.passes",
    "thermoc.backends",
}
BRINGS |= {"thermoc.chips", "thermoc.devices", "thermoc.readers"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages that pip installed it into."""
    folder = tmp_path_factory.mktemp("site")
    source = folder / "source"  # pip builds in the folder itself
    shutil.copytree(HERE / "package", source)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*pip, "--target", str(folder / "packages"), str(source)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "packages"


def run(site: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    env = {**os.environ, "PYTHONPATH": paths, "NUMBA_ENABLE_CUDASIM": "1", "THERMOC_CACHE": str(cwd / "cache")}
    return subprocess.run([sys.executable, *arguments], cwd=cwd, env=env, capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def used(site: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    done = run(site, tmp_path_factory.mktemp("used"), str(HERE / "uses_package.py"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "left out" not in done.stderr
    return json.loads(done.stdout)


def test_an_op_reaches_every_target(used: dict[str, Any]):
    """Reference, simulator (its own instruction), a GPU (numba-cuda's simulator, to the CPU's bits), ONNX by expansion."""
    op = used["op"]
    assert op["exact"] < 1e-14 and max(op["off"].values()) < 1e-14 and op["off"]["text"] == 0.0
    assert op["same on a GPU"] and op["own instruction"] and op["saved"] and op["verified"]
    assert used["gradient"] == pytest.approx(0.5, rel=1e-12)


def test_a_pass_a_chip_a_device_and_a_reader_are_like_ours(used: dict[str, Any]):
    assert used["pass"] == "harden-units" and "core.maximum" in used["hardened"]
    assert "twolevel.free_energy" not in used["hardened"]
    assert any(float(bound) == pytest.approx(0.01 * math.log(2), rel=1e-3) for bound in used["bound"])
    assert used["chip"] == ["twolevel-4", True]
    # 1 V on R (1 + a (T - T0)) in steady state: T - T0 = R_th V^2 / (R (1 + a (T - T0)))
    rise = used["device"] - 300
    assert rise * (1 + 4e-3 * rise) == pytest.approx(1e5 / 1e3, rel=1e-4)
    assert used["read"] == pytest.approx([0.5 * math.log(1 + math.exp(level / 0.5)) for level in (0.5, -1.0)])
    assert used["written"]


def test_formats_lists_its_readers(site: Path, tmp_path: Path):
    """One says what it is by a Format, the other by its docstring."""
    done = run(site, tmp_path, "-m", "thermoc", "formats", "--json")
    rows = {row["format"]: row for row in json.loads(done.stdout) if row["package"] == "thermoc-twolevel"}
    assert rows["levels"]["writes"] == "the same" and rows["levels"]["suffixes"] == [".levels"]
    assert rows["drives"]["reads"] == "Return the graph of a file, and no repair" and not rows["drives"]["writes"]
    assert all(row["options"] == {"T": "the temperature of every unit"} for row in rows.values())


def test_doctor_names_what_it_brings(site: Path, tmp_path: Path):
    done = run(site, tmp_path, "-m", "thermoc", "doctor", "--json")
    rows = [row for row in json.loads(done.stdout)["plugins"] if row["package"] == "thermoc-twolevel"]
    assert {row["group"] for row in rows} == BRINGS and not any(row["left out"] for row in rows)


BROKEN = """[thermoc.ops]
core = broken
broken = broken
stranger = strange
[thermoc.instructions]
broken = nowhere
[thermoc.devices]
rc = broken
[thermoc.readers]
odd = broken:read
"""


def test_what_does_not_load_is_left_out_and_named(tmp_path: Path):
    """The rest of thermoc goes on: a package that is broken, or claims what is ours, is told once."""
    info = tmp_path / "site" / "broken-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(BROKEN)
    (tmp_path / "site" / "broken.py").write_text("raise RuntimeError('it is broken')\n")
    strange = "from thermoc.ir.ops import Op, op, operand, result\nfrom thermoc.ir.values import Value\n"
    strange += (
        "@op('core.zap')\nclass Zap(Op):\n    '''x.'''\n    x: Value = operand('*s')\n    y: Value = result('*s')\n"
    )
    (tmp_path / "site" / "strange.py").write_text(strange)
    done = run(tmp_path / "site", tmp_path, "-m", "thermoc", "targets", "--json")
    assert done.returncode == 0, done.stderr
    assert "core.zap" not in [row["op"] for row in json.loads(done.stdout)]
    lines = [line for line in done.stderr.splitlines() if "left out" in line]
    assert any("it is broken" in line for line in lines) and any("core.zap" in line for line in lines)
    assert any("nowhere" in line for line in lines) and any("thermoc's own" in line for line in lines)
    told = np.unique(lines, return_counts=True)[1]
    assert (told == 1).all()
    formats = run(tmp_path / "site", tmp_path, "-m", "thermoc", "formats", "odd")
    assert formats.returncode == 0 and "it is broken" in formats.stdout
    doctor = run(tmp_path / "site", tmp_path, "-m", "thermoc", "doctor")
    assert doctor.returncode == 0 and "it is broken" in " ".join(doctor.stdout.split())  # a narrow table wraps it
