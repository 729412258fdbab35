"""How far the sampled outputs of a run are mixed: R-hat of each unit, and the autocorrelation."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from thermoc import physics
from thermoc.mixing import FEWEST_TICKS, MOST_ELEMENTS
from thermoc.recording.layout import TRACE
from thermoc.reports.html.signals import picked
from thermoc.reports.html.thinning import number, numbers
from thermoc.run import Run

LAGS = 200


def mixing(run: Run) -> list[dict[str, Any]]:
    """Return a document for each output that samples an equilibrium: its units' estimates, the autocorrelation."""
    names = json.loads(run.attrs["sampled"]) if run.call is None else run.call.sampled
    items = [run.recorded[name] for name in names if name in run.recorded]
    return [_mixed(item.name, item.fields[TRACE], item.k) for item in items if _long(item)]


def sampled_names(run: Run) -> list[str]:
    """Return the outputs that would be judged if they were recorded all, for as long as it takes."""
    return json.loads(run.attrs["sampled"]) if run.call is None else run.call.sampled


def _long(item: Any) -> bool:
    return TRACE in item and item.fields[TRACE].shape[0] >= FEWEST_TICKS


def _mixed(name: str, trace: Any, k: int) -> dict[str, Any]:
    units = math.prod(trace.shape[2:])
    chosen = np.arange(0, units, max(1, units // MOST_ELEMENTS))
    series = picked(trace, trace.shape[1], chosen)
    rows = [_row(unit, physics.estimate(series[..., place])) for place, unit in enumerate(chosen.tolist())]
    return {"name": name, "units": units, "every": k, "rows": rows, **_autocorrelation(series)}


def _row(unit: int, chain: physics.Estimate) -> dict[str, Any]:
    of = ("mean", "error", "tau", "ess", "r_hat", "r_hat_limit", "length")
    return {"unit": unit, **{name: number(getattr(chain, name)) for name in of}, "mixed": chain.mixed}


def _autocorrelation(series: Any) -> dict[str, Any]:
    """Return lags and rho at them: of the slowest unit, and the mean over units, chains taken together.

    rho is the autocovariance about each chain's own mean (P34), so that chains which disagree show in R-hat alone.
    """
    covariance = np.stack([physics.autocovariance(series[..., unit]).mean(axis=1) for unit in range(series.shape[2])])
    moving = covariance[:, 0] > 0
    if not moving.any():
        return {"lags": [], "rho": [], "slowest": []}
    rho = covariance[moving] / covariance[moving][:, :1]
    last = max(8, min(len(series) // 2, _until(rho), LAGS * (len(series) // LAGS + 1)))
    lags = np.unique(np.linspace(0, last - 1, min(last, LAGS)).round().astype(int))
    slowest = int(np.abs(rho[:, :last]).sum(axis=1).argmax())
    return {"lags": lags.tolist(), "rho": numbers(rho.mean(axis=0)[lags]), "slowest": numbers(rho[slowest][lags])}


def _until(rho: Any) -> int:
    """Return some lags beyond the first at which no unit remembers anything: 5 % at most."""
    quiet = np.flatnonzero((np.abs(rho) < 0.05).all(axis=0))
    return 3 * int(quiet[0]) + 8 if len(quiet) else rho.shape[1]
