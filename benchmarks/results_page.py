"""RESULTS.md: what the benchmarks gave beside their goals, on which machine, with which versions, and notes on it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from timing import beside_goal, verdict

FOLDER = Path(__file__).parent
CPU, GPU, NOTES = FOLDER / "cpu.json", FOLDER / "gpu.json", FOLDER / "notes.md"
OURS = ("thermoc", "numpy", "scipy", "numba", "onnxruntime", "brian2")

HEAD = """# What the benchmarks gave

Written by `make bench`; the text from "Notes" on is `notes.md`. A ratio is of two times or speeds of one run on one
machine: ours and the anchor's. It is above or below its goal as the column says.
"""


def page() -> str:
    """Return the page of the rows in ``cpu.json`` and ``gpu.json`` and of the notes."""
    cpu = json.loads(CPU.read_text())
    noted = {line.lstrip("# ") for line in NOTES.read_text().splitlines() if line.startswith("#")}
    parts = [HEAD, f"- Machine: {cpu['machine']}", f"- Versions: {cpu['versions']}", "", "## CPU", ""]
    parts.append("| benchmark | work | anchor | ratio | goal | | note |\n|---|---|---|---|---|---|---|")
    for name, result in cpu["results"].items():
        parts += [line(name, row, unexplained=name not in noted) for row in named(result["rows"])]
    dates = sorted({result["date"] for result in cpu["results"].values()})
    seconds = sum(result["seconds"] for result in cpu["results"].values())
    parts += ["", f"Run on {' and '.join(dates)}, in {seconds / 60:.0f} minutes.", "", "## GPU", "", *gpu(), ""]
    return "\n".join([*parts, NOTES.read_text()])


def gpu() -> list[str]:
    """Return the lines of what ``make bench-gpu`` gave: ``rows`` as of ``timing.report``, and facts by their names."""
    if not GPU.exists():
        return ["Not run on a GPU: `make bench-gpu` writes `gpu.json`, which this page then shows."]
    stored = json.loads(GPU.read_text())
    facts = [f"- {name}: {fact}" for name, fact in stored.items() if name != "rows" and isinstance(fact, str | float)]
    head = "| work | anchor | ratio | goal | | note |\n|---|---|---|---|---|---|"
    return [*facts, "", head, *(line(None, row) for row in named(stored["rows"]))]


def line(name: str | None, row: Mapping[str, Any], *, unexplained: bool = False) -> str:
    """Return a row of the page; unexplained: notes say nothing of its benchmark."""
    cells = beside_goal(row)
    if unexplained and "missed" in verdict(row):
        cells["verdict"] = f"{cells['verdict']}; no note says why"
    return (
        "| "
        + " | ".join([*([name] if name else []), *(str(cell).replace("|", "\\|") for cell in cells.values())])
        + " |"
    )


def rows_of(results: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of several scripts."""
    return [row for result in results.values() for row in named(result["rows"])]


def named(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows with NaN where the file has null."""
    return [
        {**row, **{key: float("nan") if row[key] is None else row[key] for key in ("ratio", "goal")}} for row in rows
    ]


def machine() -> str:
    """Return processor, memory and system in words."""
    model, memory = platform.processor() or platform.machine(), ""
    if (info := Path("/proc/cpuinfo")).exists():
        found = [
            text.partition(":")[2].strip() for text in info.read_text().splitlines() if text.startswith("model name")
        ]
        model = found[0] if found else model
        memory = f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
    return f"{model}, {os.cpu_count()} threads{memory}, {platform.system()}, Python {platform.python_version()}"


def versions() -> str:
    """Return the versions of what was measured: ours, and the peers, which stand first in ``requirements.txt``."""
    peers = (FOLDER / "requirements.txt").read_text().split("\n\n")[0].splitlines()
    names = [*OURS, *(peer.partition("==")[0] for peer in peers if "==" in peer)]
    return ", ".join(f"{name} {version(name)}" for name in names)


def version(package: str) -> str:
    """Return the version of a package in words."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "(not installed)"
