"""What the compiler must know of each op stands in a table, or the table refuses the op by name: none goes unseen."""

from __future__ import annotations

import importlib
import pkgutil
from typing import ClassVar

import numpy as np
import pytest

import thermoc
from thermoc.ir.dialects import core
from thermoc.ir.op_table import TABLES, OpTable
from thermoc.ir.ops import (
    COMPOUND,
    CONTINUOUS,
    CURVED,
    EXACT,
    FORMS,
    GENTLE,
    REGISTRY,
    RISING,
    ROUNDED_ONCE,
    STATEFUL,
    STEEP,
    Op,
    op,
    operand,
    result,
)
from thermoc.ir.reference import evaluate
from thermoc.ir.types import DType, Role, Type
from thermoc.ir.values import Value
from thermoc.passes.analysis.error_bounds import ERRORS
from thermoc.passes.analysis.intervals import INTERVALS
from thermoc.passes.analysis.linearity import LINEAR
from thermoc.support.errors import ThermocError

OFFERED = ("RISING", "CURVED", "GENTLE or STEEP")
KNOWERS = ("thermoc.ir", "thermoc.passes", "thermoc.certificates", "thermoc.backends.chip", "thermoc.backends.lava")


def _import_all(package: str) -> None:
    """Import every module of a package, so that its tables are in TABLES."""
    top = importlib.import_module(package)
    for module in pkgutil.walk_packages(top.__path__, f"{package}."):
        if ".package" not in module.name:  # the part of Lava's backend that runs in Lava's own interpreter
            importlib.import_module(module.name)


for _package in KNOWERS:
    _import_all(_package)
OURS = [cls for cls in REGISTRY.values() if cls.__module__.startswith("thermoc.")]


@pytest.fixture
def toy() -> type[Op]:
    """An elementwise op of continuous time that no table knows."""

    @op("test.toy")
    class Toy(Op):
        x: Value = operand("*s")
        y: Value = result("*s")

        traits: ClassVar = frozenset({CONTINUOUS})

    del REGISTRY["test.toy"]
    return Toy


def missing(classes: list[type[Op]]) -> list[str]:
    return [line for table in TABLES for line in table.missing(classes)]


def test_every_table_knows_every_op():
    lines = missing(OURS)
    assert not lines, "\n".join(lines)


def test_a_new_op_is_missed_by_each_table_which_says_what_to_add_where(toy: type[Op]):
    lines = missing([toy])
    assert len(lines) == len(TABLES)
    for table, line in zip(TABLES, lines):
        start = f"test.toy: add Toy to {table.where}, with {table.what}, or with a reason to its refused"
        assert line.removeprefix(start) in ("", *(f"; or state in the class the trait {form}" for form in OFFERED))
        file, name = table.where.split(" ")[0], table.where.split("(")[1].split(")")[0].split(",")[0]
        source = (importlib.resources.files(thermoc).parent / file).read_text()
        assert name in source, f"{file} has no {name}"


def test_a_pass_that_meets_it_refuses_it_and_says_the_same(toy: type[Op]):
    value = Value("x")
    for table in TABLES:
        with pytest.raises(ThermocError, match=r"T220: test.toy states no") as caught:
            table.find(toy(x=value, y=Value("y")))
        assert f"add Toy to {table.where}" in str(caught.value)


def test_elementwise_ops_say_how_they_are_rounded():
    """What is elementwise and pure sums nothing, so that its roundings do not follow from its shapes."""
    silent = [
        cls.opname
        for cls in OURS
        if cls.elementwise()
        and cls.pure()
        and cls.result_specs
        and len(cls.traits & {EXACT, ROUNDED_ONCE, COMPOUND}) != 1
    ]
    assert not silent, f"give {silent} one of the traits EXACT, ROUNDED_ONCE, COMPOUND of ir/ops.py"


def odd_operands(cls: type[Op]) -> tuple[Op, list[np.ndarray]]:
    """An elementwise op of 2,000 elements, and numbers of each sign and many sizes that rise from place to place."""
    rng = np.random.default_rng(11)
    numbers, operands = {}, {}
    for name, spec in cls.operand_specs.items():
        made = np.sort(np.concatenate((rng.normal(size=1000), rng.uniform(-40, 40, size=1000))))
        numbers[name] = made > 0 if spec.kind == "bool" else made
        operands[name] = Value(name, Type(DType.bool if spec.kind == "bool" else DType.f64, made.shape, Role.signal))
    y = Value("y", Type(DType.f64, (2000,), Role.signal))
    return cls(**operands, y=y), list(numbers.values())


def made_of(op: Op, numbers: list[np.ndarray]) -> np.ndarray:
    return evaluate(op, dict(zip(op.inputs, numbers)))[0].astype(float)


@pytest.mark.parametrize("cls", [cls for cls in OURS if cls.traits & FORMS], ids=lambda cls: cls.opname)
def test_what_an_op_states_of_its_form_is_so(cls: type[Op]):
    """A trait that is wrong would make bounds wrong, silently."""
    assert cls.elementwise() and cls.pure()
    assert not {GENTLE, STEEP} <= cls.traits and not (GENTLE in cls.traits and len(cls.operand_specs) > 1)
    if cls.__module__ != core.__name__:  # activations have a temperature, which must be above 0, and rules of their own
        assert cls.traits & FORMS == {CURVED}
        return
    op, numbers = odd_operands(cls)
    y = made_of(op, numbers)
    if RISING in cls.traits:
        assert (np.diff(y) >= 0).all()  # NaN would fail here too
        assert all(
            (made_of(op, [*numbers[:k], np.roll(x, 1), *numbers[k + 1 :]])[1:] <= y[1:]).all()
            for k, x in enumerate(numbers)
        )
    if GENTLE in cls.traits:
        assert (np.abs(np.diff(y)) <= np.diff(numbers[0]) * (1 + 1e-9) + 1e-12).all()
    if CURVED in cls.traits:
        middle = made_of(op, [(x + x[::-1]) / 2 for x in numbers])
        assert (np.abs(middle - (y + y[::-1]) / 2) > 1e-3)[
            np.isfinite(y) & np.isfinite(y[::-1])
        ].any() or STEEP in cls.traits


def test_a_new_op_may_state_its_form_in_place_of_entries():
    """Rule for ranges, rule for errors and linearity then follow; refusals by class and trait come first."""

    @op("test.softplus")
    class Softplus(Op):
        x: Value = operand("*s")
        y: Value = result("*s")

        traits: ClassVar = frozenset({COMPOUND, RISING, CURVED, GENTLE})

    @op("test.kept")
    class Kept(Softplus):
        traits: ClassVar = frozenset({STATEFUL, RISING, CURVED, GENTLE})

    del REGISTRY["test.softplus"], REGISTRY["test.kept"]
    assert not missing([Softplus])
    new, kept = (cls(x=Value("x"), y=Value("y")) for cls in (Softplus, Kept))
    assert INTERVALS.find(new) is INTERVALS.find(core.Exp(x=Value("x"), y=Value("y"))) is not None
    assert ERRORS.find(new) is ERRORS.find(core.Abs(x=Value("x"), y=Value("y"))) is not None
    assert LINEAR.find(new) is None and LINEAR.reason(new) == "its slope changes with its operands"
    assert ERRORS.find(kept) is None and Kept not in ERRORS


def test_a_refusal_may_follow_from_a_trait_or_a_dialect_and_outside_its_scope_a_table_is_silent():
    table = OpTable(
        what="a thing",
        where="nowhere",
        entries={core.Neg: 1},
        refused={STATEFUL: "it keeps a state", "core": "of core", core.Abs: "itself"},
        scope=lambda cls: cls is not core.Tanh,
    )
    TABLES.remove(table)
    x, y = Value("x"), Value("y")
    assert (table.find(core.Neg(x=x, y=y)), table.reason(core.Neg(x=x, y=y))) == (1, "")
    assert (table.find(core.Abs(x=x, y=y)), table.reason(core.Abs(x=x, y=y))) == (None, "itself")
    assert table.reason(core.Delay(x=x, initial=x, y=y)) == "it keeps a state"
    assert table.reason(core.Sin(x=x, y=y)) == "of core"
    assert (table.find(core.Tanh(x=x, y=y)), table.reason(core.Tanh(x=x, y=y))) == (None, "")
    with pytest.raises(TypeError, match=r"core\.neg have a thing and are refused"):
        OpTable(what="a thing", where="nowhere", entries={core.Neg: 1}, refused={core.Neg: "no"})
