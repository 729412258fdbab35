"""What moves by noise: memories, particles, networks of springs, and draws themselves (P25, P26, P29, P47)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scipy import special

from thermoc.certificates import significance
from thermoc.certificates.criteria import converged, equipartition, held, unsettled
from thermoc.certificates.draws import standard_normals
from thermoc.certificates.law import Finding, Skipped
from thermoc.certificates.observed import Observed

MOST_OFF = 0.05
"""The share of kT by which the time step may move the kinetic energy: (omega dt)^2 / 4 in a spring."""


def memory(observed: Observed) -> Iterator[Finding | Skipped]:
    """One step of an Ornstein-Uhlenbeck process, and where it settles (P25, P47)."""
    m, x, T, gamma = observed["m"], observed.like("x", "m"), observed.like("T", "m"), observed.like("gamma", "m")
    yield from _relaxing(observed, m, x / gamma, T, gamma)


def brownian(observed: Observed) -> Iterator[Finding | Skipped]:
    """One step of Brownian dynamics, and where a spring settles (P29, P47)."""
    x, force, T, mu = observed["x"], *(observed.like(name, "x") for name in ("force", "T", "mobility"))
    if "stiffness" in observed:
        k = observed.like("stiffness", "x")
        yield from _relaxing(observed, x, force / k, T / k, mu * k)
        return
    z = (x[1:] - x[:-1] - (mu * force)[:-1] * observed.dt) / np.sqrt(2 * mu * T * observed.dt)[:-1]
    yield from standard_normals(observed, "the noise of a step", z, force=force[:-1])
    settled = observed.settled
    if observed.free:
        yield Skipped(law="P49", op=observed.label, reason="it diffuses freely: nothing holds it where it would mix")
    elif settled is None:
        yield unsettled(observed, "P49")
    else:
        yield from converged(settled, settled["x"])


def _relaxing(
    observed: Observed, m: NDArray, equilibrium: NDArray, variance: NDArray, rate: NDArray
) -> Iterator[Finding | Skipped]:
    a = np.exp(-rate * observed.dt)[:-1]
    off = m[:-1] - equilibrium[:-1]
    # The exact step of an OU process solved for its noise: it must come out standard normal at any dt.
    z = (m[1:] - equilibrium[:-1] - a * off) / np.sqrt(variance[:-1] * (1 - a * a))
    yield from standard_normals(observed, "the noise of a step", z, state=off / np.sqrt(variance[:-1]))
    settled = observed.settled
    if settled is None:
        yield unsettled(observed, "P47 (equipartition), P49")
        return
    m, equilibrium, variance = (array[observed.since :] for array in (m, equilibrium, variance))
    if held(equilibrium) and held(variance):
        ratio = (m - equilibrium) ** 2 / variance
        yield from equipartition(settled, ratio, "energy over T / 2 a unit")
        yield from converged(settled, m)
    else:
        yield Skipped(
            law="P47 (equipartition), P49", op=observed.label, reason="what drives it moves with other states"
        )


def inertial(observed: Observed) -> Iterator[Finding | Skipped]:
    """Each part of a BAOAB step, and equipartition of the momenta (P9, P29, P47)."""
    x, w, force, T, mass, rate = (
        observed["x"],
        observed["w"],
        *(observed.like(name, "x") for name in ("force", "T", "mass", "friction")),
    )
    kick = np.full((len(x), *(1,) * (x.ndim - 1)), observed.dt)
    # The kicks of neighbouring steps are joined; only the first is half a step long.
    kick[0] = observed.dt / 2
    before = (w + kick * force / mass)[:-1]
    moved = x[1:] - x[:-1] - observed.dt / 2 * (before + w[1:])
    size = max(float(np.abs(x).max()), observed.dt * float(np.abs(w).max()), 1e-300)
    yield significance.exact(observed, "P45", "positions move by dt (v + v') / 2", np.abs(moved).max() / size, x.size)
    a = np.exp(-rate * observed.dt)[:-1]
    if (a < 1).all():
        spread = np.sqrt(T[:-1] / mass[:-1] * (1 - a * a))
        z = (w[1:] - a * before) / spread
        thermal = before / np.sqrt(T / mass)[:-1]
        yield from standard_normals(observed, "the noise of a step", z, velocity=thermal)
    else:
        yield Skipped(law="P47", op=observed.label, reason="without friction no noise acts on it")
    yield from _momenta(observed, a)


def _momenta(observed: Observed, a: NDArray) -> Iterator[Finding | Skipped]:
    """Yield equipartition of the momenta where friction and temperature allow it."""
    settled = observed.settled
    if settled is None:
        yield unsettled(observed, "P47 (equipartition), P49")
        return
    w, force, T, mass = settled["w"], *(settled.like(name, "x") for name in ("force", "T", "mass"))
    if not held(T) or not (a[min(observed.since, len(a) - 1) :] < 1).all():
        reason = "without friction" if held(T) else "its temperature moves with other states"
        yield Skipped(law="P47 (equipartition), P49", op=observed.label, reason=reason)
        return
    # w stands half a kick before v, and v is what is thermal.
    v = w + observed.dt / 2 * force / mass
    if observed.since == 0:
        v[0] = w[0]
    ratio = mass * v * v / T
    # BAOAB samples momenta to order dt^2: <m v^2> = T - dt^2 <f^2> / 4 m, in a spring T (1 - (omega dt)^2 / 4).
    short = observed.dt**2 * force**2 / (4 * mass * T)
    off = float(short[settled.warmup :].mean()) if len(short) > settled.warmup else 0.0
    what = "kinetic energy over T / 2 a degree of freedom"
    yield from equipartition(settled, ratio + short, f"{what}, with dt^2 f^2 / 4 m T", off**2)
    yield from equipartition(settled, ratio, what, min(off, MOST_OFF))
    yield from converged(settled, v)


def ou_network(observed: Observed) -> Iterator[Finding | Skipped]:
    """One step of a network of springs, mode by mode, and where it settles (P29, P47)."""
    op: Any = observed.op
    # In the eigenvectors of K every mode relaxes alone, so one law serves all.
    rates, V = np.linalg.eigh(observed.constants["K"].astype(float))
    y, b = observed["x"] @ V, np.broadcast_to(observed.like("b", "x"), observed["x"].shape) @ V
    T = observed["T"][..., np.newaxis]
    T = np.broadcast_to(T, (len(y), *T.shape[1:]))
    yield from _relaxing(observed, y, b / rates, T / rates, np.broadcast_to(op.mobility * rates, y.shape))


def noise(observed: Observed) -> Iterator[Finding]:
    """White noise of variance 2 gamma T dt (P26)."""
    y = observed["y"]
    spread = np.sqrt(2 * observed.like("gamma", "y") * observed.like("T", "y") * observed.dt)
    yield from standard_normals(observed, "noise over its spread", y / spread)


def normal(observed: Observed) -> Iterator[Finding]:
    """Standard normals."""
    yield from standard_normals(observed, "a draw", observed["z"], bias_of="variance")


def uniform(observed: Observed) -> Iterator[Finding]:
    """Uniforms in (0, 1), as normals by their own distribution function."""
    yield from standard_normals(observed, "a draw", special.ndtri(observed["u"]), bias_of="variance")
