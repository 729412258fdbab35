"""Store a sample of each format, for every later version to read: python tests/formats/store_samples.py

Writes only what is missing, in samples/FORMAT-vN. A stored sample is never written again: one that an older version
wrote stays as that version left it. Networks (.thermo) have samples of every op in tests/ir/samples.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import thermoc as tc
from thermoc.apps.optimisation.answers import VERSION as ANSWERS
from thermoc.apps.optimisation.answers import answers_of, document, write_answers
from thermoc.apps.optimisation.minimise import minimise
from thermoc.certificates.document import VERSION as CERTIFICATE
from thermoc.checkpoint import VERSION as CHECKPOINT
from thermoc.frontends.problems import read
from thermoc.learning.training import read_config, train
from thermoc.learning.training.saved import VERSION as TRAINED
from thermoc.recording.store import VERSION as RUN
from thermoc.simulator.machine.program import VERSION as CHIP
from thermoc.simulator.program import VERSION as PROGRAM
from thermoc.sweeps.store import VERSION as SWEEP

SAMPLES = Path(__file__).parent / "samples"
TICKS, SEED = 3, 7


def network() -> tc.Network:
    """A network with a product, a state and noise."""
    rng = np.random.default_rng(0)
    with tc.Network("sample") as net:
        x = tc.input("x", (4,))
        h = tc.fermi_dirac(tc.affine(x, rng.normal(size=(6, 4)), rng.normal(size=6)), T=0.5)
        tc.output("p", h)
        tc.output("s", tc.sample_binary(tc.delay(tc.affine(h, rng.normal(size=(3, 6))), 0.0), T=1.0))
    return net


def inputs() -> dict[str, np.ndarray]:
    return {"x": np.random.default_rng(1).normal(size=(2, 4))}


def run(exe: Any, **settings: Any) -> Any:
    return exe.run(inputs(), ticks=TICKS, seed=SEED, **settings)


def program(folder: Path) -> None:
    exe = tc.compile(network(), "sim")
    exe.save(folder / "sample.program")
    outputs(folder, run(exe))


def outputs(folder: Path, made: Any) -> None:
    np.savez(folder / "sample.npz", x=inputs()["x"], p=made["p"], s=made["s"])


def chip(folder: Path) -> None:
    exe = tc.compile(network(), "chip", chip="thermo-1")
    exe.save(folder / "sample.chip")
    report = run(exe).chip
    (folder / "sample.json").write_text(json.dumps({"joules": report.joules, "latency": report.latency}))


def certificate(folder: Path) -> None:
    tc.certify(run(tc.compile(network(), "sim"))).save(folder / "sample.certificate.json")


def checkpoint(folder: Path) -> None:
    with tc.compile(network(), "sim").start(batch=2, seed=SEED) as session:
        session.run(TICKS, inputs())
        session.save(folder / "sample.ckpt")


def store(folder: Path) -> None:
    made = run(tc.compile(network(), "sim"), to=folder / "sample.zarr")
    outputs(folder, made)


TRAINING = """
[data]
file = "points.npz"
[network]
hidden = 4
[training]
rule = "contrastive_divergence"
epochs = 1
[output]
folder = "out"
tensorboard = false
"""
GRAPH = "4 4\n1 2 1\n2 3 1\n3 4 -2\n1 3 -1\n"
SWEPT = {"options": {"precision": ["float64", "float32"]}, "seeds": 2, "ticks": TICKS, "batch": 2}


def training(folder: Path) -> None:
    np.savez(folder / "points.npz", x=np.random.default_rng(0).random((60, 6)) < 0.5)
    (folder / "train.toml").write_text(TRAINING)
    train(read_config(folder / "train.toml"))


def answers(folder: Path) -> None:
    (folder / "graph.txt").write_text(GRAPH)
    problem = read(folder / "graph.txt", "maxcut")
    samples = minimise(problem.model, seed=SEED, sweeps=20, replicas=4)
    content = document(problem, answers_of(problem, samples.spins, SEED))
    write_answers(folder / "answers.json", content)


def sweep(folder: Path) -> None:
    tc.sweep(network(), folder / "sample.zarr", inputs=inputs(), **SWEPT, workers=0, progress=False)


MAKERS: dict[str, Callable[[Path], None]] = {
    f"program-v{PROGRAM}": program,
    f"chip-v{CHIP}": chip,
    f"certificate-v{CERTIFICATE}": certificate,
    f"checkpoint-v{CHECKPOINT}": checkpoint,
    f"run-v{RUN}": store,
    f"training-v{TRAINED}": training,
    f"answers-v{ANSWERS}": answers,
    f"sweep-v{SWEEP}": sweep,
}


def main() -> None:
    """Write the samples of this version's formats that are missing."""
    for name, make in MAKERS.items():
        folder = SAMPLES / name
        if not folder.exists():
            folder.mkdir(parents=True)
            make(folder)


if __name__ == "__main__":
    main()
