"""The event engine against schedules worked out by hand, its files, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from machine.chips_by_hand import streams, three_tiles

import thermoc as tc
from thermoc.simulator.chips import load_chip
from thermoc.simulator.machine import ChipOp, ChipProgram, assemble, costs, run_events, stream
from thermoc.simulator.machine import event_kernel as kernel
from thermoc.simulator.machine.event_state import Queue

NS = 1000
CHIP = load_chip(
    "thermo-1"
)  # 1 ns a cycle and flit of 32 bits, 3 ns a hop, 8 lanes, ports of 2 cycles + 256 bits a cycle


def spans(program: ChipProgram, rounds: int = 1, chip=CHIP) -> list[tuple[str, int, float, float]]:
    events = run_events(program, chip, rounds=rounds)
    return [
        (ChipOp(program.code[row, 0]).name, place, start / NS, end / NS)
        for row, place, start, end in zip(*(getattr(events, n).tolist() for n in ("row", "place", "start", "end")))
        if program.code[row, 0] != ChipOp.HALT
    ]


def test_three_tiles_and_a_link_that_two_want():
    cores = CHIP.cores
    east = [cores + 4 * tile for tile in range(3)]
    exit_8 = cores + 4 * CHIP.tiles + 8
    expected = {
        ("VOP", 0, 0, 10),  # 80 elements on 8 lanes
        ("SEND", 0, 10, 30),  # 64 bytes: 2 cycles and 2 out of the buffer, then 16 flits
        ("SEND", east[0], 14, 30),  # the head leaves at once and is at tile 1 at 17
        ("VOP", 4, 0, 12),
        ("SEND", 4, 12, 23),  # 2 cycles and 1, 8 flits
        ("SEND", east[1], 15, 23),  # two nanoseconds before the other's head: at tile 2 at 18
        ("SEND", exit_8, 18, 26),
        ("SEND", east[1], 23, 39),  # the other waited for the link from 17 to 23; at tile 2 at 26
        ("SEND", exit_8, 26, 42),
        ("RECV", 8, 26, 29),  # 32 bytes: 2 cycles and 1
        ("RECV", 8, 42, 46),  # 64 bytes: 2 cycles and 2
        ("VOP", 8, 46, 47),
    }
    found = spans(three_tiles())
    assert set(found) == expected and len(found) == len(expected)


def test_two_cores_take_turns_at_a_bank_of_converters():
    """16 arrays of 128 columns on 16 converters: 100 ns a read, 8 reads and 2 stages; cores 0 and 1 share a bank."""
    program = assemble(
        "bank",
        "thermo-1",
        streams(
            c0=[(ChipOp.MVM, -1, 16, 128, 128, 1)],
            c1=[(ChipOp.MVM, -1, 16, 128, 128, 1)],
            c2=[(ChipOp.MVM, -1, 16, 128, 128, 1)],
        ),
        (),
    )
    assert set(spans(program)) == {("MVM", 0, 0, 1000), ("MVM", 1, 1000, 2000), ("MVM", 2, 0, 1000)}


def test_a_port_serves_one_core_of_its_tile_at_a_time():
    program = assemble(
        "port", "thermo-1", streams(c0=[(ChipOp.LD, -1, 320)], c1=[(ChipOp.ST, -1, 32)], c4=[(ChipOp.LD, -1, 32)]), ()
    )
    assert set(spans(program)) == {("LD", 0, 0, 12), ("ST", 1, 12, 15), ("LD", 4, 0, 3)}


def test_a_barrier_lets_all_go_at_once():
    """It takes 2 x (7 + 7) hops of 3 ns after the last has come."""
    program = assemble(
        "barrier",
        "thermo-1",
        streams(
            c0=[(ChipOp.VOP, -1, 80, 1), (ChipOp.BARRIER, -1, 0)], c5=[(ChipOp.BARRIER, -1, 0), (ChipOp.VOP, -1, 8, 1)]
        ),
        (),
    )
    assert set(spans(program)) == {("VOP", 0, 0, 10), ("BARRIER", 0, 10, 94), ("BARRIER", 5, 0, 94), ("VOP", 5, 94, 95)}


def test_a_full_buffer_holds_the_sender_back():
    """Two messages of 48 KiB do not fit 64 KiB: the second leaves when the first has been taken out."""
    half = 48 * 1024
    program = assemble(
        "full", "thermo-1", streams(c0=[(ChipOp.SEND, -1, 1, 0, half)] * 2, c1=[(ChipOp.RECV, -1, 0, 0, half)] * 2), ()
    )
    flits, port = half / 4, 2 + half / 32
    sent, read = port + flits, 2 * port + flits
    assert set(spans(program)) >= {
        ("SEND", 0, 0, sent),
        ("RECV", 1, sent, read),
        ("SEND", 0, read, read + sent),
        ("RECV", 1, read + sent, 2 * read),
    }


def test_the_cores_of_a_tile_share_its_buffer():
    """40 KiB to core 1 leave no room for 40 KiB to core 2, which wait until core 1 has read; tile 1 has its own."""
    some = 40 * 1024
    program = assemble(
        "shared",
        "thermo-1",
        streams(
            c1=[(ChipOp.VOP, -1, 10**6, 1), (ChipOp.RECV, -1, 8, 0, some)],
            c2=[(ChipOp.RECV, -1, 12, 0, some)],
            c4=[(ChipOp.RECV, -1, 16, 0, some)],
            c8=[(ChipOp.SEND, -1, 1, 0, some)],
            c12=[(ChipOp.VOP, -1, 8, 1), (ChipOp.SEND, -1, 2, 0, some)],
            c16=[(ChipOp.SEND, -1, 4, 0, some)],
        ),
        (),
    )
    found = {(name, place): start for name, place, start, _ in spans(program) if place < CHIP.cores}
    read = 10**6 / 8 + 2 + some / 32
    assert found["SEND", 12] == read and found["SEND", 8] == found["SEND", 16] == 0


def test_a_third_message_waits_for_the_first_to_be_read():
    program = assemble(
        "deep",
        "thermo-1",
        streams(c0=[(ChipOp.SEND, -1, 1, 0, 4)] * 3, c1=[(ChipOp.VOP, -1, 800, 1), *[(ChipOp.RECV, -1, 0, 0, 4)] * 3]),
        (),
    )
    sends = [span for span in spans(program) if span[:2] == ("SEND", 0)]
    assert sends == [("SEND", 0, 0, 4), ("SEND", 0, 4, 8), ("SEND", 0, 106, 110)]  # the port reads until 106


def test_a_message_goes_out_by_the_port_as_it_comes_in():
    """Both ends pay an access of 256 bits at 17.2 pJ, and core 1 waits for the port while core 0 reads (3 ns)."""
    program = assemble(
        "out",
        "thermo-1",
        streams(c0=[(ChipOp.SEND, -1, 4, 0, 32)], c1=[(ChipOp.LD, -1, 32)], c4=[(ChipOp.RECV, -1, 0, 0, 32)]),
        (),
    )
    assert set(spans(program)) >= {("SEND", 0, 0, 11), ("LD", 1, 3, 6)}
    price = costs(program, CHIP)
    assert price.joules[:, 1].tolist() == pytest.approx([17.2e-12, 0, 17.2e-12, 0, 17.2e-12, 0])


def test_joules_are_for_the_very_picoseconds_that_the_clock_gives():
    """A vector operation of ISAAC takes a cycle of 1.2 GHz, 833 ps of the machine's time, at 0.52 mW."""
    price = costs(assemble("clock", "isaac", streams(c0=[(ChipOp.VOP, -1, 2, 1)]), ()), load_chip("isaac"))
    assert price.duration[0] == 833 and price.joules[0].sum() == 0.52e-3 * 833e-12


def test_products_in_a_row_fill_the_pipeline_once():
    program = assemble("row", "thermo-1", streams(c0=[(ChipOp.MVM, -1, 16, 128, 128, 5)]), ())
    assert spans(program) == [("MVM", 0, 0, 4200)]


def test_ticks_follow_each_other_and_setup_runs_once():
    code = [([(ChipOp.PROG, -1, 1, 128, 100)], [(ChipOp.VOP, -1, 8, 1)])]
    program = assemble("ticks", "thermo-1", code, ())
    assert spans(program, rounds=3) == [
        ("PROG", 0, 0, 11008),
        ("VOP", 0, 11008, 11009),
        ("VOP", 0, 11009, 11010),
        ("VOP", 0, 11010, 11011),
    ]


def test_chunks_are_the_whole_in_parts():
    program = three_tiles()
    whole = run_events(program, CHIP, rounds=700)
    parts = list(stream(program, CHIP, rounds=700, chunk=1))
    assert len(parts) > 5
    for name in whole.__dataclass_fields__:
        assert np.array_equal(np.concatenate([getattr(p, name) for p in parts]), getattr(whole, name)), name


def test_the_queue_gives_the_earliest_first():
    rng = np.random.default_rng(0)
    times, ties = rng.integers(0, 50, 300), rng.permutation(300)
    queue = Queue(*(np.zeros(300, np.int64) for _ in range(3)), np.zeros(2, np.int64))
    for time, tie in zip(times, ties):
        kernel.push(time, tie, tie, *queue)
    order = []
    while queue.counts[0]:
        order.append((queue.times[0], queue.ties[0]))
        kernel.pop(*queue)
    assert order == sorted(zip(times, ties))


def test_energy_of_a_product_by_component():
    program = assemble("mvm", "thermo-1", streams(c0=[(ChipOp.MVM, -1, 8, 100, 64, 1)]), ())
    joules = dict(zip(("program", "buffer", "dac", "array", "adc", "shift-add"), costs(program, CHIP).joules[0]))
    assert joules["array"] == pytest.approx(8 * 8 * 100e-9 * 0.3e-3 * 64 / 128)
    assert joules["dac"] == pytest.approx(8 * 8 * 100e-9 * 0.5e-3 * 64 / 128)
    assert joules["adc"] == pytest.approx(8 * 100 * 8 * 2e-3 / 1.28e9)
    assert joules["shift-add"] == pytest.approx(8 * 8 * 100e-9 * 0.05e-3 / 2)
    assert joules["program"] == joules["buffer"] == 0


def test_a_message_pays_for_its_hops():
    program = assemble(
        "hops", "thermo-1", streams(c0=[(ChipOp.SEND, -1, 4 * 17, 0, 8)], c68=[(ChipOp.RECV, -1, 0, 0, 8)]), ()
    )
    assert costs(program, CHIP).joules[0, 8] == pytest.approx(2 * (1 + 2) * 5e-12)  # 2 flits; tile 17 is at (1, 2)


def test_what_waits_for_ever_is_named():
    program = assemble(
        "stuck", "thermo-1", streams(c0=[(ChipOp.RECV, 0, 3, 7, 8)], c3=[(ChipOp.VOP, -1, 8, 1)]), ("sum",)
    )
    with pytest.raises(tc.ThermocError) as caught:
        run_events(program, CHIP)
    assert caught.value.code == "T414"
    assert "core 0, tick 0: RECV    core=3 tag=7 bytes=8  ; sum: waits for a message that is never sent" in str(
        caught.value
    )


def test_two_that_wait_for_each_others_room_are_named():
    most = 40 * 1024
    both = {
        k: [(ChipOp.SEND, -1, o, 0, most)] * 2 + [(ChipOp.RECV, -1, o, 0, most)] * 2 for k, o in (("c0", 1), ("c1", 0))
    }
    with pytest.raises(tc.ThermocError) as caught:
        run_events(assemble("room", "thermo-1", streams(**both), ()), CHIP)
    assert caught.value.code == "T414" and "waits for room" in str(caught.value)


@pytest.mark.parametrize(
    ("chip", "rows", "code", "fact"),
    [
        ("thermo-1", {"c300": [(ChipOp.VOP, -1, 8, 1)]}, "T306", "it uses 301 cores"),
        ("thermo-1", {"c0": [(ChipOp.SEND, -1, 1, 0, 10**6)]}, "T306", "has 65536: bytes that the tile's buffer holds"),
        ("thermo-1", {"c0": [(ChipOp.MVM, -1, 999, 128, 128, 1)]}, "T306", "MVM     arrays=999"),
        ("thermo-1", {"c0": [(ChipOp.MVM, -1, 8, 5000, 128, 1)]}, "T306", "it asks for 5000"),
        ("thermo-1", {"c0": [(ChipOp.MVM, -1, 8, 128, 5000, 1)]}, "T306", "thermo-1 has 128: rows of an array"),
        ("thermo-1", {"c0": [(ChipOp.PROG, -1, 16, 128, 10**6)]}, "T306", "thermo-1 has 262144: cells of a core"),
        ("thermo-1", {"c0": [(ChipOp.SAMPLE, -1, 10**6, 0, 1)]}, "T306", "thermo-1 has 256: p-bits of a core"),
        ("thermo-1", {"c0": [(ChipOp.VOP, -1, 9 * 10**18, 1)]}, "T306", "an instruction takes too long: VOP"),
        ("thermo-1", {"c0": [(ChipOp.VOP, -1, 10**13, 1)] * 4000}, "T306", "runs too long"),
        ("thermo-1", {"c0": [(ChipOp.BARRIER, -1, 10**12)]}, "T306", "BARRIER group=1000000000000"),
        ("isaac", {"c0": [(ChipOp.SAMPLE, -1, 8, 0, 1)]}, "T305", "no p-bits"),
        ("loihi", {"c0": [(ChipOp.VOP, -1, 8, 1)]}, "T305", "spiking"),
    ],
)
def test_a_program_that_does_not_fit_is_refused(chip: str, rows: dict, code: str, fact: str):
    with pytest.raises(tc.ThermocError) as caught:
        run_events(assemble("big", chip, streams(**rows), ()), load_chip(chip))
    assert caught.value.code == code and fact in str(caught.value)


def test_a_program_prints_saves_and_loads(tmp_path: Path):
    program = three_tiles()
    assert "core 8:\n  tick:\n    RECV    core=4 tag=0 bytes=32  ; far" in str(program)
    size = program.save(tmp_path / "three.chip")
    assert (tmp_path / "three.chip").stat().st_size == size
    again = ChipProgram.load(tmp_path / "three.chip")
    assert str(again) == str(program) and np.array_equal(again.code, program.code)


@pytest.mark.parametrize(
    "change",
    [
        {"setup": [99] * 9},
        {"starts": [0] * 9 + [2]},
        {"code": [[77, 0, 0, 0, 0, 0]] * 10},
        {"code": [[ChipOp.VOP, 0, 10**17, 1, 0, 0]] * 10},
    ],
)
def test_a_program_that_reaches_outside_is_refused(tmp_path: Path, change: dict):
    import dataclasses

    program = dataclasses.replace(three_tiles(), **{name: np.array(value) for name, value in change.items()})
    program.save(tmp_path / "bad.chip")
    with pytest.raises(tc.ThermocError) as caught:
        ChipProgram.load(tmp_path / "bad.chip")
    assert caught.value.code == "T502"
