"""A probabilistic bit: on with probability 1 / (1 + e^(-E / kT)) each tick (P6 of energy -E), at its cell's own T.

The threshold form, on = [E > kT logit(u)], makes temperature only multiply. Camsari's m = sgn(tanh(beta I) + U[-1, 1])
is the same unit with E = 2 I. Its power heats its cell, T = T_amb + R_th P(T) at rest with the mean power
P(T) = P_off + (P_on - P_off) / (1 + e^(-E / kT)); solved for the drive that rests at T,
E = k T logit(((T - T_amb) / R_th - P_off) / (P_on - P_off)).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from thermoc.simulator.arrays import count, counters, spread
from thermoc.simulator.cache import keep
from thermoc.simulator.data.quantities import Quantities, read
from thermoc.simulator.data.value_ranges import violations
from thermoc.simulator.devices.loops import normal
from thermoc.simulator.devices.models.rc import heat_cell
from thermoc.simulator.devices.rule import rule
from thermoc.simulator.kernels.thermal import HALF, LOW, philox, uniform64
from thermoc.simulator.threads import attended
from thermoc.support.errors import error
from thermoc.support.units import K_B

PARAMETERS = {"tick": "s", "power_on": "W", "power_off": "W"}
HEAT = {"heat.resistance": "K/W", "heat.capacity": "J/K", "heat.ambient": "K", "heat.limit": "K"}


@rule
def on(E, kT, u):
    """1 where E > kT logit(u), u uniform in (0, 1); E and kT in one unit."""
    return 1.0 if kT * (math.log(u) - math.log1p(-u)) < E else 0.0


@rule
def probability(E, kT):
    """1 / (1 + e^(-E / kT)), without overflow."""
    # e to the minus |E|: the exponent is never positive
    decay = math.exp(-abs(E) / kT)
    return (1.0 if E >= 0 else decay) / (1.0 + decay)


@rule
def uniform(element, tick, draw, stream, key):
    """The first uniform of Philox block (element, tick, draw, stream)."""
    k0, k1 = np.uint64(key) & LOW, np.uint64(key) >> HALF
    w0, w1, _, _ = philox(np.uint64(element), np.uint64(tick), np.uint64(draw), np.uint64(stream), k0, k1)
    return uniform64(w0, w1)


def values(path: str | Path | None = None) -> Quantities:
    """Return the quantities of the p-bit's data file, or of another. Errors: T501, T513, T405 (out of range)."""
    q = read(Path(path) if path else Path(__file__).with_suffix(".toml"), {**PARAMETERS, **HEAT})
    _in_range(q)
    return q


def _in_range(q: Mapping[str, float]) -> None:
    """Refuse values out of the ranges that our data file states. Errors: T404 (one is missing), T405."""
    domain = read(Path(__file__).with_suffix(".toml"), {**PARAMETERS, **HEAT})
    missing = [name for name in domain if name not in q]
    if missing:
        raise error("T404", f"pbit: {missing[0]} is missing", hint="start from pbit.values()")
    rows = {name: spread(f"pbit: {name}", q[name], (1,)) for name in domain}
    for v in violations(rows, {name: domain.quantity(name).limits for name in domain}):
        raise error("T405", f"pbit: {v.name} is {v.value:g}", notes=[f"the model asks for {v.rule}"])


def drive_at(T: float, q: Mapping[str, float]) -> float:
    """Return the energy E in J at which a self-heating p-bit rests at T in K. Errors: T405 where no E does."""
    _in_range(q)
    span = q["power_on"] - q["power_off"]
    on_share = ((T - q["heat.ambient"]) / q["heat.resistance"] - q["power_off"]) / span if span else 0.0
    if not 0 < on_share < 1:
        coolest = q["heat.ambient"] + q["heat.resistance"] * min(q["power_off"], q["power_on"])
        hottest = q["heat.ambient"] + q["heat.resistance"] * max(q["power_off"], q["power_on"])
        raise error(
            "T405", f"no drive holds this p-bit at {T} K", notes=[f"it rests between {coolest:.6g} and {hottest:.6g} K"]
        )
    return K_B * T * math.log(on_share / (1 - on_share))


@dataclass(frozen=True, kw_only=True)
class Heating:
    """What self-heating p-bits did: T (ticks, n) K before each tick, on (ticks, n) the share of the tick they were on.

    work, heat (n,): J in and out by flux over the run; stored (n,): C (T - T at the start).
    """

    T: NDArray
    on: NDArray
    work: NDArray
    heat: NDArray
    stored: NDArray


def self_heating(
    E: ArrayLike,
    q: Mapping[str, float],
    ticks: int,
    *,
    ambient: ArrayLike | None = None,
    T: ArrayLike | None = None,
    mean: bool = False,
    noise: bool = False,
    seed: int = 0,
    stream: int = 0,
) -> Heating:
    """Return n p-bits driven by E (n,) in J, each heating its own cell, exactly from tick to tick.

    ``mean`` puts the mean power in place of that of a sample; ``noise`` lets the cell fluctuate (P27). Philox at (bit,
    tick, draw 0 for the switch and 1 for the cell, stream). Errors: T402 to T405 for wrong arguments, T410 where a cell
    passes its limit.
    """
    _in_range(q)
    ticks, (key, stream, _) = count("ticks", ticks), counters(seed, stream)
    drive = np.atleast_1d(spread("E", E, np.shape(E)))
    if drive.ndim != 1:
        raise error("T402", f"E has the shape {drive.shape}", hint="give a number or one for each p-bit, (n,)")
    around = spread("ambient", q["heat.ambient"] if ambient is None else ambient, drive.shape)
    start = spread("T", around if T is None else T, drive.shape)
    if not ((around > 0).all() and (start > 0).all()):
        raise error("T405", "a temperature of a p-bit is not above 0 K")
    out, ups = np.empty((ticks, drive.size)), np.empty((ticks, drive.size))
    ledger = np.zeros((2, drive.size))
    cell = np.array([q["heat.resistance"], q["heat.capacity"], q["tick"], q["power_off"], q["power_on"]])
    cells = start.copy()
    numbers = drive, around, cells, cell, mean, noise, stream, key, out, ups, ledger
    attended(lambda: _loop(*numbers))
    # written as a denial, so that a temperature that is no number counts as too hot
    hot = np.argwhere(~(out <= q["heat.limit"]))
    if len(hot):
        tick, k = hot[0]
        power = q["power_off"] + ups[tick - 1, k] * (q["power_on"] - q["power_off"])
        notes = [
            f"at t = {tick * q['tick']:.6g} s, p-bit {k}",
            f"{out[tick, k]:.6g} K, limit {q['heat.limit']:.6g} K",
            f"power {power:.6g} W",
        ]
        raise error("T410", "pbit: the device runs away", notes=notes, hint="lower its power or its thermal resistance")
    return Heating(T=out, on=ups, work=ledger[0], heat=ledger[1], stored=cell[1] * (cells - start))


def _ticks(E, ambient, T, cell, mean, noise, stream, key, out, ups, ledger):
    """out[k], ups[k] = temperatures before tick k and what then is on; T is left at the end."""
    R, C, dt, off, up = cell
    # expm1: 1 - e^-x loses its digits for ticks far shorter than R C
    fade = -math.expm1(-dt / (R * C))
    for j in range(E.size):
        for k in range(out.shape[0]):
            out[k, j] = T[j]
            kT = K_B * T[j]
            s = probability(E[j], kT) if mean else on(E[j], kT, uniform(j, k, 0, stream, key))
            ups[k, j] = s
            P = off + s * (up - off)
            balance = ambient[j] + R * P
            # the heat that leaves within the tick, integrated in closed form; C dT would close by construction
            flux = P * dt + C * fade * (T[j] - balance)
            new = heat_cell(T[j], P, 0.0, R, C, ambient[j], dt)
            if noise:
                # the difference of two exact steps: one rule states the noise's strength, and the ledger has it as heat
                kick = heat_cell(T[j], P, normal(j, k, 1, stream, key), R, C, ambient[j], dt) - new
                new += kick
                flux -= C * kick
            ledger[0, j] += P * dt
            ledger[1, j] += flux
            T[j] = new


_loop = keep(njit(_ticks, error_model="numpy", nogil=True))
