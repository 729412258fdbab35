"""Collects slots, constants, tables and rows of code: what the op table writes into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thermoc.ir.dialects.core import Constant
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.parameters import ParameterCone
from thermoc.ir.types import Type
from thermoc.ir.values import Value
from thermoc.simulator import Bank, ProgramParameter, ProgramPort, ProgramState
from thermoc.simulator.instructions import Instruction
from thermoc.simulator.instructions.loihi import LOIHI_SPREAD
from thermoc.simulator.instructions.moves import GATHER
from thermoc.simulator.instructions.spiking import SPREAD
from thermoc.simulator.kernels.gibbs.layout import PackedPlaces
from thermoc.simulator.program import narrow
from thermoc.support.errors import error


class ProgramWriter:
    """The program being written. ``row`` adds an instruction, ``table`` a table of places."""

    def __init__(self, graph: Graph, real: np.dtype, cone: ParameterCone):
        """cone: what is computed of parameters is stored as constants are, with a note of where."""
        self.graph, self.real = graph, real
        self.cone, self.known = cone, cone.values({})
        self.parameters: list[ProgramParameter] = []
        self.code: list[list[int]] = []
        self.slots: list[tuple[int, int, int]] = []
        self.constants: dict[Bank, list[NDArray]] = {Bank.FLOAT_CONSTANT: [], Bank.INT_CONSTANT: []}
        self.tables: list[NDArray] = []
        self.used = dict.fromkeys(Bank, 0)
        self.ports: dict[str, dict[str, ProgramPort]] = {}
        self.states: dict[str, ProgramState] = {}
        self.listed: frozenset[str] = frozenset()
        self._table_length = 0
        self._slot_of: dict[str, int] = {}
        self._list_of: dict[str, int] = {}

    def slot(self, value: Value) -> int:
        """Return a value's slot; a constant's elements are stored, and a list spread, when first asked for."""
        if value.name not in self._slot_of:
            source = self.graph.producers[value.name]
            if value.name in self.known:
                self._slot_of[value.name] = self._parameter(value)
            elif isinstance(source, Constant):
                self._slot_of[value.name] = self.constant(source.value.numpy)
            else:
                self._slot_of[value.name] = self.work(value.inferred)
            # Some readers want every unit's number: the list is spread for them once.
            if value.name in self.listed:
                spread = SPREAD if value.dtype.is_float else LOIHI_SPREAD
                self.row(spread, self._slot_of[value.name], (self.list_slot(value),))
        return self._slot_of[value.name]

    def list_slot(self, value: Value) -> int:
        """Return the slot of a listed value's list: how many units fired, and which."""
        if value.name not in self._list_of:
            self._list_of[value.name] = self._new(Bank.INT_WORK, value.size + 1)
        return self._list_of[value.name]

    def put(self, value: Value, slot: int) -> None:
        """Let a value be in this slot."""
        self._slot_of[value.name] = slot

    def state_slot(self, op: Op, name: str) -> int:
        """Return a new slot that is a state of an op itself."""
        state = self.states[f"{op.results[0].name}.{name}"]
        self.slots.append((Bank.INT_STATE if state.integer else Bank.FLOAT_STATE, state.offset, state.size))
        return len(self.slots) - 1

    def state_offset(self, op: Op, name: str) -> int:
        """Return where a state of an op itself stands among the states of its kind."""
        return self.states[f"{op.results[0].name}.{name}"].offset

    def work(self, type_: Type) -> int:
        """Return a new slot of a sample's own."""
        bank = Bank.FLOAT_WORK if type_.dtype.is_float else Bank.INT_WORK
        return self._new(bank, type_.size)

    def constant(self, array: NDArray) -> int:
        """Return a new slot that holds these numbers."""
        integer = array.dtype.kind != "f"
        bank = Bank.INT_CONSTANT if integer else Bank.FLOAT_CONSTANT
        self.constants[bank].append(array.reshape(-1).astype(np.int64 if integer else self.real, copy=False))
        return self._new(bank, array.size)

    def couplings(self, value: Value, elements: NDArray[np.int64], at: PackedPlaces | None) -> int:
        """Return a new slot that holds couplings computed of parameters, in a row or packed; its other elements stay 0.

        elements: where the couplings stand in the array.
        """
        if at is None:
            return self._parameter(value, elements, zero_elsewhere=True)
        places = np.full(at.size, -1, np.int64)
        places[at.places] = elements
        return self._parameter(value, places, zero_elsewhere=True)

    def _parameter(self, value: Value, places: NDArray[np.int64] | None = None, *, zero_elsewhere: bool = False) -> int:
        """Return a new slot that holds what is computed of parameters, or its elements at these places."""
        array = self.known[value.name]
        stretch = ProgramParameter(
            name=self.cone.title(value.name),
            shape=array.shape,
            integer=array.dtype.kind != "f",
            offset=self.used[Bank.FLOAT_CONSTANT if array.dtype.kind == "f" else Bank.INT_CONSTANT],
            places=places,
            zero_elsewhere=zero_elsewhere,
        )
        self.parameters.append(stretch)
        return self.constant(stretch.elements(array))

    def arranged(self, value: Value, index: NDArray[np.integer]) -> int:
        """Return a slot that holds value[index], 0 where the index is -1: made now from a constant, else by a row."""
        source = self.graph.producers[value.name]
        if value.name in self.known:
            return self._parameter(value, np.ascontiguousarray(index, np.int64))
        if isinstance(source, Constant):
            numbers = source.value.numpy.reshape(-1)
            # Index -1 is the zero at the end.
            return self.constant((np.append(numbers, 0) if index.min(initial=0) < 0 else numbers)[index])
        slot = self.work(value.inferred.with_(shape=index.shape))
        self.row(GATHER, slot, (self.slot(value),), at=self.table(index))
        return slot

    def _new(self, bank: Bank, size: int) -> int:
        self.slots.append((bank, self.used[bank], size))
        self.used[bank] += size
        return len(self.slots) - 1

    def table(self, places: ArrayLike) -> int:
        """Store places; return where they start."""
        array = narrow(np.asarray(places).reshape(-1))
        self.tables.append(array)
        self._table_length += array.size
        return self._table_length - array.size

    def row(self, instruction: Instruction, result: int, operands: Sequence[int] = (), **parameters: int) -> None:
        """Add a row; result and operands are slots, -1 where there is none."""
        self.code.append(instruction.row(result, operands, **parameters))

    def numbers(self, op: Any, name: str) -> NDArray:
        """Return the array of an operand that must be constant. Errors: T301."""
        if name == "initial" and op.initial.name in self.known:
            return self.known[op.initial.name]
        source = self.graph.producers[getattr(op, name).name]
        if isinstance(source, Constant):
            return source.value.numpy
        what = f"target 'sim' needs a constant {name} in {op.opname} ({op.results[0]})"
        raise error("T301", what, where=op.location, notes=[f"it comes from {source.opname}"])
