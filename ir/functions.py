"""Python functions that add ops to the network being written: ``tc.affine(x, W, b)`` adds a ``core.affine``."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import keyword
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Protocol, cast

import numpy as np

from thermoc.ir import dialects  # noqa: F401  # pyright: ignore[reportUnusedImport]  (registers the ops)
from thermoc.ir.ops import REGISTRY, Op, OperandSpec
from thermoc.ir.types import DType, Role, Shape
from thermoc.ir.values import Value
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import Location, ThermocError, caller, error

THERMAL_ENERGY = "kT"
"""What papers call a temperature where it stands for an energy: with k_B = 1 it is ``T``, and taken as that."""


class OpenNetwork(Protocol):
    """What functions ask of the network being written: ``ir/builder.py`` is the one there is.

    Handles stand here as Any: they are made of these functions, and so come after them.
    """

    name: str

    def add(
        self, cls: type[Op], operands: dict[str, Any], attrs: dict[str, Any], name: str | None = None
    ) -> tuple[Any, ...]:
        """Append one op and return its results."""
        ...

    def constant(
        self,
        item: Any,
        spec: OperandSpec,
        dtype: DType,
        where: Location | None,
        who: str,
        name: str | None = None,
    ) -> Any:
        """Append a constant and return it."""
        ...

    def array(self, item: Any, spec: OperandSpec, dtype: DType, where: Location | None, who: str) -> AnyArray:
        """Return numbers as an array of the dtype the operand wants."""
        ...

    def initial(self, value: Value) -> AnyArray | None:
        """Return the initial numbers of a parameter; None for every other value."""
        ...

    def layer(self, name: str | None) -> str:
        """Return the name of a layer."""
        ...

    def placeholder(self, shape: Shape, dtype: DType, role: Role) -> Any:
        """Return a value that ``connect`` will define."""
        ...

    def connect(self, placeholder: Any, value: Any) -> None:
        """Let ``value`` stand wherever ``placeholder`` was used."""
        ...


# Of the context and not global: networks may be written in several threads at once.
CURRENT: ContextVar[OpenNetwork | None] = ContextVar("thermoc_builder", default=None)


def current(what: str) -> OpenNetwork:
    """Return what the innermost ``with tc.Network(...)`` writes to. Errors: T111 outside one."""
    network = CURRENT.get()
    if network is None:
        raise error(
            "T111",
            f"{what} is called outside a network",
            where=caller(),
            hint='write it inside "with tc.Network(...):"',
        )
    return network


def function(cls: type[Op]) -> Callable[..., Any]:
    """Return the Python function that adds one op of this class: operands first, attributes by keyword.

    A temperature is ``T`` in every op; ``kT=`` is taken as the same number.
    """
    signature = _signature(cls)

    def call(*args: Any, **kwargs: Any) -> Any:
        network = current(cls.opname)
        if THERMAL_ENERGY in kwargs and "T" in signature.parameters and "T" not in kwargs:
            kwargs["T"] = kwargs.pop(THERMAL_ENERGY)
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as reason:
            raise error("T111", f"{cls.opname}: {reason}", where=caller(), hint=f"{call.__name__}{signature}") from None
        # Inputs and outputs have an attribute of this name; for every other op it names the result.
        name = bound.arguments.pop("name", None) if "name" not in cls.attr_specs else None
        operands = {key: item for key, item in bound.arguments.items() if key in cls.operand_specs}
        attrs = {key: _attribute(item) for key, item in bound.arguments.items() if key in cls.attr_specs}
        results = network.add(cls, operands, attrs, name)
        return results[0] if len(results) == 1 else results or None

    short = cls.opname.split(".")[1]
    call.__name__ = call.__qualname__ = short + "_" * keyword.iskeyword(short)
    call.__doc__ = cls.__doc__
    call.__signature__ = signature  # type: ignore[attr-defined]
    return call


def _signature(cls: type[Op]) -> inspect.Signature:
    parameter = inspect.Parameter
    parameters = [
        parameter(
            name,
            parameter.POSITIONAL_OR_KEYWORD,
            default=parameter.empty if spec.default is None and not spec.optional else spec.default,
        )
        for name, spec in cls.operand_specs.items()
    ]
    for name in cls.attr_specs:
        stated = cls.__dataclass_fields__[name].default
        # Left out, the builder gives each op a stream that no other has.
        default = None if name == "stream" else parameter.empty if stated is dataclasses.MISSING else stated
        # A dtype or role is passed by its text, and is shown so.
        default = default.value if isinstance(default, enum.Enum) else default
        parameters.append(parameter(name, parameter.KEYWORD_ONLY, default=default))
    if "name" not in cls.attr_specs:
        parameters.append(parameter("name", parameter.KEYWORD_ONLY, default=None))
    return inspect.Signature(parameters)


def _attribute(item: Any) -> Any:
    """Return an attribute without NumPy's scalars, which would print and compare unlike Python's numbers."""
    if isinstance(item, (list, tuple)):
        return tuple(_attribute(entry) for entry in cast("list[Any]", item))
    return cast("np.generic[Any]", item).item() if isinstance(item, np.generic) else item


FUNCTIONS: dict[str, Callable[..., Any]] = {name: function(cls) for name, cls in REGISTRY.items()}


def call(opname: str, *operands: Any, **attrs: Any) -> Any:
    """Add an op to the network being written and return its result. Errors: T103, T104, T111."""
    return FUNCTIONS[opname](*operands, **attrs)


def refused(what: str, *, hint: str, notes: tuple[str, ...] = ()) -> ThermocError:
    """Return the error of what Python can do with numbers and arrays, and not with values of a network: T111."""
    return error("T111", what, where=caller(), notes=notes, hint=hint)
