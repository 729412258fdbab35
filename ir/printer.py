"""A graph as text that parses back to an equal graph (``ir/parser.py``).

    network "digits" dt=1.0 {
      %pixels: signal f64[64] = core.input() {name="pixels", shape=[64], dtype="f64", role="signal"}
      %c: temperature f64[] = core.constant() {value=f64[] [0.05], role="temperature"}
      core.output(x=%probs) {name="probs"}
    }
    data {
      @8f3a...: "<base64 of the little-endian bytes>"
    }

Arrays of more than 16 elements stand in the data section under the SHA-256 of their content. A result whose type
is not known yet is written without one.
"""

from __future__ import annotations

import base64
import json
from typing import Any, Protocol

import numpy as np

from thermoc.ir.ops import Op
from thermoc.ir.types import DType
from thermoc.ir.values import Array, Value

INLINE = 16
"""Arrays of so many elements at most are written where they stand."""


class Printable(Protocol):
    """What is printed: a graph, which itself prints by this module."""

    @property
    def name(self) -> str:
        """Name of the network."""
        ...

    @property
    def dt(self) -> float:
        """Time of a tick."""
        ...

    @property
    def ops(self) -> tuple[Op, ...]:
        """The ops in order."""
        ...


def print_graph(graph: Printable, *, data: bool = True) -> str:
    """Return the text of a graph; ``data=False`` leaves out the data section, and then it may not parse back."""
    lines = [f"network {json.dumps(graph.name)} dt={graph.dt!r} {{"]
    lines += [f"  {print_op(op)}" for op in graph.ops]
    lines.append("}")
    arrays = {
        item.digest: item
        for op in graph.ops
        for item in op.attrs.values()
        if isinstance(item, Array) and item.numpy.size > INLINE
    }
    if arrays and data:
        # Sorted by content, so that equal graphs give equal text.
        rows = (
            f'  @{digest}: "{base64.b64encode(_bytes(array)).decode()}"' for digest, array in sorted(arrays.items())
        )
        lines += ["data {", *rows, "}"]
    return "\n".join(lines) + "\n"


def print_op(op: Op) -> str:
    """Return one op as a line."""
    results = ", ".join(f"{value}: {value.type}" if value.type else str(value) for value in op.results)
    operands = ", ".join(
        f"{name}={_operand(getattr(op, name))}" for name in op.operand_specs if getattr(op, name) is not None
    )
    attrs = ", ".join(f"{name}={_attr(value)}" for name, value in op.attrs.items())
    return (f"{results} = " if results else "") + f"{op.opname}({operands})" + (f" {{{attrs}}}" if attrs else "")


def _operand(operand: Value | tuple[Value, ...]) -> str:
    return "[" + " ".join(map(str, operand)) + "]" if isinstance(operand, tuple) else str(operand)


def _attr(value: Any) -> str:
    if not isinstance(value, Array):
        return json.dumps(value)
    array = value.numpy
    head = f"{DType.of(array.dtype)}[{','.join(map(str, array.shape))}] "
    return head + (f"@{value.digest}" if array.size > INLINE else json.dumps(array.ravel().tolist()))


def _bytes(array: Array) -> bytes:
    data = np.ascontiguousarray(array.numpy)
    # One byte order on every machine: the text is compared and hashed.
    return data.astype(data.dtype.newbyteorder("<")).tobytes()
