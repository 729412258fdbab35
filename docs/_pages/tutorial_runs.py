"""Tutorials are run: each snippet of a page in order, in one name space, beside what the page says that it printed.

``run`` is what the tests call. The site shows the figures that a page's snippets write; they are kept under
out/tutorials by what the page says, so that a page runs once.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import tempfile
from pathlib import Path

DOCS = Path(__file__).parents[1]
KEPT = DOCS.parent / "out" / "tutorials"
PAGES = sorted(path.stem for path in (DOCS / "tutorials").glob("*.md") if path.stem != "index")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```\n", re.M | re.S)
FIGURE = re.compile(r"!\[[^\]]*\]\(([\w-]+\.svg)\)")
QUICK = "THERMOC_DOCS_QUICK"
"""Set: figures of tutorials and examples are left blank where none is kept, and nothing is run."""
BLANK = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 60"><text x="8" y="34">no figure yet</text></svg>'


def snippets(page: str) -> list[tuple[str, str]]:
    """Return (code, what the page says it prints) of a tutorial, in order."""
    found: list[tuple[str, str]] = []
    for match in FENCE.finditer((DOCS / "tutorials" / f"{page}.md").read_text()):
        if match[1] == "python":
            found.append((match[2], ""))
        elif match[1] == "text" and found:
            found[-1] = (found[-1][0], found[-1][1] + match[2])
    return found


def run(page: str, folder: Path) -> list[str]:
    """Run a tutorial's snippets in a folder, in which it writes its figures; return what each printed."""
    space: dict[str, object] = {"__name__": page}
    printed: list[str] = []
    with contextlib.chdir(folder):
        for number, (code, _) in enumerate(snippets(page), 1):
            with contextlib.redirect_stdout(io.StringIO()) as said:
                exec(compile(code, f"{page}.md, snippet {number}", "exec"), space)
            printed.append("\n".join(line.rstrip() for line in said.getvalue().splitlines()))
    return printed


def figures(page: str) -> dict[str, bytes]:
    """Return the figures of a tutorial by their paths in the site."""
    text = (DOCS / "tutorials" / f"{page}.md").read_text()
    names = FIGURE.findall(text)
    kept = KEPT / f"{page}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    if names and not kept.is_dir() and not os.environ.get(QUICK):
        KEPT.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=KEPT) as made:
            run(page, Path(made))
            os.rename(made, kept)
            os.mkdir(made)
    return {f"tutorials/{name}": (kept / name).read_bytes() if kept.is_dir() else BLANK for name in names}
