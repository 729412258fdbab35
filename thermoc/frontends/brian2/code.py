"""A block of Brian2's code: its statements as Brian2's own generator makes them, carried out on terms."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.brian2 import algebra, calls
from thermoc.frontends.brian2.algebra import Term
from thermoc.frontends.brian2.expressions import Reader
from thermoc.frontends.brian2.gather import take
from thermoc.frontends.brian2.variables import Store

OPERATIONS = {"+=": "add", "-=": "sub", "*=": "mul", "/=": "div"}


@dataclass(kw_only=True)
class Block:
    """The code of one object, resolved: statements once a tick, then statements of all its units at once."""

    scalar: tuple[Any, ...]
    vector: tuple[Any, ...]
    variables: dict[str, Any]
    indices: dict[str, str]
    size: int
    """Units, or synapses, that the code runs over."""
    free_writes: frozenset[str] = frozenset()
    """Conditions of writing, such as not_refractory, that this code does not heed."""
    domain: NDArray | None = None
    """Which units of the variables those are, where not all."""

    @property
    def statements(self) -> tuple[Any, ...]:
        """All statements, in order."""
        return (*self.scalar, *self.vector)

    def writes(self) -> Iterator[Any]:
        """Yield the state variables that the block writes to."""
        for statement in self.statements:
            variable = self.variables.get(statement.var)
            if statement.op != ":=" and not statement.subexpression and hasattr(variable, "get_value"):
                yield variable

    def condition_of(self, name: str) -> str | None:
        """Return the name of the truth without which a variable is not written to."""
        condition = getattr(self.variables.get(name), "conditional_write", None)
        return None if condition is None or condition.name in self.free_writes else condition.name

    def places(self, name: str) -> NDArray | None:
        """Return where a variable's elements for each unit of the block stand; None: in the same order."""
        index = self.indices.get(name, "_idx")
        if index == "_idx":
            return self.domain
        places = np.asarray(self.variables[index].get_value()).astype(np.int64)
        return places if self.domain is None else places[self.domain]


def block_of(item: Any, size: int, *, domain: NDArray | None = None) -> Block | None:
    """Return the block of a prepared object; None where it has no code."""
    from brian2.codegen.translation import make_statements  # pyright: ignore[reportMissingTypeStubs]

    code = item.codeobj
    if code is None or not item.abstract_code.strip():
        return None
    scalar, vector = make_statements(item.abstract_code, code.variables, np.float64, optimise=True, blockname="")
    return Block(
        scalar=tuple(scalar),
        vector=tuple(vector),
        variables=dict(code.variables),
        indices=dict(code.variable_indices),
        size=size,
        free_writes=frozenset(item.override_conditional_write or ()),
        domain=domain,
    )


Write = Callable[["CodeRun", Any, Term], None]


@dataclass(kw_only=True)
class CodeRun:
    """A block being carried out in a tick."""

    store: Store
    block: Block
    clock: Any
    when: Callable[[], Term | None] = lambda: None
    """Tells which units it runs for, None for all; asked where a statement needs it."""
    shared_write: Write | None = None
    """Writes to a variable of which several units of the block share an element."""
    local: dict[str, Term] = field(default_factory=dict)
    in_scalar: bool = False

    @property
    def mask(self) -> Term | None:
        """Which units the code runs for, None for all."""
        return self.when()

    def all(self) -> None:
        """Carry out every statement."""
        self.in_scalar = True
        for statement in self.block.scalar:
            self._statement(statement)
        self.in_scalar = False
        for statement in self.block.vector:
            self._statement(statement)

    # ---------------------------------------------------------------------------------------------------- statements

    def _statement(self, statement: Any) -> None:
        self.store.site.code = f"{statement.var} {statement.op} {statement.expr}"
        variable = self.block.variables.get(statement.var)
        stored = hasattr(variable, "get_value") and not statement.subexpression
        if statement.op == ":=" or not stored:
            self._assign_local(statement)
        elif self._is_shared(statement.var):
            assert self.shared_write is not None
            self.shared_write(self, statement, self.value(statement))
        else:
            self._assign(statement, variable)

    def _assign_local(self, statement: Any) -> None:
        value = self.value(statement)
        if statement.op not in (":=", "="):
            value = algebra.apply(OPERATIONS[statement.op], self.name(statement.var), value)
        self.local[statement.var] = value

    def _is_shared(self, name: str) -> bool:
        index = self.block.indices.get(name, "_idx")
        return index not in ("_idx", "0") and not getattr(self.block.variables[index], "unique", False)

    def _assign(self, statement: Any, variable: Any) -> None:
        value, name = self.value(statement), statement.var
        if statement.op != "=":
            value = algebra.apply(OPERATIONS[statement.op], self.name(name), value)
        condition = self.block.condition_of(name)
        mask = algebra.both(self._wide_mask(variable), None if condition is None else self.name(condition))
        self.put(variable, name, value, mask)

    def _wide_mask(self, variable: Any) -> Term | None:
        """Return for which units this runs; of a shared variable, whether in this tick."""
        return self.store.active(self.clock) if variable.scalar else self.mask

    def put(self, variable: Any, name: str, value: Term, mask: Term | None) -> None:
        """Write a value of the block's units into their elements of a variable, where the mask holds."""
        old = self.store.read(variable)
        if variable.scalar:
            self.store.write(variable, value if mask is None else algebra.select(mask, value, old))
            return
        places, size = self.block.places(name), variable.size
        if places is None or (len(places) == size and np.array_equal(places, np.arange(size))):
            new = algebra.spread(value if mask is None else algebra.select(mask, value, old), size)
            self.store.write(variable, new)
            return
        back = np.zeros(size, np.int64)
        back[places] = np.arange(len(places))
        inside = np.isin(np.arange(size), places)
        moved = take(algebra.spread(value, self.block.size), back, self.store.cache)
        where: Term = inside
        if mask is not None:
            where = algebra.both(inside, take(algebra.spread(mask, self.block.size), back, self.store.cache))
        self.store.write(variable, algebra.select(where, moved, old))

    # ----------------------------------------------------------------------------------------------------- expressions

    def value(self, statement: Any) -> Term:
        """Return the value of a statement's expression."""
        reader = Reader(self.store.site, self.name, self.call)
        flags = statement.used_boolean_variables
        # As Brian2's NumPy code does: the expression as it is where the one truth in it holds, and where not.
        if flags is not None and len(flags) == 1 and _is_float(statement) and _shorter(statement):
            cases = {bool(key[0][1]): text for key, text in statement.boolean_simplified_expressions.items()}
            return algebra.select(
                algebra.truth(self.name(flags[0])), reader.read(cases[True]), reader.read(cases[False])
            )
        return reader.read(statement.expr)

    def name(self, name: str) -> Term:
        """Return what a name stands for. Errors: T508."""
        if name in self.local:
            return self.local[name]
        if name in ("True", "False", "inf", "pi", "e") and name not in self.block.variables:
            return {"True": True, "False": False, "inf": np.inf, "pi": np.pi, "e": np.e}[name]
        variable = self.block.variables.get(name)
        if variable is None or not hasattr(variable, "get_value"):
            raise self.store.site.refuse(f"{name!r} has no value that a network can hold")
        if "Constant" in {kind.__name__ for kind in type(variable).__mro__}:
            return np.asarray(variable.get_value())[()]
        return self.element(name, variable)

    def element(self, name: str, variable: Any) -> Term:
        """Return the elements of a variable, one a unit of the block."""
        full = self.store.read(variable)
        if self.block.indices.get(name, "_idx") == "0" or variable.scalar:
            return full
        places = self.block.places(name)
        return full if places is None else take(full, places, self.store.cache)

    def call(self, name: str, nodes: list[ast.expr], read: Callable[[ast.expr], Term]) -> Term:
        """Return what a call gives."""
        shape = () if self.in_scalar else (self.block.size,)
        function = self.block.variables.get(name)
        return calls.result(self.store, function, name, [read(node) for node in nodes], shape, self.clock)


def _is_float(statement: Any) -> bool:
    return np.dtype(statement.dtype).kind == "f"


def _shorter(statement: Any) -> bool:
    return statement.complexity_std > sum(statement.complexities.values())
