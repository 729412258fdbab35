"""How tests are laid out: none imports another, and what a folder shares stands in one file, named for what it holds."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
ROOT_FILES = {
    "cases": "every op in small networks",
    "conftest": "fixtures and markers",
    "fuzz": "random networks for as long as told",
    "heat_networks": "thermal networks on Loihi, for its passes and for Lava",
    "instruction_samples": "a program for each instruction, and what of its row must be refused",
    "kills": "runs that are killed and resumed",
    "loihi_networks": "random networks of the loihi dialect",
    "sweep_kills": "sweeps whose workers are killed",
    "strategies": "random networks over every op, for hypothesis",
}
"""Files that tests of several folders share."""


def imported(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, wherever the import stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_no_test_imports_another():
    tests = {path.stem for path in TESTS.rglob("test_*.py")}
    found = [
        f"{path.relative_to(TESTS)} imports {module}"
        for path in TESTS.rglob("*.py")
        for module in imported(path)
        if tests & set(module.split("."))
    ]
    assert not found, "what two tests need stands in the one file that their folder shares: " + "; ".join(found)


def test_helpers_are_imported_from_the_folder_of_tests():
    """``from machine.chips_by_hand import``, not ``from tests.machine...``: imported twice, a module is two modules."""
    found = [path.name for path in TESTS.rglob("*.py") for module in imported(path) if module.startswith("tests.")]
    assert not found


def test_a_folder_of_tests_has_at_most_one_file_to_share():
    for folder in {path.parent for path in TESTS.rglob("test_*.py")}:
        shared = [path.name for path in folder.glob("*.py") if not path.name.startswith(("test_", "conftest"))]
        assert len(shared) <= 1, f"tests/{folder.name} has {', '.join(sorted(shared))}: one file is enough"
    assert {path.stem for path in TESTS.glob("*.py")} == set(ROOT_FILES)


def test_nothing_on_the_path_hides_a_folder_of_tests():
    """A module of another folder on ``sys.path`` is imported in place of a folder of tests that has its name."""
    shared = {
        f"{path.parent.name}.{path.stem}": path
        for folder in {path.parent for path in TESTS.rglob("test_*.py")} - {TESTS}
        for path in folder.glob("*.py")
        if not path.name.startswith(("test_", "conftest"))
    }
    used = {module for path in TESTS.rglob("*.py") for module in imported(path)}
    for name in {name for name in shared if any(module.startswith(f"{name}.") for module in used)}:
        folder = importlib.util.find_spec(name.split(".")[0])
        places = list((folder and folder.submodule_search_locations) or [])
        assert str(shared[name].parent) in places, f"{name} is hidden by {folder}"
