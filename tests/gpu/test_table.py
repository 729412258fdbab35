"""Every case of the conformance table on a real GPU: the bits of the CPU, whole, in pieces, on one block and on many.

``pytest -m gpu``; nothing here is collected otherwise.
"""

from __future__ import annotations

import numpy as np
import pytest
from gpu.variants import Variant, compiled, differing, on, trajectory, variants

import thermoc as tc
from thermoc.simulator.cuda import engine
from thermoc.simulator.cuda import gpu as this_gpu
from thermoc.simulator.cuda.driver import CudaDevice

EXACT = [variant for variant in variants() if variant.varying == "all vary" and variant.precision == "float64"]


@pytest.mark.parametrize("variant", variants(), ids=str)
def test_the_bits_are_those_of_the_cpu(variant: Variant):
    made = compiled(variant)
    if made is None:
        return
    exe, arrays = made
    expected, gpu = trajectory(exe, arrays), on("cuda", exe)
    assert not differing(trajectory(gpu, arrays), expected)
    assert not differing(trajectory(gpu, arrays, 1, 2), expected), "run in pieces"


@pytest.mark.parametrize("variant", EXACT, ids=str)
def test_blocks_that_share_a_sample_give_the_same_bits(variant: Variant, few_threads: CudaDevice):
    """With two threads a block even small networks take several, which meet after each stage."""
    made = compiled(variant)
    assert made is not None
    exe, arrays = made
    assert not differing(trajectory(on("cuda", exe), arrays), trajectory(exe, arrays))


@pytest.fixture
def few_threads(monkeypatch: pytest.MonkeyPatch, small_blocks: CudaDevice) -> CudaDevice:
    """Blocks of two threads, and no network is one block's."""
    monkeypatch.setattr(this_gpu, "device", lambda: small_blocks)
    monkeypatch.setattr(engine, "POINTS_OF_A_BLOCK", 0)
    return small_blocks


@pytest.fixture(scope="module")
def small_blocks() -> CudaDevice:
    """The GPU with blocks of two threads."""
    device = CudaDevice()
    device.threads = 2
    return device


def test_a_checkpoint_goes_on_on_the_cpu_and_back(tmp_path):
    with tc.Network("drift", dt=0.1) as net:
        tc.output("x", tc.ou_network(np.eye(40), 1.0))
    whole = tc.compile(net).run(ticks=30, seed=3)["x"]
    with tc.compile(net, device="cuda").start(seed=3) as session:
        parts = [session.run(10)["x"]]
        session.save(tmp_path / "a")
    for begun, device in ((10, "cpu"), (20, "cuda")):
        with tc.Session.load(tmp_path / "a", device=device) as session:
            assert session.tick == begun
            parts.append(session.run(10)["x"])
            session.save(tmp_path / "a")
    assert np.array_equal(np.concatenate(parts), whole)


def test_verify_takes_the_gpu_as_a_target():
    with tc.Network("spins") as net:
        tc.output("s", tc.gibbs(np.zeros(64), np.roll(np.eye(64), 1, 0) + np.roll(np.eye(64), -1, 0), T=0.5))
    assert tc.verify(net, ["sim", "sim:cuda"], ticks=20, batch=5, pieces=3).ok


def test_what_is_too_large_is_refused_before_it_runs():
    with tc.Network("large") as net:
        tc.output("y", tc.delay(tc.constant(np.zeros(2**16))))
    exe = tc.compile(net, device="cuda")
    with pytest.raises(tc.ThermocError, match=r"(?s)T408.*GPU's memory"):
        exe.run(ticks=1, batch=10**7, record={})
