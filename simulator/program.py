"""A program: one tick of a network as flat arrays, the simulator's only input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import IntEnum, StrEnum
from functools import cached_property
from math import prod
from typing import TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.instructions.declaration import Trait
from thermoc.simulator.instructions.gibbs import GIBBS_WORDS, REPLICAS
from thermoc.simulator.instructions.registry import INSTRUCTIONS, opcodes
from thermoc.simulator.instructions.spiking import LONGEST_REST, words
from thermoc.support.bundle import bundle_bytes
from thermoc.support.errors import error

KIND = "thermoc program"
VERSION = 3
T = TypeVar("T")


class Bank(IntEnum):
    """Where a slot lives: constants are one for all samples, work is one a sample, and so are states, which last."""

    FLOAT_CONSTANT = 0
    INT_CONSTANT = 1
    FLOAT_WORK = 2
    INT_WORK = 3
    FLOAT_STATE = 4
    INT_STATE = 5


@dataclass(frozen=True, kw_only=True)
class ProgramPort:
    """An input or output: its name, its type, and its place in the packed floats (or integers) of a sample."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    offset: int

    @cached_property
    def integer(self) -> bool:
        """True where it travels among the integers."""
        return np.dtype(self.dtype).kind != "f"

    @cached_property
    def size(self) -> int:
        """Number of elements of a sample."""
        return prod(self.shape)


class Form(StrEnum):
    """How a state is stored: a delay's ring of values, a ring of lists of the units that are 1, one value in place,
    a ring of sums that an op adds to, or whole numbers of 16 bits in place, four a word."""

    RING = "ring"
    LISTS = "lists"
    PLACE = "place"
    SUMS = "sums"
    COUNTS = "counts"


@dataclass(frozen=True, kw_only=True)
class ProgramState:
    """What lasts from tick to tick: ``ticks`` values; ``initial`` (ticks, *shape) is where it starts."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    ticks: int
    offset: int
    initial: NDArray
    form: Form = Form.RING

    @cached_property
    def integer(self) -> bool:
        """True where it lives among the integers."""
        return self.form in (Form.LISTS, Form.COUNTS) or np.dtype(self.dtype).kind != "f"

    @cached_property
    def width(self) -> int:
        """Number of elements of one value; a list has one more, for its length."""
        if self.form == Form.COUNTS:
            return words(prod(self.shape))
        return prod(self.shape) + (self.form == Form.LISTS)

    @cached_property
    def size(self) -> int:
        """Number of elements of a sample."""
        return self.ticks * self.width

    @cached_property
    def first(self) -> NDArray:
        """One sample's elements at the start, flat."""
        return self.elements(self.initial[np.newaxis])[0]

    def elements(self, values: NDArray) -> NDArray:
        """Return values (batch, ticks, *shape) as elements (batch, ticks * width)."""
        if self.form == Form.COUNTS:
            counts = np.zeros((len(values), self.ticks, 4 * self.width), np.uint16)
            counts[..., : prod(self.shape)] = np.clip(np.ceil(values), 0, LONGEST_REST).reshape(*counts.shape[:2], -1)
            return counts.view(np.int64).reshape(len(values), -1)
        if self.form != Form.LISTS:
            return values.reshape(len(values), -1)
        lists = np.zeros((len(values), self.ticks, self.width), np.int64)
        flat = values.reshape(len(values), self.ticks, -1)
        for at in np.ndindex(*flat.shape[:2]):
            units = np.flatnonzero(flat[at])
            lists[(*at, 0)], lists[(*at, slice(1, 1 + len(units)))] = len(units), units
        return lists.reshape(len(values), -1)

    def values(self, elements: NDArray) -> NDArray:
        """Return elements (batch, ticks * width) as values (batch, ticks, *shape)."""
        lead = (len(elements), self.ticks)
        if self.form == Form.COUNTS:
            counts = np.ascontiguousarray(elements).view(np.uint16).reshape(*lead, 4 * self.width)
            return counts[..., : prod(self.shape)].reshape(*lead, *self.shape).astype(self.dtype)
        if self.form != Form.LISTS:
            return elements.reshape(*lead, *self.shape)
        lists, dense = elements.reshape(*lead, self.width), np.zeros((*lead, self.width - 1), self.dtype)
        for at in np.ndindex(*lead):
            dense[(*at, lists[(*at, slice(1, 1 + lists[(*at, 0)]))])] = 1
        return dense.reshape(*lead, *self.shape)


@dataclass(frozen=True, kw_only=True)
class ProgramParameter:
    """A stretch of a bank of constants that holds elements of a named array: those at ``places``, 0 where it is -1.

    places: None for all, in order. zero_elsewhere: the array is 0 where it is at no place, as couplings are.
    """

    name: str
    shape: tuple[int, ...]
    integer: bool
    offset: int
    places: NDArray[np.int64] | None = None
    zero_elsewhere: bool = False

    @cached_property
    def size(self) -> int:
        """Number of elements of the stretch."""
        return prod(self.shape) if self.places is None else self.places.size

    def elements(self, array: NDArray) -> NDArray:
        """Return what the stretch holds of an array."""
        flat = array.reshape(-1)
        # Index -1 is the zero at the end.
        return flat if self.places is None else np.append(flat, 0)[self.places.reshape(-1)]

    def check(self, array: NDArray) -> None:
        """Refuse an array of another shape, or with elements where there must be none. Errors: T418."""
        if array.shape != self.shape:
            notes = [f"it is {list(array.shape)}", f"the program's is {list(self.shape)}"]
            raise error("T418", f"parameter {self.name!r} has another shape", notes=notes)
        if not self.zero_elsewhere or np.count_nonzero(array) == np.count_nonzero(self.elements(array)):
            return
        outside = array.reshape(-1).astype(bool)
        outside[self.places[self.places >= 0] if self.places is not None else []] = False
        index = [int(k) for k in np.unravel_index(int(np.flatnonzero(outside)[0]), array.shape)]
        notes = [f"{self.name}{index} = {array[tuple(index)]}", "it was 0 when the network was compiled"]
        hint = "compile with couplings that are not 0 wherever one may come to be"
        raise error("T418", f"parameter {self.name!r} couples units that were not coupled", notes=notes, hint=hint)


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """One tick as rows of ``code`` (see ``instructions``), run in order for each sample. Two are equal if they are one.

    slots: (n, 3) rows (bank, offset, size). floats, ints: the constants. table: places, for the opcodes that move
    elements, in 32 or 64 bits. precision: "float64" or "float32". work: elements of a sample, (floats, integers).
    """

    name: str
    dt: float
    precision: str
    code: NDArray[np.int64]
    slots: NDArray[np.int64]
    floats: NDArray
    ints: NDArray[np.int64]
    table: NDArray[np.int32] | NDArray[np.int64]
    work: tuple[int, int]
    inputs: tuple[ProgramPort, ...]
    outputs: tuple[ProgramPort, ...]
    states: tuple[ProgramState, ...]
    parameters: tuple[ProgramParameter, ...] = ()
    """Where named arrays stand among the constants; an array may stand there more than once."""

    @cached_property
    def structure(self) -> Program:
        """The program that this one came from by ``with_parameters``: all of it but the numbers is shared."""
        return self

    def with_parameters(self, arrays: Mapping[str, NDArray], starts: Mapping[str, NDArray] | None = None) -> Program:
        """Return the program with other numbers in some parameters; nothing is compiled for it.

        starts: other initial values (ticks, *shape) of states. Errors: T418 for a name or shape it does not have.
        """
        floats, ints = self.floats.copy(), self.ints.copy()
        unknown = arrays.keys() - {parameter.name for parameter in self.parameters}
        if unknown:
            notes = [f"its parameters are {sorted({parameter.name for parameter in self.parameters})}"]
            raise error("T418", f"the program has no parameter {min(unknown)!r}", notes=notes)
        for parameter in self.parameters:
            if parameter.name in arrays:
                array = np.asarray(arrays[parameter.name])
                parameter.check(array)
                bank = ints if parameter.integer else floats
                bank[parameter.offset : parameter.offset + parameter.size] = parameter.elements(array)
        first = starts or {}
        states = tuple(replace(s, initial=first[s.name]) if s.name in first else s for s in self.states)
        return self.with_numbers(floats, ints, states)

    def with_numbers(self, floats: NDArray, ints: NDArray, states: tuple[ProgramState, ...]) -> Program:
        """Return the program with other constants, and with states that start elsewhere."""
        new = object.__new__(Program)
        # What was derived of the structure holds for it too; first states may not.
        new.__dict__.update(self.__dict__, floats=floats, ints=ints, states=states, structure=self.structure)
        new.__dict__.pop("first_states", None)
        return new

    totals: tuple[ProgramPort, ...] = ()
    """Outputs that are summed over the ticks of a run, and below those of which mean and variance are taken: no file
    has any (``wanted_outputs``)."""
    moments: tuple[ProgramPort, ...] = ()

    @cached_property
    def first_states(self) -> tuple[NDArray, NDArray]:
        """One sample's states at the start, (floats, integers), flat."""
        floats = [state.first for state in self.states if not state.integer]
        ints = [state.first.astype(np.int64) for state in self.states if state.integer]
        return np.concatenate([*floats, np.empty(0, self.precision)]), np.concatenate([*ints, np.empty(0, np.int64)])

    @cached_property
    def places(self) -> NDArray:
        """The table in 32 bits where it fits."""
        return narrow(self.table)

    @cached_property
    def widths(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Number of elements of a sample's inputs and of its outputs, each (floats, integers)."""

        def width(ports: tuple[ProgramPort, ...], integer: bool) -> int:
            return sum(port.size for port in ports if port.integer == integer)

        inputs, outputs = self.inputs, self.outputs
        return (width(inputs, False), width(inputs, True)), (width(outputs, False), width(outputs, True))

    @cached_property
    def widest(self) -> int:
        """Number of elements of the largest result of the kernels that need scratch memory beside it."""
        rows = self.code[np.isin(self.code[:, 0], opcodes(Trait.SCRATCH))]
        return int(self.slots[rows[:, 1], 2].max(initial=0))

    @cached_property
    def replicas(self) -> bool:
        """True where samples share words of noise, 64 at a time, so that they are best run together."""
        rows = self.code[self.code[:, 0] == GIBBS_WORDS.opcode]
        return bool((rows[:, GIBBS_WORDS.column("form")] & REPLICAS > 0).any())

    @cached_property
    def effort(self) -> int:
        """Number of elements that a tick of one sample touches, roughly; each sweep counts its units anew."""
        rows = self.code[np.isin(self.code[:, 0], opcodes(Trait.SWEEPS))].tolist()
        updates = sum(int(self.slots[row[1], 2]) * INSTRUCTIONS[row[0]].values(row)["sweeps"] for row in rows)
        return int(self.floats.size + sum(self.work) + updates)

    @property
    def stochastic(self) -> bool:
        """True where the seed matters."""
        return bool(np.isin(self.code[:, 0], opcodes(Trait.RANDOM)).any())

    @cached_property
    def tails(self) -> tuple[int, int]:
        """Number of elements that a sample has behind its outputs, (floats, integers): totals, then moments."""
        totals = [sum(port.size for port in self.totals if port.integer == kind) for kind in (False, True)]
        return totals[0] + sum(2 * port.size + 1 for port in self.moments), totals[1]

    def to_bytes(self) -> bytes:
        """Return the program as the content of a file."""
        arrays = {"code": self.code, "slots": self.slots, "floats": self.floats, "ints": self.ints, "table": self.table}
        arrays |= {f"state.{i}": state.initial for i, state in enumerate(self.states)}
        arrays |= {
            f"parameter.{i}.places": parameter.places
            for i, parameter in enumerate(self.parameters)
            if parameter.places is not None
        }
        document = {
            "name": self.name,
            "dt": self.dt,
            "precision": self.precision,
            "work": self.work,
            "inputs": [asdict(port) for port in self.inputs],
            "outputs": [asdict(port) for port in self.outputs],
            "states": [{k: v for k, v in asdict(state).items() if k != "initial"} for state in self.states],
        }
        if self.parameters:
            document["parameters"] = [
                {k: v for k, v in asdict(parameter).items() if k != "places" and (v or k != "zero_elsewhere")}
                for parameter in self.parameters
            ]
        return bundle_bytes(kind=KIND, version=VERSION, document=document, arrays=arrays)


def narrow(integers: NDArray) -> NDArray:
    """Return integers in 32 bits where they fit, which is half as much to hold and to read, else in 64."""
    if integers.dtype == np.int32:
        return integers
    fits = integers.size == 0 or (integers.max() < 2**31 and integers.min() >= -(2**31))
    return integers.astype(np.int32 if fits else np.int64, copy=False)


def once_a_program(derive: Callable[[Program], T]) -> Callable[[Program], T]:
    """Let what is derived from a program's structure be worked out once, and forgotten with it."""
    # programs compare by identity: to hash their arrays would cost more than it saves
    memo: WeakKeyDictionary[Program, T] = WeakKeyDictionary()

    def get(program: Program) -> T:
        structure = program.structure
        if structure not in memo:
            memo[structure] = derive(structure)
        return memo[structure]

    get.known = memo  # pyright: ignore[reportFunctionMemberAccess]
    return get
