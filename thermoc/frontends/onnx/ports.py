"""Inputs and outputs: which axis is the batch, how long the others are, and what is known."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc.frontends.onnx.arrays import LONGEST
from thermoc.frontends.onnx.axes import shown
from thermoc.frontends.onnx.operator import dtype_of
from thermoc.frontends.onnx.site import Site
from thermoc.frontends.onnx.tensor import BATCH, Shape, Tensor, carrier, known, sample_shape
from thermoc.ir.dialects import core
from thermoc.ir.functions import call
from thermoc.ir.graph import NameSource
from thermoc.ir.types import DType, Role
from thermoc.support.errors import Location, error
from thermoc.support.limits import shape_problem
from thermoc.support.loading import cut
from thermoc.support.suggestions import near

LONGEST_NAME = 150
"""Letters of a name that are kept; a network's own limit leaves room for a number."""


@dataclass(frozen=True, kw_only=True)
class InputOptions:
    """What the caller says of inputs: lengths of open axes, known numbers, the name of the batch's axis."""

    sizes: dict[str, int]
    fixed: dict[str, ArrayLike]
    batch: tuple[str, ...]


def inputs(s: Site, graph: Any, options: InputOptions, held: frozenset[str]) -> dict[str, Tensor]:
    """Return the tensors of the inputs that must be given. Errors: T303, T504, T507, T508."""
    ports = [port for port in graph.input if port.name not in held]
    _check(options, ports)
    batch = options.batch or tuple(filter(None, [_batch_name(ports, options)]))
    names = _legal_names(ports)
    return {port.name: _input(s, port, options, batch, names[port.name]) for port in ports}


def _legal_names(ports: Sequence[Any]) -> dict[str, str]:
    """Return for each port a name that the network may have: letters, digits, _ . - after a letter."""
    fresh, names = NameSource(), {}
    for port in sorted(ports, key=lambda port: _legal(port.name) != port.name):  # those that are legal stay
        names[port.name] = fresh(_legal(port.name))
    return names


def _legal(name: str) -> str:
    letters = re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:LONGEST_NAME]
    return letters if re.match(r"[A-Za-z_]", letters) else f"n{letters}"


def _called(s: Site, kind: str, old: str, new: str) -> None:
    if old != new:
        s.assume(f"{kind} {cut(old, 80)!r} is called {new!r} here, for it is no name of a network")


def _check(options: InputOptions, ports: list[Any]) -> None:
    """Refuse names that are in no input, and lengths that are none. Errors: T303."""
    named = {"fixed": set(options.fixed), "sizes": set(options.sizes), "batch": set(options.batch)}
    open_ = {
        _axis_name(port, dim, axis)
        for port in ports
        for axis, dim in enumerate(port.type.tensor_type.shape.dim)
        if not dim.HasField("dim_value")
    }
    for option, names in named.items():
        known_names = sorted({port.name for port in ports} if option == "fixed" else open_)
        unknown = sorted(names - set(known_names))
        if unknown:
            what = "no input" if option == "fixed" else "no open axis of an input"
            notes = [f"there are {', '.join(known_names) or 'none'}"]
            raise error(
                "T303",
                f"{option} names {unknown[0]!r}, which is {what}",
                notes=notes,
                hint=near(unknown[0], known_names),
            )
    for name, size in options.sizes.items():
        if not isinstance(size, int | np.integer) or not 0 < size <= LONGEST:
            raise error("T303", f"sizes: {name!r} is a length > 0", notes=[f"it is {size!r}"])


def _fixed(name: str, given: ArrayLike, elem: np.dtype[Any]) -> Tensor:
    try:
        array = np.asarray(given)
        return known(array if array.dtype == elem else array.astype(elem))
    except (TypeError, ValueError):
        raise error(
            "T303", f"fixed: {name!r} is an array of {elem.name}", notes=[f"it is {cut(repr(given))}"]
        ) from None


def _batch_name(ports: list[Any], options: InputOptions) -> str:
    """Return the name of the first axis of the first input, where its length is open."""
    for port in ports:
        dims = port.type.tensor_type.shape.dim
        open_ = port.name not in options.fixed and len(dims) > 0 and not dims[0].HasField("dim_value")
        if open_ and _axis_name(port, dims[0], 0) not in options.sizes:
            return _axis_name(port, dims[0], 0)
    return ""


def _input(s: Site, port: Any, options: InputOptions, batch: tuple[str, ...], name: str) -> Tensor:
    where = Location.of_node(s.source, f"input {cut(port.name, 80)!r}")
    if port.type.WhichOneof("value") != "tensor_type":
        kind = str(port.type.WhichOneof("value")).replace("_type", "")
        raise error("T507", f"it is a {kind}, not a tensor", where=where)
    elem = dtype_of(port.type.tensor_type.elem_type)
    if port.name in options.fixed:
        return _fixed(port.name, options.fixed[port.name], elem)
    format_ = carrier(elem)
    if format_ is None:
        raise error("T507", f"a network has no inputs of type {elem.name}", where=where)
    shape = _shape(port, options, batch, where)
    stored = DType.i64 if elem.name in ("int64", "uint32") else DType.i32
    dtype = stored if elem.kind in "iu" or elem.name not in ("float32", "float64", "bool") else format_
    s.enter(port.name, f"input {cut(port.name, 80)!r}", "input")
    _called(s, "input", port.name, name)
    attrs = {"name": name, "shape": sample_shape(shape), "dtype": dtype, "role": Role.signal}
    handle = s.builder.add(core.Input, {}, attrs, name)[0]
    if dtype != format_:
        handle = call("core.cast", handle, dtype=format_)
    if BATCH in shape and shape.index(BATCH) > 0:
        s.assume(f"input {port.name!r} {shown(shape)} has its batch in axis {shape.index(BATCH)}: here it comes first")
    return Tensor(elem=elem, shape=shape, handle=handle)


def _shape(port: Any, options: InputOptions, batch: tuple[str, ...], where: Location) -> Shape:
    if not port.type.tensor_type.HasField("shape"):
        raise error("T508", "its shape is not stated", where=where, hint="run onnx.shape_inference on the model")
    lengths: list[int] = []
    opened: list[str] = []
    for axis, dim in enumerate(port.type.tensor_type.shape.dim):
        if dim.HasField("dim_value"):
            # A length that is the mark of the batch would pass for it.
            lengths.append(dim.dim_value if dim.dim_value != BATCH else BATCH - 1)
        elif (name := _axis_name(port, dim, axis)) in options.sizes:
            lengths.append(int(options.sizes[name]))
        elif _is_batch(port, dim, axis, batch) and BATCH not in lengths:
            lengths.append(BATCH)
        else:
            opened.append(_axis_name(port, dim, axis))
    if opened:
        hint = f"say how long it is: tc.load(..., sizes={{{opened[0]!r}: 128}})"
        what = f"the length of {', '.join(repr(name) for name in opened)} is open"
        raise error("T508", what, where=where, notes=["only the batch may be open"], hint=hint)
    fixed = [length for length in lengths if length != BATCH]
    problem = shape_problem(fixed) or (f"its axes are {fixed}" if max(fixed, default=0) > LONGEST else "")
    if problem:
        raise error("T504", "it asks for too much", where=where, notes=[problem])
    return tuple(lengths)


def _is_batch(port: Any, dim: Any, axis: int, batch: tuple[str, ...]) -> bool:
    """Tell whether an open axis is the batch: by its name, or, where neither has one, the first of an input."""
    name = _axis_name(port, dim, axis)
    return name in batch or (axis == 0 and not dim.dim_param and any(item.endswith(":0") for item in batch))


def _axis_name(port: Any, dim: Any, axis: int) -> str:
    """Return what an axis is called: its own name, or that of the input and its number."""
    return dim.dim_param or f"{port.name}:{axis}"


def outputs(s: Site, graph: Any, tensors: Mapping[str, Tensor]) -> None:
    """Append the outputs. Errors: T507, T508."""
    names = _legal_names(graph.output)
    for port in graph.output:
        s.enter(port.name, f"output {cut(port.name, 80)!r}", "output")
        if port.name not in tensors:
            raise s.refuse("nothing gives it")
        tensor = tensors[port.name]
        handle = s.value(tensor)
        if tensor.batch is not None and tensor.shape[tensor.batch] > BATCH:
            raise s.refuse("an axis holds the batch and more", f"its shape is {shown(tensor.shape)}")
        if tensor.integral:
            dtype = DType.i64 if tensor.elem.name in ("int64", "uint64", "uint32") else DType.i32
            handle = call("core.cast", handle, dtype=dtype)
        if tensor.batch:
            s.assume(
                f"output {port.name!r} {shown(tensor.shape)} has its batch in axis {tensor.batch}: here it comes first"
            )
        _called(s, "output", port.name, names[port.name])
        s.builder.add(core.Output, {"x": handle}, {"name": names[port.name]})
