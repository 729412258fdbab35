"""The table operator -> function: what each ONNX operator becomes. Families of operators have their own files."""

from __future__ import annotations

import importlib

from thermoc.frontends.onnx.operator import OPERATORS, Operator

FAMILIES = (
    "activation",
    "arithmetic",
    "control",
    "convolution",
    "indexing",
    "linear",
    "logic",
    "normalisation",
    "pooling",
    "quantised",
    "ranking",
    "recurrent",
    "reduction",
    "resizing",
    "scatter",
    "shape",
)


FUNCTIONS_KNOWN = {
    "AffineGrid": (1,),
    "BlackmanWindow": (0,),
    "CenterCropPad": (1,),
    "HammingWindow": (0,),
    "HannWindow": (0,),
}
"""Operators that are read by the standard's own functions, and the operands that these need to know."""


def known_operands(kind: str) -> tuple[int, ...]:
    """Return the places of the operands of an operator that must be known when the model is read."""
    entry = operators().get(kind)
    return FUNCTIONS_KNOWN.get(kind, ()) if entry is None else entry.known


def operators() -> dict[str, Operator]:
    """Return every operator that is read by its own function, by name."""
    for family in FAMILIES:
        importlib.import_module(f"thermoc.frontends.onnx.{family}")
    return OPERATORS
