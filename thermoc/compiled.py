"""A network compiled for a target: the graph it was, the graph it became, and what the target runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from numpy.typing import ArrayLike

from thermoc.ir.dialects.core import Stored
from thermoc.ir.graph import Graph
from thermoc.ir.parameters import checked, with_parameters
from thermoc.passes.analysis.lint import lint as lint_graph
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Lowered, PassRecord
from thermoc.passes.freeze_parameters import FrozenParameters
from thermoc.passes.pipeline import run_passes
from thermoc.pipelines import check_lowered
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import Finding, error

if TYPE_CHECKING:
    from thermoc.backends.base import Artefact, Backend


class CompiledSizes(NamedTuple):
    """What a compiled network takes.

    numbers: bytes of the constants and parameters of the network and of what it became. lowered: of the latter alone.
    values: elements that a tick of one sample computes.
    """

    numbers: int
    lowered: int
    values: int


@dataclass(frozen=True, kw_only=True, repr=False)
class Compiled:
    """What compiling made: all that a run needs, and that tells how it came about."""

    source: Graph
    lowered: Lowered
    backend: Backend
    options: Any
    passes: tuple[Pass, ...] | None = None
    """The pipeline of the user's own that ran; None for the target's."""

    @property
    def graph(self) -> Graph:
        """The lowered graph, which the reference interpreter can run too."""
        return self.lowered.graph

    @property
    def records(self) -> tuple[PassRecord, ...]:
        """What each pass did."""
        return self.lowered.records

    @cached_property
    def warnings(self) -> tuple[Finding, ...]:
        """What is well formed and yet does not do what it seems to: ``lint`` of the network."""
        return lint_graph(self.source)

    @cached_property
    def artefact(self) -> Artefact:
        """What the target runs."""
        return self.backend.emit(self.lowered, self.options)

    @cached_property
    def sizes(self) -> CompiledSizes:
        """What it takes of memory, whatever is run."""
        before, after = _bytes_of_arrays(self.source), _bytes_of_arrays(self.graph)
        values = sum(value.size for op in self.graph.ops if not isinstance(op, Stored) for value in op.results)
        return CompiledSizes(sum((before | after).values()), sum(after.values()), values)

    @property
    def parameters(self) -> Mapping[str, AnyArray]:
        """Values of the network's parameters by name; they cannot be written to."""
        return {name: op.value.numpy for name, op in self.source.parameters.items()}

    def with_parameters(self, parameters: Mapping[str, ArrayLike]) -> Self:
        """Return it with other values of some parameters, for which nothing is compiled. Errors: T418, T105, T108."""
        if isinstance(parameters, Mapping) and not parameters:
            return self
        source = checked(self.source, parameters)
        self._check_replaceable(parameters)
        arrays = {name: source.parameters[name].value.numpy for name in parameters}
        changed = replace(
            self,
            source=source,
            lowered=replace(self.lowered, graph=with_parameters(self.lowered.graph, arrays)),
        )
        # A cached property lives in the dictionary: to set it is to have computed it.
        changed.__dict__["artefact"] = self.backend.with_parameters(self.artefact, arrays)
        return changed

    @property
    def frozen_parameters(self) -> Mapping[str, str]:
        """Parameters that are constants of what was compiled, and why: they cannot be replaced."""
        frozen = self.lowered.analyses.get(FrozenParameters)
        return frozen.reasons if isinstance(frozen, FrozenParameters) else {}

    def _check_replaceable(self, names: Iterable[str]) -> None:
        reasons = self.frozen_parameters
        for name in names:
            if name in reasons:
                what = f"parameter {name!r} is a constant of what was compiled for {self.backend.name!r}"
                hint = "compile net.with_parameters({...}) again"
                raise error("T418", what, notes=[reasons[name]], hint=hint)

    def recompiled(self, graph: Graph) -> Compiled:
        """Return another graph compiled the same way: for the same target, with the same options and passes."""
        return compile_graph(graph, self.backend, self.options, passes=self.passes)

    def rewritten(self, change: Callable[[Graph], Graph]) -> Compiled:
        """Return what a function makes of the network, compiled the same way; it is kept, by the function."""
        if change not in self._rewritten:
            self._rewritten[change] = self.recompiled(change(self.source))
        return self._rewritten[change]

    @cached_property
    def _rewritten(self) -> dict[Callable[[Graph], Graph], Compiled]:
        return {}


def _bytes_of_arrays(graph: Graph) -> dict[int, int]:
    """Return the bytes of each array that a graph holds, by which array it is."""
    arrays = (op.value.numpy for op in graph.ops if isinstance(op, Stored))
    return {id(array): array.nbytes for array in arrays}


def compile_graph(
    graph: Graph, backend: Backend, options: Any, *, passes: tuple[Pass, ...] | None, dump_ir: Path | None = None
) -> Compiled:
    """Return a graph brought to a target by its own passes, or by others. Errors: T1xx, T2xx, T3xx."""
    steps = backend.lower(options, dt=graph.dt) if passes is None else passes
    lowered = run_passes(graph, steps, dump_ir=dump_ir)
    if passes is not None:
        check_lowered(lowered, backend, options)
    return Compiled(source=graph, lowered=lowered, backend=backend, options=options, passes=passes)
