"""Checkerboard Ising, L = 1024: spins updated in a nanosecond, against thrml, NumPy and plain Numba in one run.

Every sampler starts from the same random spins at T = 3 and must reach Onsager's energy, -0.8173 a site, before it is
timed. thrml is timed where it is installed (pip install thrml): it and ours may use two threads, the rest use one.
``taskset -c 0 python benchmarks/ising_lattice.py`` holds all to one processor.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

import numpy as np
from numba import njit
from timing import show

import thermoc as tc
from thermoc import physics

L, T, SWEEPS, ROUNDS = 1024, 3.0, 100, 5
START = np.random.default_rng(0).choice([-1, 1], (L, L))
Sampler = Callable[[int], np.ndarray]


def ours(threads: int) -> Sampler:
    """Return the simulator, one sample a thread: words of 64 sites."""
    with tc.Network("lattice") as net:
        J = physics.square_lattice(L)
        start = tc.constant(START.reshape(-1).astype(float))
        tc.output("s", tc.gibbs_sweeps(start, T, J, sweeps=SWEEPS, draws="word"))
    exe = tc.compile(net, "sim", threads=threads)

    def sample(sweeps: int) -> np.ndarray:
        assert sweeps == SWEEPS
        return exe.run(batch=threads)["s"][0, 0].reshape(L, L)

    return sample


def compact() -> Sampler:
    """Return NumPy over half lattices in float32: neighbours by rolls, one comparison for a colour."""
    rng = np.random.default_rng(1)
    half = [np.stack([START[y, (y + c) % 2 :: 2] for y in range(L)]).astype(np.float32) for c in (0, 1)]
    up = (1 / (1 + np.exp(-2 * np.arange(-4, 5, 2) / T))).astype(np.float32)

    def sample(sweeps: int) -> np.ndarray:
        for _ in range(sweeps):
            for c in (0, 1):
                o = half[1 - c]
                field = np.roll(o, 1, 0) + np.roll(o, -1, 0) + o
                field[c::2] += np.roll(o[c::2], 1, 1)
                field[1 - c :: 2] += np.roll(o[1 - c :: 2], -1, 1)
                p = up[((field + 4) / 2).astype(np.int8)]
                half[c] = np.where(rng.random(o.shape, np.float32) < p, np.float32(1), np.float32(-1))
        s = np.empty((L, L))
        for c in (0, 1):
            for y in range(L):
                s[y, (y + c) % 2 :: 2] = half[c][y]
        return s

    return sample


@njit
def _sweep(s, up, sweeps):
    for _ in range(sweeps):
        for c in range(2):
            for y in range(L):
                above, below = s[y - 1], s[(y + 1) % L]
                for x in range((y + c) % 2, L, 2):
                    field = above[x] + below[x] + s[y, x - 1] + s[y, (x + 1) % L]
                    s[y, x] = 1 if np.random.random() < up[(field + 4) >> 1] else -1


def plain() -> Sampler:
    """Return plain Numba over int8 spins with its own generator."""
    s, up = START.astype(np.int8), 1 / (1 + np.exp(-2 * np.arange(-4, 5, 2) / T))

    def sample(sweeps: int) -> np.ndarray:
        _sweep(s, up, sweeps)
        return s

    return sample


def thrml() -> Sampler:
    """Return thrml's block Gibbs sampler. Raises ImportError where it is missing."""
    import jax  # pyright: ignore
    import jax.numpy as jnp  # pyright: ignore
    from thrml import Block, SamplingSchedule, SpinNode, sample_states  # pyright: ignore
    from thrml.models import IsingEBM, IsingSamplingProgram  # pyright: ignore

    nodes = np.array([SpinNode() for _ in range(L * L)], object).reshape(L, L)
    edges = [(a, b) for axis in (0, 1) for a, b in zip(nodes.reshape(-1), np.roll(nodes, -1, axis).reshape(-1))]
    model = IsingEBM(
        list(nodes.reshape(-1)),
        edges,
        jnp.zeros(L * L),
        jnp.ones(len(edges)),
        jnp.array(1 / T),  # pyright: ignore
    )
    colour = np.indices((L, L)).sum(axis=0) % 2
    blocks = [Block(list(nodes[colour == c])) for c in (0, 1)]
    program = IsingSamplingProgram(model, blocks, clamped_blocks=[])  # pyright: ignore
    state = [jnp.array(START[colour == c] > 0) for c in (0, 1)]
    run = jax.jit(lambda key, schedule: sample_states(key, program, schedule, state, [], blocks), static_argnums=1)

    def sample(sweeps: int) -> np.ndarray:
        schedule = SamplingSchedule(n_warmup=sweeps - 1, n_samples=1, steps_per_sample=1)
        found = jax.block_until_ready(run(jax.random.key(1), schedule))
        s = np.empty((L, L))
        for c in (0, 1):
            s[colour == c] = 2.0 * np.asarray(found[c][0]) - 1
        return s

    return sample


def energy(s: np.ndarray) -> float:
    """Return the energy a site."""
    s = s.astype(float)
    return float(-(s * np.roll(s, 1, 0) + s * np.roll(s, 1, 1)).mean())


def main() -> None:
    """Print spins a nanosecond, medians of interleaved rounds, and ours over each."""
    works: dict[str, tuple[Sampler, int]] = {"thermoc, 1 thread": (ours(1), 1)}
    if (os.cpu_count() or 1) > 1:
        works["thermoc, 2 threads"] = (ours(2), 2)
    works |= {"NumPy, half lattices": (compact(), 1), "Numba, int8": (plain(), 1)}
    try:
        works["thrml"] = (thrml(), 1)
    except ImportError:
        print("thrml is not installed: not compared")
    energies = {name: energy(sample(SWEEPS)) for name, (sample, _) in works.items()}
    rates: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, (sample, samples) in works.items():
            start = time.perf_counter()
            sample(SWEEPS)
            rates[name].append(samples * SWEEPS * L * L / (time.perf_counter() - start) / 1e9)
    first = rates["thermoc, 1 thread"]
    show(
        f"checkerboard Ising, L = {L}, T = {T}: {SWEEPS} sweeps",
        [
            {
                "sampler": name,
                "spins/ns": statistics.median(found),
                "thermoc, 1 thread / it": statistics.median(a / b for a, b in zip(first, found)),
                "energy a site": energies[name],
            }
            for name, found in rates.items()
        ],
    )


if __name__ == "__main__":
    main()
