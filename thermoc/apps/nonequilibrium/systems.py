"""Driven networks whose free energy is known: a particle in a moved trap, a ring of spins in a field."""

from __future__ import annotations

import numpy as np

import thermoc as tc
from thermoc.ir.handle import Handle
from thermoc.support.errors import error


def moved_trap(*, T: float = 1.0, mobility: float = 1.0, dt: float = 0.1) -> tc.Network:
    """Return an overdamped particle in E = k (x - c)^2 / 2, with inputs ``stiffness`` k and ``centre`` c (P29).

    Between changes of k and c its motion is exact in law, so that Boltzmann's law is left as it is for any dt. Heat is
    that of the force along the way, k (c - x) dx at the midpoint (Sekimoto 1998).
    """
    with tc.Network("moved_trap", dt=dt) as net:
        k, c = tc.input("stiffness", ()), tc.input("centre", ())
        x = tc.brownian(k * c, T, mobility, k)
        k_before, c_before, x_before = tc.delay(k, initial=1.0), tc.delay(c), tc.delay(x)
        energy = _harmonic(k, x - c)
        tc.output("work", energy - _harmonic(k_before, x - c_before))
        tc.output("heat", k_before * (0.5 * (x + x_before) - c_before) * (x - x_before))
        tc.output("energy", energy)
        tc.probe("x", x)
    return net


def _harmonic(k: Handle, distance: Handle) -> Handle:
    return 0.5 * k * distance * distance


def trap_free_energy(stiffness: float, *, T: float) -> float:
    """Return -T ln Z of the trap, but for a constant: T ln(k) / 2. Where the trap is does not matter."""
    return float(0.5 * T * np.log(stiffness))


def driven_ring(n: int, *, J: float = 1.0, T: float = 1.0, reverse: bool = False) -> tc.Network:
    """Return a ring of an even number n of spins (p-bits) in a field, driven by the input ``field`` (P12).

    A tick's sweep updates the even spins, then the odd ones; with ``reverse`` the odd ones first: then it is the
    reverse of the other, as Crooks' theorem asks. n = 2 without coupling is two p-bits. Heat is the energy of the
    flips. Errors: T405.
    """
    if n < 2 or n % 2 or (n == 2 and J != 0):
        notes = [f"n is {n}", "an even number, 4 at least where J is not 0"]
        raise error("T405", "a ring of two colours has an even number of spins", notes=notes)
    couplings = np.zeros((n, n))
    for i in range(n):
        couplings[i, (i + 1) % n] = couplings[(i + 1) % n, i] = J
    with tc.Network("driven_ring") as net:
        field = tc.input("field", ())
        colors = (np.arange(n) + (1 if reverse else 0)) % 2
        s = tc.gibbs(T, couplings, h=tc.broadcast(field, shape=(n,)), colors=colors)
        m, before = tc.reduce(s, kind="sum", axes=(0,)), tc.delay(field)
        bonds = tc.ising_energy(s, couplings)
        energy = bonds - field * m
        m_before, bonds_before = tc.delay(m), tc.delay(bonds)
        tc.output("work", (before - field) * m)
        tc.output("heat", bonds - bonds_before - before * (m - m_before))
        tc.output("energy", energy)
    return net


def ring_free_energy(n: int, field: float, *, J: float = 1.0, T: float = 1.0) -> float:
    """Return -T ln Z of the ring by its transfer matrix: Z = l_1^n + l_2^n (P48)."""
    e, h = J / T, field / T
    root = np.hypot(np.sinh(h), np.exp(-2 * e))
    larger, smaller = np.cosh(h) + root, np.cosh(h) - root
    return float(-T * (n * e + n * np.log(larger) + np.log1p((smaller / larger) ** n)))
