"""A stand-in for ``cuda.bindings.driver``: its functions with the bindings' arguments, on the memory of the CPU."""

from __future__ import annotations

import ctypes
from enum import IntEnum
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
