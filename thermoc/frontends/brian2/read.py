"""Read a Brian2 network, or a script up to its first run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from thermoc.frontends.brian2 import monitors, objects
from thermoc.frontends.brian2.prepare import prepared
from thermoc.frontends.brian2.script import first_run
from thermoc.frontends.brian2.site import ObjectSite
from thermoc.frontends.brian2.variables import Store
from thermoc.ir.builder import Builder
from thermoc.ir.dialects.core import Output
from thermoc.ir.functions import CURRENT
from thermoc.ir.graph import Graph
from thermoc.support.errors import Finding, error


def read_brian2(path: str | os.PathLike[str]) -> tuple[Graph, tuple[Finding, ...], int | None]:
    """Return the graph of the network that a script runs first, and for how many ticks that run is.

    path: ``script.py``, or ``script.py:net`` for a network by the name of the script's variable.

    The script is executed, with the rights of whoever reads it, until that run begins; the run itself is not.
    Errors: those of ``from_network``; T501, T506 (no such network, or none is run), T524 (the script fails).
    """
    file, _, name = str(path).rpartition(":") if not str(path).endswith(".py") else (str(path), "", "")
    with first_run(file, name) as network:
        graph, repairs = from_network(network.network, namespace=network.namespace, source=file, notes=network.notes)
    return graph, repairs, None if network.duration is None else round(network.duration / graph.dt)


def from_network(
    network: Any, *, namespace: Mapping[str, Any], source: str = "", notes: tuple[Finding, ...] = ()
) -> tuple[Graph, tuple[Finding, ...]]:
    """Return the graph of a ``brian2.Network``, and each assumption. namespace: what its equations' names stand for.

    Time is in seconds, a tick is a step of the fastest clock, all numbers are in SI, as Brian2 holds them.
    Errors: T107, T204, T504, T508 (an object that cannot be read), T510, T524 (Brian2 refuses it), T525 (it has run).
    """
    objects_in_order, dt = prepared(network, dict(namespace), source or getattr(network, "name", ""))
    site = ObjectSite(source=source or network.name, builder=Builder(network.name, dt), dt=dt, repairs=list(notes))
    names = {id(value): name for name, value in namespace.items() if name.isidentifier() and name[0] != "_"}
    token = CURRENT.set(site.builder)
    try:
        parts = objects.parts(objects_in_order, site)
        store = Store(site=site, written=objects.written(parts))
        for item in parts:
            objects.carry_out(store, item, names)
        _outputs(store, objects_in_order, names)
        store.close()
    finally:
        CURRENT.reset(token)
    return site.builder.graph(), tuple(site.repairs)


def _outputs(store: Store, items: list[Any], names: Mapping[int, str]) -> None:
    if _has_output(store):
        return
    if not monitors.all_spikes(store, items, names):
        monitors.all_states(store, items, names)
    if not _has_output(store):
        raise error("T506", f"{store.site.source} has nothing to give", hint="add a monitor, or a group with equations")


def _has_output(store: Store) -> bool:
    return any(isinstance(op, Output) for op in store.site.builder.ops)
