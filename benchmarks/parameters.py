"""All weights of the digits network replaced, against compiling it anew; and what it costs a run that they can be."""

from __future__ import annotations

import argparse
import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx_artefact import B1, B2, RNG, T_HIDDEN, T_OUT, W1, W2
from timing import compare, report, show

import thermoc as tc
from thermoc.ir.parameters import frozen

REPLACED_GOAL, RUN_GOAL = 1.0, 1.05
WEIGHTS = {"W1": W1, "b1": B1, "W2": W2, "b2": B2}


def network(weights: dict[str, NDArray]) -> tc.Network:
    """Return the digits network with its weights as parameters."""
    with tc.Network("digits") as net:
        W1, b1, W2, b2 = (tc.parameter(name, array) for name, array in weights.items())
        h = tc.thermal_relu(tc.affine(tc.input("x", (64,)), W1, b1), T=T_HIDDEN)
        tc.output("p", tc.boltzmann(-tc.affine(h, W2, b2), T=T_OUT))
    return net


def goals(replaced: dict[str, Any], runs: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a target: a millisecond to replace on sim, and runs that cost what they do with constants."""
    name = replaced["case"]
    goal = REPLACED_GOAL if name.startswith("sim") else math.nan
    return [
        {
            "work": f"all weights replaced, {name}",
            "anchor": "a millisecond",
            "ratio": replaced["replace us"] / 1e3,
            "goal": goal,
            "better": "lower",
        },
        {
            "work": f"a run with parameters, {name}",
            "anchor": "with constants",
            "ratio": runs["parameters / constants"],
            "goal": RUN_GOAL,
            "better": "lower",
        },
    ]


def main() -> None:
    """Print the time of a replacement (1 ms at most on sim), of compiling, and of runs with parameters or constants."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer calls")
    few = parser.parse_args().quick
    net, other = network(WEIGHTS), {name: array + 0.01 for name, array in WEIGHTS.items()}
    x = {"x": RNG.random((1, 64))}
    replaced, runs = [], []
    for target, options in (("sim", {"precision": "float64"}), ("sim", {"precision": "float32"}), ("onnx", {})):
        exe = tc.compile(net, target, **options)
        constant = tc.compile(frozen(net.graph), target, **options)
        expected = tc.compile(frozen(net.with_parameters(other).graph), target, **options).run(x)["p"]
        found = exe.run(x, parameters=other)["p"]
        assert np.array_equal(found, expected) if target == "sim" else np.abs(found - expected).max() < 1e-6
        name = " ".join([target, *options.values()])
        works: dict[str, Callable[[], object]] = {
            "replace": lambda e=exe: e.with_parameters(other),
            "compile": lambda t=target, o=options: tc.compile(net, t, **o).artefact,
        }
        replaced.append(compare(name, "replace", works, repeat=1 if few else 5))
        works = {"parameters": lambda e=exe: e.run(x), "constants": lambda e=constant: e.run(x)}
        runs.append(compare(name, "parameters", works, repeat=4 if few else 20))
    show("all weights of the digits network replaced", replaced)
    show("a run of it, batch 1", runs)
    report([row for pair in zip(replaced, runs) for row in goals(*pair)])


if __name__ == "__main__":
    main()
