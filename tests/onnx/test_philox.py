"""The generator inside the file: its words to the bit, its numbers to rounding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx.reference import ReferenceEvaluator

from thermoc.backends.onnx import philox
from thermoc.backends.onnx.artefact import OnnxContent, model
from thermoc.backends.onnx.writer import NamedTensor, NodeWriter
from thermoc.ir.graph import NameSource
from thermoc.support import philox as reference

U64 = np.dtype(np.uint64)


def generator(*, draw: int, stream: int, numbers: bool = False) -> bytes:
    """Return a file from (element, tick, seed) to the four words, and to uniforms and normals of both formats."""
    names = NameSource()
    element, tick, seed = (names(name) for name in ("element", "tick", "seed"))
    w = NodeWriter(names)
    words = philox.words(w, element=element, tick=tick, draw=draw, stream=stream, seed=seed)
    made = {f"w{i}": (U64, word) for i, word in enumerate(words)}
    for dtype in (np.dtype(np.float32), np.dtype(np.float64)) if numbers else ():
        made[f"uniform {dtype}"] = dtype, philox.uniform(w, words[0], words[1], dtype)
        made[f"normal {dtype}"] = dtype, philox.normal(w, words, dtype)
    w.finish({name: tensor for name, (_, tensor) in made.items()})
    inputs = tuple(NamedTensor(name=n, dtype=U64, dims=d) for n, d in ((element, ("n",)), (tick, ()), (seed, ())))
    outputs = tuple(NamedTensor(name=name, dtype=dtype, dims=("n",)) for name, (dtype, _) in made.items())
    content = OnnxContent(name="philox", inputs=inputs, outputs=outputs, nodes=tuple(w.nodes), constants=w.constants)
    return model(content, version="", doc="", metadata={}).SerializeToString()


@pytest.fixture(params=["onnxruntime", "evaluator"])
def run(request: pytest.FixtureRequest):
    def call(data: bytes, **given: object) -> dict[str, np.ndarray]:
        arrays = {name: np.asarray(value, U64) for name, value in given.items()}
        proto = onnx.load_from_string(data)
        onnx.checker.check_model(proto, full_check=True)
        engine = onnxruntime.InferenceSession(data) if request.param == "onnxruntime" else ReferenceEvaluator(proto)
        return dict(zip((output.name for output in proto.graph.output), engine.run(None, arrays)))

    return call


def test_published_vectors(shared: Path, run):
    rows = [line.split() for line in (shared / "random123/tests/kat_vectors").read_text().splitlines()]
    rows = [[int(field, 16) for field in row[2:]] for row in rows if row[:2] == ["philox4x32", "10"]]
    assert len(rows) == 3
    for element, tick, draw, stream, low, high, *expected in rows:
        found = run(generator(draw=draw, stream=stream), element=[element], tick=tick, seed=high << 32 | low)
        assert [int(found[f"w{i}"][0]) for i in range(4)] == expected


def test_words_are_the_reference_s_to_the_bit_and_numbers_to_rounding(run):
    element = np.arange(4096, dtype=np.uint64) * np.uint64(1_000_003)
    place = {"tick": 2**31 + 5, "seed": 2**63 + 11}
    found = run(generator(draw=3, stream=2**20, numbers=True), element=element, **place)
    words = reference.words(element, draw=3, stream=2**20, **place)
    for number, word in enumerate(words):
        np.testing.assert_array_equal(found[f"w{number}"], word)
    for dtype in (np.dtype(np.float32), np.dtype(np.float64)):
        np.testing.assert_array_equal(found[f"uniform {dtype}"], reference.uniform(words[0], words[1], dtype))
        normal = reference.normal(words, dtype)
        np.testing.assert_allclose(found[f"normal {dtype}"], normal, rtol=0, atol=16 * np.finfo(dtype).eps)
