"""The conformance table as the simulator's programs, the Loihi emulator's too, each run whole or in pieces."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
from cases import BATCH, CASES, SEED, TICKS, inputs, network
from cases import variants as table
from numpy.typing import NDArray

import thermoc as tc
from thermoc.simulator import Program
from thermoc.simulator.cuda.compiler import program_kernel, ptx


class Variant(NamedTuple):
    """A case, what varies over the batch, and its precision; "emulator": as integers of Loihi."""

    case: str
    varying: str
    precision: str

    def __str__(self) -> str:
        return ", ".join(self)


@cache
def variants() -> tuple[Variant, ...]:
    """Return the table, then every case on the emulator."""
    emulated = (Variant(case, "all vary", "emulator") for case in CASES)
    return (*(Variant(*held.values) for held in table()), *emulated)


@cache
def compiled(variant: Variant) -> tuple[tc.Executable, dict[str, NDArray]] | None:
    """Return a variant for the CPU and its inputs; None where the emulator refuses it."""
    net = network(variant.case, variant.varying)
    if variant.precision != "emulator":
        return tc.compile(net, precision=variant.precision), inputs(net)
    try:
        return tc.compile(tc.compile(net, "lava").graph), inputs(net)
    except tc.ThermocError:
        return None


def on(device: str, exe: tc.Executable) -> tc.Executable:
    """Return the same network on a device."""
    precision = exe.options.precision
    return tc.compile(exe.source, precision=precision, device=device)


def trajectory(exe: tc.Executable, arrays: dict[str, NDArray], *pieces: int) -> dict[str, NDArray]:
    """Return all outputs, and the states at the end, of ticks that are run in some pieces."""
    with exe.start(batch=BATCH, seed=SEED) as session:
        runs, begun = [], 0
        for ticks in pieces or (TICKS,):
            cut = {name: array[begun : begun + ticks] for name, array in arrays.items()}
            runs.append(session.run(ticks, cut).outputs)
            begun += ticks
        states = {f"state {name}": np.array(session.state[name]) for name in session.state}
    return states | {name: np.concatenate([run[name] for run in runs]) for name in runs[0]}


def differing(found: dict[str, NDArray], expected: dict[str, NDArray]) -> list[str]:
    """Return the names of arrays that are not the same bits, and by how much they differ."""
    assert found.keys() == expected.keys()
    apart = []
    for name, array in expected.items():
        given = found[name]
        assert (given.shape, given.dtype) == (array.shape, array.dtype)
        if given.tobytes() != array.tobytes() and not np.array_equal(given, array, equal_nan=given.dtype.kind == "f"):
            gap = np.abs(given.astype(float) - array.astype(float)).max()
            apart.append(f"{name}: by {gap:.3g} at most, in {np.mean(given != array):.1%} of its elements")
    return apart


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
