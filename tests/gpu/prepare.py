"""Compile variants side by side, in processes of their own: what they compile is kept, for the CPU and for a GPU."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from gpu.variants import Variant, compiled, trajectory

from thermoc.simulator import Program
from thermoc.simulator.cuda.compiler import program_kernel, ptx


def programs(variant: Variant) -> list[Program]:
    """Return the programs of a variant: one, or a host's and a chip's; none where it is refused."""
    made = compiled(variant)
    if made is None:
        return []
    artefact = made[0].artefact
    clocked = getattr(artefact, "programs", None)
    return [artefact.program] if clocked is None else [program for _, _, program in clocked]


def prepare(variant: Variant, capability: tuple[int, int]) -> None:
    """Compile a variant; what fails will fail again where it is tested."""
    try:
        for program in programs(variant):
            ptx(program_kernel(program), capability)
        made = compiled(variant)
        if made is not None:
            trajectory(*made)
    except Exception as reason:
        print(f"{variant}: {type(reason).__name__}: {reason}")


def prepare_all(variants: Sequence[Variant], capability: tuple[int, int]) -> None:
    """Compile variants on all cores."""
    # forked processes would share the driver's state with this one
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        list(pool.map(prepare, variants, [capability] * len(variants), chunksize=2))
