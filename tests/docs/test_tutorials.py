"""Every tutorial runs from top to bottom, prints what its page says, and writes the figures that its page shows.

``--update-golden`` writes what was printed into the pages.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs" / "_pages"))

import tutorial_runs  # noqa: E402

WANTED = {"sim", "onnx", "brian2", "lava", "chip"} | {
    "optimisation",
    "memory",
    "generation",
    "learning",
    "policies",
    "nonequilibrium",
}


def test_each_target_and_each_application_has_one():
    assert set(tutorial_runs.PAGES) == WANTED


@pytest.mark.parametrize("page", tutorial_runs.PAGES, ids=lambda page: f"{page}.md")
def test_it_prints_what_it_says(page: str, tmp_path: Path, request: pytest.FixtureRequest):
    printed = tutorial_runs.run(page, tmp_path)
    if request.config.getoption("--update-golden"):
        write(page, printed)
    for number, ((_, said), found) in enumerate(zip(tutorial_runs.snippets(page), printed), 1):
        assert found == said.rstrip("\n"), (
            f"{page}.md, snippet {number}: pytest --update-golden, and read what it wrote"
        )
    text = (ROOT / "docs" / "tutorials" / f"{page}.md").read_text()
    assert all((tmp_path / name).is_file() for name in tutorial_runs.FIGURE.findall(text))


def write(page: str, printed: list[str]) -> None:
    """Put what each snippet printed into the block of text behind it."""
    path = ROOT / "docs" / "tutorials" / f"{page}.md"
    pieces = re.split(r"(^```python\n.*?^```\n)", path.read_text(), flags=re.M | re.S)
    for number, found in enumerate(printed):
        after = 2 * number + 2
        pieces[after] = re.sub(
            r"(?<=^```text\n)(.*?)(?=^```\n)",
            lambda _, new=found: f"{new}\n",
            pieces[after],
            count=1,
            flags=re.M | re.S,
        )
    path.write_text("".join(pieces))
