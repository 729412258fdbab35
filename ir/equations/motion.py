"""A system under way: its drift and noise for given states, in whatever algebra the step is computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thermoc.ir.equations.expressions import Algebra, Expression, evaluate
from thermoc.ir.equations.symbolic import Analysis, analysis
from thermoc.ir.equations.system import STEP, TIME, System

State = Sequence[Any]
"""A value a variable, in the order of the equations."""


@dataclass(frozen=True, kw_only=True)
class Motion:
    """dx_i = f_i(x, t) dt + sum_j b_ij(x, t) dW_j over one tick of length ``dt``; inputs are held over it.

    names: inputs and constants. time: at the start of the tick, asked where the system reads it. normal: of a draw's
    number, standard normals. numbers: of the names that are known without a run, for matrices. margin:
    whether both sides of a threshold are wanted.
    """

    system: System
    algebra: Algebra
    names: Mapping[str, Any]
    numbers: Mapping[str, Any]
    dt: float
    time: Callable[[], Any]
    normal: Callable[[int], Any]
    sqrt: Callable[[Any], Any]
    margin: bool = False

    @property
    def analysis(self) -> Analysis:
        """What SymPy says of the system."""
        return analysis(self.system)

    def environment(self, x: State, stage: float = 0.0) -> dict[str, Any]:
        """Return the values of all names where the variables are ``x``, at a part of the tick; derived ones apart."""
        names = {**self.names, STEP: self.dt, **dict(zip(self.system.variables, x))}
        if self.system.timed:
            names[TIME] = self.time() + stage * self.dt if stage else self.time()
        return names

    def with_derived(self, names: dict[str, Any], expressions: Sequence[Expression]) -> dict[str, Any]:
        """Return the names with the derived ones that the expressions read."""
        for line in self.system.needed(expressions):
            assert line.expression is not None
            names[line.name] = evaluate(line.expression, names, self.algebra)
        return names

    def drift(self, x: State, stage: float = 0.0) -> list[Any]:
        """Return f at x."""
        if self.system.noises:
            slopes = self.analysis.drift
        else:
            slopes = [line.expression for line in self.system.slopes.values() if line.expression is not None]
        names = self.with_derived(self.environment(x, stage), slopes)
        return [evaluate(slope, names, self.algebra) for slope in slopes]

    def diffusion(self, x: State, stage: float = 0.0) -> dict[tuple[int, int], Any]:
        """Return b at x by (variable, noise)."""
        names = self.environment(x, stage)
        return {key: evaluate(b, names, self.algebra) for key, b in self.analysis.diffusion.items()}

    def rates(self, x: State) -> list[Any]:
        """Return df_i / dx_i at x."""
        names, jacobian = self.environment(x), self.analysis.jacobian
        diagonal = [jacobian.get((i, i)) for i in range(len(self.system.variables))]
        return [0.0 if entry is None else evaluate(entry, names, self.algebra) for entry in diagonal]

    def kicks(self, x: State, stage: float = 0.0) -> list[Any]:
        """Return sum_j b_ij sqrt(dt) z_j at x, 0.0 for variables without noise."""
        kicks: list[Any] = [0.0] * len(self.system.variables)
        for (i, j), b in self.diffusion(x, stage).items():
            kick = b * self.root_dt * self.normal(j)
            kicks[i] = kick if isinstance(kicks[i], float) else kicks[i] + kick
        return kicks

    @property
    def root_dt(self) -> float:
        """The root of dt."""
        return self.dt**0.5
