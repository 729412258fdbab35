"""Warnings about physics: what is well formed, runs, and does not do what it seems to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from thermoc.ir.dialects import core, devices, diffusive, dynamics, heat, langevin, sampling, spiking, thermo
from thermoc.ir.dialects.sampling import compressed
from thermoc.ir.graph import Graph
from thermoc.ir.op_table import OpTable
from thermoc.ir.ops import STATEFUL, STOCHASTIC, Op
from thermoc.ir.parameters import frozen
from thermoc.ir.reference.meaning import MEANINGS, Context
from thermoc.ir.values import Value
from thermoc.passes.analysis.annealed import by_sweep
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import Finding

FROZEN = 30.0
"""e^-30 = 1e-13: below this chance an uphill move is not seen in any run."""


def lint(graph: Graph) -> tuple[Finding, ...]:
    """Return warnings: W101 frozen Gibbs sampling, W102 asymmetric couplings, W103 an unstable step."""
    current = frozen(graph)  # as they are now: other values may deserve other warnings
    return tuple(finding for op in current.ops for finding in _warned(current, op))


def _warned(graph: Graph, op: Op) -> Iterable[Finding]:
    # An op of another package, which the table cannot know, runs without warnings rather than not at all.
    check = WARNINGS.entries.get(type(op))
    return () if check is None else check(graph, op)


def _couplings(graph: Graph, op: Any) -> Iterator[Finding]:
    rows = compressed({name: _known(graph, getattr(op, name)) for name in ("J", "values", "columns", "offsets")})
    if rows is not None and len(rows[0]):
        yield from _frozen(graph, op, rows[0])
        yield from _asymmetric(op, rows)


def _frozen(graph: Graph, op: Any, values: FloatArray) -> Iterator[Finding]:
    low = _coldest(graph, op)
    # By E = -s.J.s / 2 (P12) a spin turned against one coupling costs 2 |J|, a bit |J|.
    weak = np.abs(values[values != 0]).min(initial=np.inf) * (2 if op.levels == "spin" else 1)
    if low is None or weak / low < FROZEN:
        return
    notes = (
        f"T = {low:.4g}",
        f"flipping against the weakest coupling costs {weak:.4g}: chance e^-{weak / low:.3g}",
    )
    hint = f"take T >= {weak / FROZEN:.3g} to sample; below, it is a descent to the nearest minimum"
    yield Finding(
        code="W101", what=f"{op.opname}: so cold that it is frozen", where=op.location, notes=notes, hint=hint
    )


def _coldest(graph: Graph, op: Any) -> float | None:
    """Return the lowest temperature that stays while units are sampled; None where it is not known, or is annealed."""
    source = graph.producers[op.T.name]
    if not isinstance(source, core.Constant) or by_sweep(graph, op):
        return None
    return float(source.value.numpy.min())


def _asymmetric(op: Any, rows: tuple[FloatArray, FloatArray, FloatArray]) -> Iterator[Finding]:
    # Here, for scipy takes longer to import than most networks to check.
    from scipy.sparse import csr_array  # pyright: ignore[reportMissingTypeStubs]

    n = len(rows[2]) - 1
    J: Any = csr_array(rows, shape=(n, n))
    gap: Any = abs(J - J.T).tocoo()
    if gap.nnz == 0 or gap.data.max() == 0:
        return
    k = int(gap.data.argmax())
    i, j = int(gap.coords[0][k]), int(gap.coords[1][k])
    notes = (f"J[{i}, {j}] = {J[i, j]}", f"J[{j}, {i}] = {J[j, i]}")
    hint = "take (J + J.T) / 2; as it is, no energy belongs to it and it does not settle to e^(-E/T)"
    yield Finding(
        code="W102", what=f"{op.opname}: couplings are not symmetric", where=op.location, notes=notes, hint=hint
    )


def _euler(graph: Graph, op: Any) -> Iterator[Finding]:
    if op.method not in ("euler", "semi_implicit"):
        return
    for name in ("tau", "tau_syn", "tau_mem"):
        tau = _known(graph, getattr(op, name, None))
        if tau is None or (graph.dt / tau <= 1).all():
            continue
        worst = float((graph.dt / tau).max())
        what = f"{op.opname}: an Euler step {'beyond stability' if worst > 2 else 'that overshoots'}"
        notes = (f"dt / {name} = {worst:.4g}", "beyond 1 it overshoots, beyond 2 it grows without bound")
        hint = 'take method="exact", or a smaller dt'
        yield Finding(code="W103", what=what, where=op.location, notes=notes, hint=hint)


def _stiff(graph: Graph, op: Any) -> Iterator[Finding]:
    """Measure the stiffness of a force that the network computes from the positions, where they start."""
    force = _force(graph, op)
    initial = _known(graph, op.initial)
    scale = _known(graph, op.mobility if isinstance(op, langevin.Brownian) else op.mass)
    if force is None or initial is None or scale is None or op.x.type is None:
        return
    x = np.broadcast_to(initial, op.x.type.shape).astype(float)
    stiffness = _stiffest(force, x, scale if isinstance(op, langevin.Brownian) else 1 / scale)
    overdamped = isinstance(op, langevin.Brownian)
    # The limits of stability of Euler's step and of leapfrog, whose kicks and drifts the inertial step has.
    number, limit = (stiffness * graph.dt, 2.0) if overdamped else (stiffness * graph.dt**2, 4.0)
    if not number > limit:
        return
    form = "mobility k dt" if overdamped else "k dt^2 / m"
    notes = (f"{form} = {number:.4g} for the stiffest motion at the start", f"beyond {limit:g} it grows without bound")
    dt = graph.dt * (limit / number) ** (1 if overdamped else 0.5)
    hint = f"take dt < {dt:.3g}" + (", or give the linear part as stiffness=" if overdamped else "")
    yield Finding(code="W103", what=f"{op.opname}: a step beyond stability", where=op.location, notes=notes, hint=hint)


def _force(graph: Graph, op: Any) -> Any:
    """Return force(x) where it is computed from x and constants alone, else None."""
    needed: list[Op] = []
    stack: list[Value] = [op.force]
    visited: set[str] = {op.x.name}
    while stack:
        value = stack.pop()
        if value.name in visited:
            continue
        visited.add(value.name)
        source = graph.producers[value.name]
        if isinstance(source, core.Input) or source.traits & {STATEFUL, STOCHASTIC}:
            return None
        needed.append(source)
        stack += source.inputs
    if op.x.name not in {value.name for source in needed for value in source.inputs}:
        return None
    order = [source for source in graph.order if source in needed]

    def force(x: FloatArray) -> FloatArray:
        values = {op.x.name: x[np.newaxis]}
        ctx = Context(tick=0, dt=graph.dt, seed=0, batch=1)
        for source in order:
            meaning: Any = MEANINGS[type(source)]  # pure: a force at its particles' places has no state between
            results: Any = meaning.step(source, ctx, *_operands(source, values))
            arrays: tuple[FloatArray, ...] = results if len(source.results) > 1 else (results,)
            for value, array in zip(source.results, arrays):
                values[value.name] = array
        return np.broadcast_to(values[op.force.name][0], x.shape)

    return force


def _operands(op: Op, values: dict[str, FloatArray]) -> Iterator[Any]:
    """Return the operands as the reference takes them: one by one, None for one that is left out."""
    for name, spec in op.operand_specs.items():
        operand: Any = getattr(op, name)
        of_operand: tuple[Value, ...] = operand if spec.variadic else (operand,)
        yield from (None if value is None else values[value.name] for value in of_operand)


def _stiffest(force: Any, x: FloatArray, scale: FloatArray) -> float:
    """Return the largest rate of -scale dforce/dx by twenty steps of power iteration with finite differences."""
    # A fixed start, so that the same network always gets the same warning.
    v = np.random.default_rng(0).normal(size=x.shape)
    # A millionth of the size: a smaller step drowns in rounding, a larger one leaves the tangent.
    size, rate = 1e-6 * max(float(np.abs(x).max()), 1.0), 0.0
    with np.errstate(all="ignore"):
        base = force(x)
        for _ in range(20):
            v = v / np.sqrt((v * v).sum())
            pulled = -scale * (force(x + size * v) - base) / size
            rate, v = float((v * pulled).sum()), pulled
            if not np.isfinite(rate) or not np.any(v):
                return 0.0
    return rate


def _known(graph: Graph, value: Value | None) -> Any:
    source = None if value is None else graph.producers[value.name]
    return source.value.numpy if isinstance(source, core.Constant) else None


_EXACT = (
    *(thermo.Noise, thermo.Memory, thermo.Schedule, diffusive.OuNetwork, spiking.If, spiking.I, spiking.Trace),
    *(heat.HeatExchange, heat.HeatNetwork, heat.Diffusion),
)
_DRAWS = (thermo.Normal, thermo.Uniform, thermo.SampleBinary, thermo.SampleCategorical)
_EQUATIONS = (dynamics.Ode, dynamics.Sde, devices.DeviceDynamics)
_NO_STEP = (core.Delay, spiking.Decode, spiking.LifStep, spiking.TraceStep, heat.Reservoir, langevin.Bonds)
WARNINGS: OpTable[Callable[[Graph, Any], Iterable[Finding]]] = OpTable(
    what="a check that warns of what it does not do",
    name="warnings",
    where="thermoc/passes/analysis/lint.py (WARNINGS)",
    entries={
        **dict.fromkeys((sampling.Gibbs, sampling.GibbsSweeps), _couplings),
        **dict.fromkeys((spiking.Lif, spiking.Li, spiking.CubaLif, spiking.CubaLi), _euler),
        **dict.fromkeys((langevin.Brownian, langevin.Langevin), _stiff),
    },
    refused={
        **dict.fromkeys(_EXACT, "its step is exact, so that no dt is too long"),
        **dict.fromkeys(_DRAWS, "a draw for each unit by itself settles at any temperature"),
        **dict.fromkeys(_NO_STEP, "it counts in ticks, not in time"),
        **dict.fromkeys(_EQUATIONS, "a step beyond stability is refused where it is made (T214)"),
        core.Tick: "it only tells the time",
        thermo.AdaptiveSchedule: "it cools by a factor in (0, 1), whatever dt",
        langevin.Velocity: "it reads the motion of langevin, which is checked",
        "loihi": "passes bring a network to Loihi's ops, after the warnings",
    },
    scope=lambda cls: not cls.pure(),
)
"""Ops with states, noise or time, by what may go wrong with them in silence."""
