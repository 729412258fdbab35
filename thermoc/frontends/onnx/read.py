"""Read an ``.onnx`` file."""

from __future__ import annotations

import math
import os
from collections import ChainMap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from thermoc.frontends.onnx import file, own, ports
from thermoc.frontends.onnx.site import Site
from thermoc.frontends.onnx.walk import Scope, initializers, walk
from thermoc.ir.builder import Builder
from thermoc.ir.functions import CURRENT
from thermoc.ir.graph import Graph
from thermoc.support.errors import Finding, error


def read_onnx(
    path: str | os.PathLike[str],
    *,
    sizes: Mapping[str, int] | None = None,
    fixed: Mapping[str, ArrayLike] | None = None,
    batch: str | Sequence[str] | None = None,
    dt: float = 1.0,
) -> tuple[Graph, tuple[Finding, ...]]:
    """Return the graph of a file, and each assumption.

    The first axis of inputs is the network's batch where its length is open; all other lengths are fixed.
    sizes: lengths of other open axes, by their names. fixed: inputs that are known numbers, by name.
    batch: names of the axes that are the batch, where it is not the first. dt: the time of a tick.
    A file that thermoc wrote is read back as the graph it was made of, unless it was changed since, or an option given.
    Errors: T1xx, T303, T501, T502, T504, T507, T508.
    """
    if not isinstance(dt, int | float) or not 0 < dt < math.inf:
        raise error("T303", "dt is a time > 0", notes=[f"dt = {dt!r}"])
    source = str(path)
    return from_model(file.model(path), source, sizes=sizes, fixed=fixed, batch=batch, dt=dt)


def from_model(
    model: Any,
    source: str,
    *,
    sizes: Mapping[str, int] | None = None,
    fixed: Mapping[str, ArrayLike] | None = None,
    batch: str | Sequence[str] | None = None,
    dt: float = 1.0,
) -> tuple[Graph, tuple[Finding, ...]]:
    """Return the graph of a model in memory. Errors: those of ``read_onnx``."""
    graph, notes = (None, []) if sizes or fixed or batch else own.read_back(model, source)
    if graph is not None:
        return graph, ()
    model = file.checked(model, source)
    site = Site(source=source, builder=Builder(model.graph.name or Path(source).stem, dt))
    options = ports.InputOptions(
        sizes=dict(sizes or {}),
        fixed=dict(fixed or {}),
        batch=(batch,) if isinstance(batch, str) else tuple(batch or ()),
    )
    token = CURRENT.set(site.builder)
    try:
        held = initializers(site, model.graph)
        tensors = held | ports.inputs(site, model.graph, options, frozenset(held))
        walk(site, model.graph.node, frame := Scope(tensors=ChainMap(tensors), opset=file.opset(model, source)))
        ports.outputs(site, model.graph, frame.tensors)
    finally:
        CURRENT.reset(token)
    return site.builder.graph(), (*notes, *site.repairs)
