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
    matrix = re.search(r"python: \[(.+)\]", (ROOT / ".github" / "workflows" / "tests.yml").read_text())
    assert matrix is not None and set(re.findall(r"[\d.]+", matrix[1])) == supported


def test_every_target_of_make_has_a_line_in_its_help():
    text = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", text, re.M)
    assert phony is not None
    assert set(phony[1].split()) == set(re.findall(r"^([a-z-]+):.* ## \S", text, re.M))
