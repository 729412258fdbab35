"""Runs an artefact in onnxruntime: a session holds the states and hands them to each call of a file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.base import BackendSession, NoisePosition
from thermoc.backends.onnx.artefact import OnnxArtefact
from thermoc.backends.onnx.emit import emit
from thermoc.backends.onnx.interface import Interface, Mode
from thermoc.backends.onnx.scope import CONTROLS
from thermoc.ir.feed import Feed
from thermoc.support.errors import error

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Arrays = dict[str, NDArray]


@dataclass(frozen=True, kw_only=True)
class OpenFile:
    """A file in onnxruntime, and what it is called with. Any number of sessions may call it at once."""

    runtime: InferenceSession
    interface: Interface
    inputs: frozenset[str]
    """Tensors that a call may give: parameters that the file has no use for are not among them."""


# Weak keys: a file's memory goes when its artefact does.
_OPEN: WeakKeyDictionary[OnnxArtefact, dict[tuple[frozenset[str], bool], OpenFile]] = WeakKeyDictionary()


def opened(artefact: OnnxArtefact, probes: frozenset[str] = frozenset(), *, step: bool) -> OpenFile:
    """Return a file of the artefact's network, opened once: its own, or one that also gives probes, or is one tick."""
    artefact = artefact.origin
    files = _OPEN.setdefault(artefact, {})
    own_step = artefact.interface.mode is not Mode.run
    key = probes, step or own_step
    if key not in files:
        options = replace(artefact.options, step=artefact.options.step or step)
        single_step = not probes and step <= own_step
        file = artefact if single_step else emit(artefact.graph, options, probes)
        inputs = frozenset(port.name for port in file.model.graph.input)
        files[key] = OpenFile(runtime=_runtime(file.to_bytes()), interface=file.interface, inputs=inputs)
    return files[key]


def _runtime(data: bytes) -> InferenceSession:
    try:
        import onnxruntime
    except ImportError:
        hint = 'pip install "thermoc[onnx]"'
        raise error("T302", "running ONNX files needs onnxruntime, which is not installed", hint=hint) from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors; the warnings are about optional inputs, which we want
    # Several threads cut arrays where a vector loop ends, whose last elements are rounded differently (Log, Exp, Tanh):
    # results would depend on the number of cores.
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


class _Call:
    """A call of a file for some of its outputs: all that stays the same from call to call.

    States are lists in the order of the interface; empty, they are left out, and the file's own are the initial ones.
    """

    def __init__(
        self,
        file: OpenFile,
        names: Collection[str] | None,
        batch: int,
        position: NoisePosition,
        parameters: Mapping[str, NDArray],
    ):
        interface = file.interface
        requested = [port for port in interface.outputs if names is None or port.name in names]
        self.outputs = [port.name for port in requested]
        self._runtime, self._inputs = file.runtime, [(port.name, port.tensor) for port in interface.inputs]
        self._states = [port.tensor for port in interface.states]
        self._fetched = [port.tensor for port in requested] + [port.final for port in interface.states]
        self._controls = interface.controls
        fixed = {"seed": position.seed, "first_sample": position.first_sample, "batch": batch}
        self._fixed = {
            interface.controls[name]: _scalar(name, number)
            for name, number in fixed.items()
            if name in interface.controls
        }
        self._fixed |= {
            port.tensor: parameters[port.name]
            for port in interface.parameters
            if port.name in parameters and port.tensor in file.inputs
        }

    def __call__(self, feed: Feed, place: Any, states: list[NDArray], **controls: int) -> list[NDArray]:
        """Return the outputs, then the states behind them. place: which of the feed's ticks it is given."""
        arrays = feed.arrays
        # Inputs may be broadcast views, whose elements do not lie one after another.
        feeds: dict[str, Any] = {tensor: np.asarray(arrays[name][place], order="C") for name, tensor in self._inputs}
        feeds |= self._fixed
        for name, number in controls.items():
            if name in self._controls:
                feeds[self._controls[name]] = _scalar(name, number)
        feeds |= zip(self._states, states)
        # The network's outputs are tensors, never the sparse ones or sequences that onnxruntime also knows.
        return cast("list[NDArray]", self._runtime.run(self._fetched, feeds)) if self._fetched else []


def _scalar(name: str, number: int) -> NDArray:
    return np.asarray(number, CONTROLS[name][0])


class OnnxSession(BackendSession):
    """A network in onnxruntime that goes on: states go into a call, and come out of it."""

    def __init__(self, artefact: OnnxArtefact, *, batch: int, position: NoisePosition):
        super().__init__(batch=batch, position=position)
        self._artefact, self._ports = artefact, artefact.interface.states
        self._states: list[NDArray] = []
        self._calls: dict[tuple[frozenset[str] | None, bool], _Call] = {}
        if artefact.interface.outputs or self._ports:  # onnxruntime opens no file that gives nothing
            opened(artefact, step=False)

    def advance(self, feed: Feed, names: Collection[str] | None = None) -> dict[str, NDArray]:
        """Run some ticks on: each by a call, or all in the loop of one."""
        requested = names if names is None else frozenset(names)
        if not self._ports and requested is not None and not requested:
            self.tick += feed.ticks
            return {}
        loop = feed.ticks > 1 and self._artefact.interface.mode is Mode.run
        if (requested, loop) not in self._calls:
            self._calls[requested, loop] = self._call(requested, loop)
        call = self._calls[requested, loop]
        outputs, states = (self._loop if loop else self._ticks)(call, feed)
        self._states, self.tick = states, self.tick + feed.ticks
        return outputs

    def _call(self, names: frozenset[str] | None, loop: bool) -> _Call:
        probes = self._artefact.graph.probes
        file = opened(self._artefact, probes if names is None else probes & names, step=not loop)
        return _Call(file, names, self.batch, self.position, self._artefact.given)

    def _loop(self, call: _Call, feed: Feed) -> tuple[Arrays, list[NDArray]]:
        first_tick = self.position.first_tick + self.tick
        results = call(feed, ..., self._states, ticks=feed.ticks, first_tick=first_tick)
        return dict(zip(call.outputs, results)), results[len(call.outputs) :]

    def _ticks(self, call: _Call, feed: Feed) -> tuple[Arrays, list[NDArray]]:
        # A network without state or noise too: of all ticks as one batch, some ops would round a few elements
        # differently, by where in an array they stand.
        first_tick, states, count = self.position.first_tick + self.tick, self._states, len(call.outputs)
        outputs: list[list[NDArray]] = []
        for tick in range(feed.ticks):
            results = call(feed, tick, states, tick=first_tick + tick)
            outputs.append(results[:count])
            states = results[count:]
        if feed.ticks == 1:
            return {name: array[np.newaxis] for name, array in zip(call.outputs, outputs[0])}, states
        return {name: np.stack(ticks) for name, ticks in zip(call.outputs, zip(*outputs))}, states

    @property
    def states(self) -> dict[str, NDArray]:
        """States (batch, *shape) now."""
        return {name: np.broadcast_to(a, (self.batch, *a.shape[1:])).copy() for name, a in self.snapshot().items()}

    def set_states(self, states: Mapping[str, NDArray]) -> None:
        """Replace some states. Those of uniform values are the same for every sample."""
        snapshot = self.snapshot()
        for port in self._ports:
            if port.name in states:
                snapshot[port.name] = np.array(states[port.name][:1] if port.uniform else states[port.name])
        self._states = list(snapshot.values())

    def snapshot(self) -> dict[str, NDArray]:
        """Return the states as a call takes them: of one sample where every sample has the same."""
        names = [port.name for port in self._ports]
        return (
            dict(zip(names, self._states)) if self._states else {name: self._artefact.initial[name] for name in names}
        )

    def restore(self, snapshot: Mapping[str, NDArray], tick: int) -> None:
        """Go on from a snapshot that was taken at this tick."""
        self._states, self.tick = [np.asarray(snapshot[port.name]) for port in self._ports], tick

    def replace(self, artefact: OnnxArtefact) -> None:
        """Go on with other parameters."""
        # Those that have not been run yet start where the file before said.
        self._states, self._artefact = list(self.snapshot().values()), artefact
        self._calls = {}
