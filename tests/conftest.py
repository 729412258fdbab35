"""Shared fixtures: reference data that is not ours, golden texts, hypothesis' profile; markers by folder and target."""

from __future__ import annotations

import gc
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from thermoc.support import notices

ROOT = Path(__file__).parents[1]
if "gpu" not in sys.argv and not os.environ.get("THERMOC_GPU"):
    # one choice a process, before numba is imported: numba-cuda's simulator, unless a GPU's own tests run (-m gpu)
    os.environ.setdefault("NUMBA_ENABLE_CUDASIM", "1")
settings.register_profile("thermoc", derandomize=True, deadline=None, max_examples=60, print_blob=True)
settings.load_profile("thermoc")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write golden texts instead of comparing")


NEEDS = {"lava", "brian2", "gpu"}
"""What a folder's or a parameter's name says a test needs."""
SLOW_FOLDERS = {"cli", "conformance", "docs", "examples", "plugin", "repository"}
"""Folders whose tests start processes, or take minutes as a whole; single tests elsewhere are marked where they stand."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import the folders that ``-m "not slow and not lava"`` leaves out."""
    excluded = {marker for marker in (*NEEDS, "slow") if f"not {marker}" in config.option.markexpr}
    name = collection_path.name
    return True if name in excluded or ("slow" in excluded and name in SLOW_FOLDERS) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what needs Lava, Brian2 or a GPU, and the slow suites; several processes begin with the slow files."""
    for item in items:
        folders = set(item.path.relative_to(ROOT / "tests").parts[:-1])
        callspec = getattr(item, "callspec", None)
        parameters = {value for value in callspec.params.values() if isinstance(value, str)} if callspec else set()
        for need in NEEDS & (folders | parameters):
            item.add_marker(need)
        if folders & SLOW_FOLDERS or "exporters" in getattr(item, "fixturenames", ()):
            item.add_marker("slow")
    if hasattr(config, "workerinput"):
        # a file is one process's: a long one that begins last would be waited for by all
        slow = {item.path for item in items if any(map(item.get_closest_marker, ("slow", *NEEDS)))}
        tests = Counter(item.path for item in items)
        items.sort(key=lambda item: (item.path not in slow, -tests[item.path]))


@pytest.fixture(autouse=True, scope="session")
def notices_are_shown(request: pytest.FixtureRequest) -> Iterator[None]:
    """Show on the terminal, and in the output that pytest captures, what is compiled: a first test may take a minute.

    With capture suspended stderr is the terminal's, in a worker of pytest-xdist too.
    """
    capture = request.config.pluginmanager.getplugin("capturemanager")
    notify = notices.notify

    def shown(text: str) -> None:
        notify(text)
        if capture is not None and capture.is_capturing():
            with capture.global_and_fixture_disabled():
                notify(f"\n{text}")

    notices.notify = shown
    yield
    notices.notify = notify


@pytest.fixture(autouse=True, scope="module")
def garbage_is_looked_for_in_one_file() -> None:
    """Let Python's search for garbage leave out what is older than a file's tests: tests and modules, a million objects.

    Brian2 searches before each run, which took half a second.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data; where it is absent the test is skipped, except in CI, where it must be there."""
    folder = Path(os.environ.get("THERMOC_SHARED", ROOT.parent / "shared")) / "data"
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"no reference data in {folder}; set THERMOC_SHARED")
        pytest.skip(f"no reference data in {folder}")
    return folder


@pytest.fixture(scope="session")
def exporters() -> Path:
    """The Python that has other frameworks (tests/exporters/requirements.txt, by ``make test``).

    THERMOC_EXPORTERS names another. Where there is none the test is skipped, except in CI, where it must be there.
    """
    environment = ROOT / ".venv-exporters"
    python = Path(os.environ.get("THERMOC_EXPORTERS", environment / "bin" / "python"))
    if not python.is_file() or (python.is_relative_to(environment) and not (environment / ".done").is_file()):
        reason = f"no frameworks in {python}: make .venv-exporters/.done"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return python


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the golden file of this name beside the test; --update-golden writes it."""

    def compare(name: str, text: str) -> None:
        path = request.path.parent / "golden" / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        assert path.exists(), f"{path} is missing: run pytest --update-golden and read what it wrote"
        assert text == path.read_text()

    return compare
