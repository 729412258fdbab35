"""Each op in onnx's own evaluator against the reference interpreter of the lowered graph; every file is valid.

onnxruntime is verified by the conformance suite.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import onnx
import pytest
from cases import BATCH, SEED, TICKS, check, inputs, network, variants

import thermoc as tc
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret


class Evaluator:
    """onnx's reference evaluator in the place of an onnxruntime session.

    It joins what a Loop hands out at each tick end to end, where the standard stacks: the ticks are split off again.
    """

    def __init__(self, data: bytes):
        from onnx.reference import ReferenceEvaluator

        self.evaluator = ReferenceEvaluator(onnx.load_from_string(data))

    def get_outputs(self) -> Any:
        return self.evaluator.proto_.graph.output

    def run(self, names: list[str], inputs: dict[str, np.ndarray]) -> Any:
        ranks = {output.name: len(output.type.tensor_type.shape.dim) for output in self.get_outputs()}
        with np.errstate(all="ignore"):
            found = zip(names, self.evaluator.run(names, inputs))
        return [a.reshape(TICKS, -1, *a.shape[1:]) if a.ndim < ranks[name] else a for name, a in found]


REFUSED = ("words shared", "thermo.device, free steps", "thermo.device, midpoint", "loihi.")
"""What the names of cases that ONNX refuses hold: docs/support.md."""
HELD = [v for v in variants() if not any(part in v.values[0] for part in REFUSED)]


@pytest.mark.parametrize(("case", "varying", "precision"), HELD)
def test_op(case: str, varying: str, precision: str, monkeypatch: pytest.MonkeyPatch):
    """Equal for integers and truth values; for floats within 64 roundings of the largest number of the output."""
    net = network(case, varying)
    exe = tc.compile(net, "onnx", precision=precision)
    given = {"inputs": inputs(net), "ticks": TICKS, "batch": BATCH}
    trace = interpret(exe.graph, feed(exe.graph, **given), seed=SEED)
    onnx.checker.check_model(exe.artefact.model, full_check=True)
    runner = importlib.import_module("thermoc.backends.onnx.run")
    monkeypatch.setattr(runner, "_runtime", Evaluator)
    check(exe.run(**given, seed=SEED), trace, precision)
