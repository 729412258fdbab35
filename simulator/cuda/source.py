"""The text of the kernel that runs a program: a loop over ticks, in it a loop over points for each stage."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.cuda.arguments import asks
from thermoc.simulator.cuda.ports import COPIES, element
from thermoc.simulator.cuda.stages import Elements, PointRow, Stage, stages
from thermoc.simulator.instructions.declaration import Instruction
from thermoc.simulator.program import Bank, Program, once_a_program

BANKS = ("float_constants", "int_constants", "float_work", "int_work", "float_states", "int_states")
ARRAYS = (*BANKS, "float_inputs", "int_inputs", "float_outputs", "int_outputs", "table", "collision", "arrivals")
"""Arrays that the kernel is handed, before its numbers. arrivals: how often blocks have come to a barrier."""


class Number(IntEnum):
    """The numbers of a launch. SPREAD: whether all blocks share all samples; SHARE: samples of a block if not."""

    BATCH = 0
    TICKS = 1
    TIMED = 2
    KEY = 3
    FIRST_SAMPLE = 4
    FIRST_TICK = 5
    BEGUN = 6
    SPREAD = 7
    SHARE = 8


MEETING = """
def meet(spread, arrivals, arrived):
    if spread and cuda.gridDim.x > 1:
        cuda.syncthreads()
        if cuda.threadIdx.x == 0:
            cuda.threadfence()
            cuda.atomic.add(arrivals, 0, 1)
            while cuda.atomic.max(arrivals, 0, 0) < arrived:
                pass
            cuda.threadfence()
    cuda.syncthreads()
"""
"""The barrier of a block, or of all blocks: each adds one to ``arrivals`` and waits for as many as should be there."""
HEAD = """

def run({arrays}, numbers):
    batch, ticks, timed = numbers[{n.BATCH}], numbers[{n.TICKS}], numbers[{n.TIMED}]
    spread, key = numbers[{n.SPREAD}], np.uint64(numbers[{n.KEY}])
    thread, threads, low, high = cuda.grid(1), cuda.gridsize(1), 0, batch
    if not spread:
        thread, threads = cuda.threadIdx.x, cuda.blockDim.x
        low = cuda.blockIdx.x * numbers[{n.SHARE}]
        high = min(batch, low + numbers[{n.SHARE}])
    samples = high - low
    arrived = 0
    for tick in range(ticks):
        turn = numbers[{n.BEGUN}] + tick
        now = numbers[{n.FIRST_TICK}] + turn
"""
MEET = """
        arrived += cuda.gridDim.x
        meet(spread, arrivals, arrived)
"""


class KernelText(NamedTuple):
    """Source of a kernel, and the instructions whose functions it calls, each by ``called``."""

    text: str
    instructions: tuple[Instruction, ...]


class Widths(NamedTuple):
    """Elements of a sample, (floats, integers) each: work with scratch memory, states, inputs."""

    work: tuple[int, int]
    states: tuple[int, int]
    inputs: tuple[int, int]


def called(instruction: Instruction) -> str:
    """Return the name of an instruction's function in the text."""
    return f"do_{instruction.name.lower()}"


@once_a_program
def kernel_text(program: Program) -> KernelText:
    """Return the kernel of a program's structure; batch, ticks and seed are numbers of a launch."""
    return text_of(program, stages(program))


def text_of(program: Program, found: tuple[Stage, ...]) -> KernelText:
    """Return the kernel of some stages of a program."""
    writer = _Writer(program, found)
    body = "".join(writer.stage(number, stage) for number, stage in enumerate(found))
    used = {step.instruction.opcode: step.instruction for stage in found for step in stage.steps}
    functions = tuple(one for opcode, one in used.items() if opcode not in COPIES)
    return KernelText(MEETING + HEAD.format(arrays=", ".join(ARRAYS), n=Number) + body, functions)


@once_a_program
def widths(program: Program) -> Widths:
    """Return what a sample needs; scratch memory lies behind the work, one stage's after the other's."""
    floats, ints = program.first_states
    scratch = [(0, 0)]
    for stage in stages(program):
        step = stage.steps[0]
        points = step.instruction.points
        if points and step.instruction.rule is None:
            sizes = step.sizes, step.parameters
            scratch.append((points.floats(sizes[0], **sizes[1]), points.ints(sizes[0], **sizes[1])))
    work = program.work[0] + max(s[0] for s in scratch), program.work[1] + max(s[1] for s in scratch)
    return Widths(work, (floats.size, ints.size), program.widths[0])


class _Writer:
    """Writes stages; knows which values a later stage reads."""

    def __init__(self, program: Program, found: tuple[Stage, ...]):
        self._program, self._widths = program, widths(program)
        self._last_read = _last_read(program, found)
        self._index = self._table_end = program.places.size

    def stage(self, number: int, stage: Stage) -> str:
        points = stage.steps[0].points
        loop, indent = "", " " * 8
        if stage.steps[0].phases > 1:
            loop = f"{indent}for phase in range({stage.steps[0].phases}):\n"
            indent += " " * 4
        place = (
            f"s = low + p // {points}\n{indent}    i = p % {points}"
            if points > 1
            else f"s = low + p\n{indent}    i = 0"
        )
        loop += f"{indent}for p in range(thread, samples * {points}, threads):\n{indent}    {place}\n"
        values = dict[Elements, str]()
        for k, step in enumerate(stage.steps):
            for line in self._lines(step, values, f"v{k}", number):
                loop += f"{indent}    {line}\n"
        meet = MEET if stage.steps[0].phases == 1 else MEET.replace("\n        ", "\n" + " " * 12)
        return loop + meet.lstrip("\n")

    def _lines(self, step: PointRow, values: dict[Elements, str], name: str, number: int) -> Iterator[str]:
        copy = COPIES.get(step.instruction.opcode)
        if copy:
            size = max(step.sizes.n, step.sizes.x)
            kind = int(copy.integer)
            end = element(copy, step.parameters, size, (self._widths.inputs[kind], self._widths.states[kind]))
            if copy.writes:
                source = step.places[1]
                assert source is not None
                yield f"{end} = {self._element(source, values)}"
                return
            expression = end
        else:
            names = asks(step.instruction)
            if step.index.size:
                self._index, self._table_end = self._table_end, self._table_end + step.index.size
            arguments = (self._argument(step, argument, values) for argument in names)
            expression = f"{called(step.instruction)}({', '.join(arguments)})"
        if step.alone or step.result is None:
            yield expression
            return
        kind = "integer" if step.result.bank in (Bank.INT_WORK, Bank.INT_STATE) else "real"
        yield f"{name} = {kind}({expression})"
        if self._stored(step.result, number):
            yield f"{self._at(step.result)} = {name}"
        values[step.result] = name

    def _stored(self, place: Elements, number: int) -> bool:
        """True where a later stage reads a value, or it is a state."""
        last = self._last_read.get(place.bank)
        return last is None or last[place.first : place.first + place.size].max(initial=-1) > number

    def _element(self, place: Elements, values: dict[Elements, str]) -> str:
        return values.get(place) or self._at(place)

    def _first(self, place: Elements) -> str:
        """Return where in its bank a place of sample s begins."""
        if place.bank in (Bank.FLOAT_WORK, Bank.INT_WORK):
            return f"{place.first} * batch + s * {place.size}"
        if place.bank in (Bank.FLOAT_STATE, Bank.INT_STATE):
            return f"s * {self._widths.states[place.bank == Bank.INT_STATE]} + {place.first}"
        return f"{place.first}"

    def _at(self, place: Elements) -> str:
        return f"{BANKS[place.bank]}[{self._first(place)}{' + i' if place.size > 1 else ''}]"

    def _view(self, place: Elements | None, real: bool) -> str:
        if place is None:
            return f"{BANKS[0 if real else 1]}[0:0]"
        first = self._first(place)
        return f"{BANKS[place.bank]}[{first} : {first} + {place.size}]"

    def _argument(self, step: PointRow, name: str, values: dict[Elements, str]) -> str:
        operand, _, suffix = name.partition("_")
        places = dict(zip("rxyz", step.places))
        if name in step.parameters:
            return str(step.parameters[name])
        if name[:1] in places and name[1:] == "i":
            place = places[name[:1]]
            return self._element(place, values) if place else self._absent(step, name[:1])
        if operand in places and suffix == "given":
            return str(places[operand] is not None)
        if name in places:
            return self._view(places[name], real=self._is_real(step, name))
        if name == "parameters":
            return str(tuple(step.parameters.values()))
        return self._of_launch(name, step)

    def _is_real(self, step: PointRow, name: str) -> bool:
        kinds = dict(zip("rxyz", (step.instruction.result, *step.instruction.operands)))
        kind = kinds.get(name)
        return kind is None or kind.real

    def _absent(self, step: PointRow, name: str) -> str:
        return "real(0)" if self._is_real(step, name) else "integer(0)"

    def _of_launch(self, name: str, step: PointRow) -> str:
        width = self._widths
        states = [f"{BANKS[4 + k]}[s * {width.states[k]} : (s + 1) * {width.states[k]}]" for k in range(2)]
        scratch = []
        for k in range(2):
            own, all_of_it = self._program.work[k], width.work[k]
            begin = f"{own} * batch + s * {all_of_it - own}"
            scratch.append(f"{BANKS[2 + k]}[{begin} : {begin} + {all_of_it - own}]")
        kind = "float" if self._is_real(step, "r" if step.instruction.result else "x") else "int"
        table = {
            "i": "i",
            "s": "s",
            "count": str(step.points),
            "n": str(step.sizes.n if step.instruction.result else step.sizes.x),
            "phase": "phase" if step.phases > 1 else "0",
            "batch": "batch",
            "table": "table",
            "index": str(self._index),
            "constants": "float_constants",
            "like": "real(0)",
            "outputs": f"{kind}_outputs",
            "float_scratch": scratch[0],
            "int_scratch": scratch[1],
            "collision": "collision",
            "float_states": states[0],
            "int_states": states[1],
            "tick": "now",
            "turn": "turn",
            "position": f"NoisePosition(numbers[{Number.FIRST_SAMPLE:d}] + s, now, key)",
        }
        return table[name]


def _last_read(program: Program, found: tuple[Stage, ...]) -> dict[int, NDArray[np.int64]]:
    """Return for each element of the work the last stage that reads it, -1 for none."""
    last: dict[int, NDArray[np.int64]] = {
        bank: np.full(size, -1) for bank, size in zip((Bank.FLOAT_WORK, Bank.INT_WORK), program.work)
    }
    for number, stage in enumerate(found):
        for step in stage.steps:
            for operand in (*step.near, *step.far):
                if operand.bank in last:
                    last[operand.bank][operand.first : operand.first + operand.size] = number
    return last
