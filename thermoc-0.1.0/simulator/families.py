"""The functions that run rows: one a family of opcodes, compiled when a program first needs it, and kept on disk."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from thermoc.simulator.cache import KernelCache, announce, folder, keep, quiet
from thermoc.simulator.kernels.interpreter import run_lines
from thermoc.simulator.kernels.rows import elementwise, loihi, moves, noise, products, spiking
from thermoc.simulator.opcodes import Opcode

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
ALONE = 4.0
"""Seconds of compiling from which on another process helps: it takes one to start."""
Signature = tuple[str, int]
"""Precision of the floats and bytes of a number of the tables."""


@dataclass(frozen=True, kw_only=True)
class Family:
    """Rows that one function runs; seconds: how long it takes to compile on a core of 2024."""

    function: Callable[..., None]
    opcodes: tuple[Opcode, ...]
    seconds: float

    @property
    def name(self) -> str:
        """Name of the module and of the function."""
        return f"{self.function.__module__.rpartition('.')[2]}.{self.function.__name__}"


def _between(first: Opcode, last: Opcode) -> tuple[Opcode, ...]:
    return tuple(op for op in Opcode if first <= op <= last)


def _family(function: Callable[..., None], seconds: float, *opcodes: Opcode) -> Family:
    return Family(function=function, opcodes=opcodes, seconds=seconds)


FAMILIES = (
    _family(elementwise.unary, 1.7, *_between(Opcode.NEG, Opcode.FLOOR)),
    _family(elementwise.binary, 1.8, *_between(Opcode.ADD, Opcode.MAXWELL_BOLTZMANN)),
    _family(elementwise.fermi_dirac, 0.8, Opcode.FERMI_DIRAC),
    _family(elementwise.select, 0.8, Opcode.SELECT),
    _family(elementwise.compare, 0.8, Opcode.LESS, Opcode.LESS_EQUAL, Opcode.EQUAL),
    _family(elementwise.integer, 1.4, *_between(Opcode.INT_LESS, Opcode.OR)),
    _family(elementwise.invert, 0.4, Opcode.NOT),
    _family(moves.float_to_int, 0.4, Opcode.FLOAT_TO_INT),
    _family(moves.int_to_int, 0.4, Opcode.INT_TO_INT),
    _family(moves.int_to_float, 0.4, Opcode.INT_TO_FLOAT),
    _family(moves.rearrange, 0.5, Opcode.GATHER, Opcode.SCATTER),
    _family(moves.int_rearrange, 0.5, Opcode.INT_GATHER, Opcode.INT_SCATTER),
    _family(moves.reduce, 0.8, Opcode.REDUCE),
    _family(moves.arg_reduce, 0.8, Opcode.ARG_REDUCE),
    _family(moves.port, 0.7, Opcode.INPUT, Opcode.OUTPUT, Opcode.READ, Opcode.WRITE),
    _family(
        moves.int_port,
        0.7,
        *(Opcode.INT_INPUT, Opcode.INT_OUTPUT, Opcode.INT_READ, Opcode.INT_WRITE, Opcode.READ_LIST, Opcode.WRITE_LIST),
    ),
    _family(moves.tick, 0.2, Opcode.TICK),
    _family(products.matmul, 3.5, Opcode.MATMUL),
    _family(products.sparse, 0.4, Opcode.SPARSE),
    _family(products.mvm, 9.0, Opcode.MVM),
    _family(noise.boltzmann, 0.6, Opcode.BOLTZMANN),
    _family(noise.noise, 1.3, Opcode.NORMAL, Opcode.UNIFORM),
    _family(noise.gibbs, 2.0, Opcode.GIBBS),
    _family(noise.gibbs_layers, 7.0, Opcode.GIBBS_LAYERS),
    _family(spiking.columns, 0.5, Opcode.SPARSE_COLUMNS),
    _family(spiking.listed_columns, 0.5, Opcode.SPARSE_LIST),
    _family(spiking.trace_step, 0.5, Opcode.TRACE_STEP),
    _family(spiking.lif_step, 3.0, Opcode.LIF_STEP),
    _family(spiking.spread, 0.3, Opcode.SPREAD),
    _family(loihi.encode, 0.3, Opcode.LOIHI_ENCODE),
    _family(loihi.decode, 0.3, Opcode.LOIHI_DECODE),
    _family(loihi.arrive, 0.3, Opcode.LOIHI_ARRIVE),
    _family(loihi.synapse, 1.6, Opcode.LOIHI_SYNAPSE, Opcode.LOIHI_SYNAPSE_LIST, Opcode.LOIHI_MATRIX),
    _family(loihi.conv, 0.8, Opcode.LOIHI_CONV),
    _family(loihi.lif, 1.6, Opcode.LOIHI_LIF),
    _family(loihi.spread, 0.3, Opcode.LOIHI_SPREAD),
    _family(loihi.total, 0.4, Opcode.LOIHI_TOTAL),
    _family(loihi.graded, 0.4, Opcode.LOIHI_GRADED),
    _family(loihi.lookup, 0.4, Opcode.LOIHI_LOOKUP),
    _family(loihi.sigma, 0.3, Opcode.LOIHI_SIGMA),
    _family(loihi.delta, 0.5, Opcode.LOIHI_DELTA),
    _family(loihi.fermi_dirac, 1.3, Opcode.LOIHI_FERMI_DIRAC),
    _family(loihi.categorical, 1.1, Opcode.LOIHI_CATEGORICAL),
    _family(loihi.memory, 0.7, Opcode.LOIHI_MEMORY),
    _family(loihi.heat, 0.4, Opcode.LOIHI_HEAT),
)
FAMILY_OF = {opcode: family for family in FAMILIES for opcode in family.opcodes}
_DISPATCHERS: dict[str, Any] = {
    family.name: keep(njit(family.function, error_model="numpy", nogil=True)) for family in FAMILIES
}
loop = keep(njit(run_lines, error_model="numpy", nogil=True))
"""The loop over blocks, ticks and lines."""
_ADDRESSES: dict[tuple[str, Signature], int] = {}


def addresses(opcodes: Sequence[int], real: np.dtype, places: np.dtype) -> NDArray[np.int64]:
    """Return the address of the function of each opcode, 0 where there is none; compile those that are missing."""
    signature = (real.name, places.itemsize)
    families = {op: FAMILY_OF[Opcode(op)] for op in set(opcodes) if op in FAMILY_OF}
    new = [family for family in set(families.values()) if (family.name, signature) not in _ADDRESSES]
    if new:
        _compile([family for family in FAMILIES if family in new], signature)
    found = {op: _ADDRESSES[family.name, signature] for op, family in families.items()}
    return np.array([found.get(op, 0) for op in opcodes], np.int64)


def _compile(families: Sequence[Family], signature: Signature) -> None:
    """Load or compile functions; where that takes long, say so and share it among processes."""
    missing = [family for family in families if not _kept(family, signature)]
    seconds = sum(family.seconds for family in missing)
    helpers = _helpers(missing, signature) if seconds >= ALONE and folder() is not None else []
    if seconds >= 1:
        announce("what this network needs of the simulator", seconds / (1 + len(helpers)) + len(helpers) * 0.5)
    try:
        with quiet():
            mine = missing[:: 1 + len(helpers)]
            compile_families([family.name for family in mine], signature)
            for helper in helpers:
                helper.wait()
            compile_families([family.name for family in families], signature)
    finally:
        for helper in helpers:
            helper.kill()
            helper.wait()


def compile_families(names: Iterable[str], signature: Signature) -> None:
    """Load or compile functions by name, one after another."""
    arguments = _arguments(signature)
    for name in names:
        dispatcher = _DISPATCHERS[name]
        dispatcher.compile(arguments)
        compiled = dispatcher.overloads[arguments]
        symbol = compiled.fndesc.llvm_cfunc_wrapper_name
        _ADDRESSES[name, signature] = compiled.library.get_pointer_to_function(symbol)


def _arguments(signature: Signature) -> tuple[Any, Any]:
    """Return the types of (line, frame), whose pointers say what tables and floats are."""
    precision, width = signature
    return types.CPointer(types.int32 if width == 4 else types.int64), types.CPointer(getattr(types, precision))


def _kept(family: Family, signature: Signature) -> bool:
    """True where a function was compiled before, here or by another process."""
    dispatcher, arguments = _DISPATCHERS[family.name], _arguments(signature)
    if arguments in dispatcher.overloads:
        return True
    kernels = dispatcher._cache
    path = kernels.path(arguments, dispatcher.targetctx.codegen()) if isinstance(kernels, KernelCache) else None
    return path is not None and path.exists()


def _helpers(missing: Sequence[Family], signature: Signature) -> list[subprocess.Popen]:
    """Start processes that compile some of the functions into the cache: LLVM uses one core of each."""
    if CORES < 2 or not sys.executable or getattr(sys, "frozen", False):
        return []
    count = min(CORES, len(missing), 1 + int(sum(family.seconds for family in missing) / ALONE))
    helpers = []
    for k in range(1, count):
        names = [family.name for family in missing[k::count]]
        code = (
            f"import sys; sys.path[:] = {sys.path!r}\n"
            f"from thermoc.simulator.families import compile_families\n"
            f"compile_families({names!r}, {signature!r})"
        )
        try:
            command, null = [sys.executable, "-c", code], subprocess.DEVNULL
            helpers.append(subprocess.Popen(command, stdin=null, stdout=null, stderr=null))
        except OSError:
            break
    return helpers
