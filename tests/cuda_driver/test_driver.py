"""The GPU's driver, on a stand-in: what is handed to it, and what its errors become."""

from __future__ import annotations

import ctypes
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from cuda_driver.fake_driver import CUresult, FakeDriver, modules

from thermoc.simulator.cuda import driver as cuda_driver
from thermoc.simulator.cuda.compiler import Kernel
from thermoc.simulator.cuda.driver import CudaDevice
from thermoc.support.errors import ThermocError

ROOT = Path(__file__).parents[2]
KERNEL = Kernel(text="", names={}, arrays=("float64", "int64"), title="a network", seconds=0.0, modules=())
PTX = ".version 9.0\n.visible .entry _ZN3run(\n\t.param .u64 a\n)\n"


def word(address: int) -> int:
    return ctypes.c_uint64.from_address(address).value


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    driver = FakeDriver()
    for name, module in modules(driver).items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(cuda_driver, "ptx", lambda kernel, capability: PTX)
    return driver


def raised(code: str, act: Callable[[], Any]) -> str:
    with pytest.raises(ThermocError) as caught:
        act()
    assert caught.value.code == code
    return str(caught.value)


def test_arrays_go_there_and_back(fake: FakeDriver):
    device = CudaDevice()
    given = np.arange(6.0).reshape(2, 3)[:, ::2]
    memory = device.upload(given)
    assert np.array_equal(device.read(memory), given.reshape(-1))
    copied = device.copy(memory)
    device.write(memory, np.zeros(4))
    assert np.array_equal(device.read(copied), given.reshape(-1))
    assert np.array_equal(device.read(memory), np.zeros(4))


def test_memory_of_no_elements(fake: FakeDriver):
    device = CudaDevice()
    memory = device.upload(np.empty(0))
    assert device.read(device.copy(memory)).shape == (0,)


def test_memory_is_given_back_with_its_array(fake: FakeDriver):
    device = CudaDevice()
    assert device.memory == FakeDriver.TOTAL
    memory = device.upload(np.zeros(1000))
    assert sum(map(len, fake.memory.values())) == 8000
    del memory
    gc.collect()
    assert not fake.memory


def test_a_kernel_is_handed_what_numba_hands_it(fake: FakeDriver):
    """For each array of one dimension, seven words: owner, parent, elements, bytes of one, address, length, stride."""
    device, found = CudaDevice(), []
    arrays = [device.upload(np.zeros(5, np.float32)), device.upload(np.arange(3))]
    fake.kernel = lambda addresses: found.extend(word(word(addresses + 8 * k)) for k in range(14))
    device.launch(KERNEL, 4, arrays)
    assert found == [0, 0, 5, 4, arrays[0].pointer, 5, 4, 0, 0, 3, 8, arrays[1].pointer, 3, 8]
    assert fake.entry == b"_ZN3run"
    assert fake.launched == (4, 1, 1, FakeDriver.MOST_THREADS, 1, 1, 0, 0)


def test_blocks_that_wait_for_each_other_all_run_at_once(fake: FakeDriver):
    device = CudaDevice()
    assert device.resident(KERNEL) == 6
    device.launch(KERNEL, 6, [])
    assert "COOPERATIVE_LAUNCH_TOO_LARGE" in raised("T421", lambda: device.launch(KERNEL, 7, []))
    assert fake.calls.count("cuModuleLoadDataEx") == 1


def test_code_is_given_back_with_its_kernel(fake: FakeDriver):
    device, kernel = CudaDevice(), replace(KERNEL)
    device.launch(kernel, 1, [])
    del kernel
    gc.collect()
    assert "cuModuleUnload" in fake.calls


def test_every_thread_works_in_the_context(fake: FakeDriver):
    device = CudaDevice()
    fake.contexts.clear()
    thread = threading.Thread(target=lambda: device.upload(np.zeros(2)))
    thread.start()
    thread.join()
    assert set(fake.contexts) == {"context"}


def test_what_is_too_large_says_how_much_of_how_much(fake: FakeDriver):
    device = CudaDevice()
    text = raised("T408", lambda: device.empty(2**20, np.float64))
    assert "8 MiB are asked for" in text
    assert "1 MiB of 1 MiB are free" in text


def test_a_kernel_that_fails_says_what_the_driver_says(fake: FakeDriver):
    device = CudaDevice()
    fake.fails["cuCtxSynchronize"] = CUresult.CUDA_ERROR_ILLEGAL_ADDRESS
    text = raised("T421", lambda: device.launch(KERNEL, 1, []))
    assert "Fake GPU failed" in text
    assert "CUDA_ERROR_ILLEGAL_ADDRESS: told of 700" in text
    assert "start another" in text


@pytest.mark.parametrize("function", ["cuLaunchCooperativeKernel", "cuMemcpyHtoD", "cuMemAlloc", "cuModuleGetFunction"])
def test_whatever_fails_is_an_error_of_the_gpu(fake: FakeDriver, function: str):
    device = CudaDevice()
    fake.fails[function] = CUresult.CUDA_ERROR_NOT_INITIALIZED
    text = raised("T421", lambda: device.launch(KERNEL, 1, [device.upload(np.zeros(2))]))
    assert function in text
    assert "spawn" in text


def test_code_that_the_driver_refuses_comes_with_its_log(fake: FakeDriver):
    device = CudaDevice()
    fake.fails["cuModuleLoadDataEx"] = CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION
    fake.log = b"ptxas fatal: Unsupported .version 9.5"
    text = raised("T421", lambda: device.launch(KERNEL, 1, []))
    assert "Unsupported .version 9.5" in text
    assert "cuda12" in text


def test_a_kernel_that_does_not_compile(fake: FakeDriver, monkeypatch: pytest.MonkeyPatch):
    def fails(kernel: Kernel, capability: tuple[int, int]) -> str:
        raise ValueError("libNVVM: no such thing\nmore")

    device = CudaDevice()
    monkeypatch.setattr(cuda_driver, "ptx", fails)
    text = raised("T421", lambda: device.launch(KERNEL, 1, []))
    assert "a network does not compile for Fake GPU" in text
    assert "ValueError: libNVVM: no such thing" in text


def test_what_is_missing_is_named(fake: FakeDriver, monkeypatch: pytest.MonkeyPatch):
    """Python's packages, the driver, the GPU, a GPU that is new enough, the toolkit: each with its cure."""
    fake.capability = (6, 1)
    text = raised("T421", CudaDevice)
    assert "compute capability 6.1" in text
    assert "7.5" in text

    fake.capability = (9, 0)
    monkeypatch.setitem(sys.modules, "cuda.pathfinder", SimpleNamespace(load_nvidia_dynamic_lib=_not_found))
    text = raised("T421", CudaDevice)
    assert "the CUDA toolkit's nvvm is not installed" in text
    assert 'pip install "thermoc[cuda13]"' in text

    fake.fails["cuInit"] = CUresult.CUDA_ERROR_NO_DEVICE
    assert "CUDA_ERROR_NO_DEVICE: told of 100" in raised("T421", CudaDevice)

    monkeypatch.setattr(FakeDriver, "cuInit", lambda self, flags: _not_found("cuda"))
    assert "NVIDIA's driver is not installed" in raised("T421", CudaDevice)

    monkeypatch.setitem(sys.modules, "cuda.bindings.driver", None)
    text = raised("T421", CudaDevice)
    assert "numba-cuda is not installed, or does not load" in text
    assert 'pip install "thermoc[cuda13]"' in text


def _not_found(name: str) -> None:
    raise RuntimeError(f"{name} cannot be found\nin any of many places")


@pytest.mark.slow
def test_a_network_runs_through_the_driver():
    """Its kernels are numba-cuda's simulator's, handed what the driver is handed: three blocks, the CPU's bits."""
    environment = os.environ | {"NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    command = [sys.executable, "-m", "cuda_driver.fake_driver"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.stdout == "3 blocks\n", done.stdout + done.stderr
