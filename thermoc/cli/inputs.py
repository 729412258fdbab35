"""Arrays for a network's inputs, from a ``.npz`` or ``.npy`` file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects.core import Input
from thermoc.ir.graph import Graph
from thermoc.support.arrays import read_arrays
from thermoc.support.errors import Finding, ThermocError, error

UNNAMED = "arr_0"
"""How numpy.savez calls an array that is given without a name."""


def load_inputs(path: Path, graph: Graph) -> Mapping[str, NDArray]:
    """Return the arrays of a file by input; an array without a name is that of the only input. Errors: T401, T501,
    T502."""
    stored = read_arrays(path)
    if isinstance(stored, dict):
        nameless = list(stored) == [UNNAMED] and UNNAMED not in graph.inputs
        if not nameless or len(graph.inputs) != 1:
            return stored
        stored = stored[UNNAMED]
    if len(graph.inputs) != 1:
        notes = [f"its inputs are {', '.join(graph.inputs) or 'none'}", f"{path} is one array without a name"]
        what = f"network {graph.name!r} has {len(graph.inputs)} inputs"
        raise error("T401", what, notes=notes, hint="numpy.savez(path, name=array) names each")
    return {next(iter(graph.inputs)): stored}


def load_labels(path: Path, graph: Graph) -> Mapping[str, NDArray]:
    """Return the right classes by output; an array without a name is that of the only output.

    Errors: T401, T501, T502.
    """
    stored = read_arrays(path)
    if isinstance(stored, dict) and list(stored) != [UNNAMED]:
        return stored
    array = stored[UNNAMED] if isinstance(stored, dict) else stored
    if len(graph.outputs) != 1:
        notes = [f"its outputs are {', '.join(graph.outputs)}", f"{path} is one array without a name"]
        what = f"network {graph.name!r} has {len(graph.outputs)} outputs"
        raise error("T401", what, notes=notes, hint="numpy.savez(path, name=array) says of which the labels are")
    return {next(iter(graph.outputs)): array}


def no_inputs(graph: Graph) -> Mapping[str, NDArray]:
    """Return what a run takes where no file is named: nothing, for a network without inputs.

    Errors: T401 that names every input, its shape, and how to make the file.
    """
    if not graph.inputs:
        return {}
    *before, last = graph.inputs.values()
    raise ThermocError([*(_missing(op) for op in before), _missing(last, _cure(graph))])


def _missing(op: Input, hint: str = "") -> Finding:
    shape = ", ".join(map(str, op.shape))
    notes = (f"it takes {op.dtype} [batch, {shape}], or [ticks, batch, {shape}]".replace(", ]", "]"),)
    return Finding(code="T401", what=f"input {op.name!r} is missing", where=op.location, notes=notes, hint=hint)


def _cure(graph: Graph) -> str:
    """Return what makes a file of all inputs."""
    arrays = ", ".join(f"{name}=np.zeros({(1, *op.shape)}{_dtype(op)})" for name, op in graph.inputs.items())
    # numpy.savez takes these two names for arguments of its own.
    if not all(name.isidentifier() and name not in ("file", "allow_pickle") for name in graph.inputs):
        arrays = "**{...}"
    return f"-i x.npz, made by: import numpy as np; np.savez('x.npz', {arrays})"


def _dtype(op: Input) -> str:
    return "" if op.dtype.numpy == np.float64 else f", '{op.dtype.numpy}'"
