"""Crossbars and dies on a GPU (its simulator): what the CPU solves, to rounding."""

from __future__ import annotations

import numpy as np
import pytest
from thermal.dies import inlaid, packed, reference, two_sheets

import thermoc as tc
from thermoc.simulator.crossbar import Circuit
from thermoc.simulator.thermal import Die, Stack

ROUNDING = 1e-13


@pytest.mark.parametrize("ohms", [(20.0, 30.0), (0.0, 5.0), (4.0, 0.0)], ids=str)
def test_a_crossbar_has_the_potentials_of_the_cpu(ohms: tuple[float, float]):
    rng = np.random.default_rng(0)
    G, V = rng.random((12, 9)) * 1e-2, rng.random((3, 12))
    wires = {"G": G, "r_word": ohms[0], "r_bit": ohms[1]}
    cpu, gpu = Circuit(**wires), Circuit(**wires, processor="cuda")
    one, other = cpu.solve(V), gpu.solve(V)
    np.testing.assert_allclose(other.word, one.word, rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(other.bit, one.bit, rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(gpu.transfer, cpu.transfer, rtol=0, atol=ROUNDING * cpu.transfer.max())
    again = gpu.solve(V, near=other)
    assert max(again.iterations) <= 1
    assert max(other.iterations) > 1 or 0.0 in ohms


def test_a_crossbar_of_few_iterations_says_so(monkeypatch: pytest.MonkeyPatch):
    from thermoc.simulator.crossbar import circuit

    monkeypatch.setattr(circuit, "MOST_ITERATIONS", 1)
    G = np.random.default_rng(0).random((12, 9)) * 1e-2
    with pytest.raises(tc.ThermocError) as caught:
        Circuit(G=G, r_word=20.0, r_bit=30.0, processor="cuda").solve(np.ones(12))
    assert caught.value.code == "T412"


@pytest.mark.parametrize(
    "stack", [reference(), packed(), inlaid(two_sheets())], ids=["uniform", "packaged", "with inlays"]
)
def test_a_die_has_the_temperatures_of_the_cpu(stack: Stack):
    power = np.random.default_rng(0).random((4, 5))
    temperatures = []
    for processor in ("cpu", "cuda"):
        die = Die(stack, (4, 5), processor=processor)
        state = die.start(300.0)
        for _ in range(3):
            state, _ = die.step(state, power, 1e-3)
        temperatures.append(die.temperature(state))
    np.testing.assert_allclose(*temperatures, rtol=1e-12)
    assert np.ptp(temperatures[0]) > 0


@pytest.mark.parametrize(
    "make", [lambda: Circuit(G=np.ones((2, 2)), processor="tpu"), lambda: Die(reference(), (2, 2), processor="tpu")]
)
def test_a_processor_that_is_none_is_refused(make):
    with pytest.raises(tc.ThermocError, match="cpu or cuda") as caught:
        make()
    assert caught.value.code == "T303"
