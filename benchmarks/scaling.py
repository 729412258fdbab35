"""Cost against size: networks of 10^3 to 10^8 synapses, built from arrays, compiled, and run on one processor.

    python benchmarks/scaling.py [--quick]      --quick: to 10^6 synapses, no figure

Integrating units with up to 100 random synapses each, of which some two in a hundred fire in a tick; float32. Each size
is a process of its own, whose memory is told by Linux: what it has grown by since it had run a network of a few units,
at the most and in the end. Foretold is ``exe.memory``. Exponents are of lines through the logarithms from 10^5 synapses
on, below which what does not grow is most of the cost. The anchor of a tick is SciPy's product of the same weights, a
million units' spikes at a time as numbers. ``scaling.png`` is drawn beside this file.
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

SIZES, QUICK = (10**3, 10**4, 10**5, 10**6, 10**7, 10**8), (10**4, 10**5, 10**6)
FITTED = 10**5
"""Costs are fitted from this size on."""
MIB = 2**20
Row = dict[str, Any]


def network(synapses: int) -> tc.Network:
    """Return integrating units that send to each other with a delay of a tick."""
    fan = min(100, round((synapses / 10) ** 0.5))
    n, rng = synapses // fan, np.random.default_rng(0)
    columns = rng.integers(0, n, (n, fan), dtype=np.int32)
    columns.sort(axis=1)
    weights = rng.standard_normal(n * fan, dtype=np.float32)
    weights *= 0.02
    with tc.Network("scaling") as net:
        before = tc.placeholder((n,), role="spike", dtype="f32")
        arriving = tc.sparse_affine(tc.delay(before), weights, columns.reshape(-1), np.arange(n + 1) * fan)
        drive = tc.trace(arriving, 5.0) + 1.05
        spikes, _ = tc.lif(drive, 20.0, v_threshold=1.0, initial=rng.random(n, np.float32))
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
    (op,) = exe.graph.of(tc.ir.dialects.core.SparseAffine)
    numbers = [exe.graph.producers[value.name].value.numpy for value in (op.values, op.columns, op.offsets)]
    W = csr_array(tuple(numbers), shape=(op.y.size, op.x.size))
    x = np.ones(op.x.size, np.float32)
    return min(timed(lambda: W @ x)[1] for _ in range(3))


def memory(key: str) -> int:
    """Return bytes of this process: VmRSS now, VmHWM the most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(key))


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def exponent(rows: list[Row], key: str) -> float:
    """Return the slope of log cost over log size."""
    fitted = [row for row in rows if row["synapses"] >= FITTED]
    return float(np.polyfit(*(np.log([row[name] for row in fitted]) for name in ("synapses", key)), 1)[0])


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
    quick, rows = "--quick" in sys.argv, []
    for synapses in QUICK if quick else SIZES:
        command = [sys.executable, __file__, "--size", str(synapses)]
        rows.append(json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout))
    show("cost by size, one thread", rows)
    if not quick:
        draw(rows, Path(__file__).with_suffix(".png"))
    report(ratios(rows))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--size"]:
        print(json.dumps(measured(int(sys.argv[2]))))
    else:
        main()
