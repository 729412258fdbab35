"""lava-dl's networks: the trained ones bit for bit, and what each layer of a file becomes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import thermoc as tc
from thermoc.ir.dialects import loihi
from thermoc.ir.feed import feed
from thermoc.ir.graph import exposed
from thermoc.ir.reference import interpret

RNG = np.random.default_rng(2)


def run(net: tc.Network, x: np.ndarray, *, ticks: int | None = None, probes: tuple[str, ...] = ()) -> dict[str, np.ndarray]:  # fmt: skip
    """Outputs and probes (ticks, *shape), for one sample."""
    graph = exposed(net.graph, probes, "")
    return {
        name: array[:, 0] for name, array in interpret(graph, feed(graph, {"input": x}, ticks=ticks)).outputs.items()
    }


def bins(events: np.ndarray) -> np.ndarray:
    """Events (unit, -, time) as (2000, 200) bins of a tick."""
    raster = np.zeros((2000, 200))
    raster[np.rint(events[:, 2]).astype(int), events[:, 0].astype(int)] = 1
    return raster


def test_the_oxford_network_spikes_as_slayer_says(shared: Path):
    """10,178 spikes, no differing bin, by the rule of its time, v >= threshold, and a tick of latency a layer."""
    folder = shared / "lava-dl/tutorials/lava/lib/dl/netx/oxford"
    net = tc.load(folder / "Trained/network.net", compare="greater_equal")
    found = run(net, bins(np.load(folder / "input.npy"))[:, None])["output"]
    expected = bins(np.load(folder / "ground_truth.npy"))
    assert (found != expected).sum() == 0
    assert found.sum() == expected.sum() == 10_178
    assert net.repairs == ()


def test_the_oxford_network_with_lavas_threshold_differs(shared: Path):
    """Lava's LIF spikes above the threshold only, as later files mean it: 9,632 spikes, and the rule is reported."""
    folder = shared / "lava-dl/tutorials/lava/lib/dl/netx/oxford"
    net = tc.load(folder / "Trained/network.net")
    (rule,) = net.repairs
    assert rule.what == "CUBA units (layer 0, 1) are taken to spike above their threshold"
    assert 'compare="greater_equal"' in str(rule)
    assert run(net, bins(np.load(folder / "input.npy"))[:, None])["output"].sum() == 9_632


def test_tinynet_is_exact(shared: Path):
    """Kernel, spikes of the input layer, current and spikes of the first convolution, output; layer n is n ticks late.

    The golden arrays count from 1: their tick t is the (t - 1)th of the units.
    """
    folder = shared / "lava-dl/tests/lava/lib/dl/netx"

    def golden(name: str) -> np.ndarray:
        return np.moveaxis(np.load(folder / f"gts/tinynet/{name}.npy")[0], -1, 0)

    net = tc.load(folder / "tiny.net")
    weight = net.graph.producers[net.graph.of(loihi.Conv)[0].weight.name].value.numpy  # pyright: ignore[reportAttributeAccessIssue]
    kernel = np.load(folder / "gts/tinynet/layer1_kernel.npy")  # (out, x, y, in), turned by half for Lava
    np.testing.assert_array_equal(weight[:, :, ::-1, ::-1].transpose(0, 3, 2, 1), kernel)
    image = (np.load(folder / "gts/tinynet/input_bias.npy").transpose(2, 1, 0) - 34) / 36
    found = run(net, image[None], ticks=17, probes=("layer0.s", "layer1.u", "layer1.s"))
    np.testing.assert_array_equal(found["layer0.s"][:15], golden("input")[1:])
    np.testing.assert_array_equal(found["layer1.u"][1:16], 64 * golden("current")[1:])
    np.testing.assert_array_equal(found["layer1.s"][1:16], golden("layer1")[1:])
    np.testing.assert_array_equal(found["output"][2:17], golden("output")[1:])
    assert (golden("input").sum(), golden("layer1").sum(), golden("output").sum()) == (6783, 1633, 92)


CUBA = {"type": b"CUBA", "iDecay": 1024, "vDecay": 128, "vThMant": 20, "refDelay": 1}


def layer(kind: str, shape: tuple[int, ...], neuron: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {"type": np.array([kind.encode()], "S10"), "shape": np.array(shape), "neuron": neuron or CUBA, **fields}


def file(path: Path, *layers: dict[str, Any]) -> Path:
    with h5py.File(path, "w") as handle:
        for index, fields in enumerate(layers):
            for key, value in fields.items():
                if isinstance(value, dict):
                    for name, number in value.items():
                        handle[f"layer/{index}/{key}/{name}"] = number
                else:
                    handle[f"layer/{index}/{key}"] = value
    return path


def states(a: np.ndarray, bias: np.ndarray | int = 0, *, neuron: dict[str, Any] = CUBA, strict: bool = True) -> np.ndarray:  # fmt: skip
    """SLAYER's CUBA unit in integers: spikes, v and u, (3, ticks, units)."""
    u = v = np.zeros(a.shape[1], np.int64)
    found = []
    for drive in a.astype(np.int64):
        u = np.sign(u) * (np.abs(u) * (4096 - neuron["iDecay"]) >> 12) + 64 * drive
        v = np.sign(v) * (np.abs(v) * (4096 - neuron["vDecay"]) >> 12) + u + 64 * bias
        s = v > 64 * neuron["vThMant"] if strict else v >= 64 * neuron["vThMant"]
        v = np.where(s, 0, v)
        found.append((s, v, u))
    return np.array(found).swapaxes(0, 1)


def lif(a: np.ndarray, bias: np.ndarray | int = 0, **options: Any) -> np.ndarray:
    return states(a, bias, **options)[0]


X = (RNG.random((60, 5)) < 0.4) * 1.0
EVEN = 2 * RNG.integers(-6, 9, (4, 5))


@pytest.mark.parametrize(("kind", "compare"), [("CUBA", None), ("CUBA", "greater_equal"), ("LOIHI", None)])
def test_a_dense_layer_is_its_loop_a_tick_later(tmp_path: Path, kind: str, compare: str | None):
    strict = compare is None
    bias, neuron = np.array([4, -2, 0, 6]), CUBA | {"type": kind.encode(), "iDecay": 4096, "vDecay": 4096}
    path = file(tmp_path / "a.net", layer("dense", (4,), neuron, weight=EVEN.astype(np.float32), bias=bias))
    found = run(tc.load(path, compare=compare), X[:, None])["output"]
    np.testing.assert_array_equal(found[1:], lif(X[:-1] @ EVEN.T, bias, neuron=neuron, strict=strict))
    assert 10 < found.sum() < 200
    assert (lif(X[:-1] @ EVEN.T, bias, neuron=neuron, strict=not strict) != found[1:]).any()


def test_membrane_and_current_are_those_of_the_loop(tmp_path: Path):
    path = file(tmp_path / "a.net", layer("dense", (4,), weight=EVEN, bias=np.array([3, -2, 0, 5])))
    found = run(tc.load(path), X[:, None], probes=("layer0.s", "layer0.v", "layer0.u"))
    for name, expected in zip("svu", states(X[:-1] @ EVEN.T, np.array([3, -2, 0, 5]))):
        np.testing.assert_array_equal(found[f"layer0.{name}"][1:], expected)


def test_delays_of_units_inputs_and_connections(tmp_path: Path):
    single, per_input = RNG.integers(0, 9, (4, 5)), RNG.integers(0, 9, 5)
    for delay, whole in ((single, single), (per_input, np.tile(per_input, (4, 1))), (np.float32(3), np.full((4, 5), 3))):  # fmt: skip
        net = tc.load(file(tmp_path / "a.net", layer("dense", (4,), weight=EVEN, delay=delay)))
        a = np.zeros((60, 4))
        for i, j in np.ndindex(4, 5):
            a[whole[i, j] :, i] += EVEN[i, j] * X[: 60 - whole[i, j], j]
        np.testing.assert_array_equal(run(net, X[:, None])["output"][1:], lif(a)[:-1])
    clipped = tc.load(file(tmp_path / "b.net", layer("dense", (4,), weight=EVEN, delay=100 * single)))
    assert clipped.repairs[0].what == "layer 0: delays are clipped to 62 ticks"


def test_a_recurrent_layer_reads_its_spikes_of_the_tick_before(tmp_path: Path):
    back = 2 * RNG.integers(-5, 6, (4, 4))
    net = tc.load(file(tmp_path / "a.net", layer("dense_rec", (4,), weight=EVEN, weight_rec=back)))
    found = run(net, X[:, None])["output"]
    a = np.concatenate([np.zeros((1, 4)), (X @ EVEN.T)[:-1]])
    a[1:] += found[:-1] @ back.T
    np.testing.assert_array_equal(found, lif(a))
    assert found.sum() > 10


def test_an_image_through_a_convolution_and_a_flatten(tmp_path: Path):
    """One window of a 2 x 3 kernel at each of 2 x 1 places, channel first; then all of them into one unit."""
    kernel, last = 2 * RNG.integers(-3, 5, (3, 2, 2, 3, 1)), 2 * RNG.integers(-5, 9, (1, 6))
    conv = layer("conv", (3, 2, 1), weight=kernel, stride=np.array([1, 2]), padding=np.array([0, 0]), dilation=np.array([1, 1]), groups=1)  # fmt: skip
    start = {"type": np.array([b"input"]), "shape": np.array([2, 3, 3])}
    net = tc.load(file(tmp_path / "a.net", start, conv, {"type": np.array([b"flatten"])}, layer("dense", (1,), weight=last)))  # fmt: skip
    x = (RNG.random((50, 2, 3, 3)) < 0.5) * 1.0
    a = np.stack([np.einsum("tcij,ocij->to", x[:, :, row : row + 2], kernel[..., 0]) for row in (0, 1)], axis=2)
    hidden = lif(a.reshape(50, 6))
    np.testing.assert_array_equal(run(net, x[:, None])["output"][2:], lif(hidden[:-1] @ last.T)[:-1])
    assert hidden.sum() > 20


def test_a_sigma_delta_network_adds_up_to_its_dense_one(tmp_path: Path):
    """Thresholds 0: once the input stands still, the output is W2 ReLU(W1 x / 64 + b): 64 is SLAYER's weight of 1."""
    unit = {"type": b"SDNN", "vThMant": 0, "activation": b"relu"}
    first, second, bias = 64 * RNG.integers(-2, 4, (4, 5)), 2 * RNG.integers(-3, 9, (2, 4)), np.array([2, -9, 4, 0])
    start = layer("input", (5,), unit, weight=np.array([2]), bias=np.array([1]))
    last = layer("dense", (2,), unit | {"sigma_output": True}, weight=second)
    net = tc.load(
        file(tmp_path / "a.net", start, layer("dense", (4,), unit, weight=first, bias=bias), last), spike_exp=0
    )
    x = RNG.integers(0, 5, 5)
    found = run(net, x[None].astype(float), ticks=6)["output"]
    np.testing.assert_array_equal(found[-1], second @ np.maximum(first // 64 @ (2 * x + 1) + bias, 0))
    assert found[-1].any()
    scaled = run(tc.load(tmp_path / "a.net", spike_exp=3), x[None].astype(float), ticks=6)["output"]
    np.testing.assert_array_equal(scaled[-1], found[-1])


def test_weights_take_the_form_that_eight_bits_hold(tmp_path: Path):
    """Odd ones of both signs are doubled and shifted back; too large ones are clipped, and it is told."""
    cases = {
        "even": (EVEN, "mixed", 0),
        "odd": (EVEN + np.eye(4, 5, dtype=int), "mixed", -1),
        "positive": (np.abs(EVEN) * 15 + 1, "excitatory", 0),
        "negative": (-np.abs(EVEN) * 15 - 1, "inhibitory", 0),
    }
    for weight, sign, exponent in cases.values():
        net = tc.load(file(tmp_path / "a.net", layer("dense", (4,), weight=weight)))
        (synapse,) = net.graph.of(loihi.Dense)
        assert (synapse.sign_mode, synapse.weight_exp) == (sign, exponent)
        np.testing.assert_array_equal(run(net, X[:, None], probes=("layer0.a",))["layer0.a"][1:], X[:-1] @ weight.T)
    wide = EVEN.copy()
    wide[0, 0] = 300
    net = tc.load(file(tmp_path / "b.net", layer("dense", (4,), weight=wide)))
    assert net.repairs[0].what == "layer 0: weights are clipped to -256 to 254"


DENSE = layer("dense", (4,), weight=EVEN)
BAD: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "a layer of no kind": (lambda: layer("torus", (4,)), "its type is 'torus'"),
    "a transposed convolution": (lambda: layer("convT", (4,)), "its type is 'convT', a transposed convolution, which netx cannot run"),
    "an average first": (lambda: {"type": np.array([b"average"]), "shape": np.array([1])}, "no layer computes anything"),
    "a pool of many kernels": (lambda: layer("pool", (2, 1, 1), weight=np.ones((2, 1, 2, 2))), "a pool one kernel for every channel"),
    "sizes that disagree": (lambda: DENSE | {"inFeatures": 6}, "inFeatures is 6, and its weight has 5"),
    "an activation of no form": (lambda: DENSE | {"neuron": {"type": b"SDNN", "vThMant": 1, "activation": b"tanh"}}, "have the activation 'tanh'"),
    "a weight exponent past the chip's": (lambda: DENSE | {"neuron": CUBA | {"wgtExp": 9}}, "weight_exp must be"),
    "recurrent units of many delays": (lambda: layer("dense_rec", (4,), weight=EVEN, weight_rec=np.eye(4), delay=np.arange(4)), "its units have different delays"),
    "no type": (lambda: {"shape": np.array([3])}, "its type is 'None'"),
    "no weight": (lambda: layer("dense", (4,)), "weight has no row for each of 4 units"),
    "a weight of another size": (lambda: layer("dense", (4,), weight=np.ones((3, 5))), "weight has no row for each of 4"),
    "weights too wide and odd": (lambda: layer("dense", (4,), weight=EVEN + 201 * np.eye(4, 5)), "odd weights of both signs"),
    "a weight that is none": (lambda: layer("dense", (4,), weight=np.full((4, 5), np.nan)), "beyond 32 bits"),
    "complex weights": (lambda: layer("dense", (4,), weight={"real": EVEN, "imag": EVEN}), "weight is complex"),
    "a huge shape": (lambda: layer("dense", (2**40,), weight=EVEN), "beyond 32 bits"),
    "a large shape": (lambda: layer("dense", (2**26,), weight=EVEN), "of 1 to 16777216 elements"),
    "no neuron": (lambda: {key: value for key, value in layer("conv", (1, 1, 1), weight=np.ones((1, 1, 1, 1))).items() if key != "neuron"}, "the shape of its input"),
    "another neuron": (lambda: DENSE | {"neuron": CUBA | {"type": b"RF"}}, "its neuron is 'RF'"),
    "no threshold": (lambda: DENSE | {"neuron": {key: CUBA[key] for key in ("type", "iDecay", "vDecay")}}, "its neuron has no vThMant"),
    "units of many decays": (lambda: DENSE | {"neuron": CUBA | {"iDecay": np.arange(4)}}, "iDecay differs from unit to unit"),
    "graded spikes": (lambda: DENSE | {"neuron": CUBA | {"gradedSpike": True}}, "its CUBA units send graded spikes"),
    "a refractory time": (lambda: DENSE | {"neuron": CUBA | {"refDelay": 3}}, "refDelay is 3"),
    "a decay out of range": (lambda: DENSE | {"neuron": CUBA | {"iDecay": 0}}, "du must be an integer from 0 to 4095"),
    "a bias of another size": (lambda: DENSE | {"bias": np.ones(3)}, "a bias of shape [3] for units of [4]"),
    "a negative delay": (lambda: DENSE | {"delay": -np.ones(4)}, "a delay is negative"),
    "delays of another size": (lambda: DENSE | {"delay": np.ones(3)}, "delays of shape [3] for weights of [4, 5]"),
    "a convolution first": (lambda: layer("conv", (1, 1, 1), weight=np.ones((1, 1, 1, 1))), "the shape of its input is not stated"),
    "a flat kernel": (lambda: layer("conv", (1, 1, 1), weight=np.ones((1, 1))), "its weight is not (out, in, height, width[, 1])"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_layer_that_makes_no_sense_is_named(tmp_path: Path, name: str):
    make, fact = BAD[name]
    with pytest.raises(tc.ThermocError) as caught:
        tc.load(file(tmp_path / "a.net", make()))
    assert caught.value.code == (
        "T105" if name in ("a decay out of range", "a weight exponent past the chip's") else "T508"
    )
    assert "layer 0" in str(caught.value) or "layer list" in str(caught.value)
    assert fact in str(caught.value)


def test_a_convolution_delays_what_it_sends(tmp_path: Path):
    """Each channel by its own ticks, with a bias too where all have one delay."""
    kernel = 2 * RNG.integers(-3, 6, (3, 2, 2, 2))
    x = (RNG.random((60, 2, 4, 3)) < 0.4) * 1.0
    window = {"stride": np.array([2, 1]), "padding": np.array([1, 0]), "dilation": np.array([1, 1]), "groups": 1}
    shape = (3, 3, 2)
    for delay, bias in (
        (np.array([0, 2, 5]), np.zeros(3)),
        (np.array([4.0]), np.array([9, -2, 7])),
        (4, np.array([1, 2, 3])),
    ):
        plain = layer("conv", shape, weight=kernel, bias=bias, **window)
        expected = run(tc.load(file(tmp_path / "a.net", plain), input_shape=(2, 4, 3)), x[:, None])["output"]
        found = run(tc.load(file(tmp_path / "b.net", plain | {"delay": delay}), input_shape=(2, 4, 3)), x[:, None])[
            "output"
        ]
        for channel, ticks in enumerate(np.broadcast_to(delay, 3).astype(int)):
            np.testing.assert_array_equal(found[ticks:, channel], expected[: 60 - ticks, channel])
            assert not found[:ticks, channel].any()
        assert expected.sum() > 40
    uneven = layer("conv", shape, weight=kernel, bias=np.ones(3), delay=np.array([0, 2, 5]), **window)
    net = tc.load(file(tmp_path / "c.net", uneven), input_shape=(2, 4, 3))
    assert net.repairs[0].what == "layer 0: its bias acts earlier than in SLAYER"


def test_an_input_layer_passes_its_current_and_its_delays(tmp_path: Path):
    """SLAYER's meaning: u' = (1 - iDecay) u + a, then v; channel 1 two ticks later."""
    x = (RNG.random((60, 2, 3)) < 0.5) * 1.0
    start = layer("input", (2, 3), CUBA, weight=np.array([10]), bias=np.array([1]), delay=np.array([0, 2]))
    last = layer("dense", (6,), CUBA | {"vThMant": 1, "iDecay": 4096, "vDecay": 4096}, weight=64 * np.eye(6))
    net = tc.load(file(tmp_path / "a.net", start, {"type": np.array([b"flatten"])}, last))
    drive = 10 * x + 1
    drive[:, 1] = np.concatenate([np.zeros((2, 3)), drive[:-2, 1]])
    np.testing.assert_array_equal(run(net, x[:, None])["output"][1:], lif(drive.reshape(60, 6))[:-1])
    assert net.repairs[0].what == "layer 0: inputs pass its current, iDecay, as SLAYER has it"


def test_exponents_of_weights_and_of_batch_norms(tmp_path: Path):
    """wgtExp: weights count 2^wgtExp times. weight_exp: current and bias are divided by 2^weight_exp, 8 at most."""
    bias, plain = np.array([4, -2, 0, 6]), CUBA | {"iDecay": 4096, "vDecay": 0}
    for fields, factor in (({"wgtExp": 2}, 4), ({"wgtExp": -1}, 0.5)):
        path = file(tmp_path / "a.net", layer("dense", (4,), plain | fields, weight=EVEN, bias=bias))
        expected = lif((X[:-1] @ EVEN.T * factor).astype(int), bias, neuron=plain)
        np.testing.assert_array_equal(run(tc.load(path), X[:, None])["output"][1:], expected)
    for exponent in (-2, 1, 3, 7):
        divisor = 2.0 ** min(exponent, 3)
        path = file(tmp_path / "b.net", layer("dense", (4,), plain | {"weight_exp": np.array([exponent], np.float32)}, weight=EVEN, bias=bias))  # fmt: skip
        v, spikes = np.zeros(4), []
        for drive in X[:-1] @ EVEN.T + bias:
            v = v + drive / divisor
            spikes.append(v > 20)
            v = np.where(v > 20, 0, v)
        np.testing.assert_array_equal(run(tc.load(path), X[:, None])["output"][1:], spikes)
        assert np.sum(spikes) > 5


def test_the_first_layers_alone_and_an_average_last(tmp_path: Path):
    average = {"type": np.array([b"average"]), "shape": np.array([2, 1, 1])}
    path = file(tmp_path / "a.net", DENSE, average)
    spikes = run(tc.load(path, num_layers=1), X[:, None])["output"]
    np.testing.assert_array_equal(spikes[1:], lif(X[:-1] @ EVEN.T))
    np.testing.assert_array_equal(run(tc.load(path), X[:, None])["output"], spikes.reshape(60, 2, 2).mean(2))
    with pytest.raises(tc.ThermocError, match="do not make 3 equal groups"):
        tc.load(file(tmp_path / "b.net", DENSE, average | {"shape": np.array([3])}))
    with pytest.raises(tc.ThermocError, match="not the last layer") as caught:
        tc.load(file(tmp_path / "c.net", DENSE, average, layer("dense", (1,), weight=np.ones((1, 2)))))
    assert "num_layers=1" in str(caught.value)


def test_fields_that_are_not_used_are_named(tmp_path: Path):
    path = file(tmp_path / "a.net", layer("dense", (4,), CUBA | {"tauRho": 0.5, "colour": 3}, weight=EVEN, extra=np.ones(2)))  # fmt: skip
    with h5py.File(path, "r+") as handle:
        handle["simulation/Ts"] = 1
    note = tc.load(path).repairs[-1]
    assert note.what == "fields of the file that are not used"
    assert note.notes == (
        "simulation: the file",
        "extra: layer 0",
        "neuron/colour: layer 0",
        "neuron/tauRho (of training alone): layer 0",
    )


def test_files_and_options_that_are_none(tmp_path: Path):
    with h5py.File(tmp_path / "a.net", "w") as handle:
        handle["x"] = 1
    file(tmp_path / "b.net", DENSE)
    with h5py.File(tmp_path / "b.net", "r+") as handle:
        handle.move("layer/0", "layer/7")
    good = file(tmp_path / "c.net", DENSE)
    for path, options, code in (("a.net", {}, "T506"), ("b.net", {}, "T508"), (good, {"compare": "less"}, "T303"), (good, {"spike_exp": 9}, "T303"), (good, {"num_layers": 0}, "T303"), (good, {"input_shape": (0, 2)}, "T303"), (good, {"input_shape": "xy"}, "T303"), (good, {"dt": 1.0}, "T111")):  # fmt: skip
        with pytest.raises(tc.ThermocError) as caught:
            tc.load(tmp_path / path, **options)
        assert caught.value.code == code
    with pytest.raises(tc.ThermocError, match="no writer knows") as caught:
        __import__("thermoc.frontends.formats", fromlist=["write"]).write(tc.load(good).graph, "x.net")
    assert caught.value.code == "T506"
