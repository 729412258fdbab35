"""Qubits in a bath: relaxation to the Gibbs state, the first law, what it costs to erase a bit (P44 to P46).

    python examples/quantum_heat.py [FIGURE]      default quantum_heat.png

Three coupled qubits, each in a bath of its own, come to the Gibbs state of their entire Hamiltonian where the baths are
equally warm. Then their couplings are switched on between three temperatures; heat is counted from the flux of each
bath, and closes the first law. Last, a qubit of which nothing is known is reset: the slower, the closer is the heat to
Landauer's T ln 2. Needs QuTiP: pip install "thermoc[quantum]".
"""

from __future__ import annotations

import sys

import numpy as np
import qutip

from thermoc.physics import quantum

SPLITTINGS, T = (1.0, 1.3, 0.8), 0.7
J = np.array([[0, 0.4, 0.3], [0.4, 0, -0.2], [0.3, -0.2, 0]])
DURATIONS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
RESET_STEPS = 1000


def baths(temperatures: tuple[float, ...]) -> list[quantum.Bath]:
    """Return a bath a qubit, which flips it."""
    flips = [quantum.on_qubit(qutip.sigmax(), i, 3) for i in range(3)]
    return [quantum.Bath(coupling=flip, T=T, rate=0.5) for flip, T in zip(flips, temperatures)]


def excited() -> qutip.Qobj:
    """Return the state of three qubits that are all excited."""
    return qutip.ket2dm(qutip.tensor([qutip.basis(2, 0)] * 3))


def relaxed(steps: int = 45, dt: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return times, and the trace distance to the Gibbs state at each."""
    H = quantum.qubit_network(SPLITTINGS, J)
    gibbs, relaxation, rho, distances = (
        quantum.gibbs_state(H, T),
        quantum.Relaxation(H, baths((T,) * 3), dt),
        excited(),
        [],
    )
    for _ in range(steps + 1):
        distances.append(quantum.distance(rho, gibbs))
        rho, _ = relaxation.step(rho)
    return dt * np.arange(steps + 1), np.array(distances)


def switched_on(steps: int = 60, dt: float = 0.2) -> quantum.QuantumProcess:
    """Return the process in which the couplings grow over half of the steps, between a cold and a hot bath."""
    scale = np.minimum(1.0, np.linspace(0, 2, steps + 1))
    series = [quantum.qubit_network(SPLITTINGS, u * J) for u in scale]
    return quantum.quantum_process(excited(), series, baths((0.3, 0.7, 1.5)), dt)


def draw(relaxation: tuple, process: quantum.QuantumProcess, resets: list[quantum.Reset], path: str) -> None:
    """Write a figure: distance to the Gibbs state, work and heat, the cost of a reset."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    left.semilogy(*relaxation, "o-", ms=3)
    left.set(xlabel="time", ylabel="trace distance", title="Three qubits, to their Gibbs state")
    t = 0.2 * np.arange(len(process.energy))
    middle.plot(t, process.energy - process.energy[0], color="black", label="energy")
    middle.plot(t[1:], process.work.cumsum(), label="work")
    for heat, name in zip(process.heat.T, ("cold (T = 0.3)", "0.7", "hot (1.5)")):
        middle.plot(t[1:], heat.cumsum(), "--", label=f"heat from {name}")
    middle.set(xlabel="time", ylabel="energy since the start", title="Couplings switched on")
    middle.set_xlim(0, 12)
    middle.legend(frameon=False, fontsize=8, loc=(0.35, 0.12))
    duration, excess = [r.duration for r in resets], [(r.heat - r.bound) / np.log(2) for r in resets]
    right.loglog(duration, excess, "o", label="measured")
    right.loglog(duration, excess[-1] * duration[-1] / np.array(duration), lw=0.8, color="black", label="1 / duration")
    right.set(xlabel="duration of the reset", ylabel="heat above Landauer's bound (T ln 2)", title="Erasing a bit")
    right.legend(frameon=False)
    figure.savefig(path, dpi=150)


def main() -> None:
    """Relax, switch on, erase; check each against what it must be, and write the figure."""
    path = sys.argv[1] if len(sys.argv) > 1 else "quantum_heat.png"
    relaxation, process = relaxed(), switched_on()
    print(
        f"three qubits: {relaxation[1][0]:.3f} from their Gibbs state, "
        f"{relaxation[1][-1]:.1e} after {relaxation[0][-1]:g}"
    )
    assert relaxation[1][-1] < 1e-8
    print(f"first law to {process.imbalance:.1e}; least entropy production of a step {process.production.min():.4f}")
    assert process.imbalance < 1e-10 and process.production.min() > 0
    resets = [quantum.landauer_reset(duration, steps=RESET_STEPS) for duration in DURATIONS]
    for reset in resets:
        print(
            f"reset within {reset.duration:5g}: {reset.heat:.4f} of heat for {reset.erased:.4f} nats, "
            f"{reset.heat / reset.bound:.3f} times Landauer's bound; first law to {reset.process.imbalance:.1e}"
        )
        assert reset.heat > reset.bound and reset.process.imbalance < 1e-10
    assert resets[-1].heat < 1.03 * resets[-1].bound
    draw(relaxation, process, resets, path)
    print(f"figure: {path}")


if __name__ == "__main__":
    main()
