"""Units that are drawn: p-bits, categories, and coupled units with what they sample (P5, P6, P12, P47 to P49)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from thermoc import physics
from thermoc.certificates import draws, significance
from thermoc.certificates.chains import MOST_AVERAGED, average, spacing
from thermoc.certificates.criteria import LEAST_AVERAGED, converged, too_few, unsettled
from thermoc.certificates.law import Finding, Skipped
from thermoc.certificates.observed import Observed, at
from thermoc.ir.dialects import sampling

MOST_ENUMERATED = 10
BLOCKS = 32


def binary(observed: Observed) -> Iterator[Finding]:
    """A p-bit is up as often as P6 says, at every drive."""
    s, drive, T = observed["s"], observed.aligned("drive", "s"), observed.aligned("T", "s")

    def draws_(which: Any) -> tuple[NDArray, NDArray]:
        up = s[which] > 0
        return draws.flat_units(up), draws.flat_units(np.broadcast_to(at(drive, which) / at(T, which), up.shape))

    yield from draws.bits(observed, draws_, len(s))


def categorical(observed: Observed) -> Iterator[Finding]:
    """A category is drawn as often as Boltzmann's law says, and follows its energies (P5)."""
    yield from draws.categories(observed, observed["s"], observed.like("x", "s"), observed.like("T", "s"))


def gibbs(observed: Observed) -> Iterator[Finding | Skipped]:
    """Symmetric couplings, a schedule without conflict, heat-bath updates, and what they sample (P12, P47 to P49)."""
    op: Any = observed.op
    J = couplings(observed)
    label, size = observed.label, J.shape[0]
    statement = "couplings are the same both ways: detailed balance"
    yield significance.exact(observed, "P47", statement, float(abs(J - J.T).max()), size, tolerance=0.0)
    colors = np.arange(size) if "colors" not in observed else observed.constants["colors"]
    # All at once is one colour, and then every coupled pair is a conflict.
    colors = np.zeros(size, int) if op.order == "parallel" else colors
    rows, columns = J.nonzero()
    together = int((colors[rows] == colors[columns]).sum()) // 2
    yield significance.exact(observed, "P47", "coupled pairs that are updated together", together, size, tolerance=0.0)
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


def _updates(observed: Observed, J: Any, colors: NDArray, before: NDArray, after: NDArray) -> Iterator[Finding]:
    """Yield that each unit was up as often as its drive said when it was its turn."""
    op: Any = observed.op
    n = J.shape[0]
    h, T = observed["h"], observed["T"]
    T = T.reshape(*T.shape[:2], *(1,) * (4 - T.ndim), *T.shape[2:])
    T = np.broadcast_to(T, (*T.shape[:2], op.sweeps, n))[:, :, -1]
    classes = np.unique(colors)
    # Of several sweeps only the last is seen, and of it only the last colour knows all that it read.
    classes = classes if op.sweeps == 1 else classes[-1:]
    members = [np.flatnonzero(colors == color) for color in classes]
    rows = [J[units] for units in members]
    order = np.concatenate(members)
    # A spin that flips changes the energy by twice its field.
    fields = (2 if op.levels == "spin" else 1) / T

    def draws_(which: Any) -> tuple[NDArray, NDArray]:
        new = after[which]
        shape = new.shape
        # Units first, as sparse matrices take them: what is copied on the way takes longer than the sums.
        new = np.ascontiguousarray(new.reshape(-1, n).T)
        state = new
        if op.sweeps == 1:
            state = np.array(np.broadcast_to(at(before, which), shape).reshape(-1, n).T, order="C")
        parts = []
        for units, row in zip(members, rows):
            parts.append(row @ state)
            # Colours before this one had their new levels already when this one was drawn.
            if op.sweeps == 1:
                state[units] = new[units]
        drives, up = (array.reshape(-1, *shape[:2]) for array in (np.concatenate(parts), new[order] > 0))
        drives += np.moveaxis(at(np.broadcast_to(h, (*h.shape[:2], n)), which)[..., order], -1, 0)
        drives *= np.moveaxis(at(fields, which)[..., order], -1, 0)
        return np.moveaxis(up, 0, -1), np.moveaxis(drives, 0, -1)

    yield from draws.bits(observed, draws_, len(after))


def _ensemble(observed: Observed, J: Any) -> Iterator[Finding | Skipped]:
    """Yield energy, heat capacity and free energy against enumeration (P48), and convergence (P49)."""
    op: Any = observed.op
    s, n = observed["s"][observed.warmup :], J.shape[0]
    T, h = observed["T"], observed["h"]
    if len(s) < LEAST_AVERAGED:
        yield too_few(observed, "P48, P49", len(s))
        return
    every = spacing(len(s), s[0].size, s.shape[1])
    if n > MOST_ENUMERATED:
        # Whether chains mix can be seen of some.
        chains = max(4, MOST_AVERAGED * every // (len(s) * n))
        s, h = s[:, :chains], h[:, :chains]
    s, h = s[::every], h[observed.warmup :: every] if len(h) > 1 else h
    E = physics.ising_energy(s, J, 0.0) - (s * h).sum(axis=-1)
    yield from converged(observed, E[..., np.newaxis], whole=True, every=every)
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
    # A temperature higher by a share e makes U higher by e C T.
    statement = "mean energy is that of all states weighed by e^(-E/T)"
    yield significance.mean(observed, "P48", statement, E, exact.U, slope=abs(exact.C * T), every=every)
    # About the exact mean, for an estimated one would make the variance too small.
    spread = (E - exact.U) ** 2 / T**2
    statement = "heat capacity Var(E) / T^2 is dU/dT"
    yield significance.mean(observed, "P48", statement, spread, exact.C, slope=exact.C, bias_of="capacity", every=every)
    yield _free_energy(observed, s, E, T, exact.F, exact.U)


def _free_energy(observed: Observed, s: NDArray, E: NDArray, T: float, exact: float, U: float) -> Finding:
    """Return F = U - T S against -T ln Z (P48), S from how often each state was seen (Miller and Madow 1955)."""
    # Samples that are two correlation times apart count as independent.
    n, spaced = s.shape[-1], max(1.0, 2 * average(E).tau)
    state = ((s > 0) @ 2.0 ** np.arange(n)).astype(int)

    def free(energy: NDArray, counts: NDArray) -> NDArray:
        numbers = counts.sum(axis=-1)
        p = counts / numbers[..., np.newaxis]
        # Entropy from counts is too low, by (states seen - 1) / 2N for N independent samples.
        bias = ((counts > 0).sum(axis=-1) - 1) / (2 * numbers / spaced)
        return energy / numbers - T * (bias - special.xlogy(p, p).sum(axis=-1))

    # A jackknife of blocks, of chains where there are enough; each is counted once.
    axis = 1 if E.shape[1] >= BLOCKS else 0
    blocks = min(BLOCKS, E.shape[axis])
    energies = np.array([block.sum() for block in np.array_split(E, blocks, axis)])
    each = np.array([np.bincount(b.reshape(-1), minlength=2**n) for b in np.array_split(state, blocks, axis)])
    F = free(energies.sum(), each.sum(axis=0))
    left_out = free(energies.sum() - energies, each.sum(axis=0) - each)
    error = np.sqrt((blocks - 1) / blocks * ((left_out - left_out.mean()) ** 2).sum())
    tolerance = T * 2.0**n * spaced / (2 * E.size)  # what the entropy of states never seen may hide
    return significance.normal(
        observed,
        "P48",
        "F = U - T S is -T ln Z",
        float(F),
        float(error),
        E.size,
        expected=exact,
        dof=BLOCKS - 1,
        allowance=tolerance,
        # dF/dT = -S
        slope=abs(U - exact),
        bias_of="temperature",
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
