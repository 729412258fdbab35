"""Compile by a pipeline of the user's own, as text or as passes, in the place of a target's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from thermoc import plugins
from thermoc.ir.graph import Graph
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Lowered
from thermoc.passes.pipeline_text import parse_pipeline
from thermoc.support.errors import Finding, ThermocError, error

if TYPE_CHECKING:
    from thermoc.backends.base import Backend


def pipeline_of(passes: str | Sequence[Pass], graph: Graph, backend: Backend | None = None) -> tuple[Pass, ...]:
    """Return the passes of a text, or those that are given; without a backend it is for no target.

    Where the text leaves them out, ``dt`` is the network's, and the target of ``legalize`` the one compiled for.
    Errors: T210 (no such pass), T211 (the text), T212 (an option), T303 (a target whose passes cannot be replaced).
    """
    if backend is not None and backend.own_passes:
        what = f"the passes of target {backend.name!r} cannot be replaced"
        raise error("T303", what, notes=[backend.own_passes], hint="leave passes out, or take another target")
    if isinstance(passes, str):
        defaults: Mapping[str, Any] = {"dt": graph.dt, "target": None if backend is None else backend.target()}
        return parse_pipeline(passes, targets=_description, defaults=defaults)
    return _checked(passes)


def check_options(backend: Backend, options: Iterable[str]) -> None:
    """Refuse options that only the target's own passes read, beside a pipeline. Errors: T303."""
    idle = [name for name in options if name in backend.pass_options]
    if idle:
        notes = [f"{idle[0]} is for the target's own passes, which the pipeline replaces"]
        hint = "say it in the pipeline: set-precision{dtype=f32}, spike-encode{...}, quantize{...}; see thermoc passes"
        raise error("T303", f"option {idle[0]!r} has no say beside passes", notes=notes, hint=hint)


def check_lowered(lowered: Lowered, backend: Backend, options: Any) -> None:
    """Refuse what the target cannot take of what a pipeline left. Errors: T213, with every op that is in the way."""
    for needed in backend.takes(options):
        broken = needed.broken(lowered.graph)
        if broken:
            ran = ", ".join(record.text for record in lowered.records) or "none"
            what = f"target {backend.name!r} cannot take what the pipeline leaves: it needs {needed.name}"
            hint = "end with the passes that the target's own list ends with; its report shows them"
            raise ThermocError([Finding(code="T213", what=what, notes=(f"passes run: {ran}",), hint=hint), *broken])


def _description(target: str) -> Any:
    return plugins.backend(target).target()


def _checked(passes: Any) -> tuple[Pass, ...]:
    if not isinstance(passes, Sequence) or not all(isinstance(item, Pass) for item in passes):
        hint = 'passes="fuse,discretize{dt=0.1}", or passes=[Fuse(), Discretize(dt=0.1)]'
        raise error("T212", "passes are a text, or a list of passes", notes=[f"it is {passes!r}"[:200]], hint=hint)
    return tuple(passes)
