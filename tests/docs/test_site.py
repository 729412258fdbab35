"""The site builds without a warning, needs no network, and has a page with equation and figure for each op."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs" / "_pages"))

import op_figures  # noqa: E402
import op_pages  # noqa: E402
import pass_pages  # noqa: E402

LINKS = Path(__file__).parent / "external_links.txt"
OURS = ("https://github.com/thermoc/",)
"""Addresses of the project's own, which are files of the checkout."""


class Page(HTMLParser):
    """What a page has: its anchors, where its links lead, what it loads."""

    def __init__(self, text: str):
        super().__init__()
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.loads: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.add(given["href"])
        elif tag in ("img", "script", "iframe", "source") and "src" in given:
            self.loads.add(given["src"])
        elif tag == "link" and "href" in given and given.get("rel") != "canonical":
            self.loads.add(given["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Page]:
    """Return the pages of the site, built strictly; tutorials and examples are not run for it."""
    folder = tmp_path_factory.mktemp("site")
    env = {**os.environ, "THERMOC_DOCS_QUICK": "1", "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    return {path: Page(path.read_text()) for path in folder.rglob("*.html")}


def test_no_link_of_the_site_is_dead(site: dict[Path, Page]):
    """Those that MkDocs does not see too: of pages that are made, of docstrings, of tables of contents."""
    dead = [
        f"{path.name}: {link}"
        for path, page in site.items()
        if path.name != "404.html"
        for link in page.links | page.loads
        if not urlsplit(link).scheme and not alive(site, path, link)
    ]
    assert not dead


def alive(site: dict[Path, Page], path: Path, link: str) -> bool:
    parts = urlsplit(link)
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target /= "index.html"
    if not parts.fragment or parts.fragment.startswith("__"):
        return target.exists()
    return target in site and unquote(parts.fragment) in site[target].anchors


def test_nothing_is_loaded_from_elsewhere(site: dict[Path, Page]):
    assert not {load for page in site.values() for load in page.loads if urlsplit(load).scheme or load.startswith("//")}


def test_links_to_the_checkout_lead_to_files(site: dict[Path, Page]):
    """An address of the repository on the web names a file of this checkout."""
    named = {link for page in site.values() for link in page.links if link.startswith(op_pages.SOURCE)}
    assert named
    missing = [link for link in named if not (ROOT / urlsplit(link.removeprefix(op_pages.SOURCE)).path).exists()]
    assert not missing


def test_addresses_of_others_are_listed(site: dict[Path, Page], request: pytest.FixtureRequest):
    """They are not fetched here: whoever adds one adds it to the list, and has looked at it."""
    found = {link for page in site.values() for link in page.links if urlsplit(link).scheme in ("http", "https")}
    found = sorted(link for link in found if not link.startswith(OURS))
    if request.config.getoption("--update-golden"):
        LINKS.write_text("\n".join(found) + "\n")
    assert found == LINKS.read_text().splitlines(), "pytest --update-golden, after a look at each that is new"


def test_every_page_of_the_docs_is_in_the_navigation(site: dict[Path, Page]):
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    root = next(path.parent for path in site if path.name == "404.html")
    assert pages <= {path.relative_to(root) for path in site}


@pytest.mark.parametrize("name", op_pages.OPS)
def test_every_op_has_an_equation_a_figure_and_its_targets(name: str):
    assert name in op_pages.equations(), "docs/_pages/equations.toml"
    assert name in op_figures.FIGURES, "docs/_pages/op_figures.py"
    text = op_pages.op_page(name)
    assert "<math" in text and "\\" not in re.sub(r"<[^>]*>", "", text[: text.index("</math>")])
    assert "<svg" in text and "nan" not in text[text.index("<svg") : text.index("</svg>")].lower()
    assert op_pages.support()[name], "make support"
    assert all(f"| `{target}` | {cell} |" in text for target, cell in op_pages.support()[name].items())


def test_no_equation_or_figure_is_of_an_op_that_is_gone():
    assert op_pages.equations().keys() == set(op_pages.OPS) == op_figures.FIGURES.keys()


def test_every_pass_has_a_page():
    assert pass_pages.pass_pages().keys() == {f"passes/{name}.md" for name in pass_pages.NAMES}
