"""The node tests of the ONNX standard (``onnx.backend.test``), read and run on the reference.

python -m frontends.onnx_cases        (prints the table of docs/onnx-in.md)
"""

from __future__ import annotations

import collections
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from thermoc.frontends.onnx.read import from_model
from thermoc.frontends.onnx.table import known_operands
from thermoc.ir.feed import feed
from thermoc.ir.reference.interpreter import interpret
from thermoc.support.errors import ThermocError

RNG = np.random.default_rng(11)
F, INT, B = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
Port = tuple[str, int, Any]


def model(
    nodes: Sequence[Any],
    inputs: Sequence[Port],
    outputs: Sequence[Port],
    arrays: dict[str, Any] | None = None,
    *,
    opset: int = 18,
    **options: Any,
) -> ModelProto:
    """Return a model of nodes; arrays are its initializers."""
    graph = helper.make_graph(
        list(nodes),
        "made",
        [helper.make_tensor_value_info(*port) for port in inputs],
        [helper.make_tensor_value_info(*port) for port in outputs],
        [numpy_helper.from_array(array, name) for name, array in (arrays or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9, **options)


node = helper.make_node


def saved(made: ModelProto, folder: Path, name: str = "m.onnx") -> Path:
    """Write a model and return its path."""
    path = folder / name
    path.write_bytes(made.SerializeToString())
    return path


def runtime(path: Path, feeds: dict[str, NDArray]) -> list[NDArray]:
    """Return what onnxruntime gives for a file."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return [np.asarray(array) for array in session.run(None, feeds)]


NARROW = ("int4", "uint4", "int2", "uint2")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a case: '' where every output is what the standard gives, else what was refused, or is wrong."""

    name: str
    operator: str
    refused: str = ""
    wrong: str = ""


@cache
def outcomes() -> tuple[Outcome, ...]:
    """Read and run every case, once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test import loader

        return tuple(_outcome(case) for case in loader.load_model_tests(kind="node"))


def _outcome(case: Any) -> Outcome:
    named = {"name": case.name, "operator": operator_of(case)}
    given, wanted = case.data_sets[0]
    arrays: list[Any] = [_array(x) for x in given]
    results: list[Any] = [_array(x) for x in wanted]
    if any(array is None for array in (*arrays, *results)):
        return Outcome(**named, refused="sequences and optional values")
    inputs: dict[str, Any] = dict(zip((port.name for port in case.model.graph.input), arrays))
    try:
        graph, fixed = _read(case, inputs)
    except ThermocError as problem:
        return Outcome(**named, refused=problem.findings[0].what)
    feeds = {k: (v.astype(np.int32) if v.dtype.name in NARROW else v)[None, None] for k, v in inputs.items()}
    trace = interpret(graph, feed(graph, {k: v for k, v in feeds.items() if k not in fixed}))
    for port, want in zip(case.model.graph.output, results):
        problem = _differs(trace.outputs[port.name][0, 0], want, case.rtol, case.atol)
        if problem:
            return Outcome(**named, wrong=f"{port.name}: {problem}")
    return Outcome(**named)


def operator_of(case: Any) -> str:
    """Return the operator that a case is about; '' for one that the standard wrote out as several others."""
    kinds = {node.op_type for node in case.model.graph.node}
    return kinds.pop() if len(kinds) == 1 and "_expanded" not in case.name else ""


def _array(item: Any) -> NDArray | None:
    if item is None or isinstance(item, list):
        return None
    return numpy_helper.to_array(item) if hasattr(item, "dims") else np.asarray(item)


def _read(case: Any, inputs: dict[str, NDArray]) -> tuple[Any, frozenset[str]]:
    """Read a case with those inputs fixed that its operators must know, or else all integers."""
    must = [
        node.input[place]
        for node in case.model.graph.node
        for place in known_operands(node.op_type)
        if place < len(node.input)
    ]
    infinite = [name for name, array in inputs.items() if array.dtype.kind == "f" and not np.isfinite(array).all()]
    fixed = {name: inputs[name] for name in (*must, *infinite) if name in inputs}
    try:
        return from_model(case.model, f"{case.name}.onnx", fixed=fixed)[0], frozenset(fixed)
    except ThermocError:
        wide = {k: v for k, v in inputs.items() if v.dtype.kind in "iub" or v.ndim == 0} | fixed
        if len(case.model.graph.node) == 1 or len(wide) == len(fixed):
            raise
        return from_model(case.model, f"{case.name}.onnx", fixed=wide)[0], frozenset(wide)


def _differs(got: NDArray, want: NDArray, rtol: float, atol: float) -> str:
    if got.shape != want.shape:
        return f"its shape is {got.shape}, not {want.shape}"
    try:
        np.testing.assert_allclose(got.astype(np.float64), want.astype(np.float64), rtol=rtol, atol=atol)
    except AssertionError as difference:
        return str(difference)
    return ""


def counts() -> dict[str, tuple[int, int]]:
    """Return for each operator how many of its cases there are, and how many give what the standard gives."""
    total: collections.Counter[str] = collections.Counter()
    right: collections.Counter[str] = collections.Counter()
    for outcome in outcomes():
        total[outcome.operator] += 1
        right[outcome.operator] += not outcome.refused and not outcome.wrong
    return {operator: (total[operator], right[operator]) for operator in sorted(total)}


def complete() -> list[str]:
    """Return the operators all of whose cases pass."""
    return [operator for operator, (total, right) in counts().items() if operator and total == right]


def page() -> Iterator[str]:
    """Yield the lines of the table in docs/onnx-in.md."""
    whole, passed = complete(), sum(right for _, right in counts().values())
    yield f"All cases of {len(whole)} operators pass, {passed} of {len(outcomes())} cases in all."
    yield ""
    yield "| operators | cases that pass |"
    yield "|---|---|"
    yield f"| {', '.join(whole)} | all |"
    for operator, (total, right) in counts().items():
        if operator and 0 < right < total:
            yield f"| {operator} | {right} of {total} |"
    yield f"| operators that the standard writes out as others | {counts()[''][1]} of {counts()[''][0]} |"
    yield f"| {', '.join(name for name, (_, right) in counts().items() if not right)} | none: refused by name |"


if __name__ == "__main__":
    print("\n".join(page()))
