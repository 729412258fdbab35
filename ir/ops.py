"""How an op is stated: one frozen class with operands, attributes, results and traits.

Shapes are written in letters. ``"m n"`` is a matrix, ``""`` a scalar, ``"*s"`` any shape, ``"*s n"`` any shape that
ends in n; ``"~s"`` is a shape that broadcasts (NumPy's rule) into ``*s``. Equal letters are equal lengths. The
verifier, the shape inference, the builder and the printer all read these same declarations.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, TypeVar, cast, dataclass_transform

from thermoc.ir.types import DType, Role, Shape
from thermoc.ir.values import Array, Value
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import Location

STATEFUL = "stateful"
STOCHASTIC = "stochastic"
CONTINUOUS = "continuous-time"
CLOCKED = "clocked"
"""Its result follows the time, whatever goes in."""
EFFECTS = frozenset({STATEFUL, STOCHASTIC, CONTINUOUS, CLOCKED})
"""Traits of ops that are more than a function of their operands; without one of them an op is pure."""
VIEW = "view"
"""It only moves elements: each of the result is one of x."""
EXACT = "exact"
"""It moves, picks or compares numbers: nothing is rounded in it."""
ROUNDED_ONCE = "rounded-once"
"""It is rounded once, at the end, as IEEE 754 and the C library have it."""
COMPOUND = "compound"
"""It is computed in several roundings, as every op that sums is."""
RISING = "rising"
"""It is a number for all numbers, and falls with no operand: its range lies between what it makes of theirs."""
CURVED = "curved"
"""Its slope changes with its operands, so that it is linear in none."""
GENTLE = "gentle"
"""Of one operand: no two results lie further apart than what they are of, so that no error grows in it."""
STEEP = "steep"
"""Its slope has no bound, and so an error has none either."""
FORMS = frozenset({RISING, CURVED, GENTLE, STEEP})
"""Traits of elementwise ops, from which rules of passes follow."""


@dataclass(frozen=True, kw_only=True)
class OperandSpec:
    """A declared operand.

    ``kind`` is float, int, bool or any, or index: integers that stay in 32 bits where they are given so. ``uniform``
    forbids variation over the batch; ``constant`` asks for numbers that are known when the network is compiled.
    """

    shape: str
    role: Role | None = None
    kind: str = "float"
    optional: bool = False
    variadic: bool = False
    uniform: bool = False
    constant: bool = False
    default: float | None = None


@dataclass(frozen=True, kw_only=True)
class AttrSpec:
    """A declared attribute: a Python value known when the graph is built."""

    check: Check | None = None
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class ResultSpec:
    """A declared result. ``like`` names the operand whose dtype (and role, unless given) it takes."""

    shape: str
    role: Role | None = None
    dtype: DType | None = None
    like: str = ""


@dataclass(frozen=True)
class Check:
    """A named condition on an attribute."""

    text: str
    holds: Callable[[Any], bool]


positive = Check("a number > 0", lambda value: isinstance(value, int | float) and value > 0)
non_negative = Check("an integer >= 0", lambda value: _whole((value,), 0))
at_least_one = Check("an integer >= 1", lambda value: _whole((value,), 1))
all_positive = Check("a tuple of integers >= 1", lambda value: value != () and _whole(value, 1))
integers = Check("a tuple of integers", lambda value: _whole(value))
pairs = Check(
    "pairs (before, after) of integers >= 0",
    lambda value: isinstance(value, tuple) and all(_pair(item) for item in cast("tuple[Any, ...]", value)),
)


boolean = Check("true or false", lambda value: isinstance(value, bool))
array = Check("an array of numbers", lambda value: isinstance(value, Array) and DType.of(value.numpy.dtype) is not None)


def _whole(value: Any, low: int | None = None) -> bool:
    """Tell whether a value is a tuple of integers, none below ``low``."""
    if not isinstance(value, tuple):
        return False
    items = cast("tuple[Any, ...]", value)
    return all(type(item) is int and (low is None or item >= low) for item in items)  # True is an int, and none here


def _pair(value: Any) -> bool:
    return _whole(value, 0) and len(value) == 2


def one_of(*choices: str) -> Check:
    """Return the check that an attribute is one of ``choices``."""
    return Check(f"one of {', '.join(choices)}", lambda value: value in choices)


def operand(
    shape: str,
    *,
    role: Role | None = None,
    kind: str = "float",
    optional: bool = False,
    uniform: bool = False,
    constant: bool = False,
    default: float | None = None,
) -> Any:
    """Declare an operand; ``default`` is the constant the builder supplies when it is left out."""
    spec = OperandSpec(
        shape=shape, role=role, kind=kind, optional=optional, uniform=uniform, constant=constant, default=default
    )
    return field(default=None, metadata={"spec": spec}) if optional else field(metadata={"spec": spec})


def operands(shape: str, *, kind: str = "float") -> Any:
    """Declare a tuple of one or more operands of one shape pattern."""
    return field(metadata={"spec": OperandSpec(shape=shape, kind=kind, variadic=True)})


def attr(*, default: Any = dataclasses.MISSING, check: Check | None = None, unit: str = "") -> Any:
    """Declare an attribute."""
    return field(default=default, metadata={"spec": AttrSpec(check=check, unit=unit)})


def result(shape: str, *, role: Role | None = None, dtype: DType | None = None, like: str = "") -> Any:
    """Declare a result."""
    return field(metadata={"spec": ResultSpec(shape=shape, role=role, dtype=dtype, like=like)})


class ShapeProblem(Exception):
    """Shapes that do not fit an op: the statement and the facts."""

    def __init__(self, what: str, *notes: str):
        super().__init__(what)
        self.what, self.notes = what, notes


@dataclass(frozen=True)
class Problem:
    """What is wrong with an op's numbers: code, statement, facts, cure."""

    code: str
    what: str
    notes: tuple[str, ...] = ()
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Op:
    """One operation. Immutable; refers to other ops by the names of their results."""

    location: Location | None = field(default=None, compare=False, repr=False)

    opname: ClassVar[str] = ""
    traits: ClassVar[frozenset[str]] = frozenset()
    operand_specs: ClassVar[dict[str, OperandSpec]] = {}
    attr_specs: ClassVar[dict[str, AttrSpec]] = {}
    result_specs: ClassVar[dict[str, ResultSpec]] = {}
    instant: ClassVar[tuple[str, ...] | None] = None
    """Operands that reach a result within the tick; None means all. A cycle needs one that does not."""
    at_start: ClassVar[tuple[str, ...]] = ()
    """Operands of which ``problems`` also sees the first values, where they are states that start as constants."""

    def __post_init__(self) -> None:
        for name, enum in (("dtype", DType), ("role", Role)):
            if name in self.attr_specs:
                # A frozen dataclass is set through object; texts of files and calls become the enum in this one place.
                object.__setattr__(self, name, enum(getattr(self, name)))

    @classmethod
    def pure(cls) -> bool:
        """Tell whether the results are a function of the operands alone."""
        return not cls.traits & EFFECTS

    @classmethod
    def elementwise(cls) -> bool:
        """Tell from the shapes whether each element of a result needs the operands' elements in its place alone."""
        specs = (*cls.operand_specs.values(), *cls.result_specs.values())
        return all(spec.shape in ("*s", "~s") for spec in specs)

    @classmethod
    def prepare(cls, operands: dict[str, Any]) -> dict[str, Any]:
        """Return the operands of a call in the op's own form, where the builder accepts others too."""
        return operands

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterable[Problem]:
        """Return what is wrong with the operands that are constants; ``numbers`` holds those, all finite, by name."""
        return ()

    @classmethod
    def complete(cls, attrs: dict[str, Any], shapes: dict[str, Any]) -> dict[str, Any]:
        """Return the attributes of a call in full, from what was given and the operands' shapes.

        Where the builder lets a user write less (one number for all axes, a default), the op says here what it means.
        """
        return attrs

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape] | None:
        """Return result shapes from operand shapes where letters cannot say it, else None.

        Raises ShapeProblem where they do not fit.
        """
        return None

    def states(self) -> dict[str, Shape]:
        """Return the shape of each state of one sample; empty for an op without state."""
        return {}

    def state_ranges(self) -> dict[str, tuple[int, int]]:
        """Return the least and greatest value of those states that hold no others."""
        return {}

    @cached_property
    def operand_values(self) -> tuple[tuple[str, Value], ...]:
        """Pairs (operand name, value); a variadic operand comes as name[0], name[1], ..."""
        named: list[tuple[str, Value]] = []
        for name, spec in self.operand_specs.items():
            operand = getattr(self, name)
            if spec.variadic:
                named += [(f"{name}[{index}]", value) for index, value in enumerate(operand)]
            elif operand is not None:
                named.append((name, operand))
        return tuple(named)

    @cached_property
    def inputs(self) -> tuple[Value, ...]:
        """Every operand's value, in order."""
        return tuple(value for _, value in self.operand_values)

    @cached_property
    def instant_inputs(self) -> tuple[Value, ...]:
        """The operands that reach a result within the tick."""
        if self.instant is None:
            return self.inputs
        return tuple(value for name, value in self.operand_values if name.split("[")[0] in self.instant)

    @cached_property
    def results(self) -> tuple[Value, ...]:
        """Every result, in order."""
        return tuple(getattr(self, name) for name in self.result_specs)

    @property
    def attrs(self) -> dict[str, Any]:
        """Every attribute by name."""
        return {name: getattr(self, name) for name in self.attr_specs}

    def with_(self, **changes: Any) -> Op:
        """Return this op with some fields changed."""
        return dataclasses.replace(self, **changes)

    def renamed(self, names: Callable[[Value], Value]) -> Op:
        """Return this op with each operand replaced by ``names(operand)``; itself where none changes."""
        # The same object, because what was inferred of it is stored on it.
        if all(names(value) == value for value in self.inputs):
            return self
        changes: dict[str, Any] = {}
        for name, spec in self.operand_specs.items():
            operand = getattr(self, name)
            if spec.variadic:
                changes[name] = tuple(names(value) for value in operand)
            elif operand is not None:
                changes[name] = names(operand)
        return dataclasses.replace(self, **changes)


REGISTRY: dict[str, type[Op]] = {}
_T = TypeVar("_T", bound=type[Op])


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(operand, operands, attr, result))
def op(name: str) -> Callable[[_T], _T]:
    """Register a class as the op ``name`` and read its declarations."""

    def register(cls: _T) -> _T:
        frozen = dataclass(frozen=True, kw_only=True)(cls)
        specs = {item.name: item.metadata["spec"] for item in dataclasses.fields(frozen) if "spec" in item.metadata}
        frozen.opname = name
        frozen.operand_specs = {key: spec for key, spec in specs.items() if isinstance(spec, OperandSpec)}
        frozen.attr_specs = {key: spec for key, spec in specs.items() if isinstance(spec, AttrSpec)}
        frozen.result_specs = {key: spec for key, spec in specs.items() if isinstance(spec, ResultSpec)}
        # Files name ops by these texts: the second of two would read the first one's files.
        if name in REGISTRY:
            raise TypeError(f"op {name} is registered twice")
        REGISTRY[name] = frozen
        return frozen

    return register
