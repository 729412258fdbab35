"""A page for each pass: what it does, its options, and a small network before and after it."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from typing import Any

from op_pages import ROOT, link, plain

from thermoc.ir.printer import print_graph
from thermoc.passes.registry import names, pass_class
from thermoc.reports.pass_table import pass_rows

NAMES = names()


def pass_pages() -> dict[str, str]:
    """Return the Markdown of each page by its path."""
    samples = _samples()
    return {f"passes/{row['pass']}.md": "\n".join(_page(row, samples)) for row in pass_rows()}


def _page(row: dict[str, Any], samples: Any) -> Iterator[str]:
    name, cls = row["pass"], pass_class(row["pass"])
    yield f"# {name}\n"
    yield "\n\n".join(plain(" ".join(text.split())) for text in (inspect.getdoc(cls) or "").split("\n\n"))
    yield f"\nWritten in {link(cls)}; how passes are put together is said in [Passes by name](../passes.md).\n"
    if row["options"]:
        yield "## Options\n\n| option | takes | default |\n|---|---|---|"
        for option in row["options"]:
            default = f"`{option['default']}`" if option["default"] is not None else ""
            yield f"| `{option['name']}` | {option['takes'] or 'in Python alone'} | {default} |"
        yield ""
    sample = samples.SAMPLES[name]
    yield f"## On a small network\n\nBefore `{sample.pipeline}`:\n"
    yield f"```text\n{print_graph(samples.graph_of(sample)).rstrip()}\n```\n"
    golden = ROOT / "tests" / "passes" / "golden" / f"{name}.txt"
    yield f"After, with each number that it changed in front:\n\n```text\n{golden.read_text().rstrip()}\n```"


def _samples() -> Any:
    """Return the networks on which the tests try each pass."""
    sys.path.insert(0, str(ROOT / "tests"))
    try:
        return importlib.import_module("passes.samples")
    finally:
        sys.path.pop(0)
