"""How far the sampled outputs of a run are mixed: R-hat of each unit, and the autocorrelation."""

from __future__ import annotations

import json
import math
from typing import Any

from thermoc import physics
from thermoc.mixing import FEWEST_TICKS, autocorrelation, looked_at
from thermoc.recording.layout import TRACE
from thermoc.reports.html.signals import picked
from thermoc.run import Run
from thermoc.support.thinning import number, numbers


def mixing(run: Run) -> list[dict[str, Any]]:
    """Return a document for each output that samples an equilibrium: its units' estimates, the autocorrelation."""
    names = json.loads(run.attrs["sampled"]) if run.call is None else run.call.sampled
    items = [run.recorded[name] for name in names if name in run.recorded]
    return [_mixed(item.name, item.fields[TRACE], item.k) for item in items if _long(item)]


def _long(item: Any) -> bool:
    return TRACE in item and item.fields[TRACE].shape[0] >= FEWEST_TICKS


def _mixed(name: str, trace: Any, k: int) -> dict[str, Any]:
    units = math.prod(trace.shape[2:])
    chosen = looked_at(units)
    series = picked(trace, trace.shape[1], chosen)
    rows = [_row(unit, physics.estimate(series[..., column])) for column, unit in enumerate(chosen.tolist())]
    return {"name": name, "units": units, "every": k, "rows": rows, **_autocorrelation(series)}


def _row(unit: int, chain: physics.Estimate) -> dict[str, Any]:
    of = ("mean", "error", "tau", "ess", "r_hat", "r_hat_limit", "length")
    return {"unit": unit, **{name: number(getattr(chain, name)) for name in of}, "mixed": chain.mixed}


def _autocorrelation(series: Any) -> dict[str, Any]:
    correlation = autocorrelation(series)
    return {
        "lags": correlation.lags.tolist(),
        "rho": numbers(correlation.mean),
        "slowest": numbers(correlation.slowest),
    }
