"""``tc.cost``: the same network, run on each of several machines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc import plugins
from thermoc.costs.crossbars import on_crossbars
from thermoc.costs.host import on_this_computer
from thermoc.costs.question import Question
from thermoc.costs.row import Cost
from thermoc.costs.spiking import on_spiking_chip
from thermoc.costs.table import CostTable
from thermoc.ir.feed import feed
from thermoc.ir.graph import Graph
from thermoc.network import Network, graph_of
from thermoc.simulator.chips import load_chip
from thermoc.simulator.chips import names as chip_names
from thermoc.support.errors import ThermocError, error
from thermoc.support.plurals import counted
from thermoc.support.suggestions import near

ON = ("thermo-1", "isaac", "puma", "loihi", "sim")
LIMITS = ("T2", "T3", "T404", "T408", "T409", "T410", "T411", "T413", "T414", "T415")
"""Beginnings of the codes by which a machine says that it cannot hold or run a network."""
SIMULATED = {"chip": "a chip's own", "lava": "loihi, whose events are counted"}
"""Targets that stand for a machine, and the name to ask for."""


def cost(
    network: Network | Graph,
    on: str | Sequence[str] = ON,
    *,
    inputs: Mapping[str, ArrayLike] | None = None,
    labels: ArrayLike | None = None,
    ticks: int | None = None,
    batch: int | None = None,
    seed: int = 0,
    calibrate: Mapping[str, ArrayLike] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> CostTable:
    """Return what an inference costs on each machine: joules, seconds, kelvins and the error, with their sources.

    on: chips by name or ``.toml`` file, and targets that run on this computer (``sim``); a text with commas will do.
    inputs, ticks, batch, seed: the run, as of ``Executable.run``. labels: (batch,) which element of the first output
    should be largest. calibrate: inputs by which converters' ranges are set, by default ``inputs``. options: of the
    target (``chip``, ``lava``, ...) by the machine's name. A machine that cannot hold the network is a row that says
    why. Errors: T305 for a name that is no machine, T303 for options of one that is not asked, T401 to T404.
    """
    names = _names(on)
    machines = {name: _machine(name) for name in names}
    stray = [name for name in options or {} if name not in machines]
    if stray:
        raise error("T303", f"options for {stray[0]!r}, which is not asked", notes=[f"asked: {', '.join(names)}"])
    question = _question(network, inputs, labels, ticks, batch, seed, calibrate)
    rows = tuple(_row(name, ask, question, (options or {}).get(name, {})) for name, ask in machines.items())
    where = {"ticks": question.ticks, "batch": question.batch, "seed": seed}
    return CostTable(network=question.graph.name, rows=rows, **where)


def _names(on: str | Sequence[str]) -> list[str]:
    names = [name.strip() for name in on.split(",")] if isinstance(on, str) else list(on)
    names = list(dict.fromkeys(name for name in names if name))
    if not names:
        raise error("T305", "no machine is named", notes=[_known()])
    return names


def _machine(name: str) -> Callable[..., Cost]:
    """Return what asks a machine. Errors: T305, and those of a chip's file."""
    if name in chip_names() or name.endswith(".toml"):
        chip = load_chip(name)
        return partial(on_crossbars if chip.kind == "crossbar" else on_spiking_chip, name, chip)
    target = name.partition(":")[0]
    if target in SIMULATED:
        raise error("T305", f"{name!r} is no machine: name {SIMULATED[target]}", notes=[_known()])
    if target in plugins.names():
        return partial(on_this_computer, name)
    hint = near(name, [*chip_names(), *plugins.names()], "or give the path of a chip's .toml file")
    raise error("T305", f"there is no machine {name!r}", notes=[_known()], hint=hint)


def _known() -> str:
    plugin_names = [name for name in plugins.names() if name not in SIMULATED]
    return f"there are {', '.join(chip_names())}; on this computer {', '.join(plugin_names)}"


def _question(
    network: Network | Graph,
    inputs: Mapping[str, ArrayLike] | None,
    labels: ArrayLike | None,
    ticks: int | None,
    batch: int | None,
    seed: int,
    calibrate: Mapping[str, ArrayLike] | None,
) -> Question:
    graph = graph_of(network)
    arrays = {name: np.asarray(array) for name, array in (inputs or {}).items()}
    fed = feed(graph, arrays, ticks=ticks, batch=batch, seed=seed)
    right = None if labels is None else np.asarray(labels)
    if right is not None and (right.shape != (fed.batch,) or right.dtype.kind not in "iu"):
        notes = [
            f"labels have shape {list(right.shape)}, {right.dtype}",
            f"the inputs hold {counted(fed.batch, 'sample')}",
        ]
        raise error("T402", "labels must be a whole number for each sample", notes=notes)
    samples = arrays if calibrate is None else {name: np.asarray(array) for name, array in calibrate.items()}
    return Question(
        graph=graph, inputs=arrays, labels=right, ticks=fed.ticks, batch=fed.batch, seed=seed, calibrate=samples
    )


def _row(name: str, ask: Callable[..., Cost], question: Question, options: Mapping[str, Any]) -> Cost:
    """Return a machine's row; where it cannot hold the network or run it, one that says why."""
    try:
        return ask(question, options)
    except ThermocError as problem:
        first = problem.findings[0]
        # a wrong option is the caller's mistake, not the machine's limit
        if first.code == "T303" or not first.code.startswith(LIMITS):
            raise
        facts = "; ".join((first.what, *first.notes))
        return Cost(on=name, reason=f"{facts} ({first.code})")
