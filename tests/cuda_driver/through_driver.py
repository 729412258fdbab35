"""Run a network through the driver's stand-in, whose kernels are those of numba-cuda's simulator: its own process."""

from __future__ import annotations

import ctypes
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from cuda_driver.fake_driver import FakeDriver

fake = FakeDriver()
fake.TOTAL = 2**26
sys.modules |= {
    "cuda.bindings.driver": fake,
    "cuda.pathfinder": SimpleNamespace(load_nvidia_dynamic_lib=lambda name: None),  # pyright: ignore
    "numba_cuda": ModuleType("numba_cuda"),
}

import thermoc as tc  # noqa: E402
from thermoc.simulator.cuda import compiler, device, driver  # noqa: E402
from thermoc.simulator.session import Session  # noqa: E402

KERNELS: dict[bytes, compiler.Kernel] = {}


def array(address: int, dtype: str) -> Any:
    """Return the array that seven words describe, in the memory that they name."""
    words = [ctypes.c_uint64.from_address(ctypes.c_uint64.from_address(address + 8 * k).value).value for k in range(7)]
    _, _, size, itemsize, pointer, length, stride = words
    if (itemsize, stride, length) != (np.dtype(dtype).itemsize, itemsize, size):
        raise AssertionError(f"not an array of {dtype}: {words}")
    return np.frombuffer((ctypes.c_char * (size * itemsize)).from_address(pointer), dtype)


def ptx(kernel: compiler.Kernel, capability: tuple[int, int]) -> str:
    name = f"kernel{len(KERNELS)}"
    KERNELS[name.encode()] = kernel
    return f".visible .entry {name}(\n)"


def launched(addresses: int) -> None:
    kernel = KERNELS[fake.entry]
    arrays = [array(addresses + 56 * k, dtype) for k, dtype in enumerate(kernel.arrays)]
    compiler.simulated(kernel)(fake.launched[0], 2, arrays)


driver.ptx = ptx
fake.kernel = launched
fake.BLOCKS = 1
gpu = driver.CudaDevice()
device.device = lambda: gpu

with tc.Network("digits", dt=1.0) as net:
    x = tc.input("x", (3,))
    tc.output("y", tc.delay(x * 2.0 + 1.0, ticks=2))
    tc.output("n", tc.cast(tc.tick(), dtype="f64") + x)
given = {"x": np.random.default_rng(0).normal(size=(5, 7, 3))}
program: Any = tc.compile(net).artefact
on_cpu = Session(program.program, batch=7, seed=1).run(given, ticks=5)
session = Session(program.program, batch=7, seed=1, device="cuda")
pieces = [session.run({"x": given["x"][cut]}, ticks=n) for cut, n in ((slice(0, 2), 2), (slice(2, 5), 3))]
for name, expected in on_cpu.items():
    if not np.array_equal(np.concatenate([piece[name] for piece in pieces]), expected):
        raise SystemExit(f"{name} differs")
print(fake.launched[0], "blocks")
