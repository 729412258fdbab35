"""What MkDocs calls when it builds the site: pages that are made, links that lead elsewhere in a checkout.

Made pages are in no folder: ops and passes from what is registered, the gallery from the examples, and the pages that
stand at the root of the checkout.
"""

from __future__ import annotations

import re
from typing import Any

from gallery import gallery_page, pictures
from mkdocs.structure.files import File, Files
from op_pages import DIALECTS, OPS, ROOT, SOURCE, op_pages
from pass_pages import NAMES, pass_pages
from tutorial_runs import PAGES, figures

STANDING = {
    "benchmarks/RESULTS.md": "benchmarks.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "weaknesses.md",
}
"""Pages of the checkout outside docs/, and where they stand in the site."""

WIDE = ("support.md", "benchmarks.md", "program.md")
"""Pages of a table so wide that the list of headings beside it is left out."""


def on_config(config: Any) -> Any:
    """Put a page an op and a page a pass into the navigation."""
    sections = {
        "Ops": ["ops/index.md", *({dialect: _pages("ops", OPS, f"{dialect}.")} for dialect in DIALECTS)],
        "Passes": ["passes.md", *_pages("passes", NAMES)],
    }
    config.nav = _filled(config.nav, sections)
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are made, and figures."""
    pages = op_pages() | pass_pages() | {"gallery.md": gallery_page()}
    pages |= {page: _moved((ROOT / path).read_text()) for path, page in STANDING.items()}
    for path, text in pages.items():
        files.append(File.generated(config, path, content=text))
    drawn = {path: data for page in PAGES for path, data in figures(page).items()} | pictures()
    drawn["scaling.png"] = (ROOT / "benchmarks" / "scaling.png").read_bytes()
    for path, data in drawn.items():
        files.append(File.generated(config, path, content=data))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Give each formula its place, and let links out of docs/ lead to where their page stands in the site."""
    if page.file.src_uri == "physics.md":
        markdown = re.sub(r"^- \*\*P(\d+)\*\*", r'- <a id="p\1"></a>**P\1**', markdown, flags=re.M)
    if page.file.src_uri == "support.md":
        markdown = re.sub(r"^\| `(\w+\.\w+)` \|", r"| [`\1`](ops/\1.md) |", markdown, flags=re.M)
    if page.file.src_uri in WIDE:
        page.meta["hide"] = ["toc"]
    up = "../" * page.file.src_uri.count("/")
    for path, home in STANDING.items():
        markdown = markdown.replace(f"]({up}../{path}", f"]({up}{home}")
    return re.sub(rf"\]\({re.escape(up)}\.\./([\w/.-]+)", rf"]({SOURCE}\1", markdown)


def _moved(text: str) -> str:
    """Return a page of the checkout with its links as they are from docs/."""
    text = re.sub(r"\]\(docs/", "](", text)
    for path, home in STANDING.items():
        text = text.replace(f"]({path}", f"]({home}")
    return text


def _pages(folder: str, names: Any, start: str = "") -> list[dict[str, str]]:
    return [{name.removeprefix(start): f"{folder}/{name}.md"} for name in names if name.startswith(start)]


def _filled(nav: Any, sections: dict[str, list[Any]]) -> Any:
    """Return the navigation with the single page of a section replaced by all its pages."""
    if isinstance(nav, list):
        return [_filled(item, sections) for item in nav]
    if isinstance(nav, dict):
        return {title: sections.get(title) or _filled(under, sections) for title, under in nav.items()}
    return nav
