"""One network as an artefact of every kind, and the digest of each; run as a script, it prints them."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

import thermoc as tc


def network() -> tc.Network:
    """Noise, weights, and several attributes and names, whose order must not matter."""
    rng = np.random.default_rng(1)
    with tc.Network("same") as net:
        h = tc.thermal_relu(tc.affine(tc.input("x", (4,)), rng.normal(size=(3, 4)), rng.normal(size=3)), 0.1)
        tc.output("p", tc.boltzmann(h, 0.5))
        tc.output("m", tc.memory(h, 0.7, 1.3))
    return net


def spiking() -> tc.Network:
    """What NIR has a form for, and Loihi."""
    with tc.Network("spikes", dt=1e-4) as net:
        x = tc.affine(tc.input("x", (4,)), np.eye(3, 4) * 0.5)
        tc.output("z", tc.lif(x, 2.5e-3, v_threshold=0.1, method="euler")[0])
    return net


def digests(folder: Path) -> dict[str, str]:
    """Write every kind of artefact into a folder; return the SHA-256 of each file, and of the Lava package's files."""
    folder.mkdir(exist_ok=True, parents=True)
    net, units = network(), spiking()
    net.save(folder / "network.thermo")
    units.save(folder / "network.nir")
    tc.compile(net, "sim").save(folder / "program.program")
    tc.compile(net, "chip", chip="thermo-1").save(folder / "chip.chip")
    tc.compile(net, "onnx").save(folder / "onnx.onnx")
    tc.compile(net, "brian2").save(folder / "script.py")
    lava = tc.compile(units, "lava", runtime="reference", input_range=(-1.0, 1.0))
    lava.save(folder / "package.zip")
    lava.save(folder / "package.lava")
    tc.compile(tc.Network.of(lava.graph), "sim").save(folder / "clocked.zip")
    run = tc.compile(net, "sim").run({"x": np.ones((2, 4))}, ticks=12, seed=1)
    tc.certify(run).save(folder / "certificate.json")
    found = {path.name: _digest([path]) for path in folder.iterdir() if path.is_file()}
    return found | {"package.lava": _digest(sorted((folder / "package.lava").rglob("*.*")))}


def _digest(paths: list[Path]) -> str:
    total = hashlib.sha256()
    for path in paths:
        if path.is_file():
            total.update(f"{path.name}\n".encode() + path.read_bytes())
    return total.hexdigest()


if __name__ == "__main__":
    print(json.dumps(digests(Path(sys.argv[1]))))
