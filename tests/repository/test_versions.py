"""What states a version states the same one: the package, its citation, its changelog, the linters."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import thermoc

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_citation_and_changelog_are_of_this_version():
    assert f"\nversion: {thermoc.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert headings[:2] == ["Unreleased", thermoc.__version__]


def test_hooks_run_the_ruff_of_the_project():
    (required,) = [name for name in PROJECT["project"]["optional-dependencies"]["dev"] if name.startswith("ruff")]
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    revision = re.search(r"ruff-pre-commit\n +rev: v(\d+\.\d+)\.", hooks)
    assert revision is not None and required.startswith(f"ruff>={revision[1]},<")


def test_workflows_test_every_python_that_the_project_supports():
    supported = {text.rpartition(" ")[2] for text in PROJECT["project"]["classifiers"] if "Python :: 3." in text}
    matrices = re.findall(r"python: \[(.+)\]", (ROOT / ".github" / "workflows" / "tests.yml").read_text())
    assert len(matrices) == 2  # a checkout, and what is installed
    assert all(set(re.findall(r"[\d.]+", matrix)) == supported for matrix in matrices)


def test_the_container_has_a_python_that_is_supported_and_all_that_it_copies_from():
    """It cannot be built where tests run; CI builds and runs it."""
    text = (ROOT / "Containerfile").read_text()
    pythons = re.findall(r"^FROM \S+python:([\d.]+)-slim", text, re.M)
    classifiers = PROJECT["project"]["classifiers"]
    assert len(pythons) == 2 and all(f"Programming Language :: Python :: {one}" in classifiers for one in pythons)
    (extra,) = re.findall(r"\.whl\)\[(\w+)\]", text)
    assert extra in PROJECT["project"]["optional-dependencies"]
    stages = set(re.findall(r" AS (\w+)$", text, re.M))
    assert stages == set(re.findall(r"--from=(\w+)", text))
    assert 'ENTRYPOINT ["thermoc"]' in text and "\nUSER thermoc\n" in text
    assert "thermoc" in PROJECT["project"]["scripts"]


def test_every_target_of_make_has_a_line_in_its_help():
    text = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", text, re.M)
    assert phony is not None
    assert set(phony[1].split()) == set(re.findall(r"^([a-z-]+):.* ## \S", text, re.M))
