"""``session.step`` at batch 1 against onnxruntime's own run of the same file (goal: ratio at most 2.5)."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx_artefact import B1, B2, RNG, T_HIDDEN, T_OUT, W1, W2
from timing import compare, report, show

import thermoc as tc
from thermoc.backends.onnx.run import opened

GOAL = 2.5


def digits() -> tc.Network:
    """Layers: the digits network."""
    with tc.Network("digits") as net:
        h = tc.thermal_relu(tc.affine(tc.input("x", (64,)), W1, B1), T=T_HIDDEN)
        tc.output("p", tc.boltzmann(-tc.affine(h, W2, B2), T=T_OUT))
    return net


def controller() -> tc.Network:
    """State and noise: a layer of spiking units, which closes a loop."""
    with tc.Network("controller") as net:
        s, _ = tc.lif_step(tc.affine(tc.input("x", (64,)), W1, B1), 0.9)
        tc.output("a", tc.sample_binary(tc.affine(s, W2, B2), T=T_OUT))
    return net


def works(net: tc.Network) -> Mapping[str, Callable[[], object]]:
    """Return a step by us and the same call by hand, with its states."""
    exe, x = tc.compile(net, target="onnx"), RNG.random((1, 64), np.float32)
    artefact: Any = exe.artefact
    session, file = exe.start(batch=1, seed=7), opened(artefact, step=True)
    names = [port.tensor for port in (*file.interface.outputs,)] + [port.final for port in file.interface.states]
    fixed = {
        tensor: np.asarray(0, np.uint64 if name == "seed" else np.int64)
        for name, tensor in file.interface.controls.items()
    }
    states: dict[str, NDArray] = {}

    def by_hand() -> None:
        results = file.runtime.run(names, {"x": x} | fixed | states)
        states.update(zip([port.tensor for port in file.interface.states], results[len(file.interface.outputs) :]))  # type: ignore[arg-type]

    return {"thermoc": lambda: session.step({"x": x}), "onnxruntime": by_hand}


def main() -> None:
    """Print the ratios at batch 1, on one thread."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer calls")
    repeat = 30 if parser.parse_args().quick else 300
    rows = [compare(net.graph.name, "thermoc", works(net), repeat=repeat) for net in (digits(), controller())]
    show("a step at batch 1", rows)
    report(
        [
            {
                "work": f"a step of the file, {row['case']}",
                "anchor": "onnxruntime by hand",
                "ratio": row["thermoc / onnxruntime"],
                "goal": GOAL,
                "better": "lower",
            }
            for row in rows
        ]
    )


if __name__ == "__main__":
    main()
