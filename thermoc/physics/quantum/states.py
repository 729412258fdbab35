"""Operators and states: what they must be, Gibbs states, entropy, distance (P44)."""

# pyright: reportConstantRedefinition=false, reportUnknownMemberType=false
# (T and H are a temperature and a Hamiltonian, not constants; QuTiP has no types)

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.physics.checks import positive
from thermoc.support.errors import error
from thermoc.support.extras import need

ComplexArray = NDArray[np.complex128]
ROUNDING = 1e-10
"""How far trace, Hermiticity and the least eigenvalue of a state may be off."""


def qutip_package() -> Any:
    """Return QuTiP. Errors: T302."""
    return need("qutip", "quantum", "quantum systems")


def operator_of(name: str, operator: Any, hermitian: bool = True) -> Any:
    """Return a square operator as QuTiP's. Errors: T405."""
    qutip = qutip_package()
    result = operator if isinstance(operator, qutip.Qobj) else qutip.Qobj(np.asarray(operator, complex))
    if not result.isoper or result.shape[0] != result.shape[1]:
        raise error("T405", f"{name} must be a square matrix", notes=[f"it has shape {list(result.shape)}"])
    matrix = result.full()
    if not np.isfinite(matrix).all():
        raise error("T405", f"{name} must be finite")
    if hermitian and (gap := np.abs(matrix - matrix.conj().T).max()) > ROUNDING * max(1.0, np.abs(matrix).max()):
        raise error("T405", f"{name} must be Hermitian", notes=[f"it differs from its adjoint by {gap:.3g}"])
    return result


def check_state(rho: Any) -> Any:
    """Return the state, of trace one, Hermitian and without negative eigenvalues to 1e-10. Errors: T405, T406 (P44)."""
    state = operator_of("rho", rho, hermitian=False)
    matrix = state.full()
    trace = complex(np.trace(matrix))
    facts = {
        "its trace is off one by": abs(trace - 1),
        "it differs from its adjoint by": float(np.abs(matrix - matrix.conj().T).max()),
        "its least eigenvalue is below zero by": max(0.0, -float(np.linalg.eigvalsh(matrix).min())),
    }
    notes = [f"{what} {size:.3g}" for what, size in facts.items() if not size <= ROUNDING]
    if notes:
        raise error("T406", "rho is no density operator", notes=notes)
    return state


def gibbs_state(H: Any, T: float) -> Any:
    """Return e^(-H / T) / Z. Errors: T405."""
    H = operator_of("H", H)
    T = float(positive("T", T))
    energies, vectors = np.linalg.eigh(H.full())
    # counted from the ground state: weights are at most one at any T
    weight = np.exp(-(energies - energies[0]) / T)
    matrix = (vectors * (weight / weight.sum())) @ vectors.conj().T
    return qutip_package().Qobj(matrix, dims=H.dims)


def entropy(rho: Any) -> float:
    """Return -tr(rho ln rho) in nats."""
    return float(qutip_package().entropy_vn(operator_of("rho", rho)))


def distance(rho: Any, sigma: Any) -> float:
    """Return the trace distance tr|rho - sigma| / 2, between 0 and 1."""
    return float(np.abs(np.linalg.eigvalsh((operator_of("rho", rho) - operator_of("sigma", sigma)).full())).sum() / 2)
