"""What users hold of a network while it is written: arithmetic, indices and NumPy's functions add ops."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np

from thermoc.ir.functions import call, refused
from thermoc.ir.indexing import indexed
from thermoc.ir.network_value import NO_NUMBER, NetworkValue
from thermoc.ir.numpy_calls import by_function, by_ufunc, product
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import Finding, ThermocError, caller


class Handle(NetworkValue):
    """A value of the network being written.

    ``+ - * / ** @``, comparisons, ``& | ~``, ``abs``, ``x[0]``, ``x[1:3]``, ``len`` and NumPy's functions work as
    on an array of one sample's shape; what has no op is refused with the function that does it. Errors: T103, T111.
    """

    __array_priority__ = 1000.0  # before NumPy's and SciPy's own arrays

    @property
    def initial(self) -> AnyArray | None:
        """The initial numbers of a parameter; None for every other value."""
        return self.builder.initial(self.value)

    @property
    def T(self) -> Handle:
        """The axes in reverse order."""
        return by_function(np.transpose, (self,), {})

    def reshape(self, *shape: Any) -> Handle:
        """Return the same elements under another shape; -1 is what is left."""
        return by_function(np.reshape, (self, *shape), {})

    def flatten(self) -> Handle:
        """Return the elements of one sample as a vector."""
        return call("core.flatten", self)

    def transpose(self, *axes: int) -> Handle:
        """Return the axes in another order, reversed where none is named."""
        return by_function(np.transpose, (self, axes) if axes else (self,), {})

    def sum(self, axis: Any = None, *, keepdims: bool = False) -> Handle:
        """Return the sum over axes."""
        return by_function(np.sum, (self, axis), {"keepdims": keepdims})

    def mean(self, axis: Any = None, *, keepdims: bool = False) -> Handle:
        """Return the mean over axes."""
        return by_function(np.mean, (self, axis), {"keepdims": keepdims})

    def max(self, axis: Any = None, *, keepdims: bool = False) -> Handle:
        """Return the largest over axes."""
        return by_function(np.max, (self, axis), {"keepdims": keepdims})

    def min(self, axis: Any = None, *, keepdims: bool = False) -> Handle:
        """Return the smallest over axes."""
        return by_function(np.min, (self, axis), {"keepdims": keepdims})

    def __matmul__(self, other: Any) -> Handle:
        return product(self, other)

    def __rmatmul__(self, other: Any) -> Handle:
        return product(other, self)

    # ----------------------------------------------------------------------------------------------------- elements

    def __getitem__(self, key: Any) -> Handle:
        return indexed(self, key)

    def __len__(self) -> int:
        if not self.shape:
            raise refused("a value without axes has no length", hint="its shape is (); nothing is to be counted")
        return self.shape[0]

    def __iter__(self) -> Iterator[Handle]:
        return iter([self[index] for index in range(len(self))])

    def __setitem__(self, key: Any, item: Any) -> NoReturn:
        raise refused(
            "elements of a value are not assigned", hint="tc.select(condition, a, b) chooses, tc.concat([...]) joins"
        )

    def __contains__(self, item: Any) -> NoReturn:
        raise refused(NO_NUMBER, hint='x == y compares element by element; tc.reduce(..., kind="max") joins')

    # ---------------------------------------------------------------------------------------------- NumPy's own calls

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return by_ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        return by_function(function, args, options)

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise refused(
            f"{NO_NUMBER}, and is no array",
            hint="functions of tc take it: tc.affine, tc.sparse_affine, tc.concat, ...; exe.run(...) gives arrays",
        )

    def __getattr__(self, name: str) -> NoReturn:
        # NumPy and SciPy probe for attributes of their own protocols: those must look absent in the ordinary way.
        if name.startswith("__") or not hasattr(np.ndarray, name):
            raise AttributeError(f"a value of a network has no {name!r}")
        method = f"numpy.{name}(x)" if hasattr(np, name) else "numpy's function of that name"
        what, hint = f"a value of a network has no method {name}", f"try {method}, or its op: see dir(tc)"
        raise NoMethod([Finding(code="T111", what=what, where=caller(), hint=hint)])


class NoMethod(ThermocError, AttributeError):
    """A method that arrays have and values do not; ``hasattr`` is false."""
