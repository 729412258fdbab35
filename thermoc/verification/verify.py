"""``tc.verify``: the reference on the source, the reference on each target's lowered graph, and each target."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc import api
from thermoc.backends.base import Outcome
from thermoc.ir.graph import Graph, exposed
from thermoc.network import Network, graph_of
from thermoc.support.errors import error
from thermoc.support.files import can_write
from thermoc.verification.comparison import BREACH, EMISSION, LOWERING, Breach, Comparison
from thermoc.verification.emission import emission, final_states
from thermoc.verification.locate import ErrorLocation, place, place_of_state
from thermoc.verification.lowering import Lowering, lowering
from thermoc.verification.reduction import reduced, save
from thermoc.verification.result import Verification
from thermoc.verification.rows import row, states_row, units_row
from thermoc.verification.run_settings import RunSettings, setting
from thermoc.verification.subject import Subject
from thermoc.verification.tolerances import Judgement

PROBE = "probe."


def verify(
    network: Network | Graph,
    targets: Sequence[str] = ("sim",),
    *,
    inputs: Mapping[str, ArrayLike] | None = None,
    ticks: int | None = None,
    batch: int | None = None,
    seed: int = 0,
    pieces: int = 1,
    probes: Iterable[str] = (),
    options: Mapping[str, Mapping[str, Any]] | None = None,
    tolerance: float | None = None,
    reduce: str | os.PathLike[str] | None = None,
) -> Verification:
    """Compare a network with its lowered graph and with the target's run of that, on every target.

    inputs: as ``exe.run`` takes them; drawn from the seed where there are none. pieces: in how many calls of a session
    each target runs: more than one also shows that sessions go on as whole runs do. probes: values of the network to
    compare besides its outputs (they become outputs ``probe.NAME``). options: those of ``tc.compile`` for each
    target. tolerance: an absolute difference for floats in place of the bounds by rounding. reduce: where a breach is
    found, the smallest graph that still shows it is written there as .thermo, its inputs as .npz.

    Errors: T1xx, T2xx, T3xx (a target cannot hold the network, or its runtime is missing), T401 to T404, T505.
    """
    options = {} if options is None else options
    _check(targets, options, tolerance, pieces)
    targets = tuple(dict.fromkeys(targets))
    # Before anything runs: a verification may take long, and must not end in a file that cannot be written.
    if reduce is not None:
        can_write(reduce)
    graph = _probed(graph_of(network), tuple(probes))
    where = replace(setting(graph, inputs, ticks=ticks, batch=batch, seed=seed), pieces=pieces)
    source = where.reference(graph)
    rows: list[Comparison] = []
    outcomes: dict[str, tuple[api.Executable, Outcome]] = {}
    breaches: list[Breach] = []
    for name in targets:
        exe = api.compile(graph, name, **options.get(name, {}))
        subject = Subject(target=name, exe=exe, setting=where, source=source, absolute_tolerance=tolerance)
        target_rows, places = _judged(subject)
        rows += target_rows
        outcomes[name] = exe, subject.outcome
        breaches += [_told(subject, location, reduce, len(breaches) + number) for number, location in enumerate(places)]
    return Verification(
        network=graph.name,
        targets=targets,
        options=options,
        seed=seed,
        ticks=where.ticks,
        batch=where.batch,
        rows=tuple(rows),
        breaches=tuple(breaches),
        reference=source.outputs,
        outcomes=outcomes,
    )


def _judged(subject: Subject) -> tuple[list[Comparison], list[ErrorLocation]]:
    """Return the rows of a target, and where each of its two errors begins if it is out of bounds."""
    rows, places = [], []
    for kind in (LOWERING, EMISSION):
        judgement = _judge(subject, kind)
        rows += [row(subject, kind, judgement, gap) for gap in judgement.gaps]
        if isinstance(judgement, Lowering) and (units := units_row(subject, judgement)) is not None:
            rows.append(units)
        # What could not be judged is no breach, and begins nowhere.
        if not judgement.ok and any(compared.verdict == BREACH for compared in rows if compared.error == kind):
            places.append(place(subject, kind, judgement))
    # Samples that diverged hold other states by right; only the others can be compared.
    together = np.flatnonzero(judgement.diverged_at == subject.setting.ticks)
    states = final_states(subject, together)
    if states is not None:
        rows.append(states_row(subject, states))
        if not states.ok and judgement.ok:
            places.append(place_of_state(subject, states, together))
    return rows, places


def _told(subject: Subject, one: ErrorLocation, path: str | os.PathLike[str] | None, number: int) -> Breach:
    if path is None:
        return one.breach
    case = reduced(subject, one, shows=_shows)
    return replace(one.breach, reduced=save(case, path, number))


def _shows(subject: Subject, graph: Graph, where: RunSettings, kind: str) -> bool:
    """Tell whether a graph still shows an error of this kind on the subject's target."""
    exe = subject.exe.recompiled(graph)
    smaller = replace(subject, exe=exe, setting=where, source=where.reference(graph))
    judgement = _judge(smaller, kind)
    together = np.flatnonzero(judgement.diverged_at == where.ticks)
    states = final_states(smaller, together) if kind == EMISSION else None
    return not (judgement.ok and (states is None or states.ok))


def _judge(subject: Subject, kind: str) -> Judgement:
    """Compare every output in one of the two errors."""
    return lowering(subject, subject.exe.graph, subject.lowered.outputs) if kind == LOWERING else emission(subject)


def _probed(graph: Graph, probes: tuple[str, ...]) -> Graph:
    missing = [name for name in probes if name not in graph.producers]
    if missing:
        notes = [f"its values are {', '.join(list(graph.producers)[:40])}"]
        raise error("T404", f"network {graph.name!r} has no value {missing[0]!r}", notes=notes, hint="thermoc show")
    return exposed(graph, probes, PROBE)


def _check(targets: Any, options: Any, tolerance: Any, pieces: Any) -> None:
    if isinstance(targets, str) or not all(isinstance(name, str) for name in targets) or not len(targets):
        raise error("T404", "targets are names, one at least", notes=[f"{targets!r}"], hint='targets=["sim", "onnx"]')
    if not isinstance(options, Mapping) or not all(isinstance(chosen, Mapping) for chosen in options.values()):
        hint = 'options={"sim": {"precision": "float32"}}'
        raise error("T303", "options are those of tc.compile by target", notes=[f"{options!r}"], hint=hint)
    strange = [name for name in options if name not in targets]
    if strange:
        raise error(
            "T303", f"options are given for {strange[0]!r}, which is not verified", notes=[f"targets: {targets}"]
        )
    number = isinstance(tolerance, int | float | np.number)
    if tolerance is not None and not (number and tolerance >= 0):
        raise error("T404", "a tolerance is a number >= 0", notes=[f"tolerance = {tolerance!r}"])
    if not isinstance(pieces, int | np.integer) or isinstance(pieces, bool) or pieces < 1:
        raise error("T404", "pieces must be a whole number of calls, one at least", notes=[f"pieces = {pieces!r}"])
