"""Graphs of a report: boxes with places, and the edges between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import networkx

from thermoc.reports.picture import HEIGHT, MARGIN, WIDTH, corners, layered

MOST_DRAWN = 400
"""A graph of more ops is a table alone: a browser would be slow with it, and nobody could follow its lines."""


def drawn(title: str, ops: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return an outline (``ir.outline``) with the place of each box; ``width`` is 0 where it is not drawn."""
    if not ops or len(ops) > MOST_DRAWN:
        return {"title": title, "nodes": list(ops), "edges": [], "width": 0, "height": 0}
    ids = [op["id"] for op in ops]
    instant = [(source, op["id"], False) for op in ops for source in op["inputs"]]
    delayed = [(source, op["id"], True) for op in ops for source in op["delayed"]]
    places = corners(layered(ids, _digraph(ids, instant), _digraph(ids, [*instant, *delayed])))
    return {
        "title": title,
        "nodes": [{**op, "x": places[op["id"]].x, "y": places[op["id"]].y} for op in ops],
        "edges": [list(edge) for edge in (*instant, *delayed)],
        "width": max(box.x for box in places.values()) + WIDTH + MARGIN,
        "height": max(box.y for box in places.values()) + HEIGHT + MARGIN,
    }


def _digraph(ids: Sequence[str], edges: Sequence[tuple[str, str, bool]]) -> networkx.DiGraph[str]:
    graph: networkx.DiGraph[str] = networkx.DiGraph()
    graph.add_nodes_from(ids)
    graph.add_edges_from((source, target) for source, target, _ in edges)
    return graph
