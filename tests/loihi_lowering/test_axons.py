"""An axon comes into a core for each unit that the core's units read, and for no other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loihi_lowering.lowering import emulated, lowered, reference, small

import thermoc as tc
from thermoc.ir.dialects import loihi
from thermoc.ir.graph import Graph, exposed
from thermoc.passes.loihi.cores import Cores
from thermoc.passes.loihi.partition import partition
from thermoc.passes.loihi.place import place, traffic
from thermoc.support.errors import ThermocError


def covered(cores: Cores, graph: Graph) -> None:
    """Every unit of every population has one core, and every core keeps its limits."""
    pieces = [piece for core in cores.cores for piece in core.pieces]
    for name in {piece.population for piece in pieces}:
        units = np.concatenate([piece.members for piece in pieces if piece.population == name])
        size = next(v.type.size for v in graph.producers[name].results if v.type is not None)
        np.testing.assert_array_equal(np.sort(units), np.arange(size))
    for core in cores.cores:
        assert all(used <= most for used, most in core.use.values())


def image(channels: int, height: int, width: int, **options) -> tc.Network:
    """A convolution of windows of 3 x 3 on an image of 4 channels."""
    weight = 2 * np.random.default_rng(0).integers(1, 9, (channels, 4 // options.get("groups", 1), 3, 3))
    with tc.Network("image") as net:
        x = tc.loihi.encode(tc.input("x", (4, height, width)))
        tc.output("y", tc.loihi.decode(tc.loihi.lif(tc.loihi.conv(x, weight, **options), vth=20)[0]))
    return net


def test_a_convolution_behind_many_units_is_cut_into_tiles():
    """40,000 inputs, ten times an image's axons; 8 channels of 98 x 98 units: 19 cores by their number, 25 by tiles."""
    net = image(8, 100, 100)
    cores = partition(net.graph)
    covered(cores, net.graph)
    assert 19 <= len(cores.cores) <= 25
    assert "%lif.s[0:8, 0:" in str(cores)


def test_a_strided_padded_convolution_in_groups_is_cut_too():
    net = image(16, 90, 90, stride=(2, 1), padding=((1, 1), (2, 0)), groups=2)
    covered(partition(net.graph), net.graph)


def test_kernels_too_large_for_a_core_are_cut_by_channel():
    """400 kernels of 3,750 weights are 12 million bits, a core has 1.6: eight cores and no fewer."""
    rng = np.random.default_rng(0)
    with tc.Network("wide") as net:
        x = tc.loihi.encode(tc.input("x", (150, 5, 5)))
        tc.output("y", tc.loihi.decode(tc.loihi.lif(tc.loihi.conv(x, 2 * rng.integers(1, 9, (400, 150, 5, 5))))[0]))
    cores = partition(net.graph)
    covered(cores, net.graph)
    assert len(cores.cores) == 8
    assert max(core.use["memory"][0] for core in cores.cores) == 50 * (3750 * 8 + 61)


def rows(units: int, inputs: int, columns: np.ndarray) -> tc.Network:
    """Units that read ``columns`` (units, each) of the inputs."""
    each = columns.shape[1]
    offsets, values = each * np.arange(units + 1), np.full(columns.size, 2)
    with tc.Network("rows") as net:
        x = tc.loihi.encode(tc.input("x", (inputs,)))
        tc.output("y", tc.loihi.decode(tc.loihi.lif(tc.loihi.sparse(x, values, columns.reshape(-1), offsets))[0]))
    return net


def test_sparse_rows_behind_many_units_are_cut():
    """12,000 inputs; 3,000 units read ten in a row each, so three cores are the fewest."""
    net = rows(3000, 12_000, np.minimum(4 * np.arange(3000)[:, None] + np.arange(10), 11_999))
    cores = partition(net.graph)
    covered(cores, net.graph)
    assert len(cores.cores) == 3


def test_units_that_read_alike_come_together_whatever_their_order():
    """The same rows shuffled: in the order of what they read, three cores again; as they stand they would take 30."""
    columns = np.minimum(4 * np.arange(3000)[:, None] + np.arange(10), 11_999)
    net = rows(3000, 12_000, np.random.default_rng(1).permutation(columns))
    cores = partition(net.graph)
    covered(cores, net.graph)
    assert len(cores.cores) == 3


def test_a_unit_that_reads_too_many_is_refused_with_who_asks_for_how_much():
    with tc.Network("dense") as net:
        x = tc.loihi.encode(tc.input("x", (5000,)))
        y = tc.loihi.lif(tc.loihi.dense(x, np.full((3, 5000), 2)), name="hidden")[0]
        tc.output("y", tc.loihi.decode(y))
    with pytest.raises(ThermocError) as caught:
        tc.compile(net, target="lava")
    text = str(caught.value)
    assert caught.value.code == "T207" and "test_axons.py" in text and "(loihi.lif) does not fit a core" in text
    assert "unit [0] asks for 5000 input axons, a core has 4096: Loihi 1" in text
    assert "it reads 5000 of the 5000 units of %encode (loihi.encode): an axon for each" in text


def test_weights_of_nothing_ask_for_no_axon():
    """Of 5,000 inputs 4,000 have a weight: they fit."""
    with tc.Network("dense") as net:
        weight = np.full((3, 5000), 2)
        weight[:, ::5] = 0
        x = tc.loihi.encode(tc.input("x", (5000,)))
        tc.output("y", tc.loihi.decode(tc.loihi.lif(tc.loihi.dense(x, weight))[0]))
    (core,) = partition(net.graph).cores
    assert core.use["axons_in"] == (4000, 4096)


def test_two_populations_of_a_core_share_the_axons_of_what_both_read():
    with tc.Network("shared") as net:
        x = tc.loihi.encode(tc.input("x", (3000,)))
        for name in "ab":
            tc.output(name, tc.loihi.decode(tc.loihi.lif(tc.loihi.dense(x, np.full((5, 3000), 2)))[0]))
    (core,) = partition(net.graph).cores
    assert core.use["axons_in"] == (3000, 4096)


def test_synapses_behind_moves_and_joins_are_counted():
    """A drive that is transposed, and one that is joined of two: the same memory and axons as without."""
    rng = np.random.default_rng(0)
    weight = 2 * rng.integers(1, 9, (2, 1, 3, 3))
    with tc.Network("moved") as net:
        x = tc.loihi.encode(tc.input("x", (1, 8, 8)))
        a = tc.transpose(tc.loihi.conv(x, weight), axes=(1, 2, 0))
        b = tc.loihi.dense(tc.reshape(x, shape=(64,)), 2 * rng.integers(1, 9, (9, 64)))
        tc.output("y", tc.loihi.decode(tc.loihi.lif(tc.concat([tc.reshape(a, shape=(72,)), b], axis=0))[0]))
    (core,) = partition(net.graph).cores
    assert core.use["memory"][0] == 2 * 9 * 8 + 9 * 64 * 8 + 81 * 61
    assert core.use["axons_in"][0] == 64
    assert core.pieces[0].synapses == 72 * 9 + 9 * 64


@st.composite
def layered(draw):
    """Two or three layers of spiking units behind convolutions and sparse rows, with weights of 0 among them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    with tc.Network("layered") as net:
        x = tc.loihi.encode(tc.input("x", (2, 7, 6)))
        for _ in range(draw(st.integers(2, 3))):
            x = tc.loihi.lif(draw(st.sampled_from([_windows, _some]))(draw, rng, x), vth=int(rng.integers(2, 20)))[0]
        tc.output("y", tc.loihi.decode(x))
    return net


def _windows(draw, rng, x):
    channels, height, width = x.shape
    groups = draw(st.sampled_from([1, 2])) if channels % 2 == 0 else 1
    window = [min(draw(st.integers(1, 3)), size) for size in (height, width)]
    weight = (
        2 * rng.integers(-6, 9, (2 * groups, channels // groups, *window)) * (rng.random((2 * groups, 1, 1, 1)) < 0.9)
    )
    options = {
        "stride": (draw(st.integers(1, 2)), 1),
        "padding": ((draw(st.integers(0, 1)), 0), (0, 1)),
        "groups": groups,
    }
    return tc.loihi.conv(x, weight, **options)


def _some(draw, rng, x):
    units, shape = int(np.prod(x.shape)), (draw(st.integers(1, 3)), 4, 5)
    size = int(np.prod(shape))
    counts = rng.integers(0, 8, size)
    columns = np.concatenate([rng.choice(units, count, replace=False) for count in counts])
    values, offsets = 2 * rng.integers(-6, 9, counts.sum()), np.append(0, np.cumsum(counts))
    return tc.reshape(tc.loihi.sparse(tc.reshape(x, shape=(units,)), values, columns, offsets), shape=shape)


def matrix(op, graph: Graph) -> np.ndarray:
    """A synapse's weights (results, inputs), by what it makes of one message at a time."""
    size = op.x.type.size
    constants = [graph.producers[value.name] for name, value in op.operand_values if name != "x"]
    x = tc.ir.dialects.core.Input(name="x", shape=op.x.type.shape, dtype=op.x.type.dtype, y=op.x)
    alone = graph.with_ops([x, *constants, op, tc.ir.dialects.core.Output(name="y", x=op.y)])
    one_by_one = {"x": np.eye(size, dtype=np.int32).reshape(1, size, *op.x.type.shape).repeat(2, axis=0)}
    return reference(alone, one_by_one)["y"][1].reshape(size, -1).T


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(net=layered(), seed=st.integers(0, 99))
def test_random_networks_over_cores(net, seed):
    """Cut for small cores, each core reads what its weights are not 0 for, and its drives are those of the whole network
    where it hears nothing else; the emulator says what the reference says."""
    graph = lowered(net).graph
    cores = partition(graph, small(core__axons_in=40, core__units=20, core__axons_out=20, core__memory=6000))
    covered(cores, graph)
    assert len(cores.cores) > 2
    x = {"x": (np.random.default_rng(seed).random((6, 2, 2, 7, 6)) < 0.5).astype(float)}
    shown = exposed(graph, tuple(value.name for op in graph.of(loihi.LoihiLif) for value in (op.a, op.s)), "")
    messages = reference(shown, x)
    np.testing.assert_array_equal(emulated(graph, x)["y"], messages["y"])
    for op in graph.of(loihi.LoihiLif):
        synapse = graph.producers[op.a.name]
        synapse = synapse if isinstance(synapse, loihi.LoihiConv) else graph.producers[synapse.x.name]
        sender = synapse.x if isinstance(synapse, loihi.LoihiConv) else graph.producers[synapse.x.name].x
        W = matrix(synapse, graph)
        for piece in (piece for core in cores.cores for piece in core.pieces if piece.population == op.s.name):
            read = np.flatnonzero((W[piece.members] != 0).any(axis=0))
            np.testing.assert_array_equal(piece.reads.get(sender.name, read[:0]), read)
            if sender.name in messages:
                sent = messages[sender.name].reshape(-1, 2, W.shape[1])[:-1, :, read]
                drives = messages[op.a.name].reshape(-1, 2, W.shape[0])[1:, :, piece.members]
                np.testing.assert_array_equal(sent @ W[np.ix_(piece.members, read)].T, drives)


def test_messages_go_to_the_cores_that_read_them():
    """Of two halves that each read one half of the senders and the two units next to it."""
    columns = np.arange(32)[:, None] + np.arange(-1, 2)
    net = tc.Network("chain")
    with net:
        x = tc.loihi.encode(tc.input("x", (32,)))
        a = tc.loihi.lif(tc.loihi.sparse(x, np.full(32, 2), np.arange(32), np.arange(33)))[0]
        values, offsets = np.full(96, 2), 3 * np.arange(33)
        b = tc.loihi.lif(tc.loihi.sparse(a, values, columns.clip(0, 31).reshape(-1), offsets))[0]
        tc.output("y", tc.loihi.decode(b))
    limits = small(core__units=16)
    cores = partition(net.graph, limits)
    assert [str(core.pieces[0]) for core in cores.cores] == [
        "%lif.s[0:16]",
        "%lif.s[16:32]",
        "%lif.s_1[0:16]",
        "%lif.s_1[16:32]",
    ]
    np.testing.assert_array_equal(traffic(cores).toarray(), [[0, 0, 16, 1], [0, 0, 1, 16], [0] * 4, [0] * 4])
    assert place(net.graph, 1, limits).traffic == 16 + 16 + 2 + 2


def test_more_cores_than_chips_have_is_refused_with_who_takes_them():
    with pytest.raises(ThermocError) as caught:
        place(image(8, 40, 40).graph, 1, small(core__units=100, chip__cores=100))
    text = str(caught.value)
    assert "T304" in text and "it asks for 128 cores" in text and "1 chip: 100, " in text
    assert "%lif.s (loihi.lif) takes 128 cores, at " in text and "chips=2 has as many" in text
