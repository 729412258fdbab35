"""The GPU that programs run on: the one that the driver shows, or numba-cuda's simulator."""

from __future__ import annotations

from functools import cache
from typing import Any

from thermoc.simulator.cuda.device import GpuDevice, SimulatedDevice
from thermoc.simulator.cuda.driver import CudaDevice


@cache
def device() -> GpuDevice:
    """Return the GPU that programs run on. Errors: T421 where there is none, or what it needs is not installed."""
    from numba.core import config

    simulated: Any = getattr(config, "ENABLE_CUDASIM")  # noqa: B009 (numba makes its settings when it is imported)
    return SimulatedDevice() if simulated else CudaDevice()
