"""P44 to P46 of open quantum systems: Lindblad's equation against QuTiP's solver, Gibbs states, the laws, Landauer."""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc.physics import quantum

T = 0.7
J = np.array([[0, 0.4, 0.3], [0.4, 0, -0.2], [0.3, -0.2, 0]])
W = [1.0, 1.3, 0.8]


@pytest.fixture(scope="module")
def qutip() -> Any:
    return pytest.importorskip("qutip")


def baths(qutip: Any, temperatures: Sequence[float]) -> list[quantum.Bath]:
    """A bath a qubit."""
    flips = [quantum.on_qubit(qutip.sigmax(), i, 3) for i in range(3)]
    return [quantum.Bath(coupling=flip, T=t, rate=0.5) for flip, t in zip(flips, temperatures)]


def excited(qutip: Any) -> Any:
    return qutip.ket2dm(qutip.tensor([qutip.basis(2, 0)] * 3))


def test_a_step_is_that_of_the_ode(qutip: Any):
    """QuTiP integrates the same equation, of two non-commuting parts, to 1e-10."""
    H = quantum.qubit(1.3) + 0.4 * qutip.sigmax()
    jumps = [0.5 * qutip.sigmam(), 0.2 * qutip.sigmaz()]
    rho = qutip.Qobj([[0.9, 0.2j], [-0.2j, 0.1]])
    tolerance = {"atol": 1e-13, "rtol": 1e-11}
    exact = qutip.mesolve(H, rho, [0, 0.8], c_ops=jumps, options=tolerance).final_state
    assert quantum.distance(quantum.lindblad_step(rho, H, jumps, 0.8), exact) < 1e-10


def test_rates_are_in_detailed_balance():
    w = np.array([-900.0, -2.0, 0.0, 2.0, 900.0])
    rate = quantum.transition_rate(w, T, 0.5)
    assert rate[1] / rate[3] == pytest.approx(np.exp(-2 / T), rel=1e-14)
    assert rate[2] == 0.5 * T and rate[0] < 1e-300 and rate[4] == 450


def test_a_qubit_and_a_network_of_three_relax_to_their_gibbs_states(qutip: Any):
    """The least rate of the qubit's populations is above 2, of the network's states 0.5: 40 and 80 times that pass."""
    H = quantum.qubit(1.3)
    rho, gibbs = qutip.Qobj([[0.9, 0.2], [0.2, 0.1]]), quantum.gibbs_state(H, T)
    after = quantum.lindblad_step(rho, H, quantum.thermal_jumps(H, quantum.qubit_bath(T)), 40.0)
    assert quantum.distance(rho, gibbs) > 0.5 and quantum.distance(after, gibbs) < 1e-12
    assert gibbs.full()[0, 0] / gibbs.full()[1, 1] == pytest.approx(np.exp(-1.3 / T), rel=1e-12)
    network = quantum.qubit_network(W, J)
    gibbs, relaxation = quantum.gibbs_state(network, T), quantum.Relaxation(network, baths(qutip, [T] * 3), 10.0)
    rho = excited(qutip)
    for _ in range(6):
        rho, _ = relaxation.step(rho)
    assert quantum.distance(rho, gibbs) < 1e-8


def test_jumps_of_the_single_qubits_would_miss_the_gibbs_state(qutip: Any):
    """The local master equation, of each qubit without its couplings, has another fixed point."""
    H = quantum.qubit_network(W, J)
    free = quantum.qubit_network(W, 0 * J)
    jumps = [jump for bath in baths(qutip, [T] * 3) for jump in quantum.thermal_jumps(free, bath)]
    rho = quantum.lindblad_step(excited(qutip), H, jumps, 200.0)
    assert quantum.distance(rho, quantum.gibbs_state(H, T)) > 1e-3


@pytest.mark.slow
def test_both_laws_hold_while_couplings_are_switched_on_between_three_temperatures(qutip: Any):
    process = quantum.quantum_process(
        excited(qutip),
        [quantum.qubit_network(W, u * J) for u in np.linspace(0, 1, 21)],
        baths(qutip, [0.3, 0.7, 1.5]),
        0.2,
    )
    assert process.imbalance < 1e-10
    assert process.production.min() > 0 and np.abs(process.work).max() > 1e-4
    assert len(process.states) == 21 and process.heat.shape == (20, 3)


def test_heat_flows_from_hot_to_cold_for_ever(qutip: Any):
    """In the steady state the energy stands still, and what the hot bath gives the cold ones take."""
    H = quantum.qubit_network(W, J)
    process = quantum.quantum_process(excited(qutip), [H] * 12, baths(qutip, [0.3, 0.7, 1.5]), 10.0)
    cold, _, hot = process.heat[-1]
    assert hot > 1e-2 and cold < -1e-2
    assert abs(process.heat[-1].sum()) < 1e-10 and abs(np.diff(process.energy)[-1]) < 1e-10


@pytest.mark.slow
def test_a_reset_gives_more_heat_than_landauers_bound_and_comes_closer_the_slower():
    pytest.importorskip("qutip")
    resets = [quantum.landauer_reset(duration, T=2.0, steps=300) for duration in (2.0, 10.0, 50.0)]
    excess = [reset.heat - reset.bound for reset in resets]
    assert excess[0] > excess[1] > excess[2] > 0
    # beyond the first, 1 / duration: a fifth, and what 300 sudden steps cost, splitting T / 4 / 300
    assert excess[2] < excess[1] / 5 + 12 * 2 / 1200
    for reset in resets:
        assert reset.erased == pytest.approx(np.log(2), rel=0.02)
        assert reset.process.imbalance < 1e-10 and reset.process.production.min() > -1e-12


def test_what_is_no_state_no_hamiltonian_or_no_bath_is_refused(qutip: Any):
    H = quantum.qubit(1.0)
    with pytest.raises(tc.ThermocError, match=r"(?s)T406.*trace is off one by 0.1.*below zero by 0.2"):
        quantum.lindblad_step(np.diag([1.3, -0.2]), H, [], 1.0)
    with pytest.raises(tc.ThermocError, match=r"T405.*Hermitian"):
        quantum.gibbs_state([[0, 1], [0, 0]], 1.0)
    with pytest.raises(tc.ThermocError, match=r"T405.*square"):
        quantum.gibbs_state(np.zeros((2, 3)), 1.0)
    with pytest.raises(tc.ThermocError, match=r"T405.*T must be > 0"):
        quantum.gibbs_state(H, 0.0)
    with pytest.raises(tc.ThermocError, match=r"T405.*a bath couples"):
        quantum.thermal_jumps(quantum.qubit_network(W, J), quantum.qubit_bath(T))


def test_without_qutip_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "qutip", None)
    with pytest.raises(tc.ThermocError, match=r'(?s)T302.*pip install "thermoc\[quantum\]"'):
        quantum.qubit(1.0)
