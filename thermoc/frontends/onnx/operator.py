"""What an operator's function is given, and the table it enters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from thermoc.frontends.onnx.site import Site
from thermoc.frontends.onnx.tensor import Tensor

Results = Tensor | tuple[Tensor, ...]
Body = Callable[["list[Tensor]"], "list[Tensor]"]


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node: its operator, the version of its meaning, operands (None where left out), attributes in full.

    A graph among the attributes is a function of its inputs.
    """

    kind: str
    version: int
    inputs: tuple[Tensor | None, ...]
    attrs: dict[str, Any]
    outputs: int

    def __getitem__(self, index: int) -> Tensor:
        """Return an operand that must be there."""
        tensor = self.inputs[index] if index < len(self.inputs) else None
        if tensor is None:
            raise IndexError(f"{self.kind} has no operand {index}")
        return tensor

    def get(self, index: int) -> Tensor | None:
        """Return an operand, None where it is left out."""
        return self.inputs[index] if index < len(self.inputs) else None

    def attr(self, name: str, default: Any = None) -> Any:
        """Return an attribute: the node's, or the standard's default, or ``default``."""
        value = self.attrs.get(name)
        return default if value is None else value

    @property
    def given(self) -> list[Tensor]:
        """The operands that are there."""
        return [tensor for tensor in self.inputs if tensor is not None]


@dataclass(frozen=True, kw_only=True)
class Operator:
    """How an operator is read. known: the operands whose numbers must be known when the model is read."""

    build: Callable[[Site, Node], Results]
    known: tuple[int, ...] = ()


OPERATORS: dict[str, Operator] = {}


def operator(*kinds: str, known: tuple[int, ...] = ()) -> Callable[[Callable[[Site, Node], Results]], Any]:
    """Enter a function into the table under the operators' names."""

    def enter(build: Callable[[Site, Node], Results]) -> Callable[[Site, Node], Results]:
        for kind in kinds:
            if kind in OPERATORS:
                raise TypeError(f"operator {kind} is entered twice")
            OPERATORS[kind] = Operator(build=build, known=known)
        return build

    return enter


def text(value: Any) -> str:
    """Return an attribute that is a text."""
    return value.decode() if isinstance(value, bytes) else str(value)


def dtype_of(code: int) -> np.dtype[Any]:
    """Return NumPy's dtype of an element type of ONNX."""
    from onnx import helper

    return np.dtype(helper.tensor_dtype_to_np_dtype(code))
