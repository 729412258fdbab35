"""Sweeps: one network at many points, on this machine or on a cluster, into one store."""

from thermoc.sweeps.axes import span, times
from thermoc.sweeps.front import sweep
from thermoc.sweeps.objective import Objective
from thermoc.sweeps.result import SweepResult
from thermoc.sweeps.result import open_sweep as open

__all__ = ["Objective", "SweepResult", "open", "span", "sweep", "times"]
