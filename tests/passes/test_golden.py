"""Every registered pass: a golden text of what it does to a small network, and a line in docs/passes.md."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from passes.samples import SAMPLES, Sample, description, graph_of

from thermoc.ir.text import print_graph
from thermoc.passes.pipeline import run_passes
from thermoc.passes.pipeline_text import parse_pipeline
from thermoc.passes.registry import names
from thermoc.reports.pass_table import pass_markdown

PAGE = Path(__file__).parents[2] / "docs" / "passes.md"
BEGIN, END = "<!-- the table: pytest tests/passes --update-golden -->\n", "<!-- end of the table -->"


def did(sample: Sample) -> str:
    """Return the last pass, what it says it changed, and the graph it left."""
    graph = graph_of(sample)
    passes = parse_pipeline(sample.pipeline, targets=description, defaults={"dt": graph.dt})
    lowered = run_passes(graph, passes)
    record = lowered.records[-1]
    changes = [f"# {change.what}: {change.old} -> {change.new} ({change.bound})" for change in record.changes]
    return "\n".join([f"# {record.text}", *changes, print_graph(lowered.graph)])


def test_every_pass_has_a_sample():
    missing = sorted(set(names()) - SAMPLES.keys())
    assert not missing, f"passes without a sample: {missing}; add them to SAMPLES in tests/passes/samples.py"
    gone = sorted(SAMPLES.keys() - set(names()))
    assert not gone, f"samples of passes that thermoc/passes does not have: {gone}"


@pytest.mark.parametrize("name", SAMPLES)
def test_golden_text(name: str, golden: Callable[[str, str], None]):
    golden(f"{name}.txt", did(SAMPLES[name]))


@pytest.mark.parametrize("name", SAMPLES)
def test_the_sample_gives_the_pass_something_to_do(name: str):
    graph = graph_of(SAMPLES[name])
    passes = parse_pipeline(SAMPLES[name].pipeline, targets=description, defaults={"dt": graph.dt})
    record = run_passes(graph, passes).records[-1]
    assert passes[-1].name == name
    assert record.changed or record.changes


def test_the_page_lists_every_pass(request: pytest.FixtureRequest):
    text = PAGE.read_text()
    head, rest = text.split(BEGIN)
    page = f"{head}{BEGIN}{pass_markdown()}{END}{rest.split(END)[1]}"
    if request.config.getoption("--update-golden"):
        PAGE.write_text(page)
    assert PAGE.read_text() == page, "run pytest tests/passes --update-golden, and read what it wrote"
