"""Which target holds which op."""

from __future__ import annotations

from thermoc import plugins
from thermoc.ir import dialects  # noqa: F401  (registers the ops)
from thermoc.ir.ops import CONTINUOUS, REGISTRY, Op
from thermoc.ir.target import TargetDescription
from thermoc.passes.discretize import STEPS
from thermoc.passes.expand.table import EXPANSIONS
from thermoc.support.tables import table


def support_rows() -> list[dict[str, object]]:
    """Return a row for each op: how each target holds it.

    native: as it is; discretized: as the step that ``discretize`` makes of it; expanded: written in other ops;
    quantized: as integers of Loihi, but by the host in a network without a unit of Loihi; host: beside Loihi or between
    parts of it, not on it; arrays: constant weights as cells of crossbars; or the reason why not.
    """
    descriptions = {name: plugins.backend(name).target() for name in plugins.names()}
    return [
        {"op": opname, **{name: how(cls, target) for name, target in descriptions.items()}}
        for opname, cls in sorted(REGISTRY.items())
    ]


def how(cls: type[Op], target: TargetDescription) -> str:
    """Return how a target holds an op, or why it does not."""
    if cls.opname in target.ops:
        return target.forms.get(cls.opname, "native")
    if cls.opname in target.refused:
        return f"no: {target.refused[cls.opname]}"
    if CONTINUOUS in cls.traits and cls in STEPS:
        return "discretized"
    return "expanded" if cls in EXPANSIONS else "no: it has no form there"


def support_table() -> str:
    """Return the support table as text."""
    summaries = [f"{name}: {plugins.backend(name).target().summary}" for name in plugins.names()]
    return table("ops on each target", support_rows()) + "\n\n" + "\n".join(summaries)
