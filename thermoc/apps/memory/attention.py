"""Modern Hopfield networks: recall by attention over all stored patterns (P42).

Demircigil et al., J. Stat. Phys. 168 (2017) 288; Ramsauer et al., ICLR 2021 (arXiv 2008.02217).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from thermoc import network
from thermoc.api import compile as compile_network
from thermoc.ir.functions import FUNCTIONS
from thermoc.network import Network
from thermoc.physics.checks import finite, positive
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error


def attention_memory(patterns: ArrayLike, *, T: float, name: str = "attention-memory") -> Network:
    """Return the network x' = sum_k alpha_k p_k, alpha = Boltzmann(E, T), E_k = -p_k.(w x) over the patterns p_k.

    That is attention (P42) with the state as query and the patterns as keys and values; a tick lowers the energy
    -T ln sum_k exp(p_k.x / T) + x.x / 2 + const where all w are 1. patterns: (p, n). Input ``weight`` (n,): 0 for units
    that do not speak for a pattern. Output x (n,), the state at the start of the tick; its state x.buffer (1, n) can be
    set to a cue. Errors: T405.
    """
    p = finite("patterns", patterns)
    if p.ndim != 2 or p.size == 0:
        raise error("T405", "patterns are (patterns, units)", notes=[f"they have shape {list(p.shape)}"])
    op = FUNCTIONS
    with Network(name) as net:
        weight = network.input("weight", (p.shape[1],))
        keys = network.parameter("patterns", p)
        temperature = network.parameter("T", float(positive("T", T)), role="temperature")
        successor = network.placeholder((p.shape[1],))
        x = op["core.delay"](successor, 0.0, name="x")
        alpha = op["thermo.boltzmann"](-op["core.affine"](x * weight, keys), temperature)
        network.connect(successor, op["core.affine"](alpha, op["core.transpose"](keys, axes=(1, 0))))
        network.output("x", x)
    return net


def recall_by_attention(
    patterns: ArrayLike, cues: ArrayLike, *, known: ArrayLike | None = None, T: float, steps: int = 5
) -> FloatArray:
    """Return what the memory of all patterns (p, n) reaches from cues (batch, n) after so many updates, (batch, n).

    known: (n,) true for units whose cue is known; the others are left out of the first comparison. Errors: T402,
    T404, T405.
    """
    p, start = finite("patterns", patterns), finite("cues", cues)
    executable = compile_network(attention_memory(p, T=T), "sim")
    if start.ndim != 2 or start.shape[1] != p.shape[1] or not len(start):
        notes = [f"cues have shape {list(start.shape)}", f"patterns have {p.shape[1]} units"]
        raise error("T402", "cues are (batch, units)", notes=notes)
    if steps < 1:
        raise error("T404", "steps must be at least 1", notes=[f"steps = {steps}"])
    everywhere = np.ones(p.shape[1])
    first = everywhere if known is None else np.broadcast_to(np.asarray(known, float), everywhere.shape)
    with executable.start(batch=len(start)) as session:
        session.state["x.buffer"] = start[:, np.newaxis]
        session.run(1, {"weight": np.broadcast_to(first, start.shape)}, record={})
        if steps > 1:
            session.run(steps - 1, {"weight": np.broadcast_to(everywhere, start.shape)}, record={})
        return np.asarray(session.state["x.buffer"])[:, 0]
