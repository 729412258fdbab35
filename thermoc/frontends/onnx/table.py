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
    "recurrent",
    "reduction",
    "scatter",
    "shape",
)


def operators() -> dict[str, Operator]:
    """Return every operator that is read by its own function, by name."""
    for family in FAMILIES:
        importlib.import_module(f"thermoc.frontends.onnx.{family}")
    return OPERATORS
