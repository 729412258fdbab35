"""The functions that run rows: one an instruction, compiled when a program first needs it, and kept on disk."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from thermoc.simulator.cache import KernelCache, announce, folder, keep, quiet
from thermoc.simulator.instructions.declaration import Instruction, Trait
from thermoc.simulator.instructions.registry import BY_NAME, INSTRUCTIONS
from thermoc.simulator.kernels.adapter import kernel_of, row_function
from thermoc.simulator.kernels.interpreter import run_lines

# those that this process may use: taskset or a cluster's scheduler may leave it fewer than there are
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
ALONE = 4.0
"""Seconds of compiling from which on another process helps: it takes one to start."""
Signature = tuple[str, int]
"""Precision of the floats and bytes of a number of the tables."""


_LOOP = keep(njit(run_lines, error_model="numpy", nogil=True))
_ADDRESSES: dict[tuple[str, Signature], int] = {}


def addresses(opcodes: Sequence[int], real: np.dtype, places: np.dtype) -> NDArray[np.int64]:
    """Return the address of the function of each opcode, 0 where it has none; compile those that are missing."""
    signature = (real.name, places.itemsize)
    needed = {op: INSTRUCTIONS[op] for op in sorted({*opcodes}) if Trait.ALONE not in INSTRUCTIONS[op].traits}
    new = [instruction for instruction in needed.values() if _key(instruction.name, signature) not in _ADDRESSES]
    if new:
        _compile(new, signature)
    address = {op: _ADDRESSES[_key(instruction.name, signature)] for op, instruction in needed.items()}
    return np.array([address.get(op, 0) for op in opcodes], np.int64)


@cache
def loop() -> Callable[[int, int], None]:
    """Return the loop over blocks, ticks and lines: a function of the addresses of lines and of a frame."""
    words = types.CPointer(types.int64)
    # called by its address: a dispatcher looks at each argument anew, which takes longer than a small network
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(_compiled(_LOOP, (words, words)))


def _compiled(dispatcher: Any, arguments: tuple[Any, ...]) -> int:
    """Return the address of a function for some types; whoever calls it must keep the dispatcher."""
    dispatcher.compile(arguments)
    compiled = dispatcher.overloads[arguments]
    return compiled.library.get_pointer_to_function(compiled.fndesc.llvm_cfunc_wrapper_name)


@cache
def _dispatcher(name: str) -> Any:
    function, text = row_function(BY_NAME[name])
    compiled = njit(function, error_model="numpy", nogil=True)
    rule = BY_NAME[name].rule
    made_of = (row_function.__module__, kernel_of(BY_NAME[name]).__module__, *([rule.__module__] if rule else []))
    return keep(compiled, text=text, made_of=made_of)


def _compile(instructions: Sequence[Instruction], signature: Signature) -> None:
    """Load or compile functions; where that takes long, say so and share it among processes."""
    missing = [instruction for instruction in instructions if not _kept(instruction, signature)]
    seconds = sum(instruction.seconds for instruction in missing)
    helpers = _helpers(missing, signature) if seconds >= ALONE and folder() is not None else []
    if seconds >= 1:
        announce("what this network needs of the simulator", seconds / (1 + len(helpers)) + len(helpers) * 0.5)
    try:
        with quiet():
            mine = missing[:: 1 + len(helpers)]
            compile_instructions([instruction.name for instruction in mine], signature)
            for helper in helpers:
                helper.wait()
            # all of them: what helpers compiled is read from the cache, what they failed at is compiled here
            compile_instructions([instruction.name for instruction in instructions], signature)
    finally:
        for helper in helpers:
            helper.kill()
            helper.wait()


def compile_instructions(names: Iterable[str], signature: Signature) -> None:
    """Load or compile functions by name, one after another."""
    for name in names:
        # the dispatcher is kept for good (``_dispatcher``), and with it the code at this address
        _ADDRESSES[_key(name, signature)] = _compiled(_dispatcher(name), _arguments(_key(name, signature)[1]))


def _key(name: str, signature: Signature) -> tuple[str, Signature]:
    """Return a function's name and what it is compiled for: one is enough where floats or tables are not read."""
    floats, tables = _reads(name)
    return name, (signature[0] if floats else "float64", signature[1] if tables else 4)


@cache
def _reads(name: str) -> tuple[bool, bool]:
    """Return whether a function reads floats, and tables: how it gets at them stands in its text."""
    text = row_function(BY_NAME[name])[1]
    return "float" in text, "tables(" in text


def _arguments(signature: Signature) -> tuple[Any, Any]:
    """Return the types of (line, frame), whose pointers say what tables and floats are."""
    precision, width = signature
    return types.CPointer(types.int32 if width == 4 else types.int64), types.CPointer(getattr(types, precision))


def _kept(instruction: Instruction, signature: Signature) -> bool:
    """True where a function was compiled before, here or by another process."""
    dispatcher, arguments = _dispatcher(instruction.name), _arguments(_key(instruction.name, signature)[1])
    if arguments in dispatcher.overloads:
        return True
    kernels = dispatcher._cache
    path = kernels.path(arguments, dispatcher.targetctx.codegen()) if isinstance(kernels, KernelCache) else None
    return path is not None and path.exists()


def _helpers(missing: Sequence[Instruction], signature: Signature) -> list[subprocess.Popen]:
    """Start processes that compile some of the functions into the cache: LLVM uses one core of each."""
    # a frozen program is its own executable: it would start once more, not an interpreter
    if CORES < 2 or not sys.executable or getattr(sys, "frozen", False):
        return []
    count = min(CORES, len(missing), 1 + int(sum(instruction.seconds for instruction in missing) / ALONE))
    helpers = []
    for k in range(1, count):
        names = [instruction.name for instruction in missing[k::count]]
        code = (
            f"import sys; sys.path[:] = {sys.path!r}\n"
            f"from thermoc.simulator.row_functions import compile_instructions\n"
            f"compile_instructions({names!r}, {signature!r})"
        )
        try:
            command, null = [sys.executable, "-c", code], subprocess.DEVNULL
            helpers.append(subprocess.Popen(command, stdin=null, stdout=null, stderr=null))
        except OSError:
            break
    return helpers
