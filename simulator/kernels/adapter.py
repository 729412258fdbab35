"""From a kernel to the function (line, frame) that runs its rows: arguments are handed over by their names.

A kernel is plain Python, named by an instruction. What it may ask for, besides ``r x y z`` (each an ``RowOperand``) and
the instruction's parameters by their names (or all of them as ``parameters``), stands in ``FROM_FRAME``.
"""

from __future__ import annotations

import importlib
import inspect
from collections import namedtuple
from collections.abc import Callable, Iterator
from typing import Any

from numba import njit
from numpy import uint64

from thermoc.simulator.instructions.declaration import Instruction, SlotKind
from thermoc.simulator.kernels import elementwise, operands, scalar

scalar.load()

FROM_FRAME = {
    "samples": "word(frame, FrameNumber.SAMPLES)",
    "table": "tables(line, frame)",
    "constants": "float_array(frame, FrameArray.FLOAT_CONSTANT)",
    "scratch": "float_array(frame, FrameArray.FLOAT_SCRATCH)",
    "halt": "int_array(frame, FrameArray.HALT)",
    "float_states": "float_samples(frame, FrameArray.FLOAT_STATE, FrameNumber.STATES)",
    "int_states": "int_samples(frame, FrameArray.INT_STATE, FrameNumber.INT_STATES)",
    "tick": "word(frame, FrameNumber.TICK0) + word(frame, FrameNumber.TICK)",
    "turn": "word(frame, FrameNumber.BEGUN) + word(frame, FrameNumber.TICK)",
    "position": "NoisePosition(word(frame, FrameNumber.SAMPLE0) + word(frame, FrameNumber.START), "
    "word(frame, FrameNumber.TICK0) + word(frame, FrameNumber.TICK), uint64(word(frame, FrameNumber.KEY)))",
    "run": "LoopPosition(word(frame, FrameNumber.START), word(frame, FrameNumber.TICK), "
    "word(frame, FrameNumber.TICKS), word(frame, FrameNumber.BATCH), word(frame, FrameNumber.TIMED))",
}
"""samples: of the block. turn: ticks that the states have behind them, which places a ring. halt: set to end early."""
OF_ITS_KIND = {
    True: {
        "inputs": "float_samples(frame, FrameArray.FLOAT_INPUT, FrameNumber.INPUTS)",
        "outputs": "float_array(frame, FrameArray.FLOAT_OUTPUT)",
        "ring": FROM_FRAME["float_states"],
    },
    False: {
        "inputs": "int_samples(frame, FrameArray.INT_INPUT, FrameNumber.INT_INPUTS)",
        "outputs": "int_array(frame, FrameArray.INT_OUTPUT)",
        "ring": FROM_FRAME["int_states"],
    },
}
"""Ports of floats, and of integers."""
OPERAND_NAMES = ("r", "x", "y", "z")


def kernel_of(instruction: Instruction) -> Callable[..., Any]:
    """Return the plain function that an instruction names, or the loop around its rule."""
    if instruction.rule is not None:
        return elementwise.loop(instruction.rule, len(instruction.operands))
    return named(instruction.kernel)


def named(path: str) -> Callable[..., Any]:
    """Return a function by its module and name within ``simulator.kernels``."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(f"thermoc.simulator.kernels.{module}"), name)


def row_function(instruction: Instruction) -> tuple[Callable[..., None], str]:
    """Return the function (line, frame) of an instruction, to be compiled, and its text."""
    kernel = kernel_of(instruction)
    names = list(inspect.signature(kernel).parameters)
    steps = [f"    {name} = {_expression(instruction, name)}" for name in names]
    name = f"{instruction.name.lower()}_row"
    text = "\n".join([f"def {name}(line, frame):", *steps, f"    kernel({', '.join(names)})"])
    # a call of fifteen loose words could be typed wrongly in each of eighty functions; the signature cannot be
    values = {**vars(operands), "uint64": uint64, "__name__": kernel.__module__}
    values["kernel"] = njit(kernel, error_model="numpy", nogil=True, inline="always")
    values["Parameters"] = namedtuple("Parameters", instruction.parameters)
    exec(compile(text, f"<{name}>", "exec"), values)
    return values[name], text


def _expression(instruction: Instruction, name: str) -> str:
    """Return how an argument of a kernel is read from (line, frame)."""
    slots, parameters = dict(_slots(instruction)), list(instruction.parameters)
    data = next(iter(slots.values()), SlotKind.INTS)
    if name in parameters:
        return f"word(line, {operands.NUMBERS + parameters.index(name)})"
    if name == "parameters":
        words = (f"word(line, {operands.NUMBERS + k})" for k in range(len(parameters)))
        return f"Parameters({', '.join(words)})"
    if name in slots:
        reader = "floats" if slots[name].real else "integers"
        return f"{reader}(line, frame, {OPERAND_NAMES.index(name)})"
    operand, _, scratch = name.partition("_")
    if operand in slots and scratch == "scratch":
        bank = "float_array(frame, FrameArray.FLOAT_" if slots[operand].real else "int_array(frame, FrameArray.INT_"
        return f"{bank}SCRATCH)"
    return (FROM_FRAME | OF_ITS_KIND[data.real])[name]


def _slots(instruction: Instruction) -> Iterator[tuple[str, SlotKind]]:
    kinds = (instruction.result, *instruction.operands)
    return ((name, kind) for name, kind in zip(OPERAND_NAMES, kinds) if kind is not None)
