"""Each op of a graph whose products are on crossbars, by itself: products are off as arrays are, all else by nothing.

Values keep their names through the pass, so the reference runs the graph before it on the values of the graph after it
(``forcing``): errors do not add up over ops or ticks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects.core import Input, Output, Stored
from thermoc.ir.feed import feed
from thermoc.ir.graph import Graph
from thermoc.ir.ops import STATEFUL, Op
from thermoc.ir.reference import interpret
from thermoc.ir.reference.meaning import MEANINGS, Delayed
from thermoc.ir.types import Role, Type
from thermoc.passes.counterparts import Product, ProductSlack
from thermoc.verification.differences import ROUNDINGS, distance, flat
from thermoc.verification.disturbance import Disturbance
from thermoc.verification.forcing import Steered
from thermoc.verification.run_settings import RunSettings
from thermoc.verification.unit_gaps import UnitGap


def judged(
    setting: RunSettings, before: Graph, after: Graph, products: Sequence[Product]
) -> tuple[tuple[UnitGap, ...], Disturbance]:
    """Return what each op of ``after`` gave against what that of ``before`` would have given of the same, and how far
    every tick of ``before`` may be moved."""
    kinds = _kept(before, after)
    entering = {product.entering for product in products}
    if not {product.value for product in products} <= set(kinds):
        return (), Disturbance(graph=before)
    names = {*kinds, *(name for name in entering if name in after.producers)}
    now = setting.reference(after, probes=names).probes
    computed = _given(setting, before, {name: now[name] for name in kinds})
    slacks = {product.value: product.slack(np.abs(now[product.entering]).max(axis=(0, 1))) for product in products}
    gaps = [
        _gap(name, kind, now[name], computed[name], slacks.get(name))
        for name, kind in kinds.items()
        if name in computed
    ]
    added = {name: np.broadcast_to(slack.off, now[name].shape) for name, slack in slacks.items()}
    return tuple(gaps), Disturbance(graph=before, added=added)


def _kept(before: Graph, after: Graph) -> dict[str, Type]:
    """Return the values that are in both graphs, in the order of a tick."""
    kinds: dict[str, Type] = {}
    for op in before.order:
        for value in () if isinstance(op, Stored | Output | Input) else op.results:
            producer = after.producers.get(value.name)
            twin = next((v.type for v in producer.results if v.name == value.name), None) if producer else None
            if value.type is not None and value.type.size and twin is not None and twin.shape == value.type.shape:
                kinds[value.name] = value.type
    return kinds


def _given(setting: RunSettings, graph: Graph, values: Mapping[str, NDArray]) -> dict[str, NDArray]:
    """Return what each op of a graph gives when all others say ``values``, (ticks, batch, *shape)."""
    states, delayed = {}, {}
    for op in graph.ops:
        for spec, value in _held(op, values):
            # What a delayed state is after a tick shows as its value in the next.
            delays = isinstance(MEANINGS[type(op)], Delayed)
            states[op.results[0].name, spec] = values[value][1:] if delays else values[value]
            delayed |= {value: (op.results[0].name, spec)} if delays else {}
    hook = Steered(values, states)
    inputs = feed(graph, setting.inputs, ticks=setting.ticks, batch=setting.batch)
    with np.errstate(all="ignore"):
        interpret(graph, inputs, seed=setting.seed, jitter=hook)  # pyright: ignore[reportArgumentType]

    def stacked(arrays: Sequence[NDArray]) -> NDArray:
        return np.stack([np.broadcast_to(array, (setting.batch, *array.shape[1:])) for array in arrays])

    computed = {name: stacked(arrays) for name, arrays in hook.computed.items()}
    for name, key in delayed.items():
        computed[name] = np.concatenate([computed[name][:1], stacked(hook.after[key])[:-1]])
    return computed


def _held(op: Op, values: Mapping[str, NDArray]) -> list[tuple[str, str]]:
    """Return the states of an op that are its results: (state, value)."""
    if STATEFUL not in op.traits:
        return []
    names = op.states()  # type: ignore[attr-defined]
    pairs = zip(op.result_specs, op.results, strict=True)
    return [(spec, value.name) for spec, value in pairs if spec in names and value.name in values]


def _gap(name: str, kind: Type, found: NDArray, expected: NDArray, slack: ProductSlack | None) -> UnitGap:
    discrete = kind.role is Role.spike or not kind.dtype.is_float
    a, b = flat(found).astype(float), flat(expected).astype(float)
    tolerance = np.zeros(b.shape) if slack is None else np.broadcast_to(slack.off, found.shape).reshape(b.shape)
    # Whole numbers and spikes have no rounding to allow for.
    eps = 0.0 if discrete else ROUNDINGS * float(np.finfo(kind.dtype.numpy).eps)
    near = tolerance + eps * np.abs(b).max(axis=(0, 2), keepdims=True, initial=0.0)
    same = distance(a, b) <= near
    return UnitGap(
        name=name,
        shape=kind.shape,
        discrete=discrete,
        actual=a,
        expected=b,
        low=np.where(same, a, b - near),
        high=np.where(same, a, b + near),
        slack=near,
        share=0.0 if slack is None else slack.share,
    )
