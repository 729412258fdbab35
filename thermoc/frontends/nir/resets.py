"""What a unit does when it has spiked: NIR states v_reset; what else networks do, the caller says.

| reset | v after a spike | whose |
|---|---|---|
| value | v_reset | NIR, Norse, SpikingJelly |
| zero | 0 | snnTorch's Leaky, sinabs with MembraneReset |
| subtract | v - v_threshold | sinabs, snnTorch with ``reset_delay=False`` while v stays below |
| subtract_again | v - v_threshold, which is compared without another (``again.py``) | snnTorch, the same |
| subtract_delayed | v, and v_threshold is taken from it after the next tick's decay | snnTorch's default |
| zero_delayed | 0, also at the end of the next tick, whose input is lost | snnTorch's Synaptic, RLeaky, RSynaptic |
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.nir.construction import Conventions
from thermoc.frontends.nir.nodes import RESETS, SPIKING, NirModel, at, repair
from thermoc.support.errors import Finding, error


@dataclass(frozen=True, kw_only=True)
class UnitFields:
    """An op's operands and attributes."""

    fields: dict[str, NDArray]
    attrs: dict[str, Any]


def with_reset(unit: UnitFields, conventions: Conventions, dt: float, source: str, name: str) -> UnitFields:
    """Return a spiking unit with its reset and the side of its threshold on which it spikes. Errors: T303."""
    attrs = unit.attrs | {"compare": conventions.compare}
    match conventions.reset:
        case None | "value":
            return UnitFields(fields=unit.fields, attrs=attrs)
        case "zero_delayed":
            return UnitFields(fields=unit.fields, attrs=attrs | {"reset": "zero", "refractory": dt})
        case "subtract_delayed":
            return UnitFields(fields=_raised(unit, dt, source, name), attrs=attrs | {"reset": "subtract"})
    return UnitFields(fields=unit.fields, attrs=attrs | {"reset": conventions.reset})


@np.errstate(all="ignore")  # what leaves a float's range is refused below, or as a constant
def _raised(unit: UnitFields, dt: float, source: str, name: str) -> dict[str, NDArray]:
    """Return the fields of a unit that subtracts at once and spikes when the one that subtracts a tick late does.

    v' = keep v + ... - v_threshold s is keep (v - v_threshold / keep) + ...: what is taken at once is v_threshold over
    what a tick keeps. A unit subtracts its threshold, so its threshold is this, and its membrane stands above v by as
    much as the threshold does.
    """
    fields, keep = unit.fields, _keep(unit, dt)
    if not (keep > 0).all():
        what = f"node {name!r}: reset='subtract_delayed' takes v_threshold from what a tick leaves of v"
        notes = [f"a tick of {dt!r} s leaves {keep.min():g} of v"]
        raise error("T303", what, where=at(source, name), notes=notes)
    threshold = fields["v_threshold"] / keep
    above = threshold - fields["v_threshold"]
    raised = fields | {"v_threshold": threshold, "initial": above}
    return raised | {"v_leak": fields["v_leak"] + above} if "v_leak" in fields else raised


def _keep(unit: UnitFields, dt: float) -> NDArray:
    """Return the share of v that a tick leaves."""
    tau = unit.fields.get("tau", unit.fields.get("tau_mem"))
    if tau is None:
        return np.ones(())
    # The factor of the method's own step, not of the equation: both units must spike on the same ticks.
    return 1 - dt / tau if unit.attrs["method"] in ("euler", "semi_implicit") else np.exp(-dt / tau)


def reset_assumed(model: NirModel) -> Iterator[Finding]:
    """Yield what was assumed of units that spike, where the file states no reset but to 0."""
    spiking = {name: node for name, node in model.nodes.items() if node.kind in SPIKING}
    names = [
        name
        for name, node in spiking.items()
        if not np.any(node.fields.get("v_reset", 0)) and node.metadata.get("reset") not in RESETS
    ]
    if not names:
        return
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    yield repair(
        "units that spike are reset to v_reset = 0: NIR cannot say that a network subtracts its threshold, as many do",
        shown,
        "tc.load(path, reset='subtract') does, in the shell -R reset=subtract",
        "snnTorch's default does it a tick late: reset='subtract_delayed'",
    )
