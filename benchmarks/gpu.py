"""Speeds on a GPU beside their bounds and other codes' published figures, and the bits of the CPU.

    python benchmarks/gpu.py [--quick] [FILE]      default benchmarks/gpu.json; PYTHONPATH=. where nothing is installed

It needs numba-cuda and, for cuBLAS, CuPy or PyTorch. A speed is that of ticks whose outputs nobody asks for, so that
nothing crosses; the first ticks, in which kernels are compiled, are not counted. Bounds are by the bandwidth of a copy
that is measured first. Every network also runs in a small size on both processors, whose states must be the same bits.
What is not begun after ``LIMIT`` seconds is left out, and its row says so.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from gpu_networks import FULL, QUICK, SUBJECTS, TINY, program_of
from timing import report

import thermoc
from thermoc.simulator.cuda.compiler import Kernel
from thermoc.simulator.cuda.device import GpuDevice
from thermoc.simulator.cuda.gpu import device
from thermoc.simulator.cuda.source import MEETING
from thermoc.simulator.session import Session

LIMIT, LONG = 200.0, 0.3
NAN = float("nan")
COPY = Kernel(
    text=f"""{MEETING}

def run(x, y):
    for i in range(cuda.grid(1), x.size, cuda.gridsize(1)):
        y[i] = x[i]
""",
    names={},
    arrays=("float64", "float64"),
    title="a copy on the GPU",
    seconds=1.0,
    modules=(),
)


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A speed's unit, how many updates a second that is, what it is held against (in that unit), and the least ratio.

    anchor: its name; ``against`` is a number, or None where it is a time a tick that has no goal.
    """

    unit: str
    scale: float
    anchor: str
    against: float | None
    least: float


def goals(bytes_a_second: float) -> dict[str, Goal]:
    """Return what each network is held against on this GPU."""
    d, visible, hidden, chains = 1000, 784, 500, 128
    flips = {"unit": "flips/ns", "scale": 1e9}
    units = bytes_a_second / 20.9
    products = cublas(d, 2 * d, 1), 2 * cublas(hidden, visible, chains)
    return {
        "lif": Goal(unit="unit-steps/s", scale=1.0, anchor="bandwidth, 20.9 bytes each", against=units, least=0.6),
        "heat": Goal(
            unit="Gpoint/s", scale=1e9, anchor="bandwidth, 8 bytes each", against=bytes_a_second / 8e9, least=0.6
        ),
        "ou": Goal(unit="ticks/s", scale=1.0, anchor="its product in cuBLAS", against=1 / products[0], least=0.6),
        "rbm": Goal(unit="steps/s", scale=1.0, anchor="its products in cuBLAS", against=1 / products[1], least=0.6),
        "glass": Goal(**flips, anchor="QISG on an A100", against=250.0, least=400 / 250),
        "ising": Goal(**flips, anchor="multi-spin code on an H100", against=900.0, least=1.0),
        "synapses": Goal(unit="synapses/s", scale=1.0, anchor="NEST GPU on an RTX 4090", against=2e9, least=5.0),
        "small_lif": Goal(unit="ticks/s", scale=1.0, anchor="the CPU", against=None, least=NAN),
    }


def cublas(m: int, k: int, n: int) -> float:
    """Return the seconds of a product (m, k) by (k, n) in float32; NaN without CuPy and PyTorch."""
    for library in (cupy_product, torch_product):
        try:
            multiply, wait = library(m, k, n)
        except Exception as reason:  # not installed, or for another CUDA
            print(f"{library.__name__}: {reason}", file=sys.stderr)
            continue
        multiply()
        wait()
        start = time.perf_counter()
        for _ in range(200):
            multiply()
        wait()
        return (time.perf_counter() - start) / 200
    return NAN


def cupy_product(m: int, k: int, n: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a product and what waits for it, in CuPy."""
    cupy = import_module("cupy")
    a, b = cupy.ones((m, k), np.float32), cupy.ones((k, n), np.float32)
    return lambda: a @ b, cupy.cuda.GpuDevice().synchronize


def torch_product(m: int, k: int, n: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return the same in PyTorch, in full float32."""
    torch = import_module("torch")
    a, b = torch.ones((m, k), device="cuda"), torch.ones((k, n), device="cuda")
    return lambda: a @ b, torch.cuda.synchronize


def bandwidth(gpu: GpuDevice, size: int) -> float:
    """Return the bytes a second that a copy reads and writes."""
    elements = (2**28, 2**26, 2**8)[size]
    arrays = [gpu.empty(elements, np.float64) for _ in range(2)]
    gpu.launch(COPY, gpu.resident(COPY), arrays)
    times = []
    for _ in range(10):
        start = time.perf_counter()
        gpu.launch(COPY, gpu.resident(COPY), arrays)
        times.append(time.perf_counter() - start)
    return 16 * elements / min(times)


def ticks_a_second(session: Session) -> float:
    """Return the best of three runs that are long enough to be timed."""
    ticks = 1
    while (seconds := timed(session, ticks)) < LONG:
        ticks = max(2 * ticks, int(ticks * min(LONG / max(seconds, 1e-6), 1000)))
    return ticks / min(seconds, *(timed(session, ticks) for _ in range(2)))


def timed(session: Session, ticks: int) -> float:
    start = time.perf_counter()
    session.run({}, ticks=ticks, names=frozenset())
    return time.perf_counter() - start


def speed(name: str, goal: Goal, size: int) -> dict[str, Any]:
    """Return the row of a network's speed."""
    subject = SUBJECTS[name](size)
    program = program_of(subject)
    rate = ticks_a_second(Session(program, batch=subject.batch, device="cuda")) * subject.updates / goal.scale
    if goal.against is None:
        cpu = ticks_a_second(Session(program, batch=subject.batch)) * subject.updates / goal.scale
        goal = replace(goal, against=cpu)
    assert goal.against is not None
    described = f"{(SUBJECTS[name].__doc__ or '').strip().splitlines()[0].rstrip('.;,')}"
    note = f"{rate:.4g} {goal.unit} beside {goal.against:.4g}"
    return {**row(name, goal), "ratio": rate / goal.against, "note": f"{note}: {described}", "speed": rate}


def same_bits(name: str) -> dict[str, Any]:
    """Return the row of a small network that runs on both processors: 1 where all states are the same bits."""
    subject = SUBJECTS[name](TINY)
    program = program_of(subject)
    ways = []
    for where in ("cpu", "cuda"):
        session = Session(program, batch=subject.batch, seed=5, device=where)
        outputs = [session.run({}, ticks=ticks) for ticks in (3, 4)]
        ways.append([*(array for part in outputs for array in part.values()), *session.states.values()])
    equal = all(np.array_equal(a, b) for a, b in zip(*ways))
    return {
        "work": f"{name}, few units: states and outputs",
        "anchor": "the CPU's bits",
        "ratio": float(equal),
        "goal": 1.0,
        "better": "higher",
    }


def row(name: str, goal: Goal) -> dict[str, Any]:
    """Return a row without a figure."""
    return {"work": name, "anchor": goal.anchor, "ratio": NAN, "goal": goal.least, "better": "higher"}


def attempted(work: Callable[[], dict[str, Any]], otherwise: Mapping[str, Any], begun: float) -> dict[str, Any]:
    """Return the row of a work, or one that says why there is none."""
    if time.perf_counter() - begun > LIMIT:
        return {**otherwise, "note": f"left out: {LIMIT:.0f} s were over"}
    print(f"== {otherwise['work']}", flush=True)
    try:
        return work()
    except Exception as reason:  # one network that fails must not hide the others
        return {**otherwise, "note": f"{type(reason).__name__}: {str(reason).splitlines()[0]}"}


def measured(size: int) -> dict[str, Any]:
    """Return the facts of the GPU and all rows."""
    begun, gpu = time.perf_counter(), device()
    copied = bandwidth(gpu, size)
    held = goals(copied)
    rows = [
        attempted(lambda name=name: same_bits(name), row(f"{name}, few units: states and outputs", held[name]), begun)
        for name in SUBJECTS
    ]
    rows += [
        attempted(lambda name=name: speed(name, held[name], size), row(name, held[name]), begun) for name in SUBJECTS
    ]
    versions = {"thermoc": thermoc.__version__, "Python": platform.python_version(), "NumPy": np.__version__}
    return {
        "GPU": gpu.name,
        "Versions": ", ".join(f"{name} {number}" for name, number in versions.items()),
        "Date": time.strftime("%Y-%m-%d"),
        "Bandwidth of a copy, TB/s": round(copied / 1e12, 3),
        "Seconds": round(time.perf_counter() - begun, 1),
        "rows": rows,
    }


def main(words: list[str]) -> int:
    paths = [Path(word) for word in words if not word.startswith("--")]
    found = measured(TINY if "--tiny" in words else QUICK if "--quick" in words else FULL)
    report(found["rows"])
    # JSON has no NaN
    plain = json.loads(json.dumps(found), parse_constant=lambda _: None)
    path = paths[0] if paths else Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(plain, indent=1) + "\n")
    print(f"wrote {path}")
    return 0 if all(one["ratio"] for one in found["rows"]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
