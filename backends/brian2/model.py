"""A Brian2 simulation as data: groups with their variables, and the steps of a tick in their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.brian2.parameters import ArrayElements, ScriptParameters
from thermoc.backends.brian2.units import Dynamics
from thermoc.ir.element_indices import ElementIndices
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
    initial: dict[str, float | NDArray | ArrayElements] = field(default_factory=dict)
    fixed: set[str] = field(default_factory=set)
    links: dict[str, tuple[Group, str, ElementIndices | None]] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    dynamics: Dynamics | None = None

    @property
    def step(self) -> int:
        """How far apart the same unit of neighbouring samples stands."""
        return self.size if self.batched else 0


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something that happens in each tick. only: the probes that alone need it; none where it is always needed."""

    only: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class InputStep(Step):
    """An input enters its variable."""

    group: Group
    variable: str
    key: str


@dataclass(frozen=True, kw_only=True)
class StatementBlock(Step):
    """Statements of one group, run together."""

    group: Group
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ClearStep(Step):
    """Variables of one group become zero."""

    group: Group
    variables: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class UnitStep(Step):
    """Integrate, compare, reset."""

    group: Group


@dataclass(frozen=True, kw_only=True)
class Connection(Step):
    """Synapses from unit pre[k] of a sample in ``source`` to unit post[k] in ``target``.

    Either ``sums`` (variable, expression) or ``event``, a statement run for each spike, ``delay`` ticks later. queue:
    the delay whose spikes are on their way in it.
    """

    name: str
    source: Group
    target: Group
    pre: ElementIndices
    post: ElementIndices
    weight: NDArray | ArrayElements | None = None
    sums: tuple[str, str] | None = None
    event: str = ""
    delay: int = 0
    queue: str = ""


@dataclass(frozen=True, kw_only=True)
class OutputRecord(Step):
    """An output: a variable at these places, or (variable "") the spikes of a group."""

    name: str
    group: Group
    variable: str
    places: ElementIndices | None
    shape: Shape
    dtype: np.dtype


@dataclass(frozen=True, kw_only=True)
class StateRecord:
    """A state: the variables that store it; a ``ring`` has an axis of ages, oldest first.

    scale: what a unit's number is to be multiplied by. Where there is no variable: refractory, for how many ticks a
    spike keeps the unit refractory; or queue, the delay whose spikes of the last ``ticks`` ticks are on their way, and
    the places that it has in the group.
    """

    name: str
    group: Group
    variables: tuple[str, ...]
    ring: bool = False
    scale: NDArray | None = None
    refractory: int = 0
    queue: str = ""
    ticks: int = 0
    places: ElementIndices | None = None
    shape: Shape
    dtype: np.dtype


@dataclass(frozen=True, kw_only=True)
class SimulationModel:
    """Everything a script needs. inputs: the shape of each; temperatures: those that must be > 0.

    probes: the outputs that are computed only where they are asked for.
    """

    name: str
    dt: float
    groups: tuple[Group, ...]
    steps: tuple[Step, ...]
    states: tuple[StateRecord, ...]
    probes: tuple[str, ...]
    inputs: Mapping[str, Shape]
    temperatures: tuple[str, ...] = ()
    parameters: ScriptParameters = ScriptParameters()

    @property
    def pieces(self) -> int:
        """Pieces of code that run in a tick: a spiking group integrates, compares and resets."""
        return sum(3 if isinstance(step, UnitStep) else 1 for step in self.steps if not step.only)

    @property
    def elements(self) -> int:
        """What one sample computes in a tick: statements times units, and synapses."""
        return sum(_elements(step) for step in self.steps if not step.only)


def _elements(step: Any) -> int:
    if isinstance(step, Connection):
        return len(step.pre)
    return step.group.size * (
        len(step.lines)
        if isinstance(step, StatementBlock)
        else len(step.variables)
        if isinstance(step, ClearStep)
        else 3
        if isinstance(step, UnitStep)
        else 1
    )
