"""What runs on Dask's workers: a plugin brings the setup of a sweep to each of them, those that come later too."""

from __future__ import annotations

from typing import Any

from distributed import Worker, WorkerPlugin, get_worker

from thermoc import plugins
from thermoc.sweeps.points import Point
from thermoc.sweeps.setup import Setup
from thermoc.sweeps.worker import Done, Executables, Failed, carried_out, versions

_SWEEPS: dict[str, Executables] = {}
"""What this worker has compiled, by sweep."""


class BringSetup(WorkerPlugin):
    """Lets a worker know a sweep, for as long as that goes on."""

    def __init__(self, shared: Setup):
        self.shared, self.name, self.idempotent = shared, plugin_name(shared), True

    def setup(self, worker: Worker) -> None:
        """Keep what is compiled of the sweep."""
        _SWEEPS.setdefault(self.shared.hash, Executables(self.shared))

    def teardown(self, worker: Worker) -> None:
        """Forget it."""
        _SWEEPS.pop(self.shared.hash, None)


def plugin_name(shared: Setup) -> str:
    """Return the name of a sweep's plugin."""
    return f"thermoc-sweep-{shared.hash[:16]}"


def run_part(sweep: str, point: Point, first_sample: int, batch: int) -> tuple[str, Done | Failed]:
    """Return this worker's address, and what a part of a point gave."""
    return get_worker().address, carried_out(_SWEEPS[sweep], point, first_sample, batch)


def look(target: str) -> dict[str, Any]:
    """Load a target; return what must be the same on all workers."""
    plugins.backend(target)
    return versions()
