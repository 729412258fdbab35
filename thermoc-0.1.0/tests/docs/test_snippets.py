"""Every Python and console snippet of the documentation runs; every link leads to a file."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from thermoc.support.errors import CODES

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)


def snippets(language: str) -> list:
    return [
        pytest.param(match[2], id=f"{page.name}-{number}")
        for page in PAGES
        for number, match in enumerate(FENCE.finditer(page.read_text()))
        if match[1] == language
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


def test_every_language_of_a_snippet_is_known():
    """sh is the set-up itself, toml a fragment of somebody else's project: neither can run here."""
    found = {match[1] for page in PAGES for match in FENCE.finditer(page.read_text())}
    assert found <= {"python", "console", "sh", "toml", ""}


def test_links_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


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
