"""Checkerboard Ising, L = 1024: spins updated in a nanosecond, against thrml, NumPy, plain Numba and its own noise.

Every sampler starts from the same random spins at T = 3 and must reach Onsager's energy, -0.8173 a site, before it is
timed. thrml, plain Numba and ours may use two threads, the last two for a lattice each. The bound is what one core
would update if it made nothing but the Philox words that a sweep reads: eight digits of all sites, then four at a time
of the words that have a site undecided. ``taskset -c 0 python benchmarks/ising_lattice.py`` holds all to one processor.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import nan

import numpy as np
from numba import njit
from timing import report, show

import thermoc as tc
from thermoc import physics
from thermoc.simulator.kernels.simd.lanes import LANES, blocks, count_up, store

QUICK = "--quick" in sys.argv
L, T, SWEEPS, ROUNDS = 256 if QUICK else 1024, 3.0, 100, 3 if QUICK else 11
START = np.random.default_rng(0).choice([-1, 1], (L, L))
Sampler = Callable[[int], np.ndarray]


def ours(threads: int) -> Sampler:
    """Return the simulator, one sample a thread: words of 64 sites."""
    with tc.Network("lattice") as net:
        J = physics.square_lattice(L)
        start = tc.constant(START.reshape(-1).astype(float))
        tc.output("s", tc.gibbs_sweeps(start, T, J, sweeps=SWEEPS, draws="word"))
    exe = tc.compile(net, "sim", threads=threads, precision="float32")

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


@njit(nogil=True)
def _sweep(s, up, sweeps):
    for _ in range(sweeps):
        for c in range(2):
            for y in range(L):
                above, below = s[y - 1], s[(y + 1) % L]
                for x in range((y + c) % 2, L, 2):
                    field = above[x] + below[x] + s[y, x - 1] + s[y, (x + 1) % L]
                    s[y, x] = 1 if np.random.random() < up[(field + 4) >> 1] else -1


def plain(threads: int) -> Sampler:
    """Return plain Numba over int8 spins with its own generator, a lattice a thread."""
    lattices, up = [START.astype(np.int8) for _ in range(threads)], 1 / (1 + np.exp(-2 * np.arange(-4, 5, 2) / T))
    pool = ThreadPoolExecutor(threads)

    def sample(sweeps: int) -> np.ndarray:
        list(pool.map(lambda s: _sweep(s, up, sweeps), lattices))
        return lattices[0]

    return sample


four_blocks = blocks(4)


@njit(error_model="numpy", nogil=True)
def _words(buffer, elements, key):
    for j in range(0, elements, LANES):
        # an intrinsic is called without the typing context that its definition names first
        drawn = four_blocks(count_up() + np.uint64(j), key, key, key, key, key)  # pyright: ignore
        for k in range(8):
            store(buffer, k * LANES, drawn[k])  # pyright: ignore


def noise(sweeps: int) -> None:
    """Make the Philox words of so many sweeps, 512 bits of which overwrite each other."""
    # a digit of 64 sites is a word: eight of each, then four while one of 64 is undecided after r digits
    digits = 8 + sum(4 * (1 - (1 - 0.5**r) ** 64) for r in range(8, 52, 4))
    _words(np.empty(8 * LANES, np.uint64), round(sweeps * L * L / 64 * digits / 8), np.uint64(1))


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
    """Print spins a nanosecond, the best of interleaved rounds, and the ratios beside their goals."""
    works: dict[str, tuple[Sampler, int]] = {
        "thermoc, 1 thread": (ours(1), 1),
        "thermoc, 2 threads": (ours(2), 2),
        "NumPy, half lattices": (compact(), 1),
        "Numba, int8, 2 threads": (plain(2), 2),
    }
    try:
        works["thrml"] = (thrml(), 1)
    except ImportError:
        print("thrml is not installed: not compared")
    energies = {name: energy(sample(SWEEPS)) for name, (sample, _) in works.items()}
    noise(1)
    times: dict[str, list[float]] = {name: [] for name in [*works, "words of one core"]}
    for _ in range(ROUNDS):
        start = time.perf_counter()
        noise(SWEEPS)
        times["words of one core"].append((time.perf_counter() - start) / SWEEPS)
        for name, (sample, samples) in works.items():
            start = time.perf_counter()
            sample(SWEEPS)
            times[name].append((time.perf_counter() - start) / SWEEPS / samples)
    rows = [
        {
            "sampler": name,
            "spins/ns": L * L / min(found) / 1e9,
            "energy a site": energies.get(name, nan),
        }
        for name, found in times.items()
    ]
    show(f"checkerboard Ising, L = {L}, T = {T}: {SWEEPS} sweeps", rows)
    work = f"checkerboard Ising, L = {L}"
    goals = (
        ("thermoc, 2 threads", "thrml", 100.0),
        ("thermoc, 2 threads", "Numba, int8, 2 threads", 40.0),
        ("thermoc, 1 thread", "words of one core", 0.65),
    )
    report(
        [
            {
                "work": f"{work}, {mine.removeprefix('thermoc, ')}",
                "anchor": theirs,
                "ratio": min(times[theirs]) / min(times[mine]) if theirs in times else nan,
                "goal": goal,
                "better": "higher",
                "note": "" if theirs in times else "not installed",
            }
            for mine, theirs, goal in goals
        ]
    )


if __name__ == "__main__":
    main()
