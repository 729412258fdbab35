"""What a target can hold, as data: one entry an op, with the reason where it cannot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from thermoc.ir.ops import REGISTRY
from thermoc.ir.types import DType


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A number a target cannot exceed, and who says so."""

    value: int
    unit: str
    source: str


@dataclass(frozen=True, kw_only=True)
class TargetDescription:
    """The ops a target holds as they are, and why it refuses others.

    An op in neither is held if a pass can write it in terms of ops that are.
    """

    name: str
    summary: str
    ops: frozenset[str]
    refused: Mapping[str, str] = field(default_factory=dict[str, str])
    dtypes: frozenset[DType] = frozenset(DType)
    limits: Mapping[str, Limit] = field(default_factory=dict[str, Limit])
    forms: Mapping[str, str] = field(default_factory=dict[str, str])
    """How an op is held, where that is not as it is."""
    machine: str = "software"
    """What computes: software; "emulated", a model of a machine that is not there; "hardware", the machine itself."""
    folds: bool = False
    """Whether ops of parameters and constants alone never reach it: the reference computes them before a run."""


def dialect_refused(dialect: str, reason: str) -> dict[str, str]:
    """Return the same reason for every op of a dialect."""
    return {name: reason for name in REGISTRY if name.partition(".")[0] == dialect}
