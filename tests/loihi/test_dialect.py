"""What the dialect refuses: every number outside Loihi's ranges, named with what was given and what there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc.ir.dialects.loihi import LIMIT, weight_range
from thermoc.ir.handle import Handle

A_LIF: dict[str, Any] = {"du": 1, "dv": 1, "vth": 1}


def code(make: Callable[[Handle], Any], shape: tuple[int, ...] = (3,)) -> str:
    """Return the code and the text of what is wrong with a network of one integer input."""
    with pytest.raises(tc.ThermocError) as caught, tc.Network("wrong") as net:
        x = tc.input("x", shape, dtype="i32")
        made = make(x)
        tc.output("y", made[0] if isinstance(made, tuple) else made)
    assert net is not None
    return str(caught.value)


def right(make: Callable[[Handle], Any], shape: tuple[int, ...] = (3,)) -> None:
    """What is at the edge of a range is in it."""
    with tc.Network("right") as net:
        made = make(tc.input("x", shape, dtype="i32"))
        tc.output("y", made[0] if isinstance(made, tuple) else made)
    assert net.graph


W = np.full((2, 3), 4)
SPARSE = (np.array([4, 4]), np.array([0, 2]), np.array([0, 1, 2]))
KERNEL = np.full((1, 1, 2, 2), 4)

OUTSIDE: dict[str, tuple[Callable[..., Any], str, tuple[Any, ...], tuple[Any, ...], tuple[int, ...]]] = {
    "dense weight_exp": (lambda x, k: tc.loihi.dense(x, W, weight_exp=k), "weight_exp", (-9, 8, 0.5), (-8, 7), (3,)),
    "dense weight_bits": (lambda x, k: tc.loihi.dense(x, 0 * W, weight_bits=k), "weight_bits", (0, 9), (1, 8), (3,)),
    "dense message_bits": (lambda x, k: tc.loihi.dense(x, W, message_bits=k), "message_bits", (-1, 25), (0, 24), (3,)),
    "dense sign_mode": (lambda x, k: tc.loihi.dense(x, W, sign_mode=k), "sign_mode", ("none",), ("excitatory",), (3,)),
    "dense longest": (lambda x, k: tc.loihi.dense(x, W, longest=k), "longest", (-1, 64), (0, 63), (3,)),
    "dense delays": (lambda x, k: tc.loihi.dense(x, W, k + 0 * W, longest=63), "delays", (-1, 64), (0, 63), (3,)),
    "dense delays beyond longest": (lambda x, k: tc.loihi.dense(x, W, k + 0 * W, longest=5), "delays", (6,), (5,), (3,)),
    "dense weights": (lambda x, k: tc.loihi.dense(x, 0 * W + k), "weights", (-258, 256, 3), (-256, 254), (3,)),
    "dense excitatory": (
        lambda x, k: tc.loihi.dense(x, 0 * W + k, sign_mode="excitatory"), "weights", (-1, 256), (0, 255), (3,)
    ),
    "dense inhibitory": (
        lambda x, k: tc.loihi.dense(x, 0 * W + k, sign_mode="inhibitory"), "weights", (1, -256), (0, -255), (3,)
    ),
    "dense four bits": (lambda x, k: tc.loihi.dense(x, 0 * W + k, weight_bits=4), "weights", (16, 256), (32, 224), (3,)),
    "sparse values": (lambda x, k: tc.loihi.sparse(x, SPARSE[0] + k, *SPARSE[1:]), "weights", (252, 1), (250,), (3,)),
    "sparse columns": (lambda x, k: tc.loihi.sparse(x, SPARSE[0], [0, k], SPARSE[2]), "columns", (-1, 3), (0, 2), (3,)),
    "sparse offsets": (lambda x, k: tc.loihi.sparse(x, *SPARSE[:2], [0, k, 2]), "offsets", (-1, 3), (0, 2), (3,)),
    "sparse end": (lambda x, k: tc.loihi.sparse(x, *SPARSE[:2], [0, 1, k]), "offsets", (1, 3), (2,), (3,)),
    "sparse delays": (lambda x, k: tc.loihi.sparse(x, *SPARSE, [0, k], longest=9), "delays", (-1, 10), (0, 9), (3,)),
    "conv weights": (lambda x, k: tc.loihi.conv(x, KERNEL + k), "weights", (252, 1), (250,), (1, 4, 4)),
    "conv weight_exp": (lambda x, k: tc.loihi.conv(x, KERNEL, weight_exp=k), "weight_exp", (-9, 8), (-8, 7), (1, 4, 4)),
    "conv stride": (lambda x, k: tc.loihi.conv(x, KERNEL, stride=k), "stride", (0,), (1, 9), (1, 4, 4)),
    "lif du": (lambda x, k: tc.loihi.lif(x, **A_LIF | {"du": k}), "du", (-1, 4096), (0, 4095), (3,)),
    "lif dv": (lambda x, k: tc.loihi.lif(x, **A_LIF | {"dv": k}), "dv", (-1, 4097), (0, 4096), (3,)),
    "lif vth": (lambda x, k: tc.loihi.lif(x, **A_LIF | {"vth": k}), "vth", (-1, 2**17), (0, 2**17 - 1), (3,)),
    "lif bias_mant": (lambda x, k: tc.loihi.lif(x, k, **A_LIF), "bias_mant", (-4097, 4096), (-4096, 4095), (3,)),
    "lif bias_exp": (lambda x, k: tc.loihi.lif(x, **A_LIF, bias_exp=k), "bias_exp", (-1, 8), (0, 7), (3,)),
    "lif v_initial": (lambda x, k: tc.loihi.lif(x, 0, k, **A_LIF), "v_initial", (-LIMIT - 1, LIMIT + 1), (LIMIT,), (3,)),
    "lif u_initial": (lambda x, k: tc.loihi.lif(x, 0, 0, k, **A_LIF), "u_initial", (2**23,), (-LIMIT, LIMIT), (3,)),
    "lif lag": (lambda x, k: tc.loihi.lif(x, **A_LIF, lag=k), "lag", (-1,), (0, 9), (3,)),
    "lif reset": (lambda x, k: tc.loihi.lif(x, **A_LIF, reset=k), "reset", ("value",), ("subtract",), (3,)),
    "lif compare": (lambda x, k: tc.loihi.lif(x, **A_LIF, compare=k), "compare", ("less",), ("greater_equal",), (3,)),
    "graded vth": (lambda x, k: tc.loihi.graded(x, vth=k), "vth", (-1, 2**23), (0, LIMIT), (3,)),
    "graded shift": (lambda x, k: tc.loihi.graded(x, shift=k), "shift", (-1, 24), (0, 23), (3,)),
    "graded bias": (lambda x, k: tc.loihi.graded(x, k), "bias", (-(2**23), 2**23), (-LIMIT, LIMIT), (3,)),
    "lut table": (lambda x, k: tc.loihi.lut(x, [0, k]), "table", (-(2**23), 2**23), (-LIMIT, LIMIT), (3,)),
    "lut shift": (lambda x, k: tc.loihi.lut(x, [1], shift=k), "shift", (-1, 32), (0, 31), (3,)),
    "delta vth": (lambda x, k: tc.loihi.delta(x, vth=k), "vth", (-1, 2**23), (0, LIMIT), (3,)),
    "delta spike_exp": (lambda x, k: tc.loihi.delta(x, spike_exp=k), "spike_exp", (-1, 8), (0, 7), (3,)),
    "delta state_exp": (lambda x, k: tc.loihi.delta(x, state_exp=k), "state_exp", (-1, 8), (0, 7), (3,)),
    "delta cum_error": (lambda x, k: tc.loihi.delta(x, cum_error=k), "cum_error", ("yes", 1), (True,), (3,)),
    "sigma_delta vth": (lambda x, k: tc.loihi.sigma_delta(x, vth=k), "vth", (-1, 2**23), (0, LIMIT), (3,)),
    "sigma_delta bias": (lambda x, k: tc.loihi.sigma_delta(x, k), "bias", (-(2**23), 2**23), (LIMIT, -LIMIT), (3,)),
    "fermi_dirac T": (lambda x, k: tc.loihi.fermi_dirac(x, k), "T", (-1, 0, 2**24), (1, 2**24 - 1), (3,)),
    "fermi_dirac bias": (lambda x, k: tc.loihi.fermi_dirac(x, 9, k), "bias", (2**23,), (-LIMIT, LIMIT), (3,)),
    "fermi_dirac turn": (lambda x, k: tc.loihi.fermi_dirac(x, 9, 0, k, turns=3), "turn", (-1, 3), (0, 2), (3,)),
    "fermi_dirac turns": (lambda x, k: tc.loihi.fermi_dirac(x, 9, turns=k), "turns", (0,), (1, 9), (3,)),
    "fermi_dirac initial": (lambda x, k: tc.loihi.fermi_dirac(x, 9, 0, 0, k), "initial", (-1, 2), (0, 1), (3,)),
    "fermi_dirac spin": (
        lambda x, k: tc.loihi.fermi_dirac(x, 9, 0, 0, k, levels="spin"), "initial", (-2, 2), (-1, 1), (3,)
    ),
    "categorical T": (lambda x, k: tc.loihi.categorical(x, k), "T", (0, 2**24), (1, 2**24 - 1), (3,)),
    "categorical bias": (lambda x, k: tc.loihi.categorical(x, 9, k), "bias", (2**23,), (-LIMIT, LIMIT), (3,)),
    "memory sigma": (lambda x, k: tc.loihi.memory(x, k), "sigma", (-1, 2**23), (0, LIMIT), (3,)),
    "memory dm": (lambda x, k: tc.loihi.memory(x, 9, dm=k), "dm", (-1, 4097), (0, 4096), (3,)),
    "memory gain": (lambda x, k: tc.loihi.memory(x, 9, gain=k), "gain", (-1, 2**17), (0, 2**17 - 1), (3,)),
    "memory initial": (lambda x, k: tc.loihi.memory(x, 9, initial=k), "initial", (2**23,), (-LIMIT, LIMIT), (3,)),
    "heat ambient": (lambda x, k: tc.loihi.heat(x, k), "ambient", (0, 2**24), (1, 2**24 - 1), (3,)),
    "heat initial": (lambda x, k: tc.loihi.heat(x, 9, k), "initial", (0, 2**24), (1, 2**24 - 1), (3,)),
    "heat loss": (lambda x, k: tc.loihi.heat(x, loss=k), "loss", (-1, 4097), (0, 4096), (3,)),
    "heat gain": (lambda x, k: tc.loihi.heat(x, gain=k), "gain", (-1, 2**17), (0, 2**17 - 1), (3,)),
    "boltzmann T": (lambda x, k: tc.loihi.boltzmann(x, k), "T", (0, 2**24), (1, 2**24 - 1), (3,)),
    "boltzmann bias": (lambda x, k: tc.loihi.boltzmann(x, 9, k), "bias", (-LIMIT - 1, LIMIT + 1), (-LIMIT, LIMIT), (3,)),
    "boltzmann fraction": (lambda x, k: tc.loihi.boltzmann(x, 9, fraction=k), "fraction", (0, 23), (1, 22), (3,)),
    "relaxation sigma": (lambda x, k: tc.loihi.relaxation(x, k), "sigma", (-1, LIMIT + 1), (0, LIMIT), (3,)),
    "relaxation loss": (lambda x, k: tc.loihi.relaxation(x, 0, k), "loss", (-1, 2**24 + 1), (0, 2**24), (3,)),
    "relaxation shift": (lambda x, k: tc.loihi.relaxation(x, 0, 9, k), "shift", (-1, 64), (0, 63), (3,)),
    "relaxation initial": (
        lambda x, k: tc.loihi.relaxation(x, 0, 9, 0, k, floor=5), "initial", (4, LIMIT + 1), (5, LIMIT), (7,)
    ),
    "relaxation rest": (
        lambda x, k: tc.loihi.relaxation(x, 0, 9, 0, 0, k), "initial_rest", (-1, 2**24), (0, 2**24 - 1), (3,)
    ),
    "relaxation lift": (lambda x, k: tc.loihi.relaxation(x, lift=k), "lift", (-1, 32), (0, 31), (3,)),
    "relaxation spread": (lambda x, k: tc.loihi.relaxation(x, spread=k), "spread", (-1, 24), (0, 23), (3,)),
    "heat node capacity": (lambda x, k: tc.loihi.heat_node(x, k), "capacity", (0, LIMIT + 1), (1, LIMIT), (3,)),
    "heat node rest": (lambda x, k: tc.loihi.heat_node(x, 9, 0, k), "initial_rest", (-1, LIMIT + 1), (0, LIMIT), (3,)),
    "heat floor": (lambda x, k: tc.loihi.heat(x, floor=k), "floor", (0, 2**24), (1, 2**24 - 1), (3,)),
    "encode bits": (lambda x, k: tc.loihi.encode(tc.input("f", (2,)), bits=k), "bits", (1, 25), (2, 24), (3,)),
    "encode scale": (lambda x, k: tc.loihi.encode(tc.input("f", (2,)), scale=k), "scale", (0, -1.0), (0.5,), (3,)),
    "decode scale": (lambda x, k: tc.loihi.decode(x, scale=k), "scale", (0.0, float("nan")), (2.0,), (3,)),
    "decode dtype": (lambda x, k: tc.loihi.decode(x, dtype=k), "dtype", ("i32",), ("f32", "f64"), (3,)),
}  # fmt: skip


@pytest.mark.parametrize("case", OUTSIDE)
def test_what_is_out_of_range_is_refused_and_its_edges_are_not(case: str):
    make, name, wrong, good, shape = OUTSIDE[case]
    for value in wrong:
        text = code(lambda x: make(x, value), shape)  # noqa: B023
        assert "T105" in text and name in text, text
    for value in good:
        right(lambda x: make(x, value), shape)  # noqa: B023


@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize("sign", ["mixed", "excitatory", "inhibitory"])
def test_a_weight_has_as_many_values_as_its_bits_say(sign: str, bits: int):
    low, high, step = weight_range(sign, bits)
    assert len(range(low, high + 1, step)) == 2**bits
    assert all(value % step == 0 for value in (low, high))


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda x: tc.loihi.lif(x, 0.5, **A_LIF), "T104"),
        (lambda x: tc.loihi.dense(x, 0.5 * W), "T104"),
        (lambda x: tc.loihi.dense(tc.input("f", (3,)), W), "T104"),
        (lambda x: tc.loihi.fermi_dirac(x, 0.3), "T104"),
        (lambda x: tc.loihi.encode(x), "T104"),
        (lambda x: tc.loihi.dense(x, W.T), "T103"),
        (lambda x: tc.loihi.dendrite((x, tc.loihi.dense(x, W))), "T103"),
        (lambda x: tc.loihi.sparse(x, *SPARSE[:2], []), "T103"),
        (lambda x: tc.loihi.conv(x, KERNEL), "T103"),
        (lambda x: tc.loihi.categorical(tc.slice(x, starts=(0,), stops=(0,), steps=(1,)), 3), "T10"),
        (lambda x: tc.loihi.lut(x, np.zeros(0, int)), "T105"),
        (lambda x: tc.loihi.dense(x, tc.loihi.dendrite((tc.constant(W),))), "T105"),  # weights that are computed
        (lambda x: tc.loihi.lif(x, tc.loihi.graded(x), **A_LIF), "T10"),  # a bias that varies over the batch
    ],
)
def test_what_is_not_of_the_right_kind_is_refused(make: Callable[[Handle], Any], expected: str):
    assert expected in code(make)


def test_a_recurrence_needs_a_synapse():
    """Units act within their tick, synapses a tick later."""

    def loop(x: Handle) -> Handle:
        hole = tc.placeholder((3,), dtype="i32", role="spike")
        s = tc.loihi.lif(tc.loihi.dendrite((x, hole)), **A_LIF)[0]
        tc.connect(hole, s)
        return s

    assert "T106" in code(loop)


@pytest.mark.parametrize("wrong", [2**31, -(2**31) - 1, 2**40])
def test_an_input_that_its_format_cannot_hold_is_refused(wrong: int):
    """It would wrap."""
    with tc.Network("net") as net:
        tc.output("y", tc.loihi.sigma(tc.input("x", (2,), dtype="i32")))
    exe = tc.compile(net, "sim")
    with pytest.raises(tc.ThermocError) as caught:
        exe.run({"x": np.array([[0, wrong]])})
    assert caught.value.code == "T403" and str(wrong) in str(caught.value)
    edges = np.array([[2**31 - 1, -(2**31)]])
    np.testing.assert_array_equal(exe.run({"x": edges})["y"][0], edges)


@pytest.mark.parametrize("target", ["onnx", "brian2"])
def test_float_targets_refuse_integers_with_a_reason(target: str):
    with tc.Network("net") as net:
        tc.output("y", tc.loihi.lif(tc.input("x", (2,), dtype="i32"), **A_LIF)[0])
    with pytest.raises(tc.ThermocError) as caught:
        tc.compile(net, target)
    assert caught.value.code == "T301" and "integer arithmetic of Loihi" in str(caught.value)
