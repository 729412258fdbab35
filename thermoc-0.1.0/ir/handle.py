"""A value of a network while it is written: Python's arithmetic, indices and NumPy's functions add ops."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from thermoc.ir.types import Shape, Type
from thermoc.ir.values import Value
from thermoc.support.errors import Finding, ThermocError, caller, error

if TYPE_CHECKING:
    from thermoc.ir.builder import Builder


class Handle:
    """A value of the network being built.

    ``+ - * / ** @``, comparisons, ``& | ~``, ``abs``, ``x[0]``, ``x[1:3]``, ``len`` and NumPy's functions work as
    on an array of one sample's shape; what has no op is refused with the function that does it. Errors: T103, T111.
    """

    __array_priority__ = 1000.0  # before NumPy's and SciPy's own arrays
    __hash__ = object.__hash__

    def __init__(self, builder: Builder, value: Value):
        self.builder, self.value = builder, value

    @property
    def type(self) -> Type:
        """Shape, dtype and role."""
        return self.value.inferred

    @property
    def shape(self) -> Shape:
        """Shape of one sample."""
        return self.type.shape

    @property
    def ndim(self) -> int:
        """Number of axes of one sample."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements of one sample."""
        return self.type.size

    @property
    def dtype(self) -> np.dtype:
        """NumPy's dtype of the elements."""
        return self.type.dtype.numpy

    @property
    def T(self) -> Handle:
        """The axes in reverse order."""
        return self._numpy(np.transpose)

    def reshape(self, *shape: Any) -> Handle:
        """Return the same elements under another shape; -1 is what is left."""
        return self._numpy(np.reshape, *shape)

    def flatten(self) -> Handle:
        """Return the elements of one sample as a vector."""
        return call("core.flatten", self)

    def transpose(self, *axes: int) -> Handle:
        """Return the axes in another order, reversed where none is named."""
        return self._numpy(np.transpose, *([axes] if axes else []))

    def sum(self, axis: Any = None, *, keepdims: bool = False) -> Handle:
        """Return the sum over axes."""
        return self._numpy(np.sum, axis, keepdims=keepdims)

    def mean(self, axis: Any = None, *, keepdims: bool = False) -> Handle:
        """Return the mean over axes."""
        return self._numpy(np.mean, axis, keepdims=keepdims)

    def max(self, axis: Any = None, *, keepdims: bool = False) -> Handle:
        """Return the largest over axes."""
        return self._numpy(np.max, axis, keepdims=keepdims)

    def min(self, axis: Any = None, *, keepdims: bool = False) -> Handle:
        """Return the smallest over axes."""
        return self._numpy(np.min, axis, keepdims=keepdims)

    def _numpy(self, function: Any, *args: Any, **options: Any) -> Handle:
        from thermoc.ir.numpy_calls import by_function

        return by_function(function, (self, *args), options)

    def __repr__(self) -> str:
        return f"{self.value}: {self.type}"

    # ------------------------------------------------------------------------------------------------- arithmetic

    def __add__(self, other: Any) -> Handle:
        return call("core.add", self, other)

    def __radd__(self, other: Any) -> Handle:
        return call("core.add", other, self)

    def __sub__(self, other: Any) -> Handle:
        return call("core.sub", self, other)

    def __rsub__(self, other: Any) -> Handle:
        return call("core.sub", other, self)

    def __mul__(self, other: Any) -> Handle:
        return call("core.mul", self, other)

    def __rmul__(self, other: Any) -> Handle:
        return call("core.mul", other, self)

    def __truediv__(self, other: Any) -> Handle:
        return call("core.div", self, other)

    def __rtruediv__(self, other: Any) -> Handle:
        return call("core.div", other, self)

    def __floordiv__(self, other: Any) -> NoReturn:
        raise refused("// and % have no op", hint="tc.floor(x / y), and x - tc.floor(x / y) * y, to rounding")

    __rfloordiv__ = __mod__ = __rmod__ = __floordiv__

    def __pow__(self, other: Any) -> Handle:
        return call("core.pow", self, other)

    def __rpow__(self, other: Any) -> Handle:
        return call("core.pow", other, self)

    def __matmul__(self, other: Any) -> Handle:
        from thermoc.ir.numpy_calls import product

        return product(self, other)

    def __rmatmul__(self, other: Any) -> Handle:
        from thermoc.ir.numpy_calls import product

        return product(other, self)

    def __neg__(self) -> Handle:
        return call("core.neg", self)

    def __pos__(self) -> Handle:
        return self

    def __abs__(self) -> Handle:
        return call("core.abs", self)

    def __floor__(self) -> Handle:
        return call("core.floor", self)

    def __ceil__(self) -> Handle:
        return -call("core.floor", -self)

    # ------------------------------------------------------------------------------------------ comparisons, logic

    def __lt__(self, other: Any) -> Handle:
        return call("core.less", self, other)

    def __le__(self, other: Any) -> Handle:
        return call("core.less_equal", self, other)

    def __gt__(self, other: Any) -> Handle:
        return call("core.greater", self, other)

    def __ge__(self, other: Any) -> Handle:
        return call("core.greater_equal", self, other)

    def __eq__(self, other: Any) -> Handle:  # type: ignore[override]
        return call("core.equal", self, other) if _comparable(other) else NotImplemented

    def __ne__(self, other: Any) -> Handle:  # type: ignore[override]
        return call("core.not", call("core.equal", self, other)) if _comparable(other) else NotImplemented

    def __and__(self, other: Any) -> Handle:
        return call("core.and", self, other)

    def __rand__(self, other: Any) -> Handle:
        return call("core.and", other, self)

    def __or__(self, other: Any) -> Handle:
        return call("core.or", self, other)

    def __ror__(self, other: Any) -> Handle:
        return call("core.or", other, self)

    def __invert__(self) -> Handle:
        return call("core.not", self)

    # ----------------------------------------------------------------------------------------------------- elements

    def __getitem__(self, key: Any) -> Handle:
        from thermoc.ir.indexing import indexed

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

    # --------------------------------------------------------------------------------------- NumPy, and plain numbers

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        from thermoc.ir.numpy_calls import by_ufunc

        return by_ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        from thermoc.ir.numpy_calls import by_function

        return by_function(function, args, options)

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise refused(
            f"{NO_NUMBER}, and is no array",
            hint="functions of tc take it: tc.affine, tc.sparse_affine, tc.concat, ...; exe.run(...) gives arrays",
        )

    def __bool__(self) -> NoReturn:
        raise refused(
            "a value of a network has no truth value while it is written",
            hint="tc.select(condition, a, b) in place of if; & | ~ in place of and, or, not",
        )

    def __float__(self) -> NoReturn:
        raise refused(NO_NUMBER, hint="tc.exp, tc.tanh, ... in place of math.exp, ...; exe.run(...) gives numbers")

    __int__ = __index__ = __complex__ = __float__

    def __round__(self, digits: int | None = None) -> NoReturn:
        raise refused(NO_NUMBER, hint="tc.floor(x + 0.5) rounds")

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__") or not hasattr(np.ndarray, name):
            raise AttributeError(f"a value of a network has no {name!r}")
        method = f"numpy.{name}(x)" if hasattr(np, name) else "numpy's function of that name"
        what, hint = f"a value of a network has no method {name}", f"try {method}, or its op: see dir(tc)"
        raise NoMethod([Finding(code="T111", what=what, where=caller(), hint=hint)])


class NoMethod(ThermocError, AttributeError):
    """A method that arrays have and values do not; ``hasattr`` is false."""


NO_NUMBER = "a value of a network has no numbers while it is written"


def refused(what: str, *, hint: str, notes: tuple[str, ...] = ()) -> ThermocError:
    """Return the error of what Python can do with numbers and arrays, and not with values of a network: T111."""
    return error("T111", what, where=caller(), notes=notes, hint=hint)


def call(opname: str, *operands: Any, **attrs: Any) -> Any:
    """Add an op to the network being built and return its result. Errors: T103, T104, T111."""
    from thermoc.ir.builder import FUNCTIONS

    return FUNCTIONS[opname](*operands, **attrs)


def _comparable(other: Any) -> bool:
    """Tell whether ``==`` means the op: against None or a text it is Python's own."""
    return isinstance(other, Handle | int | float | np.ndarray | np.generic | list | tuple)
