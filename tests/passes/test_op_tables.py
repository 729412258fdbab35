"""What the compiler must know of each op stands in a table, or the table refuses the op by name: none goes unseen."""

from __future__ import annotations

import importlib
import pkgutil
from typing import ClassVar

import pytest

import thermoc
from thermoc.ir.dialects import core
from thermoc.ir.op_table import TABLES, OpTable
from thermoc.ir.ops import COMPOUND, CONTINUOUS, EXACT, REGISTRY, ROUNDED_ONCE, STATEFUL, Op, op, operand, result
from thermoc.ir.values import Value
from thermoc.support.errors import ThermocError

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
    lines = missing([*OURS, toy])
    assert len(lines) == len(TABLES)
    for table, line in zip(TABLES, lines):
        assert line == (f"test.toy: add Toy to {table.where}, with {table.what}, or with a reason to its refused")
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
