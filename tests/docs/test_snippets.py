"""Every snippet of the documentation runs or is parsed; every link leads to a file, every folder stands in the drawing."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from thermoc.support.errors import CODES

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
MADE = ("ops/", "passes/", "api.md", "benchmarks.md", "changelog.md", "contributing.md", "gallery.md", "weaknesses.md")
"""Pages that the site makes, which no checkout has: tests/docs/test_site.py follows their links."""
EXTRAS = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)


def snippets(language: str) -> list:
    return [
        pytest.param(match[2], id=f"{page.name}-{number}")
        for page in PAGES
        for number, match in enumerate(FENCE.finditer(page.read_text()))
        if match[1] == language and not (language == "python" and page.parent.name == "tutorials")
    ]


def python(*arguments: str, cwd: Path) -> None:
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("code", snippets("python"))
def test_python_snippets_run(code: str, tmp_path: Path):
    (tmp_path / "snippet.py").write_text(code)
    python("snippet.py", cwd=tmp_path)


@pytest.mark.parametrize("text", snippets("console"))
def test_console_snippets_run(text: str, tmp_path: Path):
    os.symlink(ROOT / "examples", tmp_path / "examples")
    commands = [line[2:] for line in text.splitlines() if line.startswith("$ ")]
    assert commands
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "thermoc"
        python("-m", "thermoc", *arguments, cwd=tmp_path)


@pytest.mark.parametrize("text", snippets("toml"))
def test_toml_snippets_are_toml(text: str):
    assert tomllib.loads(text)


@pytest.mark.parametrize("text", snippets("sh"))
def test_shell_snippets_run(text: str, tmp_path: Path):
    """Set-up is tried dry; tests that a page names run; scripts of a Lava package run in tests/lava."""
    for command in text.splitlines():
        program, *arguments = shlex.split(command, comments=True)
        if program == "make":
            done = subprocess.run(["make", "--dry-run", *arguments], cwd=ROOT, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
        elif program == "pip":
            assert set(re.findall(r"\w+", " ".join(arguments).partition("[")[2])) <= EXTRAS
        elif arguments[0] == "run.py":
            assert "docs/lava.md" in (ROOT / "tests" / "lava" / "test_package.py").read_text()
        elif program == "thermoc":
            assert arguments == ["demo"], (
                "tests/cli/test_demo.py runs the demo; put other commands into a console snippet"
            )
        else:
            assert program == ".venv/bin/python"
            python(*arguments, cwd=ROOT)


def test_every_language_of_a_snippet_is_known():
    """A snippet without a language is a drawing; text is what a tutorial printed (test_tutorials.py)."""
    found = {
        match[1] for page in PAGES for match in FENCE.finditer(page.read_text()) if page.parent.name != "tutorials"
    }
    assert found <= {"python", "console", "sh", "toml", ""}


def test_no_snippet_hides_in_an_indented_block():
    for page in PAGES:
        assert not re.search(r"^ +```", page.read_text(), re.M), f"{page.name}: its snippets would not be tried"


def test_every_make_target_that_a_page_names_is_there():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for page in PAGES:
        named = set(re.findall(r"`make ([a-z-]+)", page.read_text()))
        assert named <= targets, f"{page.name} names {sorted(named - targets)}"


def test_every_folder_stands_in_the_drawing():
    page = (ROOT / "docs" / "architecture.md").read_text()
    drawing = page[page.index("## Folders") :].split("```")[1]
    drawn: set[str] = set()
    parents: list[str] = []
    for indent, name in re.findall(r"^( *)(\w+)/", drawing, re.M):
        parents[len(indent) // 2 :] = [name]
        drawn.add("/".join(parents))
    folders = {
        str(path.parent.relative_to(ROOT))
        for top in ("thermoc", "ir", "backends", "simulator")
        for path in (ROOT / top).rglob("__init__.py")
    }
    assert folders <= drawn, f"docs/architecture.md does not draw {sorted(folders - drawn)}"


def test_links_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            path = os.path.normpath(page.parent / target)
            made = os.path.relpath(path, ROOT / "docs").startswith(MADE) or target.endswith(".svg")
            assert made or os.path.exists(path), f"{page.name} links to {target}"


def test_every_error_code_is_documented():
    page = (ROOT / "docs" / "errors.md").read_text()
    assert dict(re.findall(r"\| ([TW]\d+) \| (.*?) \|", page)) == CODES


def test_every_formula_that_is_cited_stands_under_its_number():
    """P1 to P49 each once; what code and pages cite is there, and what a formula names exists."""
    import thermoc as tc

    page = (ROOT / "docs" / "physics.md").read_text()
    defined = [int(number) for number in re.findall(r"^- \*\*P(\d+)\*\* \S", page, re.M)]
    assert defined == list(range(1, 50))
    folders = ("thermoc", "ir", "backends", "simulator", "examples")
    texts = [path.read_text() for folder in folders for path in (ROOT / folder).rglob("*.py")]
    texts += [path.read_text() for path in PAGES]
    cited = {int(number) for text in texts for number in re.findall(r"\bP([1-9]\d?)\b", text)}
    assert cited <= set(defined)
    for name in re.findall(r"`((?:physics|layers)\.\w+)`", page[page.index("## The formulas") :]):
        module, function = name.split(".")
        assert callable(getattr(getattr(tc, module), function)), name
    for name in re.findall(r"(?<=\s)`([a-z]\w*)`(?=[,.])", page[page.index("## The formulas") :]):
        assert callable(getattr(tc, name)), name
