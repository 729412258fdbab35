"""Kernels as Python functions (numba-cuda's simulator) or as PTX (a GPU), kept by their text."""

from __future__ import annotations

import hashlib
import importlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from thermoc.simulator.cache import announce, folder, keep
from thermoc.simulator.cuda.arguments import function_of
from thermoc.simulator.cuda.source import KernelText, called, kernel_text
from thermoc.simulator.cuda.stages import tables
from thermoc.simulator.kernels.operands import NoisePosition
from thermoc.simulator.program import Program, once_a_program
from thermoc.simulator.sources import digest
from thermoc.support.errors import ThermocError
from thermoc.support.files import write_atomic

ENTRY = "run"
OLDEST = (7, 5)
"""The least compute capability that kernels are compiled for."""
LARGE = 1000
"""A function of more of LLVM's instructions, before they are optimised, is large."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Kernel:
    """The text of a kernel ``run`` of arrays of one dimension, what it calls, and its arrays' dtypes.

    title: what it is, for the user who waits. seconds: how long it takes to compile. modules: whose source it is made
    of, beside the text.
    """

    text: str
    names: Mapping[str, Any]
    arrays: tuple[str, ...]
    title: str
    seconds: float
    modules: tuple[str, ...]


@cache
def device_function(function: Callable[..., Any], title: str = "a function", seconds: float = 0.0) -> Any:
    """Return a function that kernels call: what Numba compiles into them, and by itself for the simulator.

    One for all kernels: what it was compiled for once serves them all.
    """
    return keep(njit(function, error_model="numpy", nogil=True), title, seconds)


@once_a_program
def program_kernel(program: Program) -> Kernel:
    """Return the kernel that runs ticks of a program; its arrays are those of ``ARRAYS`` and the numbers."""
    return kernel_of(program, kernel_text(program))


def kernel_of(program: Program, text: KernelText) -> Kernel:
    """Return the kernel of a text written for a program."""
    names: dict[str, Any] = {
        "real": np.dtype(program.precision).type,
        "integer": np.int64,
        "NoisePosition": NoisePosition,
    }
    for instruction in text.instructions:
        title = f"{instruction.name} at a point"
        names[called(instruction)] = device_function(function_of(instruction), title, instruction.seconds)
    kinds = [program.precision, "int64"] * 5 + [tables(program).dtype.name, "int64", "int64", "int64"]
    return Kernel(
        text=text.text,
        names=names,
        arrays=tuple(kinds),
        title="this network for the GPU",
        seconds=0.5 + 0.3 * len(text.instructions),
        modules=tuple(sorted({function_of(opcode).__module__ for opcode in text.instructions})),
    )


def simulated(kernel: Kernel) -> Callable[[int, int, Sequence[NDArray]], None]:
    """Return the kernel for numba-cuda's simulator, called with blocks, threads of a block, and the arrays."""
    cuda = _numba("cuda")
    names: dict[str, Any] = {**kernel.names, "cuda": cuda, "np": np, "__name__": __name__}
    text = f"""{kernel.text}

def simulate():
    # the arrays themselves: the simulator would hand over wrappers, which compiled functions do not take
    with np.errstate(all="ignore"):
        {ENTRY}(*arrays)
"""
    exec(compile(text, "<cuda>", "exec"), names)
    simulate = cuda.jit(names["simulate"])

    def launch(blocks: int, threads: int, arrays: Sequence[NDArray]) -> None:
        names["arrays"] = arrays
        simulate[blocks, threads]()

    return launch


def ptx(kernel: Kernel, capability: tuple[int, int]) -> str:
    """Return a kernel as PTX for a compute capability; no GPU is needed, and what was compiled once is kept.

    Products and sums are not contracted: results are those of the CPU, operation by operation.
    """
    path = _path(kernel, capability)
    if path is not None:
        with suppress(OSError):
            return path.read_text()
    announce(kernel.title, kernel.seconds)
    code = _library(kernel).get_asm_str(cc=capability)
    if path is not None:
        with suppress(ThermocError):  # a cache that cannot be written to
            write_atomic(path, code.encode())
    return code


def _path(kernel: Kernel, capability: tuple[int, int]) -> Path | None:
    sources, kernels = [digest(module) for module in kernel.modules], folder()
    if kernels is None or None in sources:
        return None
    made_of = (kernel.text, kernel.arrays, capability, sources, version("numba-cuda"))
    return kernels / f"{ENTRY}-{hashlib.sha256(repr(made_of).encode()).hexdigest()[:32]}.ptx"


def _numba(name: str) -> Any:
    """Return a module of numba-cuda, of which much is not public."""
    return importlib.import_module(f"numba.{name}")


@lru_cache(maxsize=1)
def _library(kernel: Kernel) -> Any:
    """Return a kernel in LLVM's terms, which are the same for every capability."""
    types, compiler = _numba("cuda.types"), _numba("cuda.compiler")
    names: dict[str, Any] = {**kernel.names, "cuda": _numba("cuda"), "np": np, "__name__": __name__}
    exec(compile(kernel.text, "<cuda>", "exec"), names)
    if "meet" in names:
        names["meet"] = njit(names["meet"])
    signature = tuple(types.Array(getattr(types, dtype), 1, "C") for dtype in kernel.arrays)
    options = {"opt": 3, "fma": False}
    with _functions_for(OLDEST):
        result = compiler.compile_cuda(names[ENTRY], types.void, signature, nvvm_options=options, cc=OLDEST)
    library = result.library
    library._entry_name = result.fndesc.llvm_func_name
    compiler.kernel_fixup(library.get_function(result.fndesc.llvm_func_name), False)
    # numba hands over a function's module once for each way that leads to it from the kernel
    modules = [*dict.fromkeys(library.modules)]
    _call_what_is_large(modules)
    library._llvm_strs = [str(module) for module in modules]
    return library


def _call_what_is_large(modules: Sequence[Any]) -> None:
    """Let large functions be called, not copied to each of several places: equations of devices grew to 5 MB of PTX."""
    functions = [function for module in modules for function in module.functions if function.blocks]
    calls = Counter(
        instruction.callee.name
        for function in functions
        for block in function.blocks
        for instruction in block.instructions
        if instruction.opname == "call" and hasattr(instruction.callee, "name")
    )
    for function in functions:
        if calls[function.name] > 1 and sum(len(block.instructions) for block in function.blocks) > LARGE:
            function.attributes.add("noinline")


@contextmanager
def _functions_for(capability: tuple[int, int]) -> Iterator[None]:
    """Let functions that a kernel calls be compiled for a capability: numba asks the driver for its GPU's."""
    dispatcher = _numba("cuda.dispatcher")
    original = dispatcher.get_current_device
    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=capability)
    try:
        yield
    finally:
        dispatcher.get_current_device = original
