"""Recall by a Hopfield network: spins at a temperature, started from a cue or clamped to what of it is known (P12)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc import network
from thermoc.api import compile as compile_network
from thermoc.ir.functions import FUNCTIONS
from thermoc.network import Network
from thermoc.physics.checks import finite, non_negative, positive, symmetric
from thermoc.support.array_types import BoolArray, FloatArray
from thermoc.support.errors import error

COLDEST = 1e-12
"""Stands in for T = 0: spins follow the sign of their field, and one without a field is drawn."""


def hopfield_memory(J: ArrayLike, *, T: float = 0.0, name: str = "hopfield-memory") -> Network:
    """Return the network of spins coupled by J: a tick is a sweep, in the order of the units where all are coupled.

    J: (n, n), symmetric with zero diagonal (``thermoc.learning.hopfield``). Input ``field`` (n,): the field on each
    unit beside that of the others; parameter T; output s (n,), spins of -1 and 1; its state s.buffer (1, n) can be set
    to a cue. Amit, Gutfreund and Sompolinsky, Phys. Rev. Lett. 55 (1985) 1530. Errors: T405, T105 (a diagonal).
    """
    J, T = symmetric("J", J), max(float(non_negative("T", T)), COLDEST)
    # Of a dense matrix every unit has a colour of its own: to find that out would take longer than to recall.
    colors = np.arange(len(J)) if np.count_nonzero(J) > J.size // 2 else None
    with Network(name) as net:
        field = network.input("field", (len(J),))
        temperature = network.parameter("T", T, role="temperature")
        network.output("s", FUNCTIONS["thermo.gibbs"](temperature, J, field, colors=colors, name="s"))
    return net


def recall(
    J: ArrayLike,
    cues: ArrayLike,
    *,
    known: ArrayLike | None = None,
    T: float = 0.0,
    cooled_from: float | None = None,
    sweeps: int = 20,
    seed: int = 0,
) -> FloatArray:
    """Return the spins (batch, n) of -1 and 1 that the memory J reaches from cues (batch, n) after so many sweeps.

    known: (n,) true for units that keep their cue, by a field that outweighs all couplings. cooled_from: the
    temperature of the first three quarters of the sweeps, where it is not T. Errors: T402, T403, T404, T405.
    """
    J = symmetric("J", J)
    if sweeps < 1:
        raise error("T404", "sweeps must be at least 1", notes=[f"sweeps = {sweeps}"])
    spins, clamped = spins_of("cues", cues, len(J)), _mask(known, len(J))
    start = T if cooled_from is None else float(positive("cooled_from", cooled_from))
    warm = 0 if cooled_from is None else 3 * sweeps // 4
    strength = 2 * float(np.abs(J).sum(axis=1).max()) + 100 * max(T, start)
    executable = compile_network(hopfield_memory(J, T=T), "sim", precision="float32")
    with executable.start(batch=len(spins), seed=seed) as session:
        session.state["s.buffer"] = spins[:, np.newaxis]
        # The output of a tick is the state at its start: that after ``sweeps`` stands in the state.
        field = {"field": np.where(clamped, strength * spins, 0.0)}
        if warm:
            session.parameters["T"] = start
            session.run(warm, field, record={})
            session.parameters["T"] = max(T, COLDEST)
        session.run(sweeps - warm, field, record={})
        return np.asarray(session.state["s.buffer"])[:, 0]


def spins_of(name: str, values: ArrayLike, units: int | None = None) -> FloatArray:
    """Return patterns (batch, n) of -1 and 1 as floats. Errors: T402 (shape), T403 (values), T405."""
    array: Any = finite(name, values)
    if array.ndim != 2 or array.size == 0 or array.shape[1] != (units or array.shape[1]):
        notes = [f"{name} have shape {list(array.shape)}"] + ([f"the memory has {units} units"] if units else [])
        raise error("T402", f"{name} are (patterns, units)", notes=notes)
    wrong = np.argwhere(np.abs(array) != 1)
    if len(wrong):
        i, j = (int(k) for k in wrong[0])
        hint = "take 2 * bits - 1"
        raise error("T403", f"{name} are spins of -1 and 1", notes=[f"{name}[{i}, {j}] = {array[i, j]:g}"], hint=hint)
    return array


def _mask(known: ArrayLike | None, units: int) -> BoolArray:
    if known is None:
        return np.zeros(units, np.bool_)
    mask = np.asarray(known)
    if mask.dtype != np.bool_ or mask.shape != (units,):
        notes = [f"it has shape {list(mask.shape)} and dtype {mask.dtype}", f"the memory has {units} units"]
        raise error("T402", "known is a truth value a unit", notes=notes)
    return mask
