"""Shared fixtures: reference data that is not ours, golden texts, hypothesis' profile."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]
settings.register_profile("thermoc", derandomize=True, deadline=None, max_examples=60, print_blob=True)
settings.load_profile("thermoc")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write golden texts instead of comparing")


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
