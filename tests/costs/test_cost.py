"""What a network would cost: each number is the chip run's, or the event account's."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc import demo
from thermoc.cli.cost import EVERY
from thermoc.costs.comparison import ON
from thermoc.costs.host import measured
from thermoc.costs.spiking_layout import spiking_layout
from thermoc.ir.dialects import loihi
from thermoc.simulator.chips import load_chip

SAMPLES = 4
PJ = 1e-12


@pytest.fixture(scope="module")
def digits() -> Any:
    """The demo's network, some digits it never saw, and what its converters are calibrated by."""
    data = demo.digits()
    given = {"inputs": {"pixels": data.test_images[:SAMPLES]}, "labels": data.test_labels[:SAMPLES]}
    return demo.network(), given | {"calibrate": {"pixels": data.train_images[:200]}}


@pytest.mark.slow
@pytest.mark.parametrize("chip", ["thermo-1", "isaac", "puma"])
def test_each_number_is_the_chip_runs(digits: Any, chip: str):
    net, given = digits
    options = {"cells": "chip", "adc": "reached", "calibrate": given["calibrate"], "temperature": "die"}
    run = tc.compile(net, "chip", chip=chip, **options).run(given["inputs"])
    row = tc.cost(net, [chip], **given)[chip]
    assert (row.joules, row.seconds, row.kelvin) == (run.chip.joules_a_sample, run.chip.latency, run.chip.peak_kelvin)
    assert math.fsum(part.joules for part in row.parts) == pytest.approx(row.joules, rel=1e-12)
    exact = tc.compile(net, "sim").run(given["inputs"])["probs"]
    assert row.error == pytest.approx(np.sqrt(np.mean((run["probs"] - exact) ** 2)), rel=1e-12)
    assert row.wrong == np.mean(run["probs"][0].argmax(axis=1) != given["labels"])
    assert ("unpublished" in row.idle) == (chip == "isaac")  # which states peak power alone
    assert row.marks["joules"] == {"thermo-1": "O", "isaac": "R", "puma": "O"}[chip]  # as the least sure behind it


def test_loihis_joules_are_the_events_by_hand(digits: Any):
    """One core, so no hops: 35.5 pJ a synapse of each message that is not 0, 111 pJ to send one to a core that reads.

    A unit is accessed in every of the 3 steps (51.2 pJ), updated where it has a bias or is reached (21.6 pJ), and pays
    69.3 pJ where it sends. The last layer's units are read by the host, to whom no packet is counted.
    """
    net, given = digits
    row = tc.cost(net, "loihi", **given)["loihi"]
    graph = tc.compile(net, "lava", calibrate=given["calibrate"]).graph
    encode, *_ = graph.of(loihi.LoihiEncode)
    first, second = graph.of(loihi.LoihiDense)
    relu, relay = graph.of(loihi.LoihiGraded)
    number = {op.y.name: op.value.numpy.astype(np.int64) for op in graph.ops if hasattr(op, "value")}
    x = np.rint(given["inputs"]["pixels"] * encode.scale).astype(np.int64)
    total = 0.0
    for sample in x:
        sent = [sample, 0 * sample, 0 * sample]
        # what a synapse receives in a step it gives in the next
        drive = [np.zeros(128, np.int64), *((number[first.weight.name] @ s) >> -first.weight_exp for s in sent[:2])]
        hidden = [np.maximum((d + number[relu.bias.name]) >> relu.shift, 0) for d in drive]
        arrived = [
            np.zeros(10, np.int64),
            *((number[second.weight.name] @ h) >> -second.weight_exp for h in hidden[:2]),
        ]
        out = [d + number[relay.bias.name] for d in arrived]
        sends = sum(map(np.count_nonzero, hidden))
        total += 35.5 * (128 * np.count_nonzero(sample) + 10 * sends) + 111 * sends
        total += 3 * 138 * (51.2 + 21.6) + 69.3 * (sends + sum(map(np.count_nonzero, out)))  # all have a bias
    assert row.joules == pytest.approx(total * PJ / SAMPLES, rel=1e-9)
    assert row.joules == pytest.approx(sum(row.run.joules.values()), rel=1e-12)
    assert row.seconds == pytest.approx(np.mean([one.step_seconds.sum() for one in row.run.samples]))
    assert row.kelvin is None and row.marks["joules"] == "S" and "unpublished" in row.idle


@pytest.mark.parametrize(
    "settings",
    [{}, {"stride": 2, "padding": 1}, {"dilation": 2, "padding": ((1, 0), (2, 1))}, {"groups": 2, "padding": 1}],
)
def test_a_convolutions_synapses_are_those_that_carry(settings: dict[str, Any]):
    """A message from each pixel alone reaches as many units as it has synapses to."""
    weight = np.full((4, 4 // settings.get("groups", 1), 3, 2), 2)
    with tc.Network("conv") as net:
        x = tc.input("x", (4, 6, 5), dtype="i32")
        tc.output("s", tc.loihi.graded(tc.loihi.conv(x, weight, **settings)))
    layout = spiking_layout(net.graph, load_chip("loihi"))
    matrix = layout.placed.synapses["conv"].toarray()
    units = len(matrix) - 120
    run = tc.compile(net, "sim").run(
        {"x": np.broadcast_to(np.eye(120, dtype=np.int32), (2, 120, 120)).reshape(2, 120, 4, 6, 5)}
    )
    np.testing.assert_array_equal(matrix[:units, units:] != 0, run["s"][1].reshape(120, -1).T != 0)
    assert (layout.placed.core[units:] == -1).all() and (layout.placed.core[:units] >= 0).all()


def test_recurrent_and_joined_units_find_their_senders():
    """A delayed, joined and sliced message comes from the units it was sent by."""
    with tc.Network("loop") as net:
        x = tc.input("x", (3,), dtype="i32")
        back = tc.placeholder((2,), dtype="i32")
        both = tc.concat([x, back], axis=0)
        s, _, _ = tc.loihi.lif(tc.loihi.dense(both[1:], np.arange(2, 18, 2).reshape(2, 4)), vth=1)
        tc.connect(back, s)
        tc.output("s", s)
    layout = spiking_layout(net.graph, load_chip("loihi"))
    matrix = layout.placed.synapses["dense"].toarray()
    np.testing.assert_array_equal(matrix[:2], [[1, 1, 0, 1, 1], [1, 1, 0, 1, 1]])
    assert not matrix[2:].any()


def sampler(units: int) -> tc.Network:
    with tc.Network("sampler") as net:
        tc.output("s", tc.sample_binary(tc.constant(np.linspace(-1, 1, units)), T=1.0))
    return net


@pytest.mark.slow
def test_a_machine_that_cannot_hold_it_is_named_with_its_reason():
    costs = tc.cost(sampler(8), "isaac,thermo-1", ticks=2)
    assert costs["isaac"].joules is None and costs["isaac"].reason.endswith("(T305)")
    assert costs["thermo-1"].joules > 0 and not costs["thermo-1"].reason
    assert "not on isaac: " in str(costs)
    crowd = tc.cost(sampler(64 * 4 * 256 + 1), "thermo-1")["thermo-1"]
    assert crowd.reason.endswith("(T306)")


@pytest.mark.slow
def test_an_effective_sample_costs_what_its_share_of_the_run_does():
    rng = np.random.default_rng(0)
    J = np.triu(rng.normal(size=(6, 6)), 1)
    with tc.Network("chain") as net:
        tc.output("s", tc.gibbs(2.0, J + J.T))
    row = tc.cost(net, "thermo-1", ticks=100, batch=2, seed=3)["thermo-1"]
    run = tc.compile(net, "chip", chip="thermo-1", temperature="die").run(ticks=100, batch=2, seed=3)
    least = min(chain.ess for chain in run.diagnostics.values())
    assert row.joules_effective == pytest.approx(2 * run.chip.joules_a_sample / least, rel=1e-12)
    assert row.seconds_effective == pytest.approx(2 * run.chip.latency / least, rel=1e-12)


def test_a_counter_of_energy_that_starts_again_is_read_right(tmp_path: Path):
    counter = tmp_path / "intel-rapl:0"
    counter.mkdir()
    (counter / "max_energy_range_uj").write_text("1000000\n")
    (counter / "energy_uj").write_text("900000\n")

    runs = []

    def run() -> Any:
        runs.append(sum(range(10**6)))
        (counter / "energy_uj").write_text("100000\n")

    joules, seconds = measured(run, tmp_path)
    assert joules == pytest.approx(0.2 / len(runs)) and seconds > 0
    assert measured(lambda: sum(range(10**6)), tmp_path / "none")[0] is None  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("on", "options", "code"),
    [
        ("thermo1", {}, "T305"),
        ("", {}, "T305"),
        ("chip", {}, "T305"),
        ("thermo-1", {"puma": {}}, "T303"),
        ("thermo-1", {"thermo-1": {"cell": 1}}, "T303"),
    ],
)
def test_a_name_that_is_no_machine_is_refused_before_anything_runs(on: str, options: dict[str, Any], code: str):
    with pytest.raises(tc.ThermocError) as caught:
        tc.cost(sampler(2), on, options=options)
    assert caught.value.code == code


def test_the_command_asks_what_the_function_asks():
    assert EVERY.split(",") == [*ON]


def test_labels_must_fit(digits: Any):
    net, given = digits
    with pytest.raises(tc.ThermocError) as caught:
        tc.cost(net, "sim", **(given | {"labels": [1, 2]}))
    assert caught.value.code == "T402"


@pytest.mark.slow
def test_the_table_is_json_and_a_figure(digits: Any, tmp_path: Path):
    net, given = digits
    costs = tc.cost(net, "loihi,sim", **given)
    document = json.loads(json.dumps(costs.to_json()))
    assert [row["on"] for row in document["rows"]] == ["loihi", "sim"]
    assert document["rows"][0]["parts"][0]["sources"]
    costs.plot(tmp_path / "c.svg")
    assert (tmp_path / "c.svg").read_text().startswith("<?xml")
