"""What runs a program: the CPU, or a GPU. Either gives the same bits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

from thermoc.simulator.buffers import Buffers, Plan
from thermoc.simulator.engine import Engine
from thermoc.simulator.program import Program
from thermoc.simulator.states import HostStates, States
from thermoc.support import notices
from thermoc.support.errors import ThermocError


class AnyEngine(Protocol):
    """A program, and states which it advances in place (see ``engine.Engine``)."""

    program: Program

    def run(self, inputs: Mapping[str, NDArray], *, ticks: int, begun: int) -> dict[str, NDArray]: ...

    def buffers(self, inputs: Mapping[str, NDArray], ticks: int) -> Buffers: ...

    def fill(self, buffers: Buffers, begun: int) -> None: ...

    def leave(self) -> None: ...

    def restart(self, plan: Plan) -> None: ...


class Processor(Protocol):
    """Holds states and runs programs on them."""

    def states(self, program: Program, batch: int) -> States: ...

    def engine(self, program: Program, plan: Plan, states: tuple[Any, Any]) -> AnyEngine: ...


class Cpu:
    """Numba on the CPU."""

    def states(self, program: Program, batch: int) -> States:
        return HostStates(program, batch)

    def engine(self, program: Program, plan: Plan, states: tuple[Any, Any]) -> AnyEngine:
        return Engine(program, plan, states)


class Gpu:
    """Numba on a GPU."""

    def __init__(self) -> None:
        from thermoc.simulator.cuda.gpu import device

        self._device = device()

    def states(self, program: Program, batch: int) -> States:
        from thermoc.simulator.cuda.states import DeviceStates

        return DeviceStates(program, batch, self._device)

    def engine(self, program: Program, plan: Plan, states: tuple[Any, Any]) -> AnyEngine:
        from thermoc.simulator.cuda.engine import CudaEngine

        return CudaEngine(program, plan, states, self._device)


def processor(device: str) -> Processor:
    """Return what runs programs on a device, "cpu" or "cuda". Errors: T421 for a GPU that is not there."""
    return Gpu() if device == "cuda" else Cpu()


def best_device() -> str:
    """Return "cuda" where there is a GPU that programs can run on, else "cpu", and say why."""
    from thermoc.simulator.cuda.gpu import device

    try:
        device()
    except ThermocError as reason:
        notices.notify(f"thermoc: on the CPU: {reason.findings[0].what}")
        return "cpu"
    return "cuda"
