"""From the tree of a file to nodes and edges; what the official reader would refuse is repaired and reported."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from thermoc.frontends.hdf5.file import Tree, one_text
from thermoc.frontends.nir.nodes import KINDS, NOTED, OURS, WIRE, NirModel, NirNode, checked, repair, unreadable
from thermoc.support.errors import Finding, error

MOST_NODES, MOST_EDGES = 10_000, 30_000
GRAPH_FIELDS = frozenset({"nodes", "edges", "type", "metadata", "version"})
WHOLE = frozenset(
    {"shape", "input_shape", "input_type", "stride", "padding", "dilation", "groups", "kernel_size", "start_dim"}
    | {"end_dim"}
)


@dataclass(kw_only=True)
class _Parsing:
    source: str
    nodes: dict[str, NirNode] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    repairs: list[Finding] = field(default_factory=list)
    older: list[str] = field(default_factory=list)
    graphs: dict[str, tuple[list[str], list[str]]] = field(default_factory=dict)  # inputs, outputs


def parse(tree: Tree, source: str) -> NirModel:
    """Return the model in a file's tree. Errors: T506 (no NIR file), T508 (a node that cannot be read)."""
    root = tree.get("node", tree)
    if not isinstance(root, dict) or not isinstance(root.get("nodes"), dict):
        hint = "save it with nir.write, or with net.save"
        raise error("T506", f"{source} holds no NIR graph", notes=["there is no group node/nodes"], hint=hint)
    parsing = _Parsing(source=source)
    if root is tree:
        parsing.repairs.append(repair("the graph lies at the root of the file, not under 'node'"))
    version = tree.get("version")
    if not isinstance(version, str):
        parsing.repairs.append(repair("the file states no version of NIR"))
    elif version.split(".")[0] not in ("0", "1"):
        parsing.repairs.append(repair(f"the file is of NIR {version[:20]}: it is read as NIR 1"))
    if root is not tree:
        _left_out(parsing, "the file", tree.keys() - {"node", "version"})
    _graph(parsing, root, "")
    if parsing.older:
        parsing.repairs.append(
            repair("fields that older versions of NIR do not have: v_reset is 0, w_in is 1", _listed(parsing.older))
        )
    for what, count, limit in (("nodes", len(parsing.nodes), MOST_NODES), ("edges", len(parsing.edges), MOST_EDGES)):
        if count > limit:
            raise error("T504", f"{source} holds {count} {what}", notes=[f"the limit is {limit}"])
    return NirModel(
        source=source,
        nodes=parsing.nodes,
        edges=tuple(dict.fromkeys(parsing.edges)),
        metadata=_metadata(root),
        repairs=tuple(parsing.repairs),
    )


def _graph(parsing: _Parsing, tree: dict[str, Any], prefix: str) -> None:
    nodes = tree["nodes"]
    inputs, outputs = [], []
    _left_out(parsing, f"graph {prefix[:-1] or '(the whole)'!r}", tree.keys() - GRAPH_FIELDS)
    for name, entry in nodes.items():
        full = prefix + name
        if not isinstance(entry, dict):
            raise unreadable(parsing.source, full, "it is no group")
        kind = _kind(parsing, full, entry)
        if kind == "NIRGraph":
            if not isinstance(entry.get("nodes"), dict):
                raise unreadable(parsing.source, full, "a NIRGraph needs the group 'nodes'")
            _graph(parsing, entry, full + ".")
            continue
        (inputs if kind == "Input" else outputs if kind == "Output" else []).append(full)
        # 'a.b' can be a node's own name and node b of graph a: an edge could mean either.
        if full in parsing.nodes:
            raise unreadable(parsing.source, full, "another node has this name")
        # Input and Output of an inner graph are no ends of the network, only places that edges pass.
        parsing.nodes[full] = _node(parsing, full, WIRE if prefix and kind in ("Input", "Output") else kind, entry)
    parsing.graphs[prefix[:-1]] = (inputs, outputs)
    parsing.edges += _edges(parsing, tree, prefix, set(nodes))


def _kind(parsing: _Parsing, name: str, entry: dict[str, Any]) -> str:
    kind = one_text(entry.get("type"))
    if "type" not in entry and "nodes" in entry:
        parsing.repairs.append(repair(f"node {name!r} states no type: it holds nodes, so it is a graph"))
        return "NIRGraph"
    if kind != "NIRGraph" and (kind not in KINDS or kind in OURS):
        hint = "NIR 1.0 has " + ", ".join(sorted(KINDS.keys() - OURS | {"NIRGraph"}))
        raise unreadable(parsing.source, name, f"its type is {str(kind)[:60]!r}", hint)
    return str(kind)


def _node(parsing: _Parsing, name: str, kind: str, entry: dict[str, Any]) -> NirNode:
    allowed = {*KINDS[kind].needs, *KINDS[kind].may}
    _left_out(parsing, f"node {name!r}", entry.keys() - allowed - {"type", "metadata"}, kind)
    texts = {key: value for key, value in entry.items() if key in allowed and isinstance(value, str)}
    fields = {key: _numbers(parsing, name, key, value) for key, value in entry.items() if key in allowed - texts.keys()}
    if "padding" not in allowed or texts.keys() - {"padding"} or texts.get("padding", "same") not in ("same", "valid"):
        for key in texts:
            raise unreadable(parsing.source, name, f"{key} is the text {texts[key][:40]!r}")
    metadata = {k: str(v) for k, v in _metadata(entry).items() if k not in NOTED}
    node = NirNode(kind=kind, fields=fields, texts=texts, metadata=metadata, noted=_noted(parsing, name, entry))
    parsing.older += [f"{name}.{key}" for key in checked(parsing.source, name, node)]
    return node


def _numbers(parsing: _Parsing, name: str, key: str, value: Any) -> np.ndarray:
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iufb":
        raise unreadable(parsing.source, name, f"{key} is no array of numbers")
    with np.errstate(invalid="ignore"):  # NaN is found below
        numbers = value.astype(np.float64)
    if key not in WHOLE:
        return numbers
    # Beyond 2^53 a float64 no longer tells neighbouring integers apart.
    if not (np.isfinite(numbers).all() and (np.abs(numbers) < 2**53).all() and (numbers == np.floor(numbers)).all()):
        raise unreadable(parsing.source, name, f"{key} must hold integers")
    return value.astype(np.int64)


def _metadata(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the texts and single numbers of a node's metadata."""
    metadata = entry.get("metadata")
    texts: dict[str, Any] = {}
    for key, value in metadata.items() if isinstance(metadata, dict) else ():
        if isinstance(value, str):
            texts[key] = value
        elif isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iuf":
            texts[key] = float(value)
    return texts


def _noted(parsing: _Parsing, name: str, entry: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return the arrays of a node's metadata that are read: states at the start."""
    metadata = entry.get("metadata")
    entries = metadata.items() if isinstance(metadata, dict) else ()
    noted = {key: _numbers(parsing, name, key, value) for key, value in entries if key in NOTED}
    for key, array in noted.items():
        if not np.isfinite(array).all():
            raise unreadable(parsing.source, name, f"{key} holds a number that is not finite")
    return noted


def _edges(parsing: _Parsing, tree: dict[str, Any], prefix: str, names: set[str]) -> Iterator[tuple[str, str]]:
    """Yield the edges of one graph between nodes of the whole. Repairs: doubles, and ends that are not there."""
    listed = _listed_edges(parsing, tree, prefix)
    renamed = _misnamed(parsing, prefix, {name for edge in listed for name in edge}, names)
    yielded: set[tuple[str, str]] = set()
    for edge in listed:
        source, target = (renamed.get(name, name) for name in edge)
        first, last = _end(parsing, prefix, source, names, 1), _end(parsing, prefix, target, names, 0)
        if first is None or last is None:
            lost = source if first is None else target
            parsing.repairs.append(repair(f"the edge {source!r} -> {target!r} is left out: no node {lost!r}"))
        elif (source, target) in yielded:
            parsing.repairs.append(repair(f"the edge {source!r} -> {target!r} stands twice; it counts once"))
        else:
            yielded.add((source, target))
            yield first, last


def _listed_edges(parsing: _Parsing, tree: dict[str, Any], prefix: str) -> list[list[str]]:
    edges, where = tree.get("edges"), prefix[:-1] or "(the whole)"
    if edges is None:
        parsing.repairs.append(repair(f"graph {where!r} has no list of edges"))
        return []
    if not isinstance(edges, np.ndarray) or (edges.size and (edges.ndim != 2 or edges.shape[1] != 2)):
        raise unreadable(parsing.source, where, "its edges are not an array of pairs of names")
    # An empty list has no texts: h5py stores it as numbers, of shape (0,).
    listed = edges.tolist() if edges.size else []
    if not all(isinstance(name, str) for edge in listed for name in edge):
        raise unreadable(parsing.source, where, "its edges are not an array of pairs of names")
    return listed


def _misnamed(parsing: _Parsing, prefix: str, used: set[str], names: set[str]) -> dict[str, str]:
    """Return the node meant by the one name that edges use and no node has, where one node alone is in no edge."""
    lost = [end for end in used if _end(parsing, prefix, end, names, 0) is _end(parsing, prefix, end, names, 1) is None]
    unused = names - used
    # With more than one candidate a repair would be a guess.
    if len(lost) != 1 or len(unused) != 1:
        return {}
    (name,) = unused
    parsing.repairs.append(
        repair(f"edges of graph {prefix[:-1]!r} name a node {lost[0]!r} that is not there: {name!r}")
    )
    return {lost[0]: name}


def _end(parsing: _Parsing, prefix: str, name: str, names: set[str], side: int) -> str | None:
    """Return the node behind an edge's end: of a graph, its one Output (side 1) or Input (side 0)."""
    full = prefix + name
    if full in parsing.nodes and name in names:
        return full
    if full in parsing.graphs:
        ends = parsing.graphs[full][side]
        if len(ends) != 1:
            what = ("inputs", "outputs")[side]
            raise unreadable(parsing.source, full, f"it has {len(ends)} {what}", "name one of them: 'graph.node'")
        return ends[0]
    graph, dot, _ = full.rpartition(".")
    if dot and graph in parsing.graphs and full in parsing.graphs[graph][side]:
        return full
    return None


def _left_out(parsing: _Parsing, where: str, fields: Set[str], kind: str = "NIR") -> None:
    """Note fields that are not read, for the format does not have them."""
    if fields:
        what = f"{where}: fields that {kind} does not have are left out"
        parsing.repairs.append(repair(what, _listed(sorted(fields))))


def _listed(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
