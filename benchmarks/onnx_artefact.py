"""Our ONNX file of the digits network against one written by hand, both in onnxruntime on one thread.

The two take turns, so that whatever else the machine does falls on both; the ratio is of medians.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import thermoc as tc

T_RELU, T_OUT = 0.05, 0.5
ROUNDS, SECONDS = 41, 0.01
RNG = np.random.default_rng(0)
LAYERS = [(RNG.normal(size=(m, n)) / 8, RNG.normal(size=m) / 8) for m, n in ((64, 64), (10, 64))]


def ours() -> bytes:
    """The network of the main job, by ``tc.compile``."""
    (W1, b1), (W2, b2) = LAYERS
    with tc.Network("digits") as net:
        hidden = tc.thermal_relu(tc.affine(tc.input("pixels", (64,)), W1, b1), T=T_RELU)
        tc.output("probs", tc.boltzmann(-tc.affine(hidden, W2, b2), T=T_OUT))
    return tc.compile(net, "onnx").artefact.to_bytes()


def by_hand() -> bytes:
    """What torch's exporter would write for Linear, Sub, ReLU, Linear, Div, Softmax."""
    arrays = {"W1": LAYERS[0][0], "b1": LAYERS[0][1], "W2": LAYERS[1][0], "b2": LAYERS[1][1], "T1": T_RELU, "T2": T_OUT}
    nodes = [
        helper.make_node("Gemm", ["pixels", "W1", "b1"], ["a"], transB=1),
        helper.make_node("Sub", ["a", "T1"], ["b"]),
        helper.make_node("Relu", ["b"], ["c"]),
        helper.make_node("Gemm", ["c", "W2", "b2"], ["d"], transB=1),
        helper.make_node("Div", ["d", "T2"], ["e"]),
        helper.make_node("Softmax", ["e"], ["probs"], axis=-1),
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["batch", 64])],
        [helper.make_tensor_value_info("probs", TensorProto.FLOAT, ["batch", 10])],
        initializer=[numpy_helper.from_array(np.asarray(a, np.float32), name) for name, a in arrays.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8).SerializeToString()


def runner(data: bytes, images: np.ndarray) -> Callable[[], np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(["probs"], {"pixels": images})[0]


def seconds(run: Callable[[], np.ndarray], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) / calls


def main() -> None:
    print(f"{'batch':>5} {'ours, us':>9} {'by hand, us':>12} {'ratio':>6}")
    for batch in (1, 128):
        images = RNG.random((batch, 64)).astype(np.float32)
        runs = runner(ours(), images), runner(by_hand(), images)
        np.testing.assert_allclose(runs[0](), runs[1](), atol=1e-6)
        calls = max(1, round(SECONDS / seconds(runs[1], 100)))
        times = [[seconds(run, calls) for run in runs] for _ in range(ROUNDS)]
        mine, theirs = (statistics.median(column) for column in zip(*times))
        print(f"{batch:>5} {mine * 1e6:>9.2f} {theirs * 1e6:>12.2f} {mine / theirs:>6.3f}")


if __name__ == "__main__":
    main()
