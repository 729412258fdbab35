"""A reservoir of memristors: sixty NbO2 switches below their threshold remember a signal in their temperatures.

Each device hangs on a voltage that the signal sways about a bias of its own; its temperature follows within a time of
its own, C_th R_th, and its current bends with both. A linear readout of currents and temperatures, fitted by ridge,
gives a product of the signal's past: what no readout of the signal alone, however long its memory, can. The network is
verified on the reference, its energy certified, and its readout is then a layer of the network.

python examples/memristor_reservoir.py [figure.png]
thermoc run examples/memristor_reservoir.py:net --ticks 100
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

import thermoc as tc

UNITS, TICK, SEED = 60, 5e-11, 3
TRAIN, TEST, WASHOUT = 1200, 400, 50
RNG = np.random.default_rng(SEED)
BIAS, SWAY = RNG.uniform(0.6, 0.8, UNITS), RNG.uniform(0.08, 0.15, UNITS) * RNG.choice([-1, 1], UNITS)
CAPACITY = np.exp(RNG.uniform(np.log(2e-17), np.log(1e-16), UNITS))
"""J/K: at 1.4e6 K/W the devices forget within 0.03 to 0.14 ns."""


def network(readout: NDArray | None = None) -> tc.Network:
    """Return the reservoir, with the readout as a layer where there is one: (1, 2 UNITS + 1), the last its bias."""
    with tc.Network("memristor_reservoir", dt=TICK) as net:
        u = tc.input("u", (1,))
        voltage = tc.affine(u, SWAY[:, None], BIAS)
        cells = tc.device("nbo2", voltage, method="midpoint", steps=2, heat_capacity=CAPACITY)
        # in units in which both are near 1
        seen = tc.concat((cells["T"] / 30.0 - 10.0, cells["current"] / 1e-5), axis=0)
        tc.output("seen", seen)
        if readout is not None:
            tc.output("y", tc.affine(seen, readout[:, :-1], readout[:, -1]))
    return net


net = network()


def target(u: NDArray) -> NDArray:
    """Return u(t - 1) u(t - 2), for u (ticks,)."""
    return np.concatenate([[0.0, 0.0], u[1:-1] * u[:-2]])


def ridge(x: NDArray, y: NDArray, strength: float = 1e-9) -> NDArray:
    """Return the weights (1, features + 1) of least squares, the last of a constant."""
    x = np.column_stack([x, np.ones(len(x))])
    return np.linalg.solve(x.T @ x + strength * len(x) * np.eye(x.shape[1]), x.T @ y)[None]


def error(found: NDArray, wanted: NDArray) -> float:
    """Return the normalised mean square error."""
    return float(np.mean((found - wanted) ** 2) / np.var(wanted))


def signal() -> NDArray:
    """Return a random signal in [-1, 1]: training, then test."""
    return np.random.default_rng(SEED + 1).uniform(-1, 1, WASHOUT + TRAIN + TEST)


def trained(u: NDArray) -> NDArray:
    """Return the readout of a run of the reservoir over the training ticks."""
    seen = tc.compile(net, "sim").run({"u": u[: WASHOUT + TRAIN, None, None]})["seen"][WASHOUT:, 0]
    return ridge(seen, target(u)[WASHOUT : WASHOUT + TRAIN])


def of_the_signal_alone(u: NDArray, memory: int = 20) -> float:
    """Return the test error of a readout of the last ``memory`` values of the signal."""
    past = np.column_stack([np.roll(u, k) for k in range(memory)])
    w = ridge(past[WASHOUT : WASHOUT + TRAIN], target(u)[WASHOUT : WASHOUT + TRAIN])[0]
    return error(past[-TEST:] @ w[:-1] + w[-1], target(u)[-TEST:])


def main(figure: str | None = None) -> dict[str, float]:
    """Train, test, verify and certify; return the errors."""
    u = signal()
    whole = network(trained(u))
    run = tc.compile(whole, "sim").run({"u": u[:, None, None]})
    found, wanted = run["y"][-TEST:, 0, 0], target(u)[-TEST:]
    errors = {"reservoir": error(found, wanted), "signal alone": of_the_signal_alone(u)}
    print(f"error of the reservoir {errors['reservoir']:.3f}, of the signal alone {errors['signal alone']:.3f}")
    assert errors["reservoir"] < 0.2 < 0.9 < errors["signal alone"]
    short = u[:20, None, None]
    assert tc.verify(whole, ["sim"], inputs={"u": short}).ok
    certificate = tc.certify(tc.compile(whole, "sim").run({"u": u[:200, None, None]}))
    assert certificate.holds
    print(*(law for law in certificate.laws if law.law == "P45"), sep="\n")
    if figure:
        draw(figure, wanted[:80], found[:80], run["seen"][-TEST:][:80, 0, :UNITS])
    return errors


def draw(path: str, wanted: NDArray, found: NDArray, seen: NDArray) -> None:
    """Draw temperatures of some devices, and the readout against what is asked."""
    import matplotlib.pyplot as plt

    _, (above, below) = plt.subplots(2, 1, figsize=(7, 5), sharex=True, layout="constrained")
    t = np.arange(len(wanted)) * TICK * 1e9
    above.plot(t, (seen[:, ::12] + 10.0) * 30.0)
    above.set_ylabel("temperature (K)")
    below.plot(t, wanted, label="u(t - 1) u(t - 2)")
    below.plot(t, found, "--", label="readout")
    below.set_xlabel("time (ns)")
    below.legend()
    plt.savefig(path, dpi=120)


if __name__ == "__main__":
    main(*sys.argv[1:2])
