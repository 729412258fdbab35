"""Sweeps: one network at many points, on this machine or on a cluster, into one store."""

from thermoc.sweeps.axes import span, times
from thermoc.sweeps.front import sweep
from thermoc.sweeps.objective import Objective
from thermoc.sweeps.replicas import replicas
from thermoc.sweeps.result import SweepResult
from thermoc.sweeps.result import open_sweep as open
from thermoc.sweeps.tempering import temper

__all__ = ["Objective", "SweepResult", "open", "replicas", "span", "sweep", "temper", "times"]
