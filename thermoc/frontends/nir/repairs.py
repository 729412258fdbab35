"""Ends and names of a model: what a graph of ours needs and NIR leaves open."""

from __future__ import annotations

import dataclasses
import math
import re

import numpy as np

from thermoc.frontends.nir.nodes import MOST_ELEMENTS, WIRE, NirModel, NirNode, repair
from thermoc.ir.graph import NameSource


def named(model: NirModel) -> NirModel:
    """Give every node a name that a value may have: letters, digits, _ . - after a letter; no unit's result has it."""
    fresh = NameSource()
    # Names that are legal come first: they stay, and those that must change anyway give way.
    names = {old: _free(fresh, _legal(old)) for old in sorted(model.nodes, key=lambda old: (_legal(old) != old, old))}
    nodes = {names[old]: node for old, node in sorted(model.nodes.items(), key=lambda pair: names[pair[0]])}
    edges = tuple(sorted((names[a], names[b]) for a, b in model.edges))
    return dataclasses.replace(model, nodes=nodes, edges=edges)


def _free(fresh: NameSource, base: str) -> str:
    """Return a name that is free, with those of the results that a unit of this name has."""
    name = fresh(base)
    while not all(fresh.claim(f"{name}.{result}") for result in "svi"):
        name = fresh(base)
    return name


def _legal(name: str) -> str:
    text = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    return text if re.match(r"[A-Za-z]", text) else f"n{text}"


def direct(model: NirModel) -> NirModel:
    """Join the edges on both sides of a wire, a graph's Input or Output inside another graph, and drop it.

    It becomes a Scale by one where an edge would then stand twice (what goes through it and past it counts twice),
    where it leads to itself, or where nothing is on one side of it.
    """
    nodes, edges = dict(model.nodes), set(model.edges)
    for name, node in model.nodes.items():
        if node.kind != WIRE:
            continue
        before, after = [a for a, b in edges if b == name], [b for a, b in edges if a == name]
        joined = {(a, b) for a in before for b in after}
        if not joined or name in before or joined & edges:
            # The ones below are allocated, so a shape that the file alone states has to be within the limit.
            shape = node.whole("shape") if math.prod(node.whole("shape") or ()) <= MOST_ELEMENTS else None
            nodes[name] = NirNode(kind="Scale", fields={"scale": np.ones(shape if not before and shape else ())})
            continue
        edges = {edge for edge in edges if name not in edge} | joined
        del nodes[name]
    return dataclasses.replace(model, nodes=nodes, edges=tuple(sorted(edges)))


def ended(model: NirModel) -> NirModel:
    """Give an Input to every node that reads nothing and an Output to every node that nothing reads."""
    nodes, edges, repairs = dict(model.nodes), list(model.edges), list(model.repairs)
    fresh = NameSource(nodes)
    read, reading = {a for a, _ in edges}, {b for _, b in edges}
    for name, node in model.nodes.items():
        if name not in reading and node.kind not in ("Input", "Output"):
            source = fresh(f"input_{name}" if any(n.kind == "Input" for n in model.nodes.values()) else "input")
            nodes[source] = NirNode(kind="Input")
            edges.append((source, name))
            repairs.append(repair(f"node {name!r} reads nothing: the input {source!r} is put before it"))
        if name not in read and node.kind not in ("Input", "Output"):
            target = fresh(f"output_{name}" if any(n.kind == "Output" for n in model.nodes.values()) else "output")
            nodes[target] = NirNode(kind="Output")
            edges.append((name, target))
            repairs.append(repair(f"nothing reads node {name!r}: the output {target!r} is put behind it"))
    for name in [name for name, node in model.nodes.items() if node.kind == "Output" and name not in reading]:
        del nodes[name]
        repairs.append(repair(f"the output {name!r} reads nothing: it is left out"))
    edges = [(a, b) for a, b in edges if a in nodes and b in nodes]
    return dataclasses.replace(model, nodes=nodes, edges=tuple(sorted(edges)), repairs=tuple(repairs))
