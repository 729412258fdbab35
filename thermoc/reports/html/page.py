"""The page of a report: a template with styles, scripts, Plotly and the document in it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import numpy as np

from thermoc.support.extras import need

STYLES = ("page.css", "print.css")
SCRIPTS = (
    "format",
    "selection",
    "tables",
    "figures",
    "graph",
    "passes",
    "targets",
    "signals",
    "temperatures",
    "chip",
    "compare",
    "panel",
    "main",
)
USE = "HTML reports"


def page(document: Mapping[str, Any]) -> str:
    """Return the whole page. Errors: T302 where jinja2 or plotly is not installed."""
    jinja2, plotly = needed()
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(_asset("page.html.j2"))
    # Markup is what autoescape leaves alone: our own files, and JSON in which no tag can end.
    parts = {
        "style": jinja2.utils.markupsafe.Markup("\n".join(map(_asset, STYLES))),
        "script": jinja2.utils.markupsafe.Markup("\n".join(_asset(f"{name}.js") for name in SCRIPTS)),
        "plotly": jinja2.utils.markupsafe.Markup(plotly.get_plotlyjs()),
        "data": jinja2.utils.markupsafe.Markup(_json(document)),
    }
    return template.render(title=document["title"], version=document["thermoc"], **parts)


def needed() -> tuple[Any, Any]:
    """Return jinja2 and Plotly's offline module. Errors: T302 where one is not installed."""
    return need("jinja2", "report", USE), need("plotly.offline", "report", USE)


def _json(document: Mapping[str, Any]) -> str:
    """Return JSON for a script element: ``<`` written out, so that no text in it can end the element."""
    text = json.dumps(_valid(document), separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _valid(item: Any) -> Any:
    """Return an item as JSON values; a number that is not finite is null."""
    if isinstance(item, np.ndarray | np.generic):
        item = item.tolist()
    if isinstance(item, Mapping):
        return {str(name): _valid(value) for name, value in item.items()}
    if isinstance(item, list | tuple):
        return [_valid(value) for value in item]
    if isinstance(item, float) and not math.isfinite(item):
        return None
    return item if item is None or isinstance(item, str | int | float) else str(item)


def _asset(name: str) -> str:
    return files("thermoc.reports.html").joinpath("assets", name).read_text(encoding="utf-8")
