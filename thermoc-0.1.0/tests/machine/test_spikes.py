"""A spiking network on Loihi's numbers: SANA-FE's DVS example, run by us, counted and paid for."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

import thermoc as tc
from thermoc.simulator.chips import load_chip
from thermoc.simulator.machine.spikes import Placed, spiking_costs

STEPS = 100
LAYERS = ((1, 32, 32), (16, 15, 15), (32, 13, 13), (64, 11, 11), (11, 9, 9), (11,))
THRESHOLDS = (255.0, 420.0, 351.0, 276.0, 371.0, 341.0)
LEAK = 0.99975585937


class Example:
    """What SANA-FE's snn/dvs.yaml holds: weights, biases and the core of each unit."""

    def __init__(self, path: Path):
        text = path.read_text()
        weights = [np.array(re.findall(r"-?\d+", part), float) for part in re.findall(r"weight: \[([^\]]*)\]", text)]
        shapes = [(3, 3, a[0], b[0]) for a, b in pairwise(LAYERS[:-1])]
        self.filters = [w.reshape(shape).transpose(3, 2, 0, 1) for w, shape in zip(weights, shapes)]
        self.dense = weights[-1].reshape(891, 11).T
        self.bias = np.zeros(1024)
        for unit, bias in re.findall(r"\{(\d+): \{bias: (\d+)\}\}", text):
            self.bias[int(unit)] = float(bias)
        sizes = [int(np.prod(shape)) for shape in LAYERS]
        self.starts = np.concatenate([[0], np.cumsum(sizes)])
        core = np.zeros(self.starts[-1], int)
        for layer, unit, tile, part in re.findall(r"'(\d)\.(\d+)': \{core: '(\d+)\.(\d)'\}", text):
            core[self.starts[int(layer)] + int(unit)] = 4 * int(tile) + int(part)
        self.core = core

    def network(self) -> tc.Network:
        """Step by step: leak, cut to 1/64, bias and what came, fire above the threshold, reset to nought."""
        with tc.Network("dvs") as net:
            before: tc.ir.builder.Handle | None = None
            for layer, shape in enumerate(LAYERS):
                hole = tc.placeholder(shape)
                v = tc.delay(hole, 0.0)
                leaked = v * (64 * LEAK)
                cut = tc.sign(leaked) * tc.floor(tc.abs(leaked)) * (1 / 64)
                if before is None:
                    v_next = cut + self.bias.reshape(shape)
                elif layer < 5:
                    v_next = cut + tc.conv(before, self.filters[layer - 1], stride=2 if layer == 1 else 1)
                else:
                    v_next = cut + tc.affine(tc.flatten(before), self.dense)
                fires = tc.greater(v_next, THRESHOLDS[layer])
                tc.connect(hole, tc.select(fires, np.zeros(shape), v_next))
                s = tc.cast(fires, dtype="f64")
                before = tc.delay(s, 0.0)
                tc.output(f"s{layer}", s)
                tc.output(f"v{layer}", v)
        return net

    def placed(self) -> Placed:
        n, conv = self.starts[-1], []
        for layer, weight in enumerate(self.filters):
            (_, high, wide), (out, h, w) = LAYERS[layer], LAYERS[layer + 1]
            step = 2 if layer == 0 else 1
            o, y, x, c, i, j = np.indices((out, h, w, weight.shape[1], 3, 3)).reshape(6, -1)
            conv.append(
                (
                    self.starts[layer + 1] + (o * h + y) * w + x,
                    self.starts[layer] + (c * high + step * y + i) * wide + step * x + j,
                )
            )
        row, column = np.concatenate(conv, axis=1)
        o, i = np.indices((11, 891)).reshape(2, -1)
        ends = self.starts[5] + o, self.starts[4] + i
        return Placed(
            core=self.core,
            synapses={
                "conv": sparse.csc_array((np.ones(len(row)), (row, column)), (n, n)),
                "dense": sparse.csc_array((np.ones(len(o)), ends), (n, n)),
            },
        )


@pytest.fixture(scope="module")
def costs(shared: Path):
    example = Example(shared / "sanafe" / "snn" / "dvs.yaml")
    run = tc.compile(example.network(), "sim").run(ticks=STEPS)
    whole = {name: np.concatenate([run[f"{name}{k}"].reshape(STEPS, -1) for k in range(6)], axis=1) for name in "sv"}
    bias = np.concatenate([example.bias, np.zeros(example.starts[-1] - 1024)])
    return spiking_costs(example.placed(), load_chip("loihi"), spikes=whole["s"], potential=whole["v"], bias=bias)


def test_events_are_those_that_sanafe_counts(costs):
    assert (costs.updates, costs.firings, costs.packets, costs.synaptic_events) == (913_154, 29_181, 295_322, 4_158_831)


@pytest.mark.parametrize(
    ("component", "joules"), [("synapse", 1.0036854e-4), ("soma", 1.17377730e-4), ("network", 3.5442585e-5)]
)
def test_energy_is_what_sanafe_finds(costs, component: str, joules: float):
    assert costs.joules[component] == pytest.approx(joules, rel=1e-6)  # the goal is 1%


def test_energy_lies_on_the_cores(costs):
    assert costs.core_joules.sum() == pytest.approx(sum(costs.joules.values()), rel=1e-12)


def test_a_step_is_no_longer_than_with_a_network_simulated(costs):
    """SANA-FE, which lets packets wait for links, needs 1.5885 ms for the 100 steps."""
    assert 0.5 < costs.step_seconds.sum() / 1.5885e-3 <= 1


def test_too_many_units_on_a_core_are_refused():
    one = Placed(core=np.zeros(1025, int), synapses={})
    with pytest.raises(tc.ThermocError) as caught:
        spiking_costs(
            one, load_chip("loihi"), spikes=np.zeros((1, 1025)), potential=np.zeros((1, 1025)), bias=np.zeros(1025)
        )
    assert caught.value.code == "T306" and "1025 units" in str(caught.value)


def test_hops_are_paid_along_x_and_y():
    """Tile 0 is at (0, 0), tile 6 at (1, 2): one hop of 3.0 pJ, two of 4.2 pJ, and 111 pJ to send."""
    two = Placed(core=np.array([0, 24]), synapses={"sparse": sparse.csc_array(([1.0], ([1], [0])), (2, 2))})
    spikes = np.array([[1, 0], [0, 0]])
    found = spiking_costs(two, load_chip("loihi"), spikes=spikes, potential=np.zeros((2, 2)), bias=np.zeros(2))
    assert found.joules["network"] == pytest.approx((3.0 + 2 * 4.2 + 111) * 1e-12)
    assert found.joules["synapse"] == pytest.approx(33.6e-12)
    assert found.joules["soma"] == pytest.approx((4 * 51.2 + 2 * 21.6 + 69.3) * 1e-12)  # one fires, one is reached
    assert found.updates == 2
