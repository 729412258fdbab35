"""Memory and kernels of a GPU, or of numba-cuda's simulator of one (``NUMBA_ENABLE_CUDASIM=1``)."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.cuda.compiler import Kernel, simulated
from thermoc.support.memory import available


class GpuDevice(ABC):
    """A GPU. memory: its bytes. processors: those that run blocks side by side. threads: of a block."""

    name: str
    memory: int
    processors: int
    threads: int = 256

    @abstractmethod
    def empty(self, size: int, dtype: Any) -> Any:
        """Return memory for so many elements. Errors: T408 where there is not enough."""

    @abstractmethod
    def write(self, memory: Any, array: NDArray) -> None:
        """Copy an array to the device."""

    @abstractmethod
    def read(self, memory: Any) -> NDArray:
        """Return what lies on the device as an array, once all that was launched is done."""

    @abstractmethod
    def copy(self, memory: Any) -> Any:
        """Return a copy that stays on the device."""

    @abstractmethod
    def resident(self, kernel: Kernel) -> int:
        """Return how many blocks of a kernel run side by side, and so may wait for each other."""

    @abstractmethod
    def launch(self, kernel: Kernel, blocks: int, arrays: Sequence[Any]) -> None:
        """Run a kernel on so many blocks, no more than are resident; arrays in its order. Errors: T421."""

    def upload(self, array: NDArray) -> Any:
        """Return an array's copy on the device."""
        memory = self.empty(array.size, array.dtype)
        self.write(memory, array)
        return memory


class SimulatedDevice(GpuDevice):
    """numba-cuda's simulator: threads of Python, one block at a time."""

    name, processors, threads = "numba-cuda's simulator", 1, 3

    def __init__(self) -> None:
        self.memory = available() or sys.maxsize
        self._kernels: WeakKeyDictionary[Kernel, Any] = WeakKeyDictionary()

    def empty(self, size: int, dtype: Any) -> NDArray:
        return np.empty(size, dtype)

    def write(self, memory: NDArray, array: NDArray) -> None:
        memory[...] = array

    def read(self, memory: NDArray) -> NDArray:
        return memory.copy()

    def copy(self, memory: NDArray) -> NDArray:
        return memory.copy()

    def resident(self, kernel: Kernel) -> int:
        return self.processors

    def launch(self, kernel: Kernel, blocks: int, arrays: Sequence[NDArray]) -> None:
        if kernel not in self._kernels:
            self._kernels[kernel] = simulated(kernel)
        turn = sys.getswitchinterval()
        # whether threads have met is asked without a pause, for as long as Python gives a thread its turn: 5 ms
        sys.setswitchinterval(1e-5)
        try:
            self._kernels[kernel](blocks, self.threads, arrays)
        finally:
            sys.setswitchinterval(turn)
