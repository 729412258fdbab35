"""Low energies against dwave-samplers' simulated annealing in one run: four graphs of the G-set, and sparse graphs.

    python benchmarks/optimisation.py [--quick] [--seeds N] [--rows FILE] [NAME ...]

Each graph's rows are printed beside their goals as soon as they are known. With ``--rows`` they are kept in a file of
JSON lines, and what stands there is not measured again. NAMEs are beginnings of titles: G1, "lattice of 10,000".

pip install dwave-samplers. Times are of the processor, one thread each. Of the G-set (the folder ``data/gset/input``
below THERMOC_SHARED): the longest time over seeds until a cut is reached, over the time that dwave takes for 40 reads
of 4,000 sweeps. Of sparse graphs: the best and the median cut over seeds at equal time, over those of dwave at the best
of some splits of the time into reads and sweeps. The graphs follow the rules of rudy, which made the G-set's: edges
drawn at random; periodic lattices; two planar graphs laid over each other (triangulations of random points, 1 % left
out); weights 1, or -1 and 1. Of our own throughput: the time that the kernel alone takes for as many updates, over
that of all of ``minimise``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from math import nan
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.spatial import Delaunay
from timing import report, show

from thermoc.apps.optimisation import chains as lay
from thermoc.apps.optimisation.budget import Budget
from thermoc.apps.optimisation.minimise import minimise
from thermoc.apps.optimisation.temperatures import cooling, shares
from thermoc.apps.optimisation.work import Work
from thermoc.physics.ising_model import IsingModel

QUICK = "--quick" in sys.argv
BUDGET, READS, SWEEPS = (1.0, 8, 1000) if QUICK else (5.0, 40, 4000)
SPLITS = (1, 4) if QUICK else (1, 4, 16)
GOALS = {"G1": 11_624, "G14": 3_060, "G22": 13_358, "G32": 1_406}
GSET = Path(os.environ.get("THERMOC_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "data/gset/input"


class Graph(NamedTuple):
    """Edges of a graph: their ends and weights."""

    n: int
    i: Any
    j: Any
    weights: Any

    def model(self) -> IsingModel:
        """Return couplings -w: the energy is the sum of w s_i s_j, low where the cut is large."""
        ends = (np.r_[self.i, self.j], np.r_[self.j, self.i])
        J = csr_array(coo_array((-np.r_[self.weights, self.weights], ends), shape=(self.n, self.n)))
        return IsingModel(J=J, h=np.zeros(self.n))

    def cut(self, energy: float) -> float:
        """Return the weight of the cut of an energy."""
        return float(self.weights.sum() - energy) / 2

    def energy(self, cut: float) -> float:
        """Return the energy of a cut."""
        return float(self.weights.sum()) - 2 * cut


def torus(rows: int, columns: int, seed: int) -> Graph:
    """Return a periodic lattice of weights -1 and 1."""
    place = np.arange(rows * columns).reshape(rows, columns)
    i = np.r_[place.reshape(-1), place.reshape(-1)]
    j = np.r_[np.roll(place, -1, 0).reshape(-1), np.roll(place, -1, 1).reshape(-1)]
    return Graph(place.size, i, j, np.random.default_rng(seed).choice([-1.0, 1.0], len(i)))


def random_graph(n: int, edges: int, seed: int, *, signs: bool) -> Graph:
    """Return a graph whose edges are drawn at random."""
    rng = np.random.default_rng(seed)
    pairs = np.sort(rng.integers(0, n, (2 * edges, 2)), axis=1)
    pairs = np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0)
    pairs = pairs[rng.permutation(len(pairs))[:edges]]
    return Graph(n, pairs[:, 0], pairs[:, 1], weights(rng, edges, signs))


def planar_union(n: int, seed: int, *, signs: bool) -> Graph:
    """Return two planar graphs over the same nodes, an edge of both once."""
    rng, layers = np.random.default_rng(seed), []
    for _ in range(2):
        triangles = rng.permutation(n)[Delaunay(rng.random((n, 2))).simplices]
        edges = np.unique(np.sort(triangles[:, [[0, 1], [1, 2], [0, 2]]].reshape(-1, 2), axis=1), axis=0)
        layers.append(edges[rng.random(len(edges)) < 0.99])
    pairs = np.unique(np.concatenate(layers), axis=0)
    return Graph(n, pairs[:, 0], pairs[:, 1], weights(rng, len(pairs), signs))


def weights(rng: np.random.Generator, edges: int, signs: bool) -> Any:
    """Return weights -1 and 1, or 1 alone."""
    return rng.choice([-1.0, 1.0], edges) if signs else np.ones(edges)


GRAPHS: dict[str, Callable[[], Graph]] = {
    "lattice of 10,000, +-1": lambda: torus(100, 100, 2),
    "random, 5,000 nodes, 12,498 edges": lambda: random_graph(5000, 12_498, 4, signs=False),
    "planar union of 5,000": lambda: planar_union(5000, 7, signs=False),
    "lattice of 5,000, +-1": lambda: torus(50, 100, 1),
    "lattice of 20,000, +-1": lambda: torus(100, 200, 3),
    "random +-1, 7,000 nodes, 17,148 edges": lambda: random_graph(7000, 17_148, 5, signs=True),
    "random, 10,000 nodes, 9,999 edges": lambda: random_graph(10_000, 9_999, 6, signs=False),
    "planar union of 7,000, +-1": lambda: planar_union(7000, 8, signs=True),
}


def of_the_gset(name: str) -> Graph:
    """Return a graph of the G-set."""
    n = int((GSET / f"{name}.txt").read_text().split(maxsplit=1)[0])
    rows = np.loadtxt(GSET / f"{name}.txt", skiprows=1)
    return Graph(n, rows[:, 0].astype(int) - 1, rows[:, 1].astype(int) - 1, rows[:, 2])


Sampler = Callable[[int, int, int], float]
"""(seed, replicas, sweeps) -> the lowest energy."""


def dwave(graph: Graph) -> Sampler:
    """Return dwave's sampler of a graph. Raises ImportError."""
    import dimod  # pyright: ignore
    from dwave.samplers import SimulatedAnnealingSampler  # pyright: ignore

    couplings = {(int(i), int(j)): float(w) for i, j, w in zip(graph.i, graph.j, graph.weights)}
    model, sampler = dimod.BinaryQuadraticModel.from_ising({}, couplings), SimulatedAnnealingSampler()
    return lambda seed, reads, sweeps: float(
        sampler.sample(model, num_reads=reads, num_sweeps=sweeps, seed=seed).first.energy  # pyright: ignore
    )


def ours(graph: Graph) -> Sampler:
    """Return ours, on one thread."""
    model = graph.model()
    return lambda seed, replicas, sweeps: float(
        minimise(model, seed=seed, replicas=replicas, sweeps=sweeps, threads=1).energies[0]
    )


def timed(work: Callable[..., float], *arguments: Any) -> tuple[float, float]:
    """Return what the work returns, and the seconds of the processor that it took."""
    start = time.process_time()
    return work(*arguments), time.process_time() - start


def to_a_goal(name: str, goal: int, seeds: int) -> list[dict[str, Any]]:
    """Return a row: the longest time to the goal over dwave's for its reads."""
    graph = of_the_gset(name)
    model, target = graph.model(), graph.energy(goal)

    def lowest(seed: int) -> float:
        return float(minimise(model, seed=seed, sweeps=400_000, threads=1, target_energy=target).energies[0])

    minimise(model, sweeps=20, threads=1)  # compiles
    energy, theirs = timed(dwave(graph), 1, READS, SWEEPS)
    theirs *= 40 * 4000 / (READS * SWEEPS)
    runs = [timed(lowest, seed) for seed in range(seeds)]
    reached, times = sum(energy <= target for energy, _ in runs), [seconds for _, seconds in runs]
    note = f"{reached} of {seeds} seeds reach {goal}; dwave's reads: {graph.cut(energy):g}"
    ratio = max(times) / theirs if reached == seeds else nan
    note += f"; longest {max(times):.3g} s, median {statistics.median(times):.3g} s, dwave {theirs:.3g} s"
    return [row(f"{name}: time to a cut of {goal}", ratio, 0.5, "lower", note)]


def sweeps_for(sampler: Sampler, replicas: int, trial: int) -> int:
    """Return how many sweeps fit into the time, from two trials: what is done once cancels out."""
    sampler(0, replicas, trial)
    short, long = (timed(sampler, 0, replicas, k)[1] for k in (trial, 4 * trial))
    # other programs disturb trials: no sweep is taken to cost less than half of what the longer one says
    each = max((long - short) / (3 * trial), long / (8 * trial))
    return max(trial, int(BUDGET / each))


def best_split(
    name: str, sampler: Sampler, splits: tuple[int, ...], trial: int, graph: Graph, seeds: int
) -> dict[str, Any]:
    """Return the figures of the split of the time into replicas and sweeps that has the best median."""
    options = []
    for replicas in splits:
        sweeps = sweeps_for(sampler, replicas, trial)
        runs = [timed(sampler, seed, replicas, sweeps) for seed in range(seeds)]
        cuts = [graph.cut(energy) for energy, _ in runs]
        seconds = statistics.mean(seconds for _, seconds in runs)
        options.append((statistics.median(cuts), max(cuts), replicas, sweeps, seconds))
    median, best, replicas, sweeps, seconds = max(options)
    return {"sampler": name, "best": best, "median": median, "reads": replicas, "sweeps": sweeps, "s": seconds}


def at_equal_time(title: str, seeds: int) -> list[dict[str, Any]]:
    """Return rows of a sparse graph: best and median cut, over dwave's."""
    graph = GRAPHS[title]()
    results = [
        best_split("dwave", dwave(graph), SPLITS, 200, graph, seeds),
        best_split("thermoc", ours(graph), (2,), 2000, graph, seeds),
    ]
    show(title, results)
    theirs, mine = results
    spent = f"{mine['s']:.1f} s and {theirs['s']:.1f} s, dwave {theirs['reads']} reads of {theirs['sweeps']} sweeps"
    return [
        row(
            f"{title}: {what} cut",
            mine[what] / theirs[what],
            1.0,
            "higher",
            f"{mine[what]:g} and {theirs[what]:g}; {spent}",
        )
        for what in ("best", "median")
    ]


def of_the_kernel(title: str) -> list[dict[str, Any]]:
    """Return a row: the kernel's time over that of ``minimise`` for the same sweeps of the same chains."""
    model = random_graph(2000, 19_990, 9, signs=False).model()
    work = Work(model=model, seed=1, replicas=READS, sweeps=SWEEPS, threads=1, budget=Budget())
    T, counts = cooling(model, 200), shares(SWEEPS, 200)

    def kernel() -> float:
        chains = lay.start(work.layout, lay.random_spins(model.size, READS, 1))
        start = time.process_time()
        work.sweep(chains, np.arange(READS), T, counts)
        return time.process_time() - start

    def inside() -> float:
        return timed(lambda: float(minimise(model, method="annealing", **how).energies[0]))[1]

    how: dict[str, Any] = {"seed": 1, "replicas": READS, "sweeps": SWEEPS, "threads": 1}
    minimise(model, method="annealing", sweeps=20, threads=1)  # compiles
    pairs = [(kernel(), inside()) for _ in range(3 if QUICK else 7)]
    ratio = statistics.median(alone / whole for alone, whole in pairs)
    rate = READS * SWEEPS * model.size / min(whole for _, whole in pairs) / 1e6
    note = f"{READS} replicas of {SWEEPS} sweeps, 2,000 spins: {rate:.0f} M updates/s"
    return [row(title, ratio, 0.9, "higher", note) | {"anchor": "the kernel alone"}]


def row(work: str, ratio: float, goal: float, better: str, note: str) -> dict[str, Any]:
    """Return a row for ``report``."""
    return {"work": work, "anchor": "dwave-samplers", "ratio": ratio, "goal": goal, "better": better, "note": note}


def pieces(seeds: int) -> dict[str, Callable[[], list[dict[str, Any]]]]:
    """Return what measures rows, by title; one graph of each kind with --quick."""
    inside = "annealing inside minimise"
    found: dict[str, Callable[[], list[dict[str, Any]]]] = {inside: partial(of_the_kernel, inside)}
    if GSET.is_dir():
        found |= {
            name: partial(to_a_goal, name, goal, seeds) for name, goal in list(GOALS.items())[: 1 if QUICK else None]
        }
    else:
        print(f"no graphs of the G-set in {GSET}")
    return found | {title: partial(at_equal_time, title, seeds) for title in list(GRAPHS)[: 1 if QUICK else None]}


def measured(title: str, piece: Callable[[], list[dict[str, Any]]], kept: Path | None) -> list[dict[str, Any]]:
    """Return the rows of a title: those that were kept, else measured now."""
    rows = [json.loads(line) for line in kept.read_text().splitlines()] if kept is not None and kept.exists() else []
    mine = [{**row, "ratio": nan if row["ratio"] is None else row["ratio"]} for row in rows if row["title"] == title]
    if not mine:
        try:
            mine = [{**row, "title": title} for row in piece()]
        except ImportError:
            return [row(title, nan, nan, "higher", "dwave-samplers is not installed")]
        if kept is not None:
            with kept.open("a") as file:
                file.writelines(json.dumps(row) + "\n" for row in mine)
    return [{name: value for name, value in row.items() if name != "title"} for row in mine]


def main() -> None:
    """All titles, or those that are named."""
    parser = argparse.ArgumentParser(description="Low energies, against dwave-samplers.")
    parser.add_argument("names", nargs="*", help="beginnings of titles; default all")
    parser.add_argument("--quick", action="store_true", help="short runs, one graph of each kind")
    parser.add_argument("--seeds", type=int, default=2 if QUICK else 10, help="of each figure")
    parser.add_argument("--rows", type=Path, help="a file that keeps rows: those in it are not measured again")
    options = parser.parse_args()
    for title, piece in pieces(options.seeds).items():
        if not options.names or any(title.startswith(name) for name in options.names):
            report(measured(title, piece, options.rows))


if __name__ == "__main__":
    main()
