"""Sound files of every format, small, made anew: what damage starts from."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np

import thermoc as tc
from thermoc.simulator.chips import chip as chips
from thermoc.simulator.devices import device as devices
from thermoc.simulator.devices import models
from thermoc.support.arrays import npz_bytes

TESTS = Path(__file__).parents[1]
RING = np.roll(np.eye(6), 1, 0) + np.roll(np.eye(6), -1, 0)


def graphs() -> list[bytes]:
    """A stored sample of each op."""
    return [path.read_bytes() for path in sorted((TESTS / "ir/samples").glob("v*/*.thermo"))]


def _networks() -> list[tc.Network]:
    with tc.Network("ring") as ring:
        tc.output("s", tc.gibbs(2.0, RING, 0.1))
    with tc.Network("memory", dt=0.3) as memory:
        tc.output("m", tc.memory(tc.input("x", (3,)), 0.7, 1.3))
    with tc.Network("layers") as layers:
        h = tc.thermal_relu(tc.affine(tc.input("x", (4,)), np.eye(3, 4)), 0.1)
        tc.output("p", tc.boltzmann(h, 0.5))
    with tc.Network("spikes", dt=1e-4) as spikes:
        tc.output("z", tc.lif(tc.input("x", (3,)), 2.5e-3, v_threshold=0.1, method="euler")[0])
    return [ring, memory, layers, spikes]


def programs() -> list[bytes]:
    """Programs of the simulator."""
    return [tc.compile(net, "sim").artefact.to_bytes() for net in _networks()]


def chip_programs() -> list[bytes]:
    """Streams of instructions of a chip."""
    artefacts: list[Any] = [tc.compile(net, "chip", chip="thermo-1").artefact for net in _networks()[:3]]
    return [artefact.to_bytes() for artefact in artefacts]


def certificates() -> list[bytes]:
    """Certificates that hold their network."""
    ring, memory, *_ = _networks()
    runs = [
        tc.compile(ring, "sim").run(ticks=12, batch=2, seed=1),
        tc.compile(memory, "sim").run({"x": np.ones((2, 3))}, ticks=12, seed=1),
    ]
    return [json.dumps(tc.certify(run).document).encode() for run in runs]


def archives() -> list[bytes]:
    """Arrays by name, compressed and not."""
    rng = np.random.default_rng(0)
    arrays = {"x": rng.normal(size=(4, 3)), "y": np.arange(5), "z": np.zeros((2, 0, 3), np.float32), "b": np.eye(2) > 0}
    stored = io.BytesIO()
    np.savez(stored, **arrays)  # pyright: ignore[reportArgumentType]
    return [npz_bytes(arrays, compress=True), stored.getvalue(), npz_bytes({"zeros": np.zeros(10**5)}, compress=True)]


def single_arrays() -> list[bytes]:
    """One array a file, in both orders and byte orders."""
    arrays = [np.arange(6.0).reshape(2, 3), np.asfortranarray(np.eye(3)), np.arange(4, dtype=">i4"), np.array(1.5)]
    return [_written(lambda stream, array=array: np.save(stream, array)) for array in arrays]


def _written(write: Callable[[io.BytesIO], Any]) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def _full(value: float, *shape: int) -> np.ndarray:
    return np.full(shape, value)


def nir_files() -> list[bytes]:
    """Graphs by the official package: dense, recurrent, convolutional, with a delay."""
    lif = nir.LIF(
        tau=_full(2e-3, 3), r=_full(1.0, 3), v_leak=_full(0.0, 3), v_threshold=_full(0.5, 3), v_reset=_full(0.0, 3)
    )
    ends = {"input": nir.Input({"input": np.array([4])}), "output": nir.Output({"output": np.array([3])})}
    dense = {**ends, "w": nir.Affine(np.ones((3, 4)), np.zeros(3)), "lif": lif}
    way = [("input", "w"), ("w", "lif"), ("lif", "output")]
    back = {**dense, "r": nir.Linear(np.eye(3)), "d": nir.Delay(_full(1e-3, 3))}
    image = {"input": nir.Input({"input": np.array([1, 6, 6])}), "output": nir.Output({"output": np.array([2, 2, 2])})}
    image["conv"] = nir.Conv2d((6, 6), np.ones((2, 1, 3, 3)), 1, 0, 1, 1, np.zeros(2))
    image["pool"] = nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0]))
    cases = [
        (dense, way),
        (back, [*way, ("lif", "r"), ("r", "d"), ("d", "lif")]),
        (image, [("input", "conv"), ("conv", "pool"), ("pool", "output")]),
    ]
    graphs = [nir.NIRGraph(nodes=nodes, edges=edges, type_check=False) for nodes, edges in cases]
    return [_written(lambda stream, graph=graph: nir.write(stream, graph)) for graph in graphs]


def hdf5_bytes(tree: dict[str, Any]) -> bytes:
    """A file of nested dictionaries, as h5py writes it."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        _fill(file, tree)
    return buffer.getvalue()


def _fill(group: h5py.Group, tree: dict[str, Any]) -> None:
    for name, value in tree.items():
        if isinstance(value, dict):
            _fill(group.create_group(name), value)
        else:
            group.create_dataset(name, data=value)


CUBA = {"type": b"CUBA", "iDecay": 1024, "vDecay": 128, "vThMant": 20, "refDelay": 1}


def onnx_files() -> list[bytes]:
    """Exported networks with noise and without, and a model of other tools."""
    exported: list[Any] = [tc.compile(net, "onnx").artefact for net in _networks()[1:3]]
    return [artefact.to_bytes() for artefact in exported] + [model.SerializeToString() for model in onnx_models()]


def onnx_models() -> list[Any]:
    """A convolution that is flattened by its own shape, and an LSTM behind integers that are gathered."""
    from onnx import TensorProto, helper, numpy_helper

    def model(nodes: list[Any], ports: list[Any], **arrays: np.ndarray) -> Any:
        infos = [helper.make_tensor_value_info(*port) for port in ports]
        held = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
        graph = helper.make_graph(nodes, "made", infos[:1], infos[1:], held)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)

    node, F = helper.make_node, TensorProto.FLOAT
    image = [
        node("Conv", ["x", "W"], ["c"], pads=[1, 1, 1, 1], strides=[2, 2]),
        node("MaxPool", ["c"], ["p"], kernel_shape=[2, 2]),
        node("Shape", ["p"], ["s"]),
        node("Gather", ["s", "zero"], ["n"]),
        node("Concat", ["n", "rest"], ["to"], axis=0),
        node("Reshape", ["p", "to"], ["f"]),
        node("Softmax", ["f"], ["y"]),
    ]
    words = [
        node("Gather", ["E", "i"], ["e"]),
        node("Transpose", ["e"], ["t"], perm=[1, 0, 2]),
        node("LSTM", ["t", "W", "R"], ["", "h"], hidden_size=2),
        node("Squeeze", ["h", "zero"], ["y"]),
    ]
    return [
        model(
            image,
            [("x", F, ["N", 1, 6, 6]), ("y", F, None)],
            W=np.ones((2, 1, 3, 3), np.float32),
            zero=np.array([0]),
            rest=np.array([-1]),
        ),
        model(
            words,
            [("i", TensorProto.INT64, ["N", 3]), ("y", F, None)],
            E=np.ones((5, 3), np.float32),
            W=np.ones((1, 8, 3), np.float32),
            R=np.ones((1, 8, 2), np.float32),
            zero=np.array([0]),
        ),
    ]


def net_trees() -> list[dict[str, Any]]:
    """Networks as lava-dl writes them: dense, and a convolution before a dense layer."""

    def layer(kind: bytes, shape: tuple[int, ...], **fields: Any) -> dict[str, Any]:
        return {"type": np.array([kind], "S10"), "shape": np.array(shape), "neuron": dict(CUBA), **fields}

    dense = layer(b"dense", (4,), weight=2 * np.eye(4, 5, dtype=np.int64), bias=np.array([4, -2, 0, 6]))
    again = layer(b"dense", (3,), weight=2 * np.ones((3, 4), np.int64))
    window = {"padding": (0, 0), "stride": (1, 1), "dilation": (1, 1), "groups": 1}
    image = layer(b"conv", (2, 4, 4), weight=2 * np.ones((2, 1, 3, 3, 1), np.int64), **window)
    flat, start = layer(b"flatten", (32,)), {"type": np.array([b"input"]), "shape": np.array([1, 6, 6])}
    last = layer(b"dense", (3,), weight=2 * np.ones((3, 32), np.int64))
    return [{"layer": {"0": dense, "1": again}}, {"layer": {"0": start, "1": image, "2": flat, "3": last}}]


def chip_files() -> list[bytes]:
    """The chips that come with thermoc."""
    return [path.read_bytes() for path in sorted(Path(chips.__file__).parent.glob("*.toml"))]


def device_files() -> list[bytes]:
    """The data files of devices, by name."""
    return [models.data_file(name).read_bytes() for name in devices.names()]


def stack_files() -> list[bytes]:
    """A stack with a package, as a data file."""
    return [(TESTS / "thermal/reference_die.toml").read_bytes()]


FLOORPLAN = b"# a b c d\ncore 1e-3 2e-3 0 0\ncache 1e-3 1e-3 1e-3 0\nrest 1e-3 1e-3 1e-3 1e-3\n"
POWER = b"core cache rest\n1.0 0.5 0\n0 0.25 1e-3\n"
CONFIG = b"# comment\n-t_chip 0.00015\n-k_chip 130.0\n-ambient 318.15\n"
ICE_FLOORPLAN = b"a:\n  position 0, 0;\n  dimension 5000, 10000;\n  power values 1.0, 2.0;\n\nb:\n  rectangle (5000, 0, 5000, 10000);\n  power values 0.5, 0.0;\n"
ICE_STACK = b"""material SILICON :
   thermal conductivity 1.30e-4 ;
   volumetric heat capacity 1.628e-12 ;

top heat sink :
   heat transfer coefficient 1.0e-7 ;
   temperature 300 ;

die TOP :
   source 2 SILICON ;
   layer 50 SILICON ;

stack:
   die D TOP floorplan "a.flp" ;

dimensions :
   chip length 10000, width 10000 ;
   cell length 500, width 500 ;

solver:
   steady ;
   initial temperature 300.0 ;

output:
   T (D, 100, 100, "x.txt", final) ;
"""


PROBLEMS: dict[str, tuple[bytes, ...]] = {
    "rudy": (b"4 3\n1 2 1\n2 3 -1\n3 4 2.5\n", b"3 2\n1 2\n2 3\n"),
    "edges": (b"0 1 2\n1 5 -1\n", b"0 1\n1 2\n"),
    "dimacs": (b"c x\np edge 4 3\nn 1 2\ne 1 2\ne 2 3\ne 3 1\n",),
    "matrix": (b"0 1 0 2\n1 0 1 0\n0 1 0 1\n2 0 1 0\n",),
    "qubo": (b"# vartype=SPIN\n0 0 -1\n0 1 2.5\n", b"3 2\n0 1 2\n2 2 -3\n"),
    "qbsolv": (b"c x\np qubo 0 4 2 2\n0 0 1\n3 3 -2\n0 1 3\n1 2 -1.5\n",),
    "ising": (b"0 1 2.5\n1 -1\n1 2 -3\n",),
    "cnf": (b"c x\np cnf 4 4\n1 -2 3\n4 0 -1 0 2 -3 0\n0\n%\n0\n",),
    "tsplib": (
        b"NAME: a\nTYPE: TSP\nDIMENSION: 3\nEDGE_WEIGHT_TYPE: EUC_2D\nNODE_COORD_SECTION\n1 0 0\n2 3 4\n3 1 1\nEOF\n",
        b"DIMENSION: 3\nEDGE_WEIGHT_TYPE: EXPLICIT\nEDGE_WEIGHT_FORMAT: UPPER_ROW\nEDGE_WEIGHT_SECTION\n1 2\n3\nEOF\n",
    ),
}
"""Problems of optimisation by format."""


def bqm_documents(use_bytes: bool = False) -> list[Any]:
    """Binary quadratic models as dimod writes them."""
    import dimod

    models = [dimod.BQM({"a": 1, ("b", 2): -2.5}, {("a", ("b", 2)): 3}, 0.5, vartype) for vartype in ("SPIN", "BINARY")]
    return [model.to_serializable(use_bytes=use_bytes) for model in models]


def bqm_files() -> list[bytes]:
    """The same in BSON."""
    import bson

    return [bson.encode(document) for document in bqm_documents(use_bytes=True)]
