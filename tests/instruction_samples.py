"""A program for each instruction, and what of its row must be refused: the size checks are tested on these.

An elementwise instruction has no parameters: it needs only the network. Where no value of a parameter can lead a
kernel outside its arrays, ``ANY_VALUE`` says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from cases import network

import thermoc as tc
from thermoc.simulator import Program
from thermoc.simulator.wanted_outputs import Wanted, with_outputs

BEYOND = 10**6


@dataclass(frozen=True, kw_only=True)
class Sample:
    """network: a case of tests/cases.py, or a function that writes one. refused: a parameter's values.

    wanted: what is asked for of its outputs, where that is not all of each.
    """

    network: str | Callable[[], tc.Network]
    refused: dict[str, tuple[int, ...]] = field(default_factory=dict)
    wanted: Wanted | None = None

    def program(self) -> Program:
        net = network(self.network, "all vary") if isinstance(self.network, str) else self.network()
        return with_outputs(tc.compile(net, "sim").artefact.program, self.wanted)


def sample(network: str | Callable[[], tc.Network], **refused: int | tuple[int, ...]) -> Sample:
    values = {name: value if isinstance(value, tuple) else (value,) for name, value in refused.items()}
    return Sample(network=network, refused=values)


def comparison(of: Callable) -> Callable[[], tc.Network]:
    def write() -> tc.Network:
        with tc.Network("of integers") as net:
            tc.output("y", of(tc.input("a", (3,), dtype="i32"), tc.input("b", (3,), dtype="i32")))
        return net

    return write


def of_spikes(*, listed: bool) -> Callable[[], tc.Network]:
    def write() -> tc.Network:
        with tc.Network("of spikes") as net:
            s = tc.input("s", (4,), role="spike")
            s = tc.lif_step(tc.input("x", (4,)), 0.9)[0] if listed else s
            tc.output("y", tc.affine(s, np.arange(12.0).reshape(3, 4), np.ones(3)))
        return net

    return write


def layers() -> tc.Network:
    J = np.zeros((80, 80))
    J[:40, 40:] = np.random.default_rng(0).normal(size=(40, 40)) * 0.3
    with tc.Network("layers") as net:
        tc.output("s", tc.gibbs(1.3, J + J.T))
    return net


def long_sums() -> tc.Network:
    with tc.Network("sums") as net:
        x = tc.input("x", (3, 77))
        tc.output("y", tc.reduce(x, kind="sum", axes=(1,)))
        tc.output("z", tc.reduce(x, kind="mean", axes=(1,)))
    return net


def long_products() -> tc.Network:
    with tc.Network("products") as net:
        x, y = tc.input("x", (3, 77)), tc.input("y", (3, 77))
        tc.output("dot", tc.reduce(x * y, kind="sum", axes=(1,)))
        tc.output("mean", tc.reduce(x * x, kind="mean", axes=(1,)))
    return net


ELEMENTWISE = {
    "NEG": "core.neg",
    "ABS": "core.abs",
    "SIGN": "core.sign",
    "EXP": "core.exp",
    "EXPM1": "core.expm1",
    "LOG": "core.log",
    "SQRT": "core.sqrt",
    "SIN": "core.sin",
    "COS": "core.cos",
    "TANH": "core.tanh",
    "FLOOR": "core.floor",
    "ADD": "core.add",
    "SUB": "core.sub",
    "MUL": "core.mul",
    "DIV": "core.div",
    "POW": "core.pow",
    "MINIMUM": "core.minimum",
    "MAXIMUM": "core.maximum",
    "THERMAL_RELU": "thermo.thermal_relu",
    "MAXWELL_BOLTZMANN": "thermo.maxwell_boltzmann",
    "FERMI_DIRAC": "thermo.fermi_dirac",
    "SELECT": "core.select",
    "LESS": "core.less",
    "LESS_EQUAL": "core.less_equal",
    "EQUAL": "core.equal",
    "INT_LESS": "core.less, of integers",
    "INT_LESS_EQUAL": comparison(tc.less_equal),
    "INT_EQUAL": comparison(tc.equal),
    "AND": "core.and",
    "OR": "core.or",
    "NOT": "core.not",
}
NONE, ALL = frozenset[str](), frozenset({"y0"})
SAMPLES = {name: sample(source) for name, source in ELEMENTWISE.items()} | {
    "FLOAT_TO_INT": sample("core.cast", dtype=3),
    "INT_TO_INT": sample("loihi.conv", dtype=3),
    "INT_TO_FLOAT": sample("core.cast, of truth"),
    "GATHER": sample("core.transpose", at=1),  # beyond the end of the table
    "INT_GATHER": sample("core.and", at=BEYOND),
    "SCATTER": sample("core.concat", at=BEYOND),
    "INT_SCATTER": sample(comparison(lambda a, b: tc.concat((a, b), axis=0)), at=BEYOND),
    "REDUCE": sample("core.reduce, sum", at=BEYOND, window=9, reduction=4),  # argmax among the sums
    "WINDOW_SUM": sample(long_sums, window=(0, 9, BEYOND), mean=2),
    "WINDOW_DOT": sample(long_products, window=(0, 9, BEYOND), mean=2),
    "ARG_REDUCE": sample("core.reduce, argmax", at=BEYOND, window=(0, BEYOND), reduction=(3, 6)),
    "MATMUL": sample(
        "core.affine",
        count=2,
        rows=2,
        inner=5,
        columns=9,
        shared=2,
        bias=(2, 3),  # a bias of another length
    ),
    "TOTAL": Sample(network="core.neg", wanted=Wanted(NONE, totals=ALL), refused={"offset": (0, BEYOND)}),
    "INT_TOTAL": Sample(network="core.less", wanted=Wanted(ALL, totals=ALL), refused={"offset": (0, BEYOND)}),
    "MOMENTS": Sample(network="core.neg", wanted=Wanted(NONE, ALL, ALL), refused={"offset": (0, BEYOND)}),
    "SPARSE": sample("core.sparse_affine", offsets=(1, BEYOND), columns=BEYOND),
    "SPARSE_COLUMNS": sample("core.sparse_affine, of given spikes", starts=(1, BEYOND), targets=BEYOND, into=2),
    "SPARSE_LIST": sample("core.sparse_affine, of spikes", starts=(1, BEYOND), targets=BEYOND, into=2),
    "TRACE_STEP": sample("spiking.trace_step"),
    "LIF_STEP": sample("spiking.lif_step, of many", membranes=BEYOND, counters=(1, BEYOND), form=4, refractory=2**16),
    "SPREAD": sample("spiking.lif"),
    "SPIKE_MATMUL": sample(of_spikes(listed=False), rows=2, inner=(0, 5), columns=(0, 9), finite=2),
    "LISTED_MATMUL": sample(of_spikes(listed=True), rows=2, inner=(0, 5), columns=(0, 9), finite=2),
    "BOLTZMANN": sample("thermo.boltzmann", units=(0, 3)),  # rows that do not fill it
    "NORMAL": sample("thermo.normal", draw=2**32, stream=2**32),
    "UNIFORM": sample("thermo.uniform", draw=2**32, stream=2**32),
    "P_BITS": sample("thermo.sample_binary, spins", spins=2, stream=2**32),
    "TICK": sample("core.tick"),
    "GIBBS": sample("thermo.gibbs", at=(1, BEYOND), classes=99, sweeps=0, form=(4, 64), stream=2**32, couplings=BEYOND),
    "GIBBS_WORDS": sample(
        "thermo.gibbs, words shared by units",
        at=(1, BEYOND),
        classes=99,
        sweeps=0,
        form=(0, 20, 64),  # no shared words, a lattice that is none
        stream=2**32,
        couplings=BEYOND,
    ),
    "GIBBS_LAYERS": sample(layers, at=(1, BEYOND), classes=3, sweeps=0, form=2, stream=2**32, couplings=BEYOND),
    "PAIRS": sample(
        "thermo.pair_force, table", particles=5, axes=3, law=8, settings=BEYOND, boxed=2, points=(1, BEYOND)
    ),
    "DEVICES": sample("thermo.device_step", sizes=(1, BEYOND)),
    "MVM": sample("crossbar.mvm", sizes=(1, BEYOND), settings=BEYOND, vectors=9),
    "INPUT": sample("core.add", offset=1),  # between two inputs
    "INT_INPUT": sample("core.less, of integers", offset=1),
    "OUTPUT": sample("core.add", offset=1),
    "INT_OUTPUT": sample("core.tick", offset=1),
    "READ": sample("core.delay", offset=1, ticks=(0, 2)),  # a ring of no ticks, one longer than the state
    "INT_READ": sample("core.delay, of truth", offset=1, ticks=(0, 9)),
    "WRITE": sample("core.delay", offset=1, ticks=(0, 2)),
    "INT_WRITE": sample("core.delay, of truth", offset=1, ticks=(0, 9)),
    "READ_LIST": sample("core.sparse_affine, of delayed spikes", offset=1, ticks=(0, 9)),
    "WRITE_LIST": sample("core.sparse_affine, of delayed spikes", offset=1, ticks=(0, 9)),
    "LOIHI_ENCODE": sample("loihi.encode", scale=0, top=2**31),  # more than 32 bits
    "LOIHI_DECODE": sample("loihi.decode"),
    "LOIHI_ARRIVE": sample("loihi.dense, delayed", at=1, ticks=(0, 9)),  # a ring that ends beyond the states
    "LOIHI_SYNAPSE": sample(
        "loihi.dense, delayed",
        at=BEYOND,
        ticks=(0, 4),
        units=4,
        starts=BEYOND,
        pairs=(6, BEYOND),  # weights in the place of rows
        form=(2, 4, 4 * 40),  # a list, shifted without scratch memory, shifted out of its bits
    ),
    "LOIHI_SYNAPSE_LIST": sample(
        "loihi.sparse, of spikes", at=BEYOND, ticks=(0, 9), units=99, starts=BEYOND, pairs=BEYOND, form=(2, 4 * 40)
    ),
    "LOIHI_MATRIX": sample("loihi.dense", at=BEYOND, ticks=(0, 2), units=99, form=(2, 4 * 40)),
    "LOIHI_CONV": sample("loihi.conv", at=BEYOND, sizes=(1, BEYOND), form=64),
    "LOIHI_LIF": sample("loihi.lif", currents=BEYOND, membranes=5, du=4096, dv=4097, threshold=2**31),
    "LOIHI_SPREAD": sample("loihi.lif"),
    "LOIHI_TOTAL": sample("loihi.dendrite, of five"),
    "LOIHI_GRADED": sample("loihi.graded", shift=32, magnitude=2),
    "LOIHI_LOOKUP": sample("loihi.lut", shift=32),
    "LOIHI_SIGMA": sample("loihi.sigma", at=1),
    "LOIHI_DELTA": sample("loihi.delta", at=1, scale=32, shift=32, form=(4, 8)),  # a sum that is not kept
    "LOIHI_FERMI_DIRAC": sample("loihi.fermi_dirac", at=1, turns=0, sweeps=(0, 2**32), stream=2**32),
    "LOIHI_CATEGORICAL": sample("loihi.categorical", units=(0, 3), stream=2**32),
    "LOIHI_BOLTZMANN": sample("loihi.boltzmann", units=(0, 4), fraction=23),
    "LOIHI_MEMORY": sample("loihi.memory", at=1, keep=4097, stream=2**32),
    "LOIHI_RELAXATION": sample("loihi.relaxation", at=1, floor=2**24, every=0, stream=2**32, form=24 * 32),
    "LOIHI_HEAT": sample("loihi.heat", at=1, loss=4097, floor=(0, 2**24)),
    "LOIHI_HEAT_NODE": sample("loihi.heat_node", at=1, every=0),
}
RINGS_READ = ("READ", "INT_READ", "READ_LIST")
RINGS_WRITTEN = ("WRITE", "INT_WRITE", "WRITE_LIST")
NOT_READ, A_NUMBER = "no kernel reads it", "it enters arithmetic of 64 bits alone"
ANY_VALUE = {
    ("LOIHI_DECODE", "scale"): "the bits of any float",
    ("LOIHI_MATRIX", "starts"): NOT_READ,
    ("LOIHI_MATRIX", "pairs"): NOT_READ,
    ("LOIHI_LIF", "form"): "two bits, and a tick",
    ("LOIHI_GRADED", "threshold"): A_NUMBER,
    ("LOIHI_DELTA", "threshold"): A_NUMBER,
    ("LOIHI_FERMI_DIRAC", "unused"): NOT_READ,
    ("LOIHI_FERMI_DIRAC", "form"): "a bit, and a tick",
    ("LOIHI_CATEGORICAL", "lag"): "a tick",
    ("LOIHI_BOLTZMANN", "lag"): "a tick",
    ("LOIHI_MEMORY", "gain"): A_NUMBER,
    ("LOIHI_MEMORY", "lag"): "a tick",
    ("LOIHI_RELAXATION", "lag"): "a tick",
    ("LOIHI_HEAT", "gain"): A_NUMBER,
    ("LOIHI_HEAT", "lag"): "a tick",
    ("LOIHI_HEAT_NODE", "lag"): "a tick",
}
"""(instruction, parameter) of which every value is safe."""
PLACES, PORT = "the table names its places", "the program describes it: test_bounds has its own test"
FEWER = "what lies behind is left alone"
OUTPUTS = ("OUTPUT", "INT_OUTPUT", "TOTAL", "INT_TOTAL", "MOMENTS")
ANY_SIZE = {
    **dict.fromkeys([("GATHER", "n-"), ("INT_GATHER", "n-"), ("REDUCE", "n-"), ("ARG_REDUCE", "n-")], FEWER),
    **dict.fromkeys([("GATHER", "x+"), ("INT_GATHER", "x+"), ("REDUCE", "x+"), ("ARG_REDUCE", "x+")], PLACES),
    **dict.fromkeys([(name, size) for name in ("SCATTER", "INT_SCATTER") for size in ("n+", "n-", "x+", "x-")], PLACES),
    **dict.fromkeys([("SPARSE", "x+"), ("SPARSE", "y+"), ("SPARSE_COLUMNS", "x+"), ("SPARSE_LIST", "x+")], PLACES),
    **dict.fromkeys([("SPARSE_COLUMNS", "y-"), ("SPARSE_LIST", "y-")], FEWER),
    **dict.fromkeys([(name, size) for name in ("NORMAL", "UNIFORM") for size in ("n+", "n-")], "any number is drawn"),
    **dict.fromkeys([(name, f"n{way}") for name in ("INPUT", "INT_INPUT", *RINGS_READ) for way in "+-"], PORT),
    **dict.fromkeys([(name, f"x{way}") for name in (*OUTPUTS, *RINGS_WRITTEN) for way in "+-"], PORT),
    **dict.fromkeys([("LOIHI_ARRIVE", "n-"), ("LOIHI_SYNAPSE", "x-"), ("LOIHI_SYNAPSE_LIST", "x-")], FEWER),
    **dict.fromkeys([("LOIHI_MEMORY", "x-"), ("LOIHI_HEAT", "x-")], FEWER),
    **dict.fromkeys([("LOIHI_LOOKUP", "z+"), ("LOIHI_LOOKUP", "z-")], "a table of any length, looked up within it"),
}
"""(instruction, r's or an operand's size and a sign) by which it may be larger or smaller by one in its sample."""
