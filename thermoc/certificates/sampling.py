"""Units that are drawn: p-bits, categories, and coupled units with what they sample (P5, P6, P12, P47 to P49)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc import physics
from thermoc.certificates.criteria import LEAST_AVERAGED, converged, too_few, unsettled, within
from thermoc.certificates.law import SIGMAS, Law, Skipped, standard_score
from thermoc.certificates.observed import Observed
from thermoc.ir.dialects import sampling

MOST_ENUMERATED = 10
MOST_NUMBERS = 2 * 10**7


def binary(observed: Observed) -> Iterator[Law]:
    """A p-bit is up as often as P6 says, at every drive."""
    s, drive, T = observed["s"], observed.like("drive", "s"), observed.like("T", "s")
    yield from _calibrated(observed, s > 0, drive / T)


def categorical(observed: Observed) -> Iterator[Law]:
    """A unit is drawn as often as Boltzmann's law says (P5)."""
    s, x, T = observed["s"], observed.like("x", "s"), observed.like("T", "s")
    p = physics.boltzmann(x, T)
    score = (s - p).reshape(-1, s.shape[-1]).sum(axis=0) / np.sqrt((p * (1 - p)).reshape(-1, s.shape[-1]).sum(axis=0))
    worst = float(np.abs(score).max())
    yield standard_score("P47", observed.label, "every unit is drawn as often as it should", worst, s.size)


def gibbs(observed: Observed) -> Iterator[Law | Skipped]:
    """Symmetric couplings, a schedule without conflict, heat-bath updates, and what they sample (P12, P47 to P49)."""
    op: Any = observed.op
    J = couplings(observed)
    gap = float(abs(J - J.T).max())
    label, size = observed.label, J.shape[0]
    statement = "couplings are the same both ways: detailed balance"
    yield Law(law="P47", op=label, statement=statement, measured=gap, expected=0.0, bound=0.0, samples=size)
    colors = np.arange(size) if "colors" not in observed else observed.constants["colors"]
    # All at once is one colour, and then every coupled pair is a conflict.
    colors = np.zeros(size, int) if op.order == "parallel" else colors
    rows, columns = J.nonzero()
    together = int((colors[rows] == colors[columns]).sum()) // 2
    statement = "coupled pairs that are updated together"
    yield Law(law="P47", op=label, statement=statement, measured=together, expected=0.0, bound=0.0, samples=size)
    before, after = (
        (observed["s"][:-1], observed["s"][1:]) if isinstance(op, sampling.Gibbs) else (observed["x"], observed["s"])
    )
    yield from _updates(observed, J, colors, before, after)
    settled = observed.settled
    if not isinstance(op, sampling.Gibbs):
        yield Skipped(law="P48, P49", op=label, reason="it keeps no state of its own: what it starts from is given")
    elif settled is None:
        yield unsettled(observed, "P48, P49")
    else:
        yield from _ensemble(settled, J)


def _updates(observed: Observed, J: Any, colors: NDArray, before: NDArray, after: NDArray) -> Iterator[Law]:
    """Yield that each unit was up as often as its drive said when it was its turn."""
    op: Any = observed.op
    n = J.shape[0]
    count = max(1, min(len(after), MOST_NUMBERS // (after.shape[1] * n)))
    before, after = before[:count], after[:count]
    h = np.broadcast_to(observed["h"], (*observed["h"].shape[:2], n))[:count]
    T = observed["T"]
    T = np.broadcast_to(T.reshape(*T.shape[:2], *(1,) * (4 - T.ndim), *T.shape[2:]), (*T.shape[:2], op.sweeps, n))[
        :count, :, -1
    ]
    classes = np.unique(colors)
    ups, fields = [], []
    # Of several sweeps only the last is seen, and of it only the last colour knows all that it read.
    for color in classes if op.sweeps == 1 else classes[-1:]:
        members = np.flatnonzero(colors == color)
        # Colours before this one had their new levels already when this one was drawn.
        state = np.where(colors < color, after, before) if op.sweeps == 1 else after
        flat = state.reshape(-1, n).T
        field = np.asarray(J[members] @ flat).T.reshape(*state.shape[:2], -1) + h[..., members]
        ups.append((after[..., members] > 0).reshape(-1))
        # A spin that flips changes the energy by twice its field.
        drive = (2 if op.levels == "spin" else 1) * field / T[..., members]
        fields.append(np.broadcast_to(drive, state.shape[:2] + drive.shape[2:]).reshape(-1))
    yield from _calibrated(observed, np.concatenate(ups), np.concatenate(fields))


def _calibrated(observed: Observed, up: NDArray, drive: NDArray) -> Iterator[Law]:
    """Yield that ``up`` is a fair draw at probability 1 / (1 + e^-drive), overall and in its slope with the drive."""
    p = physics.fermi_dirac(-drive, 1.0)
    variance = p * (1 - p)
    off = up - p
    yield standard_score("P47", observed.label, "units are up as often as they should", _score(off, variance), up.size)
    # Beyond five the draw is certain, and its product with the drive is rounding.
    slope = np.clip(drive, -5, 5)
    score = _score(off * slope, variance * slope * slope)
    yield standard_score("P47", observed.label, "units follow their drive as they should", score, up.size)


def _score(off: NDArray, variance: NDArray) -> float:
    total = float(variance.sum())
    return float(off.sum() / np.sqrt(total)) if total > 0 else 0.0


def _ensemble(observed: Observed, J: Any) -> Iterator[Law | Skipped]:
    """Yield energy, heat capacity and free energy against enumeration (P48), and convergence (P49)."""
    op: Any = observed.op
    s, n = observed["s"][observed.warmup :], J.shape[0]
    T, h = observed["T"], observed["h"]
    if len(s) < LEAST_AVERAGED:
        yield too_few(observed, "P48, P49", len(s))
        return
    E = physics.ising_energy(s, J, 0.0) - (s * (h[observed.warmup :] if len(h) > 1 else h)).sum(axis=-1)
    yield from converged(observed, E[..., np.newaxis], whole=True)
    reason = ""
    if n > MOST_ENUMERATED:
        reason = f"the states of {n} units are too many to enumerate (at most {MOST_ENUMERATED} units)"
    elif abs(J - J.T).max() > 0:
        reason = "couplings that are not the same both ways have no energy"
    elif np.ptp(T) > 0:
        reason = "its units, sweeps or samples have temperatures of their own"
    elif (h != h[:1, :1]).any():
        reason = "its fields differ from tick to tick or sample to sample"
    if reason:
        yield Skipped(law="P48", op=observed.label, reason=reason)
        return
    T, h = float(T.flat[0]), h[0, 0]
    exact = physics.enumerate_ising(J.toarray(), T, np.broadcast_to(h, n), op.levels)
    mean = physics.estimate(E)
    yield within("P48", observed, "mean energy is that of all states weighed by e^(-E/T)", mean, exact.U)
    # About the exact mean, for an estimated one would make the variance too small.
    spread = physics.estimate((E - exact.U) ** 2 / T**2)
    yield within("P48", observed, "heat capacity Var(E) / T^2 is dU/dT", spread, exact.C)
    yield _free_energy(observed, s, E, T, exact.F)


def _free_energy(observed: Observed, s: NDArray, E: NDArray, T: float, exact: float) -> Law:
    """Return F = U - T S against -T ln Z (P48), S from how often each state was seen (Miller and Madow 1955)."""
    # Samples that are two correlation times apart count as independent.
    n, spaced = s.shape[-1], max(1.0, 2 * physics.integrated_time(E))
    state = ((s > 0) @ (1 << np.arange(n))).astype(int)

    def free(energies: NDArray, states: NDArray) -> float:
        counts = np.bincount(states.astype(int).reshape(-1), minlength=2**n)
        p = counts[counts > 0] / counts.sum()
        # Entropy from counts is too low, by (states seen - 1) / 2N for N independent samples.
        bias = ((counts > 0).sum() - 1) / (2 * counts.sum() / spaced)
        return float(energies.mean() - T * (bias - (p * np.log(p)).sum()))

    F, error = physics.jackknife(free, E, state)
    tolerance = T * 2.0**n * spaced / (2 * E.size)  # what the entropy of states never seen may hide
    return Law(
        law="P48",
        op=observed.label,
        statement="F = U - T S is -T ln Z",
        measured=float(F),
        expected=exact,
        bound=SIGMAS * float(error) + tolerance,
        samples=E.size,
        details={"error": float(error)},
    )


def couplings(observed: Observed) -> Any:
    """Return the couplings as a sparse matrix."""
    from scipy.sparse import csr_array

    constants = observed.constants
    if "J" in constants:
        return csr_array(constants["J"].astype(float))
    parts = tuple(constants[name] for name in ("values", "columns", "offsets"))
    n = len(parts[2]) - 1
    return csr_array(parts, shape=(n, n))
