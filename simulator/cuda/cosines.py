"""Cosine transforms over a plane on a GPU: products with the matrix of cosines, along x and then along y.

Sums run in the order of their index: they agree with SciPy's FFT to rounding.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from thermoc.simulator.cuda.compiler import Kernel
from thermoc.simulator.cuda.gpu import device as found
from thermoc.simulator.cuda.source import MEETING
from thermoc.simulator.kernels.scalar.primitives import fma

TEXT = """
def run(field, across, up, between, result, arrivals, numbers):
    planes, ny, nx, arrived = numbers[0], numbers[1], numbers[2], 0
    thread, threads = cuda.grid(1), cuda.gridsize(1)
    for p in range(thread, planes * ny * nx, threads):
        row, k, total = p // nx, p % nx, 0.0
        for x in range(nx):
            total = fma(across[x * nx + k], field[row * nx + x], total)
        between[p] = total
    arrived += cuda.gridDim.x
    meet(True, arrivals, arrived)
    for p in range(thread, planes * ny * nx, threads):
        plane, k, x, total = p // (ny * nx), p // nx % ny, p % nx, 0.0
        for y in range(ny):
            total = fma(up[y * ny + k], between[(plane * ny + y) * nx + x], total)
        result[p] = total
"""


@cache
def kernel() -> Kernel:
    """Return the kernel: both products of all planes."""
    kinds, title = ("float64",) * 5 + ("int64", "int64"), "cosine transforms on the GPU"
    return Kernel(text=MEETING + TEXT, names={"fma": fma}, arrays=kinds, title=title, seconds=1.0, modules=(__name__,))


class DeviceCosines:
    """The transform of planes (ny, nx) by matrices that stay on a device (``modal.CosineTransform``)."""

    def __init__(self, shape: tuple[int, int]):
        self._shape = shape
        # column k: the k-th wave, so that neighbouring threads read neighbouring elements
        waves = [np.asarray(fft.dct(np.eye(n), norm="ortho")) for n in shape]
        self._forward = [found().upload(matrix.reshape(-1)) for matrix in waves]
        self._backward = [found().upload(np.ascontiguousarray(matrix.T).reshape(-1)) for matrix in waves]

    def forward(self, field: NDArray) -> NDArray:
        """Return the cosine coefficients (..., ny, nx) of a field. Errors: T408, T421."""
        return self._transformed(field, *self._forward)

    def backward(self, coefficients: NDArray) -> NDArray:
        """Return the field of cosine coefficients. Errors: T408, T421."""
        return self._transformed(coefficients, *self._backward)

    def _transformed(self, field: NDArray, up: object, across: object) -> NDArray:
        device, planes = found(), field.size // (self._shape[0] * self._shape[1])
        uploaded = device.upload(np.ascontiguousarray(field, float).reshape(-1))
        between, result = (device.empty(field.size, np.dtype(float)) for _ in range(2))
        numbers = device.upload(np.array([planes, *self._shape], np.int64))
        blocks = max(1, min(device.resident(kernel()), -(-field.size // device.threads)))
        arrivals = device.upload(np.zeros(1, np.int64))
        device.launch(kernel(), blocks, [uploaded, across, up, between, result, arrivals, numbers])
        return device.read(result).reshape(field.shape)
