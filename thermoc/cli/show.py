"""``thermoc show``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thermoc.cli.model import ModelArgument, takes_model
from thermoc.cli.output import print_json, say
from thermoc.cli.parameters import Json, Passes
from thermoc.ir.graph import Graph
from thermoc.ir.printer import print_graph
from thermoc.passes.pipeline import run_passes
from thermoc.pipelines import pipeline_of
from thermoc.reports.picture import graph_svg
from thermoc.support.errors import error
from thermoc.support.files import write_atomic


@takes_model
def show(
    model: ModelArgument,
    svg: Annotated[Path | None, typer.Option("--svg", help="Write a picture of the graph.")] = None,
    data: Annotated[bool, typer.Option("--data", help="Print large arrays too, so that the text parses back.")] = False,
    passes: Passes = None,
    as_json: Json = False,
) -> None:
    """Print a network's graph as text, or draw it; with --passes as these leave it."""
    # Before the model is read: a network in a Python file may take long to build.
    if svg is not None and svg.suffix not in ("", ".svg"):
        hint = f"--svg {svg.with_suffix('.svg')}"
        raise error("T404", f"a picture of a graph is an .svg, not {svg.suffix}", hint=hint)
    graph = model.load().graph
    if passes is not None:
        graph = run_passes(graph, pipeline_of(passes, graph)).graph
    if svg is not None:
        write_atomic(svg, graph_svg(graph).encode())
    if as_json:
        print_json({**_summary(graph), "svg": str(svg) if svg else None})
    elif svg is not None:
        say(f"wrote {svg}")
    else:
        say(print_graph(graph, data=data), end="")


def _summary(graph: Graph) -> dict[str, object]:
    return {
        "name": graph.name,
        "hash": graph.hash,
        "dt": graph.dt,
        "ops": len(graph.ops),
        "inputs": {name: str(op.y.type) for name, op in graph.inputs.items()},
        "outputs": {name: str(op.x.type) for name, op in graph.outputs.items()},
        "states": {name: list(shape) for name, shape in graph.states.items()},
        "text": print_graph(graph, data=False),
    }
