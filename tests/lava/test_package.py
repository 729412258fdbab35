"""The package runs by itself, in a folder without thermoc."""

import hashlib
import json
import shlex
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest

import thermoc as tc


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package") / "net.lava"
    tc.compile(scaled(), target="lava").save(folder)
    return folder


def scaled() -> tc.Network:
    """Numbers in, numbers out, two synapses and a p-bit between."""
    with tc.Network("scaled") as net:
        x = tc.loihi.encode(tc.input("x", (3,)), scale=8.0, bits=8)
        hidden = tc.loihi.graded(tc.loihi.dense(x, np.array([[2, -4, 6], [8, 10, -16]]), message_bits=8), shift=2)
        p = tc.loihi.fermi_dirac(tc.loihi.dense(hidden, np.array([[2, -2]]), message_bits=8), T=5000, lag=2)
        tc.output("hidden", tc.loihi.decode(hidden, scale=4.0, lag=1))
        tc.output("p", tc.loihi.decode(p, lag=2))
    return net


def started(lava: Path, folder: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [str(lava), str(folder / "run.py"), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)


def test_check_finds_no_difference_and_sees_one(lava: Path, package: Path, tmp_path: Path):
    done = started(lava, package, "--check", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": 0 of ") == 2
    with np.load(package / "golden.npz") as stored:
        arrays = dict(stored)
    arrays["out.graded"] = arrays["out.graded"] + 1
    other = tmp_path / "other"
    other.mkdir()
    for path in package.rglob("*"):
        if path.is_file():
            (other / path.relative_to(package)).parent.mkdir(parents=True, exist_ok=True)
            (other / path.relative_to(package)).write_bytes(path.read_bytes())
    np.savez(other / "golden.npz", **arrays)
    done = started(lava, other, "--check", cwd=tmp_path)
    assert done.returncode == 1 and "graded: 32 of 32 numbers differ" in done.stdout


def test_numbers_in_give_the_numbers_of_the_network(lava: Path, package: Path, tmp_path: Path):
    x = np.random.default_rng(3).normal(0, 3, (6, 2, 3))
    np.savez(tmp_path / "given.npz", x=x)
    arguments = ("--inputs", "given.npz", "--numbers", "--ticks", "6", "--seed", "4", "--outputs", "found.npz")
    done = started(lava, package, *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    expected = tc.compile(scaled(), target="lava").run({"x": x}, ticks=6, seed=4)
    with np.load(tmp_path / "found.npz") as found:
        np.testing.assert_array_equal(found["graded"], expected["hidden"])
        np.testing.assert_array_equal(found["fermi_dirac"], expected["p"])
    assert 0 < expected["p"].mean() < 1


def test_float_models_round_nothing(lava: Path, package: Path, tmp_path: Path):
    x = np.array([[[1, 2, 3]], [[3, 1, 2]], [[0, 0, 0]]])
    np.savez(tmp_path / "given.npz", encode=x)
    arguments = ("--inputs", "given.npz", "--ticks", "3", "--precision", "float", "--outputs", "found.npz")
    done = started(lava, package, *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    drive = x @ np.array([[2, -4, 6], [8, 10, -16]]).T / 4
    with np.load(tmp_path / "found.npz") as found:
        np.testing.assert_array_equal(found["graded"][1:], np.maximum(drive, 0)[:-1])


def test_the_commands_of_the_page_run(lava: Path, package: Path, tmp_path: Path):
    """Each line of the shell snippet of docs/lava.md, on inputs as it names them."""
    page = (Path(__file__).parents[2] / "docs" / "lava.md").read_text()
    commands = [shlex.split(line, comments=True) for line in page.split("```sh\n")[1].split("```")[0].splitlines()]
    x = np.random.default_rng(3).integers(-3, 4, (20, 2, 3))
    np.savez(tmp_path / "x.npz", x=x.astype(float))
    np.savez(tmp_path / "codes.npz", encode=x)
    for program, script, *arguments in commands:
        assert (program, script) == ("python", "run.py")
        done = started(lava, package, *arguments, cwd=tmp_path)
        assert (done.returncode != 0) == ("hw" in arguments), done.stderr


def test_hardware_is_refused_where_there_is_none(lava: Path, package: Path, tmp_path: Path):
    done = started(lava, package, "--backend", "hw", cwd=tmp_path)
    assert done.returncode != 0 and "no Loihi 2 can be reached" in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_manifest_says_what_is_stock_and_holds_the_hash_of_every_file(package: Path):
    manifest = json.loads((package / "manifest.json").read_text())
    assert manifest["parts"]["dense"] == "stock" and manifest["parts"]["fermi_dirac"] == "custom: fermi_dirac"
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((package / name).read_bytes()).hexdigest() == digest
    beside = {path.name for path in (package / "procs").rglob("*") if path.is_file() and path.suffix == ".py"}
    assert beside == {"process.py"}, "Lava executes every .py beside a process"


def test_the_same_network_gives_the_same_bytes(tmp_path: Path):
    exe = tc.compile(scaled(), target="lava")
    exe.save(tmp_path / "a.zip")
    tc.compile(scaled(), target="lava").save(tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert "build.py" in zipfile.ZipFile(tmp_path / "a.zip").namelist()


def test_a_folder_that_is_no_package_is_left_alone(tmp_path: Path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("keep")
    with pytest.raises(tc.ThermocError) as caught:
        tc.compile(scaled(), target="lava").save(tmp_path / "mine")
    assert caught.value.code == "T505" and (tmp_path / "mine/notes.txt").read_text() == "keep"


def test_a_host_op_among_the_units_is_refused_by_name(tmp_path: Path):
    with tc.Network("mixed") as net:
        x = tc.input("x", (3,), dtype="i32")
        y = tc.loihi.decode(tc.loihi.dense(x, np.array([[2, -4, 6], [4, 4, 4]])))
        tc.output("y", tc.loihi.decode(tc.loihi.sigma(tc.loihi.encode(tc.boltzmann(y, T=1.0)))))
    with pytest.raises(tc.ThermocError) as caught:
        tc.compile(net, target="lava").save(tmp_path / "nowhere.zip")
    assert caught.value.code == "T301" and "thermo.boltzmann is the host's" in str(caught.value)
    assert "computes core ops without a state" in str(caught.value)
