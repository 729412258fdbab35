"""What Brian2 holds."""

from __future__ import annotations

from thermoc.backends.brian2.tasks import TASKS
from thermoc.ir.dialects import core
from thermoc.ir.element_indices import MOVES
from thermoc.ir.target import TargetDescription, dialect_refused

TARGET = TargetDescription(
    name="brian2",
    summary="a spiking simulation: a Brian2 script, run with NumPy, Cython or as a C++ program",
    ops=frozenset(cls.opname for cls in (*TASKS, *MOVES, core.Constant, core.Parameter, core.Output, core.Probe)),
    refused=dialect_refused("loihi", "integer arithmetic of Loihi: targets lava and sim hold it"),
    folds=True,
)
