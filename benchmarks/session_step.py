"""One tick of a session, as a closed loop takes it, against onnxruntime's own run of the same network."""

from __future__ import annotations

import argparse
import gc
import os
import tempfile
from pathlib import Path

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np
import onnxruntime
from memory import resident
from timing import compare, report, show

import thermoc as tc
from thermoc import demo

STEPS = 100_000
GOAL = 1.5


def onnx_session(net: tc.Network) -> onnxruntime.InferenceSession:
    """Return onnxruntime's session of a network, on one thread: the fastest way for one sample."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "digits.onnx"
        tc.compile(net, "onnx").save(path)
        return onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])


def leaks(session: tc.Session, x: np.ndarray, steps: int) -> dict[str, object]:
    """Return how memory and the number of objects grow over many steps."""
    for _ in range(1000):
        session.step({"pixels": x})
    gc.collect()
    # the list of all objects takes a MiB itself: it is made before memory is looked at
    objects, memory = len(gc.get_objects()), resident()
    for _ in range(steps):
        session.step({"pixels": x})
    gc.collect()
    return {"steps": steps, "MiB more": resident() - memory, "objects more": len(gc.get_objects()) - objects}


def main() -> None:
    """Print the ratios, and what many steps leave behind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the steps")
    steps = STEPS // 10 if parser.parse_args().quick else STEPS
    net, x = demo.network(), demo.digits().test_images[:1]
    rows, goals = [], []
    ort = onnx_session(net)
    for precision in ("float64", "float32"):
        session, mine = tc.compile(net, "sim", precision=precision).start(batch=1), x.astype(precision)
        single = {"pixels": x.astype(np.float32)}
        assert np.abs(session.step({"pixels": mine})["probs"] - ort.run(None, single)[0]).max() < 1e-5
        works = {
            "step": lambda s=session, m=mine: s.step({"pixels": m}),
            "onnxruntime": lambda f=single: ort.run(None, f),
        }
        rows.append(compare(f"digits, {precision}, batch 1", "step", works, repeat=steps // 200))
        work = f"a step of the digits, {precision}, batch 1"
        ratio = rows[-1]["step / onnxruntime"]
        goals.append({"work": work, "anchor": "onnxruntime", "ratio": ratio, "goal": GOAL, "better": "lower"})
    show("one tick of a session", rows)
    show("after many steps", [leaks(tc.compile(net, "sim").start(batch=1), x, steps)])
    report(goals)


if __name__ == "__main__":
    main()
