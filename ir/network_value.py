"""A value of a network while it is written: what it is, and Python's arithmetic on it, which adds ops."""

from __future__ import annotations

from typing import Any, NoReturn, Self

import numpy as np

from thermoc.ir.functions import OpenNetwork, call, refused
from thermoc.ir.types import Shape, Type
from thermoc.ir.values import Value

NO_NUMBER = "a value of a network has no numbers while it is written"


class NetworkValue:
    """A value of the network being written, with the operators of Python's numbers.

    What users hold is ``Handle``, which adds NumPy's functions and indices to it.
    """

    __hash__ = object.__hash__  # == adds an op, so values are told apart by identity

    def __init__(self, builder: OpenNetwork, value: Value):
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
    def dtype(self) -> np.dtype[Any]:
        """NumPy's dtype of the elements."""
        return self.type.dtype.numpy

    def __repr__(self) -> str:
        return f"{self.value}: {self.type}"

    # ------------------------------------------------------------------------------------------------- arithmetic

    def __add__(self, other: Any) -> Self:
        return call("core.add", self, other)

    def __radd__(self, other: Any) -> Self:
        return call("core.add", other, self)

    def __sub__(self, other: Any) -> Self:
        return call("core.sub", self, other)

    def __rsub__(self, other: Any) -> Self:
        return call("core.sub", other, self)

    def __mul__(self, other: Any) -> Self:
        return call("core.mul", self, other)

    def __rmul__(self, other: Any) -> Self:
        return call("core.mul", other, self)

    def __truediv__(self, other: Any) -> Self:
        return call("core.div", self, other)

    def __rtruediv__(self, other: Any) -> Self:
        return call("core.div", other, self)

    def __floordiv__(self, other: Any) -> NoReturn:
        raise refused("// and % have no op", hint="tc.floor(x / y), and x - tc.floor(x / y) * y, to rounding")

    __rfloordiv__ = __mod__ = __rmod__ = __floordiv__

    def __pow__(self, other: Any) -> Self:
        return call("core.pow", self, other)

    def __rpow__(self, other: Any) -> Self:
        return call("core.pow", other, self)

    def __neg__(self) -> Self:
        return call("core.neg", self)

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Self:
        return call("core.abs", self)

    def __floor__(self) -> Self:
        return call("core.floor", self)

    def __ceil__(self) -> Self:
        return -call("core.floor", -self)

    # ------------------------------------------------------------------------------------------ comparisons, logic

    def __lt__(self, other: Any) -> Self:
        return call("core.less", self, other)

    def __le__(self, other: Any) -> Self:
        return call("core.less_equal", self, other)

    def __gt__(self, other: Any) -> Self:
        return call("core.greater", self, other)

    def __ge__(self, other: Any) -> Self:
        return call("core.greater_equal", self, other)

    def __eq__(self, other: Any) -> Any:  # type: ignore[override]
        return call("core.equal", self, other) if _comparable(other) else NotImplemented

    def __ne__(self, other: Any) -> Any:  # type: ignore[override]
        return call("core.not", call("core.equal", self, other)) if _comparable(other) else NotImplemented

    def __and__(self, other: Any) -> Self:
        return call("core.and", self, other)

    def __rand__(self, other: Any) -> Self:
        return call("core.and", other, self)

    def __or__(self, other: Any) -> Self:
        return call("core.or", self, other)

    def __ror__(self, other: Any) -> Self:
        return call("core.or", other, self)

    def __invert__(self) -> Self:
        return call("core.not", self)

    # ----------------------------------------------------------------------------------------------- plain numbers

    # An if on a value would otherwise be decided once, while the network is written.
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


def _comparable(other: object) -> bool:
    """Tell whether ``==`` means the op: against None or a text it is Python's own."""
    return isinstance(other, NetworkValue | int | float | np.ndarray | np.generic | list | tuple)
