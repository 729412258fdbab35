"""What a user of the package in ``package`` can do: run by test_package.py where it is installed; prints JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import thermoc as tc
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret
from thermoc.passes.registry import pass_class
from thermoc.simulator import devices

X = np.random.default_rng(0).normal(size=(3, 5)) * 2
T = 0.3
EXACT = np.logaddexp(0.0, X / T) * T


def network(temperature: float = T) -> tc.Network:
    with tc.Network("two") as net:
        tc.output("y", tc.free_energy(tc.input("x", (5,)), temperature))
    return net


def op() -> dict[str, Any]:
    net = network()
    reference = interpret(net.graph, feed(net.graph, {"x": X})).outputs["y"][0]
    runs = {
        "cpu": tc.compile(net, "sim").run({"x": X})["y"][0],
        "cuda": tc.compile(net, "sim", device="cuda").run({"x": X})["y"][0],
        "onnx": tc.compile(net, "onnx", precision="float64").run({"x": X})["y"][0],
        "text": tc.compile(net, "twolevel-text").run({"x": X})["y"][0],
    }
    opcodes = tc.compile(net, "sim").artefact.program.code[:, 0].tolist()
    net.save("two.thermo")
    return {
        "off": {name: float(np.abs(run - reference).max()) for name, run in runs.items()},
        "exact": float(np.abs(reference - EXACT).max()),
        "same on a GPU": bool(np.array_equal(runs["cpu"], runs["cuda"])),
        "own instruction": 10_001 in opcodes,
        "saved": tc.load("two.thermo").graph == net.graph,
        "verified": tc.verify(net, ["sim", "onnx"], seed=1).ok,
    }


def gradient() -> float:
    import torch

    module = tc.learning.to_torch(network())
    x = torch.zeros((1, 5), dtype=torch.float64, requires_grad=True)
    module({"x": x})["y"].sum().backward()
    assert x.grad is not None
    return float(x.grad.abs().mean())  # of T ln(1 + e^(x / T)) at 0: 1/2


def others() -> dict[str, Any]:
    harden = pass_class("harden-units")
    hard = tc.compile(network(0.01), "sim", passes="harden-units,legalize")
    chip = tc.compile(network(), "chip", chip="twolevel-4").run({"x": X})
    ptc = devices.load("ptc")
    steady = devices.simulate(ptc, 1.0, np.linspace(0, 5e-6, 3))
    Path("a.levels").write_text("0.5\n-1\n")
    read = tc.load("a.levels", T=0.5)
    read.save("b.levels")
    Path("b.levels").rename("c.txt")
    again = tc.load("c.txt", format="drives", T=0.5)
    return {
        "pass": harden.name,
        "hardened": [op.opname for op in hard.graph.ops],
        "bound": [change.bound for record in hard.records for change in record.changes],
        "chip": [chip.chip.chip, chip.chip.joules > 0],
        "device": float(steady.T[-1].ravel()[0]),
        "written": again.graph == read.graph,
        "read": tc.compile(read, "sim").run({"x": [[0.0, 0.0]]})["y"].ravel().tolist(),
    }


if __name__ == "__main__":
    json.dump({"op": op(), "gradient": gradient(), **others()}, sys.stdout)
