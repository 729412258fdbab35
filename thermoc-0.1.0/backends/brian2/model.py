"""A Brian2 simulation as data: groups with their variables, and the steps of a tick in their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.brian2.units import Dynamics
from thermoc.ir.places import Places
from thermoc.ir.types import Shape


@dataclass(kw_only=True, eq=False)
class Group:
    """A NeuronGroup: ``size`` units of each sample (``batched``), or one set for all samples.

    variables: name to what stands behind the colon. initial: where variables start. fixed: names of constants, one a
    unit. links: name to (group, variable, places or None). constants: numbers of the namespace.
    """

    name: str
    size: int
    batched: bool
    variables: dict[str, str] = field(default_factory=dict)
    initial: dict[str, float | NDArray] = field(default_factory=dict)
    fixed: set[str] = field(default_factory=set)
    links: dict[str, tuple[Group, str, Places | None]] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    dynamics: Dynamics | None = None

    @property
    def step(self) -> int:
        """How far apart the same unit of neighbouring samples stands."""
        return self.size if self.batched else 0


@dataclass(frozen=True, kw_only=True)
class Feed:
    """An input enters its variable."""

    group: Group
    variable: str
    key: str


@dataclass(frozen=True, kw_only=True)
class Block:
    """Statements of one group, run together."""

    group: Group
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Unit:
    """Integrate, compare, reset."""

    group: Group


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Synapses from unit pre[k] of a sample in ``source`` to unit post[k] in ``target``.

    Either ``sums`` (variable, expression) or ``event``, a statement run for each spike, ``delay`` ticks later.
    """

    name: str
    source: Group
    target: Group
    pre: Places
    post: Places
    weight: NDArray | None = None
    sums: tuple[str, str] | None = None
    event: str = ""
    delay: int = 0


@dataclass(frozen=True, kw_only=True)
class Record:
    """An output: a variable at these places, or (variable "") the spikes of a group."""

    output: str
    group: Group
    variable: str
    places: Places | None
    shape: Shape
    dtype: np.dtype


Step = Feed | Block | Unit | Connection | Record


@dataclass(frozen=True, kw_only=True)
class Held:
    """A state after the run: the variables that hold it; a ``ring`` has an axis of ages, oldest first.

    refractory: where there is no variable, for how many ticks a spike holds the unit. scale: what a unit's number is to
    be multiplied by.
    """

    name: str
    group: Group
    variables: tuple[str, ...]
    ring: bool = False
    refractory: int = 0
    scale: NDArray | None = None
    shape: Shape
    dtype: np.dtype


@dataclass(frozen=True, kw_only=True)
class Model:
    """Everything a script needs. inputs: the shape of each; temperatures: those that must be > 0."""

    name: str
    dt: float
    groups: tuple[Group, ...]
    steps: tuple[Step, ...]
    states: tuple[Held, ...]
    inputs: Mapping[str, Shape]
    temperatures: tuple[str, ...] = ()

    @property
    def pieces(self) -> int:
        """Pieces of code that run in a tick: a spiking group integrates, compares and resets."""
        return sum(3 if isinstance(step, Unit) else 1 for step in self.steps)

    @property
    def elements(self) -> int:
        """What one sample computes in a tick: statements times units, and synapses."""
        return sum(_elements(step) for step in self.steps)


def _elements(step: Step) -> int:
    if isinstance(step, Connection):
        return len(step.pre)
    return step.group.size * (len(step.lines) if isinstance(step, Block) else 3 if isinstance(step, Unit) else 1)
