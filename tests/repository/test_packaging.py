"""The package list and the disk agree; a wheel, plain and editable installs, and running from a checkout all work."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOMES = {"thermoc": "thermoc", "ir": "thermoc.ir", "backends": "thermoc.backends", "simulator": "thermoc.simulator"}
USE = """
import multiprocessing, sys
import thermoc as tc

def child(queue):
    queue.put(tc.ir.__name__)

if __name__ == "__main__":
    with tc.Network("n") as net:
        tc.output("y", tc.fermi_dirac(tc.input("x", (2,)), T=1.0))
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=child, args=(queue,))
    process.start()
    print(queue.get(timeout=60), tc.compile(net, "onnx").graph.name, tc.physics.boltzmann([0.0, 0.0], 1.0))
    process.join()
"""


def on_disk() -> set[str]:
    found = set()
    for folder, package in HOMES.items():
        for path in (ROOT / folder).rglob("__init__.py"):
            parts = path.parent.relative_to(ROOT / folder).parts
            if not (folder == "thermoc" and parts and parts[0] in HOMES):
                found.add(".".join((package, *parts)))
    return found


def test_the_package_list_is_what_is_on_disk():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    assert set(listed) == on_disk()
    assert len(listed) == len(set(listed))


def run(*command: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | env
    return subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source distribution, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("distributions")
    done = run(sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT), cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(distributions: Path) -> Path:
    return next(distributions.glob("*.whl"))


def test_the_source_distribution_runs_its_tests(distributions: Path, tmp_path: Path):
    with tarfile.open(next(distributions.glob("*.tar.gz"))) as archive:
        archive.extractall(tmp_path, filter="data")
    folder = next(tmp_path.iterdir())
    for name in ("docs/physics.md", "examples/cuba.py", "benchmarks/cuba.py", "tests/passes/golden", "CONTRIBUTING.md"):
        assert (folder / name).exists(), name
    links = [f"thermoc/{name}" for name in ("ir", "backends", "simulator")]
    done = run("make", "--silent", *links, cwd=folder)
    assert done.returncode == 0, done.stderr
    done = run(sys.executable, "-m", "pytest", "tests/support/test_tables.py", "tests/ir/test_graph.py", cwd=folder)
    assert done.returncode == 0 and " passed" in done.stdout, done.stdout + done.stderr


def test_the_wheel_says_where_the_project_is_and_who_wrote_it(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(next(name for name in archive.namelist() if name.endswith("/METADATA"))).decode()
    assert "Author: The thermoc authors" in metadata
    urls = dict(re.findall(r"^Project-URL: (\w+), (\S+)$", metadata, re.M))
    assert {"Homepage", "Documentation", "Issues", "Source"} <= urls.keys()
    page = metadata[metadata.index("# thermoc") :]
    targets = re.findall(r"\]\(([^)#]+)\)", page)
    pages = [target.removeprefix(f"{urls['Source']}/blob/main/") for target in targets if urls["Source"] in target]
    assert len(pages) > 10 and all((ROOT / path).is_file() for path in pages)
    assert all(target.startswith("https://") for target in targets)


def test_the_wheel_holds_every_package_and_the_data(wheel: Path):
    names = set(zipfile.ZipFile(wheel).namelist())
    for package in on_disk():
        assert f"{package.replace('.', '/')}/__init__.py" in names
    assert {"thermoc/demo.thermo", "thermoc/demo_digits.npz", "thermoc/py.typed"} <= names
    assert {"thermoc/schemas/run.json", "thermoc/cli/project/network.py.txt"} <= names
    assert not [name for name in names if name.startswith(("ir/", "backends/", "simulator/"))]


def test_a_wheel_installed_elsewhere_works_in_a_spawned_process(wheel: Path, tmp_path: Path):
    site = tmp_path / "site"
    done = run(
        sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(site), str(wheel), cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    script = tmp_path / "use.py"
    script.write_text(USE)
    done = run(sys.executable, str(script), cwd=tmp_path, PYTHONPATH=str(site))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["thermoc.ir", "n", "[0.5", "0.5]"]
    where = run(sys.executable, "-c", "import thermoc; print(thermoc.__file__)", cwd=tmp_path, PYTHONPATH=str(site))
    assert where.stdout.strip().startswith(str(site))


def test_a_checkout_runs_from_its_root_and_from_another_folder(tmp_path: Path):
    from_root = run(sys.executable, "-m", "thermoc", "--version", cwd=ROOT)
    elsewhere = run(sys.executable, "-m", "thermoc", "--version", cwd=tmp_path)
    assert from_root.stdout == elsewhere.stdout
    assert from_root.stdout.startswith("thermoc "), from_root.stderr


def test_importing_thermoc_loads_none_of_the_heavy_packages():
    code = "import sys, thermoc; print([m for m in ('numba','onnx','onnxruntime','torch','h5py','matplotlib','networkx','xarray','rich') if m in sys.modules])"
    assert run(sys.executable, "-c", code, cwd=ROOT).stdout.strip() == "[]"


def test_compiling_for_the_simulator_loads_neither_numba_nor_scipy():
    """A program is rows of numbers: what compiles kernels is loaded where it runs, and takes longer than all else."""
    code = (
        "import sys, thermoc as tc; from thermoc import demo; tc.compile(demo.network()).artefact; "
        "print([m for m in ('numba', 'llvmlite', 'scipy', 'networkx') if m in sys.modules])"
    )
    assert run(sys.executable, "-c", code, cwd=ROOT).stdout.strip() == "[]"


@pytest.mark.parametrize("command", [["ruff", "check", "."], ["ruff", "format", "--check", "."]], ids=" ".join)
def test_the_code_is_in_style(command: list[str]):
    done = run(sys.executable, "-m", *command, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_imports_point_downwards():
    done = run(str(Path(sys.executable).with_name("lint-imports")), cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
