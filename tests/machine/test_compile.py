"""Networks on a chip: the same numbers, complete schedules, sampling at the die's temperature, and what does not fit."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from machine.chips_by_hand import hot

import thermoc as tc
from thermoc.backends.chip.temperatures import cell_warmth
from thermoc.simulator.chips import load_chip
from thermoc.simulator.machine import ChipOp, ChipProgram, costs, run_events
from thermoc.simulator.machine.account import account, event_joules

RNG = np.random.default_rng(0)


def couplings(n: int) -> np.ndarray:
    J = RNG.normal(size=(n, n)) / np.sqrt(n)
    J = (J + J.T) / 2
    np.fill_diagonal(J, 0)
    return J


def dense() -> tc.Network:
    """Two layers, the first of 3 x 3 arrays."""
    with tc.Network("dense") as net:
        h = tc.tanh(tc.affine(tc.input("x", (300,)), RNG.normal(size=(280, 300))))
        tc.output("p", tc.boltzmann(tc.affine(h, RNG.normal(size=(10, 280))), 1.0))
    return net


def image() -> tc.Network:
    with tc.Network("image") as net:
        h = tc.thermal_relu(tc.conv(tc.input("x", (2, 9, 9)), RNG.normal(size=(6, 2, 3, 3))), 0.1)
        h = tc.pool(h, kind="max", window=2, stride=2)
        tc.output("y", tc.affine(tc.flatten(h), RNG.normal(size=(5, 54))))
    return net


def recurrent() -> tc.Network:
    with tc.Network("recurrent") as net:
        hole = tc.placeholder((40,))
        h = tc.tanh(
            tc.affine(tc.input("x", (7,)), RNG.normal(size=(40, 7)))
            + tc.affine(tc.delay(hole, 0.0), 0.1 * RNG.normal(size=(40, 40)))
        )
        tc.connect(hole, h)
        tc.output("h", h)
    return net


def glass(n: int = 300, sweeps: int = 2, **T: float) -> tc.Network:
    """Coupled units over several banks and arrays."""
    J = couplings(n)
    with tc.Network("glass") as net:
        t = (
            tc.schedule(kind="exponential", T0=3.0, parameter=4.0, T_min=0.5)
            if not T
            else tc.constant(T["T"], role="temperature")
        )
        s = tc.gibbs(t, J, sweeps=sweeps, order="parallel")
        tc.output("s", s)
        tc.output("E", tc.ising_energy(s, J))
    return net


def bits(n: int = 64) -> tc.Network:
    with tc.Network("bits") as net:
        drive = tc.affine(tc.input("x", (16,)), RNG.normal(size=(n, 16)))
        tc.output("drive", drive)
        tc.output("s", tc.sample_binary(drive, 1.0))
    return net


def moving() -> tc.Network:
    with tc.Network("moving") as net:
        m = tc.memory(tc.input("x", (30,)), 0.7, 0.2)
        tc.output("m", m)
        tc.output("c", tc.sample_categorical(-m, 1.0))
    return net


def lattice() -> tc.Network:
    """A sparse torus, whose arrays off the diagonal are mostly empty."""
    from scipy import sparse

    side = 20
    n = side * side
    places = np.arange(n).reshape(side, side)
    pairs = [(a, b) for axis in (0, 1) for a, b in zip(places.ravel(), np.roll(places, -1, axis).ravel())]
    one, two = np.array(pairs).T
    J = sparse.csr_matrix((np.ones(2 * len(pairs)), (np.r_[one, two], np.r_[two, one])), (n, n))
    with tc.Network("lattice") as net:
        tc.output("s", tc.gibbs(2.0, J))
    return net


NETWORKS = {f.__name__: f for f in (dense, image, recurrent, glass, bits, moving, lattice)}


def inputs(net: tc.Network, batch: int = 3) -> dict[str, np.ndarray]:
    return {name: np.random.default_rng(1).normal(size=(batch, *op.shape)) for name, op in net.graph.inputs.items()}


@pytest.mark.parametrize("name", NETWORKS)
def test_what_never_touches_heat_is_what_the_simulator_gives(name: str):
    net = NETWORKS[name]()
    batch = {} if net.graph.inputs else {"batch": 3}
    on_chip = tc.compile(net, "chip", chip="thermo-1").run(inputs(net), ticks=4, seed=5, **batch)
    plain = tc.compile(net, "sim").run(inputs(net), ticks=4, seed=5, **batch)
    for output in plain.outputs:
        assert np.array_equal(on_chip[output], plain[output]), output


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("placement", ["wire", "thermal"])
def test_every_message_has_its_receiver_and_all_ends(name: str, placement: str):
    program = tc.compile(NETWORKS[name](), "chip", chip="thermo-1", placement=placement).artefact.mapping.program
    code, core = program.code, program.cores
    sends = [(core[r], code[r, 2], code[r, 3], code[r, 4]) for r in np.flatnonzero(code[:, 0] == ChipOp.SEND)]
    receives = [(code[r, 2], core[r], code[r, 3], code[r, 4]) for r in np.flatnonzero(code[:, 0] == ChipOp.RECV)]
    assert Counter(map(tuple, np.array(sends).tolist())) == Counter(map(tuple, np.array(receives).tolist()))
    events = run_events(program, load_chip("thermo-1"), rounds=30)
    halts = code[events.row, 0] == ChipOp.HALT
    assert halts.sum() == 30 * len(np.unique(core))


def test_a_layer_takes_the_arrays_of_its_tiles():
    """280 x 300 weights are 3 x 3 arrays and 10 x 280 are 3, each of 8 arrays (4 slices, 2 signs)."""
    layout = tc.compile(dense(), "chip", chip="thermo-1").artefact.mapping
    assert layout.utilisation["arrays"] == (12 * 8, 256 * 16)
    assert layout.utilisation["p-bits"] == (0, 256 * 256)
    cells = sum(int(row[4]) for row in layout.program.code if row[0] == ChipOp.PROG)
    assert cells == 8 * (280 * 300 + 10 * 280)


def test_a_sparse_lattice_leaves_empty_arrays_out():
    full = 4 * 4
    used = tc.compile(lattice(), "chip", chip="thermo-1").artefact.mapping.utilisation["arrays"][0] / 8
    assert 4 < used < full


def test_no_core_holds_more_than_it_can():
    layout = tc.compile(dense(), "chip", chip="isaac").artefact.mapping
    assert layout.partition.matrices.max() <= 1 and layout.partition.groups >= 12
    assert len(np.unique(layout.placement.core)) == layout.partition.groups


@pytest.mark.parametrize("chip", ["isaac", "puma"])
def test_chips_without_p_bits_multiply(chip: str):
    """Thermal placement has nothing to keep cool there; cells conduct by their temperature all the same."""
    net = dense()
    options = {"cells": "chip", "input_range": (-4.0, 4.0), "temperature": "die", "placement": "thermal"}
    run = tc.compile(net, "chip", chip=chip, **options).run(inputs(net))
    assert run.chip.components["sampler"] == run.chip.components["heater"] == 0
    assert run.chip.joules > 0 and np.allclose(run["p"].sum(axis=2), 1)


@pytest.mark.parametrize("chip", ["isaac", "puma"])
def test_products_on_cells_without_pairs_are_as_fine_as_the_chip_says(chip: str):
    """8 arrays of 2-bit cells hold 16-bit weights, and ISAAC's coding lets 8-bit ADCs lose nothing.

    What is left is rounding: of a weight, normal over 300 inputs, by its largest / 32767 / sqrt(12), and of inputs.
    """
    rng = np.random.default_rng(0)
    W, x = rng.normal(size=(16, 300)), rng.uniform(-1, 1, size=(20, 300))
    with tc.Network("product") as net:
        tc.output("y", tc.affine(tc.input("x", (300,)), W))
    y = tc.compile(net, "chip", chip=chip, cells="chip", input_range=(-1.0, 1.0)).run({"x": x})["y"][0]
    error = np.sqrt(((y - x @ W.T) ** 2).mean() / ((x @ W.T) ** 2).mean())
    step = np.hypot(np.abs(W).max() / W.std(), 1 / x.std()) / 32767 / np.sqrt(12)
    assert step / 2 < error < 2 * step


def test_the_report_adds_up():
    net = dense()
    report = tc.compile(net, "chip", chip="thermo-1").run(inputs(net), ticks=5).chip
    assert sum(report.components.values()) == pytest.approx(report.joules, rel=1e-12)
    assert sum(op.joules for op in report.ops) == pytest.approx(report.joules, rel=1e-12)
    assert abs(report.heat_gap) < 1e-10 * report.heat_in
    assert report.heat_in == pytest.approx(report.joules, rel=1e-9)  # all that is spent turns to heat
    assert report.throughput * report.seconds == pytest.approx(3)
    assert report.cycles == round(report.seconds * 1e9)
    assert 300 < report.peak_kelvin < 398 and report.peak_tile == report.peak_core // 4
    assert all(op.kelvin > 0 for op in report.ops)
    text = str(report)
    assert "peak" in text and "energy by op" in text and "halving it moves" in text
    assert report.to_json()["joules"] == report.joules


def test_links_pay_what_messages_cost():
    layout = tc.compile(dense(), "chip", chip="thermo-1").artefact.mapping
    price = costs(layout.program, layout.chip)
    events = run_events(layout.program, layout.chip, rounds=3, price=price)
    assert price.joules[:, 8].sum() > 0
    whole = event_joules(events, layout.program, price, layout.chip).sum()
    sums = account(events, layout.program, price, layout.chip)
    assert whole == pytest.approx(sums.joules.sum() + sums.setup_joules.sum(), rel=1e-12)
    assert sums.by_core.sum() == pytest.approx(sums.joules.sum(), rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("sweeps", [1, 8])
def test_links_are_said_to_carry_what_they_carry(sweeps: int):
    """Coupled units send in every round of a tick."""
    with tc.Network("glass") as net:
        tc.output("s", tc.gibbs(1.0, couplings(400), sweeps=sweeps, order="parallel"))
    layout = tc.compile(net, "chip", chip="thermo-1").artefact.mapping
    events, cores = run_events(layout.program, layout.chip), layout.chip.cores
    links = (events.place >= cores) & (events.place < cores + 4 * layout.chip.tiles)
    load = np.zeros(4 * layout.chip.tiles, np.int64)
    np.add.at(load, events.place[links] - cores, layout.program.code[events.row[links], 4])
    assert layout.routes.load.ravel().tolist() == load.tolist()
    assert layout.placement.wire == load.sum() > 0
    assert f"carries {load.max()} bytes" in layout.summary()


def test_a_network_on_one_tile_uses_no_link():
    assert (
        "0 byte hops a tick; no messages leave a tile"
        in tc.compile(bits(), "chip", chip="thermo-1").artefact.mapping.summary()
    )


def wide() -> tc.Network:
    """Convolutions whose inputs and sums take many KiB."""
    with tc.Network("wide") as net:
        h = tc.thermal_relu(tc.conv(tc.input("x", (3, 32, 32)), RNG.normal(size=(16, 3, 3, 3)), padding=1), 0.1)
        h = tc.pool(h, kind="max", window=2, stride=2)
        h = tc.thermal_relu(tc.conv(h, RNG.normal(size=(16, 16, 3, 3)), padding=1), 0.1)
        tc.output("y", tc.affine(tc.flatten(h), RNG.normal(size=(10, 4096))))
    return net


@pytest.mark.parametrize(("chip", "placement"), [("isaac", "wire"), ("thermo-1", "wire"), ("thermo-1", "thermal")])
def test_the_buffer_of_a_tile_is_shared_by_its_cores(chip: str, placement: str):
    """ISAAC has 64 KiB of eDRAM a tile, not for each of its twelve multiply units."""
    layout = tc.compile(wide(), "chip", chip=chip, placement=placement).artefact.mapping
    held = np.zeros(layout.chip.tiles)
    np.add.at(held, layout.placement.core // layout.chip.whole("mesh.cores"), layout.partition.bytes)
    assert held.max() <= layout.chip["buffer.size"] and (held > layout.chip["buffer.size"] / 4).any()
    assert layout.utilisation["buffer bytes of a tile"] == (held.max(), layout.chip["buffer.size"])
    assert len(np.unique(layout.placement.core)) == layout.partition.groups


def test_messages_that_find_no_tile_are_refused(tmp_path: Path):
    from importlib.resources import files

    text = files("thermoc.simulator.chips").joinpath("thermo-1.toml").read_text()
    for old, new in (
        ("columns = { value = 8,", "columns = { value = 1,"),
        ("rows = { value = 8,", "rows = { value = 2,"),
    ):
        text = text.replace(old, new, 1)
    (tmp_path / "small.toml").write_text(
        text.replace('size = { value = 64, unit = "KiB"', 'size = { value = 1, unit = "KiB"')
    )
    with pytest.raises(tc.ThermocError) as caught:
        tc.compile(dense(), "chip", chip=str(tmp_path / "small.toml")).artefact  # noqa: B018
    assert caught.value.code == "T306" and "room for" in str(caught.value) and "holds 1024" in str(caught.value)


def test_the_best_of_many_banks_is_found_by_comparing_them():
    """1,000 options in 4 banks of 250: three others send their best and its number, one core compares four."""
    with tc.Network("choice") as net:
        tc.output("c", tc.sample_categorical(tc.input("x", (1000,)), 1.0))
    layout = tc.compile(net, "chip", chip="thermo-1").artefact.mapping
    text = [layout.program.text(row) for row in range(len(layout.program.code))]
    ours = [row.split("  ; ")[0] for row in text if row.endswith("sample_categorical")]
    assert ours.count("VOP     elements=4 passes=1") == 1
    assert sum(row.startswith("SEND") and row.endswith("bytes=2") for row in ours) == 3
    assert sum(row.startswith("RECV") and row.endswith("bytes=2") for row in ours) == 3
    assert sum(row.startswith("ST ") for row in text) == 1  # the core that compared hands the choice out


def test_choices_that_fit_their_banks_are_not_compared():
    with tc.Network("choices") as net:
        tc.output("c", tc.sample_categorical(tc.input("x", (4, 128)), 1.0))
    program = tc.compile(net, "chip", chip="thermo-1").artefact.mapping.program
    assert not (program.code[:, 0] == ChipOp.VOP).any() and (program.code[:, 0] == ChipOp.SAMPLE).sum() == 2


def test_an_artefact_is_the_machines_program(tmp_path: Path):
    exe = tc.compile(bits(), "chip", chip="thermo-1")
    exe.save(tmp_path / "bits.chip")
    program = ChipProgram.load(tmp_path / "bits.chip")
    assert "SAMPLE  units=64 first=0 updates=1 colour=0  ; sample_binary" in str(program)
    again = run_events(program, load_chip("thermo-1"), rounds=2)
    assert np.array_equal(again.end, run_events(exe.artefact.mapping.program, load_chip("thermo-1"), rounds=2).end)


# --------------------------------------------------------------------------------------------------- temperature


@pytest.mark.slow
def test_p_bits_draw_at_the_temperature_of_their_place(tmp_path: Path):
    """The mean of a p-bit is 1 / (1 + exp(-drive / T)), T that of its place over the reference; 4 standard errors."""
    net, x = bits(), np.zeros((1, 16)) + 0.3
    run = tc.compile(net, "chip", chip=hot(tmp_path), temperature="die").run({"x": x}, ticks=4000, seed=2)
    (kelvin,) = run.chip.run.kelvin.values()
    T = kelvin.mean(axis=0) / 300
    assert T.min() > 1.2
    p = 1 / (1 + np.exp(-run["drive"][0, 0] / T))
    error = np.sqrt(p * (1 - p) / 4000)
    assert (np.abs(run["s"][:, 0].mean(axis=0) - p) < 4 * error).all()
    wrong = 1 / (1 + np.exp(-run["drive"][0, 0]))
    assert (np.abs(run["s"][:, 0].mean(axis=0) - wrong) > 4 * error).sum() > 10
    assert run.chip.sampling[0].mean == pytest.approx(T.mean() - 1, rel=1e-9)


def test_heaters_that_hold_the_reference_leave_the_trajectory_as_it_is():
    """A cool chip: units are at their target but for what a pulse lifts their island, 2e-4, too little for a draw."""
    net = bits()
    die = tc.compile(net, "chip", chip="thermo-1", temperature="die").run(inputs(net), ticks=50, seed=4)
    model = tc.compile(net, "sim").run(inputs(net), ticks=50, seed=4)
    assert np.array_equal(die["s"], model["s"])
    assert die.chip.components["heater"] > 0 and abs(die.chip.sampling[0].worst) < 2e-4


def test_a_schedule_is_carried_out_by_heaters_and_cooling():
    """Kelvins follow the schedule from the hottest down to the coldest, where the drives take over.

    On a die that is cold: where the hottest tick has been repeated for ever, it is above the coldest.
    """
    options = {"chip": "thermo-1", "temperature": "die"}
    run = tc.compile(glass(60, 1), "chip", start="ambient", **options).run(ticks=24, batch=2, seed=1)
    (kelvin,), chip = run.chip.run.kelvin.values(), load_chip("thermo-1")
    asked = np.maximum(3.0 * np.exp(-np.arange(24) / 4.0), 0.5) / 3.0 * chip["sampler.hottest"]
    expected = np.maximum(asked, chip["sampler.coldest"])
    assert np.allclose(kelvin[:, 0], np.repeat(expected, 2), rtol=1e-3)  # both samples have their turn in each tick
    warm = tc.compile(glass(60, 1), "chip", **options).run(ticks=24, batch=2, seed=1)
    assert warm.chip.run.history.die[0].max() > 304 and next(iter(warm.chip.run.kelvin.values()))[-1, 0] > 305.5
    program = run.chip.run.artefact.mapping.program
    assert (program.code[:, 0] == ChipOp.ANNEAL).any() and not (program.code[:, 0] == ChipOp.SAMPLE).any()


@pytest.mark.slow
def test_thermal_placement_cools_what_samples():
    """Beside dense layers, which wires would have p-bits lie next to."""
    with tc.Network("warm") as net:
        h = tc.input("x", (640,))
        for _ in range(3):
            h = tc.tanh(tc.affine(h, RNG.normal(size=(640, 640)) / 25))
        tc.output("s", tc.sample_binary(h, 1.0))
    found = {}
    for placement in ("wire", "thermal"):
        report = (
            tc.compile(net, "chip", chip="thermo-1", temperature="die", placement=placement)
            .run(inputs(net), ticks=20)
            .chip
        )
        found[placement] = report.sampling[0].mean
        layout = report.run.artefact.mapping
        assert len(np.unique(layout.placement.core)) == layout.partition.groups
    assert found["wire"] > 0.005 and abs(found["thermal"]) < found["wire"] / 5


def test_cells_conduct_by_their_temperature(tmp_path: Path):
    """y = W x times 1 + warming (T - 300 K), but for the steps of the converters, which many cells a column blur."""
    rng = np.random.default_rng(3)
    W = rng.uniform(0.2, 1, size=(8, 128))
    with tc.Network("warmth") as net:
        tc.output("y", tc.affine(tc.input("x", (128,)), W))
    x = rng.uniform(0, 0.8, size=(60, 128))  # below what the converters can hold, so that warm cells are not cut
    options = {"chip": hot(tmp_path), "cells": "chip", "input_range": (0.0, 1.0)}
    cold = tc.compile(net, "chip", **options).run({"x": x})["y"][0]
    warm = tc.compile(net, "chip", temperature="die", **options).run({"x": x})
    ratio = float(np.mean(warm["y"][0] / cold))
    assert np.allclose(cold, x @ W.T, rtol=0.05)
    assert ratio == pytest.approx(1 + 5e-4 * (warm.chip.run.history.die[0].max() - 300), abs=0.006) and ratio > 1.02


def test_cells_without_pairs_conduct_by_their_temperature_with_what_was_added(tmp_path: Path):
    """Columns of ones, which say how much was added to the weights, warm with the others: y grows by the same share.

    What is left is rounding: a current of warm cells is no whole number of steps. Were what was added taken to be cold,
    y would grow by 8%.
    """
    from importlib.resources import files

    text = files("thermoc.simulator.chips").joinpath("isaac.toml").read_text()
    assert "ambient = { value = 300" in text
    (tmp_path / "warm.toml").write_text(text.replace("ambient = { value = 300", "ambient = { value = 360"))
    rng = np.random.default_rng(4)
    W, x = rng.uniform(0.2, 1, size=(40, 300)), rng.uniform(0, 1, size=(60, 300))
    with tc.Network("warm") as net:
        tc.output("y", tc.affine(tc.input("x", (300,)), W))
    options = {"chip": str(tmp_path / "warm.toml"), "cells": "chip", "input_range": (-1.0, 1.0), "temperature": "die"}
    exe = tc.compile(net, "chip", **options)
    assert {port.name: port.shape for port in exe.artefact.program.inputs}["chip.warmth.affine"] == (3, 40)
    run = exe.run({"x": x})
    share = 1 + 5e-4 * (run.chip.run.history.die[0].max() - 300)
    ratio = (run["y"][0] * (x @ W.T)).sum() / ((x @ W.T) ** 2).sum()
    assert share > 1.025 and ratio == pytest.approx(share, abs=0.006)


def test_every_array_conducts_by_its_own_place(tmp_path: Path):
    """The gains that the program is given are those of the cores on which the arrays lie."""
    net = dense()
    exe = tc.compile(net, "chip", chip=hot(tmp_path), temperature="die", cells="chip", input_range=(-4.0, 4.0))
    given = {port.name: port.shape for port in exe.artefact.program.inputs}
    assert given["chip.warmth.affine"] == (3, 280) and sorted(given) == [
        "chip.warmth.affine",
        "chip.warmth.affine_1",
        "x",
    ]
    run = exe.run(inputs(net), ticks=2)
    held = run.chip.run
    gain = cell_warmth(exe.artefact, "affine", held.tick, range(2), held.history)
    layout = exe.artefact.mapping
    for number, part in enumerate(layout.work.tasks):
        if part.kind == "product" and layout.work.ops[part.op] == "affine":
            core = layout.placement.core[layout.partition.group[number]]
            T = (gain[0, 0, part.array, part.low] - 1) / 5e-4 + 300
            assert held.history.die[:, core].min() < T < held.history.die[:, core].max() + 0.05


# -------------------------------------------------------------------------------------------------------- refusals


def test_a_network_that_does_not_fit_is_refused_with_how_much_of_how_much():
    with tc.Network("big") as net:
        tc.output("y", tc.affine(tc.input("x", (4000,)), np.ones((4000, 4000))))
    with pytest.raises(tc.ThermocError) as caught:
        tc.compile(net, "chip", chip="thermo-1").artefact  # noqa: B018
    text = str(caught.value)
    assert caught.value.code == "T306"
    assert (
        "it takes 8192 arrays" in text
        and "thermo-1 has 4096" in text
        and "for 'affine'" in text
        and "the limit is from" in text
    )


def test_too_many_p_bits_are_refused():
    with tc.Network("crowd") as net:
        tc.output("s", tc.sample_binary(tc.input("x", (70_000,)), 1.0))
    with pytest.raises(tc.ThermocError) as caught:
        tc.compile(net, "chip", chip="thermo-1").artefact  # noqa: B018
    assert caught.value.code == "T306" and "70000 p-bits" in str(caught.value) and "65536" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "code", "fact"),
    [
        ({"chip": "thermo-9"}, "T305", "there is no chip"),
        ({"chip": "isaac"}, "T305", "has no p-bits"),
        ({"chip": "loihi"}, "T305", "has no crossbars"),
        ({"chip": "thermo-1", "temperature": "sun"}, "T303", "temperature must be one of model, die"),
        ({"chip": 3}, "T305", "a chip is a name or the path"),
        ({"chip": "thermo-1", "slot": 0}, "T303", "slot must be"),
        ({"chip": "thermo-1", "slot": True}, "T303", "slot must be"),
        ({"chip": "thermo-1", "adc": "reached"}, "T303", "for converters"),
        ({"chip": "thermo-1", "input_range": (0, 1)}, "T303", "for converters"),
        ({"chip": "thermo-1", "cells": "chip", "input_range": "-1,1"}, "T303", "two finite numbers"),
        ({"chip": "thermo-1", "cells": "chip", "input_range": (1.0, -1.0)}, "T303", "the lower first"),
        ({"chip": "thermo-1", "cells": "chip", "input_range": 1.0}, "T303", "two finite numbers"),
        ({"chip": "thermo-1", "cells": "chip", "calibrate": "x.npz"}, "T303", "by name"),
    ],
)
def test_wrong_options_are_refused(options: dict, code: str, fact: str):
    with pytest.raises(tc.ThermocError) as caught:
        tc.compile(bits(), "chip", **options).artefact  # noqa: B018
    assert caught.value.code == code and fact in str(caught.value)


def test_too_large_a_batch_is_refused():
    with pytest.raises(tc.ThermocError) as caught:
        tc.compile(bits(), "chip", chip="thermo-1").start(batch=10**7)
    assert caught.value.code == "T404" and "too many events" in str(caught.value)


def integrator() -> tc.Network:
    with tc.Network("integrator") as net:
        tc.output("s", tc.lif(tc.affine(tc.input("x", (4,)), np.eye(4)), 5.0)[0])
    return net


@pytest.mark.parametrize(
    ("net", "what", "fact"),
    [
        (bits, "has no p-bits", "draws at the temperature of its place"),
        (integrator, "has no units that follow an equation in time", "takes a step of its equation in each tick"),
    ],
)
def test_a_chip_without_samplers_says_what_an_op_needs_of_them(net, what: str, fact: str):
    """A leaky unit draws nothing: it is its step that no unit of the chip takes."""
    with pytest.raises(tc.ThermocError) as caught:
        tc.compile(net(), "chip", chip="isaac").artefact  # noqa: B018
    text = str(caught.value)
    assert caught.value.code == "T305" and what in text and fact in text and "[sampler]" in text
    assert ("draws" in text) == (net is bits)
