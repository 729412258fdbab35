"""Points that are searched for: optuna proposes them, some at a time, by what came of those before."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from thermoc.support.array_types import AnyArray
from thermoc.support.errors import error
from thermoc.support.extras import need
from thermoc.sweeps.axes import CODE, Axis, Span, check_choice, check_whole
from thermoc.sweeps.points import Point
from thermoc.sweeps.setup import Setup

SAMPLERS = {"tpe": "TPESampler", "random": "RandomSampler", "cmaes": "CmaEsSampler", "gp": "GPSampler"}
OVER = {"mean": np.mean, "min": np.min, "max": np.max}


@dataclass(frozen=True, kw_only=True)
class Objective:
    """What is made as small, or as large, as can be: a result of a point as one number.

    result: a name of the store, "E.mean". over: how its numbers become one, "mean", "min" or "max". generation: points
    that are proposed at a time; the points depend on it, and not on how many workers there are. sampler: optuna's.
    """

    result: str
    direction: str = "minimize"
    over: str = "mean"
    trials: int = 100
    generation: int = 8
    sampler: str = "tpe"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value, choices in (
            ("sampler", self.sampler, SAMPLERS),
            ("over", self.over, OVER),
            ("direction", self.direction, ("minimize", "maximize")),
        ):
            check_choice(name, value, choices)
        check_whole(1, trials=self.trials, generation=self.generation)

    def check(self, setup: Setup) -> None:
        """Refuse what cannot be searched. Errors: T302 without optuna, T520."""
        need("optuna", "search", "searches for an objective")
        if any(axis.kind == "seed" for axis in setup.axes):
            raise error(CODE, "an objective is not searched for over seeds", hint="raise batch to average over noise")
        if not setup.axes:
            raise error(CODE, "an objective needs something that is varied", hint="name a parameter and its span")

    def value(self, row: AnyArray) -> float:
        """Return a row of the result as one number."""
        return float(OVER[self.over](row))


class Search:
    """A study of optuna whose proposals depend on the seed and on the values told alone: a resumed one repeats them."""

    def __init__(self, objective: Objective, axes: Sequence[Axis]):
        self._optuna = need("optuna", "search", "searches for an objective")
        self._optuna.logging.set_verbosity(self._optuna.logging.ERROR)
        self._objective, self._axes = objective, axes
        self._study = self._optuna.create_study(direction=objective.direction, sampler=self._sampler())
        self._trials: list[Any] = []
        self._told = 0

    def _sampler(self) -> Any:
        import warnings

        options = {"constant_liar": True} if self._objective.sampler == "tpe" else {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that constant_liar is experimental
            kind = getattr(self._optuna.samplers, SAMPLERS[self._objective.sampler])
            return kind(seed=self._objective.seed, **options)

    def ask(self) -> list[Point]:
        """Return the points of the next generation."""
        count = min(self._objective.generation, self._objective.trials - len(self._trials))
        spaces = {str(number): self._space(axis) for number, axis in enumerate(self._axes)}
        trials = [self._study.ask(spaces) for _ in range(count)]
        self._trials += trials
        return [self._point(trial.params) for trial in trials]

    def tell(self, value: float | None) -> None:
        """Tell the value of the next point, in the order of the proposals; None where it failed."""
        trial, self._told = self._trials[self._told], self._told + 1
        if value is None or not np.isfinite(value):
            self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(trial, value)

    def _space(self, axis: Axis) -> Any:
        kinds, values = self._optuna.distributions, axis.values
        if not isinstance(values, Span):  # by place, for values may be arrays
            return kinds.CategoricalDistribution(list(range(len(values))))
        if values.whole:
            return kinds.IntDistribution(int(values.low), int(values.high), log=values.scale == "log")
        return kinds.FloatDistribution(values.low, values.high, log=values.scale == "log")

    def _point(self, chosen: dict[str, Any]) -> Point:
        values = [chosen[str(number)] for number in range(len(self._axes))]
        return tuple(v if isinstance(a.values, Span) else a.values[v] for a, v in zip(self._axes, values))


def objective_in(attrs: dict[str, Any]) -> Objective | None:
    """Return the objective that a store speaks of, None where it has none."""
    document = json.loads(attrs["objective"])
    return None if document is None else Objective(**document)
