"""Runs an artefact in onnxruntime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.base import NoisePosition, Outcome
from thermoc.backends.onnx.artefact import OnnxArtefact
from thermoc.backends.onnx.interface import Interface, Mode
from thermoc.backends.onnx.scope import CONTROLS
from thermoc.ir.feed import Feed
from thermoc.support.errors import error

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Arrays = dict[str, NDArray]

# Weak keys: a session's memory goes when its artefact does.
_SESSIONS: WeakKeyDictionary[OnnxArtefact, InferenceSession] = WeakKeyDictionary()


def run(artefact: OnnxArtefact, feed: Feed, position: NoisePosition) -> Outcome:
    """Run from the initial state. Errors: T302 where onnxruntime is missing."""
    session = _session(artefact)
    call = {Mode.layers: _layers, Mode.run: _run, Mode.step: _steps}[artefact.interface.mode]
    return call(session, artefact, feed, position)


def _session(artefact: OnnxArtefact) -> InferenceSession:
    """Return the artefact's session, opened once."""
    origin = artefact.origin
    if origin not in _SESSIONS:
        _SESSIONS[origin] = _opened(origin.to_bytes())
    return _SESSIONS[origin]


def _opened(data: bytes) -> InferenceSession:
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


def _layers(session: InferenceSession, artefact: OnnxArtefact, feed: Feed, position: NoisePosition) -> Outcome:
    """Ticks do not know of each other: they are one large batch."""
    interface = artefact.interface
    inputs = {port.tensor: feed.arrays[port.name].reshape(-1, *port.shape) for port in interface.inputs}
    results = _call(session, inputs | dict(artefact.given))
    shape = (feed.ticks, feed.batch)
    return Outcome(outputs={port.name: results[port.tensor].reshape(*shape, *port.shape) for port in interface.outputs})


def _run(session: InferenceSession, artefact: OnnxArtefact, feed: Feed, position: NoisePosition) -> Outcome:
    interface = artefact.interface
    inputs = {port.tensor: feed.arrays[port.name] for port in interface.inputs}
    results = _call(session, inputs | _controls(interface, feed, position) | dict(artefact.given))
    return Outcome(
        outputs={port.name: results[port.tensor] for port in interface.outputs},
        states=_states(interface, results, feed.batch),
    )


def _steps(session: InferenceSession, artefact: OnnxArtefact, feed: Feed, position: NoisePosition) -> Outcome:
    """Call once a tick, handing the states on."""
    interface = artefact.interface
    controls, states, outputs = _controls(interface, feed, position), {}, {port.name: [] for port in interface.outputs}
    results: Arrays = {}
    for tick in range(feed.ticks):
        if "tick" in interface.controls:
            controls[interface.controls["tick"]] = np.asarray(position.first_tick + tick, np.int64)
        inputs = {port.tensor: feed.arrays[port.name][tick] for port in interface.inputs}
        # The first call gives no states: the file's defaults are the initial ones.
        results = _call(session, inputs | controls | states | dict(artefact.given))
        states = {port.tensor: results[port.final] for port in interface.states}
        for port in interface.outputs:
            outputs[port.name].append(results[port.tensor])
    stacked = {name: np.stack(ticks) for name, ticks in outputs.items()}
    return Outcome(outputs=stacked, states=_states(interface, results, feed.batch))


def _call(session: InferenceSession, inputs: Arrays) -> Arrays:
    names = [output.name for output in session.get_outputs()]
    # Inputs may be broadcast views, whose elements do not lie one after another.
    contiguous: dict[str, Any] = {name: np.asarray(array, order="C") for name, array in inputs.items()}
    return dict(zip(names, map(np.asarray, session.run(names, contiguous))))


def _controls(interface: Interface, feed: Feed, position: NoisePosition) -> Arrays:
    """Return the scalars in use; a step's tick is set at each call."""
    scalars = {
        "ticks": feed.ticks,
        "batch": feed.batch,
        "seed": position.seed,
        "first_sample": position.first_sample,
        "first_tick": position.first_tick,
        "tick": position.first_tick,
    }
    return {tensor: np.asarray(scalars[name], CONTROLS[name][0]) for name, tensor in interface.controls.items()}


def _states(interface: Interface, results: Arrays, batch: int) -> Arrays:
    return {port.name: np.broadcast_to(results[port.final], (batch, *port.shape)) for port in interface.states}
