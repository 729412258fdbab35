"""How large each value can be: proven from the inputs' range, or seen in runs of samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thermoc.ir.dialects import core, sampling, thermo
from thermoc.ir.feed import feed
from thermoc.ir.graph import Graph
from thermoc.ir.ops import STOCHASTIC, Op
from thermoc.ir.reference import interpret
from thermoc.ir.types import Role
from thermoc.passes.analysis.intervals import RULES, Range

ROUNDS = 4
FARTHEST_NORMAL = 6.8
"""Box and Muller's normal of 32-bit words: sqrt(2 ln 2^33) = 6.764."""
DEVIATIONS = 8.0
"""A Gaussian state is given room for so many standard deviations; beyond, it is clipped."""


def proven(graph: Graph, inputs: tuple[float, float]) -> dict[str, Range]:
    """Return the range of every value that has one, by name."""
    found: dict[str, Range] = {}
    for _ in range(ROUNDS):
        before = len(found)
        for op in graph.order:
            for value, made in zip(op.results, _ranges(op, found, inputs)):
                if made is not None and value.type is not None:
                    low, high = (np.broadcast_to(np.asarray(end, float), value.type.shape) for end in made)
                    found.setdefault(value.name, Range(low, high))
        if len(found) == before:
            break
    return found


def seen(graph: Graph, samples: Mapping[str, ArrayLike]) -> dict[str, Range]:
    """Return between what each float value lay in a run of these inputs. Errors: T401 to T404."""
    names = [v.name for op in graph.ops for v in op.results if v.type is not None and v.type.dtype.is_float]
    trace = interpret(graph, feed(graph, samples), probes=names)
    return {name: Range(array.min(axis=(0, 1)), array.max(axis=(0, 1))) for name, array in trace.probes.items()}


def _ranges(op: Any, found: Mapping[str, Range], inputs: tuple[float, float]) -> list[tuple[Any, Any] | None]:
    """Return (low, high) for each result of an op, None where it is not known."""
    unknown: list[tuple[Any, Any] | None] = [None] * len(op.results)
    if isinstance(op, core.Constant):
        return [(op.value.numpy, op.value.numpy)]
    if isinstance(op, core.Input):
        return [(0.0, 1.0) if op.role in (Role.spike, Role.probability) else inputs]
    if isinstance(op, core.Delay):
        return [_hull(found.get(op.x.name), found.get(op.initial.name))]
    if isinstance(op, thermo.Uniform):
        return [(0.0, 1.0)]
    if isinstance(op, thermo.Normal):
        return [(-FARTHEST_NORMAL, FARTHEST_NORMAL)]
    if isinstance(op, thermo.Memory):
        return [_memory(op, found)]
    first: tuple[Any, Any] | None = None
    if _is_binary(op) and not isinstance(op, core.Cast):
        first = (-1.0 if getattr(op, "levels", "") == "spin" else 0.0, 1.0)
        return [first, *unknown[1:]]
    if isinstance(op, core.Cast) and op.x.name in found:
        return [found[op.x.name]]
    if isinstance(op, core.Greater | core.GreaterEqual | core.Less | core.LessEqual):
        return [(0.0, 1.0)]
    if isinstance(op, core.Div) and all(v.name in found for v in op.inputs):
        return [_quotient(found[op.inputs[0].name], found[op.inputs[1].name])]
    rule = RULES.get(type(op))
    if rule is None or not all(value.name in found for value in op.inputs):
        return unknown
    made = rule(op, *(found[value.name] for value in op.inputs))
    return [made if made is not None and all(np.isfinite(end).all() for end in made) else None]


def _is_binary(op: Op) -> bool:
    if isinstance(op, sampling.Gibbs | sampling.GibbsSweeps):
        return True
    return bool(op.results) and op.results[0].type is not None and op.results[0].type.role is Role.spike


def _hull(a: Range | None, b: Range | None) -> tuple[NDArray, NDArray] | None:
    return None if a is None or b is None else (np.minimum(a.low, b.low), np.maximum(a.high, b.high))


def _quotient(a: Range, b: Range) -> tuple[NDArray, NDArray] | None:
    if (b.low * b.high <= 0).any():
        return None
    corners = [x / y for x in a for y in b]
    return np.minimum.reduce(corners), np.maximum.reduce(corners)


def _memory(op: thermo.Memory, found: Mapping[str, Range]) -> tuple[Any, Any] | None:
    parts = [found.get(value.name) for value in (op.x, op.T, op.gamma)]
    if any(part is None for part in parts) or STOCHASTIC not in op.traits:
        return None
    x, T, gamma = (part for part in parts if part is not None)
    far = np.maximum(np.abs(x.low), np.abs(x.high)) / gamma.low + DEVIATIONS * np.sqrt(T.high)
    return -far, far
