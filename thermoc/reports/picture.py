"""A graph as an SVG picture: layers from left to right in the order of a tick, feedback through states dashed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import networkx

from thermoc.ir.dialects.core import Input, Output, Stored
from thermoc.ir.graph import Graph
from thermoc.ir.ops import STATEFUL, STOCHASTIC, Op
from thermoc.ir.values import Value

COLUMN, ROW, WIDTH, HEIGHT, MARGIN = 230, 74, 170, 50, 30
SWEEPS = 4
FILLS = {"core": "#eef2f7", "thermo": "#fdeadb", "spiking": "#e4f2e4"}
STYLE = """
text { font: 12px sans-serif; fill: #1b1f24; } .type { font-size: 10px; fill: #57606a; }
rect { stroke: #57606a; rx: 6; } .end { stroke-width: 2; } .state { stroke-dasharray: 5 3; } .noise { stroke: #b3430f; }
path { fill: none; stroke: #57606a; marker-end: url(#tip); } .feedback { stroke: #b3430f; stroke-dasharray: 5 3; }
"""


TIP = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M 0 0 L 8 4 L 0 8 z" style="fill: #57606a; stroke: none; marker-end: none"/></marker></defs>'
)


@dataclass(frozen=True, kw_only=True)
class BoxCorner:
    """Where an op stands: the corner of its box."""

    x: float
    y: float


def graph_svg(graph: Graph) -> str:
    """Return the picture of a verified graph. Constants are not drawn; a box names the op, its result and type."""
    shown = [index for index, op in enumerate(graph.ops) if not isinstance(op, Stored)]
    layers = layered(shown, graph.to_networkx(instant=True).subgraph(shown), graph.to_networkx().subgraph(shown))
    places = corners(layers)
    width, height = 2 * MARGIN + COLUMN * len(layers), 2 * MARGIN + ROW * _tallest(layers)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f"<title>{escape(graph.name)}</title><style>{STYLE}</style>",
        TIP,
        f'<rect width="{width}" height="{height}" fill="white" style="stroke: none"/>',
        *_edges(graph, places),
        *(_box(graph.ops[index], box) for index, box in places.items()),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def corners(layers: list[list[Any]]) -> dict[Any, BoxCorner]:
    """Return where each op of each column stands, columns centred on one another."""
    return {
        op: BoxCorner(x=MARGIN + COLUMN * column, y=MARGIN + ROW * (row + (_tallest(layers) - len(layer)) / 2))
        for column, layer in enumerate(layers)
        for row, op in enumerate(layer)
    }


def _tallest(layers: list[list[Any]]) -> int:
    return max((len(layer) for layer in layers), default=0)


def layered(ops: Sequence[Any], flow: networkx.DiGraph[Any], reads: networkx.DiGraph[Any]) -> list[list[Any]]:
    """Return the ops of each column, ordered so that neighbours stand near each other (barycentres).

    flow: the edges that act within a tick, which have no cycles and make the columns. reads: all edges, which pull
    boxes together. Nodes of both are ``ops``, numbers or names, whose order decides between equals.
    """
    number = {op: index for index, op in enumerate(ops)}
    layers = [sorted(layer, key=number.__getitem__) for layer in networkx.topological_generations(flow)]
    links = networkx.Graph(reads)
    rank = {op: float(row) for layer in layers for row, op in enumerate(layer)}
    # Sweeps there and back (Sugiyama 1981): the order with the fewest crossings is too costly to find.
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 == 0 else layers[::-1]:
            goal = {i: sum(rank[n] for n in links[i]) / len(links[i]) if len(links[i]) else rank[i] for i in layer}
            layer.sort(key=lambda op, goal=goal: goal[op])
            rank.update((op, float(row)) for row, op in enumerate(layer))
    return layers


def _edges(graph: Graph, places: dict[int, BoxCorner]) -> Iterator[str]:
    producers = {value.name: index for index, op in enumerate(graph.ops) for value in op.results}
    for index, box in places.items():
        instant = {value.name for value in graph.ops[index].instant_inputs}
        for value in dict.fromkeys(graph.ops[index].inputs):
            source = places.get(producers[value.name])
            if source is not None:
                yield _edge(source, box, feedback=value.name not in instant)


def _edge(source: BoxCorner, target: BoxCorner, *, feedback: bool) -> str:
    x1, y1, x2, y2 = source.x + WIDTH, source.y + HEIGHT / 2, target.x, target.y + HEIGHT / 2
    if x2 > x1:
        bend = (x2 - x1) / 2
        shape = f"M {x1} {y1} C {x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
    else:  # back to an earlier column: round below the boxes
        low = max(y1, y2) + ROW * 0.55
        shape = f"M {x1} {y1} C {x1 + 40} {low} {x1} {low} {(x1 + x2) / 2} {low} S {x2 - 40} {low} {x2} {y2}"
    return f'<path class="{"feedback" if feedback else "flow"}" d="{shape}"/>'


def _box(op: Op, place: BoxCorner) -> str:
    dialect, noun = op.opname.split(".")
    name = op.name if isinstance(op, Input | Output) else op.results[0].name
    classes = [
        *(["end"] if isinstance(op, Input | Output) else []),
        *(["state"] if STATEFUL in op.traits else []),
        *(["noise"] if STOCHASTIC in op.traits else []),
    ]
    title = noun if name == noun else f"{noun}  {name}"
    middle = place.x + WIDTH / 2
    return (
        f"<g><title>{escape(op.opname)} {escape(name)}</title>"
        f'<rect class="{" ".join(classes)}" x="{place.x}" y="{place.y}" width="{WIDTH}" height="{HEIGHT}" '
        f'fill="{FILLS.get(dialect, "white")}"/>'
        f'<text x="{middle}" y="{place.y + 21}" text-anchor="middle">{escape(_short(title))}</text>'
        f'<text class="type" x="{middle}" y="{place.y + 38}" text-anchor="middle">{escape(_type(op))}</text></g>'
    )


def _short(text: str) -> str:
    return text if len(text) <= 25 else text[:24] + "\u2026"


def _type(op: Op) -> str:
    value: Value = op.results[0] if op.results else op.inputs[0]
    return str(value.type)
