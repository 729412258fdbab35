"""How these tests lower a network and run it: by the reference, and by the emulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import thermoc as tc
from thermoc import plugins
from thermoc.backends.base import Place
from thermoc.backends.lava.lower import lower
from thermoc.ir.feed import Feed, feed
from thermoc.ir.graph import Graph
from thermoc.ir.host_device import run_in_parts
from thermoc.ir.reference import interpret
from thermoc.passes.change_log import Change, Lowered
from thermoc.passes.pipeline import run_passes


def lowered(net: tc.Network, **options: Any) -> Lowered:
    """Return a network brought to the chip."""
    return run_passes(net.graph, lower(dt=net.graph.dt, **options))


def changes(result: Lowered) -> list[Change]:
    """Return all that the passes tell."""
    return [change for record in result.records for change in record.changes]


def bound(result: Lowered, name: str = "y") -> float:
    """Return what was recorded as the most an output is off."""
    return sum(change.offset for change in changes(result) if change.what == f"output {name!r}")


def reference(graph: Graph, inputs: Mapping[str, ArrayLike], *, seed: int = 0, **size: int) -> dict[str, NDArray]:
    """Return the outputs of a graph by the reference interpreter."""
    return interpret(graph, feed(graph, inputs, **size), seed=seed).outputs


def emulated(graph: Graph, inputs: Mapping[str, ArrayLike], *, seed: int = 0, **size: int) -> dict[str, NDArray]:
    """Return the outputs of a lowered graph by the simulator: host and chip each by its own clock."""
    backend = plugins.backend("sim")

    def run(part: Graph, given: Feed, first: int) -> tuple[Mapping[str, NDArray], Mapping[str, NDArray]]:
        exe = tc.compile(part, "sim")
        outcome = backend.run(exe.artefact, given, Place(seed=seed, first_tick=first))
        return outcome.outputs, outcome.states

    outputs, _ = run_in_parts(graph, feed(graph, inputs, **size), run)
    return outputs


def spikes(shape: tuple[int, ...], p: float = 0.4, seed: int = 0) -> NDArray:
    """Return random spikes."""
    return (np.random.default_rng(seed).random(shape) < p).astype(float)
