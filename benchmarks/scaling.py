"""Cost against size: networks of 10^3 to 10^8 synapses, built from arrays, compiled, and run on one processor.

    python benchmarks/scaling.py [--quick]      --quick: to 10^6 synapses, no figure

Integrating units with up to 100 random synapses each, of which some two in a hundred fire in a tick; float32. Each size
is a process of its own, whose memory is told by Linux: what it has grown by since it had run a network of a few units,
at the most and in the end; foretold is ``exe.memory``. Seconds are of processor time. Exponents are of lines through
the logarithms from 10^5 synapses on, below which what does not grow is most of the cost. The anchor of a tick is
SciPy's product of the same weights and a vector. A product of spikes by events takes the synapses of the units that
fired, one by rows all: both are timed with half of the units firing. ``scaling.png`` is drawn beside this file.
"""

from __future__ import annotations

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from timing import report, show

import thermoc as tc
from thermoc.ir.dialects.core import Constant, SparseAffine

SIZES, QUICK = (10**3, 10**4, 10**5, 10**6, 10**7, 10**8), (10**4, 10**5, 10**6)
FITTED = 10**5
"""Costs are fitted from this size on."""
MIB = 2**20
Row = dict[str, Any]


def connections(synapses: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return random weights, columns and offsets in compressed rows."""
    fan = min(100, round((synapses / 10) ** 0.5))
    n, rng = synapses // fan, np.random.default_rng(0)
    columns = rng.integers(0, n, (n, fan), dtype=np.int32)
    columns.sort(axis=1)
    weights = rng.standard_normal(n * fan, dtype=np.float32)
    weights *= 0.02
    return weights, columns.reshape(-1), np.arange(n + 1) * fan


def network(synapses: int) -> tc.Network:
    """Return integrating units that send to each other with a delay of a tick."""
    W = connections(synapses)
    n = len(W[-1]) - 1
    with tc.Network("scaling") as net:
        before = tc.placeholder((n,), role="spike", dtype="f32")
        drive = tc.trace(tc.sparse_affine(tc.delay(before), *W), 5.0) + 1.05
        # as they would be found at any time, without synapses: 61 ticks lie between two spikes
        first = 1.05 * (1 - np.exp(-61 / 20 * np.random.default_rng(1).random(n)))
        spikes, _ = tc.lif(drive, 20.0, v_threshold=1.0, initial=first)
        tc.connect(before, spikes)
        tc.output("rate", tc.reduce(tc.cast(spikes, dtype="f32", role="signal"), kind="mean", axes=(0,)))
    return net


def measured(synapses: int) -> Row:
    """Return what one size takes; in a process of its own."""
    tc.compile(network(100), "sim", precision="float32").run(ticks=2)
    before = memory("VmRSS")
    net, build = timed(lambda: network(synapses))
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted anew
    exe, seconds = timed(lambda: tc.compile(net, "sim", precision="float32"))
    most = exe.memory(ticks=1).total
    _, emission = timed(lambda: exe.artefact)
    ticks = min(1000, max(5, 10**8 // synapses))
    with exe.start() as session:
        session.run(20)
        rate = float(session.run(ticks)["rate"].mean())
        tick = min(timed(lambda: session.run(ticks))[1] for _ in range(3)) / ticks
        return {
            "synapses": synapses,
            "build s": build,
            "compile s": seconds + emission,
            "peak MiB": (memory("VmHWM") - before) / MIB,
            "foretold peak MiB": most / MIB,
            "held MiB": (memory("VmRSS") - before) / MIB,
            "foretold held MiB": exe.memory(ticks=1).total / MIB,
            "tick s": tick,
            "rate": rate,
            "product s": scipy_product(exe),
        }


def scipy_product(exe: tc.Executable) -> float:
    """Return the seconds of SciPy's product of the synapses of a network with a vector."""
    (op,) = exe.graph.of(SparseAffine)
    constants = {constant.y.name: constant.value.numpy for constant in exe.graph.of(Constant)}
    numbers = tuple(constants[value.name] for value in (op.values, op.columns, op.offsets))
    W = csr_array(numbers, shape=(op.y.size, op.x.size))
    x = np.ones(op.x.size, np.float32)
    return min(timed(lambda: W @ x)[1] for _ in range(3))


def half_active(synapses: int) -> Row:
    """Return the seconds of a product of spikes, of which half are there, by events and by rows."""
    W = connections(synapses)
    n = len(W[-1]) - 1
    x, seconds = {"x": (np.random.default_rng(2).random((1, n)) < 0.5).astype(np.float32)}, {}
    for way, role in (("events", "spike"), ("rows", "signal")):
        with tc.Network(way) as net:
            tc.output("y", tc.sparse_affine(tc.input("x", (n,), role=role, dtype="f32"), *W))
        session = tc.compile(net, "sim", precision="float32").start()
        session.run(2, x)
        seconds[way] = min(timed(lambda session=session: session.run(5, x))[1] for _ in range(3)) / 5
    return {"synapses": synapses, **seconds}


def memory(key: str) -> int:
    """Return bytes of this process: VmRSS now, VmHWM the most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(key))


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return what comes out and the seconds of processor time, which others on the machine disturb less."""
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def exponent(rows: list[Row], key: str) -> float:
    """Return the slope of log cost over log size."""
    fitted = [row for row in rows if row["synapses"] >= FITTED]
    sizes, costs = (np.log([row[name] for row in fitted]) for name in ("synapses", key))
    return float(np.polyfit(sizes, costs, 1)[0])


def draw(rows: list[Row], path: Path) -> None:
    """Draw seconds and bytes over synapses."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    sizes = [row["synapses"] for row in rows]
    for axes, keys in ((left, ("compile s", "tick s", "product s")), (right, ("peak MiB", "held MiB"))):
        for key in keys:
            label = f"{key.split()[0]}, exponent {exponent(rows, key):.2f}"
            axes.loglog(sizes, [row[key] for row in rows], "o-", label=label)
        axes.set_xlabel("synapses")
    right.loglog(sizes, [row["foretold held MiB"] for row in rows], "k--", label="held, foretold")
    left.set_ylabel("seconds")
    right.set_ylabel("MiB")
    for axes in (left, right):
        axes.legend()
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


def ratios(rows: list[Row]) -> list[Row]:
    """Return the rows of the report."""
    last, lower = rows[-1], {"better": "lower"}
    size = f"{last['synapses']:.0e} synapses"
    exponents = [
        {
            "work": f"{what}, exponent up to {size}",
            "anchor": "the size",
            "ratio": exponent(rows, key),
            "goal": 1.1,
            **lower,
        }
        for what, key in (("seconds to compile", "compile s"), ("memory", "held MiB"), ("seconds a tick", "tick s"))
    ]
    off = [last[f"{key} MiB"] / last[f"foretold {key} MiB"] for key in ("peak", "held")]
    foretold = [
        {"work": f"{key} memory, {size}", "anchor": "foretold", "ratio": max(x, 1 / x), "goal": 1.5, **lower}
        for key, x in zip(("most", "held"), off)
    ]
    ratio = last["tick s"] / last["product s"]
    product = {"work": f"a tick, {size}", "anchor": "SciPy's product alone", "ratio": ratio, "goal": 1.0, **lower}
    return [*exponents, *foretold, product]


def main() -> None:
    quick = "--quick" in sys.argv
    rows = [alone("--size", synapses) for synapses in (QUICK if quick else SIZES)]
    show("cost by size, one thread", rows)
    if not quick:
        draw(rows, Path(__file__).with_suffix(".png"))
    half = alone("--half", rows[-1]["synapses"] // (1 if quick else 10))
    show("a product of spikes, half of the units firing, seconds", [half])
    ratio = half["events"] / half["rows"]
    events = {"work": "product of spikes by events, half of the units firing", "anchor": "by rows", "ratio": ratio}
    report([*ratios(rows), {**events, "goal": 1.0, "better": "lower"}])


def alone(way: str, synapses: int) -> Row:
    """Return what a process of its own measures."""
    command = [sys.executable, __file__, way, str(synapses)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


if __name__ == "__main__":
    if sys.argv[1:2] in (["--size"], ["--half"]):
        print(json.dumps((measured if sys.argv[1] == "--size" else half_active)(int(sys.argv[2]))))
    else:
        main()
