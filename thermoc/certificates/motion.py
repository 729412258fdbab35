"""What moves by noise: memories, particles, networks of springs, and draws themselves (P25, P26, P29, P47)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from thermoc.certificates import significance
from thermoc.certificates.chains import MOST_AVERAGED, spacing
from thermoc.certificates.criteria import converged, equipartition, held, unsettled
from thermoc.certificates.draws import of_array, standard_normals
from thermoc.certificates.law import Finding, Skipped
from thermoc.certificates.observed import Observed, at, chunks

MOST_DRIFT = 0.02
"""The share of its kinetic energy that a gas without friction may gain or lose from the first quarter to the last."""
MOST_OFF = 0.05
"""The share of kT by which the time step may move the kinetic energy: (omega dt)^2 / 4 in a spring."""


def memory(observed: Observed) -> Iterator[Finding | Skipped]:
    """One step of an Ornstein-Uhlenbeck process, and where it settles (P25, P47)."""
    m, x, T, gamma = observed["m"], *(observed.aligned(name, "m") for name in ("x", "T", "gamma"))
    yield from _relaxing(
        observed, m, _Spring(rest=lambda which: at(x, which) / at(gamma, which), variance=T, rate=gamma)
    )


def brownian(observed: Observed) -> Iterator[Finding | Skipped]:
    """One step of Brownian dynamics, and where a spring settles (P29, P47)."""
    x, force, T, mu = observed["x"], *(observed.aligned(name, "x") for name in ("force", "T", "mobility"))
    if "stiffness" in observed:
        k = observed.aligned("stiffness", "x")
        equilibrium: Callable[[Any], NDArray] = lambda which: at(force, which) / at(k, which)  # noqa: E731
        yield from _relaxing(observed, x, _Spring(rest=equilibrium, variance=T / k, rate=mu * k))
        return
    drift, spread = mu * observed.dt, np.sqrt(2 * mu * T * observed.dt)

    def steps(which: Any) -> tuple[NDArray, dict[str, NDArray]]:
        pushed = at(force, which)
        z = (x[1:][which] - x[:-1][which] - at(drift, which) * pushed) / at(spread, which)
        return z, {"force": pushed}

    yield from standard_normals(observed, "the noise of a step", steps, len(x) - 1)
    settled = observed.settled
    if observed.free:
        yield Skipped(law="P49", op=observed.label, reason="it diffuses freely: nothing holds it where it would mix")
    elif settled is None:
        yield unsettled(observed, "P49")
    else:
        yield from converged(settled, settled["x"])


@dataclass(frozen=True, kw_only=True)
class _Spring:
    """What relaxes at a rate to rest, with a variance about it; arrays (ticks, samples, ...) or (1, ...)."""

    rest: Callable[[Any], NDArray]
    variance: NDArray
    rate: NDArray


def _relaxing(observed: Observed, m: NDArray, spring: _Spring) -> Iterator[Finding | Skipped]:
    a = np.exp(-spring.rate * observed.dt)
    # Their reciprocals: a division takes several times a product.
    spread, thermal = 1 / np.sqrt(spring.variance * (1 - a * a)), 1 / np.sqrt(spring.variance)

    def steps(which: Any) -> tuple[NDArray, dict[str, NDArray]]:
        rest = spring.rest(which)
        off = m[:-1][which] - rest
        # The exact step of an OU process solved for its noise: it must come out standard normal at any dt.
        z = m[1:][which] - rest
        z -= at(a, which) * off
        z *= at(spread, which)
        return z, {"state": off * at(thermal, which)}

    yield from standard_normals(observed, "the noise of a step", steps, len(m) - 1)
    settled = observed.settled
    if settled is None:
        yield unsettled(observed, "P47 (equipartition), P49")
        return
    steady = slice(observed.since, None)
    rest, variance = spring.rest(steady), at(spring.variance, steady)
    if held(rest) and held(variance):
        every, units = averaged(m[observed.since + settled.warmup :].shape)
        # All ticks are as the first, so that one is enough of what does not change.
        off = m[observed.since + settled.warmup :: every][..., units] - _of(rest[:1], units)
        ratio = off * off / _of(variance[:1], units)
        yield from equipartition(settled, ratio, "energy over T / 2 a unit", every=every)
        yield from converged(settled, m[steady])
    else:
        yield Skipped(
            law="P47 (equipartition), P49", op=observed.label, reason="what drives it moves with other states"
        )


def averaged(shape: tuple[int, ...]) -> tuple[int, Any]:
    """Return every which tick, and which units of the last axis, of (ticks, samples, ...) an average is taken over."""
    ticks, samples, *units = shape
    every = spacing(ticks, int(np.prod(shape[1:])), samples)
    limit = max(MOST_AVERAGED * units[-1] // max(int(np.prod(shape)) // every, 1), 1) if units else 1
    if not units or limit >= units[-1]:
        return every, slice(None)
    return every, np.unique(np.linspace(0, units[-1] - 1, min(units[-1], limit)).astype(int))


def _of(array: NDArray, units: Any) -> NDArray:
    return array[..., units] if array.ndim > 2 and array.shape[-1] > 1 else array


def inertial(observed: Observed) -> Iterator[Finding | Skipped]:
    """Each part of a BAOAB step, and equipartition of the momenta (P9, P29, P47)."""
    x, w = observed["x"], observed["w"]
    force, T, mass, rate = (observed.aligned(name, "x") for name in ("force", "T", "mass", "friction"))
    kick = np.full((len(x), *(1,) * (x.ndim - 1)), observed.dt)
    # The kicks of neighbouring steps are joined; only the first is half a step long.
    if observed.begun == 0:
        kick[0] = observed.dt / 2

    def before(which: Any) -> NDArray:
        return w[:-1][which] + kick[:-1][which] * at(force, which) / at(mass, which)

    size = max(float(np.abs(x).max()), observed.dt * float(np.abs(w).max()), 1e-300)
    moved = max(
        float(np.abs(x[1:][which] - x[:-1][which] - observed.dt / 2 * (before(which) + w[1:][which])).max())
        for which in chunks(len(x) - 1, x[0].size, x.size)
    )
    yield significance.exact(observed, "P45", "positions move by dt (v + v') / 2", moved / size, x.size)
    a = np.exp(-rate * observed.dt)
    if (a < 1).all():
        thermal = np.sqrt(T / mass)
        spread = thermal * np.sqrt(1 - a * a)

        def steps(which: Any) -> tuple[NDArray, dict[str, NDArray]]:
            start = before(which)
            z = (w[1:][which] - at(a, which) * start) / at(spread, which)
            return z, {"velocity": start / at(thermal, which)}

        yield from standard_normals(observed, "the noise of a step", steps, len(w) - 1)
    else:
        yield Skipped(law="P47", op=observed.label, reason="without friction no noise acts on it")
        yield from _conserved(observed)
    yield from _momenta(observed, a)


def _conserved(observed: Observed) -> Iterator[Finding | Skipped]:
    """Yield that energy stays without friction: at each tick where forces stay, else to the last quarter (P9, P45)."""
    reason = ""
    if observed["friction"].any():
        reason = "some of its units have friction, and exchange energy with the others"
    elif "potential" not in observed and not held(observed["force"]):
        reason = "its force is neither constant nor that of pairs and bonds alone, so its potential is not known"
    if reason:
        yield Skipped(law="P45 (energy)", op=observed.label, reason=reason)
        return
    mass, force = observed.like("mass", "x"), observed.like("force", "x")
    v = observed["w"] + observed.dt / 2 * force / mass
    if observed.begun == 0:
        v[0] = observed["w"][0]
    kinetic = _total(mass * v * v / 2)
    if "potential" not in observed:
        yield _uniformly_pushed(observed, kinetic, v)
        return
    energy = kinetic + observed["potential"]
    quarter = max(len(energy) // 4, 1)
    gained = float((energy[-quarter:].mean(axis=0) - energy[:quarter].mean(axis=0)).mean())
    drift = gained / max(float(kinetic.mean()), 1e-300)
    statement = "energy stays without friction, beside the kinetic energy"
    yield significance.exact(
        observed, "P45", statement, drift, energy.size, tolerance=MOST_DRIFT, bias=MOST_DRIFT, bias_of="energy"
    )


def _uniformly_pushed(observed: Observed, kinetic: NDArray, v: NDArray) -> Finding:
    """Return that m v^2 / 2 - f x stays to rounding, of a force f that never changes: a step follows its parabola."""
    mass, force = observed.like("mass", "x"), observed.like("force", "x")
    potential = -_total(force * observed["x"])
    energy = kinetic + potential
    size = max(float(kinetic.max()) + float(np.abs(potential).max()), 1e-300)
    moved = {"x": float(_total(np.abs(force[:1])).max()), "w": float(_total(mass * np.abs(v)).max())}
    room = observed.room(size, **{name: 2 * by for name, by in moved.items()})
    gap = float(np.abs(energy - energy[:1]).max()) / size
    statement = "energy stays without friction, of a force that does not change"
    return significance.exact(observed, "P45", statement, gap, energy.size, bias=room, bias_of="energy", tolerance=room)


def _total(array: NDArray) -> NDArray:
    """Return the sum over all units, (ticks, samples)."""
    return array.reshape(*array.shape[:2], -1).sum(axis=-1)


def _momenta(observed: Observed, a: NDArray) -> Iterator[Finding | Skipped]:
    """Yield equipartition of the momenta where friction and temperature allow it."""
    settled = observed.settled
    if settled is None:
        yield unsettled(observed, "P47 (equipartition), P49")
        return
    w, force, T, mass = settled["w"], *(settled.aligned(name, "x") for name in ("force", "T", "mass"))
    if not held(T) or not (at(a, slice(min(observed.since, len(a) - 1), None)) < 1).all():
        reason = "without friction" if held(T) else "its temperature moves with other states"
        yield Skipped(law="P47 (equipartition), P49", op=observed.label, reason=reason)
        return
    # w stands half a kick before v, and v is what is thermal.
    v = w + observed.dt / 2 * force / mass
    if observed.since == 0 and observed.begun == 0:
        v[0] = w[0]
    every = averaged(v[settled.warmup :].shape)[0]
    mass, u, force, T = (at(array, slice(settled.warmup, None, every)) for array in (mass, v, force, T))
    ratio = mass * u * u / T
    # BAOAB samples momenta to order dt^2: <m v^2> = T - dt^2 <f^2> / 4 m, in a spring T (1 - (omega dt)^2 / 4).
    short = observed.dt**2 * force * force / (4 * mass * T)
    off = float(short.mean()) if len(short) else 0.0
    what = "kinetic energy over T / 2 a degree of freedom"
    yield from equipartition(settled, ratio + short, f"{what}, with dt^2 f^2 / 4 m T", off**2, every=every)
    yield from equipartition(settled, ratio, what, min(off, MOST_OFF), every=every)
    yield from converged(settled, v)


def ou_network(observed: Observed) -> Iterator[Finding | Skipped]:
    """One step of a network of springs, mode by mode, and where it settles (P29, P47)."""
    op: Any = observed.op
    # In the eigenvectors of K every mode relaxes alone, so one law serves all.
    rates, V = np.linalg.eigh(observed.constants["K"].astype(float))
    b = observed.aligned("b", "x")
    equilibrium = np.broadcast_to(b, (*b.shape[:2], len(rates))) @ V / rates
    T = observed["T"][..., np.newaxis]
    spring = _Spring(
        rest=lambda which: at(equilibrium, which), variance=T / rates, rate=(op.mobility * rates)[None, None]
    )
    yield from _relaxing(observed, observed["x"] @ V, spring)


def noise(observed: Observed) -> Iterator[Finding]:
    """White noise of variance 2 gamma T dt (P26)."""
    y = observed["y"]
    spread = np.sqrt(2 * observed.aligned("gamma", "y") * observed.aligned("T", "y") * observed.dt)
    yield from standard_normals(
        observed, "noise over its spread", lambda which: (y[which] / at(spread, which), {}), len(y)
    )


def normal(observed: Observed) -> Iterator[Finding]:
    """Standard normals."""
    z = observed["z"]
    yield from standard_normals(observed, "a draw", of_array(z), len(z), bias_of="variance")


def uniform(observed: Observed) -> Iterator[Finding]:
    """Uniforms in (0, 1), as normals by their own distribution function."""
    u = observed["u"]
    yield from standard_normals(
        observed, "a draw", lambda which: (special.ndtri(u[which]), {}), len(u), bias_of="variance"
    )
