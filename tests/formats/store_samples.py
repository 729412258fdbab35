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
from thermoc.certificates.document import VERSION as CERTIFICATE
from thermoc.checkpoint import VERSION as CHECKPOINT
from thermoc.recording.store import VERSION as RUN
from thermoc.simulator.machine.program import VERSION as CHIP
from thermoc.simulator.program import VERSION as PROGRAM

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


MAKERS: dict[str, Callable[[Path], None]] = {
    f"program-v{PROGRAM}": program,
    f"chip-v{CHIP}": chip,
    f"certificate-v{CERTIFICATE}": certificate,
    f"checkpoint-v{CHECKPOINT}": checkpoint,
    f"run-v{RUN}": store,
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
