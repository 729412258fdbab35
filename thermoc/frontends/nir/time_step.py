"""The time step of a file that states none: read off what its writer made of it, else assumed; and what it makes odd.

NIR's times are seconds and its r of an integrator is per second, but no field says how long a tick is. Writers put
their own step into the numbers, so it can often be read back:

| writer | writes | so dt is |
|---|---|---|
| SpikingJelly | IF: r = 1 / dt. CubaLIF, LIF without ``decay_input``: r = tau / dt, w_in = tau_syn / dt | theirs |
| snnTorch | LIF and CubaLIF as above, with dt = 1e-4 | 1e-4 |
| sinabs | tau in ticks, r = 1 | 1 |
| Norse 1.1 | its times multiplied by its dt of 1e-3 s, r = 1 | 1e-6 |
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.nir.nodes import GAINS, TIMES, NirModel, NirNode, repair
from thermoc.support.errors import Finding

USUAL, TICK, NORSE = 1e-4, 1.0, 1e-6
PER_SECOND = 100.0  # an integrator's r from here on is 1 / dt, not a number a tick
ODD = 100.0  # by how much a number must be off to be reported
SLOW = 1e4  # ticks
CURE = "tc.load(path, dt=...) takes another, in the shell -R dt=..."


@dataclass(frozen=True, kw_only=True)
class _Evidence:
    """Numbers that a step follows from, over all nodes: times, delays, gains, r of integrators, and 1 / r, tau / r."""

    times: NDArray
    delays: NDArray
    gains: NDArray
    rates: NDArray
    steps: NDArray
    kinds_of_time: int


def noted_step(model: NirModel) -> float | None:
    """Return the time step that ``net.save`` noted in a file; None in files of others."""
    noted = model.metadata.get("dt")
    return noted if isinstance(noted, float) and 0 < noted < math.inf else None


@np.errstate(all="ignore")  # numbers beyond a float's range agree with nothing
def time_step(model: NirModel) -> tuple[float, list[Finding]]:
    """Return the time of a tick, noted, recognised or assumed, and what is to be said of it."""
    noted = noted_step(model)
    if noted is not None:
        return noted, []
    evidence = _evidence(model)
    # Gains state the step itself, sizes of times only hint at who wrote them: gains come first.
    for rule in (_unit_gain, _in_ticks, _norse):
        answer = rule(evidence)
        if answer is not None and _fits(evidence, answer[0]):
            dt, why = answer
            return dt, [repair(f"the file states no time step: {dt:g} s, {why}", CURE)]
    if evidence.times.size or evidence.delays.any():
        return USUAL, [repair(f"the file states no time step: {USUAL} s", CURE)]
    if evidence.rates.size and evidence.rates.max() >= PER_SECOND:
        what = (
            f"the file states no time step: {USUAL} s, for its integrators' r, up to {evidence.rates.max():g}, is per s"
        )
        return USUAL, [repair(what, CURE)]
    what = "the file states no time step and no node has a time: 1"
    return TICK, [repair(what, "a tick is the unit of time, r what an input adds in it", CURE)]


def doubts(model: NirModel, dt: float) -> Iterator[Finding]:
    """Yield what a step makes odd by orders of magnitude: integrators that hardly move or leap, times far from it."""
    timed = any(TIMES & node.fields.keys() for node in model.nodes.values())
    weak, strong, fast, slow = [], [], [], []
    for name, node in model.nodes.items():
        for rate in _extremes(node, ("r",) if node.kind in ("I", "IF") else ()):
            (weak if rate * dt < 1 / ODD else strong if rate * dt > ODD else []).append(f"{name}: {rate:g}")
        for time in _extremes(node, TIMES):
            (fast if time < dt * (1 - 1e-6) else slow if time > SLOW * dt else []).append(f"{name}: {time:g} s")
    contrast = ", beside nodes whose times are in seconds" if timed else ""
    for names, what in (
        (weak, f"integrators take less than {1 / ODD:g} of their input a tick: dt r x, dt = {dt:g}{contrast}"),
        (strong, f"integrators take more than {ODD:g} times their input a tick: dt r x, dt = {dt:g}{contrast}"),
        (fast, f"times are shorter than a tick of {dt:g} s"),
        (slow, f"times are longer than {SLOW:g} ticks of {dt:g} s"),
    ):
        if names:
            yield repair(what, _few(names), f"if this was not meant: {CURE}")


def _evidence(model: NirModel) -> _Evidence:
    times, delays, gains, rates, steps = [], [], [], [], []
    for node in model.nodes.values():
        if node.kind == "Delay":
            delays.append(np.ravel(node["delay"]))
        if node.kind in ("I", "IF"):
            rates.append(np.ravel(node["r"]))
            steps.append(1 / rates[-1][rates[-1] > 0])
        for time, gain in GAINS.items():
            if time in node.fields:
                tau, r = _finite(node[time], node.fields.get(gain, np.ones(())))
                times.append(tau)
                gains.append(r)
                steps.append((tau / np.where(r > 0, r, np.nan))[r != 1])
    tau, r = _joined(times), _joined(gains)
    # Rounded: two float32 of one time constant are not two constants.
    distinct = len(np.unique(np.round(np.log(tau[r != 1]), 5)))
    return _Evidence(
        times=tau, delays=_joined(delays), gains=r, rates=_joined(rates), steps=_joined(steps), kinds_of_time=distinct
    )


def _joined(arrays: list[NDArray]) -> NDArray:
    return np.concatenate([np.empty(0), *arrays])


def _finite(tau: NDArray, r: NDArray) -> tuple[NDArray, NDArray]:
    try:
        tau, r = (np.ravel(array) for array in np.broadcast_arrays(tau, r))
    except ValueError:  # refused later, by name
        return np.empty(0), np.empty(0)
    finite = np.isfinite(tau) & np.isfinite(r)
    return tau[finite], r[finite]


def _unit_gain(e: _Evidence) -> tuple[float, str] | None:
    """One step gives every unit a gain of one: r = 1 / dt, r = tau / dt, w_in = tau_syn / dt."""
    if not e.steps.size or not np.isfinite(e.steps).all() or np.ptp(e.steps) > 1e-5 * abs(e.steps[0]):
        return None
    if e.rates.size and e.rates.min() < PER_SECOND:
        return None
    # Six digits: what was meant as 1e-4 is 9.99999975e-05 in float32.
    dt = float(f"{float(np.median(e.steps)):.6g}")
    if dt <= 0 or (not e.rates.size and e.kinds_of_time < 2 and dt != USUAL):
        return None  # one tau and one r say nothing of a step
    return dt, "by which an input adds itself to a unit: r = 1 / dt or tau / dt, as SpikingJelly and snnTorch write"


def _in_ticks(e: _Evidence) -> tuple[float, str] | None:
    """All times are 1 and more, without a gain: ticks."""
    if not e.times.size or e.times.min() < 1 or (e.gains != 1).any():
        return None
    return TICK, "for all times are 1 and more: they are in ticks, as sinabs writes them (its decay is method='exact')"


def _norse(e: _Evidence) -> tuple[float, str] | None:
    """All times are below the usual step, without a gain."""
    if not e.times.size or e.times.max() >= USUAL or (e.gains != 1).any():
        return None
    return NORSE, f"for all times are below {USUAL} s: Norse writes them multiplied by its step of 1e-3 s"


def _fits(e: _Evidence, dt: float) -> bool:
    """No time is shorter than a tick, and delays are ticks."""
    ticks = e.delays / dt
    return bool((e.times >= dt * (1 - 1e-5)).all() and (np.abs(ticks - np.round(ticks)) <= 1e-6 * (1 + ticks)).all())


def _extremes(node: NirNode, fields: Iterable[str]) -> list[float]:
    """Return the least and largest finite size above 0 of each field."""
    extremes: list[float] = []
    for key in sorted(node.fields.keys() & fields):
        sizes = np.abs(node[key][np.isfinite(node[key]) & (node[key] != 0)])
        if sizes.size:
            extremes += sorted({float(sizes.min()), float(sizes.max())})
    return extremes


def _few(names: list[str]) -> str:
    shown = list(dict.fromkeys(names))
    return ", ".join(shown[:4]) + (f" and {len(shown) - 4} more" if len(shown) > 4 else "")
