"""A pole on a cart, balanced by spiking units: one session, one tick at a time, in the simulator and in Lava.

    python examples/closed_loop.py [FIGURE]      default closed_loop.png

In each tick the network is told where cart and pole are, and its spikes push the cart: 24 leaky units to the right, 24
to the left, each side with its own spread of biases. After 6 s somebody hits the pole. The network is lowered to the
integers of Loihi 2 once. The simulator and Lava run the same integers, so that the force, and with it every later
position, is the same bit for bit. Lava has a Python of its own (thermoc doctor --install lava); where it is not
installed, the simulator runs alone.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import thermoc as tc

UNITS, TICKS, DT = 24, 600, 0.02
SUBSTEPS = 4
FULL_SCALE = np.array([2.4, 3.0, 0.3, 3.0])
"""Of position (m), velocity (m/s), angle (rad) and angular velocity (1/s); beyond it, the network sees its end."""
GAINS = np.array([0.3, 0.6, 2.0, 1.2])
FORCE = 10.0
"""In N, of all units of a side at once."""
HIT, KICK = 300, 0.8
"""The tick after which the pole is hit, and the angular velocity (1/s) it gets."""


@dataclass(frozen=True)
class Trace:
    """Positions (ticks, 4) and spikes (ticks, units) of a loop, and how long it took, in seconds."""

    states: NDArray
    spikes: NDArray
    seconds: float


def network() -> tc.Network:
    """Return the two populations: what one side reads, the other reads with the opposite sign."""
    W = np.outer(np.repeat([1.0, -1.0], UNITS), GAINS)
    bias = np.tile(np.linspace(0.0, 0.3, UNITS), 2)
    with tc.Network("pole", dt=DT) as net:
        x = tc.input("x", (4,))
        spike, _ = tc.lif(tc.affine(x, W, bias), 1.5 * DT, v_threshold=0.4)
        tc.output("spikes", spike)
    return net


def rate(state: NDArray, force: float) -> NDArray:
    """Return d(state)/dt of a cart of 1 kg with a pole of 0.1 kg and 1 m (Barto, Sutton and Anderson 1983)."""
    _, v, angle, omega = state
    g, pole, whole, half = 9.81, 0.1, 1.1, 0.5
    push = (force + pole * half * omega**2 * np.sin(angle)) / whole
    turn = (g * np.sin(angle) - np.cos(angle) * push) / (half * (4 / 3 - pole * np.cos(angle) ** 2 / whole))
    return np.array([v, push - pole * half * turn * np.cos(angle) / whole, omega, turn])


def moved(state: NDArray, force: float) -> NDArray:
    """Return the state a tick later, by Euler's steps."""
    for _ in range(SUBSTEPS):
        state = state + DT / SUBSTEPS * rate(state, force)
    return state


def balanced(exe: tc.Executable | None) -> Trace:
    """Run the loop; without a network nobody pushes."""
    state, states, spikes, session = np.array([0.3, 0.0, 0.15, 0.0]), [], [], exe and exe.start()
    since = time.perf_counter()
    for tick in range(TICKS):
        fired = np.zeros(2 * UNITS)
        if session:
            fired = session.step({"x": np.clip(state / FULL_SCALE, -1, 1)[np.newaxis]})["spikes"][0]
        right, left = fired.reshape(2, UNITS).sum(axis=1)
        state = moved(state, FORCE * (right - left) / UNITS)
        state[3] += KICK if tick == HIT else 0.0
        states.append(state)
        spikes.append(fired)
    seconds = time.perf_counter() - since
    if session:
        session.close()
    return Trace(np.array(states), np.array(spikes), seconds)


def in_lava(exe: tc.Executable) -> Trace | None:
    """Run the loop in Lava, where it is installed."""
    try:
        return balanced(exe)
    except tc.ThermocError as reason:
        if reason.code != "T302":
            raise
        print("Lava is not installed (thermoc doctor --install lava): the simulator runs alone")
        return None


def draw(trace: Trace, alone: Trace, path: str) -> None:
    """Write a figure: the angle with and without the network, where the cart is, who spikes."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    t = DT * np.arange(TICKS)
    figure, (angle, cart, raster) = plt.subplots(3, 1, sharex=True, figsize=(8, 6), layout="constrained")
    angle.plot(t, np.degrees(trace.states[:, 2]), label="balanced")
    angle.plot(t, np.degrees(alone.states[:, 2]), "--", label="nobody pushes")
    angle.axvline(DT * HIT, color="grey", linewidth=0.8)
    angle.set_ylim(-20, 20)
    angle.set_ylabel("pole (degrees)")
    angle.legend(loc="lower right")
    cart.plot(t, trace.states[:, 0])
    cart.set_ylabel("cart (m)")
    ticks, units = np.nonzero(trace.spikes)
    raster.scatter(DT * ticks, units, s=1, color="black")
    raster.set_ylabel("unit")
    raster.set_xlabel("time (s)")
    figure.savefig(path, dpi=150)


def main() -> None:
    """Balance the pole in the simulator and in Lava, compare them, and write the figure."""
    path = sys.argv[1] if len(sys.argv) > 1 else "closed_loop.png"
    exe = tc.compile(network(), target="lava", input_range=(-1.0, 1.0))
    simulated, alone, lava = balanced(tc.compile(exe.graph, target="sim")), balanced(None), in_lava(exe)
    for name, trace in {"simulator": simulated, "Lava": lava}.items():
        if trace is not None:
            up, far = np.degrees(np.abs(trace.states[:, 2]).max()), np.abs(trace.states[:, 0]).max()
            pace = 1000 * trace.seconds / TICKS
            print(f"{name}: pole within {up:.1f} degrees, cart within {far:.2f} m, {pace:.1f} ms a tick")
    assert np.abs(alone.states[:, 2]).max() > np.pi / 2, "a pole that nobody holds must fall"
    assert np.abs(simulated.states[:, 2]).max() < 0.3 and np.abs(simulated.states[:, 0]).max() < 2.4
    if lava is not None:
        np.testing.assert_array_equal(lava.spikes, simulated.spikes)
        np.testing.assert_array_equal(lava.states, simulated.states)
        print(f"simulator and Lava: the same {int(lava.spikes.sum())} spikes in {TICKS} ticks, bit for bit")
    draw(simulated, alone, path)
    print(f"figure: {path}")


if __name__ == "__main__":
    main()
