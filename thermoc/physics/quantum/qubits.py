"""Qubits: one, several that exchange excitations, the bath that flips one."""

# pyright: reportConstantRedefinition=false, reportUnknownMemberType=false
# (T and H are a temperature and a Hamiltonian, not constants; QuTiP has no types)

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from thermoc.physics.checks import finite, symmetric
from thermoc.physics.quantum.baths import Bath
from thermoc.physics.quantum.states import qutip_package
from thermoc.support.errors import error


def qubit(splitting: float) -> Any:
    """Return H = splitting sigma_z / 2 of a qubit, whose ground state is the second."""
    return 0.5 * float(finite("splitting", splitting)) * qutip_package().sigmaz()


def qubit_bath(T: float, rate: float = 1.0) -> Bath:
    """Return a bath that flips a qubit, by sigma_x."""
    return Bath(coupling=qutip_package().sigmax(), T=T, rate=rate)


def qubit_network(splittings: ArrayLike, J: ArrayLike) -> Any:
    """Return H = sum_i w_i sigma_z^i / 2 + sum_{i<j} J_ij (sigma_x^i sigma_x^j + sigma_y^i sigma_y^j) / 2.

    splittings: w (n,); J: (n, n) symmetric, its diagonal is not used. Errors: T405.
    """
    w, exchange = finite("splittings", splittings).reshape(-1), symmetric("J", J)
    if len(exchange) != len(w):
        raise error("T405", "J couples other qubits", notes=[f"{len(w)} splittings, J is {list(exchange.shape)}"])
    qutip, n = qutip_package(), len(w)
    H = 0.5 * sum(w[i] * on_qubit(qutip.sigmaz(), i, n) for i in range(n))
    for pauli in (qutip.sigmax(), qutip.sigmay()):
        for i in range(n):
            for j in range(i):
                H = H + 0.5 * exchange[i, j] * on_qubit(pauli, i, n) * on_qubit(pauli, j, n)
    return H


def on_qubit(operator: Any, place: int, n: int) -> Any:
    """Return an operator of one qubit as one of n."""
    qutip = qutip_package()
    return qutip.tensor([operator if k == place else qutip.qeye(2) for k in range(n)])
