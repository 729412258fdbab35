"""Batches in Lava: copies of the network beside each other, against two other ways of running many samples.

    python benchmarks/lava_batches.py      after `thermoc doctor --install lava`, or with THERMOC_LAVA

- copies: what thermoc's packages do. Synapses are block-diagonal, units longer vectors, one start for all samples.
- 1x1: each dense synapse is Lava's Conv with 1x1 kernels over (samples, 1, channels): one kernel for all samples.
- fresh: a run for each sample, each with a start of its own. FRESH samples are timed, and scaled to all of them.

Networks: 64 -> 128 -> 10 units whose sums fit 24 bits; the same with longer messages, whose sums do not; and the digits
of the demo on their 599 held-out images, with negative weight exponents. Every number returned is compared with the
reference's, so that the table says what is right besides what is fast. Times include Lava's start and its end. Rounds
alternate; each one's best counts. ``--quick`` takes the first network, and leaves 1x1 out.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import ArrayLike, NDArray
from timing import report

import thermoc as tc
from thermoc.backends.base import NoisePosition
from thermoc.backends.lava import interpreter
from thermoc.backends.lava.layout import Stored
from thermoc.demo import digits, network
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret
from thermoc.support.tables import table

QUICK = "--quick" in sys.argv
ROUNDS, SAMPLES, FRESH, TICKS = (1, 599, 1, 50) if QUICK else (2, 599, 4, 50)

TRICK = '''

def dense(job, W, *, name, message_bits, weight_exp, **_):
    """Return a 1x1 convolution over (samples, 1, channels). It takes no exponent: weights carry it."""
    W = np.asarray(W, np.int32)
    W = W << weight_exp if weight_exp >= 0 else W >> -weight_exp
    shape = (job["batch"], 1, W.shape[1])
    process = Conv(weight=W[:, None, None, :], input_shape=shape, num_message_bits=message_bits)
    return Part(named(process, name), process.s_in, process.a_out.flatten(), shape, (0, 1, 2))


def by_delay(W, delays, longest):
    return W


def synapse(job, weights, weight_exp, message_bits, wraps, name):
    return dense(job, weights, name=name, message_bits=message_bits, weight_exp=weight_exp)
'''
"""What stands at the end of the package's wiring.py in its place: Lava's trick for each synapse."""


def small(bits: int) -> tuple[tc.Network, dict[str, ArrayLike]]:
    """Return a dense network of messages of so many bits, and its inputs (samples, units)."""
    rng = np.random.default_rng(bits)
    W, V = (2 * rng.integers(-64, 64, shape) for shape in ((128, 64), (10, 128)))
    with tc.Network("small") as net:
        x = tc.input("x", (64,), dtype="i32")
        h = tc.loihi.graded(tc.loihi.dense(x, W, message_bits=bits), shift=8)
        tc.output("y", tc.loihi.graded(tc.loihi.dense(h, V, message_bits=bits), rule="abs"))
    top = 2 ** (bits - 1)
    return net, {"x": rng.integers(-top, top, (SAMPLES, 64), dtype=np.int32)}


def cases() -> Mapping[str, tuple[Any, dict[str, Any]]]:
    """Return executables and inputs by the names of the cases."""
    held = {f"{bits}-bit messages": small(bits) for bits in (8, 20)}
    made: dict[str, tuple[Any, dict[str, Any]]] = {
        name: (tc.compile(net, "lava"), given) for name, (net, given) in held.items()
    }
    data = digits()
    exe = tc.compile(network(), "lava", calibrate={"pixels": data.train_images})
    return made | {"digits": (exe, {"pixels": data.test_images})}


def run(exe: Any, files: dict[str, bytes], given: Mapping[str, NDArray]) -> tuple[dict[str, NDArray], float]:
    """Return the outputs of a package, and the seconds from its start to its end."""
    fed, artefact = feed(exe.graph, given, ticks=TICKS), dataclasses.replace(exe.artefact, files=files)
    start = time.perf_counter()
    outputs = exe.backend.run(artefact, fed, NoisePosition()).outputs
    return outputs, time.perf_counter() - start


def samples_first(exe: Any, files: dict[str, bytes], given: Mapping[str, NDArray]) -> tuple[dict[str, NDArray], float]:
    """Return what ``run`` does, of a package with the trick, in which all states lie sample by sample."""
    with patch.object(Stored, "_by_sample", lambda stored: stored.array.reshape(stored.batch, -1)):
        return run(exe, files, given)


def fresh(exe: Any, given: Mapping[str, NDArray]) -> tuple[dict[str, NDArray], float]:
    """Return the outputs of the first samples, each of a run of its own, and the seconds that all would take."""
    done = [run(exe, exe.artefact.files, {n: x[i : i + 1] for n, x in given.items()}) for i in range(FRESH)]
    outputs = {name: np.concatenate([found[name] for found, _ in done], axis=1) for name in done[0][0]}
    return outputs, sum(seconds for _, seconds in done) / FRESH * SAMPLES


def rows(case: str, exe: Any, given: dict[str, Any]) -> list[dict[str, object]]:
    """Return a row for each way: its seconds, times the copies', and how many numbers differ from the reference's."""
    expected = interpret(exe.graph, feed(exe.graph, given, ticks=TICKS)).outputs
    files = exe.artefact.files
    trick = files | {"wiring.py": files["wiring.py"] + TRICK.encode()}
    seconds: dict[str, list[float]] = defaultdict(list)
    wrong: dict[str, str] = {}
    for turn in range(ROUNDS):
        ways: dict[str, Callable[[], Any]] = {"copies": lambda: run(exe, files, given)}
        ways |= {} if QUICK else {"1x1": lambda: samples_first(exe, trick, given)}
        ways |= {"fresh": lambda: fresh(exe, given)} if turn == 0 else {}
        for way, work in ways.items():
            outputs, taken = work()
            seconds[way].append(taken)
            wrong[way] = differing(outputs, expected)
    best = {way: min(taken) for way, taken in seconds.items()}
    return [
        {"case": case, "way": way, "seconds": s, "times copies": s / best["copies"], "wrong": wrong[way]}
        for way, s in best.items()
    ]


def differing(outputs: Mapping[str, NDArray], expected: Mapping[str, NDArray]) -> str:
    """Return how many numbers differ, of how many."""
    pairs = [(array, expected[name][:, : array.shape[1]]) for name, array in outputs.items()]
    return f"{sum(int((a != b).sum()) for a, b in pairs)} of {sum(a.size for a, _ in pairs)}"


def main() -> None:
    work = {"work": f"{SAMPLES} samples in Lava", "anchor": "a run for each", "goal": float("nan"), "better": "higher"}
    if interpreter.find() is None:
        return report([{**work, "ratio": float("nan"), "note": "Lava is not installed"}])
    chosen = [*cases().items()][: 1 if QUICK else None]
    found = [row for case, (exe, given) in chosen for row in rows(case, exe, given)]
    print(table(f"{SAMPLES} samples in Lava, {TICKS} ticks", found))
    fresh = [row for row in found if row["way"] == "fresh"]
    report([{**work, "work": f"{work['work']}, {row['case']}", "ratio": row["times copies"]} for row in fresh])


if __name__ == "__main__":
    main()
