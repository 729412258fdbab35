"""An exported program, node by node: parameters, numbers known now, and the rest by the table."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.onnx.site import Site
from thermoc.frontends.onnx.tensor import BATCH, Tensor, carrier, known, sample_shape
from thermoc.frontends.torch.aten import Aten, find
from thermoc.frontends.torch.export import Axes, own_line
from thermoc.frontends.torch.table import operators
from thermoc.ir.dialects import core
from thermoc.ir.functions import call
from thermoc.ir.graph import NameSource
from thermoc.ir.types import DType, Role
from thermoc.ir.values import Array
from thermoc.support.errors import ThermocError

LENGTHS = {
    operator.add: operator.add, operator.sub: operator.sub, operator.mul: operator.mul,
    operator.floordiv: operator.floordiv, operator.mod: operator.mod, operator.neg: operator.neg,
    operator.eq: operator.eq, operator.ne: operator.ne, operator.lt: operator.lt, operator.le: operator.le,
    operator.gt: operator.gt, operator.ge: operator.ge, math.trunc: math.trunc, math.floor: math.floor,
}  # fmt: skip
"""Python's operators between lengths."""
NUMBERS = frozenset(["bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64"])


class Walk:
    """A program on its way into a graph."""

    def __init__(self, site: Site, program: Any, *, trainable: frozenset[str], parameters: bool):
        self.site, self.program = site, program
        self.trainable, self.parameters = trainable, parameters
        self.values: dict[str, Any] = {}
        self.arrays: dict[str, NDArray[Any]] = {}
        self.names = NameSource()

    def run(self, axes: Axes) -> None:
        """Build the graph. Errors: T507, T508."""
        operators()
        signature = self.program.graph_signature
        self._check_buffers(signature)
        sources = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
        sources |= signature.inputs_to_lifted_tensor_constants
        inputs = iter(axes)
        for node in self.program.graph.nodes:
            if node.op == "placeholder":
                name = sources.get(node.name)
                self.values[node.name] = (
                    self._input(node, next(inputs, None)) if name is None else self._array(node, name)
                )
            elif node.op == "call_function":
                self._enter(node)
                self.values[node.name] = self._guarded(node)
            elif node.op == "output":
                self._outputs(node)

    def _check_buffers(self, signature: Any) -> None:
        for buffer in (*signature.buffers_to_mutate.values(), *getattr(signature, "parameters_to_mutate", {}).values()):
            self.site.enter(buffer, f"buffer {buffer!r}", "buffer")
            hint = "give the state to forward and return it; spiking modules of snnTorch and Norse keep theirs"
            raise self.site.refuse("it is written while the module runs", code="T507", hint=hint)

    def _input(self, node: Any, axis: int | None) -> Tensor:
        value = node.meta["val"]
        if not hasattr(value, "dtype"):
            raise self.site.refuse(f"input {node.name!r} is no tensor", code="T508")
        elem = elem_of(self.site, value)
        shape = tuple(BATCH if dim == axis else int(n) for dim, n in enumerate(value.shape))
        format_ = carrier(elem)
        assert format_ is not None
        stored = (DType.i64 if elem.name == "int64" else DType.i32) if elem.kind in "iu" else format_
        name = self.names(legal(node.name))
        self.site.enter(name, f"input {name!r}", "input")
        attrs = {"name": name, "shape": sample_shape(shape), "dtype": stored, "role": Role.signal}
        handle = self.site.builder.add(core.Input, {}, attrs, name)[0]
        if stored != format_:
            handle = call("core.cast", handle, dtype=format_)
        return Tensor(elem=elem, shape=shape, handle=handle)

    def _array(self, node: Any, name: str) -> Tensor:
        """Return a parameter of the network, or the numbers of a buffer or constant."""
        tensors: Mapping[str, Any] = self.program.state_dict
        tensor = tensors[name] if name in tensors else self.program.constants[name]
        array = array_of(self.site, tensor)
        if not self.parameters or name not in self.trainable or array.dtype.kind != "f" or not node.users:
            return known(array)
        # A module may be used twice, under one name.
        label = self.names(legal(name))
        self.site.enter(label, f"parameter {label!r}", "parameter")
        trainable = bool(getattr(tensor, "requires_grad", False))
        attrs = {"name": label, "value": Array(array), "trainable": trainable, "role": Role.signal}
        handle = self.site.builder.add(core.Parameter, {}, attrs, label)[0]
        self.arrays[handle.value.name] = array
        return Tensor(elem=array.dtype, shape=array.shape, handle=handle)

    def _enter(self, node: Any) -> None:
        self.site.enter(_place(node), _kind(node.target), "module")

    def _guarded(self, node: Any) -> Any:
        s = self.site
        try:
            return self._applied(node)
        except ThermocError as problem:
            first = problem.findings[0]
            if first.where is not None and first.where.file.startswith(s.source):
                raise
            raise s.refuse(first.what, *first.notes, code="T508", hint=first.hint) from None
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, AssertionError) as reason:
            raise s.refuse("it cannot be read", f"{type(reason).__name__}: {reason}", code="T508") from reason

    def _applied(self, node: Any) -> Any:
        target = node.target
        args = self._resolved(node.args)
        if target is operator.getitem:
            return args[0][args[1]]
        if target in LENGTHS:
            return LENGTHS[target](*args)
        kind = str(getattr(target, "_name", ""))
        if kind.startswith("aten::sym_size"):
            return args[0].shape[args[1]]
        if kind.startswith("aten::sym_numel"):
            return math.prod(args[0].shape)
        function = find(target)
        if function is None:
            hint = "docs/torch-in.md lists the operators that are read"
            raise self.site.refuse("this operator is not read", code="T507", hint=hint)
        named = {**self._named(target, args), **self._resolved(node.kwargs)}
        reading = Aten(site=self.site, elems=elems_of(self.site, node.meta.get("val")), arrays=self.arrays)
        for name in ("dtype", "layout", "device", "pin_memory", "memory_format", "generator", "out_dtype"):
            named.pop(name, None)
        return function(reading, **named)

    @staticmethod
    def _named(target: Any, args: tuple[Any, ...]) -> dict[str, Any]:
        return {argument.name: value for argument, value in zip(target._schema.arguments, args)}

    def _resolved(self, value: Any) -> Any:
        """Return arguments with nodes replaced by what they gave."""
        if isinstance(value, list | tuple):
            resolved = [self._resolved(item) for item in value]
            return tuple(resolved) if isinstance(value, tuple) else resolved
        if isinstance(value, dict):
            return {key: self._resolved(item) for key, item in value.items()}
        if type(value).__name__ == "Node":
            resolved = self.values[value.name]
            if resolved is None:
                raise self.site.refuse(
                    "it reads a result that is not computed: the places of a pool's maxima", code="T507"
                )
            return resolved
        return value

    def _outputs(self, node: Any) -> None:
        present = [item for item in node.args[0] if item is not None]
        keys = _keys(self.program, len(present))
        for key, item in zip(keys, present):
            tensor = self.values[item.name] if type(item).__name__ == "Node" else item
            name = self.names(key)
            self.site.enter(name, f"output {name!r}", "output")
            if not isinstance(tensor, Tensor):
                raise self.site.refuse("it is no tensor", code="T508")
            if tensor.batch is not None and tensor.shape[tensor.batch] > BATCH:
                raise self.site.refuse("an axis holds the batch and more", code="T508")
            handle = self.site.value(tensor)
            if tensor.integral:
                handle = call("core.cast", handle, dtype=DType.i64 if tensor.elem.name == "int64" else DType.i32)
            if tensor.batch:
                self.site.assume(f"output {name!r} has its batch in axis {tensor.batch}: here it comes first")
            self.site.builder.add(core.Output, {"x": handle}, {"name": name})


def _keys(program: Any, count: int) -> list[str]:
    """Return names of outputs: keys where forward gives a dict, else y, or y0, y1, ..."""
    spec = program.call_spec.out_spec
    context = getattr(spec, "context", None)
    keys = context if isinstance(context, list) else getattr(context, "keys", None)
    if isinstance(keys, list) and len(keys) == count and all(isinstance(key, str) for key in keys):
        return [legal(key) for key in keys]
    return ["y"] if count == 1 else [f"y{i}" for i in range(count)]


def _place(node: Any) -> str:
    """Return the module that a node comes from, and the user's line: ``encoder.0 (LSTM) at net.py:12``."""
    entries = [entry for entry in (node.meta.get("nn_module_stack") or {}).values() if isinstance(entry, tuple)]
    path, kind = next(((str(a), str(b)) for a, b in reversed(entries) if a), ("", ""))
    trace = node.meta.get("stack_trace") or ""
    line = own_line([(name, int(line)) for name, line in re.findall(r'File "([^"]+)", line (\d+)', trace)])
    module = f"{path} ({kind.rpartition('.')[2]})" if path and not path.startswith("_empty") else "forward"
    return module + (f" at {Path(line[0]).name}:{line[1]}" if line else "")


def _kind(target: Any) -> str:
    name = str(getattr(target, "_name", "") or getattr(target, "__name__", target))
    return name.replace("::", ".").removesuffix(".default")


def legal(name: str) -> str:
    """Return a name that a network may have."""
    letters = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    return letters if re.match(r"[A-Za-z_]", letters) else f"n{letters}"


def elem_of(site: Site, value: Any) -> np.dtype[Any]:
    """Return a tensor's dtype as NumPy's. Errors: T507."""
    name = str(value.dtype).removeprefix("torch.")
    if name in NUMBERS:
        return np.dtype(name)
    raise site.refuse(f"a network has no numbers of type {name}", code="T507", hint="module.float()")


def elems_of(site: Site, value: Any) -> tuple[np.dtype[Any], ...]:
    """Return the dtypes of a node's results."""
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(elem_of(site, item) for item in values if hasattr(item, "dtype"))


def array_of(site: Site, tensor: Any) -> NDArray[Any]:
    """Return a tensor's numbers. Errors: T507."""
    elem = elem_of(site, tensor)
    return np.ascontiguousarray(tensor.detach().cpu().numpy().astype(elem)).reshape(tuple(tensor.shape))
