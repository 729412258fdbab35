"""A layer's products read off crossbars with converters and slices, against the plain product and a tile in NumPy.

256 x 256 weights of 8 bits in pairs of 2-bit cells, arrays of 128 x 128, inputs of 8 bits fed bit by bit, a batch of
64: a reading is a product of its own, 32 times the work of the plain product. CrossSim's method is that of its cores,
written again in NumPy as it is not on PyPI: a matrix product for each array, input bit and slice, whose results are
converted, shifted and added. Both must give the same numbers to the last bit before either is timed. One thread each.
"""

from __future__ import annotations

import os
from typing import Any

os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}

import numpy as np
from timing import compare, report, show

import thermoc as tc
from thermoc.ir.dialects.core import Constant
from thermoc.ir.dialects.crossbar import Mvm
from thermoc.ir.types import DType
from thermoc.passes import stages
from thermoc.passes.crossbar.map_crossbars import MapCrossbars
from thermoc.passes.crossbar.spec import CrossbarSpec
from thermoc.passes.pipeline import run_passes

SIZE, BATCH, BITS = 256, 64, 8
SPECS: dict[str, dict[str, Any]] = {
    "8-bit ADC": {"adc_bits": 8},
    "exact ADC": {},
    "8-bit ADC, whole inputs": {"adc_bits": 8, "dac_bits": BITS},
    "8-bit ADC, wires of 1 ohm": {"adc_bits": 8, "r_word": 1.0, "r_bit": 1.0},
    "8-bit ADC, read noise": {"adc_bits": 8, "read_noise": 0.01},
}
GOALS = {"8-bit ADC": 4.0, "8-bit ADC, read noise": 12.0}
"""Times of the product without crossbars, at most."""


def layer(W: np.ndarray) -> tc.Network:
    """Return a network of one affine map."""
    with tc.Network("layer") as net:
        tc.output("y", tc.affine(tc.input("x", (SIZE,)), W))
    return net


def mapped(net: tc.Network, **attrs: Any) -> tc.Network:
    """Return the network with its product on crossbars."""
    given = {"cell_bits": 2, "weight_bits": BITS, "input_bits": BITS, "dac_bits": 1, "g_min": 1e-6, "g_max": 1e-4}
    step = MapCrossbars(spec=CrossbarSpec(**given | attrs), input_range=(-1.0, 1.0))
    return tc.Network.of(run_passes(net.graph, [*stages.discrete(dt=1.0, dtype=DType.f64), step]).graph)


class CrossSim:
    """A tile's product in NumPy: arrays, input bits and slices in turn."""

    def __init__(self, graph: Any):
        (self.op,) = graph.of(Mvm)
        held = {op.y.name: op.value.numpy for op in graph.of(Constant)}
        self.scale = held[self.op.scale.name]
        self.weights = held[self.op.plus.name] - held[self.op.minus.name]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the products of inputs x (batch, inputs)."""
        op, total = self.op, np.zeros((len(x), self.weights.shape[2]))
        q = np.clip(np.floor(x * (op.steps / op.x_max) + 0.5), -op.steps, op.steps)
        size, sign = np.abs(q).astype(np.int64), np.sign(q)
        for first in range(0, x.shape[1], op.rows):
            part = slice(first, first + op.rows)
            for k in range(op.readings):
                digits = sign[:, part] * (size[:, part] >> (k * op.dac_bits) & (2**op.dac_bits - 1))
                for p, cells in enumerate(self.weights[:, part]):
                    total += 2.0 ** (op.dac_bits * k + op.cell_bits * p) * self.converted(digits @ cells)
        return total * self.scale

    def converted(self, u: np.ndarray) -> np.ndarray:
        """Return currents as the ADC tells them."""
        op = self.op
        if op.adc_bits == 0:
            return u
        codes = np.floor(u * (op.codes / op.adc_range) + 0.5)
        return np.clip(codes, -op.codes, op.codes) * (op.adc_range / op.codes)


def case(name: str, net: tc.Network, W: np.ndarray, x: np.ndarray, **attrs: Any) -> dict[str, object]:
    """Time one set of converters; CrossSim's method where cells hold whole levels without noise."""
    plain = tc.compile(net, target="sim", precision="float64")
    tiles = mapped(net, **attrs)
    ours = tc.compile(tiles, target="sim", precision="float64")
    works = {"ours": lambda: ours.run({"x": x[np.newaxis]}), "NumPy": lambda: x @ W.T}
    works["no crossbar"] = lambda: plain.run({"x": x[np.newaxis]})
    if not {"r_word", "read_noise"} & attrs.keys():
        theirs = CrossSim(tiles.graph)
        assert np.array_equal(ours.run({"x": x[np.newaxis]})["y"][0], theirs(x)), name
        works["CrossSim's method"] = lambda: theirs(x)
    return compare(name, "ours", works)


def main() -> None:
    """Print the time of a batch for each set of converters, and of the same layer without crossbars."""
    rng = np.random.default_rng(0)
    W, x = rng.normal(size=(SIZE, SIZE)) / 16, rng.uniform(-1, 1, (BATCH, SIZE))
    rows = [case(name, layer(W), W, x, **attrs) for name, attrs in SPECS.items()]
    rows = [{name: row.get(name, "") for name in rows[0]} for row in rows]
    show(f"{BATCH} products with {SIZE} x {SIZE} weights of {BITS} bits, inputs of {BITS} bits, one thread", rows)
    report(
        [
            {
                "work": f"crossbar product {SIZE}^2, {row['case']}",
                "anchor": "dense float product of the same kernel",
                "ratio": row["ours / no crossbar"],
                "goal": GOALS.get(str(row["case"]), float("nan")),
                "better": "lower",
            }
            for row in rows
        ]
    )


if __name__ == "__main__":
    main()
