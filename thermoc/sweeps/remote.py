"""What runs on Dask's workers: a plugin brings what all tasks share to each of them, those that come later too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from distributed import Worker, WorkerPlugin, get_worker

from thermoc import plugins
from thermoc.sweeps.artefacts import SharedArtefacts
from thermoc.sweeps.points import Point
from thermoc.sweeps.setup import Setup
from thermoc.sweeps.worker import Done, Executables, Failed, carried_out, versions

_SHARED: dict[str, Any] = {}
"""What this worker has made of what was brought to it, by key."""


class Bring(WorkerPlugin):
    """Lets a worker keep ``make(payload)`` under a key, for as long as the plugin is registered."""

    def __init__(self, key: str, make: Callable[[Any], Any], payload: Any):
        self.name, self.idempotent = key, True
        self._make, self._payload = make, payload

    def setup(self, worker: Worker) -> None:
        """Make it."""
        _SHARED.setdefault(self.name, self._make(self._payload))

    def teardown(self, worker: Worker) -> None:
        """Forget it."""
        cluster = _SHARED.pop(self.name, None)
        if isinstance(cluster, Executables):
            cluster.close()


def shared(key: str) -> Any:
    """Return what was brought to this worker."""
    return _SHARED[key]


def sharing(payload: tuple[Setup, str]) -> Executables:
    """Return where a worker keeps what it compiled, shared with the others of its machine under a name."""
    setup, name = payload
    return Executables(setup, SharedArtefacts(name))


def run_part(key: str, point: Point, first_sample: int, batch: int) -> tuple[str, Done | Failed]:
    """Return this worker's address, and what a part of a point gave."""
    return get_worker().address, carried_out(shared(key), point, first_sample, batch)


def look(target: str) -> dict[str, Any]:
    """Load a target; return what must be the same on all workers."""
    plugins.backend(target)
    return versions()
