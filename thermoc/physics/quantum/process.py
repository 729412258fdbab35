"""Driven quantum systems: heat, work and entropy production (P44 to P46), Landauer's bound."""

# pyright: reportConstantRedefinition=false, reportUnknownMemberType=false
# (T and H are a temperature and a Hamiltonian, not constants; QuTiP has no types)

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import numpy as np

from thermoc.physics.checks import positive
from thermoc.physics.quantum.baths import Bath, from_vector, thermal_jumps, vector_of
from thermoc.physics.quantum.qubits import qubit, qubit_bath
from thermoc.physics.quantum.states import ComplexArray, check_state, entropy, operator_of, qutip_package
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error


class Relaxation:
    """Steps of length dt in baths at a constant H; heat is that of the flux from each bath, tr(H D_b[rho]), integrated.

    Errors: T405.
    """

    def __init__(self, H: Any, baths: Sequence[Bath], dt: float):
        from scipy.linalg import expm  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

        qutip = qutip_package()
        self.H, self.baths = operator_of("H", H), tuple(baths)
        dt = float(positive("dt", dt))
        dissipators = [qutip.liouvillian(None, jumps).full() for jumps in (thermal_jumps(self.H, b) for b in baths)]
        generator: ComplexArray = qutip.liouvillian(self.H).full() + sum(dissipators)
        size = len(generator)
        # rho and its integral together: one exponential gives both exactly (Van Loan 1978)
        doubled = np.zeros((2 * size, 2 * size), complex)
        doubled[:size, :size], doubled[size:, :size] = dt * generator, dt * np.eye(size)
        exponential = cast(ComplexArray, expm(doubled))
        self._propagator, integral = exponential[:size, :size], exponential[size:, :size]
        energy = self.H.full().reshape(-1)  # tr(H M) is the product of H's rows with M's columns
        self._fluxes = np.array([energy @ dissipator @ integral for dissipator in dissipators]).reshape(-1, size)

    def step(self, rho: Any) -> tuple[Any, FloatArray]:
        """Return the state after dt, checked (P44), and the heat (baths,) it took from each bath. Errors: T406."""
        state = check_state(rho)
        vector = vector_of(state)
        return check_state(from_vector(self._propagator @ vector, state)), (self._fluxes @ vector).real


@dataclass(frozen=True, kw_only=True)
class QuantumProcess:
    """A driven system: states (steps + 1), work (steps,) and heat from each bath (steps, baths).

    energy: tr(H rho) (steps + 1,); entropy: (steps + 1,) in nats; production: (steps,) dS - sum of Q_b / T_b.
    """

    states: tuple[Any, ...]
    work: FloatArray
    heat: FloatArray
    energy: FloatArray
    entropy: FloatArray
    production: FloatArray

    @property
    def imbalance(self) -> float:
        """What dU = W + Q lacks at most in a step, relative to the largest energy of the process (P45)."""
        gap = np.diff(self.energy) - self.work - self.heat.sum(axis=1)
        largest = max(float(np.abs(term).max()) for term in (self.energy, self.work, self.heat))
        return float(np.abs(gap).max()) / largest if largest else 0.0


def quantum_process(rho: Any, hamiltonians: Sequence[Any], baths: Sequence[Bath], dt: float) -> QuantumProcess:
    """Return what a system does whose H changes, dW = tr(dH rho), and that relaxes, dQ = tr(H d rho) (Alicki 1979).

    hamiltonians: at the start, and of each step of length dt. Heat is counted from the flux of each bath, so that the
    first law is a check. Errors: T405, T406.
    """
    if len(hamiltonians) < 2:
        raise error("T405", "a process needs an H at its start and one of a step", notes=[f"{len(hamiltonians)}"])
    series = [operator_of("H", H) for H in hamiltonians]
    states, work = [check_state(rho)], list[float]()
    heat = list[FloatArray]()
    relaxation: Relaxation | None = None
    for before, H in pairwise(series):
        work.append(_mean(H - before, states[-1]))
        if relaxation is None or relaxation.H != H:
            relaxation = Relaxation(H, baths, dt)
        state, heats = relaxation.step(states[-1])
        states.append(state)
        heat.append(heats)
    entropies = np.array([entropy(state) for state in states])
    heats = np.array(heat).reshape(len(work), len(baths))
    reduced = heats @ np.array([1 / bath.T for bath in baths]).reshape(-1)
    return QuantumProcess(
        states=tuple(states),
        work=np.array(work),
        heat=heats,
        energy=np.array([_mean(H, state) for H, state in zip(series, states)]),
        entropy=entropies,
        production=np.diff(entropies) - reduced,
    )


def _mean(operator: Any, state: Any) -> float:
    return complex((operator * state).tr()).real


@dataclass(frozen=True, kw_only=True)
class Reset:
    """A bit that was erased: heat given to the bath, entropy erased in nats, and T times that, Landauer's bound."""

    duration: float
    heat: float
    erased: float
    bound: float
    process: QuantumProcess


def landauer_reset(
    duration: float, *, T: float = 1.0, rate: float = 1.0, splitting: float = 12.0, steps: int = 1000
) -> Reset:
    """Return what it costs to reset a qubit of which nothing is known: heat >= T dS (Landauer 1961).

    Its levels are degenerate at first, and are then pulled apart to ``splitting`` times T within ``duration``, in a
    bath that flips it, until it is in the lower one. The slower, the closer it is to the bound, by
    1 / duration. Errors: T405.
    """
    duration, T = float(positive("duration", duration)), float(positive("T", T))
    series = [qubit(w) for w in np.linspace(0.0, splitting * T, steps + 1)]
    unknown = qutip_package().qeye(2) / 2
    process = quantum_process(unknown, series, [qubit_bath(T, rate)], duration / steps)
    erased = float(process.entropy[0] - process.entropy[-1])
    return Reset(duration=duration, heat=float(-process.heat.sum()), erased=erased, bound=T * erased, process=process)
