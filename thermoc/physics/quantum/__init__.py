"""Open quantum systems in baths: Lindblad's equation, heat and work (P44 to P46), with hbar = k_B = 1.

d rho/dt = -i [H, rho] + sum_k (L_k rho L_k^+ - (L_k^+ L_k rho + rho L_k^+ L_k) / 2). Operators and states are QuTiP's
``Qobj``, or arrays; ``pip install "thermoc[quantum]"`` brings it. Steps are exact for an H that is constant over them.
"""

from thermoc.physics.quantum.baths import Bath, lindblad_step, thermal_jumps, transition_rate
from thermoc.physics.quantum.process import QuantumProcess, Relaxation, Reset, landauer_reset, quantum_process
from thermoc.physics.quantum.qubits import on_qubit, qubit, qubit_bath, qubit_network
from thermoc.physics.quantum.states import check_state, distance, entropy, gibbs_state

__all__ = [
    "Bath",
    "QuantumProcess",
    "Relaxation",
    "Reset",
    "check_state",
    "distance",
    "entropy",
    "gibbs_state",
    "landauer_reset",
    "lindblad_step",
    "on_qubit",
    "quantum_process",
    "qubit",
    "qubit_bath",
    "qubit_network",
    "thermal_jumps",
    "transition_rate",
]
