"""Samples of other machines certified: dwave-samplers and thrml, right, 3 % too warm, and not thermalised.

A glass of 36 spins with fields, J = +-1 on the periodic 6 x 6 lattice, at T = 2. Right samples hold; those at 2.06, and
those of chains or reads that were cut short, do not. ``--quick`` takes a case of each sampler, and fewer samples, which
cannot tell. Both need their packages (``benchmarks/requirements.txt``); what is missing is said.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from timing import report, show

import thermoc as tc
from thermoc import physics
from thermoc.physics.ising_model import IsingModel

QUICK = "--quick" in sys.argv
L, T, OFF = 6, 2.0, 1.03
READS, CHAINS, STEPS = (1000, 16, 400) if QUICK else (16_000, 32, 1000)
RIGHT, WRONG = "holds", "does not hold"


def glass() -> IsingModel:
    """Return the model."""
    rng = np.random.default_rng(1)
    J = physics.square_lattice(L)
    upper = np.triu(J.toarray()) * rng.choice([-1.0, 1.0], J.shape)
    from scipy.sparse import csr_array

    return IsingModel(J=csr_array(upper + upper.T), h=rng.normal(size=L * L) * 0.3)


def binary_quadratic_model(model: IsingModel) -> Any:
    """Return it with dimod's signs."""
    import dimod  # pyright: ignore

    i, j = np.nonzero(np.triu(model.J.toarray()))
    couplings = {(int(a), int(b)): -float(model.J[a, b]) for a, b in zip(i, j)}
    return dimod.BinaryQuadraticModel({k: -float(h) for k, h in enumerate(model.h)}, couplings, "SPIN")


def dwave(model: IsingModel) -> Iterator[tuple[str, str, Callable[[], Any]]]:
    """Yield reads of simulated annealing held at one temperature, and of the exact sampler of tree decompositions."""
    from dwave.samplers import SimulatedAnnealingSampler, TreeDecompositionSampler  # pyright: ignore

    bqm = binary_quadratic_model(model)

    def annealed(temperature: float, sweeps: int) -> Callable[[], Any]:
        schedule = {"beta_schedule_type": "custom", "beta_schedule": [1 / temperature]}
        return lambda: SimulatedAnnealingSampler().sample(
            bqm, num_reads=READS, seed=1, num_sweeps_per_beta=sweeps, proposal_acceptance_criteria="Gibbs", **schedule
        )

    def exact(temperature: float) -> Callable[[], Any]:
        return lambda: TreeDecompositionSampler().sample(
            bqm, beta=1 / temperature, num_reads=READS, marginals=False, seed=1
        )

    yield "dwave, 200 sweeps a read", RIGHT, annealed(T, 200)
    yield "dwave, 3 % too warm", WRONG, annealed(T * OFF, 200)
    yield "dwave, 2 sweeps a read", WRONG, annealed(T, 2)
    yield "dwave, tree decomposition", RIGHT, exact(T)
    yield "dwave, tree decomposition, 3 % too warm", WRONG, exact(T * OFF)


def thrml(model: IsingModel) -> Iterator[tuple[str, str, Callable[[], Any]]]:
    """Yield chains of thrml's block Gibbs sampler, (steps, chains, units)."""
    import jax  # pyright: ignore
    import jax.numpy as jnp  # pyright: ignore
    from thrml import Block, SamplingSchedule, SpinNode, sample_states  # pyright: ignore
    from thrml.models import IsingEBM, IsingSamplingProgram  # pyright: ignore

    nodes = [SpinNode() for _ in range(model.size)]
    i, j = np.nonzero(np.triu(model.J.toarray()))
    weights = jnp.array([float(model.J[a, b]) for a, b in zip(i, j)])
    edges = [(nodes[a], nodes[b]) for a, b in zip(i, j)]
    colour = np.indices((L, L)).sum(axis=0).reshape(-1) % 2
    blocks = [Block([node for node, c in zip(nodes, colour) if c == k]) for k in (0, 1)]

    def chains(temperature: float, warmup: int, steps: int, count: int) -> Callable[[], Any]:
        ebm = IsingEBM(nodes, edges, jnp.array(model.h), weights, jnp.array(1 / temperature))
        program = IsingSamplingProgram(ebm, blocks, clamped_blocks=[])  # pyright: ignore
        schedule = SamplingSchedule(n_warmup=warmup, n_samples=steps, steps_per_sample=1)
        start = [jnp.ones((colour == k).sum(), bool) for k in (0, 1)]

        def sample() -> np.ndarray:
            one = jax.jit(lambda key: sample_states(key, program, schedule, start, [], blocks))
            found = jax.vmap(one)(jax.random.split(jax.random.key(1), count))
            s = np.empty((steps, count, model.size))
            for k in (0, 1):
                s[..., colour == k] = 2.0 * np.asarray(found[k]).swapaxes(0, 1) - 1
            return s

        return sample

    yield "thrml, 200 sweeps of warm-up", RIGHT, chains(T, 200, STEPS, CHAINS)
    yield "thrml, 3 % too warm", WRONG, chains(T * OFF, 200, STEPS, CHAINS)
    yield "thrml, no warm-up, 4 sweeps", WRONG, chains(T, 0, 4, 16 * CHAINS)


def main() -> None:
    """Print the verdict on each, and how many are as they should be."""
    model, rows = glass(), list[dict[str, Any]]()
    for machine in (dwave, thrml):
        try:
            for name, wanted, sample in list(machine(model))[:: 4 if QUICK else 1]:
                samples = sample()
                start = time.perf_counter()
                found = tc.certify_samples(samples, model, T=T, resolution=OFF - 1)
                seconds = time.perf_counter() - start
                least = min(law.p for law in found.laws if law.p is not None)
                rows.append(
                    {"samples": name, "wanted": wanted, "verdict": found.verdict, "least p": least, "s": seconds}
                )
        except ImportError as reason:
            print(f"{machine.__name__}: not compared: {reason}")
    show(f"glass of {model.size} spins at T = {T}", rows)
    right = [(row["verdict"] == "holds") == (row["wanted"] == RIGHT) for row in rows]
    ratio = sum(right) / len(right) if right else float("nan")
    note = f"{len(right)} sets of samples of dwave-samplers and thrml"
    report(
        [
            {
                "work": "verdicts on others' samples that are right",
                "anchor": "all of them",
                "ratio": ratio,
                "goal": 1.0,
                "better": "higher",
                "note": note if right else "not installed",
            }
        ]
    )


if __name__ == "__main__":
    main()
