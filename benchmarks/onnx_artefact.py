"""Our ONNX file against hand-built ONNX of the same layers, both in onnxruntime (goal: ratio at most 1.05).

    python benchmarks/onnx_artefact.py [--quick]

The hand-built one is what torch.onnx writes for Linear, a thresholded ReLU, Linear, Softmax(x / T):
Gemm, Sub, Relu, Gemm, Div, Softmax.
"""

from __future__ import annotations

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from timing import compare, report, show

import thermoc as tc

RNG = np.random.default_rng(0)
W1, B1 = RNG.normal(size=(64, 64)), RNG.normal(size=64)
W2, B2 = RNG.normal(size=(10, 64)), RNG.normal(size=10)
T_HIDDEN, T_OUT = 0.05, 0.5


def ours() -> bytes:
    """Return the digits network's file."""
    with tc.Network("digits") as net:
        h = tc.thermal_relu(tc.affine(tc.input("x", (64,)), W1, B1), T=T_HIDDEN)
        tc.output("p", tc.boltzmann(-tc.affine(h, W2, B2), T=T_OUT))
    return tc.compile(net, target="onnx").artefact.to_bytes()


def by_hand() -> bytes:
    """Return the same layers, node by node."""
    arrays = {"W1": W1, "b1": B1, "W2": W2, "b2": B2, "T1": np.array(T_HIDDEN), "T2": np.array(T_OUT)}
    nodes = [
        helper.make_node("Gemm", ["x", "W1", "b1"], ["z"], transB=1),
        helper.make_node("Sub", ["z", "T1"], ["s"]),
        helper.make_node("Relu", ["s"], ["h"]),
        helper.make_node("Gemm", ["h", "W2", "b2"], ["e"], transB=1),
        helper.make_node("Div", ["e", "T2"], ["l"]),
        helper.make_node("Softmax", ["l"], ["p"], axis=-1),
    ]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["batch", k]) for n, k in (("x", 64), ("p", 10))]
    held = [numpy_helper.from_array(a.astype(np.float32), n) for n, a in arrays.items()]
    graph = helper.make_graph(nodes, "hand", ends[:1], ends[1:], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    return model.SerializeToString()


def main() -> None:
    """Print the ratios at batch 1 and 128, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    sessions = {
        name: onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        for name, data in (("thermoc", ours()), ("by hand", by_hand()))
    }
    rows = []
    for batch in (1, 128):
        x = {"x": RNG.random((batch, 64), np.float32)}
        results = [np.asarray(session.run(None, x)[0]) for session in sessions.values()]
        assert np.abs(results[0] - results[1]).max() < 1e-5
        works = {name: (lambda s=session, x=x: s.run(None, x)) for name, session in sessions.items()}
        rows.append(compare(f"batch {batch}", "thermoc", works, repeat=200))
    show("digits in onnxruntime, one thread", rows)
    ratios = {row["case"]: row["thermoc / by hand"] for row in rows}
    same = {"anchor": "ONNX written by hand", "goal": 1.05, "better": "lower"}
    report([{"work": f"digits in onnxruntime, {case}", "ratio": ratio, **same} for case, ratio in ratios.items()])


if __name__ == "__main__":
    main()
