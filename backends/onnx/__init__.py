"""ONNX: one self-contained file of standard operators, noise included; run by onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from numpy.typing import NDArray

from thermoc.backends.base import Backend, NoisePosition
from thermoc.backends.onnx import emit, lower
from thermoc.backends.onnx.artefact import OnnxArtefact
from thermoc.backends.onnx.lower import Options
from thermoc.backends.onnx.run import OnnxSession
from thermoc.backends.onnx.target import TARGET
from thermoc.ir.target import TargetDescription
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Lowered

__all__ = ["OnnxArtefact", "OnnxBackend", "Options"]


class OnnxBackend(Backend):
    """The target ``onnx``: an ONNX file for layers, a whole run, or (``step``) one tick."""

    name: ClassVar[str] = "onnx"
    Options: ClassVar[type[Options]] = Options
    pass_options: ClassVar[tuple[str, ...]] = ("precision",)

    def target(self) -> TargetDescription:
        """Return what an ONNX file can hold."""
        return TARGET

    def lower(self, options: Options, *, dt: float) -> Sequence[Pass]:
        """Return the passes that bring a graph to ONNX."""
        return lower.lower(options, dt=dt)

    def emit(self, lowered: Lowered, options: Options) -> OnnxArtefact:
        """Return the file of a lowered graph. Errors: T301, T304."""
        return emit.emit(lowered.graph, options)

    def start(self, artefact: OnnxArtefact, *, batch: int, position: NoisePosition) -> OnnxSession:
        """Start a session in onnxruntime. Errors: T302 where that is missing."""
        return OnnxSession(artefact, batch=batch, position=position)

    def with_parameters(self, artefact: OnnxArtefact, parameters: Mapping[str, NDArray]) -> OnnxArtefact:
        """Return the file with other initializers; what onnxruntime has opened serves both."""
        return artefact.with_parameters(parameters)
