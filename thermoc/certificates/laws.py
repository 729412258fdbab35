"""The laws of each op, P45 to P49, checked on what it was seen to do. The formulas are written anew, not shared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc import physics
from thermoc.certificates.law import SIGMAS, Law, standard_normals, standard_score
from thermoc.certificates.seen import Seen
from thermoc.ir.dialects import diffusive, heat, langevin, sampling, thermo
from thermoc.ir.ops import Op

MOST_ENUMERATED = 10
MOST_NUMBERS = 2 * 10**7


def memory(seen: Seen) -> Iterator[Law]:
    """One step of an Ornstein-Uhlenbeck process, and where it settles (P25, P47)."""
    m, x, kT, gamma = seen["m"], seen.like("x", "m"), seen.like("kT", "m"), seen.like("gamma", "m")
    yield from _relaxing(seen, m, x / gamma, kT, gamma)


def brownian(seen: Seen) -> Iterator[Law]:
    """One step of Brownian dynamics, and where a spring settles (P29, P47)."""
    x, force, kT, mu = seen["x"], *(seen.like(name, "x") for name in ("force", "kT", "mobility"))
    if "stiffness" in seen:
        k = seen.like("stiffness", "x")
        yield from _relaxing(seen, x, force / k, kT / k, mu * k)
        return
    z = (x[1:] - x[:-1] - (mu * force)[:-1] * seen.dt) / np.sqrt(2 * mu * kT * seen.dt)[:-1]
    yield from standard_normals("P47", seen.label, "the noise of a step", z, force=force[:-1])
    yield from converged(seen, x)


def _relaxing(seen: Seen, m: NDArray, rest: NDArray, variance: NDArray, rate: NDArray) -> Iterator[Law]:
    a = np.exp(-rate * seen.dt)[:-1]
    off = m[:-1] - rest[:-1]
    z = (m[1:] - rest[:-1] - a * off) / np.sqrt(variance[:-1] * (1 - a * a))
    yield from standard_normals("P47", seen.label, "the noise of a step", z, state=off / np.sqrt(variance[:-1]))
    if seen.steady and _held(rest) and _held(variance):
        share = (m - rest) ** 2 / variance
        yield from equipartition(seen, share, "energy over kT / 2 a unit")
        yield from converged(seen, m)


def inertial(seen: Seen) -> Iterator[Law]:
    """Each part of a BAOAB step, and equipartition of the momenta (P9, P29, P47)."""
    x, w, force, kT, mass, rate = (
        seen["x"],
        seen["w"],
        *(seen.like(name, "x") for name in ("force", "kT", "mass", "friction")),
    )
    kick = np.full((len(x), *(1,) * (x.ndim - 1)), seen.dt)
    kick[0] = seen.dt / 2
    before = (w + kick * force / mass)[:-1]
    moved = x[1:] - x[:-1] - seen.dt / 2 * (before + w[1:])
    size = max(float(np.abs(x).max()), seen.dt * float(np.abs(w).max()), 1e-300)
    yield _exact(seen, "P45", "positions move by dt (v + v') / 2", np.abs(moved).max() / size, x.size)
    a = np.exp(-rate * seen.dt)[:-1]
    if (a < 1).all():
        spread = np.sqrt(kT[:-1] / mass[:-1] * (1 - a * a))
        z = (w[1:] - a * before) / spread
        thermal = before / np.sqrt(kT / mass)[:-1]
        yield from standard_normals("P47", seen.label, "the noise of a step", z, velocity=thermal)
    if seen.steady and _held(kT) and (a < 1).all():
        v = w + kick / 2 * force / mass
        v[0] = w[0]
        share = mass * v * v / kT
        order_two = float((seen.dt**2 * force**2 / (4 * mass * kT)).mean())
        yield from equipartition(seen, share, "kinetic energy over kT / 2 a degree of freedom", order_two)
        yield from converged(seen, v)


def ou_network(seen: Seen) -> Iterator[Law]:
    """One step of a network of springs, mode by mode, and where it settles (P29, P47)."""
    op: Any = seen.op
    rates, V = np.linalg.eigh(seen.constants["K"].astype(float))
    y, b = seen["x"] @ V, np.broadcast_to(seen.like("b", "x"), seen["x"].shape) @ V
    kT = seen["kT"][..., np.newaxis]
    kT = np.broadcast_to(kT, (len(y), *kT.shape[1:]))
    yield from _relaxing(seen, y, b / rates, kT / rates, np.broadcast_to(op.mobility * rates, y.shape))


def noise(seen: Seen) -> Iterator[Law]:
    """White noise of variance 2 gamma kT dt (P26)."""
    y = seen["y"]
    spread = np.sqrt(2 * seen.like("gamma", "y") * seen.like("kT", "y") * seen.dt)
    yield from standard_normals("P47", seen.label, "noise over its spread", y / spread)


def normal(seen: Seen) -> Iterator[Law]:
    """Standard normals."""
    yield from standard_normals("P47", seen.label, "a draw", seen["z"])


def uniform(seen: Seen) -> Iterator[Law]:
    """Uniforms in (0, 1): mean 1/2, variance 1/12."""
    z = (seen["u"] - 0.5) * np.sqrt(12)
    scale = np.sqrt(2 / (9 / 5 - 1))  # the fourth moment is 9/5, a normal's is 3
    for law in standard_normals("P47", seen.label, "a draw", z):
        score = law.measured * scale if law.statement.endswith("variance 1") else law.measured
        yield standard_score("P47", seen.label, law.statement, score, law.samples)


def binary(seen: Seen) -> Iterator[Law]:
    """A p-bit is up as often as P6 says, at every drive."""
    s, drive, T = seen["s"], seen.like("drive", "s"), seen.like("T", "s")
    yield from _calibrated(seen, s > 0, drive / T)


def categorical(seen: Seen) -> Iterator[Law]:
    """A unit is drawn as often as Boltzmann's law says (P5)."""
    s, x, T = seen["s"], seen.like("x", "s"), seen.like("T", "s")
    p = physics.boltzmann(x, T)
    score = (s - p).reshape(-1, s.shape[-1]).sum(axis=0) / np.sqrt((p * (1 - p)).reshape(-1, s.shape[-1]).sum(axis=0))
    worst = float(np.abs(score).max())
    yield standard_score("P47", seen.label, "every unit is drawn as often as it should", worst, s.size)


def gibbs(seen: Seen) -> Iterator[Law]:
    """Symmetric couplings, a schedule without conflict, heat-bath updates, and what they sample (P12, P47 to P49)."""
    op: Any = seen.op
    J = _couplings(seen)
    gap = float(abs(J - J.T).max())
    label, size = seen.label, J.shape[0]
    statement = "couplings are the same both ways: detailed balance"
    yield Law(law="P47", op=label, statement=statement, measured=gap, expected=0.0, bound=0.0, samples=size)
    colors = np.arange(size) if "colors" not in seen else seen.constants["colors"]
    colors = np.zeros(size, int) if op.order == "parallel" else colors
    rows, columns = J.nonzero()
    together = int((colors[rows] == colors[columns]).sum()) // 2
    statement = "coupled pairs that are updated together"
    yield Law(law="P47", op=label, statement=statement, measured=together, expected=0.0, bound=0.0, samples=size)
    before, after = (seen["s"][:-1], seen["s"][1:]) if isinstance(op, sampling.Gibbs) else (seen["x"], seen["s"])
    yield from _updates(seen, J, colors, before, after)
    if isinstance(op, sampling.Gibbs) and seen.steady:
        yield from _ensemble(seen, J)


def _updates(seen: Seen, J: Any, colors: NDArray, before: NDArray, after: NDArray) -> Iterator[Law]:
    """Yield that each unit was up as often as its drive said when it was its turn."""
    op: Any = seen.op
    n = J.shape[0]
    count = max(1, min(len(after), MOST_NUMBERS // (after.shape[1] * n)))
    before, after = before[:count], after[:count]
    h = np.broadcast_to(seen["h"], (*seen["h"].shape[:2], n))[:count]
    T = seen["T"]
    T = np.broadcast_to(T.reshape(*T.shape[:2], *(1,) * (4 - T.ndim), *T.shape[2:]), (*T.shape[:2], op.sweeps, n))[
        :count, :, -1
    ]
    classes = np.unique(colors)
    ups, fields = [], []
    for color in classes if op.sweeps == 1 else classes[-1:]:
        members = np.flatnonzero(colors == color)
        state = np.where(colors < color, after, before) if op.sweeps == 1 else after
        flat = state.reshape(-1, n).T
        field = np.asarray(J[members] @ flat).T.reshape(*state.shape[:2], -1) + h[..., members]
        ups.append((after[..., members] > 0).reshape(-1))
        drive = (2 if op.levels == "spin" else 1) * field / T[..., members]
        fields.append(np.broadcast_to(drive, state.shape[:2] + drive.shape[2:]).reshape(-1))
    yield from _calibrated(seen, np.concatenate(ups), np.concatenate(fields))


def _calibrated(seen: Seen, up: NDArray, drive: NDArray) -> Iterator[Law]:
    """Yield that ``up`` is a fair draw at probability 1 / (1 + e^-drive), overall and in its slope with the drive."""
    p = physics.fermi_dirac(-drive, 1.0)
    room = p * (1 - p)
    off = up - p
    yield standard_score("P47", seen.label, "units are up as often as they should", _score(off, room), up.size)
    slope = np.clip(drive, -5, 5)
    score = _score(off * slope, room * slope * slope)
    yield standard_score("P47", seen.label, "units follow their drive as they should", score, up.size)


def _score(off: NDArray, variance: NDArray) -> float:
    total = float(variance.sum())
    return float(off.sum() / np.sqrt(total)) if total > 0 else 0.0


def _ensemble(seen: Seen, J: Any) -> Iterator[Law]:
    """Yield energy, heat capacity and free energy against enumeration (P48), and convergence (P49)."""
    op: Any = seen.op
    s, n = seen["s"][seen.warmup :], J.shape[0]
    h, T = seen.constants.get("h"), seen.constants.get("T")
    E = physics.ising_energy(s, J, 0.0) - (s * seen["h"][-1:]).sum(axis=-1)
    yield from converged(seen, E[..., np.newaxis], whole=True)
    if h is None or T is None or T.size != 1 or n > MOST_ENUMERATED or abs(J - J.T).max() > 0:
        return
    T = float(T.reshape(()))
    exact = physics.enumerate_ising(_dense(J), T, np.broadcast_to(h, n), op.levels)
    mean = physics.estimate(E)
    yield _within("P48", seen, "mean energy is that of all states weighed by e^(-E/T)", mean, exact.U)
    spread = physics.estimate((E - exact.U) ** 2 / T**2)
    yield _within("P48", seen, "heat capacity Var(E) / T^2 is dU/dT", spread, exact.C)
    yield _free_energy(seen, s, E, T, exact.F)


def _free_energy(seen: Seen, s: NDArray, E: NDArray, T: float, exact: float) -> Law:
    """Return F = U - T S against -T ln Z (P48), S from how often each state was seen (Miller and Madow 1955)."""
    n, spaced = s.shape[-1], max(1.0, 2 * physics.integrated_time(E))
    state = ((s > 0) @ (1 << np.arange(n))).astype(int)

    def free(energies: NDArray, states: NDArray) -> float:
        counts = np.bincount(states.astype(int).reshape(-1), minlength=2**n)
        p = counts[counts > 0] / counts.sum()
        bias = ((counts > 0).sum() - 1) / (2 * counts.sum() / spaced)
        return float(energies.mean() - T * (bias - (p * np.log(p)).sum()))

    F, error = physics.jackknife(free, E, state)
    room = T * 2.0**n * spaced / (2 * E.size)  # what the entropy of states never seen may hide
    return Law(
        law="P48",
        op=seen.label,
        statement="F = U - T S is -T ln Z",
        measured=float(F),
        expected=exact,
        bound=SIGMAS * float(error) + room,
        samples=E.size,
        details={"error": float(error)},
    )


def exchange(seen: Seen) -> Iterator[Law]:
    """Exchange keeps the sum of temperatures, and brings them together (P3, P45, P46)."""
    T = seen["T"]
    op: Any = seen.op
    if op.T_layer is None:
        total = T.sum(axis=-1)
        drift = np.abs(total - total[:1]).max() / np.abs(total).max()
        yield _exact(seen, "P45", "the sum of temperatures stays", drift, T.size)
        spread = physics.interaction_energy(seen.constants["J"], T)
        rise = float((np.diff(spread, axis=0) / max(spread.max(), 1e-300)).max(initial=0.0))
        yield _exact(seen, "P46", "differences never grow", rise, spread.size)


def network(seen: Seen) -> Iterator[Law]:
    """Energy and entropy of a thermal network (P45, P46), and its fluctuations (P27, P47)."""
    op: Any = seen.op
    T, given, taken = seen["T"], seen["work"], seen["heat"]
    C = np.broadcast_to(seen.constants["capacity"], T.shape[-1])
    stored = (C * T).sum(axis=-1)
    flows = np.cumsum((given - taken).sum(axis=-1)[1:], axis=0)
    scale = np.abs(stored).max() + np.cumsum(np.abs(given).sum(-1) + np.abs(taken).sum(-1), axis=0).max()
    gap = np.abs(stored[1:] - stored[0] - flows).max(initial=0.0) / scale
    yield _exact(seen, "P45", "energy stored = work in - heat out, both from flows", gap, T.size)
    if op.k_B == 0 and (T > 0).all():
        yield _second_law(seen, T, C, taken, given)
    elif op.k_B > 0 and seen.steady and "T_ambient" in seen.constants and np.abs(given).max() == 0:
        rest = np.unique(seen.constants["T_ambient"])
        if len(rest) == 1 and (np.broadcast_to(seen.constants["ambient"], T.shape[-1]) > 0).any():
            share = (T - rest[0]) ** 2 * C / (op.k_B * rest[0] ** 2)
            small = float(op.k_B / C.min())  # the noise follows T, which adds terms of order k_B / C
            yield from equipartition(seen, share, "Var(T) over k_B T^2 / C a node", 4 * small)
            yield from converged(seen, T)


def _second_law(seen: Seen, T: NDArray, C: NDArray, taken: NDArray, given: NDArray) -> Law:
    """Return that no tick destroys entropy: within, and in the reservoir that took the heat (P46)."""
    bath = seen.like("T_ambient", "T")
    if np.abs(given).max() > 0:
        G = seen.constants["conductance"]
        made = physics.entropy_production(G, T)
        low, scale = float(made.min(initial=0.0)), float(np.abs(made).max(initial=1e-300))
    else:
        made = (C * np.log(T[1:] / T[:-1]) + taken[1:] / bath[1:]).sum(axis=-1)
        low, scale = float(made.min(initial=0.0)), float(C.sum())
    return Law(
        law="P46",
        op=seen.label,
        statement="entropy is never destroyed",
        measured=low / scale,
        expected=0.0,
        bound=seen.tolerance,
        side="above",
        samples=made.size,
    )


def diffusion(seen: Seen) -> Iterator[Law]:
    """What a grid holds changes by what sources bring and walls take (P19, P45)."""
    T, out = seen["T"], seen["outflow"]
    axes = tuple(range(2, T.ndim))
    source = seen.like("source", "T").sum(axis=axes)
    total = T.sum(axis=axes)
    change = np.cumsum(source[:-1] * seen.dt - out[1:], axis=0)
    scale = np.abs(total).max() + np.abs(out).sum(axis=0).max() + np.abs(source).sum(axis=0).max() * seen.dt
    gap = np.abs(total[1:] - total[0] - change).max(initial=0.0) / scale
    yield _exact(seen, "P45", "what is stored = what sources bring - what walls take", gap, T.size)


def clamp(seen: Seen) -> Iterator[Law]:
    """A clamp accounts for all it cuts off (P22, P45)."""
    op: Any = seen.op
    x, T, taken, C = seen.like("x", "T"), seen["T"], seen["heat"], seen.like("capacity", "T")
    gap = np.abs(C * (x - T) - taken).max() / max(np.abs(C * x).max(), 1e-300)
    yield _exact(seen, "P45", "heat taken = C (x - T)", gap, T.size)
    out = max(op.T_min - T.min(), T.max() - op.T_max, 0.0) / op.T_max
    yield _exact(seen, "P45", "temperatures stay within the clamp", out, T.size)


def convergence(seen: Seen) -> dict[str, list[float]]:
    """Return what P49 asks for against time, at fifty ticks or fewer, as means over the samples: energy and order
    parameter of sampled units with their free energy where all states can be counted, mean and spread of temperatures.
    """
    op: Any = seen.op
    if isinstance(op, sampling.Gibbs):
        s, places = _spaced(seen["s"])
        E = physics.ising_energy(s, _couplings(seen)) - (s * seen["h"][-1:]).sum(axis=-1)
        order = np.abs(s.mean(axis=-1))
        course = {"energy": E.mean(axis=1), "order_parameter": order.mean(axis=1)}
        if s.shape[-1] <= MOST_ENUMERATED and "T" in seen.constants and seen.constants["T"].size == 1:
            course["free_energy"] = np.array(
                [_free(e, z, float(seen.constants["T"].reshape(()))) for e, z in zip(E, s)]
            )
    elif isinstance(op, heat.HeatNetwork | heat.HeatExchange | heat.Diffusion):
        T, places = _spaced(seen["T"])
        flat = T.reshape(*T.shape[:2], -1)
        course = {"temperature": flat.mean(axis=(1, 2)), "temperature_spread": np.ptp(flat, axis=-1).mean(axis=1)}
    else:
        return {}
    return {"tick": [float(place) for place in places], **{name: list(map(float, x)) for name, x in course.items()}}


def _spaced(series: NDArray) -> tuple[NDArray, NDArray]:
    places = np.unique(np.linspace(0, len(series) - 1, 50).round().astype(int))
    return series[places], places


def _free(E: NDArray, s: NDArray, T: float) -> float:
    """Return U - T S of the samples of one tick, S from how often each state is among them."""
    _, counts = np.unique(s, axis=0, return_counts=True)
    p = counts / counts.sum()
    return float(E.mean() + T * (p * np.log(p)).sum())


def equipartition(seen: Seen, share: NDArray, what: str, allowance: float = 0.0) -> Iterator[Law]:
    """Yield that the mean of ``share`` after the warm-up is 1, within four standard errors from its own tau (P47)."""
    series = share[seen.warmup :].reshape(len(share) - seen.warmup, share.shape[1], -1).mean(axis=-1)
    if len(series) < 4:
        return
    mean = physics.estimate(series)
    yield _within("P47", seen, f"mean {what} is 1", mean, 1.0, allowance)


def converged(seen: Seen, values: NDArray, *, whole: bool = False) -> Iterator[Law]:
    """Yield R-hat and effective sample size of the least mixed unit after the warm-up (P49)."""
    series = values if whole else values[seen.warmup :]
    if not seen.steady or len(series) < 8:
        return
    flat = series.reshape(*series.shape[:2], -1)
    units = range(0, flat.shape[-1], max(1, flat.shape[-1] // 16))
    found = [physics.estimate(flat[..., unit]) for unit in units]
    worst = max(found, key=lambda one: one.r_hat - one.r_hat_limit)
    count = flat.shape[0] * flat.shape[1]
    yield _converged(seen, "R-hat: chains agree", worst.r_hat, worst.r_hat_limit, "below", count)
    least, shortest = min(one.ess for one in found), min(one.length for one in found)
    yield _converged(seen, "effective sample size", least, physics.LEAST_ESS, "above", count)
    yield _converged(seen, "length of a chain over its tau", shortest, physics.LEAST_LENGTH, "above", count)


def _converged(seen: Seen, statement: str, measured: float, limit: float, side: str, samples: int) -> Law:
    return Law(
        law="P49",
        op=seen.label,
        statement=statement,
        measured=measured,
        expected=float(limit),
        bound=0.0,
        side=side,
        samples=samples,
    )


def _exact(seen: Seen, law: str, statement: str, gap: float, samples: int) -> Law:
    return Law(
        law=law,
        op=seen.label,
        statement=statement,
        measured=float(gap),
        expected=0.0,
        bound=seen.tolerance,
        samples=samples,
    )


def _within(
    law: str, seen: Seen, statement: str, mean: physics.Estimate, expected: float, allowance: float = 0.0
) -> Law:
    details = {"error": mean.error, "tau": mean.tau, "ess": mean.ess, "allowance": allowance}
    return Law(
        law=law,
        op=seen.label,
        statement=statement,
        measured=mean.mean,
        expected=expected,
        bound=SIGMAS * mean.error + allowance * abs(expected),
        samples=mean.samples,
        details=details,
    )


def _held(array: NDArray) -> bool:
    """Tell whether an array does not change over the ticks."""
    return bool((array == array[:1]).all())


def _couplings(seen: Seen) -> Any:
    from scipy.sparse import csr_array

    held = seen.constants
    if "J" in held:
        return csr_array(held["J"].astype(float))
    parts = tuple(held[name] for name in ("values", "columns", "offsets"))
    n = len(parts[2]) - 1
    return csr_array(parts, shape=(n, n))


def _dense(J: Any) -> NDArray:
    return J.toarray()


LAWS: dict[type[Op], Callable[[Seen], Iterator[Law]]] = {
    thermo.Memory: memory,
    thermo.Noise: noise,
    thermo.Normal: normal,
    thermo.Uniform: uniform,
    thermo.SampleBinary: binary,
    thermo.SampleCategorical: categorical,
    diffusive.OuNetwork: ou_network,
    langevin.Brownian: brownian,
    langevin.Langevin: inertial,
    sampling.Gibbs: gibbs,
    sampling.GibbsSweeps: gibbs,
    heat.HeatExchange: exchange,
    heat.HeatNetwork: network,
    heat.Diffusion: diffusion,
    heat.Clamp: clamp,
}
