"""The kernel of a program as a Python function (numba-cuda's simulator) or as PTX (a GPU), kept by its text."""

from __future__ import annotations

import hashlib
from collections import namedtuple
from contextlib import suppress
from typing import Any

import numpy as np
from numba import njit

from thermoc.simulator.cache import announce, folder, keep
from thermoc.simulator.cuda.arguments import function_of
from thermoc.simulator.cuda.source import KernelText, called, kernel_text
from thermoc.simulator.cuda.stages import tables
from thermoc.simulator.kernels.operands import NoisePosition
from thermoc.simulator.program import Program, once_a_program

ENTRY = "run_ticks"


def namespace(program: Program) -> dict[str, Any]:
    """Return what the text of a program's kernel refers to; ``cuda`` is numba's module, simulated or not."""
    from numba import cuda

    names: dict[str, Any] = {
        "cuda": cuda,
        "np": np,
        "real": np.dtype(program.precision).type,
        "integer": np.int64,
        "NoisePosition": NoisePosition,
        "__name__": __name__,
    }
    for instruction in kernel_text(program).instructions:
        function = njit(function_of(instruction), error_model="numpy", nogil=True)
        names[called(instruction)] = keep(function, f"{instruction.name} at a point", instruction.seconds)
        names[f"{called(instruction)}_parameters"] = namedtuple("Parameters", instruction.parameters)
    return names


@once_a_program
def simulated(program: Program) -> Any:
    """Return the kernel for numba-cuda's simulator: called with a list of arrays in the order of ``ARRAYS``, numbers
    last, after [blocks, threads]."""
    names = namespace(program)
    text = f"""{kernel_text(program).text}

def simulate():
    # the arrays themselves: the simulator would hand over wrappers, which compiled functions do not take
    with np.errstate(all="ignore"):
        {ENTRY}(*arrays)
"""
    exec(compile(text, "<cuda>", "exec"), names)
    kernel = names["cuda"].jit(names["simulate"])

    def launch(blocks: int, threads: int, arrays: list[Any]) -> None:
        names["arrays"] = arrays
        kernel[blocks, threads]()

    return launch


def ptx(program: Program, capability: tuple[int, int]) -> str:
    """Return the kernel of a program as PTX for a compute capability; no GPU is needed.

    Products and sums are not contracted: results are those of the CPU, operation by operation.
    """
    text = kernel_text(program)
    path = _path(text, program, capability)
    if path is not None:
        with suppress(OSError):
            return path.read_text()
    announce("this network for the GPU", 0.5 + 0.3 * len(text.instructions))
    code = _compiled(program, text, capability)
    if path is not None:
        with suppress(OSError):
            path.write_text(code)
    return code


def _path(text: KernelText, program: Program, capability: tuple[int, int]) -> Any:
    from importlib.metadata import version

    from thermoc.simulator.sources import digest

    kernels = folder()
    modules = {function_of(one).__module__ for one in text.instructions}
    sources = [digest(module) for module in sorted(modules)]
    if kernels is None or None in sources:
        return None
    made_of = (text.text, program.precision, tables(program).dtype.name, capability, sources, version("numba-cuda"))
    return kernels / f"{ENTRY}-{hashlib.sha256(repr(made_of).encode()).hexdigest()[:32]}.ptx"


def _compiled(program: Program, text: KernelText, capability: tuple[int, int]) -> str:
    from numba.cuda import types
    from numba.cuda.compiler import compile_cuda, kernel_fixup

    names = namespace(program)
    exec(compile(text.text, "<cuda>", "exec"), names)
    names["meet"] = njit(names["meet"])
    real, whole = getattr(types, program.precision), types.int64
    place = getattr(types, tables(program).dtype.name)
    kinds = [real, whole] * 5 + [place, whole, whole, whole]
    signature = tuple(types.Array(kind, 1, "C") for kind in kinds)
    options = {"opt": 3, "fma": False}
    result = compile_cuda(names[ENTRY], types.void, signature, nvvm_options=options, cc=capability)
    library = result.library
    library._entry_name = result.fndesc.llvm_func_name
    kernel_fixup(library.get_function(result.fndesc.llvm_func_name), False)
    return library.get_asm_str(cc=capability)
