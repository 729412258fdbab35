"""What an ATen operator's function is given, and the table it enters."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.onnx import axes
from thermoc.frontends.onnx.site import Site
from thermoc.frontends.onnx.tensor import BATCH, OTHER_BATCH, Tensor, known
from thermoc.frontends.onnx.walk import Scope, apply

OPSET = 22
"""The version of the standard's operators that ATen's are read as: known to every onnx that thermoc takes."""


@dataclass(kw_only=True)
class Aten:
    """The graph that is built, and what the operator being read gives: dtypes and shapes, one an output."""

    site: Site
    elems: tuple[np.dtype[Any], ...] = ()
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """The numbers of parameters, by the names of their values."""

    def __call__(self, kind: str, *inputs: Any, outputs: int = 1, **attrs: Any) -> Any:
        """Return what an operator of ONNX gives: a tensor, or a tuple of them. Numbers are taken as int64 tensors."""
        from onnx import helper

        tensors = {f"x{i}": _tensor(x) for i, x in enumerate(inputs) if x is not None}
        names = [f"x{i}" if x is not None else "" for i, x in enumerate(inputs)]
        node = helper.make_node(kind, names, [f"y{i}" for i in range(outputs)], **attrs)
        result = apply(self.site, node, Scope(tensors=ChainMap(tensors), opset=OPSET))
        return result[0] if outputs == 1 else result

    @property
    def name(self) -> str:
        """The operator's name without its namespace and overload."""
        return self.site.kind.removeprefix("aten.").partition(".")[0]

    @property
    def elem(self) -> np.dtype[Any]:
        """The dtype of the first output."""
        return self.elems[0]

    def number(self, value: Any, elem: Any = None) -> Tensor:
        """Return a Python number, or a tensor, as a tensor of a dtype, which is the first output's."""
        elem = np.dtype(self.elem if elem is None else elem)
        if isinstance(value, Tensor):
            return self.cast(value, elem)
        return known(np.asarray(_plain(value), elem), np.asarray(_plain(value, other=True), elem))

    def frozen(self, x: Tensor | None) -> Tensor | None:
        """Return a parameter as the numbers it has: for operators that must know them."""
        array = None if x is None or x.handle is None else self.arrays.get(x.handle.value.name)
        return x if array is None else known(array)

    def cast(self, x: Tensor, elem: Any) -> Tensor:
        """Return a tensor in another dtype."""
        from onnx import helper

        elem = np.dtype(elem)
        return x if x.elem == elem else self("Cast", x, to=helper.np_dtype_to_tensor_dtype(elem))

    def reshape(self, x: Tensor, shape: Sequence[int]) -> Tensor:
        """Return a tensor in another shape."""
        return self("Reshape", x, integers(shape), allowzero=1) if tuple(shape) != x.shape else x

    def axes(self, x: Tensor, dims: Any) -> list[int]:
        """Return axes from 0 on; all where none are named."""
        if dims is None or dims == []:
            return list(range(x.rank))
        listed = [dims] if isinstance(dims, int) else dims
        return [axes.axis_of(self.site, int(axis), max(x.rank, 1)) for axis in listed] if x.rank else []


@dataclass(frozen=True, kw_only=True)
class Joined:
    """A tensor whose axes before the last are read as one, the batch not the first of them.

    So attention gives its steps and samples to a linear map, and takes them apart again; samples never meet.
    """

    tensor: Tensor
    shape: tuple[int, ...]


def integers(values: Sequence[int]) -> Tensor:
    """Return known integers, among which may be lengths of the batch."""
    lengths = [int(value) for value in values]
    return known(np.asarray(lengths, np.int64), np.asarray([_other(n) for n in lengths], np.int64))


def _other(length: int) -> int:
    return length // BATCH * OTHER_BATCH if length >= BATCH and length % BATCH == 0 else length


def _plain(value: Any, other: bool = False) -> Any:
    return _other(value) if other and isinstance(value, int) and not isinstance(value, bool) else value


def _tensor(value: Any) -> Tensor:
    return value if isinstance(value, Tensor) else integers(value) if isinstance(value, list | tuple) else known(value)


Results = Any
Function = Callable[..., Results]
ATEN: dict[str, Function] = {}
"""Functions by the operator's name, ``relu``, or that of one of its overloads, ``pow.Scalar``."""


def aten(*names: str) -> Callable[[Function], Function]:
    """Enter a function into the table; it takes the reading, then operands by the names of ATen's schema."""

    def enter(function: Function) -> Function:
        for name in names:
            if name in ATEN:
                raise TypeError(f"aten.{name} is entered twice")
            ATEN[name] = function
        return function

    return enter


def find(operator: Any) -> Function | None:
    """Return the function of an operator of torch; None where it has none."""
    namespace, _, name = str(getattr(operator, "_name", "")).partition("::")
    if namespace != "aten":
        return None
    return ATEN.get(name.replace(".default", "")) or ATEN.get(name.partition(".")[0])
