"""A GPU through NVIDIA's driver: plain memory, and kernels."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.cuda.compiler import OLDEST, Kernel, ptx
from thermoc.simulator.cuda.device import GpuDevice
from thermoc.simulator.cuda.installed import OLDER_DRIVER, check_toolkit, code_text, driver_bindings, missing
from thermoc.support.errors import ThermocError, error
from thermoc.support.memory import readable

LOG_BYTES = 2**13
NEW_PROCESS = 'the GPU is lost to this process: start another; device="cpu" gives the same bits'
HINTS = {
    "CUDA_ERROR_UNSUPPORTED_PTX_VERSION": f"the driver is older than the toolkit: a newer driver, or {OLDER_DRIVER}",
    "CUDA_ERROR_LAUNCH_TIMEOUT": "a GPU that draws a screen ends kernels after some seconds: run fewer ticks at a time",
    "CUDA_ERROR_NOT_INITIALIZED": "a process that was forked cannot use the GPU of the one before: spawn it",
    "CUDA_ERROR_ILLEGAL_ADDRESS": NEW_PROCESS,
    "CUDA_ERROR_LAUNCH_FAILED": NEW_PROCESS,
}


class DeviceArray:
    """Elements in the memory of a GPU, which is given back with the object. pointer: their address there."""

    def __init__(self, pointer: int, size: int, dtype: np.dtype):
        self.pointer, self.size, self.dtype = pointer, size, dtype

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.size * self.dtype.itemsize


class Loaded(NamedTuple):
    """A kernel on the GPU. threads: of a block; resident: blocks that run side by side on all its processors."""

    function: Any
    threads: int
    resident: int


class CudaDevice(GpuDevice):
    """The first GPU that the driver shows: CUDA_VISIBLE_DEVICES says which. Errors: T421 where it cannot be used."""

    def __init__(self) -> None:
        self._driver, self._context = driver_bindings(), None
        (self._gpu,) = self._call("cuDeviceGet", 0)
        (name,) = self._call("cuDeviceGetName", 96, self._gpu)
        self.name = name.partition(b"\0")[0].decode()
        self.capability = self._attribute("COMPUTE_CAPABILITY_MAJOR"), self._attribute("COMPUTE_CAPABILITY_MINOR")
        self.processors = self._attribute("MULTIPROCESSOR_COUNT")
        if self.capability < OLDEST:
            note = f"{self.name} has compute capability {self.capability[0]}.{self.capability[1]}"
            hint = f'a GPU of compute capability {OLDEST[0]}.{OLDEST[1]} at least (2018), or device="cpu"'
            raise missing("it is too old", note, hint=hint)
        check_toolkit()
        (self._context,) = self._call("cuDevicePrimaryCtxRetain", self._gpu)
        _, self.memory = self._call("cuMemGetInfo")
        self._kernels: weakref.WeakKeyDictionary[Kernel, Loaded] = weakref.WeakKeyDictionary()

    def empty(self, size: int, dtype: Any) -> DeviceArray:
        """Return memory for so many elements. Errors: T408."""
        array = DeviceArray(0, size, np.dtype(dtype))
        self._enter()
        # the driver gives no memory of 0 bytes
        code, pointer = self._driver.cuMemAlloc(max(array.nbytes, 1))
        if code == self._driver.CUresult.CUDA_ERROR_OUT_OF_MEMORY:
            raise self._too_small(array.nbytes)
        if code != self._driver.CUresult.CUDA_SUCCESS:
            raise self._failed("cuMemAlloc", code)
        array.pointer = int(pointer)
        # a process that ends gives all back by itself, and its driver may be gone before Python is
        weakref.finalize(array, self._free, array.pointer).atexit = False
        return array

    def write(self, memory: DeviceArray, array: NDArray) -> None:
        """Copy an array of as many elements of the same type to the device."""
        elements = np.ascontiguousarray(array.reshape(-1), memory.dtype)
        if elements.size:
            self._call("cuMemcpyHtoD", memory.pointer, elements.ctypes.data, elements.nbytes)

    def read(self, memory: DeviceArray) -> NDArray:
        """Return what lies on the device as an array, once all that was launched is done."""
        elements = np.empty(memory.size, memory.dtype)
        if elements.size:
            self._call("cuMemcpyDtoH", elements.ctypes.data, memory.pointer, elements.nbytes)
        return elements

    def copy(self, memory: DeviceArray) -> DeviceArray:
        """Return a copy that stays on the device."""
        copied = self.empty(memory.size, memory.dtype)
        if memory.size:
            self._call("cuMemcpyDtoD", copied.pointer, memory.pointer, memory.nbytes)
        return copied

    def resident(self, kernel: Kernel) -> int:
        """Return how many blocks of a kernel run side by side."""
        return self._loaded(kernel).resident

    def launch(self, kernel: Kernel, blocks: int, arrays: Sequence[DeviceArray]) -> None:
        """Run a kernel to its end on so many blocks, no more than are resident; arrays in its order. Errors: T421."""
        loaded = self._loaded(kernel)
        values = parameters(arrays)
        addresses = values.ctypes.data + values.itemsize * np.arange(values.size, dtype=np.uint64)
        # no shared memory; the one stream that all share
        shape = (blocks, 1, 1, loaded.threads, 1, 1, 0, 0, addresses.ctypes.data)
        # the driver refuses more blocks than can run at once, and so wait for each other
        self._call("cuLaunchCooperativeKernel", loaded.function, *shape)
        # what a kernel does wrong is told by the next call that waits for it: let that be this one
        self._call("cuCtxSynchronize")

    def _loaded(self, kernel: Kernel) -> Loaded:
        if kernel not in self._kernels:
            text = self._text(kernel)
            module = self._module(text)
            weakref.finalize(kernel, self._unload, module).atexit = False
            self._kernels[kernel] = self._found(module, text)
        return self._kernels[kernel]

    def _text(self, kernel: Kernel) -> str:
        """Return a kernel as PTX. Errors: T421."""
        try:
            return ptx(kernel, self.capability)
        except Exception as reason:  # of numba, of NVIDIA's compiler, of their bindings: each has its own
            lines = str(reason).strip().splitlines()
            note, hint = f"{type(reason).__name__}: {lines[0] if lines else ''}", 'device="cpu" gives the same bits'
            what = f"{kernel.title} does not compile for {self.name}"
            raise error("T421", what, notes=[note], hint=hint) from reason

    def _module(self, text: str) -> Any:
        """Return PTX as the driver's code for this GPU. Errors: T421, with what the driver says."""
        log, options = bytearray(LOG_BYTES), self._driver.CUjit_option
        names = [options.CU_JIT_ERROR_LOG_BUFFER, options.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES]
        self._enter()
        code, module = self._driver.cuModuleLoadDataEx(text.encode() + b"\0", len(names), names, [log, LOG_BYTES])
        if code != self._driver.CUresult.CUDA_SUCCESS:
            raise self._failed("cuModuleLoadDataEx", code, log.partition(b"\0")[0].decode(errors="replace"))
        return module

    def _found(self, module: Any, text: str) -> Loaded:
        # numba writes its own name of the function, and of one kernel alone
        entry = text.partition(".visible .entry ")[2].partition("(")[0].strip()
        (function,) = self._call("cuModuleGetFunction", module, entry.encode())
        attribute = self._driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK
        (limit,) = self._call("cuFuncGetAttribute", attribute, function)
        threads = min(self.threads, limit)
        (blocks,) = self._call("cuOccupancyMaxActiveBlocksPerMultiprocessor", function, threads, 0)
        return Loaded(function, threads, blocks * self.processors)

    def _attribute(self, name: str) -> int:
        attribute = getattr(self._driver.CUdevice_attribute, f"CU_DEVICE_ATTRIBUTE_{name}")
        (value,) = self._call("cuDeviceGetAttribute", attribute, self._gpu)
        return value

    def _enter(self) -> None:
        """Let the calls of this thread be to the GPU's context."""
        if self._context is not None:
            self._driver.cuCtxSetCurrent(self._context)

    def _call(self, name: str, *arguments: Any) -> list[Any]:
        """Call a function of the driver; return what it gives behind its code. Errors: T421."""
        self._enter()
        code, *values = getattr(self._driver, name)(*arguments)
        if code != self._driver.CUresult.CUDA_SUCCESS:
            raise self._failed(name, code)
        return values

    def _free(self, pointer: int) -> None:
        self._enter()
        self._driver.cuMemFree(pointer)

    def _unload(self, module: Any) -> None:
        self._enter()
        self._driver.cuModuleUnload(module)

    def _failed(self, name: str, code: Any, log: str = "") -> ThermocError:
        notes = [f"{name}: {code_text(self._driver, code)}", *log.strip().splitlines()[:8]]
        hint = HINTS.get(getattr(code, "name", ""), 'device="cpu" gives the same bits')
        return error("T421", f"{getattr(self, 'name', 'the GPU')} failed", notes=notes, hint=hint)

    def _too_small(self, size: int) -> ThermocError:
        free, total = self._call("cuMemGetInfo")
        notes = [f"{readable(size)} are asked for", f"{readable(free)} of {readable(total)} are free"]
        hint = 'split the batch: first_sample goes on in the noise; or device="cpu"'
        return error("T408", f"the run does not fit in the memory of {self.name}", notes=notes, hint=hint)


def parameters(arrays: Sequence[DeviceArray]) -> NDArray[np.uint64]:
    """Return what numba hands a kernel for arrays of one dimension, a row (7 words) each.

    Owner and parent of its memory (none), elements, bytes of an element, address, length, bytes from one to the next.
    """
    rows = [(0, 0, a.size, a.dtype.itemsize, a.pointer, a.size, a.dtype.itemsize) for a in arrays]
    return np.array(rows, np.uint64).reshape(-1)
