"""Brian2: a readable script with the network's own names, run with NumPy, Cython or as a C++ program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from numpy.typing import NDArray

from thermoc.backends.base import Backend, BackendSession, NoisePosition
from thermoc.backends.brian2 import emit, lower, run, script
from thermoc.backends.brian2.artefact import Brian2Artefact
from thermoc.backends.brian2.target import TARGET
from thermoc.ir.target import TargetDescription
from thermoc.ir.types import DType
from thermoc.passes.base import Pass, Property, floats_are
from thermoc.passes.change_log import Lowered
from thermoc.passes.legalize import held_by
from thermoc.passes.spike_encode import Inputs
from thermoc.support.errors import error
from thermoc.support.suggestions import near

CHOICES = {
    "coding": ("graded", "thermal", "rate"),
    "device": ("runtime", "cpp_standalone"),
    "codegen": ("auto", "numpy", "cython"),
    "noise": ("counter", "brian2"),
    "time_unit": ("second", "ms", "us"),
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """What ``tc.compile(net, target="brian2", ...)`` takes. Errors: T303.

    coding: activations as numbers (graded), or as spikes by the pass ``spike-encode``, which has input_range and
    calibrate. device: run in this process, or build a C++ program once and call it from where it stands. codegen: what
    "runtime" runs; auto is Cython where a tick is so long that compiling soon pays, else NumPy. noise: the
    counter-based function, which draws what every other target draws, or Brian2's own rand() and randn(). time_unit:
    what the network's unit of time is called.
    """

    coding: Literal["graded", "thermal", "rate"] = "graded"
    input_range: tuple[float, float] | None = None
    calibrate: Inputs | None = field(default=None, repr=False)
    device: str = "runtime"
    codegen: str = "auto"
    noise: str = "counter"
    time_unit: str = "second"

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                notes = [f"{name} = {getattr(self, name)!r}", f"there are {', '.join(choices)}"]
                raise error(
                    "T303", f"target 'brian2' has no such {name}", notes=notes, hint=near(getattr(self, name), choices)
                )


class Brian2Backend(Backend):
    """The target ``brian2``."""

    name: ClassVar[str] = "brian2"
    Options: ClassVar[type[Options]] = Options
    pass_options: ClassVar[tuple[str, ...]] = ("coding", "input_range", "calibrate")

    def target(self) -> TargetDescription:
        """Return what Brian2 holds."""
        return TARGET

    def lower(self, options: Options, *, dt: float) -> Sequence[Pass]:
        """Return the passes that bring a graph to Brian2."""
        return lower.lower(options.coding, options.input_range, options.calibrate, dt=dt)

    def takes(self, options: Options) -> tuple[Property, ...]:
        """Brian2 computes in float64 alone."""
        return (held_by(TARGET), floats_are(DType.f64))

    def emit(self, lowered: Lowered, options: Options) -> Brian2Artefact:
        """Return the script of a lowered graph. Errors: T301."""
        model = emit.emit(lowered.graph, options.noise)
        text, data = script.script(model, time_unit=options.time_unit)
        names = frozenset(model.parameters.arrays)
        return Brian2Artefact(text=text, data=data, options=options, parameters=names, fixed=model.parameters.fixed)

    def with_parameters(self, artefact: Brian2Artefact, parameters: Mapping[str, NDArray]) -> Brian2Artefact:
        """Return the script with other arrays beside it. Errors: T418 for one of which it computes nothing anew."""
        for name in sorted(artefact.fixed & parameters.keys()):
            what = f"parameter {name!r} is a constant of what was compiled for 'brian2'"
            note = "NumPy has no function for an op that depends on it and on parameters alone"
            raise error("T418", what, notes=[note], hint="compile net.with_parameters({...}) again")
        fresh = {name: array for name, array in parameters.items() if name in artefact.parameters}
        return replace(artefact, data={**artefact.data, **fresh})

    def start(self, artefact: Brian2Artefact, *, batch: int, position: NoisePosition) -> BackendSession:
        """Start the script. Errors: T302 where Brian2 is missing."""
        if artefact.options.device == "cpp_standalone":
            from thermoc.backends.brian2.standalone import StandaloneSession

            return StandaloneSession(artefact, batch=batch, position=position)
        return run.NetworkSession(artefact, batch=batch, position=position)
