"""A module of torch becomes a graph: by torch.export, or, where it spikes, by NIR."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from thermoc.frontends.onnx.site import Site
from thermoc.frontends.torch import spiking
from thermoc.frontends.torch.export import batch_axes, evaluating, exported, source_of, tensors_of
from thermoc.frontends.torch.walk import Walk
from thermoc.ir.builder import Builder
from thermoc.ir.functions import CURRENT
from thermoc.ir.graph import Graph
from thermoc.support.errors import Finding, error


def from_module(
    module: Any,
    example: Any,
    *,
    batch: int | Sequence[int | None] | None = 0,
    parameters: bool = True,
    name: str | None = None,
    dt: float | None = None,
) -> tuple[Graph, tuple[Finding, ...]]:
    """Return the graph of a ``torch.nn.Module`` and what was assumed of it.

    example: a tensor, or a tuple of them, as ``forward`` takes; its batch is of any length afterwards. batch: the axis
    of the inputs that is the batch, or one each; None for a module without one. parameters: the module's parameters are
    the network's, under their names, else constants. name: the network's; default: the module's class. dt: the time of
    a tick; default: 1, of spiking units what their package counts in. A module that holds units of snnTorch or Norse is
    read as NIR: a tick is one call of it, or one step of a sequence. Errors: T303, T507, T508, T510.
    """
    try:
        import torch
    except ImportError:
        raise error("T510", "from_torch needs torch", hint='pip install "thermoc[learn]"') from None
    if dt is not None and (not isinstance(dt, int | float) or not 0 < dt < math.inf):
        raise error("T303", "dt is a time > 0", notes=[f"dt = {dt!r}"])
    if not isinstance(module, torch.nn.Module):
        notes = [f"it is a {type(module).__name__}"]
        raise error("T303", "from_torch takes a torch.nn.Module", notes=notes, hint="wrap a function in a Module")
    source = source_of(module)
    arguments = tensors_of(source, example)
    if spiking.spikes(module):
        graph, found = spiking.from_spiking(module, arguments, dt, name)
        return graph, tuple(found)
    axes = batch_axes(source, arguments, batch)
    with evaluating(module) as training:
        program = exported(module, arguments, axes)
    site = Site(source=source, builder=Builder(name or source, float(dt or 1.0)))
    if training:
        site.assume("the module was in training: it is read as in evaluation, as after module.eval()")
    trainable = frozenset(key for key, _ in module.named_parameters(remove_duplicate=False))
    token = CURRENT.set(site.builder)
    try:
        Walk(site, program, trainable=trainable, parameters=parameters).run(axes)
    finally:
        CURRENT.reset(token)
    return site.builder.graph(), tuple(site.repairs)
