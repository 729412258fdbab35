"""Loihi's integers: steps a second of the simulator against Lava's fixed-point models (goal: 100x).

    python benchmarks/loihi_emulator.py [--quick]      after `thermoc doctor --install lava`, or with THERMOC_LAVA

Two networks of sparse synapses, both driven by the biases of some units, so that Lava has no source to wait for: 1,000
units connected with themselves, and ten layers of 1,000 one behind the other, 50 connections a unit. Both run on one
thread, one sample, as Lava does. Only steps count: no building, no start. Lava records nothing; we hand out one unit.
After the run currents and membranes of every unit are compared, so both did the same. Rounds alternate; each one's best
counts.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from timing import report, show

import thermoc as tc
from thermoc.backends.lava import interpreter

UNITS, FAN = 1000, 50
QUICK = "--quick" in sys.argv
ROUNDS, STEPS = (1, {10: 2000}) if QUICK else (3, {1: 20_000, 10: 10_000})
LAVA_STEPS = {10: 100} if QUICK else {1: 2000, 10: 500}
GOAL = 100
LIF: dict[str, int] = {"du": 2048, "dv": 128, "vth": 512}
LIMIT = 300
"""Seconds that Lava may take for a round."""

SCRIPT = """
import json, sys, time
import numpy as np
from scipy.sparse import csr_matrix
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.lif.process import LIF
from lava.proc.sparse.process import Sparse

given, steps, out = np.load(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
layers, n = int(given["layers"]), given["bias"].shape[1]
lif = json.loads(str(given["lif"]))
units = [LIF(shape=(n,), bias_mant=bias, bias_exp=0, **lif) for bias in given["bias"]]
held = []
for number, target in enumerate(units):
    if layers > 1 and number == 0:
        continue
    source = units[number - 1] if layers > 1 else target
    W = csr_matrix((given[f"values{number}"], given[f"columns{number}"], given[f"offsets{number}"]), shape=(n, n))
    synapses = Sparse(weights=W, weight_exp=0, num_message_bits=0)
    source.s_out.connect(synapses.s_in)
    synapses.a_out.connect(target.a_in)
    held.append(synapses)
cfg = Loihi2SimCfg(select_tag="fixed_pt")
units[-1].run(condition=RunSteps(num_steps=10), run_cfg=cfg)
start = time.perf_counter()
units[-1].run(condition=RunSteps(num_steps=steps), run_cfg=cfg)
taken = time.perf_counter() - start
found = {f"{name}{k}": getattr(unit, name).get() for k, unit in enumerate(units) for name in ("u", "v")}
units[-1].stop()
np.savez(out, taken=taken, **found)
"""


def parts(layers: int) -> tuple[NDArray[np.int64], list[csr_array]]:
    """Return biases (layers, units), a third of the units driven, and the synapses into each layer, balanced."""
    rng = np.random.default_rng(layers)
    bias = np.where(rng.random((layers, UNITS)) < 0.3, rng.integers(1000, 1600, (layers, UNITS)), 0)
    synapses = []
    for _ in range(layers):
        columns = np.concatenate([rng.choice(UNITS, FAN, replace=False) for _ in range(UNITS)])
        weights = 2 * rng.integers(-12, 12, columns.size, endpoint=True)
        synapses.append(csr_array((weights, columns, np.arange(UNITS + 1) * FAN), shape=(UNITS, UNITS)))
    return bias, synapses


def network(bias: NDArray[np.int64], synapses: list[csr_array]) -> tc.Network:
    """Return the network; its output is the membrane of one unit of the last layer."""
    with tc.Network("sparse", dt=1.0) as net:
        hole = tc.placeholder((UNITS,), dtype="i32", role="spike")
        s, v = hole, hole
        for number, (mantissa, W) in enumerate(zip(bias, synapses)):
            silent = len(bias) > 1 and number == 0
            a = tc.constant(np.zeros(UNITS, np.int32)) if silent else tc.loihi.sparse(s, W.data, W.indices, W.indptr)
            s, v, _ = tc.loihi.lif(a, mantissa, **LIF, name=f"layer{number}")
        tc.connect(hole, s)
        tc.output("v", tc.slice(v, starts=(0,), stops=(1,), steps=(1,)))
    return net


def lava(python: Path, file: Path, steps: int) -> dict[str, Any]:
    """Run Lava in its own process; return the seconds and the states it ended with."""
    script, out = file.with_suffix(".py"), file.with_suffix(".out.npz")
    script.write_text(SCRIPT)
    subprocess.run([python, script, file, str(steps), out], check=True, timeout=LIMIT, capture_output=True)
    return dict(np.load(out))


def row(layers: int, python: Path | None, folder: Path) -> dict[str, object]:
    """Return a row: steps a second of both, and how many times ours are Lava's."""
    bias, synapses = parts(layers)
    exe = tc.compile(network(bias, synapses), "sim", threads=1)
    held: dict[str, Any] = {"layers": layers, "bias": bias, "lif": json.dumps(LIF)}
    for number, W in enumerate(synapses):
        held |= {f"values{number}": W.data, f"columns{number}": W.indices, f"offsets{number}": W.indptr}
    file = folder / f"layers{layers}.npz"
    np.savez(file, **held)
    exe.run({}, ticks=2, batch=1)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        exe.run({}, ticks=STEPS[layers], batch=1)
        ours.append(STEPS[layers] / (time.perf_counter() - start))
        if python is not None:
            found = lava(python, file, LAVA_STEPS[layers])
            same(exe, found, layers)
            theirs.append(LAVA_STEPS[layers] / float(found["taken"]))
    rate = firing(bias, synapses, layers)
    case: dict[str, object] = {"units": layers * UNITS, "fire a step": f"{rate:.1%}", "ours, steps/s": max(ours)}
    return case | ({"Lava, steps/s": max(theirs), "ratio": max(ours) / max(theirs)} if theirs else {})


def same(exe: Any, found: dict[str, Any], layers: int) -> None:
    """Stop unless currents and membranes of every unit are equal after the steps that Lava took."""
    states = exe.run({}, ticks=10 + LAVA_STEPS[layers], batch=1).states
    for number in range(layers):
        for name in ("u", "v"):
            mine = states[f"layer{number}.s.{name}"][0]
            if not np.array_equal(mine, found[f"{name}{number}"]):
                sys.exit(f"{name} of layer {number} differs in {int((mine != found[f'{name}{number}']).sum())} units")


def firing(bias: NDArray[np.int64], synapses: list[csr_array], layers: int) -> float:
    """Return the share of units that fire in a step."""
    net = network(bias, synapses)
    values = [op.results[0] for op in net.graph.ops if op.opname == "loihi.lif"]
    from thermoc.ir.feed import feed
    from thermoc.ir.reference import interpret

    trace = interpret(net.graph, feed(net.graph, {}, ticks=300, batch=1), probes=[value.name for value in values])
    return float(np.mean([array[100:].mean() for array in trace.probes.values()]))


def beside_goal(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row for ``report``."""
    work, ratio = f"Loihi emulator, {row['units']:,} units", row.get("ratio", float("nan"))
    note = "" if "ratio" in row else "not installed"
    return {"work": work, "anchor": "Lava", "ratio": ratio, "goal": GOAL, "better": "higher", "note": note}


def main() -> None:
    python = interpreter.find()
    with tempfile.TemporaryDirectory() as folder:
        rows = [row(layers, python, Path(folder)) for layers in STEPS]
    show(f"steps a second, {FAN} connections a unit", rows)
    report([beside_goal(row) for row in rows])


if __name__ == "__main__":
    main()
