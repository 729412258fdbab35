"""The conformance table as the simulator's programs, the Loihi emulator's too, each run whole or in pieces."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from cases import BATCH, CASES, SEED, TICKS, inputs, network
from cases import variants as table
from numpy.typing import NDArray

import thermoc as tc


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
