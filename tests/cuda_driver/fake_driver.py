"""A stand-in for ``cuda.bindings.driver``: its functions with the bindings' arguments, on the memory of the CPU."""

from __future__ import annotations

import ctypes
import sys
from enum import IntEnum
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np


class CUresult(IntEnum):
    CUDA_SUCCESS = 0
    CUDA_ERROR_OUT_OF_MEMORY = 2
    CUDA_ERROR_NOT_INITIALIZED = 3
    CUDA_ERROR_NO_DEVICE = 100
    CUDA_ERROR_INVALID_PTX = 218
    CUDA_ERROR_UNSUPPORTED_PTX_VERSION = 222
    CUDA_ERROR_ILLEGAL_ADDRESS = 700
    CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE = 720


class CUdevice_attribute(IntEnum):
    CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT = 16
    CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75
    CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76


class CUfunction_attribute(IntEnum):
    CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK = 0


class CUjit_option(IntEnum):
    CU_JIT_ERROR_LOG_BUFFER = 5
    CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES = 6


class FakeDriver:
    """A GPU of three processors, on each of which two blocks fit. fails: what a function gives in place of success.

    calls: names of functions as they were called. kernel: what a launch does to its arrays.
    """

    CUresult, CUdevice_attribute = CUresult, CUdevice_attribute
    CUfunction_attribute, CUjit_option = CUfunction_attribute, CUjit_option
    PROCESSORS, BLOCKS, MOST_THREADS, TOTAL = 3, 2, 128, 2**20

    def __init__(self, *, capability: tuple[int, int] = (9, 0)):
        self.capability, self.fails, self.log = capability, dict[str, CUresult](), b""
        self.calls, self.memory, self.contexts = list[str](), dict[int, Any](), list[Any]()
        self.launched: tuple[int, ...] = ()
        self.kernel: Any = lambda arrays: None
        self.entry = b""

    def __getattribute__(self, name: str) -> Any:
        value = object.__getattribute__(self, name)
        if not name.startswith("cu"):
            return value

        def call(*arguments: Any) -> Any:
            self.calls.append(name)
            result = value(*arguments)
            if name in self.fails:
                return (self.fails[name], *[None] * (len(result) - 1))
            return result

        return call

    def cuInit(self, flags: int):
        return (CUresult.CUDA_SUCCESS,)

    def cuGetErrorString(self, error: CUresult):
        return CUresult.CUDA_SUCCESS, f"told of {error.value}".encode()

    def cuDeviceGet(self, ordinal: int):
        return CUresult.CUDA_SUCCESS, "gpu"

    def cuDeviceGetName(self, length: int, dev: str):
        return CUresult.CUDA_SUCCESS, b"Fake GPU".ljust(length, b"\0")

    def cuDeviceGetAttribute(self, attrib: CUdevice_attribute, dev: str):
        major, minor = self.capability
        values = {16: self.PROCESSORS, 75: major, 76: minor}
        return CUresult.CUDA_SUCCESS, values[attrib]

    def cuDevicePrimaryCtxRetain(self, dev: str):
        return CUresult.CUDA_SUCCESS, "context"

    def cuCtxSetCurrent(self, ctx: str):
        self.contexts.append(ctx)
        return (CUresult.CUDA_SUCCESS,)

    def cuCtxSynchronize(self):
        return (CUresult.CUDA_SUCCESS,)

    def cuMemGetInfo(self):
        used = sum(len(block) for block in self.memory.values())
        return CUresult.CUDA_SUCCESS, self.TOTAL - used, self.TOTAL

    def cuMemAlloc(self, bytesize: int):
        if bytesize < 1:
            raise AssertionError("the driver refuses memory of 0 bytes")
        if sum(map(len, self.memory.values())) + bytesize > self.TOTAL:
            return CUresult.CUDA_ERROR_OUT_OF_MEMORY, None
        block = np.zeros(bytesize, np.uint8)
        self.memory[block.ctypes.data] = block
        return CUresult.CUDA_SUCCESS, block.ctypes.data

    def cuMemFree(self, dptr: int):
        del self.memory[dptr]
        return (CUresult.CUDA_SUCCESS,)

    def cuMemcpyHtoD(self, dstDevice: int, srcHost: int, ByteCount: int):
        return self._copy(dstDevice, srcHost, ByteCount, self.memory[dstDevice])

    def cuMemcpyDtoH(self, dstHost: int, srcDevice: int, ByteCount: int):
        return self._copy(dstHost, srcDevice, ByteCount, self.memory[srcDevice])

    def cuMemcpyDtoD(self, dstDevice: int, srcDevice: int, ByteCount: int):
        return self._copy(dstDevice, srcDevice, ByteCount, self.memory[dstDevice])

    def _copy(self, target: int, source: int, count: int, block: Any):
        if not 0 < count <= len(block):
            raise AssertionError("a copy beyond the memory")
        ctypes.memmove(target, source, count)
        return (CUresult.CUDA_SUCCESS,)

    def cuModuleLoadDataEx(self, image: bytes, numOptions: int, options: list, optionValues: list):
        if numOptions != len(options) or numOptions != len(optionValues) or not image.endswith(b"\0"):
            raise AssertionError("options by their number, and a text that ends")
        buffer, size = optionValues
        buffer[: len(self.log)] = self.log[:size]
        return CUresult.CUDA_SUCCESS, "module"

    def cuModuleUnload(self, hmod: str):
        return (CUresult.CUDA_SUCCESS,)

    def cuModuleGetFunction(self, hmod: str, name: bytes):
        self.entry = name
        return CUresult.CUDA_SUCCESS, "function"

    def cuFuncGetAttribute(self, attrib: CUfunction_attribute, hfunc: str):
        return CUresult.CUDA_SUCCESS, self.MOST_THREADS

    def cuOccupancyMaxActiveBlocksPerMultiprocessor(self, func: str, blockSize: int, dynamicSMemSize: int):
        return CUresult.CUDA_SUCCESS, self.BLOCKS

    def cuLaunchCooperativeKernel(self, f: str, *shape: Any):
        gridX, gridY, gridZ, blockX, blockY, blockZ, shared, stream, addresses = shape
        if gridX > self.PROCESSORS * self.BLOCKS:
            return (CUresult.CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE,)
        self.launched = (gridX, gridY, gridZ, blockX, blockY, blockZ, shared, stream)
        self.kernel(addresses)
        return (CUresult.CUDA_SUCCESS,)


def modules(fake: FakeDriver) -> dict[str, Any]:
    """Return what stands in for modules: of numba-cuda only where it is not installed."""
    import_module("numba.cuda")  # it may read what is replaced here
    absent = {} if find_spec("numba_cuda") else {"numba_cuda": ModuleType("numba_cuda")}
    pathfinder = SimpleNamespace(load_nvidia_dynamic_lib=lambda name: None)
    bindings = {} if "cuda.bindings" in sys.modules else {"cuda.bindings": ModuleType("cuda.bindings")}
    return absent | bindings | {"cuda.bindings.driver": fake, "cuda.pathfinder": pathfinder}


def main() -> None:
    """Run a network through the stand-in, whose kernels are those of numba-cuda's simulator: its own process."""
    fake = FakeDriver()
    fake.TOTAL = 2**26
    sys.modules |= modules(fake)

    import thermoc as tc
    from thermoc.simulator.cuda import compiler, driver
    from thermoc.simulator.cuda import gpu as this_gpu
    from thermoc.simulator.session import Session

    kernels: dict[bytes, compiler.Kernel] = {}

    def array(address: int, dtype: str) -> Any:
        """Return the array that seven words describe, in the memory that they name."""
        words = [
            ctypes.c_uint64.from_address(ctypes.c_uint64.from_address(address + 8 * k).value).value for k in range(7)
        ]
        _, _, size, itemsize, pointer, length, stride = words
        if (itemsize, stride, length) != (np.dtype(dtype).itemsize, itemsize, size):
            raise AssertionError(f"not an array of {dtype}: {words}")
        return np.frombuffer((ctypes.c_char * (size * itemsize)).from_address(pointer), dtype)

    def ptx(kernel: compiler.Kernel, capability: tuple[int, int]) -> str:
        name = f"kernel{len(kernels)}"
        kernels[name.encode()] = kernel
        return f".visible .entry {name}(\n)"

    def launched(addresses: int) -> None:
        kernel = kernels[fake.entry]
        arrays = [array(addresses + 56 * k, dtype) for k, dtype in enumerate(kernel.arrays)]
        compiler.simulated(kernel)(fake.launched[0], 2, arrays)

    driver.ptx = ptx
    fake.kernel = launched
    fake.BLOCKS = 1
    gpu = driver.CudaDevice()
    this_gpu.device = lambda: gpu

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


if __name__ == "__main__":
    main()
