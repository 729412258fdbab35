"""Baths, and Lindblad's equation: jump operators in detailed balance, exact steps (P44)."""

# pyright: reportConstantRedefinition=false, reportUnknownMemberType=false
# (T and H are a temperature and a Hamiltonian, not constants; QuTiP has no types)

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thermoc.physics.checks import finite, positive
from thermoc.physics.quantum.states import ComplexArray, check_state, operator_of, qutip_package
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error

SAME_FREQUENCY = 1e-9
"""Transitions whose frequencies differ by less, relative to the largest, belong to one jump operator."""


@dataclass(frozen=True, kw_only=True)
class Bath:
    """A bath at temperature T that is coupled to a system by a Hermitian operator.

    rate: gamma of its ohmic spectrum: transitions that give it the energy w > 0 have the rate gamma w / (1 - e^(-w/T)),
    those that take it e^(-w/T) times that (detailed balance), and those that do neither gamma T.
    """

    coupling: Any
    T: float
    rate: float = 1.0


def transition_rate(w: ArrayLike, T: float, rate: float = 1.0) -> FloatArray:
    """Return rate w / (1 - e^(-w/T)), of a transition that gives a bath the energy w of either sign; rate T at zero."""
    x = finite("w", w) / float(positive("T", T))
    safe = np.where(x == 0, 1.0, x)
    # beyond 700 below zero the exponential overflows, and the rate is zero
    return rate * T * np.where(x == 0, 1.0, safe / -np.expm1(-np.maximum(safe, -700.0)))


def thermal_jumps(H: Any, bath: Bath) -> list[Any]:
    """Return the jump operators of a bath in the eigenbasis of the entire H, whose fixed point is its Gibbs state.

    One operator a frequency, A(w) = sum over e_j - e_i = w of |i><i|A|j><j|, times the root of its rate (Davies 1974;
    Breuer and Petruccione 2002, 3.3): the global master equation, for couplings to the bath that are weak beside
    the distances between frequencies. Errors: T405.
    """
    H, A = operator_of("H", H), operator_of("coupling", bath.coupling)
    if A.shape != H.shape:
        notes = [f"H has shape {list(H.shape)}", f"coupling has shape {list(A.shape)}"]
        raise error("T405", "a bath couples to the system", notes=notes)
    positive("rate", bath.rate)
    energies, vectors = np.linalg.eigh(H.full())
    inside = vectors.conj().T @ A.full() @ vectors
    # gap[i, j]: what the bath is given when j becomes i
    gap = energies[np.newaxis, :] - energies[:, np.newaxis]
    jumps: list[Any] = []
    for w, members in _frequencies(gap):
        projected = np.where(members, inside, 0.0)
        if np.abs(projected).max() > 0:
            matrix = np.sqrt(float(transition_rate(w, bath.T, bath.rate))) * (vectors @ projected @ vectors.conj().T)
            jumps.append(qutip_package().Qobj(matrix, dims=H.dims))
    return jumps


def _frequencies(gap: FloatArray) -> list[tuple[float, NDArray[np.bool_]]]:
    """Return each frequency with the transitions (n, n) that have it."""
    ordered = np.sort(gap.reshape(-1))
    tolerance = SAME_FREQUENCY * max(1.0, float(np.abs(ordered).max()))
    cuts = np.flatnonzero(np.diff(ordered) > tolerance) + 1
    groups = np.split(ordered, cuts)
    return [(float(group.mean()), (gap >= group[0]) & (gap <= group[-1])) for group in groups]


def lindblad_step(rho: Any, H: Any, jumps: Sequence[Any], dt: float) -> Any:
    """Return the state after dt: e^(L dt) rho, exact; trace one and positive, which is checked (P44).

    Errors: T405; T406 where rho is no density operator.
    """
    from scipy.linalg import expm  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

    state, H = check_state(rho), operator_of("H", H)
    generator = qutip_package().liouvillian(H, [operator_of("a jump", jump, hermitian=False) for jump in jumps]).full()
    propagator = cast(ComplexArray, expm(float(positive("dt", dt)) * generator))
    return check_state(from_vector(propagator @ vector_of(state), state))


def vector_of(state: Any) -> ComplexArray:
    """Return the state's columns, one below the other, as QuTiP's generators act on them."""
    return state.full().reshape(-1, order="F")


def from_vector(vector: ComplexArray, like: Any) -> Any:
    """Return the operator of these columns, of the dimensions of another."""
    return qutip_package().Qobj(vector.reshape(like.shape, order="F"), dims=like.dims)
