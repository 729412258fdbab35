"""Inputs of a module as tensors, checked against the graph before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from thermoc.ir.dialects.core import Input
from thermoc.ir.graph import Graph
from thermoc.support.errors import Finding, ThermocError, error
from thermoc.support.suggestions import near

Tensor = torch.Tensor


def timed_inputs(
    graph: Graph, inputs: Mapping[str, Any], ticks: int | None, batch: int | None, device: torch.device
) -> tuple[dict[str, Tensor], int, int]:
    """Return inputs (ticks, batch, *shape) in the graph's formats, the number of ticks and the batch.

    Errors: T401 (a name), T402 (a shape), T403 (a kind of numbers), T404 (no ticks, no batch).
    """
    _check_names(graph, inputs)
    tensors = {name: _tensor(op, inputs[name], device) for name, op in graph.inputs.items()}
    timed = {name for name, op in graph.inputs.items() if tensors[name].ndim == len(op.shape) + 2}
    ticks = _agreed("ticks", ticks, {name: tensors[name].shape[0] for name in timed})
    batch = _agreed("batch", batch, {name: value.shape[name in timed] for name, value in tensors.items()})
    full = {name: value if name in timed else value[None] for name, value in tensors.items()}
    return {name: value.expand(ticks, batch, *value.shape[2:]) for name, value in full.items()}, ticks, batch


def _check_names(graph: Graph, inputs: Mapping[str, Any]) -> None:
    findings = [
        Finding(code="T401", what=f"input {name!r} is missing", notes=(f"inputs are {list(graph.inputs)}",))
        for name in graph.inputs
        if name not in inputs
    ]
    for name in inputs:
        if name not in graph.inputs:
            hint = near(name, graph.inputs, f"inputs are {list(graph.inputs)}")
            findings.append(Finding(code="T401", what=f"the network has no input {name!r}", hint=hint))
    if findings:
        raise ThermocError(findings)


def _tensor(op: Input, value: Any, device: torch.device) -> Tensor:
    dtype: torch.dtype = getattr(torch, op.dtype.numpy.name)
    try:
        tensor = value if isinstance(value, Tensor) else torch.as_tensor(np.asarray(value))
        if tensor.is_floating_point() and not dtype.is_floating_point:
            raise TypeError(f"it is {tensor.dtype}, the network's is {dtype}")
        tensor = tensor.to(device=device, dtype=dtype)
    except (TypeError, ValueError) as problem:
        raise error("T403", f"input {op.name!r} is no array of such numbers", notes=[str(problem)]) from None
    rank = len(op.shape)
    if tensor.ndim not in (rank + 1, rank + 2) or tuple(tensor.shape[tensor.ndim - rank :]) != op.shape:
        notes = [f"it has shape {list(tensor.shape)}", f"one sample's is {list(op.shape)}"]
        hint = "give (batch, *shape), or (ticks, batch, *shape)"
        raise error("T402", f"input {op.name!r} has the wrong shape", notes=notes, hint=hint)
    return tensor


def _agreed(what: str, asked: int | None, sizes: Mapping[str, int]) -> int:
    """Return the number that is asked for or that the inputs have; those that have one may be stretched."""
    size = asked if asked is not None else max(sizes.values(), default=1)
    if size < 1:
        raise error("T404", f"{what} must be at least 1", notes=[f"{what} = {size}"])
    wrong = {name: length for name, length in sizes.items() if length != size and (what == "ticks" or length != 1)}
    if wrong:
        notes = [f"input {name!r} has {length}" for name, length in wrong.items()]
        raise error("T402", f"inputs disagree on the number of {what}", notes=[f"{what} = {size}", *notes])
    return size
